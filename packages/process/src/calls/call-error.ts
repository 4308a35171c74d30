/** The error of a call that gets no reply. */

import { describeReason, type ExitReason } from '../exit-reason.js'
import { printShort } from '../patterns/print.js'
import { makeErrorPortable } from '../portable-error.js'

/**
 * Rejects a call that gets no reply. `message` shows the callee and the request, shortened and without values whose names mark them as
 * secret. Source: the exits of `gen_server:call/3`.
 */
export class CallError extends Error {
  /** `'CallError'`. */
  override readonly name = 'CallError'
  /**
   * `'timeout'` if no reply came in time, `'noproc'` if the callee had ended before, or nothing has its name; otherwise the reason for
   * which the callee has ended before it replied.
   */
  readonly reason: ExitReason
  /** The process, or the name, that was called. */
  readonly pid: unknown
  /** The request of the call. */
  readonly request: unknown

  /** @internal `after` is the timeout in milliseconds if that is the reason. */
  constructor(pid: unknown, request: unknown, reason: ExitReason, after?: number) {
    const why = after === undefined ? describeReason(reason) : `timeout: no reply within ${after} ms`
    super(
      `the call of ${printShort(pid)} with ${printShort(request)} failed: ${why}`,
      reason instanceof Error ? { cause: reason } : undefined,
    )
    this.reason = reason
    this.pid = pid
    this.request = request
  }
}

makeErrorPortable(CallError, 'CallError')
