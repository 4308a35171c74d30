/** An exit reason says why a process, a connection or an actor has ended. */

import { inspect, types } from 'node:util'

/**
 * The reason of an end: `'normal'`, `'shutdown'`, `['shutdown', cause]`, `'killed'`, `'noproc'` (the target had ended before
 * it was monitored or linked), an Error that was thrown, or any value that was given to `exit`.
 */
export type ExitReason = unknown

/** Whether a reason needs no report: `'normal'`, `'shutdown'` or `['shutdown', cause]`. */
export function isOrderly(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || (Array.isArray(reason) && reason[0] === 'shutdown')
}

/**
 * Gives the exit reason for a thrown value: an Error as it is, anything else as the cause of one. To throw is to crash, even
 * if the value is `'normal'`.
 */
export function thrown(error: unknown): ExitReason {
  if (error instanceof Error || types.isNativeError(error)) return error
  return new Error(`${describeReason(error)} was thrown`, { cause: error })
}

/** Describes a reason, in one line unless its author has put more into it. Never throws. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason
  try {
    return reason instanceof Error ? `${reason.name}: ${reason.message}` : inspect(reason)
  } catch {
    return 'a value that cannot be shown'
  }
}
