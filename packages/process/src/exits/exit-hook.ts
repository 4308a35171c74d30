/** The exit hook gets each reason that nobody handles, once; by default it prints a warning. */

import { channel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { describeReason, type ExitReason, isOrderly, thrown } from '../exit-reason.js'
import { onRejection } from '../host/callback.js'
import { isActorRef } from './actor-ref.js'

/** Gets the process, connection or actor that ended, and its reason. A promise that it gives is awaited for its errors. */
export type ExitHook = (pid: unknown, reason: ExitReason) => void

/** Gives all that can be shown of a reason. */
function detailsOf(reason: ExitReason): string {
  try {
    return inspect(reason)
  } catch {
    return ''
  }
}

function warn(pid: unknown, reason: ExitReason): void {
  const id = isActorRef(pid) ? pid.id : pid
  const name = typeof id === 'string' ? id : inspect(id, { depth: 0 })
  process.emitWarning(`${name} exited: ${describeReason(reason)}`, {
    type: 'UncaughtExit',
    code: 'HOLSTER_UNCAUGHT_EXIT',
    detail: detailsOf(reason),
  })
}

let hook: ExitHook = warn

/** The channel for those who look on without a claim to the hook. */
const exits = channel('holster:process:exit')

/**
 * Sets the hook that gets uncaught exit reasons, and gives the hook that was set before. `undefined` restores the default,
 * which is `process.emitWarning` with the code `HOLSTER_UNCAUGHT_EXIT`. If a hook throws, or gives a promise that rejects,
 * the default takes its place for that call. Throws a TypeError unless `next` is a function or `undefined`.
 *
 * Every reason is reported once, except `'normal'`, `'shutdown'` and `['shutdown', cause]`. A reason that has reached a
 * process through a link was reported at its origin. Source: the crash reports of Erlang's logger.
 *
 * The channel `holster:process:exit` of `node:diagnostics_channel` gets each of these reasons as `{ pid, reason }` before the hook does, also
 * where the hook is the default. An error that a subscriber throws is handled by Node, as an uncaught exception in a later tick.
 */
export function setExitHook(next: ExitHook | undefined): ExitHook {
  if (next !== undefined && typeof next !== 'function') throw new TypeError('hook must be a function')
  const previous = hook
  hook = next ?? warn
  return previous
}

/** Whether the program has set a hook of its own. */
export function hasExitHook(): boolean {
  return hook !== warn
}

/** Hands a reason to the exit hook, unless it is an orderly one. Never throws. */
export function reportExit(pid: unknown, reason: ExitReason): void {
  if (isOrderly(reason)) return
  if (exits.hasSubscribers) exits.publish({ pid, reason })
  const failed = (error: unknown) => {
    warn(pid, reason)
    warn(pid, error)
  }
  try {
    onRejection(hook(pid, reason), failed)
  } catch (error) {
    failed(error)
  }
}

/**
 * Hands the exit hook an error of user code that has no caller to catch it. A thrown value that is no Error becomes the cause
 * of one, so that it never passes for an orderly reason. Never throws.
 */
export function reportThrown(pid: unknown, error: unknown): void {
  reportExit(pid, thrown(error))
}

/**
 * Hands the exit hook the rejection of a promise that a user's function has returned and that nobody awaits, as
 * `reportThrown` does with an error that the function throws.
 */
export function reportRejection(pid: unknown, result: unknown): void {
  if (result !== undefined) onRejection(result, reason => reportThrown(pid, reason))
}
