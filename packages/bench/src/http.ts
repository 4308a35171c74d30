/**
 * HTTP clients against one server, in one run and alternating: CPU of the client's process per request or megabyte,
 * and its ratio to undici's Client.
 * Run: npm run bench:http -- [part of a row's name…] [--rounds=9] [--clients=holster,undici]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { compare, type Row } from './comparison.ts'
import { findBun } from './crew.ts'
import { CHUNK, type Job } from './http/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient, startServer } from './http/crew.ts'
import { Table } from './table.ts'

const MB = 1024 * 1024

const get = (size: number, inFlight: number, count: number) =>
  ({ type: 'get', size, inFlight, count }) as const

const requests: Row<Job>[] = [
  { name: 'GET 100 B, one after the other', job: get(100, 1, 5_000), units: 5_000 },
  { name: 'GET 100 B, 10 pipelined', job: get(100, 10, 20_000), units: 20_000 },
]

const bodies: Row<Job>[] = [
  { name: 'GET 1 MB', job: get(MB, 1, 200), units: 200 },
  { name: 'GET 100 MB', job: get(100 * MB, 1, 3), units: 300 },
  {
    name: 'POST 10 MB in chunks of 64 KB',
    job: { type: 'post', chunks: (10 * MB) / CHUNK, count: 20 },
    units: 200,
  },
]

const chosen = choice(CLIENTS)
const table = new Table<ClientName>(chosen.names, 'undici')
const bun = chosen.names.includes('bun') ? findBun() : ''
using server = await startServer()
const start = (name: ClientName) => startClient(name, bun, server.port)

console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
await compare('request', 1, requests, { choice: chosen, table, start, canDo })
await compare('MB', 1, bodies, { choice: chosen, table, start, canDo })
