/** The owner of a task waits for its result as for any message, and nothing of the task is left in its mailbox afterwards. */

import { inspect } from 'node:util'
import { type ExitReason, P, type TimerRef } from '@holster/process'
import { checkChoice, checkDuration, checkNames } from '@holster/process/internal'
import { ignore, shutdown } from './ending.js'
import { checkTask, conclude, type Outcome, ownerOf, type Task, type TaskReply, unlink } from './handle.js'
import { forgivingExit, TaskError } from './task-error.js'

/** The longest wait in milliseconds, unless the caller says otherwise. */
const DEFAULT_TIMEOUT = 5000

/** The results of a list of tasks. */
export type Results<Tasks extends readonly Task<unknown>[]> = {
  -readonly [K in keyof Tasks]: Tasks[K] extends Task<infer T> ? T : never
}

/** The result of `yieldMany` for each task of a list: the task and what is known of it. */
export type Yields<Tasks extends readonly Task<unknown>[]> = {
  -readonly [K in keyof Tasks]: Tasks[K] extends Task<infer T> ? [Tasks[K], Outcome<T> | undefined] : never
}

/** Options of `yieldMany`, which throws a TypeError or RangeError that names a wrong one. */
export interface YieldOptions {
  /** The longest wait for all of them in milliseconds, or `Infinity`. Default 5000. */
  readonly timeout?: number
  /** How many tasks are waited for; beyond them `onTimeout` does not apply. Default: all. */
  readonly limit?: number
  /**
   * How a task is treated that has not ended in time. `'nothing'`: the task may be waited for again; `'ignore'`: as by `ignore`;
   * `'kill_task'`: as by `shutdown` with `'brutal_kill'`. Default `'nothing'`.
   */
  readonly onTimeout?: 'nothing' | 'ignore' | 'kill_task'
}

const OF_YIELD = ['timeout', 'limit', 'onTimeout']

/**
 * Gives the result of a task. Rejects with a `TaskError` whose `reason` says why there is none: `'timeout'` after `timeout` milliseconds
 * (5000 by default, or `Infinity`), or the reason for which the task has ended. A task that is late runs on, still linked to its owner,
 * and its result is dropped: `shutdown` ends it, and `yield` waits without giving it up. Rejects with `ProcessExit` when the owner exits.
 *
 * Waits in the owner's mailbox, so only the owner's code may call it. Throws an Error if the result was taken or given up already, or if
 * something waits for it. Source: `Task.await/2`.
 */
export function awaitTask<T>(task: Task<T>, timeout: number = DEFAULT_TIMEOUT): Promise<T> {
  checkDuration('timeout', timeout, true)
  ask([task])
  return forgivingExit(result(task, timeout))
}

/**
 * Gives the results of tasks of one owner, in the order of the list. Rejects as `await` does, as soon as one of them has ended without
 * a result, or after `timeout` milliseconds for all of them; the others are given up, but run on. Source: `Task.await_many/2`.
 */
export function awaitMany<const Tasks extends readonly Task<unknown>[]>(
  tasks: Tasks,
  timeout: number = DEFAULT_TIMEOUT,
): Promise<Results<Tasks>> {
  checkDuration('timeout', timeout, true)
  ask(tasks)
  return forgivingExit(results(tasks, timeout)) as Promise<Results<Tasks>>
}

/**
 * Waits for a task without giving it up: `['ok', result]`, `['exit', reason]`, or `undefined` after `timeout` milliseconds (5000 by
 * default; `0` looks once), whereupon the task may be waited for again. Throws and rejects as `await` does otherwise. Source:
 * `Task.yield/2`.
 */
export function yieldTask<T>(
  task: Task<T>,
  timeout: number = DEFAULT_TIMEOUT,
): Promise<Outcome<T> | undefined> {
  checkDuration('timeout', timeout, true)
  ask([task])
  return forgivingExit(outcome(task, timeout))
}

/**
 * Waits for tasks of one owner, and gives a pair for each, in the order of the list: the task, and what `yield` would give. Throws and
 * rejects as `yield` does. Source: `Task.yield_many/2`.
 */
export function yieldMany<const Tasks extends readonly Task<unknown>[]>(
  tasks: Tasks,
  options: number | YieldOptions = {},
): Promise<Yields<Tasks>> {
  const all = checkYieldOptions(typeof options === 'number' ? { timeout: options } : options)
  ask(tasks)
  return forgivingExit(outcomes(tasks, all)) as Promise<unknown> as Promise<Yields<Tasks>>
}

async function result<T>(task: Task<T>, timeout: number): Promise<T> {
  const found = await outcome(task, timeout)
  if (found?.[0] === 'ok') return found[1]
  if (found !== undefined) throw new TaskError(task.pid, found[1])
  conclude(task)
  throw new TaskError(task.pid, 'timeout', timeout)
}

async function outcome<T>(task: Task<T>, timeout: number): Promise<Outcome<T> | undefined> {
  const { ref } = task
  try {
    const message = await ownerOf(task).receive(
      [
        { type: 'task_reply', ref },
        { type: 'DOWN', ref },
      ],
      { timeout, onTimeout: () => undefined },
    )
    return message === undefined ? undefined : settle(task, message as Ended<T>)
  } finally {
    task.isAsked = false
  }
}

/** The message that ends a task for its owner. */
type Ended<T> = TaskReply<T> | { readonly type: 'DOWN'; readonly reason: ExitReason }

function settle<T>(task: Task<T>, message: Ended<T>): Outcome<T> {
  conclude(task)
  if (message.type === 'task_reply') return ['ok', message.value]
  unlink(task)
  return ['exit', message.reason]
}

async function results(tasks: readonly Task<unknown>[], timeout: number): Promise<unknown[]> {
  const found = new Map<Task<unknown>, unknown>()
  try {
    const isInTime = await gather(tasks, tasks.length, timeout, (task, ended) => {
      if (ended[0] === 'exit') throw new TaskError(task.pid, ended[1])
      found.set(task, ended[1])
    })
    if (!isInTime) {
      const late = tasks.find(task => !found.has(task))
      throw new TaskError(late?.pid, 'timeout', timeout)
    }
  } catch (error) {
    for (const task of tasks) if (!task.isConcluded) conclude(task)
    throw error
  }
  return tasks.map(task => found.get(task))
}

async function outcomes(
  tasks: readonly Task<unknown>[],
  { timeout, limit, onTimeout }: Required<YieldOptions>,
): Promise<[Task<unknown>, Outcome<unknown> | undefined][]> {
  const found = new Map<Task<unknown>, Outcome<unknown> | undefined>()
  const isInTime = await gather(tasks, limit, timeout, (task, ended) => void found.set(task, ended))
  if (!isInTime && onTimeout !== 'nothing') {
    for (const task of new Set(tasks)) {
      if (found.has(task)) continue
      found.set(task, await (onTimeout === 'ignore' ? ignore(task) : shutdown(task, 'brutal_kill')))
    }
  }
  return tasks.map(task => [task, found.get(task)])
}

/** Hands each task that ends to `take`, until `limit` of them have, and says whether that was in time. */
async function gather(
  tasks: readonly Task<unknown>[],
  limit: number,
  timeout: number,
  take: (task: Task<unknown>, ended: Outcome<unknown>) => void,
): Promise<boolean> {
  const pending = new Map<unknown, Task<unknown>>(tasks.map(task => [task.ref, task]))
  const [first] = tasks
  if (first === undefined) return true
  const owner = ownerOf(first)
  const enough = Math.max(0, pending.size - limit)
  const timer = timeout === Number.POSITIVE_INFINITY ? undefined : owner.startTimer(timeout, undefined)
  const ref = P.when((ref: unknown) => pending.has(ref))
  try {
    while (pending.size > enough) {
      const message = (await owner.receive([
        { type: 'task_reply', ref },
        { type: 'DOWN', ref },
        ...(timer === undefined ? [] : [{ type: 'timeout' as const, ref: timer }]),
      ])) as { readonly ref: unknown } & (Ended<unknown> | { readonly type: 'timeout' })
      const task = pending.get(message.ref)
      if (message.type === 'timeout' || task === undefined) return false
      pending.delete(message.ref)
      take(task, settle(task, message))
    }
    return true
  } finally {
    for (const task of tasks) task.isAsked = false
    if (timer !== undefined) drop(owner, timer)
  }
}

function drop(owner: ReturnType<typeof ownerOf>, timer: TimerRef): void {
  owner.cancelTimer(timer)
  owner.flush({ type: 'timeout', ref: timer })
}

/** Throws unless the tasks are ones of one owner whose results can be waited for, and notes that they are. */
function ask(tasks: readonly Task<unknown>[]): void {
  if (!Array.isArray(tasks))
    throw new TypeError(`tasks must be an array, not ${inspect(tasks, { depth: 0 })}`)
  const [first] = tasks
  for (const task of tasks) {
    checkTask(task)
    if (task.owner !== first?.owner) throw new Error('tasks must have the same owner')
    if (task.isConcluded)
      throw new Error(`the result of the task ${task.pid} was taken, or given up, already`)
    if (task.isAsked) throw new Error(`something waits for the task ${task.pid} already`)
  }
  for (const task of tasks) task.isAsked = true
}

function checkYieldOptions(options: YieldOptions): Required<YieldOptions> {
  checkNames(options, OF_YIELD, 'yieldMany', { max: ['limit'], ms: ['timeout'] })
  const { timeout = DEFAULT_TIMEOUT, limit = Number.POSITIVE_INFINITY, onTimeout = 'nothing' } = options
  checkDuration('options.timeout', timeout, true)
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isInteger(limit) && limit > 0)) {
    throw new RangeError(`options.limit must be a whole number from 1 on, not ${inspect(limit)}`)
  }
  checkChoice('options.onTimeout', onTimeout, ['nothing', 'ignore', 'kill_task'])
  return { timeout, limit, onTimeout }
}
