/** An outlook is somebody's look at one view, wherever what is seen may be. */

import type { View } from '../words.js'
import type { LocalView, Sight } from './here.js'

/** Someone who looks, wherever that is. */
export interface Outlook {
  /** Looks. Rejects with an Error that says why if there is nothing to see. */
  see(): Promise<Sight>
  /** Looks at other rows from now on; `false`: the view has to be opened anew. */
  turn(view: View): Promise<boolean>
  close(): void
}

/** The nodes that can be looked at. */
export interface Nodes {
  /** The names of all nodes, this one first. */
  readonly nodes: readonly string[]
  /** Begins to look at one node. Rejects with an Error if there is no such thing. */
  openAt(node: string, view: LocalView): Promise<Outlook>
}
