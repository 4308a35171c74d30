/** Notes for each handle of another node where it comes from. */

import type { Key } from '../signal.js'

/** Where a handle comes from. */
export interface Origin {
  readonly node: string
  /** The life of the node; empty for a name, which any process of the node may have. */
  readonly incarnation: string
  readonly kind: string
  readonly number: Key
  readonly details: unknown
}

const origins = new WeakMap<object, Origin>()

/** Gives the origin of a handle; `undefined` if it is of this program. */
export function originOf(handle: object): Origin | undefined {
  return origins.get(handle)
}

export function setOrigin(handle: object, origin: Origin): void {
  origins.set(handle, origin)
}
