/**
 * HTTP/2 clients against one server, each over one connection, in one run and alternating: CPU of the client's process
 * per request, megabyte or message, and its ratio to a bare session of node:http2. Over TLS, which all of them can.
 * Run: npm run bench:http2 -- [part of a row's name…] [--rounds=9] [--clients=holster,node] [--cleartext]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { compare, type Row } from './comparison.ts'
import { findBun } from './crew.ts'
import { CHUNK } from './http/contract.ts'
import type { Job } from './http2/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient, startServer } from './http2/crew.ts'
import { Table } from './table.ts'

const MB = 1024 * 1024

const get = (size: number, inFlight: number, count: number) =>
  ({ type: 'get', size, inFlight, count }) as const

const requests: Row<Job>[] = [
  { name: 'GET 100 B, 1 stream', job: get(100, 1, 3_000), units: 3_000 },
  { name: 'GET 100 B, 10 streams', job: get(100, 10, 6_000), units: 6_000 },
  { name: 'GET 100 B, 100 streams', job: get(100, 100, 6_000), units: 6_000 },
]

const bodies: Row<Job>[] = [
  { name: 'GET 1 MB', job: get(MB, 1, 100), units: 100 },
  { name: 'GET 100 MB', job: get(100 * MB, 1, 1), units: 100 },
  {
    name: 'POST 10 MB in chunks of 64 KB',
    job: { type: 'post', chunks: (10 * MB) / CHUNK, count: 10 },
    units: 100,
  },
]

const echo = (streams: number, count: number) => ({ type: 'echo', streams, size: 32, count }) as const

const messages: Row<Job>[] = [
  { name: 'WebSocket echo 32 B, 1 stream', job: echo(1, 5_000), units: 5_000 },
  { name: 'WebSocket echo 32 B, 100 streams', job: echo(100, 20_000), units: 20_000 },
]

const chosen = choice(CLIENTS, ['cleartext'])
const transport = chosen.has('cleartext') ? 'cleartext' : 'tls'
const table = new Table<ClientName>(chosen.names, 'node')
const bun = chosen.names.includes('bun') ? findBun() : ''
using server = await startServer()
const contest = {
  choice: chosen,
  table,
  start: (name: ClientName) => startClient(name, bun, server[transport]),
  canDo: (name: ClientName, job: Job) => canDo(name, job, transport),
}

console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}, ${transport}`)
await compare('request', 1, requests, contest)
await compare('MB', 1, bodies, contest)
await compare('message', 1, messages, contest)
