/** Examples of tasks: functions that run in processes of their own, and whose results their owners wait for. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as passed } from 'node:timers/promises'
import { task } from '@holster/otp'
import { createProcess, setExitHook } from '@holster/process'

// The crashes of these examples are what they show.
beforeEach(() => void setExitHook(() => {}))
afterEach(() => void setExitHook(undefined))

const answerSlowly = (self: { readonly signal: AbortSignal }) =>
  passed(60_000, 'late', { signal: self.signal }).catch(() => 'late')

test('async runs a function beside its owner, and await gives the result', async () => {
  const [slowSquare, other] = [async (n: number) => n * n, () => 'done meanwhile']
  await using self = createProcess()
  // #region otp/task/async, otp/task/await
  const square = task.async(self, () => slowSquare(12))
  const meanwhile = other()
  const result = await task.await(square, 1000) // 144
  // #endregion
  assert.equal(meanwhile, 'done meanwhile')
  assert.equal(result, 144)
})

test('the crash of a task that is linked ends its owner', async () => {
  // #region otp/task/async
  const owner = createProcess()
  task.async(owner, () => {
    throw new Error('bad input')
  })
  const reason = await owner.exited // Error: bad input
  // #endregion
  assert.match(String(reason), /bad input/)
})

test('a task without a link tells of its crash where it is awaited', async () => {
  await using self = createProcess()
  // #region otp/task/asyncNoLink
  const risky = task.asyncNoLink(self, (): string => {
    throw new Error('bad input')
  })
  const result = await task.await(risky).catch(error => `failed: ${error.reason.message}`)
  // 'failed: bad input'
  // #endregion
  assert.equal(result, 'failed: bad input')
})

test('awaitMany gives the results in the order of the tasks', async () => {
  await using self = createProcess()
  // #region otp/task/awaitMany
  const page = task.async(self, async () => '<html>')
  const count = task.async(self, async () => 42)
  const [text, number] = await task.awaitMany([page, count], 5000) // ['<html>', 42]: string and number
  // #endregion
  assert.deepEqual([text, number], ['<html>', 42])
})

test('a task that is late rejects with a TaskError, and runs on', async () => {
  await using self = createProcess()
  const tried: unknown[] = []
  // #region otp/errors/TaskError
  const late = task.async(self, answerSlowly)
  try {
    await task.await(late, 10)
  } catch (error) {
    if (!(error instanceof task.TaskError)) throw error
    tried.push(error.reason) // 'timeout'; the task runs on
    await task.shutdown(late)
  }
  // #endregion
  assert.deepEqual(tried, ['timeout'])
})

test('yield looks at a task without giving it up', async () => {
  await using self = createProcess()
  const done = Promise.resolve(6 * 7)
  // #region otp/task/yield
  const answer = task.async(self, () => done)
  const early = await task.yield(answer, 0) // undefined: not yet
  const outcome = await task.yield(answer, 1000) // ['ok', 42]
  // #endregion
  assert.equal(early, undefined)
  assert.deepEqual(outcome, ['ok', 42])
})

test('yield or shutdown bounds the time of a task', async () => {
  await using self = createProcess()
  // #region otp/task/shutdown, otp/task/yield
  const slow = task.async(self, answerSlowly)
  // case Task.yield(slow, 10) || Task.shutdown(slow) do
  const outcome = (await task.yield(slow, 10)) ?? (await task.shutdown(slow))
  const text = outcome?.[0] === 'ok' ? outcome[1] : 'no answer in time'
  // #endregion
  assert.equal(text, 'no answer in time')
})

test('a task is killed at once', async () => {
  await using self = createProcess()
  // #region otp/task/shutdown
  const stuck = task.async(self, answerSlowly)
  const known = await task.shutdown(stuck, 'brutal_kill') // undefined: nothing had come before
  // #endregion
  assert.equal(known, undefined)
})

test('yieldMany says of each task how far it is', async () => {
  await using self = createProcess()
  // #region otp/task/yieldMany
  const fast = task.async(self, async () => 1)
  const slow = task.async(self, answerSlowly)
  const [[, first], [, second]] = await task.yieldMany([fast, slow], 20) // ['ok', 1], undefined
  // #endregion
  assert.deepEqual([first, second], [['ok', 1], undefined])
  await task.shutdown(slow)
})

test('yieldMany ends what is late, or is content with some of the tasks', async () => {
  await using self = createProcess()
  // #region otp/task/types/YieldOptions
  const mirrors = [task.async(self, async () => 'a'), task.async(self, answerSlowly)]
  const answers = await task.yieldMany(mirrors, { limit: 1, timeout: 1000 }) // waits for the first that comes
  const others = await task.yieldMany(mirrors.slice(1), { timeout: 10, onTimeout: 'kill_task' })
  // #endregion
  assert.deepEqual(
    [...answers, ...others].map(([, outcome]) => outcome),
    [['ok', 'a'], undefined, undefined],
  )
})

test('ignore gives a task up that may run on', async () => {
  await using self = createProcess()
  const log: string[] = []
  // #region otp/task/ignore
  const logging = task.async(self, async () => {
    await passed(1)
    log.push('written')
  })
  const known = await task.ignore(logging) // undefined; no link any more, and no result
  // #endregion
  assert.equal(known, undefined)
  await logging.pid.exited
  assert.deepEqual(log, ['written'])
})

test('asyncStream runs a function for each item, a few at a time', async () => {
  await using self = createProcess()
  // #region otp/task/asyncStream
  const squares: number[] = []
  for await (const outcome of task.asyncStream(self, [1, 2, 3], async n => n * n, { maxConcurrency: 2 })) {
    if (outcome[0] === 'ok') squares.push(outcome[1])
  }
  // squares: [1, 4, 9]
  // #endregion
  assert.deepEqual(squares, [1, 4, 9])
})

test('a stream kills what takes too long, and gives results as they come', async () => {
  await using self = createProcess()
  const load = async (page: string, me: { readonly signal: AbortSignal }) =>
    page === 'slow' ? answerSlowly(me) : `<${page}>`
  // #region otp/task/types/StreamOptions
  const pages = task.asyncStream(self, ['slow', 'a', 'b'], load, {
    maxConcurrency: 10,
    ordered: false, // as they end
    timeout: 30, // of each task, in milliseconds
    onTimeout: 'kill_task',
  })
  const outcomes: task.Outcome<string>[] = []
  for await (const outcome of pages) outcomes.push(outcome)
  // ['ok', '<a>'], ['ok', '<b>'], ['exit', 'timeout']
  // #endregion
  assert.deepEqual(outcomes, [
    ['ok', '<a>'],
    ['ok', '<b>'],
    ['exit', 'timeout'],
  ])
})

test('a crash in a stream without links is a result of its item', async () => {
  await using self = createProcess()
  // #region otp/task/asyncStreamNoLink
  const lines: string[] = []
  const parse = async (text: string): Promise<unknown> => JSON.parse(text)
  for await (const [kind, value] of task.asyncStreamNoLink(self, ['{}', '{'], parse)) {
    lines.push(kind === 'ok' ? 'read' : String(value))
  }
  // lines: ['read', 'SyntaxError: Expected property name or '}' in JSON …']
  // #endregion
  assert.equal(lines[0], 'read')
  assert.match(lines[1] ?? '', /^SyntaxError/)
})

test('a process that does not wait for its task gets the result as a message', async () => {
  // #region otp/messages/task_reply
  await using self = createProcess<task.TaskReply<number> | 'tick'>()
  const { ref } = task.async(self, async () => 6 * 7)
  self.send('tick')
  const results: unknown[] = []
  while (results.length < 2) {
    const message = await self.receive([{ type: 'task_reply', ref }, { type: 'DOWN', ref }, 'tick'])
    if (message === 'tick') results.push('tick')
    else if (message.type === 'DOWN')
      throw message.reason // no result
    else {
      self.demonitor(ref) // no DOWN is needed any more
      results.push(message.value)
    }
  }
  // results: ['tick', 42]
  // #endregion
  assert.deepEqual(results, ['tick', 42])
})
