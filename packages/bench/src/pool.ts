/**
 * Pools of eight connections against one server of each version of HTTP, in one run and alternating: CPU of the client's process
 * per request, and its ratio to bare connections of Holster's, or where more callers than connections wait, to undici's Pool.
 * Run: npm run bench:pool -- [part of a row's name…] [--rounds=9] [--clients=holster-pool,holster]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { compare, type Row } from './comparison.ts'
import { startServer } from './http/crew.ts'
import { startServer as startServer2 } from './http2/crew.ts'
import type { Job } from './pool/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient } from './pool/crew.ts'
import { Table } from './table.ts'

const COUNT = 10_000

const row = (name: string, callers: number, target: number): Row<Job> => ({
  name,
  job: { size: 100, callers, count: COUNT },
  units: COUNT,
  target,
})

const chosen = choice(CLIENTS)
using server = await startServer()
using server2 = await startServer2()
const over = {
  http: {
    start: (name: ClientName) => startClient(name, `http://127.0.0.1:${server.port}`, 'http'),
    canDo: (name: ClientName, job: Job) => canDo(name, job, 'http'),
  },
  http2: {
    start: (name: ClientName) => startClient(name, server2.cleartext, 'http2'),
    canDo: (name: ClientName, job: Job) => canDo(name, job, 'http2'),
  },
}

console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
await compare('request', 1, [row('GET 100 B, 8 callers', 8, 1.15), row('GET 100 B, 1 caller', 1, 1.15)], {
  choice: chosen,
  table: new Table<ClientName>(chosen.names, 'holster'),
  ...over.http,
})
await compare('request', 1, [row('GET 100 B, 32 callers, 24 of them waiting', 32, 1)], {
  choice: chosen,
  table: new Table<ClientName>(chosen.names, 'undici-pool'),
  ...over.http,
})
const rows2 = [row('HTTP/2, GET 100 B, 8 callers', 8, 1.15), row('HTTP/2, GET 100 B, 64 callers', 64, 1.15)]
await compare('request', 1, rows2, {
  choice: chosen,
  table: new Table<ClientName>(chosen.names, 'holster'),
  ...over.http2,
})
