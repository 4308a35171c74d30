/** The options of a process and of a receive, and the check that each is known and makes sense. */

import type { HighWaterMark } from './pressure.js'

/** Options of `spawn`, `createProcess` and `fromProcess`. They throw a TypeError or RangeError that names what is wrong. */
export interface ProcessOptions {
  /** Registers the process under this name, as `register` does, whose errors it throws. Default: none. */
  readonly name?: string
  /** How much may wait in the mailbox before the connections that fill it are paused. Default: 16,384 messages, 16 MiB. */
  readonly highWaterMark?: HighWaterMark
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

/** Throws a TypeError that names what is wrong. */
export function checkOptions(options: ProcessOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object')
  for (const key of Object.keys(options)) {
    if (!['name', 'highWaterMark', 'trapExit', 'signal'].includes(key)) {
      throw new TypeError(`options.${key} is not an option of a process`)
    }
  }
  if (options.trapExit !== undefined && typeof options.trapExit !== 'boolean') {
    throw new TypeError('options.trapExit must be a boolean')
  }
  if (options.signal !== undefined) checkSignal('options.signal', options.signal)
}

export function checkReceiveOptions<R>(options: ReceiveOptions<R>): ReceiveOptions<R> {
  for (const key of Object.keys(options)) {
    if (!['timeout', 'onTimeout', 'signal'].includes(key)) {
      throw new TypeError(`options.${key} is not an option of receive`)
    }
  }
  if (options.onTimeout !== undefined && typeof options.onTimeout !== 'function') {
    throw new TypeError('options.onTimeout must be a function')
  }
  if (options.signal !== undefined) checkSignal('options.signal', options.signal)
  return options
}

function checkSignal(name: string, signal: unknown): void {
  if (!(signal instanceof AbortSignal)) throw new TypeError(`${name} must be an AbortSignal`)
}
