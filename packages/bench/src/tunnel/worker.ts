/** A client in a process of its own, with the proxy or without: takes jobs, one a line, and answers with what each cost. */

import { answerJobs, costOf } from '../cost.ts'
import type { Client, Job, Ports } from './contract.ts'

const [, , file, given = '{}'] = process.argv
const { default: client } = (await import(`./${file}.js`)) as { readonly default: Client }
const ports = JSON.parse(given) as Omit<Ports, 'proxy'> & Partial<Ports>
const proxy = ports.proxy === undefined ? undefined : `http://127.0.0.1:${ports.proxy}`

/** Kept from job to job, as an application would; the tunnel is there before the clock starts. */
const kept = new Map<string, Promise<unknown>>()

function keep<T>(key: string, open: () => Promise<T> | undefined): Promise<T> {
  const known = kept.get(key) as Promise<T> | undefined
  const made = known ?? open()
  if (made === undefined) throw new Error(`${file} cannot do this`)
  kept.set(key, made)
  return made
}

async function prepare(job: Job): Promise<() => Promise<void>> {
  const { secure, inFlight, count } = job
  if (job.type === 'get') {
    const port = secure ? ports.https : ports.http
    const get = await keep(`get ${secure} ${inFlight}`, () => client.get?.(port, secure, proxy, inFlight))
    return () => get(count)
  }
  const port = secure ? ports.wss : ports.ws
  const echo = await keep(`echo ${secure}`, () => client.echo?.(port, secure, proxy))
  const data = 'x'.repeat(job.size)
  return () => echo(data, count, inFlight)
}

await answerJobs<Job>(async job => costOf(await prepare(job)))
