/**
 * WebSocket clients against one server, in one run and alternating: CPU of the client's process per message, and its
 * ratio to ws. Run: npm run bench:websocket -- [part of a row's name…] [--rounds=9] [--clients=holster,ws]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { compare, type Row } from './comparison.ts'
import type { Cost } from './cost.ts'
import { findBun } from './crew.ts'
import { median } from './stats.ts'
import { Table } from './table.ts'
import type { Job, Payload } from './websocket/contract.ts'
import { CLIENTS, type ClientName, type Ports, startClient, startServer } from './websocket/crew.ts'

type MessageRow = Omit<Row<Job>, 'units'>

const payload = (type: 'text' | 'binary', size: number, compressed = false): Payload => ({
  type,
  size,
  compressed,
})

const SIZES = [
  [32, '32 B'],
  [1024, '1 KB'],
  [65536, '64 KB'],
] as const

/** Enough for a quarter of a second or more of each client. */
function countOf(size: number, inFlight: number): number {
  if (size > 10_000) return inFlight === 1 ? 2_000 : 3_000
  return inFlight === 1 ? 10_000 : 60_000
}

const ECHO_TARGETS: Record<string, number> = {
  'echo 32 B text, 1 in flight': 1.05,
  'echo 32 B text, 256 in flight': 0.4,
  'echo 1 KB text, 256 in flight': 0.55,
}

const echoes: MessageRow[] = SIZES.flatMap(([size, label]) =>
  (['text', 'binary'] as const).flatMap(type =>
    [1, 16, 256].map(inFlight => {
      const name = `echo ${label} ${type}, ${inFlight} in flight`
      const job = {
        type: 'echo',
        payload: payload(type, size),
        inFlight,
        count: countOf(size, inFlight),
      } as const
      const target = ECHO_TARGETS[name]
      return target === undefined ? { name, job } : { name, job, target }
    }),
  ),
)

const rows: MessageRow[] = [
  ...echoes,
  {
    name: 'receive 32 B text',
    job: { type: 'receive', payload: payload('text', 32), count: 200_000 },
    target: 1.15,
  },
  {
    name: 'receive 1 KB text',
    job: { type: 'receive', payload: payload('text', 1024), count: 100_000 },
    target: 0.85,
  },
  { name: 'receive 1 KB binary', job: { type: 'receive', payload: payload('binary', 1024), count: 100_000 } },
  { name: 'send 32 B text', job: { type: 'send', payload: payload('text', 32), count: 102_400 } },
  { name: 'send 1 KB binary', job: { type: 'send', payload: payload('binary', 1024), count: 51_200 } },
  {
    name: 'echo 1 KB text, compressed, 16 in flight',
    job: { type: 'echo', payload: payload('text', 1024, true), inFlight: 16, count: 5_000 },
  },
  {
    name: 'echo 64 KB text, compressed, 16 in flight',
    job: { type: 'echo', payload: payload('text', 65536, true), inFlight: 16, count: 500 },
  },
  { name: 'open and close a connection', job: { type: 'open', count: 1600 }, target: 1.1 },
]

const chosen = choice(CLIENTS)
const table = new Table<ClientName>(chosen.names, 'ws')

const IDLE = 2000

/** In processes of their own, since memory that was used once stays. */
async function measureIdle(bun: string, ports: Ports): Promise<void> {
  const { rounds, names, isWanted } = chosen
  if (!isWanted('idle')) return
  const rss = new Map<ClientName, number>()
  const heap = new Map<ClientName, number>()
  for (const name of names) {
    const costs: Cost[] = []
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      using client = startClient(name, bun, ports)
      costs.push(await client.run({ type: 'idle', count: IDLE }))
    }
    rss.set(name, median(costs.map(cost => cost.rss)) / IDLE / 1024)
    heap.set(name, median(costs.map(cost => cost.heap)) / IDLE / 1024)
  }
  table.print(`KB per idle connection, at ${IDLE} connections`, 1, [
    { name: 'RSS', of: rss, target: 1.7 },
    { name: 'heap', of: heap },
  ])
}

const bun = findBun()
using server = await startServer(bun)
console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
await compare(
  'message',
  2,
  rows.map(row => ({ ...row, units: row.job.count })),
  { choice: chosen, table, start: name => startClient(name, bun, server), canDo: () => true },
)
await measureIdle(bun, server)
