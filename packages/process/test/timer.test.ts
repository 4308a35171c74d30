// Timers of a process: messages to itself, later.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, makeRef, TimerRef } from '../src/index.ts'

describe('sendAfter', () => {
  test('sends its message when the time is over, not a millisecond before', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>()
    assert.ok(self.sendAfter(100, 'later') instanceof TimerRef)
    t.mock.timers.tick(99)
    assert.equal(self.messageQueueLength, 0)
    t.mock.timers.tick(1)
    assert.equal(self.messageQueueLength, 1)
    t.mock.timers.tick(1000)
    assert.equal(self.messageQueueLength, 1)
  })

  test('with 0 still sends later, not at once', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>()
    self.sendAfter(0, 'soon')
    assert.equal(self.messageQueueLength, 0)
    t.mock.timers.tick(1)
    assert.equal(self.messageQueueLength, 1)
  })

  test('takes 2147483647 ms, and neither one more nor Infinity', () => {
    const self = createProcess<string>()
    self.sendAfter(2147483647, 'x')
    for (const ms of [2147483648, Number.POSITIVE_INFINITY, -1]) {
      assert.throws(() => self.sendAfter(ms, 'x'), { name: 'RangeError', message: /^ms must be between/ })
    }
    assert.throws(() => self.sendAfter('1' as unknown as number, 'x'), { message: /^ms must be a number/ })
    self.exit()
  })

  test('is nothing once the process has exited', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const setTimer = t.mock.method(globalThis, 'setTimeout')
    const self = createProcess<string>()
    self.exit()
    assert.equal(self.cancelTimer(self.sendAfter(10, 'x')), false)
    assert.equal(setTimer.mock.callCount(), 0)
  })
})

describe('cancelTimer', () => {
  test('says how much was left, and the message does not come', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>()
    const ref = self.sendAfter(2147483647, 'x')
    const left = self.cancelTimer(ref)
    assert.ok(typeof left === 'number' && left > 0 && left <= 2147483647)
    t.mock.timers.tick(2147483647)
    assert.equal(self.messageQueueLength, 0)
  })

  test('is false for a timer that has fired, was cancelled, or belongs to another process', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const [self, other] = [createProcess<string>(), createProcess<string>()]
    const fired = self.sendAfter(10, 'x')
    t.mock.timers.tick(10)
    assert.equal(self.cancelTimer(fired), false)
    const running = self.sendAfter(10, 'x')
    assert.equal(other.cancelTimer(running), false)
    assert.notEqual(self.cancelTimer(running), false)
    assert.equal(self.cancelTimer(running), false)
  })

  test('of something that is no timer ref throws and names the argument', () => {
    assert.throws(() => createProcess().cancelTimer(makeRef() as TimerRef), { message: /^ref must be/ })
  })
})

test('the timers of a process go with it', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const self = createProcess<string>()
  const ref = self.sendAfter(10, 'x')
  const cleared = t.mock.method(globalThis, 'clearTimeout')
  self.exit()
  assert.equal(cleared.mock.callCount(), 1)
  assert.equal(self.cancelTimer(ref), false)
})
