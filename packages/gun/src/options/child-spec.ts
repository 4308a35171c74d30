/** Gun's child specs, and their options. */

import type { ChildSpec, Shutdown } from '@holster/otp'
import type { MonitorTarget, Process } from '@holster/process'
import type { Owner } from '../messages.js'
import type { Opts } from './options.js'
import type { PoolOpts } from './pool.js'

/** A child spec of @holster/otp whose `start` gives that child, and needs no more of the supervisor than its `link`. */
export interface ChildSpecOf<Child extends MonitorTarget> extends Omit<ChildSpec, 'start'> {
  /** Starts the child, linked to its supervisor. */
  readonly start: (parent: Pick<Process<never>, 'link'>) => Child
}

/** Options of `childSpec`: those of `open`, but for `retry` and `retryFun`, since the supervisor starts the connection anew. */
export interface ChildSpecOpts extends Omit<Opts, 'owner' | 'retry' | 'retryFun'> {
  /** The name of the child within its supervisor. Default: the host and port, as in `gun:example.org:443`. */
  readonly id?: string
  /** The owner of each connection: a process or an actor, or the name of one, which is looked up at each start. */
  readonly owner: Owner | string
  /** How long the supervisor waits for an orderly end, in milliseconds. Default 5000. */
  readonly shutdown?: Shutdown
}

/** Options of `pool.childSpec`: those of `startPool`, and those of the child spec itself. */
export interface PoolChildSpecOpts extends PoolOpts {
  /**
   * The name of the child within its supervisor. Default: the host and port, as in `gun_pool:example.org:443`, followed by the
   * scope if that is a string.
   */
  readonly id?: string
  /** How long the supervisor waits for an orderly end, in milliseconds. Default 5000. */
  readonly shutdown?: Shutdown
}
