/** A key that registries on several nodes share must be the same key on each of them. */

import { inspect } from 'node:util'
import { isActorRef, isPlain, kindOf } from '@holster/process/internal'

/** Throws a TypeError unless other nodes know `key` again: a copy of it must be the same key. */
export function checkSharedKey(key: unknown): void {
  const stranger = findStranger(key)
  if (stranger === undefined) return
  const found = `${inspect(stranger.part, { depth: 0 })} is another one on each`
  throw new TypeError(
    `key must be the same on all nodes: strings, numbers, pids and the like, and arrays and plain objects of these; ${found}`,
  )
}

/** Gives the first part of a key that equals nothing but itself. */
function findStranger(key: unknown): { readonly part: unknown } | undefined {
  switch (typeof key) {
    case 'function':
      return { part: key }
    case 'symbol':
      return Symbol.keyFor(key) === undefined ? { part: key } : undefined
    case 'object':
      return key === null ? undefined : strangerOf(key)
    default:
      return undefined
  }
}

function strangerOf(key: object): { readonly part: unknown } | undefined {
  const isStructure = Array.isArray(key) || isPlain(key)
  if (!isStructure) return kindOf(key) !== undefined || isActorRef(key) ? undefined : { part: key }
  for (const part of Object.values(key)) {
    const found = findStranger(part)
    if (found !== undefined) return found
  }
  return undefined
}
