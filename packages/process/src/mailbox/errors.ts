/** The errors of a `receive` that no message has ended. */

import { describeReason, type ExitReason } from '../exit-reason.js'
import type { Clause } from '../patterns/pattern.js'
import { LEFT_OUT, printShort } from '../patterns/print.js'
import { makeErrorPortable } from '../portable-error.js'

const nothing = (): string => ''

/**
 * Rejects a `receive` for which no matching message arrived in time. `message` shows the patterns and the first few of the
 * messages that waited instead. Values are shortened, and those with a name such as `authorization` or `password` are left
 * out, as are the messages that were taken before `message` is first read. Source: the `after` branch of Erlang's `receive`.
 */
export class ReceiveTimeout extends Error {
  /** `'ReceiveTimeout'`. */
  override readonly name = 'ReceiveTimeout'
  /** How long the receive waited, in milliseconds. */
  readonly timeout: number
  #describe: () => string

  /** @internal `describe` is called when `message` is first read, which it rarely is. */
  constructor(timeout: number, describe: () => string) {
    super()
    this.timeout = timeout
    this.#describe = describe
  }

  /** The timeout, the patterns, and the messages that waited instead. */
  override get message(): string {
    if (!(#describe in this)) return ''
    const message = `no message matched within ${this.timeout} ms${this.#describe()}`
    this.message = message
    return message
  }

  /** Replaces the message. */
  override set message(value: string) {
    this.#describe = nothing
    Reflect.defineProperty(this, 'message', { value, writable: true, configurable: true })
  }
}

/** The most patterns that an error shows. */
const SHOWN = 5

/** Gives a function that describes a receive without a match; it is costly, and rarely called. */
export function describeMiss(clauses: readonly Clause[], describeQueue: () => string): () => string {
  return () => {
    const wanted = clauses.slice(0, SHOWN).map(({ pattern }) => printShort(pattern))
    if (clauses.length > SHOWN) wanted.push(LEFT_OUT)
    return `\n  wanted: ${wanted.join('\n      or: ')}\n  mailbox: ${describeQueue()}`
  }
}

/** The most causes of a reason that are followed: a chain of causes may lead back to its beginning. */
const DEEPEST_CAUSE = 8

/** Has the `ReceiveTimeout` in a reason describe its mailbox, which is about to be dropped. */
export function settleReason(reason: ExitReason): void {
  let error = reason
  for (let depth = 0; error instanceof Error && depth < DEEPEST_CAUSE; depth++) {
    if (error instanceof ReceiveTimeout) return void error.message
    // A getter may throw, so it is not called.
    error = Object.getOwnPropertyDescriptor(error, 'cause')?.value
  }
}

/** Rejects a `receive` of a process that has exited, and is the reason of the process's aborted `signal`. */
export class ProcessExit extends Error {
  /** `'ProcessExit'`. */
  override readonly name = 'ProcessExit'
  /** Why the process exited. */
  readonly reason: ExitReason

  /** @internal */
  constructor(process: string, reason: ExitReason) {
    super(`${process} has exited: ${describeReason(reason)}`, { cause: reason })
    this.reason = reason
  }
}

makeErrorPortable(ReceiveTimeout, 'ReceiveTimeout')
makeErrorPortable(ProcessExit, 'ProcessExit')
