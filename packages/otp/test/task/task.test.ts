// A task runs a function in a process of its own; its owner gets the result, and nothing else stays behind.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  createProcess,
  isAlive,
  P,
  type Process,
  ProcessExit,
  processes,
  processInfo,
  spawn,
} from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { mockTimeouts } from '../../../../test/support/clock.ts'
import { stateOf, turn } from '../../../process/test/support/turns.ts'
import { task } from '../../src/index.ts'
import { reportedExits } from '../support/reported-exits.ts'

const boom = new Error('boom')

/** Makes an owner, which ends with its test and then has nothing in its mailbox but what the test says. */
function owner(t: TestContext, { trapExit = true, left = 0 } = {}): Process {
  const self = createProcess({ trapExit })
  t.after(() => {
    if (self.isAlive) {
      assert.deepEqual(processInfo(self).messages.length, left, String(processInfo(self).messages))
      assert.deepEqual(processInfo(self).monitors, [])
      assert.deepEqual(processInfo(self).timers, [])
    }
    self.exit()
  })
  return self
}

/** Makes a promise, with the function that resolves it. */
function gate<T = void>(): { promise: Promise<T>; open: (value: T) => void } {
  let open!: (value: T) => void
  const promise = new Promise<T>(resolve => {
    open = resolve
  })
  return { promise, open }
}

const never = new Promise<never>(() => {})

test('await gives the result of the function, with its type', async t => {
  const self = owner(t)
  const sum = task.async(self, () => 1 + 1)
  const text = task.async(self, async child => String(child.isAlive))
  expectTypeOf(sum).toEqualTypeOf<task.Task<number>>()
  expectTypeOf(text).toEqualTypeOf<task.Task<string>>()
  const awaited = task.await(sum)
  expectTypeOf(awaited).toEqualTypeOf<Promise<number>>()
  assert.equal(await awaited, 2)
  assert.equal(await task.await(text), 'true')
})

test('a result that is undefined, or came before it was asked for, is given as any other', async t => {
  const self = owner(t)
  const none = task.async(self, () => {})
  await turn()
  assert.equal(self.messageQueueLength, 2)
  assert.equal(await task.await(none), undefined)
})

test('a task that crashes rejects its await with the reason, and an owner that traps exits is not told twice', async t => {
  const reasons = reportedExits(t)
  const self = owner(t)
  const failing = task.async(self, () => {
    throw boom
  })
  await assert.rejects(task.await(failing), (error: task.TaskError) => {
    assert.ok(error instanceof task.TaskError)
    assert.equal(error.reason, boom)
    assert.equal(error.cause, boom)
    assert.match(error.message, /^the task #Process<\d+> has ended without a result: Error: boom$/)
    return true
  })
  assert.deepEqual(reasons, [boom])
})

test('a task that crashes ends its owner with its reason, unless the owner traps exits', async t => {
  const reasons = reportedExits(t)
  const self = owner(t, { trapExit: false })
  const failing = task.await(task.async(self, () => Promise.reject(boom)))
  await assert.rejects(failing, ProcessExit)
  assert.equal(await self.exited, boom)
  assert.deepEqual(reasons, [boom])
})

test('an await that nobody looks at does no harm when its owner exits', async t => {
  const self = owner(t)
  void task.await(task.async(self, () => never))
  void task.yield(task.async(self, () => never))
  void task.awaitMany([task.async(self, () => never)])
  self.exit()
  await turn()
})

test('a task ends with its owner, unless that exits normally or the task has no link', async t => {
  const self = owner(t)
  const linked = task.async(self, () => never)
  const free = task.asyncNoLink(self, () => never)
  self.exit('shutdown')
  assert.equal(isAlive(linked.pid), false)
  assert.equal(isAlive(free.pid), true)
  free.pid.exit()
})

test('a task without a link that crashes tells its owner through await alone', async t => {
  reportedExits(t)
  const self = owner(t, { trapExit: false })
  const failing = task.asyncNoLink(self, () => Promise.reject(boom))
  await assert.rejects(task.await(failing), { reason: boom })
  assert.equal(self.isAlive, true)
})

test('a task that exits without a result rejects its await, also if it exits normally', async t => {
  const self = owner(t)
  const quitting = task.async(self, child => child.exit('normal'))
  await assert.rejects(task.await(quitting), { name: 'TaskError', reason: 'normal' })
})

test('a task that is late rejects its await, runs on, and its result is dropped', async t => {
  const pass = mockTimeouts(t)
  const self = owner(t)
  const late = gate<string>()
  const slow = task.async(self, () => late.promise)
  const awaited = task.await(slow, 100)
  const rejected = assert.rejects(awaited, {
    name: 'TaskError',
    reason: 'timeout',
    message: /has given no result within 100 ms$/,
  })
  await pass(99)
  assert.equal(await stateOf(awaited), 'pending')
  await pass(1)
  await rejected
  assert.equal(isAlive(slow.pid), true)
  late.open('late')
  await turn()
  assert.equal(isAlive(slow.pid), false)
  assert.equal(self.messageQueueLength, 0)
})

test('a result that comes with the timeout is dropped too', async t => {
  const pass = mockTimeouts(t)
  const self = owner(t)
  for (let ticks = 0; ticks < 12; ticks++) {
    const late = gate<string>()
    const slow = task.async(self, () => late.promise)
    const rejected = assert.rejects(task.await(slow, 100), { reason: 'timeout' })
    await turn()
    const passed = pass(100)
    for (let i = 0; i < ticks; i++) await undefined
    late.open('late')
    await passed
    await rejected
    assert.equal(self.messageQueueLength, 0)
  }
})

test('await waits for 5000 ms by default', async t => {
  const pass = mockTimeouts(t)
  const self = owner(t)
  const awaited = task.await(task.asyncNoLink(self, () => never))
  const rejected = assert.rejects(awaited, { reason: 'timeout' })
  await pass(4999)
  assert.equal(await stateOf(awaited), 'pending')
  await pass(1)
  await rejected
})

test('a result is given once, and to one', async t => {
  const self = owner(t)
  const once = task.async(self, () => 1)
  const awaited = task.await(once)
  assert.throws(() => task.yield(once), { message: /^something waits for the task #Process<\d+> already$/ })
  assert.equal(await awaited, 1)
  assert.throws(() => task.await(once), { message: /was taken, or given up, already$/ })
  assert.deepEqual(await task.shutdown(once), ['exit', 'noproc'])
  assert.equal(await task.ignore(once), undefined)
})

test('other messages keep their place', async t => {
  const self = owner(t, { left: 2 })
  self.send('before')
  const slow = task.async(self, () => 'result')
  self.send('after')
  assert.equal(await task.await(slow), 'result')
  assert.deepEqual(await self.receive([P._]), 'before')
  self.send('last')
})

test('a server that does not wait gets the result as a message, and the end as a DOWN', async t => {
  reportedExits(t)
  const self = owner(t)
  const good = task.asyncNoLink(self, () => 'good')
  const bad = task.asyncNoLink(self, () => Promise.reject(boom))
  assert.deepEqual(await self.receive([{ type: 'task_reply', ref: good.ref }]), {
    type: 'task_reply',
    ref: good.ref,
    value: 'good',
  })
  self.demonitor(good.ref)
  const down = await self.receive([{ type: 'DOWN', ref: bad.ref }])
  assert.equal(down.reason, boom)
})

test('awaitMany gives the results in the order of the tasks, each with its type', async t => {
  const self = owner(t)
  const first = gate<number>()
  const tasks = [task.async(self, () => first.promise), task.async(self, () => 'two')] as const
  const results = task.awaitMany(tasks)
  expectTypeOf(results).toEqualTypeOf<Promise<[number, string]>>()
  await turn()
  first.open(1)
  assert.deepEqual(await results, [1, 'two'])
  assert.deepEqual(await task.awaitMany([]), [])
  const same = task.async(self, () => 3)
  assert.deepEqual(await task.awaitMany([same, same], Number.POSITIVE_INFINITY), [3, 3])
})

test('awaitMany rejects with the first crash, and gives the others up', async t => {
  reportedExits(t)
  const self = owner(t)
  const other = gate<number>()
  const tasks = [task.async(self, () => other.promise), task.async(self, () => Promise.reject(boom))]
  await assert.rejects(task.awaitMany(tasks), { reason: boom })
  other.open(1)
  await turn()
})

test('awaitMany has one timeout for all', async t => {
  const pass = mockTimeouts(t)
  const self = owner(t)
  const [first, second] = [gate<number>(), gate<number>()]
  const awaited = task.awaitMany(
    [task.async(self, () => first.promise), task.async(self, () => second.promise)],
    100,
  )
  const rejected = assert.rejects(awaited, { reason: 'timeout' })
  await pass(60)
  first.open(1)
  await pass(39)
  assert.equal(await stateOf(awaited), 'pending')
  await pass(1)
  await rejected
  second.open(2)
  await turn()
})

test('yield gives undefined while a task runs, and does not give it up', async t => {
  const pass = mockTimeouts(t)
  const self = owner(t)
  const { promise, open } = gate<number>()
  const slow = task.async(self, () => promise)
  expectTypeOf(task.yield<number>).returns.resolves.toEqualTypeOf<task.Outcome<number> | undefined>()
  assert.equal(await task.yield(slow, 0), undefined)
  const yielded = task.yield(slow, 10)
  await pass(10)
  assert.equal(await yielded, undefined)
  open(1)
  assert.deepEqual(await task.yield(slow, Number.POSITIVE_INFINITY), ['ok', 1])
})

test('yield gives the reason of an end without a result', async t => {
  reportedExits(t)
  const self = owner(t)
  assert.deepEqual(await task.yield(task.async(self, () => Promise.reject(boom))), ['exit', boom])
})

test('yieldMany gives a pair for each task, and leaves those that run', async t => {
  reportedExits(t)
  const pass = mockTimeouts(t)
  const self = owner(t)
  const { promise, open } = gate<number>()
  const good = task.async(self, () => 'good')
  const bad = task.async(self, () => Promise.reject(boom))
  const slow = task.async(self, () => promise)
  const yielded = task.yieldMany([good, bad, slow], 100)
  await turn()
  await pass(100)
  assert.deepEqual(await yielded, [
    [good, ['ok', 'good']],
    [bad, ['exit', boom]],
    [slow, undefined],
  ])
  open(1)
  assert.equal(await task.await(slow), 1)
  const pairs = task.yieldMany([task.async(self, () => 'a'), task.async(self, () => 2)])
  expectTypeOf(pairs).resolves.toEqualTypeOf<
    [
      [task.Task<string>, task.Outcome<string> | undefined],
      [task.Task<number>, task.Outcome<number> | undefined],
    ]
  >()
})

for (const [onTimeout, survives] of [
  ['nothing', true],
  ['ignore', true],
  ['kill_task', false],
] as const) {
  test(`yieldMany does '${onTimeout}' to a task that has not ended in time`, async t => {
    const reasons = reportedExits(t)
    const pass = mockTimeouts(t)
    const self = owner(t, { left: 0 })
    const slow = task.async(self, () => never)
    const yielded = task.yieldMany([slow], { timeout: 100, onTimeout })
    await pass(100)
    assert.deepEqual(await yielded, [[slow, undefined]])
    assert.equal(isAlive(slow.pid), survives)
    assert.equal(self.isAlive, true)
    assert.deepEqual(reasons, [])
    await task.shutdown(slow, 'brutal_kill')
  })
}

test('yieldMany waits for no more tasks than its limit', async t => {
  const self = owner(t)
  const slow = task.async(self, () => never)
  const tasks = [task.async(self, () => 1), slow, task.async(self, () => 3)]
  const yielded = await task.yieldMany(tasks, {
    timeout: Number.POSITIVE_INFINITY,
    limit: 2,
    onTimeout: 'kill_task',
  })
  assert.deepEqual(
    yielded.map(([, outcome]) => outcome),
    [['ok', 1], undefined, ['ok', 3]],
  )
  assert.equal(isAlive(slow.pid), true)
  await task.shutdown(slow)
})

test('shutdown ends a task, whose function runs on with an aborted signal and whose result is dropped', async t => {
  const reasons = reportedExits(t)
  for (const how of [undefined, 'brutal_kill', Number.POSITIVE_INFINITY] as const) {
    const self = owner(t)
    const { promise, open } = gate()
    const seen: unknown[] = []
    const slow = task.async(self, async child => {
      child.signal.addEventListener('abort', () => seen.push('aborted'))
      await promise
      seen.push('ran on')
      return 'late'
    })
    await turn()
    assert.equal(await task.shutdown(slow, how), undefined)
    assert.equal(isAlive(slow.pid), false)
    open()
    await turn()
    assert.deepEqual(seen, ['aborted', 'ran on'])
    assert.equal(self.messageQueueLength, 0)
    assert.equal(self.isAlive, true)
  }
  assert.deepEqual(reasons, [])
})

test('shutdown gives the result that had come, or the reason of an end that had', async t => {
  reportedExits(t)
  const self = owner(t)
  const good = task.async(self, () => 'good')
  const bad = task.async(self, () => Promise.reject(boom))
  const quit = task.async(self, child => child.exit('normal'))
  const stopped = task.async(self, child => child.exit('shutdown'))
  await turn()
  assert.deepEqual(await task.shutdown(good), ['ok', 'good'])
  assert.deepEqual(await task.shutdown(bad), ['exit', boom])
  assert.deepEqual(await task.shutdown(quit, 'brutal_kill'), ['exit', 'normal'])
  assert.deepEqual(await task.shutdown(stopped), undefined)
})

test('a task that traps exits may reply while it is shut down, or end for a reason of its own', async t => {
  const self = owner(t)
  const trapping = (last: (child: Process) => unknown) =>
    task.async(self, async child => {
      child.trapExit = true
      const { reason } = await child.receive([{ type: 'EXIT' }])
      assert.equal(reason, 'shutdown')
      return last(child)
    })
  const replying = trapping(() => 'last words')
  const quitting = trapping(child => child.exit('normal'))
  await turn()
  assert.deepEqual(await task.shutdown(replying), ['ok', 'last words'])
  assert.deepEqual(await task.shutdown(quitting), ['exit', 'normal'])
})

test('a task that ignores its shutdown is killed when its time is over', async t => {
  const reasons = reportedExits(t)
  const pass = mockTimeouts(t)
  const self = owner(t)
  const stubborn = task.async(self, child => {
    child.trapExit = true
    return never
  })
  await turn()
  const ended = task.shutdown(stubborn, 100)
  await pass(99)
  assert.equal(await stateOf(ended), 'pending')
  await pass(1)
  assert.deepEqual(await ended, ['exit', 'killed'])
  assert.deepEqual(reasons, [])
})

test('a task that is being shut down is killed when its owner exits', async t => {
  const self = owner(t)
  const stubborn = task.async(self, child => {
    child.trapExit = true
    return never
  })
  await turn()
  const ended = assert.rejects(task.shutdown(stubborn, Number.POSITIVE_INFINITY), ProcessExit)
  self.exit()
  await ended
  assert.equal(isAlive(stubborn.pid), false)
})

test('an await under way learns of a shutdown', async t => {
  const self = owner(t)
  const slow = task.async(self, () => never)
  const awaited = assert.rejects(task.await(slow), { reason: 'shutdown' })
  assert.equal(await task.shutdown(slow), undefined)
  await awaited
})

test('a task that was awaited in vain can be shut down', async t => {
  const self = owner(t)
  const slow = task.async(self, () => never)
  await assert.rejects(task.await(slow, 0), { reason: 'timeout' })
  assert.equal(await task.shutdown(slow), undefined)
  assert.equal(isAlive(slow.pid), false)
})

test('ignore lets a task run on, and drops what comes of it', async t => {
  reportedExits(t)
  const self = owner(t, { trapExit: false })
  const { promise, open } = gate()
  const slow = task.async(self, async () => {
    await promise
    throw boom
  })
  assert.equal(await task.ignore(slow), undefined)
  assert.throws(() => task.await(slow), { message: /given up/ })
  assert.equal(isAlive(slow.pid), true)
  open()
  await turn()
  assert.equal(isAlive(slow.pid), false)
  assert.equal(self.isAlive, true)
})

test('ignore gives what had come before', async t => {
  reportedExits(t)
  const self = owner(t)
  const good = task.async(self, () => 'good')
  const bad = task.async(self, () => Promise.reject(boom))
  await turn()
  assert.deepEqual(await task.ignore(good), ['ok', 'good'])
  assert.deepEqual(await task.ignore(bad), ['exit', boom])
})

test('a task of an owner that has exited ends at once, and nobody waits for it', async t => {
  const self = owner(t)
  self.exit('shutdown')
  const late = task.async(self, () => assert.fail('it runs'))
  assert.equal(isAlive(late.pid), false)
  await assert.rejects(task.await(late), ProcessExit)
})

test('wrong arguments throw at once, and name themselves', async t => {
  const self = owner(t)
  const slow = task.async(self, () => never)
  const throws = (run: () => unknown, error: { name: string; message: RegExp }) => assert.throws(run, error)
  throws(() => task.async(self, 5 as never), { name: 'TypeError', message: /^fn must be a function, not 5$/ })
  throws(() => task.await({} as never), {
    name: 'TypeError',
    message: /^task must be what async gave, not \{\}$/,
  })
  throws(() => task.await(slow, -1), { name: 'RangeError', message: /^timeout must be between 0 and/ })
  throws(() => task.await(slow, '5' as never), { name: 'TypeError', message: /^timeout must be a number/ })
  throws(() => task.awaitMany(slow as never), { name: 'TypeError', message: /^tasks must be an array/ })
  throws(() => task.shutdown(slow, 'kill' as never), {
    name: 'TypeError',
    message: /^timeout must be milliseconds or 'brutal_kill', not 'kill'$/,
  })
  throws(() => task.yieldMany([slow], { onTimout: 'ignore' } as never), {
    name: 'TypeError',
    message: /^options.onTimout is not an option of yieldMany: did you mean 'onTimeout'\?$/,
  })
  throws(() => task.yieldMany([slow], { limit: 0 }), {
    name: 'RangeError',
    message: /^options.limit must be/,
  })
  throws(() => task.yieldMany([slow], { onTimeout: 'kill' as never }), {
    name: 'TypeError',
    message: /^options.onTimeout must be/,
  })
  const other = createProcess()
  throws(() => task.awaitMany([slow, task.async(other, () => 1)]), { name: 'Error', message: /same owner/ })
  other.exit('shutdown')
  await task.shutdown(slow)
})

test('the types refuse what a task does not give', () => {
  const check = (sum: task.Task<number>): void => {
    // @ts-expect-error the result is a number
    const text: Promise<string> = task.await(sum)
    // @ts-expect-error a task of numbers is none of strings
    const wrong: task.Task<string> = sum
    // @ts-expect-error there is no such option
    void task.yieldMany([sum], { after: 5 })
    void [text, wrong]
  }
  assert.equal(typeof check, 'function')
})

test('a body that awaits a task that crashes exits with the error', async t => {
  reportedExits(t)
  const self = spawn(async self => {
    self.trapExit = true
    await task.await(task.async(self, () => Promise.reject(boom)))
  })
  const reason = (await self.exited) as task.TaskError
  assert.equal(reason.reason, boom)
})

test('thousands of tasks leave no process behind', async t => {
  const before = processes().length
  const self = owner(t)
  const tasks = Array.from({ length: 2000 }, (_, i) => task.async(self, () => i))
  assert.deepEqual(
    await task.awaitMany(tasks, Number.POSITIVE_INFINITY),
    tasks.map((_, i) => i),
  )
  assert.equal(processes().length, before + 1)
})
