// The second mark bounds the messages of a source that wait while a receive waits for something else.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import {
  createProcess,
  makeRef,
  type P,
  type Process,
  type ProcessOptions,
  ReceiveTimeout,
} from '../../src/index.ts'
import { deliver, type Mark, Source, type Valve } from '../../src/internal.ts'
import { turn } from '../support/turns.ts'

const FIRST = 10
const SECOND = 40
const MARKS: ProcessOptions = {
  highWaterMark: { messages: FIRST },
  waitingHighWaterMark: { messages: SECOND },
}

interface Data {
  readonly type: 'data' | 'wanted'
  readonly conn: object
  readonly via?: object
}

interface Tick {
  readonly type: 'tick'
}

type Message = Data | Tick

/** A socket, or one stream of a connection. It sends a message about its overflow, and closes. */
class Wire implements Valve {
  readonly conn = makeRef()
  readonly whole: object
  readonly via: object | undefined
  isPausable = true
  readonly source = new Source(this)
  isPaused = false
  overflows = 0
  mark: Mark | undefined
  onOverflow = () => {}

  constructor(via?: object) {
    this.via = via
    this.whole = via ?? this.conn
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  carries(reference: object): boolean {
    return reference === this.conn || reference === this.via
  }

  overflow(mark: Mark): void {
    this.overflows++
    this.mark = mark
    this.onOverflow()
  }

  deliver(self: Process<Message>, times: number, bytes = 0, type: 'data' | 'wanted' = 'data'): void {
    const { conn, via } = this
    for (let n = 0; n < times; n++) {
      self[deliver](this.source, { type, conn, ...(via && { via }) }, bytes)
    }
  }
}

/** Begins a receive whose outcome does not matter. */
function waiting(self: Process<Message>, ...patterns: Partial<Data | Tick>[]): Promise<Message> {
  const received = self.receive(patterns as P.Pattern<Message>[]) as Promise<Message>
  received.catch(() => {})
  return received
}

describe('a receive that waits for a message that only one source can bring', () => {
  test('has it read up to the second mark, and one message past that it is ended, once', async () => {
    await using self = createProcess<Message>(MARKS)
    const wire = new Wire()
    void waiting(self, { type: 'wanted', conn: wire.conn })
    wire.deliver(self, SECOND)
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [false, 0])
    wire.deliver(self, 1)
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [true, 1])
    assert.deepEqual(wire.mark?.messages, SECOND)
    await turn()
    assert.equal(wire.overflows, 1)
  })

  test('does so in bytes, too', async () => {
    await using self = createProcess<Message>({
      highWaterMark: { bytes: 10 },
      waitingHighWaterMark: { bytes: 40 },
    })
    const wire = new Wire()
    void waiting(self, { type: 'wanted', conn: wire.conn })
    wire.deliver(self, 2, 20)
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [false, 0])
    wire.deliver(self, 1, 1)
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [true, 1])
  })

  test('ends it also when it begins to wait beyond the mark, but not while it is being asked for', async () => {
    await using self = createProcess<Message>(MARKS)
    const wire = new Wire()
    wire.deliver(self, SECOND + 1)
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [true, 0])
    void waiting(self, { type: 'wanted', conn: wire.conn })
    assert.equal(wire.overflows, 0)
    await turn()
    assert.equal(wire.overflows, 1)
  })

  test('ends no source on account of messages from others', async () => {
    await using self = createProcess<Message>(MARKS)
    const [wire, other] = [new Wire(), new Wire()]
    for (let n = 0; n < 10 * SECOND; n++) self.send({ type: 'tick' })
    other.deliver(self, 10 * SECOND)
    wire.deliver(self, SECOND - 1)
    await turn()
    const received = waiting(self, { type: 'wanted', conn: wire.conn })
    assert.deepEqual([wire.isPaused, other.isPaused], [false, true])
    wire.deliver(self, 1)
    await turn()
    assert.deepEqual([wire.isPaused, other.isPaused], [false, true])
    assert.deepEqual([wire.overflows, other.overflows], [0, 0])
    wire.deliver(self, 1, 0, 'wanted')
    assert.equal((await received).type, 'wanted')
  })

  test('ends no source once it has its message', async () => {
    await using self = createProcess<Message>(MARKS)
    const wire = new Wire()
    const received = waiting(self, { type: 'wanted', conn: wire.conn })
    wire.deliver(self, SECOND + 1)
    wire.deliver(self, 1, 0, 'wanted')
    await received
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [true, 0])
  })
})

describe('a receive whose message may come from elsewhere', () => {
  for (const [what, pattern] of [
    ['without a reference', { type: 'tick' }],
    ['that pins a reference which no source carries', { type: 'wanted', conn: makeRef() }],
  ] as const) {
    test(`${what} has all sources read up to the second mark, then pauses those that have brought it there`, async () => {
      await using self = createProcess<Message>(MARKS)
      const [loud, quiet] = [new Wire(), new Wire()]
      quiet.deliver(self, 1)
      const received = waiting(self, pattern)
      loud.deliver(self, SECOND - 1)
      await turn()
      assert.deepEqual([loud.isPaused, quiet.isPaused], [false, false])
      loud.deliver(self, 1)
      await turn()
      assert.deepEqual([loud.isPaused, quiet.isPaused], [true, false])
      assert.deepEqual([loud.overflows, quiet.overflows], [0, 0])
      if (pattern.type !== 'tick') return
      self.send({ type: 'tick' })
      assert.deepEqual(await received, { type: 'tick' })
      // No receive waits any more.
      quiet.deliver(self, 1)
      await turn()
      assert.equal(quiet.isPaused, true)
    })
  }

  test('of two sources pauses the one that floods, and ends it only when the other does so as well', async () => {
    await using self = createProcess<Message>(MARKS)
    const [one, two] = [new Wire(), new Wire()]
    two.deliver(self, 1)
    void waiting(self, { type: 'wanted', conn: one.conn }, { type: 'wanted', conn: two.conn })
    one.deliver(self, SECOND + 1)
    await turn()
    assert.deepEqual([one.isPaused, two.isPaused], [true, false])
    assert.deepEqual([one.overflows, two.overflows], [0, 0])
    two.deliver(self, SECOND / 2)
    await turn()
    assert.deepEqual([one.isPaused, two.isPaused], [true, true])
    assert.deepEqual([one.overflows, two.overflows], [1, 0])
  })

  test('of two streams of one connection has the one ended that floods', async () => {
    await using self = createProcess<Message>(MARKS)
    const connection = makeRef()
    const [one, two, other] = [new Wire(connection), new Wire(connection), new Wire()]
    for (const wire of [two, other]) wire.deliver(self, 1)
    void waiting(self, { type: 'wanted', via: connection })
    one.deliver(self, SECOND + 1)
    await turn()
    assert.deepEqual([one.isPaused, two.isPaused, other.isPaused], [true, false, true])
    assert.deepEqual([one.overflows, two.overflows, other.overflows], [1, 0, 0])
  })
})

describe('a source that delivers to two processes, one of which waits for it', () => {
  /** `busy` receives nothing; `idle` waits for a message that never comes. */
  async function scene(): Promise<{ wire: Wire; busy: Process<Message>; idle: Process<Message> }> {
    const wire = new Wire()
    const [busy, idle] = [createProcess<Message>(MARKS), createProcess<Message>(MARKS)]
    wire.deliver(idle, 1)
    void waiting(idle, { type: 'wanted', conn: wire.conn })
    wire.deliver(busy, SECOND)
    await turn()
    return { wire, busy, idle }
  }

  test('is read up to the second mark of the other, then paused and not ended', async () => {
    const { wire, busy, idle } = await scene()
    assert.equal(wire.isPaused, false)
    wire.deliver(busy, 1)
    await turn()
    assert.deepEqual([wire.isPaused, wire.overflows], [true, 0])
    busy.exit()
    assert.equal(wire.isPaused, false)
    idle.exit()
  })

  test('goes on when half of it was taken', async () => {
    const { wire, busy, idle } = await scene()
    wire.deliver(busy, 1)
    await turn()
    for (let n = SECOND + 1; n > SECOND / 2 + 1; n--) await busy.receive([{ type: 'data' }], 0)
    assert.equal(wire.isPaused, true)
    await busy.receive([{ type: 'data' }], 0)
    assert.equal(wire.isPaused, false)
    for (const self of [busy, idle]) self.exit()
  })

  test('goes on when the other waits too, and has taken what was too much', async () => {
    const { wire, busy, idle } = await scene()
    wire.deliver(busy, 1)
    await turn()
    await busy.receive([{ type: 'data' }], 0)
    void waiting(busy, { type: 'wanted', conn: wire.conn })
    assert.equal(wire.isPaused, false)
    for (const self of [busy, idle]) self.exit()
  })
})

describe('a source that cannot be paused', () => {
  test('is ended at the second mark, whether a receive waits or not', async () => {
    await using self = createProcess<Message>(MARKS)
    const [wire, other] = [new Wire(), new Wire()]
    wire.isPausable = false
    wire.deliver(self, SECOND)
    other.deliver(self, 2 * SECOND)
    await turn()
    assert.equal(wire.overflows, 0)
    wire.deliver(self, 1)
    await turn()
    assert.deepEqual([wire.overflows, other.overflows], [1, 0])
  })
})

describe('the second mark', () => {
  test('is 262,144 messages and 256 MiB by default, however low the first is', async () => {
    for (const [times, bytes] of [
      [262_144, 0],
      [256, 1024 * 1024],
    ] as const) {
      await using self = createProcess<Message>({ highWaterMark: { messages: 1, bytes: 1 } })
      const wire = new Wire()
      void waiting(self, { type: 'wanted', conn: wire.conn })
      wire.deliver(self, times, bytes)
      await turn()
      assert.deepEqual([wire.isPaused, wire.overflows], [false, 0])
      wire.deliver(self, 1, 1)
      await turn()
      assert.deepEqual([wire.isPaused, wire.overflows], [true, 1])
    }
  })

  test('is 16 times the first where that is higher, and off where that is', async () => {
    for (const [messages, isOver] of [
      [20_000, true],
      [Number.POSITIVE_INFINITY, false],
    ] as const) {
      await using self = createProcess<Message>({ highWaterMark: { messages } })
      const wire = new Wire()
      void waiting(self, { type: 'wanted', conn: wire.conn })
      wire.deliver(self, 320_000)
      await turn()
      assert.equal(wire.overflows, 0)
      wire.deliver(self, 1)
      await turn()
      assert.equal(wire.overflows, isOver ? 1 : 0)
    }
  })

  test('must not be below the first, nor anything but a mark', () => {
    const problem = /waitingHighWaterMark.messages \(5\) must not be below highWaterMark.messages \(10\)/
    assert.throws(() => createProcess({ ...MARKS, waitingHighWaterMark: { messages: 5 } }), problem)
    assert.throws(
      () => createProcess({ waitingHighWaterMark: { bytes: 0 } }),
      /waitingHighWaterMark.bytes must be/,
    )
    assert.throws(
      () => createProcess({ waitingHighWaterMark: 5 as never }),
      /waitingHighWaterMark must be an object/,
    )
    const unknown = { waitingHighWaterMark: { message: 5 } as never }
    assert.throws(() => createProcess(unknown), /waitingHighWaterMark.message is not an option/)
  })
})

// A model keeps the messages on each wire, and those delivered and not taken, in arrays and counts.

type Step =
  | { readonly do: 'wait'; readonly for: readonly number[] }
  | { readonly do: 'wait for anybody' }
  | { readonly do: 'take'; readonly from: number; readonly times: number }
  | { readonly do: 'turn'; readonly times: number }

const COUNT = 3
const index = fc.nat({ max: COUNT - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .uniqueArray(index, { minLength: 1, maxLength: 2 })
      .map(each => ({ do: 'wait', for: each }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'wait for anybody' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      from: index,
      times: fc.integer({ min: 1, max: 60 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('turn' as const), times: fc.integer({ min: 1, max: 5 }) }),
  },
)
/** How many unwanted messages come before each wanted one. */
const script = fc.array(
  fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 8 }) }, { weight: 1, arbitrary: fc.nat({ max: 120 }) }),
  { maxLength: 12 },
)

class Peer extends Wire {
  readonly gaps: number[]
  readonly pace: number
  /** The messages of the wire that wait. */
  own = 0
  isEnded = false

  constructor(gaps: readonly number[], pace: number) {
    super()
    this.gaps = [...gaps]
    this.pace = pace
  }

  /** How much the wire sends in a turn, if it is read. */
  run(self: Process<Message>): void {
    for (let n = 0; n < this.pace && !this.isPaused && !this.isEnded && this.gaps.length > 0; n++) {
      const [gap = 0] = this.gaps
      if (gap > 0) this.gaps[0] = gap - 1
      else this.gaps.shift()
      this.own++
      this.deliver(self, 1, 0, gap > 0 ? 'data' : 'wanted')
    }
  }
}

test('the waiting messages of a source are bounded, each wait ends, and only a source that sends too much is ended', async () => {
  let ended = 0
  let paused = 0
  let waits = 0
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(script, script, script),
      fc.integer({ min: 1, max: 15 }),
      fc.array(step, { minLength: 5, maxLength: 25 }),
      async (scripts, pace, steps) => {
        await using self = createProcess<Message>(MARKS)
        const peers = scripts.map(gaps => new Peer(gaps, pace))
        for (const peer of peers) peer.deliver(self, 1)
        for (const peer of peers) peer.own = 1
        let wanted: readonly Peer[] | undefined
        for (const peer of peers) {
          peer.onOverflow = () => {
            ended++
            const asked = wanted ?? []
            assert.ok(asked.includes(peer), 'ended for what it was not to bring')
            const own = asked.map(each => each.own)
            assert.ok(own.reduce((sum, each) => sum + each, 0) > SECOND)
            assert.ok(own.every(each => each > SECOND / own.length))
            assert.equal(peer.own, Math.max(...own))
            peer.isEnded = true
            peer.own++
            peer.deliver(self, 1, 0, 'wanted')
            peer.source.close()
          }
        }
        const pass = async () => {
          for (const peer of peers) peer.run(self)
          await turn()
          for (const peer of peers)
            assert.ok(peer.own <= SECOND + 2 * pace + 1, `${peer.own} of one source wait`)
          paused += peers.filter(({ isPaused }) => isPaused).length
        }
        /** A process that waits for ever would never get there. */
        const settled = async (received: Promise<Message>, most: number, otherwise = () => {}) => {
          let message: Message | undefined
          void received.then(given => {
            message = given
          })
          for (let n = 0; message === undefined; n++) {
            await pass()
            if (n === most) otherwise()
            assert.ok(n < 2 * most, 'it waits for ever')
          }
          const from = peers.find(
            ({ conn }) => 'conn' in (message as Message) && conn === (message as { conn: object }).conn,
          )
          if (from !== undefined) from.own--
        }
        for (const step of steps) {
          if (step.do === 'turn') for (let n = 0; n < step.times; n++) await pass()
          if (step.do === 'take') {
            const peer = peers[step.from] as Peer
            for (let n = 0; n < step.times; n++) {
              const taken = await self.receive([{ type: 'data', conn: peer.conn }], 0).catch(error => {
                assert.ok(error instanceof ReceiveTimeout)
              })
              if (taken === undefined) break
              peer.own--
            }
          }
          if (step.do === 'wait') {
            // A wire that has no message left, or has ended, would be waited for in vain.
            const able = step.for.map(each => peers[each] as Peer)
            if (!able.every(peer => peer.gaps.length > 0 && !peer.isEnded)) continue
            waits++
            wanted = able
            const patterns = able.map(({ conn }) => ({ type: 'wanted', conn }) as const)
            await settled(self.receive(patterns), 500)
            wanted = undefined
          }
          if (step.do === 'wait for anybody') {
            waits++
            await settled(self.receive([{ type: 'tick' }]), 50, () => self.send({ type: 'tick' }))
          }
        }
      },
    ),
    runs(200),
  )
  assert.ok(ended > 0 && paused > 0 && waits > 200, `${ended} ended, ${paused} paused, ${waits} waits`)
})
