/** The options of a process and of a receive, and the check that each is known and makes sense. */

import type { HighWaterMark } from './mailbox/high-water-mark.js'
import { didYouMean, type Synonyms } from './suggestion.js'

/** Options of `spawn`, `createProcess` and `fromProcess`. They throw a TypeError or RangeError that names what is wrong. */
export interface ProcessOptions {
  /** Registers the process under this name, as `register` does, whose errors it throws. Default: none. */
  readonly name?: string
  /** How much may wait in the mailbox before the connections that fill it are paused. Default: 16,384 messages, 16 MiB. */
  readonly highWaterMark?: HighWaterMark
  /**
   * How much of one connection may wait in the mailbox while a receive waits for something else, which may still be on its
   * way. Beyond, the connection is paused; where nothing else can bring what the receive waits for, it is ended with
   * `limit_reached`, or the stream is. Default: 16 times `highWaterMark`, and not below 262,144 messages and 256 MiB.
   */
  readonly waitingHighWaterMark?: HighWaterMark
  /** Exit signals arrive as messages instead of ending the process. Default `false`. */
  readonly trapExit?: boolean
  /** Ends the process with `['shutdown', signal.reason]` when it aborts; at once if it has. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of one `receive`, which throws a TypeError or RangeError that names what is wrong. */
export interface ReceiveOptions<R = never> {
  /** Milliseconds; `Infinity` by default, `0` looks once. */
  readonly timeout?: number
  /** Gives what the receive resolves to when its time is up, as Erlang's `after` does. Default: it rejects. */
  readonly onTimeout?: () => R
  /** Gives up with `signal.reason` when it aborts; no message is taken then. Default: none. */
  readonly signal?: AbortSignal
}

const OF_PROCESS = ['name', 'highWaterMark', 'waitingHighWaterMark', 'trapExit', 'signal']
const OF_RECEIVE = ['timeout', 'onTimeout', 'signal']
const SYNONYMS: Synonyms = {
  abort: ['signal'],
  abortsignal: ['signal'],
  after: ['timeout'],
  deadline: ['timeout'],
  defaultvalue: ['onTimeout'],
  limit: ['highWaterMark'],
  mailboxsize: ['highWaterMark'],
  maxqueue: ['highWaterMark'],
  ms: ['timeout'],
  registeredname: ['name'],
}

function checkNames(options: object, known: readonly string[], what: string): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new TypeError(`options.${key} is not an option of ${what}${didYouMean(key, known, SYNONYMS)}`)
  }
}

/** Throws a TypeError that names what is wrong. */
export function checkOptions(options: ProcessOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object')
  checkNames(options, OF_PROCESS, 'a process')
  if (options.trapExit !== undefined && typeof options.trapExit !== 'boolean') {
    throw new TypeError('options.trapExit must be a boolean')
  }
  if (options.signal !== undefined) checkSignal('options.signal', options.signal)
}

export function checkReceiveOptions<R>(options: ReceiveOptions<R>): ReceiveOptions<R> {
  checkNames(options, OF_RECEIVE, 'receive')
  if (options.onTimeout !== undefined && typeof options.onTimeout !== 'function') {
    throw new TypeError('options.onTimeout must be a function')
  }
  if (options.signal !== undefined) checkSignal('options.signal', options.signal)
  return options
}

function checkSignal(name: string, signal: unknown): void {
  if (!(signal instanceof AbortSignal)) throw new TypeError(`${name} must be an AbortSignal`)
}
