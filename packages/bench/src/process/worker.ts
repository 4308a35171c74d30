/** One side in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import type { Client, Job } from './contract.ts'

const [, , file] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }

/** What a job gives has to stay until its cost is known. */
const kept: unknown[] = []

await answerJobs<Job>(async ([name, units]) => {
  const run = client.jobs[name]?.(units)
  if (run === undefined) throw new Error(`${file} cannot do ${name}`)
  // What was prepared begins to wait.
  await new Promise(resolve => setImmediate(resolve))
  const cost = await costOf(async () => {
    kept.push(await run())
  }, name === 'idle')
  kept.pop()
  return cost
})
