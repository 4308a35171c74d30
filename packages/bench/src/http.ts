/**
 * HTTP clients against one server, in one run and alternating: CPU of the client's process per request or megabyte,
 * and its ratio to undici's Client.
 * Run: npm run bench:http -- [part of a row's name…] [--rounds=9] [--clients=holster,undici]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { findBun } from './crew.ts'
import { CHUNK, type Job } from './http/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient, startServer } from './http/crew.ts'
import { alternate, only, type UnitCost } from './rounds.ts'
import { Table } from './table.ts'

interface Row {
  readonly name: string
  readonly job: Job
  /** How many requests, or megabytes of bodies, the job is. */
  readonly units: number
}

const MB = 1024 * 1024

const get = (size: number, inFlight: number, count: number) =>
  ({ type: 'get', size, inFlight, count }) as const

const requests: Row[] = [
  { name: 'GET 100 B, one after the other', job: get(100, 1, 5_000), units: 5_000 },
  { name: 'GET 100 B, 10 pipelined', job: get(100, 10, 20_000), units: 20_000 },
]

const bodies: Row[] = [
  { name: 'GET 1 MB', job: get(MB, 1, 200), units: 200 },
  { name: 'GET 100 MB', job: get(100 * MB, 1, 3), units: 300 },
  {
    name: 'POST 10 MB in chunks of 64 KB',
    job: { type: 'post', chunks: (10 * MB) / CHUNK, count: 20 },
    units: 200,
  },
]

const { rounds, names, isWanted } = choice(CLIENTS)

const table = new Table<ClientName>(names, 'undici')
const bun = names.includes('bun') ? findBun() : ''
using server = await startServer()

async function compare(unit: string, rows: readonly Row[]): Promise<void> {
  const wanted = rows.filter(({ name }) => isWanted(name))
  if (wanted.length === 0) return
  const clients = new Map(names.map(name => [name, startClient(name, bun, server.port)]))
  const measured: (Row & { readonly costs: Map<ClientName, UnitCost> })[] = []
  for (const row of wanted) {
    const able = new Map([...clients].filter(([name]) => canDo(name, row.job)))
    measured.push({ ...row, costs: await alternate(able, row.job, { units: row.units, rounds }) })
  }
  for (const client of clients.values()) client[Symbol.dispose]()
  table.print(
    `µs of CPU per ${unit}, medians of ${rounds} rounds`,
    1,
    measured.map(({ name, costs }) => ({ name, of: only(costs, 'cpu') })),
  )
  table.print(
    `${unit}s per second`,
    0,
    measured.map(({ name, costs }) => ({ name, of: only(costs, 'perSecond') })),
  )
}

console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
await compare('request', requests)
await compare('MB', bodies)
