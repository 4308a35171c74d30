/** Finds the handles of all nodes. */

import type { Foreign } from '../handles/foreign.js'
import type { Identity } from '../identity.js'

export interface Atlas {
  readonly identity: Identity
  /** Gives the handles of one life of a node. */
  foreignOf(identity: Identity): Foreign
  /** Gives the pid of whoever has a name on a node. */
  named(name: string, node: string): object
}
