/** A look into one connection: what it has done, what waits, and who holds it up. */

import type { Process } from '@holster/process'
import { pressersOf } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Intermediary } from '../layer/info.js'
import { connectionHere } from './callee.js'
import type { Connection } from './connection.js'

/** A connection, up or not, as it is when a field is read. */
export interface ConnectionInsight {
  readonly connPid: ConnPid
  /** When the connection was opened, in milliseconds since 1970. */
  readonly openedAt: number
  /** How many attempts to connect have begun. */
  readonly attempts: number
  /** How many attempts have failed in a row, with connections that were lost before they were of use; 0 while the connection is up. */
  readonly failures: number
  /** How many attempts may still follow. */
  readonly retriesLeft: number
  /** The states of `connectionMachine` that are active, the outermost first, each as a path: `connected`, `connected.connected`, … */
  readonly states: readonly string[]
  /** Why the last attempt failed or the connection was lost; `undefined` after neither, and after an orderly end. */
  readonly lastError: GunError | undefined
  /** How many bytes all sockets have received; over TLS those within it. */
  readonly bytesIn: number
  /** How many bytes all sockets were given to send; over TLS those within it. */
  readonly bytesOut: number
  /** How many frames of WebSockets have come, whatever carries these. */
  readonly framesIn: number
  /** How many frames of WebSockets were sent. */
  readonly framesOut: number
  /** How many bytes wait to be sent: in streams, and for the socket. */
  readonly unsent: number
  /** Whether the connection, or a stream of it that can be paused by itself, is not read since a mailbox is over its mark. */
  readonly isPaused: boolean
  /** The processes of this program whose mailboxes have paused it. All processes are looked at, if it is paused. */
  readonly pressedBy: readonly Process<never>[]
  /** The streams that are open, those within tunnels behind the streams of these, and then those that wait for a connection. */
  readonly streams: readonly StreamRef[]
  /** The proxies in between, the nearest first. */
  readonly intermediaries: readonly Intermediary[]
}

/** Looks into a connection of this node, also before it is up and after its end. Throws as `info` does. */
export function lookInto(connPid: ConnPid): ConnectionInsight {
  return new Insight(connectionHere(connPid, 'remoteInfo'))
}

class Insight implements ConnectionInsight {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get connPid(): ConnPid {
    return this.#connection.connPid
  }

  get openedAt(): number {
    return this.#connection.tally.openedAt
  }

  get attempts(): number {
    return this.#connection.tally.attempts
  }

  get failures(): number {
    return this.#connection.layer === undefined ? this.#connection.tally.failures : 0
  }

  get retriesLeft(): number {
    return this.#connection.context.retriesLeft
  }

  get states(): readonly string[] {
    return this.#connection.states
  }

  get lastError(): GunError | undefined {
    return this.#connection.lastError
  }

  get bytesIn(): number {
    return this.#connection.tally.bytesReceived
  }

  get bytesOut(): number {
    return this.#connection.tally.bytesSent
  }

  get framesIn(): number {
    return this.#connection.tally.framesReceived
  }

  get framesOut(): number {
    return this.#connection.tally.framesSent
  }

  get unsent(): number {
    const { layer, socket, tally } = this.#connection
    if (layer === undefined) return 0
    // The line of a tunnel lies over the socket, and not only the bytes that it still has wait.
    const below = layer.line.socket === socket ? 0 : tally.bytesWaiting
    return layer.unsent + below
  }

  get isPaused(): boolean {
    const { layer, source } = this.#connection
    return source.isPaused || (layer?.sources.some(each => each.isPaused) ?? false)
  }

  get pressedBy(): readonly Process<never>[] {
    const { layer, source } = this.#connection
    return this.isPaused ? pressersOf([source, ...(layer?.sources ?? [])]) : []
  }

  get streams(): readonly StreamRef[] {
    const { commands } = this.#connection
    return commands.streams.filter(streamRef => this.#connection.isOpen(streamRef))
  }

  get intermediaries(): readonly Intermediary[] {
    return this.#connection.layer?.endpoint.intermediaries ?? []
  }
}
