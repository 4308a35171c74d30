/** What a `receive` rejects with when it is not a message that ends it. */

import { describeReason, type ExitReason } from '../exit-reason.js'

const nothing = (): string => ''

/**
 * No message that matches arrived in time. `message` shows the patterns and the first few of the messages that waited
 * instead, shortened, without those that have been taken by the time it is first read, and without what a name such as
 * `authorization` or `password` says to be secret. Source: the `after` branch of Erlang's `receive`.
 */
export class ReceiveTimeout extends Error {
  /** `'ReceiveTimeout'`, as it starts the stack. */
  override readonly name = 'ReceiveTimeout'
  /** How long the receive waited, in milliseconds. */
  readonly timeout: number
  #describe: () => string

  /** @internal `describe` is called when the message is first read: mostly nobody does. */
  constructor(timeout: number, describe: () => string) {
    super()
    this.timeout = timeout
    this.#describe = describe
  }

  /** What was waited for, and what waited instead. */
  override get message(): string {
    if (!(#describe in this)) return ''
    const message = `no message matched within ${this.timeout} ms${this.#describe()}`
    this.message = message
    return message
  }

  /** Replaces it. */
  override set message(value: string) {
    this.#describe = nothing
    Reflect.defineProperty(this, 'message', { value, writable: true, configurable: true })
  }
}

/** So many causes of a reason are looked at: a cause may lead back to where it began. */
const DEEPEST_CAUSE = 8

/** Has a reason say what it knows of a mailbox that is about to be gone. */
export function settleReason(reason: ExitReason): void {
  let error = reason
  for (let depth = 0; error instanceof Error && depth < DEEPEST_CAUSE; depth++) {
    if (error instanceof ReceiveTimeout) return void error.message
    // Not by a getter, which may throw.
    error = Object.getOwnPropertyDescriptor(error, 'cause')?.value
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
