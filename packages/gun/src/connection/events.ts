/** The words between a connection and its machine. */

import type { Socket } from 'node:net'
import type { GunError } from '../errors.js'
import type { ConnectedState } from '../layer/contract.js'
import type { Addresses } from '../words.js'

/** What the connection tells its machine. */
export type ConnectionEvent =
  /** The host's name is looked up. */
  | { readonly type: 'resolved'; readonly addresses: Addresses }
  /** The transport is connected, or TLS over it. */
  | { readonly type: 'connected'; readonly socket: Socket }
  /** A step of the attempt to connect failed, or took too long. */
  | { readonly type: 'failed'; readonly reason: GunError }
  /** A protocol has taken over. */
  | { readonly type: 'switched'; readonly stateName: ConnectedState }
  /** The protocol closes, and needs at most so many milliseconds. */
  | { readonly type: 'closing'; readonly timeout: number }
  /** The connection is lost. `isFruitless`: at once, and before it had brought anything, so that it counts as a failed attempt. */
  | { readonly type: 'lost'; readonly reason: GunError | 'normal'; readonly isFruitless?: boolean }
  /** End gracefully. */
  | { readonly type: 'shutdown' }
  /** End at once. */
  | { readonly type: 'close' }

/** What the connection needs of its machine. */
export interface Machine {
  readonly stateName: string
  send(event: ConnectionEvent): void
}

/** Which end of a step; it is the last part of the event's name. */
type When = 'Start' | 'End'

/** Tells of one end of a step; at its end there is what came of it. */
export type Tell<T> = (when: When, outcome?: T | GunError) => void
