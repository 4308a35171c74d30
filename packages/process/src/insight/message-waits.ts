/** How long messages wait in mailboxes is measured while somebody asks, and costs nothing otherwise. */

import { coarseClock } from '../host/coarse-clock.js'
import { inside } from '../process.js'
import { Distribution, type WaitBucket } from './distribution.js'
import { type Looked, listen, period, stopwatchOf } from './listeners.js'

/**
 * How long messages have waited in a mailbox, from their coming until a receive took them, in milliseconds. A sample of them is measured: of
 * each mailbox the first message of each second, which stands for itself, and of the others at most one in 64, which stands for all of
 * these. A message that a waiting receive gets at once has waited for 0 ms. Messages that are dropped, by `flush` or by the exit of
 * their process, and replies to calls, which pass the mailbox by, count for nothing; neither does the time that a message spends on the
 * wire of a connection which the mailbox holds back.
 */
export interface MessageWaits {
  /** How many messages the sample stands for. While there are none, all other figures are 0. */
  readonly messages: number
  /** The sum of their waits. */
  readonly sum: number
  /** The wait that was measured last. */
  readonly last: number
  /** The wait that half of the messages did not exceed, rounded up to the bound of a bucket. */
  readonly median: number
  /** The wait that 99 of 100 messages did not exceed, rounded up likewise. */
  readonly p99: number
  /** The longest wait that was measured. */
  readonly longest: number
  /** How many messages have waited how long, from 0.1 ms to more than 100 s, the shortest waits first. */
  readonly buckets: readonly WaitBucket[]
}

/** A measuring that has begun. */
export interface MessageWaitMeasure extends Disposable {
  /** The waits of all processes, those that have exited too, since somebody has begun to measure while nobody else did. */
  readonly waits: MessageWaits
  /** Ends measuring for whoever began it. Does nothing the second time. */
  stop(): void
}

/**
 * Measures how long messages wait in mailboxes until `stop`: of all processes, those that are made later too. `processInfo` shows the
 * waits of each, and since when its oldest message waits. Measuring costs a message a few nanoseconds, and one in 64 two looks at the
 * clock; no message costs anything while nobody measures.
 *
 * The channel `holster:process:messageWait` of `node:diagnostics_channel` gets each wait that is measured, as the process takes the message:
 * `{ pid, wait, messages }`, with the wait in milliseconds and the number of messages for which it stands. To subscribe does not begin
 * to measure, as Node tells nobody of subscribers. An error that a subscriber throws is handled by Node, as an uncaught exception in a
 * later tick.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import { measureMessageWaits } from '@holster/process'
 *
 * const measure = measureMessageWaits()
 * subscribe('holster:process:messageWait', event => console.log(event))
 * setTimeout(() => {
 *   console.log(measure.waits.p99)
 *   measure.stop()
 * }, 60_000)
 * ```
 */
export function measureMessageWaits(): MessageWaitMeasure {
  const stopClock = coarseClock.wind()
  const stopListening = listen('measuring')
  const { waits } = period
  const stop = () => {
    stopListening()
    stopClock()
  }
  return {
    get waits() {
      return shown(waits)
    },
    stop,
    [Symbol.dispose]: stop,
  }
}

/** Gives the waits of a process; `undefined`: nobody measures. */
export function messageWaitsOf(process: Looked): MessageWaits | undefined {
  const stopwatch = stopwatchOf(process)
  return stopwatch && shown(stopwatch.waits)
}

/** Gives the wait that 99 of 100 messages of a process did not exceed; `undefined`: none was measured. */
export function waitOf(process: Looked): number | undefined {
  return stopwatchOf(process)?.waits?.within(0.99)
}

/** Since when the oldest message of a mailbox waits. */
export interface Oldest {
  /** In milliseconds since 1970: to a second, or where many wait to a small part of its age. */
  readonly since: number
  /** Whether it came before anybody measured, so that it has waited for longer. */
  readonly isEarlier: boolean
}

/** Gives since when the oldest message waits; `undefined`: none does, or nobody measures. */
export function oldestOf(process: Looked): Oldest | undefined {
  const stopwatch = stopwatchOf(process)
  const { oldest } = process[inside]().mailbox
  if (stopwatch === undefined || oldest === undefined) return undefined
  const { began, epoch } = period
  const at = stopwatch.cameAt(oldest)
  return { since: Math.round(epoch + (at ?? began)), isEarlier: at === undefined }
}

/** The waits of a mailbox of which none was measured yet. */
const NONE = new Distribution()

function shown(waits = NONE): MessageWaits {
  const { messages, sum, last, longest, buckets } = waits
  return {
    messages,
    sum,
    last,
    median: waits.within(0.5) ?? 0,
    p99: waits.within(0.99) ?? 0,
    longest,
    buckets,
  }
}
