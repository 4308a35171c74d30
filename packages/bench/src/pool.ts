/** Pools of eight connections against one server of each version of HTTP. */

import type { Benchmark } from './benchmark.ts'
import { type Contest, compare, comparison, type Row } from './comparison.ts'
import { startServer } from './http/crew.ts'
import { startServer as startServer2 } from './http2/crew.ts'
import type { Job } from './pool/contract.ts'
import { CLIENTS, type ClientName, startClient } from './pool/crew.ts'

const COUNT = 10_000

const row = (name: string, callers: number): Row<Job> => ({
  name,
  job: { size: 100, callers, count: COUNT },
  units: COUNT,
})

const unit = { unit: 'request', digits: 1 }
const ready = comparison<ClientName, Job>(unit, CLIENTS, 'holster', [
  row('GET 100 B, 8 callers', 8),
  row('GET 100 B, 1 caller', 1),
])
const waiting = comparison<ClientName, Job>(unit, ['holster-pool', 'undici-pool'], 'undici-pool', [
  row('GET 100 B, 32 callers, 24 of them waiting', 32),
])
const ready2 = comparison<ClientName, Job>(
  { ...unit, way: ', over HTTP/2' },
  ['holster-pool', 'holster'],
  'holster',
  [row('HTTP/2, GET 100 B, 8 callers', 8), row('HTTP/2, GET 100 B, 64 callers', 64)],
)

export const pool: Benchmark = {
  name: 'pool',
  heading: 'Pools',
  about: [
    'Each client has eight connections. Ratios are to bare connections of Holster, each with its own caller, or where more',
    "callers than connections wait, which bare connections cannot have, to undici's `Pool`.",
  ],
  tables: [ready, waiting, ready2],
  async *measure(choice) {
    using server = await startServer()
    using server2 = await startServer2()
    const over: Contest<ClientName, Job> = {
      start: name => startClient(name, `http://127.0.0.1:${server.port}`, 'http'),
    }
    yield* compare(ready, choice, over)
    yield* compare(waiting, choice, over)
    yield* compare(ready2, choice, { start: name => startClient(name, server2.cleartext, 'http2') })
  },
}
