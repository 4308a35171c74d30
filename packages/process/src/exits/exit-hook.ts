/** What happens to a reason that nobody handles. */

import { inspect } from 'node:util'
import { describeReason, type ExitReason, isOrderly, thrown } from '../exit-reason.js'
import { onRejection } from '../host/callback.js'
import { isActorRef } from './actor-ref.js'

/** Gets each exit reason that nobody is known to have handled: who ended, and why. */
export type ExitHook = (pid: unknown, reason: ExitReason) => void

/** All that can be shown of a reason. */
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

/**
 * Sets what happens to uncaught exit reasons, and gives the hook that was set before. `undefined` restores the
 * default, which is `process.emitWarning` with the code `HOLSTER_UNCAUGHT_EXIT`. A hook that throws, or gives a promise
 * that rejects, is replaced by the default for that one call.
 *
 * Every reason is reported once, except `'normal'`, `'shutdown'` and `['shutdown', cause]`; a reason that reached a
 * process through a link was reported where it arose. Source: the crash reports of Erlang's logger.
 */
export function setExitHook(next: ExitHook | undefined): ExitHook {
  if (next !== undefined && typeof next !== 'function') throw new TypeError('hook must be a function')
  const previous = hook
  hook = next ?? warn
  return previous
}

/** Hands a reason to the exit hook, unless it is an orderly one. Never throws. */
export function reportExit(pid: unknown, reason: ExitReason): void {
  if (isOrderly(reason)) return
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
 * To be given what code of the caller's has thrown where nobody else can hear of it: hands it to the exit hook, what is
 * no Error as the cause of one, so that nothing which is thrown passes for an orderly end. Never throws.
 */
export function reportThrown(pid: unknown, error: unknown): void {
  reportExit(pid, thrown(error))
}

/**
 * To be given what a function of the caller's has returned where nobody waits for it: if that is a promise that rejects,
 * the reason goes to the exit hook, as an error that the function throws does.
 */
export function reportRejection(pid: unknown, result: unknown): void {
  if (result !== undefined) onRejection(result, reason => reportThrown(pid, reason))
}
