/** A node is known by a name, which no other node of the cluster has, and by which of the lives under that name this one is. */

import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'

/** Tells one life of a node from all others. */
export interface Identity {
  /** The name, unique in the cluster while the node lives. */
  readonly name: string
  /** Differs between two nodes that have had the same name one after the other. Source: the creation of Erlang's nodes. */
  readonly incarnation: string
}

/** Names travel in subjects of NATS, where dots, blanks and wildcards have a meaning of their own; dots are allowed and escaped there. */
const NAME = /^[A-Za-z0-9_@.-]{1,128}$/

/** Throws a TypeError unless `name` may be that of a node. */
export function checkNodeName(name: unknown, argument = 'name'): asserts name is string {
  if (typeof name === 'string' && NAME.test(name)) return
  const wanted = "must be 1 to 128 of the characters A to Z, a to z, 0 to 9, '_', '@', '.' and '-'"
  throw new TypeError(`${argument} ${wanted}, not ${inspect(name, { depth: 0 })}`)
}

/** Begins a life under `name`. */
export function newIdentity(name: string): Identity {
  return { name, incarnation: randomUUID() }
}

/** Whether both are the same life of the same node. */
export function isSame(one: Identity, other: Identity): boolean {
  return one.name === other.name && one.incarnation === other.incarnation
}
