/** Someone looks at a view of one node: its value is made each time it is asked for, and what that takes is kept until the end. */

import type { View, ViewName, Views } from '../words.js'

/** A view that is being looked at. */
export interface Looking<Name extends ViewName = ViewName> {
  /** Gives what there is to see now. Throws an Error that says why if there is nothing. */
  show(): Views[Name]['value']
  /** Takes other parameters of the same view, such as other rows of a table; `false`: the view has to be opened anew. */
  turn?(params: Views[Name]['params']): boolean
  /** Lets go of all that was kept. */
  close(): void
}

/** Ends nothing: for views that keep nothing. */
export function keepsNothing(): void {}

/** The view of one name. */
export type ViewOf<Name extends ViewName> = Extract<View, { readonly name: Name }>
