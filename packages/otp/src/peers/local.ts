/** A process is entered on the node on which it lives, where its end is seen at once; the other nodes are told. */

import type { Registrable } from '@holster/process'
import { homeOf, NO_NODE, watch } from '@holster/process/internal'

/** Throws a TypeError that names `argument`, unless `pid` is something that ends, and is of this node. */
export function checkLocal(pid: Registrable, argument: string): void {
  watch(pid, ignore, argument)?.()
  const { node } = pid as { readonly node?: string }
  if (node === undefined || node === hereName()) return
  throw new TypeError(
    `${argument} must be of this node, and ${pid} is on '${node}': a process is entered where it lives`,
  )
}

/** Gives the name of this node. */
export function hereName(): string {
  return homeOf()?.name ?? NO_NODE
}

function ignore(): void {}
