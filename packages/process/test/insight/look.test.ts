// An observer counts messages, knows since when a process waits, and looks into a mailbox, and no process pays for it once it has gone.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, P, processInfo, trace } from '../../src/index.ts'
import { countMessages, lookAt, noteWaits, showMailbox, sinceOf } from '../../src/internal.ts'

describe('countMessages', () => {
  test('counts those of processes that were there before and of those that came later', async () => {
    const before = createProcess<number>()
    const count = countMessages()
    const from = { incoming: count.incoming, taken: count.taken }
    const later = createProcess<number>()
    before.send(1)
    later.send(2)
    later.send(3)
    await later.receive([2])
    const received = before.receive([4])
    before.send(4)
    await received
    assert.equal(count.incoming - from.incoming, 4)
    assert.equal(count.taken - from.taken, 2)
    count.stop()
    before.exit()
    later.exit()
  })

  test('counts a traced process once, begun before the trace or behind it', () => {
    const count = countMessages()
    const { incoming } = count
    const self = createProcess<number>()
    const seen: unknown[] = []
    const stopTrace = trace(self, event => seen.push(event.event))
    self.send(1)
    const other = countMessages()
    self.send(2)
    stopTrace()
    self.send(3)
    assert.equal(count.incoming - incoming, 3)
    assert.deepEqual(seen, ['send', 'send'])
    other.stop()
    count.stop()
    self.exit()
  })

  test('ends for good with the last that counts, and once for each', () => {
    const self = createProcess<number>()
    const first = countMessages()
    const second = countMessages()
    first.stop()
    first.stop()
    self.send(1)
    assert.equal(second.incoming, first.incoming)
    const { incoming } = second
    second.stop()
    self.send(2)
    const young = createProcess<number>()
    young.send(3)
    assert.equal(second.incoming, incoming)
    self.exit()
    young.exit()
  })

  test('leaves a trace that has begun meanwhile as it is', () => {
    const self = createProcess<number>()
    const count = countMessages()
    const seen: unknown[] = []
    const stopTrace = trace(self, event => seen.push(event.event))
    count.stop()
    self.send(1)
    stopTrace()
    self.send(2)
    assert.deepEqual(seen, ['send'])
    self.exit()
  })
})

describe('noteWaits', () => {
  test('has a wait know since when, while somebody looks', async () => {
    const self = createProcess<number>()
    const unknown = self.receive([1])
    const before = Date.now()
    const stop = noteWaits()
    const known = self.receive([2])
    const [first, second] = processInfo(self).waitsFor
    assert.equal(first?.since, undefined)
    assert.ok(second?.since !== undefined && Math.abs(second.since - before) < 600_000)
    const { wait } = lookAt(self as never)
    assert.ok(wait !== undefined)
    assert.equal(sinceOf(wait), undefined)
    self.send(1)
    await unknown
    const next = lookAt(self as never).wait
    assert.ok(next !== undefined)
    assert.equal(sinceOf(next), second.since)
    stop()
    self.send(2)
    await known
    const later = self.receive([3])
    assert.equal(processInfo(self).waitsFor[0]?.since, undefined)
    self.send(3)
    await later
    self.exit()
  })
})

describe('lookAt', () => {
  test('tells what waits in the mailbox, what is waited for, and how many links there are', async () => {
    const self = createProcess<number>({ highWaterMark: { messages: 1 } })
    const other = createProcess()
    self.link(other)
    const received = self.receive([9])
    self.send(1)
    assert.equal(lookAt(self as never).isOverMark, false)
    self.send(2)
    const { messages, bytes, isOverMark, wait, links } = lookAt(self as never)
    assert.deepEqual(
      { messages, bytes, isOverMark, links },
      { messages: 2, bytes: 0, isOverMark: true, links: 1 },
    )
    assert.deepEqual(wait?.describe(), ['9'])
    self.send(9)
    await received
    assert.equal(lookAt(self as never).wait, undefined)
    self.exit()
    other.exit()
  })
})

describe('showMailbox', () => {
  test('shows as many of the oldest messages as are asked for, without secrets', () => {
    const self = createProcess<unknown>()
    for (let i = 0; i < 20; i++) self.send({ i, password: 'sesame' })
    assert.deepEqual(showMailbox(self, 2), ['{ i: 0, password: … }', '{ i: 1, password: … }'])
    assert.equal(showMailbox(self, 50).length, 20)
    assert.throws(() => showMailbox({} as never, 1), { name: 'TypeError', message: /pid must be a process/ })
    self.exit()
  })

  test('shows what was left when the process crashed', () => {
    const self = createProcess<number>({ trapExit: false })
    self.send(1)
    void self.receive([P._]).catch(() => {})
    self.send(2)
    self.exit('kill')
    assert.deepEqual(showMailbox(self, 5), ['2'])
  })
})
