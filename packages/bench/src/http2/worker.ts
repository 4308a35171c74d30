/** A client in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import { CHUNK, type Connection } from '../http/contract.ts'
import type { Client, Job, WebSockets } from './contract.ts'

const [, , file, origin = ''] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }

/** Kept from job to job, as an application would. */
let connection: Promise<Connection> | undefined
const sockets = new Map<number, Promise<WebSockets>>()

function webSockets(streams: number): Promise<WebSockets> {
  const open = sockets.get(streams) ?? client.openWebSockets?.(origin, streams)
  if (open === undefined) throw new Error(`${file} has no WebSocket over HTTP/2`)
  sockets.set(streams, open)
  return open
}

/** Everything that a job needs is there before the clock starts. */
async function prepare(job: Job): Promise<() => Promise<void>> {
  if (job.type === 'echo') {
    const to = await webSockets(job.streams)
    const data = 'x'.repeat(job.size)
    return () => to.echo(data, job.count)
  }
  connection ??= client.connect(origin)
  const to = await connection
  if (job.type === 'get') return () => to.get(`/${job.size}`, job)
  const chunk = Buffer.alloc(CHUNK, 'x')
  return () => to.post('/', chunk, job)
}

await answerJobs<Job>(async job => costOf(await prepare(job)))
