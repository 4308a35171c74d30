/** Messages between nodes, against the bare engines that carry them. */

import type { Benchmark } from './benchmark.ts'
import { compare, comparison, type Row } from './comparison.ts'
import type { Job } from './nodes/contract.ts'
import { CLIENTS, type ClientName, NatsServer, startClient } from './nodes/crew.ts'

function row(name: string, size: number, count: number, isEcho = false): Row<Job> {
  return { name, job: { size, count, isEcho }, units: count }
}

const unit = { unit: 'message', digits: 2 }
const threads = comparison<ClientName, Job>(unit, CLIENTS, 'bare', [
  row('send 32 B to another thread', 32, 200_000),
  row('send 1 KB to another thread', 1024, 100_000),
  row('32 B to another thread and back, 1 in flight', 32, 20_000, true),
])
const nats = comparison<ClientName, Job>({ ...unit, way: ', over NATS' }, CLIENTS, 'bare', [
  row('send 32 B over NATS', 32, 200_000),
  row('send 1 KB over NATS', 1024, 100_000),
  row('32 B over NATS and back, 1 in flight', 32, 10_000, true),
])

export const nodes: Benchmark = {
  name: 'nodes',
  heading: 'Nodes',
  about: [
    'From a process in one thread to a process in another, each with its mailbox. `bare` is `postMessage`, or a publish and a',
    'subscription of the NATS client with the bare text: it has no order across reconnects, notices no loss, and presses on nobody.',
    'Messages are sent 256 in a turn of the event loop. The CPU is that of both threads; that of the NATS server is not counted.',
  ],
  tables: [threads, nats],
  async *measure(choice) {
    yield* compare(threads, choice, { start: name => startClient(name) })
    if (!nats.rows.some(row => choice.isWanted(row))) return
    using server = await NatsServer.start()
    if (server === undefined) return
    yield* compare(nats, choice, { start: name => startClient(name, server.servers) })
  },
}
