/** Clients through one CONNECT tunnel, and without; the tunnel is made before the clock starts. */

import type { Benchmark } from './benchmark.ts'
import { compare, comparison } from './comparison.ts'
import type { Job } from './tunnel/contract.ts'
import { CLIENTS, type ClientName, canDo, startClient, startServers } from './tunnel/crew.ts'

const clientsOf = (type: Job['type']) => CLIENTS.filter(name => canDo(name, type))

const requests = comparison<ClientName, Job>(
  { unit: 'request', digits: 1 },
  clientsOf('get'),
  'holster-direct',
  [false, true].flatMap(secure =>
    [1, 10].map(inFlight => {
      const count = inFlight === 1 ? 5_000 : 20_000
      const name = `GET ${secure ? 'https' : 'http'}, ${inFlight === 1 ? 'one after the other' : `${inFlight} pipelined`}`
      return { name, job: { type: 'get', secure, inFlight, count }, units: count }
    }),
  ),
)

const messages = comparison<ClientName, Job>(
  { unit: 'message', digits: 2 },
  clientsOf('echo'),
  'holster-direct',
  [false, true].flatMap(secure =>
    [32, 1024].flatMap(size =>
      [1, 256].map(inFlight => {
        const count = inFlight === 1 ? 5_000 : 40_000
        const name = `echo ${secure ? 'wss' : 'ws'}, ${size} B, ${inFlight} in flight`
        return { name, job: { type: 'echo', secure, size, inFlight, count }, units: count }
      }),
    ),
  ),
)

export const tunnel: Benchmark = {
  name: 'tunnel',
  heading: 'Through a proxy',
  about: [
    'GETs of 100 B and WebSocket echo through one CONNECT tunnel of HTTP/1.1, and the same without a proxy (`-direct`).',
    'Ratios are to Holster without a proxy; the tunnel is made before the clock starts.',
  ],
  tables: [requests, messages],
  async *measure(choice) {
    using servers = await startServers()
    const start = (name: ClientName) => startClient(name, servers)
    yield* compare(requests, choice, { start })
    yield* compare(messages, choice, { start })
  },
}
