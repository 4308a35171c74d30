/** What a `receive` rejects with when it is not a message that ends it. */

import { describeReason, type ExitReason } from './exit.js'

/** No message that matches arrived in time. Source: the `after` branch of Erlang's `receive`. */
export class ReceiveTimeout extends Error {
  /** `'ReceiveTimeout'`, as it starts the stack. */
  override readonly name = 'ReceiveTimeout'
  /** How long the receive waited, in milliseconds. */
  readonly timeout: number

  /** @internal */
  constructor(timeout: number) {
    super(`no message matched within ${timeout} ms`)
    this.timeout = timeout
  }
}

/** The process whose mailbox was to be read has exited. */
export class ProcessExit extends Error {
  /** `'ProcessExit'`, as it starts the stack. */
  override readonly name = 'ProcessExit'
  /** Why the process exited. */
  readonly reason: ExitReason

  /** @internal */
  constructor(process: string, reason: ExitReason) {
    super(`${process} has exited: ${describeReason(reason)}`, { cause: reason })
    this.reason = reason
  }
}
