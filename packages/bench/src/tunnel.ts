/**
 * Clients through one CONNECT tunnel, and without, in one run and alternating: CPU of the client's process per request or
 * message, and its ratio to Holster without a proxy. The tunnel is made before the clock starts.
 * Run: npm run bench:tunnel -- [part of a row's name…] [--rounds=9] [--clients=holster,holster-direct]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { compare, type Row } from './comparison.ts'
import { Table } from './table.ts'
import type { Job } from './tunnel/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient, startServers } from './tunnel/crew.ts'

/** The most that the tunnel may cost. */
const target = 1.1

const requests: Row<Job>[] = [false, true].flatMap(secure =>
  [1, 10].map(inFlight => {
    const count = inFlight === 1 ? 5_000 : 20_000
    const name = `GET ${secure ? 'https' : 'http'}, ${inFlight === 1 ? 'one after the other' : `${inFlight} pipelined`}`
    return { name, job: { type: 'get', secure, inFlight, count }, units: count, target }
  }),
)

const messages: Row<Job>[] = [false, true].flatMap(secure =>
  [32, 1024].flatMap(size =>
    [1, 256].map(inFlight => {
      const count = inFlight === 1 ? 5_000 : 40_000
      const name = `echo ${secure ? 'wss' : 'ws'}, ${size} B, ${inFlight} in flight`
      return { name, job: { type: 'echo', secure, size, inFlight, count }, units: count, target }
    }),
  ),
)

const chosen = choice(CLIENTS)
const table = new Table<ClientName>(chosen.names, 'holster-direct')
using servers = await startServers()
const start = (name: ClientName) => startClient(name, servers)

console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
await compare('request', 1, requests, { choice: chosen, table, start, canDo })
await compare('message', 2, messages, { choice: chosen, table, start, canDo })
