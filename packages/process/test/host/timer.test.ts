// The timers of a process send messages to it later.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { createActor, fromTransition } from 'xstate'
import { createProcess, makeRef, P, type Pid, type Timeout, TimerRef } from '../../src/index.ts'
import { collectExits } from '../support/exits.ts'

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

  test('of 2147483647 ms does not come at once, whatever the time is by a coarse clock', async t => {
    const self = createProcess<string>()
    for (let n = 0; n < 200; n++) {
      t.mock.method(performance, 'now', () => 1000 + n * 0.001234)
      const far = self.sendAfter(2147483647, 'far')
      // Node fires what is too long for it after 1 ms, in the order in which it was asked: before this one.
      await new Promise(resolve => setTimeout(resolve, 1))
      assert.notEqual(self.cancelTimer(far), false)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(self.messageQueueLength, 0)
  })

  test('does nothing once the process has exited', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const setTimer = t.mock.method(globalThis, 'setTimeout')
    const self = createProcess<string>()
    self.exit()
    assert.equal(self.cancelTimer(self.sendAfter(10, 'x')), false)
    assert.equal(setTimer.mock.callCount(), 0)
  })
})

describe('sendAfter to another process', () => {
  test('sends to it, and outlives the process that has started the timer', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const [self, other] = [createProcess(), createProcess<string>()]
    self.sendAfter(10, other, 'later')
    self.exit()
    t.mock.timers.tick(10)
    assert.equal(other.messageQueueLength, 1)
  })

  test('ends with it', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const [self, other] = [createProcess(), createProcess<string>()]
    const ref = self.sendAfter(10, other, 'later')
    assert.notEqual(self.readTimer(ref), false)
    other.exit()
    assert.equal(self.readTimer(ref), false)
    assert.equal(self.cancelTimer(self.sendAfter(10, other, 'x')), false)
  })

  test('by name finds the process that has the name when the time has come', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess()
    const before = createProcess({ name: 'timed' })
    self.sendAfter(10, 'timed', 'later')
    before.exit()
    const after = createProcess<string>({ name: 'timed' })
    t.mock.timers.tick(10)
    assert.equal(after.messageQueueLength, 1)
    self.sendAfter(10, 'timed', 'never')
    after.exit()
    t.mock.timers.tick(10)
  })

  test('may be an actor; one that has stopped by then gets nothing', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const got: unknown[] = []
    const logic = fromTransition((state: number, event: { type: string }) => {
      if (event.type !== 'xstate.stop') got.push(event)
      return state
    }, 0)
    const [actor, stopped] = [createActor(logic).start(), createActor(logic).start()]
    const self = createProcess()
    for (const to of [actor, stopped]) self.sendAfter(10, to, { type: 'tick' })
    stopped.stop()
    t.mock.timers.tick(10)
    assert.deepEqual(got, [{ type: 'tick' }])
    actor.stop()
  })

  test('reports what the send throws', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const exits = collectExits(t)
    const error = new Error('no')
    const pid = {
      send() {
        throw error
      },
    }
    createProcess().sendAfter(10, pid, 'x')
    t.mock.timers.tick(10)
    assert.deepEqual(exits, [{ pid, reason: error }])
  })

  test('of something that takes no messages throws and names the argument', () => {
    assert.throws(() => createProcess().sendAfter(10, {} as Pid<string>, 'x'), {
      message: /^to must be a process/,
    })
  })
})

describe('startTimer', () => {
  test('sends a timeout that carries its own reference', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Timeout<string>>()
    const ref = self.startTimer(10, 'tick')
    t.mock.timers.tick(10)
    assert.deepEqual(await self.receive([{ type: 'timeout', ref }]), {
      type: 'timeout',
      ref,
      message: 'tick',
    })
  })

  test('may be for another process', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const other = createProcess<Timeout<string>>()
    createProcess().startTimer(10, other, 'tick')
    t.mock.timers.tick(10)
    assert.equal(other.messageQueueLength, 1)
  })
})

describe('readTimer', () => {
  test('says how much is left, and false once the timer has fired', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>()
    const ref = self.sendAfter(2147483647, 'x')
    const left = self.readTimer(ref)
    assert.ok(typeof left === 'number' && left > 0 && left <= 2147483647)
    t.mock.timers.tick(2147483647)
    assert.equal(self.readTimer(ref), false)
    assert.throws(() => self.readTimer(makeRef() as TimerRef), { message: /^ref must be/ })
  })
})

test('a program ends when its last timer was cancelled, and no sooner', async () => {
  const program = (code: string) =>
    promisify(execFile)(process.execPath, [
      '--import=tsx',
      '--input-type=module',
      '-e',
      `import { createProcess } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
      const self = createProcess()
      process.on('exit', () => console.log(self.messageQueueLength))
      ${code}`,
    ])
  // The first timer is that of a day.
  const cancelled = 'const ref = self.sendAfter(86400000, 1); self.sendAfter(5, 2); self.cancelTimer(ref)'
  assert.equal((await program(cancelled)).stdout, '1\n')
  assert.equal((await program('self.cancelTimer(self.sendAfter(86400000, 1))')).stdout, '0\n')
  assert.equal((await program('self.cancelTimer(self.sendAfter(5, 1)); self.sendAfter(20, 2)')).stdout, '1\n')
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

  test('is false for a timer that has fired or was cancelled', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>()
    const fired = self.sendAfter(10, 'x')
    t.mock.timers.tick(10)
    assert.equal(self.cancelTimer(fired), false)
    const running = self.sendAfter(10, 'x')
    assert.notEqual(self.cancelTimer(running), false)
    assert.equal(self.cancelTimer(running), false)
  })

  test('cancels a timer that another process has started, as whoever has the ref may', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>()
    const ref = self.sendAfter(10, 'x')
    assert.notEqual(createProcess().cancelTimer(ref), false)
    t.mock.timers.tick(10)
    assert.equal(self.messageQueueLength, 0)
  })

  test('of something that is no timer ref throws and names the argument', () => {
    assert.throws(() => createProcess().cancelTimer(makeRef() as TimerRef), { message: /^ref must be/ })
  })
})

/** Keeps the event loop from turning for `ms` milliseconds. */
function compute(ms: number): void {
  const end = process.hrtime.bigint() + BigInt(ms) * 1_000_000n
  while (process.hrtime.bigint() < end);
}

describe('timers that are due together, since the event loop was busy', () => {
  test('send in the order of their times, also to several processes', async t => {
    let now = 0
    t.mock.method(performance, 'now', () => now)
    const [self, other] = [createProcess<string>(), createProcess<string>()]
    const order: string[] = []
    const receive = async (process: typeof self) => {
      for (let n = 0; n < 3; n++) order.push(await process.receive([P.string]))
    }
    const received = Promise.all([receive(self), receive(other)])
    // Node runs all due timers of 5 ms before it looks at the one of 10 ms.
    self.sendAfter(5, 'first')
    other.sendAfter(10, 'third')
    self.sendAfter(7, 'second')
    compute(6)
    now = 6
    other.sendAfter(5, 'fourth')
    other.sendAfter(6, 'sixth')
    self.sendAfter(5, 'fifth')
    compute(20)
    await received
    assert.deepEqual(order, ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'])
  })

  test('bring a message that is due before the timeout of a receive to it', async t => {
    let now = 0
    t.mock.method(performance, 'now', () => now)
    const self = createProcess<string>()
    // The same 5 ms as the timeout, so that Node looks at both before it looks at the message.
    createProcess<string>().sendAfter(5, 'x')
    self.sendAfter(10, 'in time')
    compute(6)
    now = 6
    const received = self.receive(['in time'], 5)
    compute(20)
    assert.equal(await received, 'in time')
  })

  test('of one time send in the order in which they were started, also where some are cancelled', async t => {
    // Thousands of timers, in an order that is the same in each run.
    const self = createProcess<number>({ highWaterMark: { messages: Number.POSITIVE_INFINITY } })
    t.mock.method(performance, 'now', () => 0)
    const times = Array.from({ length: 2000 }, (_, n) => (n * 7919) % 13)
    const refs = times.map((ms, n) => self.sendAfter(ms, n))
    const kept = new Set(times.keys())
    for (let n = 0; n < refs.length; n += 3) {
      assert.notEqual(self.cancelTimer(refs[n] as TimerRef), false)
      kept.delete(n)
    }
    const order: number[] = []
    while (order.length < kept.size) order.push(await self.receive([P.number]))
    const expected = [...kept].sort((a, b) => (times[a] as number) - (times[b] as number) || a - b)
    assert.deepEqual(order, expected)
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
