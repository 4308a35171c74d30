/** Each option of a process and of a receive must be known, and of the right type. */

import type { AliasMode } from './exits/alias.js'
import type { MonitorAliasMode } from './exits/monitor.js'
import type { HighWaterMark } from './mailbox/high-water-mark.js'
import { checkChoice, checkNames } from './option-checks.js'
import type { Synonyms } from './suggestion.js'

/** Options of `spawn`, `createProcess` and `fromProcess`, which throw a TypeError or RangeError that names a wrong one. */
export interface ProcessOptions {
  /** The name under which the process is registered, with the errors of `register`. Default: none. */
  readonly name?: string
  /**
   * How much may wait in the mailbox before the connections that fill it are paused. Default: 16,384 messages or 16 MiB.
   */
  readonly highWaterMark?: HighWaterMark
  /**
   * How much from one connection may wait in the mailbox while a receive waits for a message that has not come yet. Beyond
   * this mark the connection is paused. If nothing else can bring that message, the connection, or the stream, is ended with
   * `limit_reached` instead. Default: 16 times `highWaterMark`, and at least 262,144 messages and 256 MiB.
   */
  readonly waitingHighWaterMark?: HighWaterMark
  /** Whether exit signals arrive as `EXIT` messages instead of ending the process. Default `false`. */
  readonly trapExit?: boolean
  /** Ends the process with `['shutdown', signal.reason]` when it aborts, or at once if it has already. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of one `receive`, which throws a TypeError or RangeError that names a wrong one. */
export interface ReceiveOptions<R = never> {
  /** The longest wait in milliseconds; `0` looks once. Default `Infinity`. */
  readonly timeout?: number
  /**
   * Makes the value to which the receive resolves on a timeout, as Erlang's `after` does. Default: the receive rejects with
   * `ReceiveTimeout`.
   */
  readonly onTimeout?: () => R
  /** Rejects the receive with `signal.reason` when it aborts, without taking a message. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of `monitor`, which throws a TypeError that names a wrong one. */
export interface MonitorOptions {
  /** Makes the reference an alias too, which stays active for so long. */
  readonly alias: MonitorAliasMode
}

const OF_MONITOR = ['alias']
const OF_ALIAS: readonly AliasMode[] = ['explicit_unalias', 'reply']
const OF_MONITOR_ALIAS: readonly MonitorAliasMode[] = ['explicit_unalias', 'demonitor', 'reply_demonitor']
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

/** Throws a TypeError that names the first wrong option. */
export function checkOptions(options: ProcessOptions): void {
  checkNames(options, OF_PROCESS, 'a process', SYNONYMS)
  if (options.trapExit !== undefined && typeof options.trapExit !== 'boolean') {
    throw new TypeError('options.trapExit must be a boolean')
  }
  if (options.signal !== undefined) checkSignal('options.signal', options.signal)
}

/** Gives the options back. Throws a TypeError that names the first wrong one. */
export function checkReceiveOptions<R>(options: ReceiveOptions<R>): ReceiveOptions<R> {
  checkNames(options, OF_RECEIVE, 'receive', SYNONYMS)
  if (options.onTimeout !== undefined && typeof options.onTimeout !== 'function') {
    throw new TypeError('options.onTimeout must be a function')
  }
  if (options.signal !== undefined) checkSignal('options.signal', options.signal)
  return options
}

/** Gives the options back. Throws a TypeError that names the first wrong one. */
export function checkMonitorOptions(options: MonitorOptions): MonitorOptions {
  checkNames(options, OF_MONITOR, 'monitor', SYNONYMS)
  checkChoice('options.alias', options.alias, OF_MONITOR_ALIAS)
  return options
}

/** Throws a TypeError unless `mode` is one of `alias`. */
export function checkAliasMode(mode: AliasMode): void {
  checkChoice('mode', mode, OF_ALIAS)
}

function checkSignal(name: string, signal: unknown): void {
  if (!(signal instanceof AbortSignal)) throw new TypeError(`${name} must be an AbortSignal`)
}
