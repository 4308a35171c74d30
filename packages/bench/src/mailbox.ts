/** What a mailbox costs: send and receive in order, and a pinned receive with a backlog. Run: npm run mailbox */

import { createProcess, makeRef, type Process, type Ref } from '@holster/process'
import { deliver, Source } from '@holster/process/internal'
import { type Candidate, median, race, seconds } from './stats.ts'

interface Tick {
  readonly type: 'tick'
  readonly n: number
}

interface Reply {
  readonly type: 'reply'
  readonly ref: Ref
  readonly n: number
}

const TIMES = 300_000
const ROUNDS = 9

function receiver(name: string, loop: (self: Process<Tick>, times: number) => Promise<void>): Candidate {
  const self = createProcess<Tick>()
  return { name, run: times => loop(self, times) }
}

const reused = [{ type: 'tick' }] as const

const FLOOD = 2000

/** What a socket brings in one turn, each with the same two references, and an owner that drains it. */
function flooded(): Candidate {
  const [conn, stream] = [makeRef(), makeRef()]
  const self = createProcess<{ type: 'frame'; conn: Ref; stream: Ref; n: number }>()
  const source = new Source({
    pause() {},
    resume() {},
    carries: reference => reference === conn,
    overflow() {},
  })
  return {
    name: `${FLOOD} delivered, then received by references`,
    run: async times => {
      for (let from = 0; from < times; from += FLOOD) {
        for (let n = from; n < from + FLOOD; n++)
          self[deliver](source, { type: 'frame', conn, stream, n }, 32)
        for (let n = from; n < from + FLOOD; n++) {
          if ((await self.receive([{ type: 'frame', conn, stream }])).n !== n) throw new Error('out of order')
        }
      }
    },
  }
}

const candidates: Candidate[] = [
  {
    name: 'bare array queue (push, shift)',
    run: times => {
      const queue: Tick[] = []
      for (let n = 0; n < times; n++) {
        queue.push({ type: 'tick', n })
        if (queue.shift()?.n !== n) throw new Error('out of order')
      }
    },
  },
  {
    name: 'bare awaited promise',
    run: async times => {
      for (let n = 0; n < times; n++) {
        const message: Tick = { type: 'tick', n }
        if ((await Promise.resolve(message)).n !== n) throw new Error('out of order')
      }
    },
  },
  receiver('send, receive with a fresh pattern', async (self, times) => {
    for (let n = 0; n < times; n++) {
      self.send({ type: 'tick', n })
      if ((await self.receive([{ type: 'tick' }])).n !== n) throw new Error('out of order')
    }
  }),
  receiver('send, receive with a reused pattern', async (self, times) => {
    for (let n = 0; n < times; n++) {
      self.send({ type: 'tick', n })
      if ((await self.receive(reused)).n !== n) throw new Error('out of order')
    }
  }),
  receiver('receive that waits, then send', async (self, times) => {
    for (let n = 0; n < times; n++) {
      const received = self.receive([{ type: 'tick' }])
      self.send({ type: 'tick', n })
      if ((await received).n !== n) throw new Error('out of order')
    }
  }),
  flooded(),
]

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en').padStart(12)
}

async function inOrder(): Promise<void> {
  const results = await race(candidates, { times: TIMES, rounds: ROUNDS })
  const [queue, promise] = results
  console.log(`In order, ${TIMES.toLocaleString('en')} messages a round, medians of ${ROUNDS} rounds`)
  console.log(`${'messages/s'.padStart(12)}   of the queue   of the promise`)
  for (const { name, perSecond } of results) {
    const shares = [queue, promise].map(peer => (perSecond / (peer?.perSecond ?? Number.NaN)).toFixed(2))
    console.log(`${thousands(perSecond)}${shares[0]?.padStart(15)}${shares[1]?.padStart(17)}   ${name}`)
  }
}

const BACKLOGS = [0, 10_000, 1_000_000]
const PINNED = 20_000
const PINNED_ROUNDS = 15

interface Backlogged {
  readonly backlog: number
  readonly self: Process<Reply>
  readonly first: number
  readonly later: number[]
}

async function answer(self: Process<Reply>, n: number): Promise<void> {
  const ref = makeRef()
  self.send({ type: 'reply', ref, n })
  const reply = await self.receive([{ type: 'reply', ref }])
  if (reply.n !== n) throw new Error('the wrong answer')
}

/** The waiting messages come from 100 senders, as the frames of 100 streams would. */
async function backlogged(backlog: number): Promise<Backlogged> {
  const self = createProcess<Reply>({ highWaterMark: { messages: Number.POSITIVE_INFINITY } })
  const senders = Array.from({ length: 100 }, makeRef)
  for (let n = 0; n < backlog; n++) {
    self.send({ type: 'reply', ref: senders[n % senders.length] as Ref, n })
  }
  return { backlog, self, first: await seconds(() => answer(self, -1)), later: [] }
}

async function pinned(): Promise<void> {
  const all: Backlogged[] = []
  await (await backlogged(0)).self[Symbol.asyncDispose]()
  for (const backlog of BACKLOGS) all.push(await backlogged(backlog))
  for (let round = -2; round < PINNED_ROUNDS; round++) {
    for (const { self, later } of all) {
      const taken = await seconds(async () => {
        for (let n = 0; n < PINNED; n++) await answer(self, n)
      })
      if (round >= 0) later.push((taken / PINNED) * 1e9)
    }
  }
  const base = median(all[0]?.later ?? [])
  console.log(`\nSend and receive pinned to a reference, ns each, medians of ${PINNED_ROUNDS} rounds`)
  console.log(
    `${'others'.padStart(12)}${'the first'.padStart(14)}${'later'.padStart(10)}   of an empty mailbox`,
  )
  for (const { backlog, first, later } of all) {
    const ns = median(later)
    const row = [
      thousands(backlog),
      thousands(first * 1e9).padStart(14),
      Math.round(ns).toString().padStart(10),
    ]
    console.log(`${row.join('')}   ${(ns / base).toFixed(2)}`)
  }
}

await inOrder()
await pinned()
