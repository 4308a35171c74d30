/** Code that is no process calls one through a process that it borrows for as long as the call takes. */

import type { ReplyTo, RequestOf } from './calls/call.js'
import type { Pid } from './pid.js'
import { Process } from './process.js'

/**
 * Does as `self.call` for code that is no process. The `from.pid` that the callee sees is a process that exits `'normal'` when the call
 * ends. Throws and rejects as `self.call` does.
 */
export function call<T, const Q extends RequestOf<T>>(
  pid: Pid<T> | string,
  request: Q,
  timeout?: number,
): Promise<ReplyTo<T, Q>> {
  const caller = new Process(undefined)
  try {
    return caller.call<T, Q>(pid, request, timeout).finally(() => caller.exit())
  } catch (error) {
    caller.exit()
    throw error
  }
}
