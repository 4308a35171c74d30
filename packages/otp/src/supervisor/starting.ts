/** A supervisor that is still starting is known to the one above, which may have to end before that start has settled. */

import type { MonitorTarget } from '@holster/process'

const starting = new WeakMap<object, Set<MonitorTarget>>()

/** Notes that `child` is being started by `parent`. Gives the function that notes that it no longer is. */
export function noteStart(parent: object, child: MonitorTarget): () => void {
  const children = starting.get(parent) ?? new Set()
  starting.set(parent, children)
  children.add(child)
  return () => {
    children.delete(child)
    if (children.size === 0) starting.delete(parent)
  }
}

/** Gives what `parent` is starting. */
export function startingBy(parent: object): MonitorTarget[] {
  return [...(starting.get(parent) ?? [])]
}
