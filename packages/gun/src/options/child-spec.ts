/** The child specs that a supervisor takes, and the options of those of gun. */

import type { MonitorTarget } from '@holster/process'
import type { Owner } from '../messages.js'
import type { Opts } from './options.js'
import type { PoolOpts } from './pool.js'

/** The part of a supervisor's process that a child needs: the link between the two. */
export interface Parent {
  /** Ties the child's life to the supervisor's. */
  link(target: MonitorTarget): void
}

/** How long a supervisor waits for its child to shut down, in milliseconds, before it is killed; `'brutal_kill'`: not at all. */
export type ShutdownTime = number | 'brutal_kill'

/** A plain child spec, as supervisors take it. Source: child_spec() of supervisor. */
export interface ChildSpec<Child> {
  /** The name of the child within its supervisor. */
  readonly id: string
  /** Starts the child, linked to its supervisor. */
  readonly start: (parent: Parent) => Child
  /** The child is started anew whenever it ends. */
  readonly restart: 'permanent'
  /** How long an orderly end may take. */
  readonly shutdown: ShutdownTime
  /** The child is no supervisor. */
  readonly type: 'worker'
}

/** Options of `childSpec`: those of `open`, but for `retry` and `retryFun`, since the supervisor starts the connection anew. */
export interface ChildSpecOpts extends Omit<Opts, 'owner' | 'retry' | 'retryFun'> {
  /** The name of the child within its supervisor. Default: the host and port, as in `gun:example.org:443`. */
  readonly id?: string
  /** The owner of each connection: a process or an actor, or the name of one, which is looked up at each start. */
  readonly owner: Owner | string
  /** How long the supervisor waits for an orderly end, in milliseconds. Default 5000. */
  readonly shutdown?: ShutdownTime
}

/** Options of `pool.childSpec`: those of `startPool`, and those of the child spec itself. */
export interface PoolChildSpecOpts extends PoolOpts {
  /** The name of the child within its supervisor. Default: the host and port, as in `gun_pool:example.org:443`, with a scope that is a text behind them. */
  readonly id?: string
  /** How long the supervisor waits for an orderly end, in milliseconds. Default 5000. */
  readonly shutdown?: ShutdownTime
}
