/** Holster's receive with a fresh pattern each time and with one that is kept, both in one process that takes jobs. */

import { answerJobs, costOf } from '../cost.ts'
import holster from './holster-client.ts'

export interface PatternJob {
  readonly pattern: 'fresh' | 'reused'
  readonly count: number
}

const [, , url = ''] = process.argv
const connection = await holster.connect(url, false)

await answerJobs<PatternJob>(({ pattern, count }) => {
  const request = JSON.stringify({ type: 'text', size: 32, count })
  return costOf(() =>
    pattern === 'fresh' ? connection.receive(request, count) : connection.receiveReusing(request, count),
  )
})
