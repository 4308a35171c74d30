/** HTTP/1.1 clients against one server. */

import type { Benchmark } from './benchmark.ts'
import { compare, comparison } from './comparison.ts'
import { findBun } from './crew.ts'
import { CHUNK, type Job } from './http/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient, startServer } from './http/crew.ts'

const MB = 1024 * 1024

const get = (size: number, inFlight: number, count: number) =>
  ({ type: 'get', size, inFlight, count }) as const

const requests = comparison<ClientName, Job>({ unit: 'request', digits: 1 }, CLIENTS, 'undici', [
  { name: 'GET 100 B, one after the other', job: get(100, 1, 5_000), units: 5_000 },
  { name: 'GET 100 B, 10 pipelined', job: get(100, 10, 20_000), units: 20_000 },
])

const bodies = comparison<ClientName, Job>({ unit: 'MB', units: 'MB', digits: 1 }, CLIENTS, 'undici', [
  { name: 'GET 1 MB', job: get(MB, 1, 200), units: 200 },
  { name: 'GET 100 MB', job: get(100 * MB, 1, 3), units: 300 },
  {
    name: 'POST 10 MB in chunks of 64 KB',
    job: { type: 'post', chunks: (10 * MB) / CHUNK, count: 20 },
    units: 200,
  },
])

export const http: Benchmark = {
  name: 'http',
  heading: 'HTTP/1.1',
  about: [
    "Each client has one connection to a plain `node:net` server. Ratios are to undici's `Client`, which is told to pipeline",
    '(`blocking: false`). `holster` takes each message with `receive`, `holster-await` with `await` and `awaitBody`;',
    "`undici-request` is undici's function `request`, `node` is `node:http`, and `bun` is Bun's `fetch`.",
  ],
  tables: [requests, bodies],
  async *measure(choice) {
    const bun = choice.clientsOf(requests).includes('bun') ? findBun() : ''
    using server = await startServer()
    const contest = { start: (name: ClientName) => startClient(name, bun, server.port), canDo }
    yield* compare(requests, choice, contest)
    yield* compare(bodies, choice, contest)
  },
}
