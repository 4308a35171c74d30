/** A client in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import { CHUNK, type Client, type Connection, type Job } from './contract.ts'

const [, , file, port] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }

/** Kept from job to job, as an application would. */
const connections = new Map<number, Promise<Connection>>()

function connection(inFlight: number): Promise<Connection> {
  const open = connections.get(inFlight) ?? client.connect(`http://127.0.0.1:${port}`, inFlight)
  connections.set(inFlight, open)
  return open
}

/** Everything that a job needs is there before the clock starts. */
async function prepare(job: Job): Promise<() => Promise<void>> {
  switch (job.type) {
    case 'get': {
      const from = await connection(job.inFlight)
      return () => from.get(`/${job.size}`, job)
    }
    case 'post': {
      const to = await connection(1)
      const chunk = Buffer.alloc(CHUNK, 'x')
      return () => to.post('/', chunk, job)
    }
  }
}

await answerJobs<Job>(async job => costOf(await prepare(job)))
