// While somebody measures, a sample of the messages tells how long they waited, and since when the oldest of a mailbox does.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, type TestContext, test } from 'node:test'
import {
  createProcess,
  type MessageWaits,
  measureMessageWaits,
  P,
  type Process,
  processInfo,
  trace,
} from '../../src/index.ts'
import { deliver, oldestOf, Source, waitOf, waitWithin } from '../../src/internal.ts'
import { passingClock } from '../support/passing-clock.ts'

function waitsOf(self: Process<number>): MessageWaits {
  const { messageWaits } = processInfo(self)
  assert.ok(messageWaits !== undefined)
  return messageWaits
}

/** Measures until the test is over, by a clock that the test has in its hands. */
function measured(t: TestContext) {
  const pass = passingClock(t)
  const measure = measureMessageWaits()
  t.after(() => measure.stop())
  const self = createProcess<number>()
  t.after(() => self.exit())
  return { pass, measure, self }
}

/** Gives the figures without the buckets, of which most are empty. */
function figuresOf({ messages, sum, last, median, p99, longest }: MessageWaits) {
  return { messages, sum, last, median, p99, longest }
}

const NOTHING = { messages: 0, sum: 0, last: 0, median: 0, p99: 0, longest: 0 }

describe('waits', () => {
  test('are not known while nobody measures, also of a process that has exited meanwhile', t => {
    const pass = passingClock(t)
    const [self, dead] = [createProcess<number>(), createProcess<number>()]
    const measure = measureMessageWaits()
    dead.send(1)
    dead.exit()
    measure.stop()
    for (const process of [self, dead]) {
      process.send(1)
      pass(5)
      assert.equal(processInfo(process).messageWaits, undefined)
      assert.equal(processInfo(process).oldestMessageSince, undefined)
      assert.equal(waitOf(process as never), undefined)
    }
    self.exit()
  })

  test('are those between the coming of a message and its taking', async t => {
    const { pass, self, measure } = measured(t)
    assert.deepEqual(figuresOf(waitsOf(self)), NOTHING)
    self.send(1)
    pass(30)
    await self.receive([1])
    pass(1000)
    self.send(2)
    pass(3)
    await self.receive([P._])
    const figures = { messages: 2, sum: 33, last: 3, median: 5, p99: 30, longest: 30 }
    assert.deepEqual(figuresOf(waitsOf(self)), figures)
    assert.deepEqual(figuresOf(measure.waits), figures)
    assert.equal(waitOf(self as never), 30)
  })

  test('are 0 of a message that a waiting receive gets at once', async t => {
    const { self } = measured(t)
    const received = self.receive([1])
    self.send(1)
    await received
    const figures = { messages: 1, sum: 0, last: 0, median: 0, p99: 0, longest: 0 }
    assert.deepEqual(figuresOf(waitsOf(self)), figures)
  })

  test('are told of a message that is taken before those that have come earlier', async t => {
    const { pass, self } = measured(t)
    self.send(1)
    pass(1000)
    self.send(2)
    pass(70)
    await self.receive([2])
    assert.equal(waitsOf(self).last, 70)
    await self.receive([1])
    assert.equal(waitsOf(self).last, 1070)
  })

  test('are told by one message in 64 of a second behind the first, which stands for those before it', async t => {
    const { pass, self } = measured(t)
    for (let n = 0; n < 129; n++) self.send(n)
    pass(10)
    for (let n = 0; n < 64; n++) await self.receive([n])
    assert.equal(waitsOf(self).messages, 1)
    await self.receive([64])
    assert.equal(waitsOf(self).messages, 65)
    for (let n = 65; n < 129; n++) await self.receive([n])
    assert.deepEqual(figuresOf(waitsOf(self)), {
      messages: 129,
      sum: 1290,
      last: 10,
      median: 10,
      p99: 10,
      longest: 10,
    })
  })

  test('are told by the first message of each second', async t => {
    const { pass, self } = measured(t)
    const seen: unknown[] = []
    for (const ms of [0, 999, 1, 998, 1, 1]) {
      pass(ms)
      self.send(1)
      await self.receive([1])
      seen.push(waitsOf(self).messages)
    }
    assert.deepEqual(seen, [1, 1, 2, 2, 2, 3])
  })

  test('are as long on average as those of bursts in which only the first message does not wait', async t => {
    const { pass, self } = measured(t)
    const BURST = 40
    for (let second = 0; second < 100; second++) {
      pass(1000)
      const first = self.receive([P._])
      for (let n = 0; n < BURST; n++) self.send(n)
      await first
      for (let n = 1; n < BURST; n++) {
        pass(10)
        await self.receive([P._])
      }
    }
    const { messages, sum, p99 } = waitsOf(self)
    // The messages of a burst wait for 0 to 390 ms.
    assert.ok(Math.abs(sum / messages - 195) < 20, `${sum / messages}`)
    assert.equal(p99, 390)
  })

  test('stand for all messages where very many wait, by no more marks than usual', async t => {
    const { pass, self } = measured(t)
    const MANY = 100_000
    for (let n = 0; n < MANY; n++) {
      if (n % 100 === 0) pass(1)
      self.send(n)
    }
    pass(1000)
    for (let n = 0; n < MANY; n++) await self.receive([n])
    const { messages, median, longest } = waitsOf(self)
    assert.ok(messages > MANY - 4096 && messages <= MANY, `${messages}`)
    assert.ok(longest > 1900 && longest <= 2000, `${longest}`)
    // The bucket up to 2000 ms has all but those that came last.
    assert.equal(median, longest)
  })

  test('are right in whichever order messages are taken, and whichever of them are dropped', async t => {
    const { pass, self } = measured(t)
    const told: number[] = []
    const listener = (event: unknown) => void told.push((event as { readonly wait: number }).wait)
    subscribe('holster:process:messageWait', listener)
    t.after(() => unsubscribe('holster:process:messageWait', listener))
    const waiting: number[] = []
    let measuredOnes = 0
    for (let n = 0; n < 2000; n++) {
      // Each message comes in a second of its own, and is measured unless its stamp is dropped for later ones.
      pass(1000)
      if (waiting.length < 6 && n % 7 !== 0) {
        self.send(n)
        waiting.push(n)
        continue
      }
      const [taken] = waiting.splice((n * 7919) % Math.max(1, waiting.length), 1)
      if (taken === undefined) continue
      if (n % 5 === 0) self.flush(taken)
      else {
        await self.receive([taken])
        measuredOnes += told.length
        assert.ok(told.every(wait => wait === (n - taken) * 1000) && told.length <= 1)
      }
      assert.equal(told.splice(0).length > 0 && n % 5 === 0, false)
    }
    assert.ok(measuredOnes > 300, `${measuredOnes}`)
  })

  test('of messages that are dropped count for nothing', async t => {
    const { pass, self } = measured(t)
    self.send(1)
    pass(1000)
    self.send(2)
    pass(7)
    assert.equal(self.flush(1), 1)
    assert.deepEqual(figuresOf(waitsOf(self)), NOTHING)
    await self.receive([2])
    assert.equal(waitsOf(self).messages, 1)
    self.send(3)
    self.exit()
    assert.equal(waitsOf(self).messages, 1)
    assert.equal(oldestOf(self as never), undefined)
  })

  test('of a traced process are measured too, whichever began first', async t => {
    const pass = passingClock(t)
    const [early, late] = [createProcess<number>(), createProcess<number>()]
    const seen: unknown[] = []
    const stops = [trace(early, ({ event }) => seen.push(event))]
    const measure = measureMessageWaits()
    stops.push(trace(late, ({ event }) => seen.push(event)))
    for (const self of [early, late]) {
      self.send(1)
      pass(20)
      await self.receive([1])
      assert.equal(waitsOf(self).last, 20)
    }
    assert.deepEqual(seen, ['send', 'receive', 'send', 'receive'])
    for (const stop of stops) stop()
    for (const self of [early, late]) {
      pass(1000)
      self.send(1)
      pass(4)
      await self.receive([1])
      assert.equal(waitsOf(self).last, 4)
      self.exit()
    }
    measure.stop()
  })

  test('of a message that a source delivers begin as it comes', async t => {
    const { pass, self } = measured(t)
    const source = new Source({ pause() {}, resume() {}, carries: () => false, overflow() {} })
    self[deliver](source, 1, 10)
    pass(8)
    await self.receive([1])
    assert.equal(waitsOf(self).last, 8)
    source.close()
  })

  test('are measured until the last who measures stops, and anew from then on', async t => {
    const { pass, self, measure } = measured(t)
    const other = measureMessageWaits()
    self.send(1)
    pass(2)
    await self.receive([1])
    measure.stop()
    measure.stop()
    assert.equal(other.waits.messages, 1)
    assert.equal(waitsOf(self).messages, 1)
    other[Symbol.dispose]()
    assert.equal(processInfo(self).messageWaits, undefined)
    const next = measureMessageWaits()
    assert.equal(next.waits.messages, 0)
    assert.equal(waitsOf(self).messages, 0)
    next.stop()
  })

  test('fall into buckets, of which the last has those longer than all bounds', async t => {
    const { pass, self, measure } = measured(t)
    for (const ms of [0.0625, 0.125, 1000, 100_001]) {
      self.send(1)
      pass(ms)
      await self.receive([1])
      pass(1000)
    }
    const { buckets } = measure.waits
    assert.equal(buckets.length, 20)
    assert.deepEqual(
      buckets.filter(({ messages }) => messages > 0).map(({ most }) => most),
      [0.1, 0.2, 1000, Number.POSITIVE_INFINITY],
    )
    assert.equal(waitWithin(buckets, 0.5), 0.2)
    assert.equal(waitWithin(buckets, 1), Number.POSITIVE_INFINITY)
    assert.equal(waitWithin([], 0.5), undefined)
    assert.equal(waitsOf(self).p99, waitsOf(self).longest)
  })
})

describe('the oldest message', () => {
  test('is known since it has come, and the next one since that has', async t => {
    const { pass, self } = measured(t)
    assert.equal(processInfo(self).oldestMessageSince, undefined)
    const begun = Date.now()
    self.send(1)
    pass(5000)
    self.send(2)
    const since = processInfo(self).oldestMessageSince
    assert.ok(since !== undefined && Math.abs(since - begun) < 600_000)
    await self.receive([1])
    assert.equal(processInfo(self).oldestMessageSince, since + 5000)
    await self.receive([2])
    assert.equal(processInfo(self).oldestMessageSince, undefined)
  })

  test('is known to the second where it has no mark, also when those with marks are gone', async t => {
    const { pass, self } = measured(t)
    self.send(1)
    const since = processInfo(self).oldestMessageSince
    assert.ok(since !== undefined)
    pass(500)
    self.send(2)
    await self.receive([1])
    pass(3_600_000)
    self.send(3)
    await self.receive([3])
    assert.equal(processInfo(self).oldestMessageSince, since)
  })

  test('is known where others of its second went to a receive that waited', async t => {
    const { pass, self } = measured(t)
    self.send(0)
    await self.receive([0])
    pass(10_000)
    const received = self.receive([1])
    self.send(1)
    await received
    self.send(2)
    const oldest = oldestOf(self as never)
    assert.equal(oldest?.isEarlier, false)
    self.flush(2)
    pass(1000)
    self.send(3)
    assert.equal(oldestOf(self as never)?.since, (oldest?.since ?? 0) + 1000)
    const other = createProcess<number>()
    const handed = other.receive([1])
    other.send(1)
    await handed
    other.send(2)
    assert.equal(oldestOf(other as never)?.isEarlier, false)
    other.exit()
  })

  test('is known to a part of its age where many flow past it, and where many wait', async t => {
    const { pass, self } = measured(t)
    self.send(-1)
    const since = processInfo(self).oldestMessageSince
    assert.ok(since !== undefined)
    for (let n = 0; n < 1000; n++) {
      pass(1000)
      self.send(n)
      await self.receive([n])
    }
    assert.equal(processInfo(self).oldestMessageSince, since)
    await self.receive([-1])
    for (let n = 0; n < 1000; n++) {
      pass(1000)
      self.send(n)
    }
    for (let n = 0; n < 500; n++) await self.receive([n])
    const age = since + 2_000_000 - (processInfo(self).oldestMessageSince ?? 0)
    assert.ok(age >= 499_000 && age <= 1_000_000, `${age}`)
  })

  test('that came before anybody measured has waited for longer than since then', t => {
    const pass = passingClock(t)
    const self = createProcess<number>()
    self.send(1)
    pass(5000)
    const measure = measureMessageWaits()
    const oldest = oldestOf(self as never)
    assert.equal(oldest?.isEarlier, true)
    pass(5000)
    self.send(2)
    assert.deepEqual(oldestOf(self as never), oldest)
    assert.equal(processInfo(self).oldestMessageSince, undefined)
    self.flush(1)
    assert.deepEqual(oldestOf(self as never), { since: (oldest?.since ?? 0) + 5000, isEarlier: false })
    measure.stop()
    self.exit()
  })

  test('is let go with its process', async t => {
    assert.ok(globalThis.gc, 'run with --expose-gc')
    const { self } = measured(t)
    const sent = (() => {
      const message = { n: 1 }
      self.send(message as never)
      return new WeakRef(message)
    })()
    self.exit('shutdown')
    for (let i = 0; i < 20 && sent.deref() !== undefined; i++) {
      await new Promise(resolve => setImmediate(resolve))
      globalThis.gc()
    }
    assert.equal(sent.deref(), undefined)
  })
})

describe('the channel holster:process:messageWait', () => {
  test('gets each wait that is measured, with its process and the number of messages for which it stands', async t => {
    const { pass, self } = measured(t)
    const told: unknown[] = []
    const listener = (event: unknown) => void told.push(event)
    subscribe('holster:process:messageWait', listener)
    t.after(() => unsubscribe('holster:process:messageWait', listener))
    self.send(1)
    self.send(2)
    pass(1000)
    await self.receive([1])
    await self.receive([2])
    const received = self.receive([3])
    self.send(3)
    await received
    assert.deepEqual(told, [
      { pid: self, wait: 1000, messages: 1 },
      { pid: self, wait: 0, messages: 1 },
    ])
  })

  test('lets a subscriber send to the process, and end it', async t => {
    const { self } = measured(t)
    const listener = () => {
      self.send(2)
      self.exit('shutdown')
    }
    subscribe('holster:process:messageWait', listener)
    t.after(() => unsubscribe('holster:process:messageWait', listener))
    self.send(1)
    assert.equal(await self.receive([1]), 1)
    assert.equal(self.isAlive, false)
  })
})
