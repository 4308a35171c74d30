/** The words between a connection and its machine: events, the context, and effects. */

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
  /** The way through the proxies has reached the origin, with which that protocol is spoken. */
  | { readonly type: 'arrived'; readonly protocol: ProtocolName }
  /** The attempt is made anew: with other credentials for a proxy, or since the wait for it is over. */
  | { readonly type: 'again' }
  /** A step of the attempt to connect failed, or took too long. */
  | { readonly type: 'failed'; readonly reason: GunError }
  /** A protocol has taken over, and leaves the connection in the state of that name. */
  | { readonly type: Exclude<ConnectedState, 'connected'> }
  /** The connection begins nothing more, and goes on with what is under way. */
  | { readonly type: 'retired' }
  /** The protocol closes within `timeout` milliseconds. `isFinal`: whether no connection follows, as the caller asked for that. */
  | { readonly type: 'closing'; readonly timeout: number; readonly isFinal: boolean }
  /** The connection is lost. `isFruitless`: whether that came so early that it counts as a failed attempt. */
  | { readonly type: 'lost'; readonly reason: GunError | 'normal'; readonly isFruitless: boolean }
  /** Another attempt follows in `timeout` milliseconds, and up to `retries` more behind it. */
  | { readonly type: 'planned'; readonly retries: number; readonly timeout: number }
  /** No attempt follows. `reason`: the error of a `retryFun` that is wrong. */
  | { readonly type: 'spent'; readonly reason: GunError | undefined }
  /** The caller, or the owner's exit, ends the connection in order. */
  | { readonly type: 'shutdown'; readonly ending: Ending }
  /** The caller ends the connection at once. */
  | { readonly type: 'close' }

/** The cause of the next attempt: an attempt that failed, the loss of a connection that was of use, or of one that was not. */
export type Setback = 'attempt' | 'loss' | 'hang-up'

/** The context of `connectionMachine`. Only `connPid` is meant for others; it is there from the start. */
export interface ConnectionContext {
  /** The handle, for the functions of this package. */
  readonly connPid: ConnPid
  /** Whether TLS follows the connection of the transport: with the origin, or with the first proxy. */
  readonly isTls: boolean
  /** Whether the origin is reached through proxies. */
  readonly isProxied: boolean
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
  /** The cause of the next attempt. */
  readonly setback: Setback
  /** Whether the connection was up, on this socket or on an earlier one. */
  readonly hasBeenUp: boolean
  /** The protocol with which the connection came up last; `undefined`: HTTP/1.1. */
  readonly protocol: ProtocolName | undefined
  /** Why the last attempt failed or the connection was lost; `undefined` after neither, and after an orderly end. */
  readonly lastError: GunError | undefined
  /** Who has decided that no connection follows; `undefined` while nobody has. */
  readonly ending: Ending | undefined
}

/** A step of a connection: what is asked for within one is done behind it. */
export type Step = Command | ConnectionEvent | Task

/** An effect, which the machine names and the connection carries out once the transition is over. */
export type Effect =
  /** Tells of the connection's beginning. */
  | 'begin'
  /** Looks the host's name up. */
  | 'lookUp'
  /** Connects the transport. */
  | 'connect'
  /** Agrees on TLS over the socket. */
  | 'shakeHands'
  /** Makes the way through the proxies. */
  | 'lead'
  /** Starts the protocol, unless the way has, and tells the owner. */
  | 'rise'
  /** Carries out the commands that have waited, and new ones. */
  | 'accept'
  /** Keeps new commands for the next connection. */
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
  /** Waits for the next attempt. */
  | 'wait'
  /** Fails the commands that still wait, and tells those who watch that the connection has ended for good. */
  | 'terminate'

/** The machine of one connection, as it runs. */
export interface Machine {
  readonly context: ConnectionContext
  /** The name that Gun has for the state: the outermost one, and within `connected` the one below. */
  readonly stateName: string
  /** The states that are active as paths, the outermost first: `connected`, `connected.connected`, … */
  readonly states: readonly string[]
  /** Whether commands with which streams begin go to the protocol. */
  readonly isAccepting: boolean
  /** Takes an event, behind the effects of the one under way. */
  send(event: ConnectionEvent): void
}

/** Which end of a step of connecting; it is the last part of the event's name. */
type When = 'Start' | 'End'

/** Tells that a step starts, or that it ends with an outcome. */
export type Tell<T> = (when: When, outcome?: T | GunError) => void
