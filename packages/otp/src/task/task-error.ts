/** The error of a task that gives no result. */

import { inspect } from 'node:util'
import { type ExitReason, ProcessExit } from '@holster/process'
import { makeErrorPortable } from '@holster/process/internal'

function described(reason: ExitReason): string {
  if (typeof reason === 'string') return reason
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : inspect(reason, { depth: 2 })
}

/** Rejects whoever waits for a task that gives no result. Source: the exits of `Task.await/2`. */
export class TaskError extends Error {
  /** `'TaskError'`. */
  override readonly name = 'TaskError'
  /** `'timeout'` if the result did not come in time; otherwise the reason for which the task has ended without one. */
  readonly reason: ExitReason
  /** The process of the task. */
  readonly pid: unknown

  /** @internal `after` is the timeout in milliseconds if that is the reason. */
  constructor(pid: unknown, reason: ExitReason, after?: number) {
    super(
      after === undefined
        ? `the task ${pid} has ended without a result: ${described(reason)}`
        : `the task ${pid} has given no result within ${after} ms`,
      reason instanceof Error ? { cause: reason } : undefined,
    )
    this.reason = reason
    this.pid = pid
  }
}

makeErrorPortable(TaskError, 'TaskError')

/**
 * Gives a promise that settles as `promise` does. A rejection at the exit of a process goes unhandled without harm, as that of a
 * receive does.
 */
export function forgivingExit<T>(promise: Promise<T>): Promise<T> {
  const given: Promise<T> = new Promise((resolve, reject) => {
    promise.then(resolve, error => {
      if (error instanceof ProcessExit) given.catch(ignore)
      reject(error)
    })
  })
  return given
}

function ignore(): void {}
