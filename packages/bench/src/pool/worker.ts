/** A client in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import { checkSize } from '../http/contract.ts'
import type { Client, Job, Version } from './contract.ts'

const [, , file, origin = '', version] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }
const get = await client.connect(origin, version as Version)

async function run({ size, callers, count }: Job): Promise<void> {
  let n = 0
  const call = async (caller: number) => {
    while (n++ < count) checkSize(await get(`/${size}`, caller), size)
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
}

await answerJobs<Job>(job => costOf(() => run(job)))
