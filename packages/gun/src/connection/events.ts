/** The words between a connection and its machine: events, the context, and the names of what is to be done. */

import type { Socket } from 'node:net'
import type { GunError } from '../errors.js'
import type { ConnPid } from '../handles.js'
import type { Command } from '../layer/commands.js'
import type { ConnectedState, Task } from '../layer/contract.js'
import type { Addresses, ProtocolName } from '../words.js'
import type { Ending } from './ending.js'

/** An event of the machine. */
export type ConnectionEvent =
  /** The host's name is looked up. */
  | { readonly type: 'resolved'; readonly addresses: Addresses }
  /** The transport is connected, or TLS over it. `protocol` is what is spoken, unless TLS has to agree on it first. */
  | { readonly type: 'connected'; readonly socket: Socket; readonly protocol: ProtocolName | undefined }
  /** A step of the attempt to connect failed, or took too long. */
  | { readonly type: 'failed'; readonly reason: GunError }
  /** A protocol has taken over, which leaves the connection in that state. */
  | { readonly type: Exclude<ConnectedState, 'connected'> }
  /** Nothing more begins on this connection, which goes on with what is under way. */
  | { readonly type: 'retired' }
  /** The protocol closes within so many milliseconds. `isFinal`: the caller asked for it, so nothing is connected again. */
  | { readonly type: 'closing'; readonly timeout: number; readonly isFinal: boolean }
  /** The connection is lost. `isFruitless`: at once, and before it had brought anything, so that it counts as a failed attempt. */
  | { readonly type: 'lost'; readonly reason: GunError | 'normal'; readonly isFruitless: boolean }
  /** Another attempt follows in so many milliseconds, and so many retries behind it. */
  | { readonly type: 'planned'; readonly retries: number; readonly timeout: number }
  /** No attempt follows; `reason`, because `retryFun` is wrong. */
  | { readonly type: 'spent'; readonly reason: GunError | undefined }
  /** End in order, because of the caller or the owner. */
  | { readonly type: 'shutdown'; readonly ending: Ending }
  /** End at once. */
  | { readonly type: 'close' }

/** What the next attempt follows: a failed attempt, a connection of use, or one that was lost at once and had brought nothing. */
export type Setback = 'attempt' | 'loss' | 'hang-up'

/** The context of `connectionMachine`. Only `connPid` is meant for others; it is there from the start. */
export interface ConnectionContext {
  /** The handle, for the functions of this package. */
  readonly connPid: ConnPid
  /** Whether TLS follows the connection of the transport. */
  readonly isTls: boolean
  /** Whether the connection leads to a Unix socket. */
  readonly isUnix: boolean
  /** How many attempts follow each connection that was of use. */
  readonly retry: number
  /** How many attempts may still follow. */
  readonly retriesLeft: number
  /** How many milliseconds pass until the next attempt. */
  readonly retryDelay: number
  /** How many milliseconds closing may take. */
  readonly closingTimeout: number
  /** What the next attempt follows. */
  readonly setback: Setback
  /** Whether the connection was up, on this socket or on an earlier one. */
  readonly hasBeenUp: boolean
  /** Why the last attempt failed or the connection was lost; `undefined`: neither, or it ended in order. */
  readonly lastError: GunError | undefined
  /** What has decided that nothing is connected again; `undefined`: nothing has. */
  readonly ending: Ending | undefined
}

/** A step of a connection: what is asked for within one is done behind it. */
export type Step = Command | ConnectionEvent | Task

/** What the machine names for the connection to do once the transition is over. */
export type Effect =
  /** Tells of the connection's beginning. */
  | 'begin'
  | 'lookUp'
  | 'connect'
  | 'shakeHands'
  /** Starts the protocol, and tells the owner. */
  | 'rise'
  /** Carries out what has waited for the connection. */
  | 'accept'
  /** Keeps what is asked for from now on for the next connection. */
  | 'retire'
  /** Asks the protocol for an orderly end. */
  | 'finish'
  /** Gives the protocol its time to close. */
  | 'giveTime'
  /** Tells the streams, then the owner, that the connection is lost. */
  | 'fall'
  /** Tells the transcript that an attempt has failed. */
  | 'rest'
  /** Asks when the next attempt follows. */
  | 'plan'
  /** Tells everybody that nothing is connected any more. */
  | 'terminate'

/** Which end of a step of connecting; it is the last part of the event's name. */
type When = 'Start' | 'End'

/** Tells of one end of a step, with its outcome at its end. */
export type Tell<T> = (when: When, outcome?: T | GunError) => void
