/** A child spec says how a supervisor starts a child, when it starts it anew, and how it ends it. */

import type { MonitorTarget, Process } from '@holster/process'

/**
 * When a child that has ended is started anew: always, if it ended for a reason other than `'normal'`, `'shutdown'` or `['shutdown', X]`,
 * or never.
 */
export type Restart = 'permanent' | 'transient' | 'temporary'

/**
 * How a supervisor ends a child: by `'shutdown'`, and by `'kill'` if it lives that many milliseconds later; by `'kill'` at once; or by
 * `'shutdown'`, with all the time that it takes.
 */
export type Shutdown = number | 'brutal_kill'

/**
 * Whether a supervisor ends, with `'shutdown'`, when a significant child has ended and is not started anew: not; when any has; when none is
 * left. Source: `supervisor:auto_shutdown()`.
 */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

/** The result of the `start` of a child spec: the child, or `'ignore'` if it is not to run. */
export type Started = MonitorTarget | 'ignore'

/**
 * How long a supervisor waits before it starts a child anew: `initial` milliseconds at first, `factor` times as long with each further
 * end or failed start, and `max` milliseconds at most. A child that has lived for `max` milliseconds begins with `initial` again. OTP has
 * no such option.
 */
export interface Backoff {
  /** The first wait in milliseconds, at least 1. */
  readonly initial: number
  /** The longest wait in milliseconds, at least `initial`. */
  readonly max: number
  /** By how much each wait is longer than the one before, at least 1. Default 2. */
  readonly factor?: number
  /**
   * Which part of each wait is left to chance, from 0 (none) to 1 (all of it), so that children that have ended together are not
   * started together. Default 0.5.
   */
  readonly jitter?: number
}

/** A child of a supervisor, before it is started. Source: `supervisor:child_spec()`. */
export interface ChildSpec {
  /** Tells the children of one supervisor apart. */
  readonly id: string
  /**
   * Starts the child and gives it: a process, a connection, or an xstate actor. The supervisor does nothing else until the
   * promise that `start` may give has settled. An error that `start` throws, or rejects with, is the reason why the child could
   * not be started. `parent` is the supervisor, which links itself to the child; `parent.spawnLink(body)` leaves no gap.
   */
  readonly start: (parent: Process<never>) => Started | Promise<Started>
  /** Default `'permanent'`. */
  readonly restart?: Restart
  /** `Infinity` for no limit. Default: 5000 for a worker, `Infinity` for a supervisor. */
  readonly shutdown?: Shutdown
  /** Whether the child is itself a supervisor. Default `'worker'`. */
  readonly type?: 'worker' | 'supervisor'
  /** Whether the end of the child can end its supervisor, as `autoShutdown` says; not for a permanent child. Default `false`. */
  readonly significant?: boolean
  /** How long the supervisor waits before it starts the child anew. Default: the `backoff` of the supervisor. */
  readonly backoff?: Backoff
}
