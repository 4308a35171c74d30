/** What a protocol is to a connection, and a connection to a protocol. One file per protocol implements it. */

import type { ConnPid } from '../conn-pid.js'
import type { GunError } from '../errors.js'
import type { GunMessage, Headers, IsFin, ProtocolName, WsFrame } from '../messages.js'
import type { WsOpts } from '../options.js'
import type { StreamRef } from '../stream-ref.js'
import type { Outlet } from '../transport/outlet.js'

/** The state that a connection is in while a protocol runs on it. */
export type ConnectedState = 'connected' | 'connected_ws_only'

export interface RequestCommand {
  readonly streamRef: StreamRef
  readonly method: string
  readonly path: string
  readonly headers: Headers
  /** The whole body, or `undefined` when it follows through `data`. */
  readonly body: Uint8Array | undefined
}

export interface UpgradeCommand {
  readonly streamRef: StreamRef
  readonly path: string
  readonly headers: Headers
  readonly opts: WsOpts
}

/**
 * A protocol that runs over a Duplex. It never throws and never touches the machine: whatever happens it tells its
 * host. What it lacks it cannot do, and the connection answers with `badstate`.
 */
export interface Protocol {
  readonly name: ProtocolName | 'ws'
  readonly stateName: ConnectedState
  /** Both sides have said that they are done: whatever ends the connection now ends it in order. */
  readonly isDone?: boolean
  /** Bytes from the peer. */
  handle(chunk: Buffer): void
  /** The peer has sent its last byte. */
  end(): void
  /**
   * Begins an orderly end. Gives how many milliseconds it may take at most, 0 when there is nothing to wait for. Ends
   * with `host.lost`.
   */
  closing(): number
  /** The connection is lost: reports each open stream's error and gives their refs. */
  close(reason: GunError | 'normal'): readonly StreamRef[]

  request?(command: RequestCommand): void
  data?(streamRef: StreamRef, isFin: IsFin, chunk: Uint8Array): void
  wsUpgrade?(command: UpgradeCommand): void
  /** Gives `false` while more than the send high-water mark is buffered. */
  wsSend?(streamRef: StreamRef | undefined, frames: readonly WsFrame[]): boolean
}

/** What a protocol tells the connection it runs on. */
export interface Host {
  readonly connPid: ConnPid
  readonly outlet: Outlet
  /** The host header's value. */
  readonly authority: string
  /** Posts to the stream's replyTo; `bytes` is what the message holds. */
  deliver(streamRef: StreamRef, message: GunMessage, bytes?: number): void
  /** Posts a `gun_error` for a stream. */
  fail(streamRef: StreamRef, reason: GunError): void
  /** Another protocol takes over from here on. */
  switchTo(protocol: Protocol): void
  /** Gives bytes to the protocol that is up: those that came before it was. */
  handle(chunk: Buffer): void
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
