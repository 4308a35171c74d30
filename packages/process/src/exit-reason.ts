/** Why something ended. */

import { inspect, types } from 'node:util'

/**
 * Why something ended: `'normal'`, `'shutdown'`, `['shutdown', cause]`, `'killed'`, `'noproc'` (it had ended
 * before anybody asked), an Error that was thrown, or whatever was given to `exit`.
 */
export type ExitReason = unknown

/** Whether nobody needs to hear of an end for this reason: `'normal'`, `'shutdown'` or `['shutdown', cause]`. */
export function isOrderly(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || (Array.isArray(reason) && reason[0] === 'shutdown')
}

/**
 * The exit reason of whatever threw this: an Error as it is, anything else as the cause of one. To throw is to crash, also
 * where it is `'normal'` that is thrown.
 */
export function thrown(error: unknown): ExitReason {
  if (error instanceof Error || types.isNativeError(error)) return error
  return new Error(`${describeReason(error)} was thrown`, { cause: error })
}

/** A reason in one line, if its author did not put more into it. Never throws, whatever the reason is. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason
  try {
    return reason instanceof Error ? `${reason.name}: ${reason.message}` : inspect(reason)
  } catch {
    return 'a value that cannot be shown'
  }
}
