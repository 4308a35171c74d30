/** Messages between nodes, against the bare engines that carry them. */

import type { Benchmark } from './benchmark.ts'
import type { Choice } from './choice.ts'
import { compare, comparison, type Row } from './comparison.ts'
import { findBun } from './crew.ts'
import type { Job } from './nodes/contract.ts'
import { CLIENTS, type ClientName, NatsServer, startClient, startCrowd } from './nodes/crew.ts'
import type { CrowdJob } from './nodes/crowd-worker.ts'
import { alternate, only, type UnitCost } from './rounds.ts'
import type { Measured } from './table.ts'
import { startServer } from './websocket/crew.ts'

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

const CONNECTIONS = 10_000
const TIMES = 10
const CROWDS = ['no worker', '1 worker', '2 workers', '4 workers'] as const
type Crowd = (typeof CROWDS)[number]

const crowd = comparison<Crowd, CrowdJob>({ unit: 'echo', units: 'echoes', digits: 2 }, CROWDS, 'no worker', [
  { name: 'echo 32 B over 10,000 WebSockets', job: { times: TIMES }, units: CONNECTIONS * TIMES },
])

export const nodes: Benchmark = {
  name: 'nodes',
  heading: 'Nodes',
  about: [
    'From a process in one thread to a process in another, each with its mailbox. `bare` is `postMessage`, or a publish and a',
    'subscription of the NATS client with the bare text: it has no order across reconnects, notices no loss, and presses on nobody.',
    'The last table has one process for each worker, with its part of the WebSockets, and the server is a process of its own.',
    'Messages are sent 256 in a turn of the event loop. The CPU is that of both threads; that of the NATS server is not counted.',
  ],
  tables: [threads, nats, crowd],
  async *measure(choice) {
    yield* compare(threads, choice, { start: name => startClient(name) })
    if (nats.rows.some(row => choice.isWanted(row))) {
      using server = await NatsServer.start()
      if (server !== undefined) {
        yield* compare(nats, choice, { start: name => startClient(name, server.servers) })
      }
    }
    yield* measureCrowd(choice)
  },
}

/** Measures one client after the other, as a server may not have more sockets than those of one. */
async function* measureCrowd(choice: Choice): AsyncIterable<Measured> {
  const { rounds } = choice
  for (const { name: row, job, units } of crowd.jobs) {
    // Four times 10,000 sockets take long to open.
    if (!choice.isWanted(row, true)) continue
    using server = await startServer(findBun())
    const costs = new Map<Crowd, UnitCost>()
    for (const name of choice.clientsOf(crowd)) {
      using client = startCrowd(Number.parseInt(name, 10) || 0, `${server.urls.plain}/echo`, CONNECTIONS)
      const [cost] = (await alternate(new Map([[name, client]]), job, { units, rounds })).values()
      if (cost !== undefined) costs.set(name, cost)
    }
    yield { table: crowd, row, values: only(costs, 'cpu'), rounds }
    yield { table: crowd.speed, row, values: only(costs, 'perSecond'), rounds }
  }
}
