/** Does the jobs of the benchmark of mailboxes in a process that does nothing else, and answers with the medians. */

import { createProcess, makeRef, type Process, type Ref } from '@holster/process'
import { deliver, Source } from '@holster/process/internal'
import { type Candidate, median, race, seconds } from '../stats.ts'
import { type Answer, BACKLOGS, type Way } from './contract.ts'

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

function receiver(name: Way, loop: (self: Process<Tick>, times: number) => Promise<void>): Candidate<Way> {
  const self = createProcess<Tick>()
  return { name, run: times => loop(self, times) }
}

const reused = [{ type: 'tick' }] as const

const FLOOD = 2000

/** Has a source deliver as many messages as a socket brings in one turn, all with the same two references, and the owner take them. */
function flooded(): Candidate<Way> {
  const [conn, stream] = [makeRef(), makeRef()]
  const self = createProcess<{ type: 'frame'; conn: Ref; stream: Ref; n: number }>()
  const source = new Source({
    pause() {},
    resume() {},
    carries: reference => reference === conn,
    overflow() {},
  })
  return {
    name: '2,000 delivered, then received by references',
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

const candidates: Candidate<Way>[] = [
  {
    name: 'a bare array queue',
    run: times => {
      const queue: Tick[] = []
      for (let n = 0; n < times; n++) {
        queue.push({ type: 'tick', n })
        if (queue.shift()?.n !== n) throw new Error('out of order')
      }
    },
  },
  {
    name: 'a bare awaited promise',
    run: async times => {
      for (let n = 0; n < times; n++) {
        const message: Tick = { type: 'tick', n }
        if ((await Promise.resolve(message)).n !== n) throw new Error('out of order')
      }
    },
  },
  receiver('send, then receive with a fresh pattern', async (self, times) => {
    for (let n = 0; n < times; n++) {
      self.send({ type: 'tick', n })
      if ((await self.receive([{ type: 'tick' }])).n !== n) throw new Error('out of order')
    }
  }),
  receiver('send, then receive with a reused pattern', async (self, times) => {
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

async function inOrder(rounds: number): Promise<Answer['inOrder']> {
  const results = await race(candidates, { times: TIMES, rounds })
  return Object.fromEntries(
    results.map(({ name, perSecond }) => [name, 1e9 / perSecond]),
  ) as unknown as Answer['inOrder']
}

const PINNED = 20_000

interface Backlogged {
  readonly self: Process<Reply>
  /** Nanoseconds. */
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
  return { self, first: (await seconds(() => answer(self, -1))) * 1e9, later: [] }
}

async function pinned(rounds: number): Promise<Answer['pinned']> {
  const all: Backlogged[] = []
  await (await backlogged(0)).self[Symbol.asyncDispose]()
  for (const backlog of BACKLOGS) all.push(await backlogged(backlog))
  for (let round = -2; round < rounds; round++) {
    for (const { self, later } of all) {
      const taken = await seconds(async () => {
        for (let n = 0; n < PINNED; n++) await answer(self, n)
      })
      if (round >= 0) later.push((taken / PINNED) * 1e9)
    }
  }
  return all.map(({ first, later }) => ({ first, later: median(later) }))
}

const rounds = Number(process.argv[2])
console.log(JSON.stringify({ inOrder: await inOrder(rounds), pinned: await pinned(rounds) } satisfies Answer))
process.exit()
