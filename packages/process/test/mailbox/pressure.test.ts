// A mailbox over its high-water mark pauses the sources that no receive waits for.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createProcess,
  makeRef,
  P,
  type Process,
  ProcessExit,
  ReceiveTimeout,
  type Ref,
} from '../../src/index.ts'
import { attach, deliver, Source, type Valve } from '../../src/internal.ts'
import { turn } from '../support/turns.ts'

interface Data {
  readonly type: 'data'
  readonly conn: Ref
  readonly n: number
}

interface Other {
  readonly type: 'other'
}

type Message = Data | Other

/** A socket: reads while it is not paused. */
class Wire implements Valve {
  readonly conn = makeRef()
  readonly source = new Source(this)
  paused = false
  /** How often the wire was paused or resumed. */
  changes = 0

  pause(): void {
    this.paused = true
    this.changes++
  }

  resume(): void {
    this.paused = false
    this.changes++
  }

  carries(reference: object): boolean {
    return reference === this.conn
  }

  overflow(): void {
    assert.fail('nothing here passes the second mark')
  }

  deliver(self: Process<Message>, times: number, bytes = 0): void {
    for (let n = 0; n < times; n++) self[deliver](this.source, { type: 'data', conn: this.conn, n }, bytes)
  }
}

async function take(self: Process<Message>, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await self.receive([{ type: 'data' }], 0)
}

/** Makes a process with one message more than its mark of ten, so that its wires are paused. */
async function over(...wires: Wire[]): Promise<Process<Message>> {
  const self = createProcess<Message>({ highWaterMark: { messages: 10 } })
  for (const wire of wires) wire.deliver(self, 1)
  wires[0]?.deliver(self, 11 - wires.length)
  await turn()
  for (const wire of wires) assert.equal(wire.paused, true)
  return self
}

describe('the mark', () => {
  test('in messages: at it a source is read, one past it the source is paused', async () => {
    const self = createProcess<Message>({ highWaterMark: { messages: 10 } })
    const wire = new Wire()
    wire.deliver(self, 10)
    await turn()
    assert.equal(wire.paused, false)
    wire.deliver(self, 1)
    await turn()
    assert.equal(wire.paused, true)
  })

  test('in bytes: at it a source is read, one past it the source is paused', async () => {
    const self = createProcess<Message>({ highWaterMark: { bytes: 1000 } })
    const wire = new Wire()
    wire.deliver(self, 2, 500)
    await turn()
    assert.equal(wire.paused, false)
    wire.deliver(self, 1, 1)
    await turn()
    assert.equal(wire.paused, true)
  })

  test('is 16,384 messages and 16 MiB by default', async () => {
    for (const [times, bytes] of [
      [16384, 0],
      [16, 1024 * 1024],
    ] as const) {
      const self = createProcess<Message>()
      const wire = new Wire()
      wire.deliver(self, times, bytes)
      await turn()
      assert.equal(wire.paused, false)
      wire.deliver(self, 1, 1)
      await turn()
      assert.equal(wire.paused, true)
      self.exit()
    }
  })

  test('of Infinity is none', async () => {
    const mark = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
    const self = createProcess<Message>({ highWaterMark: mark })
    const wire = new Wire()
    wire.deliver(self, 20_000, 2 ** 20)
    await turn()
    assert.equal(wire.paused, false)
  })

  test('drops nothing: what is delivered while paused is in the mailbox', async () => {
    const wire = new Wire()
    const self = await over(wire)
    wire.deliver(self, 100)
    assert.equal(self.messageQueueLength, 111)
  })

  test('is checked once a turn: a burst that is taken in the same turn pauses nothing', async () => {
    const self = createProcess<Message>({ highWaterMark: { messages: 10 } })
    const wire = new Wire()
    wire.deliver(self, 50)
    assert.equal(wire.paused, false)
    await take(self, 45)
    await turn()
    assert.equal(wire.changes, 0)
  })

  test('counts plain messages too, but is checked after deliveries only', async () => {
    const self = createProcess<Message>({ highWaterMark: { messages: 10 } })
    const wire = new Wire()
    for (let n = 0; n < 10; n++) self.send({ type: 'other' })
    await turn()
    wire.deliver(self, 1)
    await turn()
    assert.equal(wire.paused, true)
  })
})

describe('a paused source goes on', () => {
  test('at half the mark in messages, not before', async () => {
    const wire = new Wire()
    const self = await over(wire)
    await take(self, 5)
    assert.equal(wire.paused, true)
    await take(self, 1)
    assert.equal(self.messageQueueLength, 5)
    assert.equal(wire.paused, false)
  })

  test('at half the mark in bytes, not before', async () => {
    const self = createProcess<Message>({ highWaterMark: { bytes: 1000 } })
    const wire = new Wire()
    wire.deliver(self, 1, 501)
    wire.deliver(self, 2, 250)
    await turn()
    assert.equal(wire.paused, true)
    await self.receive([{ n: 1 }], 0)
    assert.equal(wire.paused, true)
    await take(self, 1)
    assert.equal(wire.paused, false)
  })

  test('when a flush makes room', async () => {
    const wire = new Wire()
    const self = await over(wire)
    self.flush({ n: P.when((n: number) => n > 2) })
    assert.equal(wire.paused, false)
  })

  test('when the process exits', async () => {
    const wire = new Wire()
    const self = await over(wire)
    self.exit()
    assert.equal(wire.paused, false)
    wire.deliver(self, 100)
    await turn()
    assert.equal(wire.paused, false)
  })

  test('and is paused again when the backlog passes the mark again', async () => {
    const wire = new Wire()
    const self = await over(wire)
    await take(self, 6)
    wire.deliver(self, 6)
    await turn()
    assert.equal(wire.paused, true)
  })
})

describe('a receive that has to wait', () => {
  test('lifts the pressure at once, whatever the backlog', async () => {
    const wire = new Wire()
    const self = await over(wire)
    const received = self.receive([{ type: 'other' }])
    assert.equal(wire.paused, false)
    wire.deliver(self, 100)
    await turn()
    assert.equal(wire.paused, false)
    self.send({ type: 'other' })
    await received
    wire.deliver(self, 1)
    await turn()
    assert.equal(wire.paused, true)
  })

  test('keeps a source from being paused that would be at the end of this turn', async () => {
    const self = createProcess<Message>({ highWaterMark: { messages: 10 } })
    const wire = new Wire()
    void self.receive([{ type: 'other' }])
    wire.deliver(self, 11)
    await turn()
    assert.equal(wire.changes, 0)
    self.exit()
  })

  test('lifts nothing when it looks once', async () => {
    const wire = new Wire()
    const self = await over(wire)
    await assert.rejects(self.receive([{ type: 'other' }], 0), ReceiveTimeout)
    assert.equal(wire.paused, true)
  })

  test('lifts nothing any more once it has given up', async t => {
    const wire = new Wire()
    const self = await over(wire)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const received = self.receive([{ type: 'other' }], 10)
    assert.equal(wire.paused, false)
    t.mock.timers.tick(10)
    await assert.rejects(received, ReceiveTimeout)
    wire.deliver(self, 1)
    await turn()
    assert.equal(wire.paused, true)
  })

  test('that pins one source lifts only that one', async () => {
    const [one, two] = [new Wire(), new Wire()]
    const self = await over(one, two)
    self.flush({ conn: two.conn })
    one.deliver(self, 5)
    const received = self.receive([{ type: 'data', conn: two.conn }])
    assert.deepEqual([one.paused, two.paused], [true, false])
    two.deliver(self, 1)
    await received
  })

  test('that pins one source leaves the mark on for another, also if it always gets its message at once', async () => {
    const [one, two] = [new Wire(), new Wire()]
    const self = createProcess<Message>({ highWaterMark: { messages: 10 } })
    for (let round = 0; round < 3; round++) {
      const received = self.receive([{ type: 'data', conn: two.conn }])
      two.deliver(self, 1)
      await received
    }
    const waiting = self.receive([{ type: 'data', conn: two.conn }])
    one.deliver(self, 11)
    await turn()
    assert.deepEqual([one.paused, two.paused], [true, false])
    self.exit()
    await assert.rejects(waiting, ProcessExit)
  })

  test('that pins two sources lifts both, and one pattern without a pin lifts all', async () => {
    const wires = [new Wire(), new Wire(), new Wire()] as const
    const self = await over(...wires)
    const [one, two] = wires
    for (const { conn } of [one, two]) self.flush({ conn })
    self[deliver](wires[2].source, { type: 'data', conn: wires[2].conn, n: 9 }, 0)
    void self.receive([
      { conn: one.conn, n: 99 },
      { conn: two.conn, n: 99 },
    ])
    assert.deepEqual(
      wires.map(wire => wire.paused),
      [false, false, false],
    )
    self.exit()
  })

  test('that pins something which no source carries lifts all', async () => {
    const [one, two] = [new Wire(), new Wire()]
    const self = await over(one, two)
    void self.receive([{ type: 'DOWN', ref: self.monitor(createProcess()) }])
    assert.deepEqual([one.paused, two.paused], [false, false])
    self.exit()
  })

  test('that a handler clause pins lifts only that source', async () => {
    const [one, two] = [new Wire(), new Wire()]
    const self = await over(one, two)
    void self.receive([self.on({ type: 'data', conn: two.conn, n: 99 }, () => 0)])
    assert.deepEqual([one.paused, two.paused], [true, false])
    self.exit()
  })
})

describe('a source that delivers to two processes', () => {
  test('is paused by either', async () => {
    const wire = new Wire()
    const other = createProcess<Message>()
    wire.deliver(other, 1)
    const self = await over(wire)
    await take(self, 6)
    assert.equal(wire.paused, false)
  })

  test('is read while either waits for it', async () => {
    const wire = new Wire()
    const other = createProcess<Message>()
    wire.deliver(other, 1)
    await take(other, 1)
    const self = await over(wire)
    const received = other.receive([{ type: 'data' }])
    assert.equal(wire.paused, false)
    wire.deliver(other, 1)
    await received
    wire.deliver(self, 1)
    await turn()
    assert.equal(wire.paused, true)
  })

  test('is read while a process waits for its first message, if it was attached', async () => {
    const wire = new Wire()
    const other = createProcess<Message>()
    await over(wire)
    other[attach](wire.source)
    void other.receive([{ type: 'data', conn: wire.conn }])
    assert.equal(wire.paused, false)
    other.exit()
  })

  test('goes on only when both are back at half', async () => {
    const wire = new Wire()
    const [one, two] = [await over(wire), await over(wire)]
    await take(one, 6)
    assert.equal(wire.paused, true)
    await take(two, 6)
    assert.equal(wire.paused, false)
  })

  test('goes on when the one that presses exits', async () => {
    const wire = new Wire()
    const other = createProcess<Message>()
    wire.deliver(other, 1)
    const self = await over(wire)
    self.exit()
    assert.equal(wire.paused, false)
  })
})

describe('a source that is attached to a mailbox over its mark', () => {
  test('is paused at once', async () => {
    const self = await over(new Wire())
    const wire = new Wire()
    self[attach](wire.source)
    assert.equal(wire.paused, true)
  })
})

describe('a source that is closed', () => {
  test('is neither paused nor resumed any more', async () => {
    const wire = new Wire()
    const self = await over(wire)
    wire.source.close()
    const { changes } = wire
    await take(self, 11)
    self.exit()
    assert.equal(wire.changes, changes)
  })

  test('leaves the other sources as they are', async () => {
    const [one, two] = [new Wire(), new Wire()]
    const self = await over(one, two)
    one.source.close()
    assert.equal(two.paused, true)
    void self.receive([{ type: 'other' }])
    assert.equal(two.paused, false)
    self.exit()
  })
})
