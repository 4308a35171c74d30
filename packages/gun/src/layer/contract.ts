/** What a protocol is to a connection, and a connection to a protocol. One file per protocol implements it. */

import type { Source } from '@holster/process/internal'
import type { Cookies } from '../cookies.js'
import type { GunError } from '../errors.js'
import type { Events } from '../events/events.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { GunMessage } from '../messages.js'
import type { WsOpts } from '../options/websocket.js'
import type { Outlet } from '../transport/outlet.js'
import type { Headers, IsFin, ProtocolName, WsFrame } from '../words.js'
import type { StreamInfo } from './info.js'

/** The state that a connection is in while a protocol runs on it. */
export type ConnectedState = 'connected' | 'connected_ws_only'

export interface RequestCommand {
  readonly streamRef: StreamRef
  readonly method: string
  readonly path: string
  readonly headers: Headers
  /** Nothing in it can harm the connection. */
  readonly isChecked: boolean
  /** The whole body, or `undefined` when it follows through `data`. */
  readonly body: Uint8Array | undefined
  /** How many messages of the response's body may be posted; `undefined`: as many as the protocol's options say. */
  readonly flow: number | undefined
}

export interface UpgradeCommand {
  readonly streamRef: StreamRef
  readonly path: string
  readonly headers: Headers
  readonly isChecked: boolean
  readonly opts: WsOpts
  /** It succeeded before, on a connection that was lost. */
  readonly isRepeated?: boolean
  /** How often it was refused in a row since then. */
  readonly refusals?: number
}

/** An upgrade that is being asked for. The room of the protocol that it leads to makes it. */
export interface Upgrade {
  readonly command: UpgradeCommand
  /** The header fields of the request: the command's, and those of the handshake. */
  readonly headers: Headers
  /**
   * Compares the response's header fields with those of the request. Gives how to start the protocol on a host, or the error
   * of a server that has agreed to something else. Starting gives the error of the caller's handler where that throws.
   */
  agree(headers: Headers): ((host: Host) => Protocol | GunError) | GunError
}

/** Makes an upgrade of a command. */
export type StartUpgrade = (command: UpgradeCommand) => Upgrade

/** Takes an upgrade for the next connection; `since` is from when on it has lasted (as `performance.now` says), if it has begun. */
export type Again = (command: UpgradeCommand, since?: number) => void

/**
 * A protocol that runs over a Duplex. It never throws and never touches the machine: whatever happens it tells its
 * host. What it lacks it cannot do, and the connection answers with `badstate`.
 */
export interface Protocol {
  readonly name: ProtocolName | 'ws'
  readonly stateName: ConnectedState
  /** The stream that it is, where it is one and has brought itself about. */
  readonly streamRef?: StreamRef
  /** Both sides have said that they are done: whatever ends the connection now ends it in order. */
  readonly isDone?: boolean
  /** It holds up single streams itself, so the connection is read whatever a mailbox says. */
  readonly holdsStreams?: boolean
  /** Bytes from the peer, only valid during the call: what is kept is copied. */
  handle(chunk: Buffer): void
  /** Nothing more will come: the peer has sent its last byte, or, with a reason, the line broke. Ends with `host.lost`. */
  end(reason: GunError | undefined): void
  /**
   * Begins an orderly end. Gives how many milliseconds it may take at most, 0 when there is nothing to wait for. Ends
   * with `host.lost`.
   */
  closing(): number
  /**
   * The connection is lost: reports `reason` to each open stream and gives their refs. What goes on with the next
   * connection is given to `again` instead; there is no `again` where no connection will follow.
   */
  close(reason: GunError | 'normal', again?: Again): readonly StreamRef[]

  request?(command: RequestCommand): void
  /** A mailbox that is fed is over its mark: what has been read is not handed on for now. */
  pause?(): void
  resume?(): void
  /** Ends at once: a process waits for what the peer has put too much in front of. Without it the connection is lost. */
  overflow?(error: GunError): void
  updateFlow?(streamRef: StreamRef, increment: number): void
  /** `undefined` for a stream that is not open. */
  streamInfo(streamRef: StreamRef): StreamInfo | undefined
  /**
   * Gives whether the caller may go on; if not, he is told when, or why he may not. `isLate`: he was told that he may not
   * when he gave the chunk.
   */
  data?(streamRef: StreamRef, isFin: IsFin, chunk: Uint8Array, isLate: boolean): boolean
  /** Ends a request's body with trailer fields. */
  trailers?(streamRef: StreamRef, headers: Headers): void
  cancel?(streamRef: StreamRef): void
  ping?(streamRef: StreamRef): void
  /** Whether this is a ping that the peer has not answered. */
  isPinging?(streamRef: StreamRef): boolean
  wsUpgrade?(command: UpgradeCommand): void
  /** Gives `false` where frames were not sent, of which a `gun_error` tells, or while more than the send high-water mark is buffered. */
  wsSend?(streamRef: StreamRef | undefined, frames: readonly WsFrame[]): boolean
}

/** What a protocol tells the connection it runs on. */
export interface Host {
  readonly connPid: ConnPid
  readonly outlet: Outlet
  /** The host header's value. */
  readonly authority: string
  readonly events: Events
  readonly scheme: 'http' | 'https'
  readonly cookies: Cookies | undefined
  /** Another connection will follow when this one is lost. */
  readonly goesOn: boolean
  /** Posts to the owner. */
  tellOwner(message: GunMessage): void
  /** Posts to the stream's replyTo; `bytes` is what the message holds, and `source` what it comes from if not the connection. */
  deliver(streamRef: StreamRef, message: GunMessage, bytes?: number, source?: Source): void
  /** Posts a `gun_error` for a stream. */
  fail(streamRef: StreamRef, reason: GunError): void
  /** Answers a command that cannot be carried out, as `fail`, but never before whoever gave it has returned. */
  refuse(streamRef: StreamRef, reason: GunError): void
  /** Another protocol takes over from here on; `false`: it is over already. */
  switchTo(protocol: Protocol): boolean
  /** Gives bytes to the protocol that is up: those that came before it was. */
  handle(chunk: Buffer): void
  /** The protocol takes nothing more for now; `startReading` goes on. Both may be said twice. */
  stopReading(): void
  startReading(): void
  /** More of what has come is about to be handed on: a mailbox that is over its mark says so now. */
  beforeReading(): void
  /** Runs what the protocol does later: a defect of ours must end one connection, not the program. */
  guard(run: () => void): void
  /**
   * The peer has sent something of use: a response has begun, a ping was answered, or a frame of a WebSocket other than a
   * close frame has come. A connection that is lost before that, and soon, counts as a failed attempt.
   */
  heard(): void
  /**
   * The server has refused an upgrade. Says whether it is asked for again later, which is told then; nothing else of the
   * response is.
   */
  askAgain(command: UpgradeCommand, status: number, headers: Headers): boolean
  /** The connection cannot go on. */
  lost(reason: GunError | 'normal'): void
  /** The peer closes the connection after what is under way; what is asked for from now on is for the next one. */
  retire(): void
  /**
   * The protocol closes by itself and needs at most so long. `final`: the caller asked for it, so nothing is connected
   * again afterwards.
   */
  closing(timeout: number, final: boolean): void
}
