/** A node says that it is there: under which name, since when, and where it is reached. */

import { checkNodeName, type Identity } from '../identity.js'
import { type Address, isAddress } from './address.js'

/** The message by which a node says that it is there. */
export interface Presence extends Identity, Address {
  /** When the node has started, in milliseconds since 1970. */
  readonly since: number
  /** Whether the node leaves. */
  readonly isLeaving?: boolean
  /** How far the node is with its name, in questions about names and in answers. */
  readonly stage?: Stage
}

/** A node asks whether its name is free, claims it, and then holds it. */
export type Stage = 'asks' | 'claims' | 'holds'

const STAGES: readonly unknown[] = ['asks', 'claims', 'holds'] satisfies Stage[]

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** Gives the bytes of a presence. */
export function writePresence(presence: Presence): Uint8Array {
  return encoder.encode(JSON.stringify(presence))
}

/** Reads a presence; `undefined` if the bytes are none. */
export function readPresence(bytes: Uint8Array): Presence | undefined {
  try {
    const { name, incarnation, connection, since, isLeaving, stage } = JSON.parse(decoder.decode(bytes))
    checkNodeName(name)
    if (!isAddress(incarnation, connection) || typeof since !== 'number') return undefined
    const presence = { name, incarnation, connection, since, isLeaving: isLeaving === true }
    return STAGES.includes(stage) ? { ...presence, stage } : presence
  } catch {
    return undefined
  }
}

/** Whether `one` keeps a name that both have: the node that has started earlier does. All nodes agree on it, whatever their clocks say. */
export function outranks(one: Presence, other: Presence): boolean {
  if (one.since !== other.since) return one.since < other.since
  return one.incarnation < other.incarnation
}
