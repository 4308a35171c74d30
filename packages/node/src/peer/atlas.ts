/** Finds the handles of all nodes. */

import type { Foreign } from '../handles/foreign.js'
import type { Identity } from '../identity.js'

/** A process by its name on a node. */
export interface NameAt {
  /** The name under which the process is registered there. */
  readonly name: string
  /** The name of the node. */
  readonly node: string
}

export interface Atlas {
  readonly identity: Identity
  /** Gives the handles of one life of a node. */
  foreignOf(identity: Identity): Foreign
  /** Gives the pid of whoever has a name on a node. */
  named(place: NameAt): object
}
