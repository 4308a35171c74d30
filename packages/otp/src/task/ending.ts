/** The owner of a task may end it, or give its result up, and still gets what had come before. */

import { inspect } from 'node:util'
import type { Down } from '@holster/process'
import { checkDuration } from '@holster/process/internal'
import {
  checkTask,
  conclude,
  endQuietly,
  type Outcome,
  ownerOf,
  type Task,
  type TaskReply,
  unlink,
} from './handle.js'
import { forgivingExit } from './task-error.js'

/** How long a task that is shut down has to end, in milliseconds. */
const DEFAULT_TIMEOUT = 5000

/**
 * Ends a task, takes its link back, and gives what is known: `['ok', result]` if it had replied before it ended,
 * `['exit', reason]` if it has ended by itself, or for another reason than it was asked to, otherwise `undefined`. The task gets
 * the exit signal `'shutdown'`, and is killed if it traps exits and still lives after `timeout` milliseconds (5000 by default, or
 * `Infinity`); with `'brutal_kill'` it is killed at once. The function of the task runs on, as JavaScript cannot stop a function,
 * but the `signal` of its process has aborted.
 *
 * Also ends a task whose result was taken or given up before; one that had ended by then gives `['exit', 'noproc']`. Throws a
 * TypeError or RangeError if an argument is wrong. Source: `Task.shutdown/2`.
 */
export function shutdown<T>(
  task: Task<T>,
  timeout: number | 'brutal_kill' = DEFAULT_TIMEOUT,
): Promise<Outcome<T> | undefined> {
  checkTask(task)
  if (timeout !== 'brutal_kill') {
    if (typeof timeout === 'string') {
      throw new TypeError(`timeout must be milliseconds or 'brutal_kill', not ${inspect(timeout)}`)
    }
    checkDuration('timeout', timeout, true)
  }
  return forgivingExit(end(task, timeout))
}

/**
 * Gives a task up: takes its link back and lets it run on, but drops its result. Gives what had come before: `['ok', result]`,
 * `['exit', reason]`, or `undefined`. Source: `Task.ignore/1`.
 */
export function ignore<T>(task: Task<T>): Promise<Outcome<T> | undefined> {
  checkTask(task)
  if (task.isConcluded) return Promise.resolve(undefined)
  const found = look(task)
  unlink(task)
  conclude(task)
  return forgivingExit(found)
}

async function end<T>(task: Task<T>, timeout: number | 'brutal_kill'): Promise<Outcome<T> | undefined> {
  const { pid } = task
  const owner = ownerOf(task)
  const [asked, limit] =
    timeout === 'brutal_kill' ? ['killed', Number.POSITIVE_INFINITY] : ['shutdown', timeout]
  unlink(task)
  const ref = owner.monitor(pid)
  if (timeout === 'brutal_kill') endQuietly(pid, 'killed')
  else owner.exit(pid, 'shutdown')
  const down = [{ type: 'DOWN', ref }] as const
  try {
    const inTime = await owner.receive(down, { timeout: limit, onTimeout: () => undefined })
    if (inTime === undefined) endQuietly(pid, 'killed')
    const { reason } = (inTime ?? (await owner.receive(down))) as Down
    const found = look(task)
    conclude(task)
    const known = (await found) ?? (['exit', reason] as const)
    return known[0] === 'exit' && known[1] === asked ? undefined : known
  } catch (error) {
    // The owner has exited, and no link is left that would end the task.
    endQuietly(pid, 'killed')
    throw error
  }
}

/** Gives what has come of a task by now. The mailbox is looked at before this function returns. */
async function look<T>(task: Task<T>): Promise<Outcome<T> | undefined> {
  const { ref } = task
  const message = await ownerOf(task).receive(
    [
      { type: 'task_reply', ref },
      { type: 'DOWN', ref },
    ],
    { timeout: 0, onTimeout: () => undefined },
  )
  if (message === undefined) return undefined
  return message.type === 'DOWN' ? ['exit', message.reason] : ['ok', (message as TaskReply<T>).value]
}
