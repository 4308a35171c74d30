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

/** What the `start` of a child spec gives: the child, or `'ignore'` if it is not to run. */
export type Started = MonitorTarget | 'ignore'

/** A child of a supervisor, before it is started. Source: `supervisor:child_spec()`. */
export interface ChildSpec {
  /** Tells the children of one supervisor apart. */
  readonly id: string
  /**
   * Starts the child and gives it: a process, a connection, or an xstate actor. It may take its time; the supervisor does nothing else
   * meanwhile. What it throws, or rejects with, is the reason why the child could not be started. `parent` is the supervisor, which links
   * itself to the child; `parent.spawnLink(body)` leaves no gap.
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
}
