/** WebSocket clients against one server. */

import type { Benchmark } from './benchmark.ts'
import type { Choice } from './choice.ts'
import { type Contest, compare, comparison, type Row } from './comparison.ts'
import { findBun } from './crew.ts'
import { measureMemory, memoryTable } from './memory.ts'
import type { Measured } from './table.ts'
import type { Job, Payload, Urls, Wire } from './websocket/contract.ts'
import { CLIENTS, type ClientName, startClient, startPatterns, startServer } from './websocket/crew.ts'
import type { PatternJob } from './websocket/pattern-worker.ts'

const rowOf = (name: string, job: Job): Row<Job> => ({ name, job, units: job.count })

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

const echoes = SIZES.flatMap(([size, label]) =>
  (['text', 'binary'] as const).flatMap(type =>
    [1, 16, 256].map(inFlight =>
      rowOf(`echo ${label} ${type}, ${inFlight} in flight`, {
        type: 'echo',
        wire: 'plain',
        payload: { type, size },
        inFlight,
        count: countOf(size, inFlight),
      }),
    ),
  ),
)

function compressed(size: number, label: string, count: number): readonly Row<Job>[] {
  const job = { type: 'echo', payload: { type: 'text', size }, inFlight: 16, count } as const
  const name = `echo ${label} text, compressed, 16 in flight`
  return [
    rowOf(name, { ...job, wire: 'takeover' }),
    rowOf(`${name}, without context takeover`, { ...job, wire: 'reset' }),
  ]
}

function oneWay(type: 'receive' | 'send', payload: Payload, label: string, count: number): Row<Job> {
  return rowOf(`${type} ${label} ${payload.type}`, { type, payload, count })
}

const messages = comparison<ClientName, Job>({ unit: 'message', digits: 2 }, CLIENTS, 'ws', [
  ...echoes,
  oneWay('receive', { type: 'text', size: 32 }, '32 B', 200_000),
  oneWay('receive', { type: 'text', size: 1024 }, '1 KB', 100_000),
  oneWay('receive', { type: 'binary', size: 1024 }, '1 KB', 100_000),
  oneWay('send', { type: 'text', size: 32 }, '32 B', 102_400),
  oneWay('send', { type: 'binary', size: 1024 }, '1 KB', 51_200),
])

const deflated = comparison<ClientName, Job>(
  {
    unit: 'message',
    way: ', with permessage-deflate (undici compresses nothing that it sends: its ratio is no comparison)',
    digits: 2,
  },
  CLIENTS,
  'ws',
  [...compressed(1024, '1 KB', 5_000), ...compressed(65536, '64 KB', 500)],
)

type Pattern = PatternJob['pattern']

const FLOOD = 200_000

const patterns = comparison<Pattern, 'shared' | 'own'>(
  { unit: 'message', way: ', by kind of pattern', digits: 2 },
  ['fresh', 'reused'],
  'reused',
  [
    { name: 'receive 32 B text, both kinds in one process', job: 'shared', units: FLOOD },
    { name: 'receive 32 B text, each kind in a process of its own', job: 'own', units: FLOOD },
  ],
)

const open = (wire: Wire): Job => ({ type: 'open', wire, count: 1600 })

const openings = comparison<ClientName, Job>({ unit: 'connection', digits: 1 }, CLIENTS, 'ws', [
  rowOf('open and close a connection', open('plain')),
  rowOf('open and close a connection over TLS', open('tls')),
])

/** undici compresses nothing that it sends, and so has less to keep. */
const COMPRESSING = CLIENTS.filter(name => name !== 'undici')

const idle = (wire: Wire, units: number) => ({ job: { type: 'idle', wire, count: units } as const, units })

const perConnection = { unit: 'connection', digits: 1 }
const perDeflated = { unit: 'connection with permessage-deflate, after an echo of 2 KB', digits: 1 }

const memory = memoryTable<ClientName, Job>(perConnection, CLIENTS, 'ws', [
  { ...idle('plain', 2_000), rss: 'RSS per idle connection', heap: 'heap per idle connection' },
  {
    ...idle('tls', 2_000),
    rss: 'RSS per idle connection over TLS',
    heap: 'heap per idle connection over TLS',
  },
])

const deflatedMemory = memoryTable<ClientName, Job>(perDeflated, COMPRESSING, 'ws', [
  { ...idle('takeover', 2_000), rss: 'RSS per compressed connection, 2,000 of them' },
  {
    ...idle('takeover', 10_000),
    rss: 'RSS per compressed connection, 10,000 of them',
    isOnDemand: true,
  },
  { ...idle('reset', 2_000), rss: 'RSS per compressed connection without context takeover' },
])

async function* measurePatterns(urls: Urls, choice: Choice): AsyncIterable<Measured> {
  if (!patterns.rows.some(row => choice.isWanted(row))) return
  using shared = startPatterns(urls)
  yield* compare(patterns, choice, {
    start: pattern => {
      const own = startPatterns(urls)
      return {
        run: process => (process === 'own' ? own : shared).run({ pattern, count: FLOOD }),
        [Symbol.dispose]: () => own[Symbol.dispose](),
      }
    },
  })
}

export const webSocket: Benchmark = {
  name: 'websocket',
  heading: 'WebSocket',
  about: [
    "Each client talks to one server, Bun's. `holster` is measured through `receive` on a mailbox, with a fresh pattern each",
    'time, the others through their callbacks; `undici` is its `WebSocket`, and `bun` that of Bun. Where a row says nothing',
    'else about context takeover, permessage-deflate keeps its context from message to message on both sides. Memory is what',
    'stays behind a collection of garbage, in a process that does nothing else.',
  ],
  tables: [messages, deflated, patterns, openings, memory, deflatedMemory],
  async *measure(choice) {
    const bun = findBun()
    using server = await startServer(bun)
    const { urls } = server
    const contest: Contest<ClientName, Job> = { start: name => startClient(name, bun, urls) }
    yield* compare(messages, choice, contest)
    yield* compare(deflated, choice, contest)
    yield* measurePatterns(urls, choice)
    yield* compare(openings, choice, contest)
    yield* measureMemory(memory, choice, contest)
    yield* measureMemory(deflatedMemory, choice, contest)
  },
}
