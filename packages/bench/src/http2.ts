/** HTTP/2 clients against one server, each over one connection: over TLS, and where they can without. */

import type { Benchmark } from './benchmark.ts'
import { type Comparison, compare, comparison } from './comparison.ts'
import { findBun } from './crew.ts'
import { CHUNK } from './http/contract.ts'
import type { Job } from './http2/contract.ts'
import { CLIENTS, type ClientName, canDo, type Origins, startClient, startServer } from './http2/crew.ts'

type Transport = keyof Origins

const MB = 1024 * 1024

const get = (size: number, inFlight: number, count: number) =>
  ({ type: 'get', size, inFlight, count }) as const

const echo = (streams: number, count: number) => ({ type: 'echo', streams, size: 32, count }) as const

/** Gives the tables of one transport. All transports have the same rows; those without TLS say so in their names. */
function tablesOf(transport: Transport): readonly Comparison<ClientName, Job>[] {
  const way = transport === 'tls' ? ', over TLS' : ', without TLS'
  const named = (name: string) => (transport === 'tls' ? name : `cleartext ${name}`)
  const clients = CLIENTS.filter(name => transport === 'tls' || name !== 'bun')
  return [
    comparison<ClientName, Job>({ unit: 'request', way, digits: 1 }, clients, 'node', [
      { name: named('GET 100 B, 1 stream'), job: get(100, 1, 3_000), units: 3_000 },
      { name: named('GET 100 B, 10 streams'), job: get(100, 10, 6_000), units: 6_000 },
      { name: named('GET 100 B, 100 streams'), job: get(100, 100, 6_000), units: 6_000 },
    ]),
    comparison<ClientName, Job>({ unit: 'MB', units: 'MB', way, digits: 1 }, clients, 'node', [
      { name: named('GET 1 MB'), job: get(MB, 1, 100), units: 100 },
      { name: named('GET 100 MB'), job: get(100 * MB, 1, 1), units: 100 },
      {
        name: named('POST 10 MB in chunks of 64 KB'),
        job: { type: 'post', chunks: (10 * MB) / CHUNK, count: 10 },
        units: 100,
      },
    ]),
    comparison<ClientName, Job>({ unit: 'message', way, digits: 1 }, clients, 'node', [
      { name: named('WebSocket echo 32 B, 1 stream'), job: echo(1, 5_000), units: 5_000 },
      { name: named('WebSocket echo 32 B, 100 streams'), job: echo(100, 20_000), units: 20_000 },
    ]),
  ]
}

const transports = { tls: tablesOf('tls'), cleartext: tablesOf('cleartext') }

export const http2: Benchmark = {
  name: 'http2',
  heading: 'HTTP/2',
  about: [
    'Each client has one connection to a server of `node:http2`. Ratios are to a bare session of `node:http2`, which for',
    'WebSocket has the parts of `ws` on its streams. `holster-await` takes messages with `await` and `awaitBody`. Bun speaks',
    'HTTP/2 over TLS only.',
  ],
  tables: [...transports.tls, ...transports.cleartext],
  async *measure(choice) {
    const bun = choice.clientsOf({ clients: CLIENTS }).includes('bun') ? findBun() : ''
    using server = await startServer()
    for (const transport of ['tls', 'cleartext'] as const) {
      const start = (name: ClientName) => startClient(name, bun, server[transport])
      for (const table of transports[transport]) yield* compare(table, choice, { start, canDo })
    }
  },
}
