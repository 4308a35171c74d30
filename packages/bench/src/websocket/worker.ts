/** A client in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import {
  type Client,
  type Connection,
  type Data,
  isCompressed,
  type Job,
  type Payload,
  sample,
  type Urls,
  type Wire,
} from './contract.ts'

const [, , file, given = ''] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }
const urls = JSON.parse(given) as Urls

function connect(wire: Wire, path: string): Promise<Connection> {
  return client.connect(`${urls[wire]}/${path}`, isCompressed(wire))
}

/** Kept from job to job, as an application would. */
const connections = new Map<string, Promise<Connection>>()

function connection(wire: Wire, path: string): Promise<Connection> {
  const key = `${wire} ${path}`
  const open = connections.get(key) ?? connect(wire, path)
  connections.set(key, open)
  return open
}

function dataOf({ type, size }: Payload): Data {
  const text = sample(size)
  return type === 'text' ? text : new TextEncoder().encode(text)
}

async function openAndClose(wire: Wire, count: number): Promise<void> {
  const opener = async (times: number) => {
    for (let n = 0; n < times; n++) await (await connect(wire, 'echo')).close()
  }
  await Promise.all(Array.from({ length: 16 }, () => opener(count / 16)))
}

const idle: Connection[] = []

/** A compressed connection is told and tells something, since it has its contexts only then. */
async function openIdle(wire: Wire, count: number): Promise<void> {
  const text = sample(2048)
  for (let n = 0; n < count; n++) {
    const open = await connect(wire, 'echo')
    idle.push(open)
    if (isCompressed(wire)) await open.echo(text, 1, 1)
  }
}

/** Everything that a job needs is there before the clock starts. */
async function prepare(job: Job): Promise<() => Promise<void>> {
  switch (job.type) {
    case 'echo': {
      const to = await connection(job.wire, 'echo')
      const data = dataOf(job.payload)
      return () => to.echo(data, job.count, job.inFlight)
    }
    case 'receive': {
      const from = await connection('plain', 'flood')
      return () => from.receive(JSON.stringify({ ...job.payload, count: job.count }), job.count)
    }
    case 'send': {
      const to = await connection('plain', 'sink')
      const data = dataOf(job.payload)
      return () => to.send(data, job.count)
    }
    case 'open':
      return () => openAndClose(job.wire, job.count)
    case 'idle':
      // What the first connections make for all that follow is not counted.
      await openIdle(job.wire, 100)
      return () => openIdle(job.wire, job.count)
  }
}

await answerJobs<Job>(async job => costOf(await prepare(job), job.type === 'idle'))
