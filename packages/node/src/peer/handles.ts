/** A handle on its way between two nodes: its home, its kind, its number, and what else must be known of it. */

import { kindOf } from '@holster/process/internal'
import { lostHandle } from '../handles/foreign.js'
import { enterLost, findLocal, nameOf } from '../handles/local.js'
import { originOf } from '../handles/origin.js'
import type { Identity } from '../identity.js'
import { type Key, NAME } from '../signal.js'
import type { Atlas } from './atlas.js'

/** Stands for the whole of the source that has brought a message, such as its connection. */
export const WHOLE = 2

/** The home of a handle of the sender, and of one of the receiver. Handles of others name their node. */
const OURS = 0
const YOURS = 1

type Home = typeof OURS | typeof YOURS | readonly [name: string, incarnation: string]

/**
 * Gives what stands for `handle` on the way from `own` to `peer`. `isLean`: the peer knows its own handles, and needs no details of those.
 */
export function wireOf(handle: object, own: Identity, peer: Identity, isLean: boolean): unknown {
  const origin = originOf(handle)
  if (origin === undefined) {
    const { kind, number, details } = nameOf(handle)
    return details === undefined ? [OURS, kind, number] : [OURS, kind, number, details]
  }
  const { node, incarnation, kind, number } = origin
  const isOurs = node === own.name && incarnation === own.incarnation
  const isYours = node === peer.name && incarnation === peer.incarnation
  const home: Home = isOurs ? OURS : isYours ? YOURS : [node, incarnation]
  if (isYours && isLean) return [home, kind, number]
  const details = kindOf(handle)?.detailsOf?.(handle as never) ?? origin.details
  return details === undefined ? [home, kind, number] : [home, kind, number, details]
}

/** Gives the handle that `wire`, which has come from `peer`, stands for. */
export function handleOf(wire: unknown, peer: Identity, atlas: Atlas): object {
  const [home, kind, number, details] = wire as [Home, string, Key, unknown]
  if (home === OURS) return atlas.foreignOf(peer).handle(kind, number, details)
  const { identity } = atlas
  if (home === YOURS) return ownHandle(kind, number, details, identity)
  const [name, incarnation] = home
  if (kind === NAME) return atlas.named({ name: String(number), node: name })
  if (name === identity.name && incarnation === identity.incarnation)
    return ownHandle(kind, number, details, identity)
  return atlas.foreignOf({ name, incarnation }).handle(kind, number, details)
}

/** Gives a handle of this program, or what stands for one that was collected. */
export function ownHandle(
  kind: string,
  number: Key,
  details: unknown,
  { name, incarnation }: Identity,
): object {
  const known = findLocal(kind, number)
  if (known !== undefined) return known
  const lost = lostHandle({ node: name, incarnation, kind, number, details })
  if (typeof number === 'number') enterLost(kind, number, lost)
  return lost
}
