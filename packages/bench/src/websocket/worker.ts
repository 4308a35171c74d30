/** A client in a process of its own: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import type { Client, Connection, Data, Job, Payload } from './contract.ts'

const [, , file, plain, compressed] = process.argv
const { default: client } = (await import(`./${file}.ts`)) as { readonly default: Client }

function urlOf(path: string, isCompressed: boolean): string {
  return `ws://127.0.0.1:${isCompressed ? compressed : plain}/${path}`
}

/** Kept from job to job, as an application would. */
const connections = new Map<string, Promise<Connection>>()

function connection(path: string, isCompressed: boolean): Promise<Connection> {
  const url = urlOf(path, isCompressed)
  const open = connections.get(url) ?? client.connect(url, isCompressed)
  connections.set(url, open)
  return open
}

function dataOf({ type, size }: Payload): Data {
  let text = ''
  for (let n = 0; text.length < size; n++) text += `{"id":${n},"name":"item ${(n * 7919) % 1000}"},`
  text = text.slice(0, size)
  return type === 'text' ? text : new TextEncoder().encode(text)
}

async function openAndClose(count: number): Promise<void> {
  const opener = async (times: number) => {
    for (let n = 0; n < times; n++) await (await client.connect(urlOf('echo', false), false)).close()
  }
  await Promise.all(Array.from({ length: 16 }, () => opener(count / 16)))
}

const idle: Connection[] = []

async function openIdle(count: number): Promise<void> {
  for (let n = 0; n < count; n++) idle.push(await client.connect(urlOf('echo', false), false))
}

/** Everything that a job needs is there before the clock starts. */
async function prepare(job: Job): Promise<() => Promise<void>> {
  switch (job.type) {
    case 'echo': {
      const to = await connection('echo', job.payload.compressed)
      const data = dataOf(job.payload)
      return () => to.echo(data, job.count, job.inFlight)
    }
    case 'receive': {
      const from = await connection('flood', job.payload.compressed)
      return () => from.receive(JSON.stringify({ ...job.payload, count: job.count }), job.count)
    }
    case 'send': {
      const to = await connection('sink', job.payload.compressed)
      const data = dataOf(job.payload)
      return () => to.send(data, job.count)
    }
    case 'open':
      return () => openAndClose(job.count)
    case 'idle':
      // What the first connections make for all that follow is not counted.
      await openIdle(100)
      return () => openIdle(job.count)
  }
}

await answerJobs<Job>(async job => costOf(await prepare(job), job.type === 'idle'))
