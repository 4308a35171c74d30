// A stream of tasks is taken as its consumer asks, never too far ahead, and ends with its consumer.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createProcess, type Process, ProcessExit, processes, processInfo } from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { mockTimeouts } from '../../../../test/support/clock.ts'
import { stateOf, turn } from '../../../process/test/support/turns.ts'
import { task } from '../../src/index.ts'
import { reportedExits } from '../support/reported-exits.ts'

const boom = new Error('boom')
const never = new Promise<never>(() => {})

/** Makes an owner, and fails its test if anything of a stream is left behind. */
function owner(t: TestContext, options: { trapExit?: boolean } = {}): Process {
  const before = processes().length
  const self = createProcess(options)
  t.after(async () => {
    const { messageQueueLength, monitors, links, timers } = processInfo(self)
    assert.deepEqual(
      { messageQueueLength, monitors, timers },
      { messageQueueLength: 0, monitors: [], timers: [] },
    )
    if (self.isAlive) assert.deepEqual(links, [])
    self.exit()
    await turn()
    assert.equal(processes().length, before)
  })
  return self
}

/** Tasks that end when the test says. */
class Gates<T> {
  readonly begun: number[] = []
  readonly aborted: number[] = []
  readonly #gates = new Map<number, { resolve: (value: T) => void; reject: (error: unknown) => void }>()

  readonly run = (item: number, self: Process): Promise<T> => {
    this.begun.push(item)
    self.signal.addEventListener('abort', () => {
      if (self.isAlive === false && !this.#done.has(item)) this.aborted.push(item)
    })
    return new Promise((resolve, reject) => this.#gates.set(item, { resolve, reject }))
  }

  readonly #done = new Set<number>()

  async open(item: number, value: T): Promise<void> {
    this.#done.add(item)
    this.#gates.get(item)?.resolve(value)
    await turn()
  }

  async fail(item: number, error: unknown): Promise<void> {
    this.#done.add(item)
    this.#gates.get(item)?.reject(error)
    await turn()
  }
}

/** Items 0, 1, 2, … that note what was taken of them. */
function numbers(count = Number.POSITIVE_INFINITY, isAsync = false) {
  const state = { taken: 0, isClosed: false }
  const next = (): IteratorResult<number, undefined> =>
    state.taken < count ? { done: false, value: state.taken++ } : { done: true, value: undefined }
  const close = (): IteratorResult<number, undefined> => {
    state.isClosed = true
    return { done: true, value: undefined }
  }
  const items: Iterable<number> | AsyncIterable<number> = isAsync
    ? { [Symbol.asyncIterator]: () => ({ next: async () => next(), return: async () => close() }) }
    : { [Symbol.iterator]: () => ({ next, return: close }) }
  return { items, state }
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const results: T[] = []
  for await (const result of stream) results.push(result)
  return results
}

for (const isAsync of [false, true]) {
  const kind = isAsync ? 'an async iterable' : 'an iterable'

  test(`the results of ${kind} come in the order of its items, with their type`, async t => {
    const self = owner(t)
    const stream = task.asyncStream(self, numbers(5, isAsync).items, async n => String(n), {
      maxConcurrency: 2,
    })
    expectTypeOf(stream).toEqualTypeOf<AsyncIterable<task.Outcome<string>>>()
    assert.deepEqual(
      await collect(stream),
      [0, 1, 2, 3, 4].map(n => ['ok', String(n)]),
    )
  })

  test(`no more of ${kind} is taken than maxConcurrency beyond what was given, and only while a result is asked for`, async t => {
    const self = owner(t)
    const { items, state } = numbers(undefined, isAsync)
    const gates = new Gates<number>()
    const stream = task.asyncStream(self, items, gates.run, { maxConcurrency: 3 })[Symbol.asyncIterator]()
    await turn()
    assert.equal(state.taken, 0)
    const first = stream.next()
    await turn()
    assert.equal(state.taken, 3)
    await gates.open(1, 1)
    await gates.open(2, 2)
    assert.equal(state.taken, 3)
    assert.equal(await stateOf(first), 'pending')
    await gates.open(0, 0)
    assert.deepEqual(await first, { done: false, value: ['ok', 0] })
    assert.equal(state.taken, 3)
    assert.deepEqual(await stream.next(), { done: false, value: ['ok', 1] })
    assert.deepEqual(await stream.next(), { done: false, value: ['ok', 2] })
    assert.equal(state.taken, 3)
    const fourth = stream.next()
    await turn()
    assert.equal(state.taken, 6)
    assert.deepEqual(await stream.return?.(), { done: true, value: undefined })
    assert.deepEqual(await fourth, { done: true, value: undefined })
    assert.deepEqual(gates.aborted, [3, 4, 5])
    assert.equal(state.isClosed, true)
    assert.deepEqual(await stream.next(), { done: true, value: undefined })
  })

  test(`a consumer of ${kind} that leaves its loop ends the tasks that run, and closes the items`, async t => {
    const self = owner(t)
    for (const leave of ['break', 'throw'] as const) {
      const { items, state } = numbers(undefined, isAsync)
      const gates = new Gates<number>()
      const left = (async () => {
        for await (const result of task.asyncStream(self, items, gates.run, {
          maxConcurrency: 4,
          ordered: false,
        })) {
          assert.deepEqual(result, ['ok', 20])
          if (leave === 'throw') throw boom
          break
        }
      })()
      const done = leave === 'throw' ? assert.rejects(left, boom) : left
      await turn()
      await gates.open(2, 20)
      await done
      assert.deepEqual(gates.aborted, [0, 1, 3])
      assert.equal(state.isClosed, true)
      assert.equal(processInfo(self).links.length, 0)
    }
  })
}

test('without order results come as the tasks end', async t => {
  const self = owner(t)
  const gates = new Gates<string>()
  const results: unknown[] = []
  const done = (async () => {
    const stream = task.asyncStream(self, numbers(3).items, gates.run, { maxConcurrency: 2, ordered: false })
    for await (const result of stream) results.push(result)
  })()
  await turn()
  await gates.open(1, 'one')
  assert.deepEqual(results, [['ok', 'one']])
  assert.deepEqual(gates.begun, [0, 1, 2])
  await gates.open(2, 'two')
  await gates.open(0, 'zero')
  await done
  assert.deepEqual(results, [
    ['ok', 'one'],
    ['ok', 'two'],
    ['ok', 'zero'],
  ])
})

test('a task that crashes ends an owner that does not trap exits, and with it the other tasks', async t => {
  const reasons = reportedExits(t)
  const self = owner(t)
  const { items, state } = numbers()
  const gates = new Gates<number>()
  const results = assert.rejects(
    collect(task.asyncStream(self, items, gates.run, { maxConcurrency: 3 })),
    ProcessExit,
  )
  await turn()
  await gates.fail(1, boom)
  await results
  assert.equal(await self.exited, boom)
  assert.deepEqual(gates.aborted, [0, 2])
  assert.equal(state.isClosed, true)
  assert.deepEqual(reasons, [boom])
})

test('a task that crashes is one result of an owner that traps exits, or has no link to it', async t => {
  const reasons = reportedExits(t)
  const run = (n: number) => (n === 1 ? Promise.reject(boom) : n)
  const expected = [
    ['ok', 0],
    ['exit', boom],
    ['ok', 2],
  ]
  const trapping = owner(t, { trapExit: true })
  assert.deepEqual(
    await collect(task.asyncStream(trapping, numbers(3).items, run, { maxConcurrency: 2 })),
    expected,
  )
  const other = createProcess()
  assert.deepEqual(
    await collect(task.asyncStreamNoLink(other, numbers(3).items, run, { maxConcurrency: 2 })),
    expected,
  )
  assert.equal(other.isAlive, true)
  assert.deepEqual(reasons, [boom, boom])
  other.exit()
})

test('a task that exits normally without a result is one result', async t => {
  const self = owner(t)
  const stream = task.asyncStream(self, [1], (_, child) => child.exit('normal'))
  assert.deepEqual(await collect(stream), [['exit', 'normal']])
})

test('a task that takes too long ends the stream with an error', async t => {
  const reasons = reportedExits(t)
  const pass = mockTimeouts(t)
  const self = owner(t)
  const { items, state } = numbers()
  const gates = new Gates<number>()
  const stream = task.asyncStream(self, items, gates.run, { maxConcurrency: 2, timeout: 100 })
  const failed = assert.rejects(collect(stream), {
    name: 'TaskError',
    reason: 'timeout',
    message: /within 100 ms$/,
  })
  await turn()
  await pass(99)
  assert.deepEqual(gates.aborted, [])
  await pass(1)
  await failed
  assert.deepEqual(gates.aborted, [0, 1])
  assert.equal(state.isClosed, true)
  assert.equal(self.isAlive, true)
  assert.deepEqual(reasons, [])
})

test('a stream whose task took too long while nobody asked says so to the next who does', async t => {
  const pass = mockTimeouts(t)
  const self = owner(t)
  const gates = new Gates<number>()
  const options = { maxConcurrency: 3, timeout: 100 }
  const stream = task.asyncStream(self, numbers().items, gates.run, options)[Symbol.asyncIterator]()
  const first = stream.next()
  await turn()
  await gates.open(0, 0)
  await first
  await pass(50)
  const second = stream.next()
  await turn()
  await gates.open(1, 1)
  await second
  const [streamer] = processInfo(self).links as [Process]
  assert.equal(processInfo(streamer).timers.length, 2)
  await pass(50)
  assert.deepEqual(gates.aborted, [2, 3])
  assert.deepEqual(processInfo(streamer).timers, [])
  await assert.rejects(stream.next(), { reason: 'timeout' })
  assert.deepEqual(await stream.next(), { done: true, value: undefined })
})

test("with 'kill_task' a task that takes too long is one result, and its function runs on in vain", async t => {
  const reasons = reportedExits(t)
  const pass = mockTimeouts(t)
  const self = owner(t)
  const gates = new Gates<number>()
  const stream = task.asyncStream(self, numbers(3).items, gates.run, {
    maxConcurrency: 2,
    timeout: 100,
    onTimeout: 'kill_task',
  })
  const results = collect(stream)
  await turn()
  await gates.open(1, 10)
  await pass(100)
  await turn()
  assert.deepEqual(gates.aborted, [0])
  await gates.open(0, 0)
  await gates.open(2, 20)
  assert.deepEqual(await results, [
    ['exit', 'timeout'],
    ['ok', 10],
    ['ok', 20],
  ])
  assert.deepEqual(reasons, [])
})

test('the error of the items rejects the loop, and ends the tasks that run', async t => {
  const self = owner(t)
  for (const isAsync of [false, true]) {
    const gates = new Gates<number>()
    const items = isAsync
      ? (async function* () {
          yield 0
          throw boom
        })()
      : (function* () {
          yield 0
          throw boom
        })()
    await assert.rejects(collect(task.asyncStream(self, items, gates.run, { maxConcurrency: 2 })), boom)
    assert.deepEqual(gates.aborted, isAsync ? [0] : [])
  }
  const broken: Iterable<number> = {
    [Symbol.iterator]: () => {
      throw boom
    },
  }
  await assert.rejects(collect(task.asyncStream(self, broken, n => n)), boom)
})

test('the error of items that are closed rejects the loop that is left', async t => {
  const self = owner(t)
  const items = (function* () {
    try {
      for (;;) yield 1
    } finally {
      // biome-ignore lint/correctness/noUnsafeFinally: this is what is tried here
      throw boom
    }
  })()
  const left = async () => {
    for await (const _ of task.asyncStream(self, items, n => n)) break
  }
  await assert.rejects(left(), boom)
})

test('items that never come hold nobody up who leaves', async t => {
  const self = owner(t)
  const items: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({ next: () => never, return: () => never }),
  }
  const stream = task.asyncStream(self, items, n => n)[Symbol.asyncIterator]()
  const first = stream.next()
  await turn()
  await stream.return?.()
  assert.deepEqual(await first, { done: true, value: undefined })
})

test('a stream ends with its owner, whatever the reason', async t => {
  for (const reason of ['normal', 'shutdown', 'killed']) {
    const self = owner(t)
    const { items, state } = numbers()
    const gates = new Gates<number>()
    reportedExits(t)
    const left = assert.rejects(
      collect(task.asyncStreamNoLink(self, items, gates.run, { maxConcurrency: 2 })),
      ProcessExit,
    )
    await turn()
    self.exit(reason)
    await left
    await turn()
    assert.deepEqual(gates.aborted, [0, 1])
    assert.equal(state.isClosed, true)
  }
})

test('each loop runs the stream anew', async t => {
  const self = owner(t)
  const stream = task.asyncStream(self, [1, 2], n => n * 2)
  assert.deepEqual(await collect(stream), await collect(stream))
})

test('several results may be asked for at once', async t => {
  const self = owner(t)
  const stream = task.asyncStream(self, [1, 2], n => n)[Symbol.asyncIterator]()
  assert.deepEqual(await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]), [
    { done: false, value: ['ok', 1] },
    { done: false, value: ['ok', 2] },
    { done: true, value: undefined },
    { done: true, value: undefined },
  ])
})

test('wrong arguments throw at once, and name themselves', t => {
  const self = owner(t)
  const streams = (items: unknown, fn: unknown, options?: unknown) => () =>
    task.asyncStream(self, items as number[], fn as () => 1, options as task.StreamOptions)
  const run = () => 1
  assert.throws(streams(5, run), { name: 'TypeError', message: /^items must be iterable, not 5$/ })
  assert.throws(streams([], 5), { name: 'TypeError', message: /^fn must be a function, not 5$/ })
  assert.throws(streams([], run, { max_concurrency: 1 }), { message: /did you mean 'maxConcurrency'\?$/ })
  assert.throws(streams([], run, { maxConcurrency: 0 }), { name: 'RangeError' })
  assert.throws(streams([], run, { timeout: -1 }), { name: 'RangeError', message: /^options.timeout / })
  assert.throws(streams([], run, { onTimeout: 'kill' }), {
    message: /^options.onTimeout must be 'exit' or 'kill_task'/,
  })
  assert.throws(streams([], run, { ordered: 1 }), { message: /^options.ordered must be a boolean$/ })
})
