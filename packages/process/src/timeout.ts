/** A timer of `startTimer` names itself in its message, so that one which was cancelled too late can be told apart. */

import type { TimerRef } from './ref.js'

/**
 * The message of `startTimer`. Source: `{timeout, TimerRef, Msg}` of `erlang:start_timer/3`.
 *
 * @to The process for which the timer was started: the one that called `startTimer`, or its `to`.
 * @order Once, when the time is over, and not after `cancelTimer` has given a number. Messages of timers that are due together come in the
 * order of their times.
 */
export interface Timeout<T = unknown> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'timeout'
  /** The reference that `startTimer` gave. */
  readonly ref: TimerRef
  /** The message that `startTimer` was given. */
  readonly message: T
}

/** The messages that timers may bring to a process which takes messages of type `M`. */
export type TimeoutOf<M> = unknown extends M ? unknown : M extends Timeout<infer T> ? T : never
