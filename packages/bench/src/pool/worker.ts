/** A client in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import { checkSize } from '../http/contract.ts'
import type { Client, Job } from './contract.ts'

const [, , file, port] = process.argv
const { default: client } = (await import(`./${file}.ts`)) as { readonly default: Client }
const get = await client.connect(`http://127.0.0.1:${port}`)

async function run({ size, callers, count }: Job): Promise<void> {
  let n = 0
  const call = async (caller: number) => {
    while (n++ < count) checkSize(await get(`/${size}`, caller), size)
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
}

await answerJobs<Job>(job => costOf(() => run(job)))
