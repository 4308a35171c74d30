/** Bytes both ways, with pause, resume and an end: a socket, a stream of HTTP/2, TLS over another line. */

import type { Socket } from 'node:net'
import type { GunError } from '../errors.js'
import type { Outlet } from './outlet.js'

/** Uses a line. Nothing is called once the line was finished or aborted. */
export interface LineUser {
  /** Takes bytes of the peer, which are only valid during the call. */
  handle(chunk: Buffer): void
  /** More is about to be handed on: whoever is over a mark pauses the line now. */
  beforeReading(): void
  /** Nothing can be sent any more. The peer's earlier bytes are still read, and `ended` follows in any case. */
  unwritable(): void
  /** The peer has sent its last byte, or, with a reason, the line is gone. May be told again. */
  ended(reason: GunError | undefined): void
  /** Nothing more comes, so that no flow control need hold back what has come. */
  lift(): void
}

export interface Line {
  /** Takes what is to be sent. */
  readonly outlet: Outlet
  /** The socket at the bottom; `undefined` where the line is a part of another. */
  readonly socket: Socket | undefined
  /** Says who uses the line. */
  attach(user: LineUser): void
  pause(): void
  resume(): void
  /** Ends our side in order behind the last bytes, and calls `then` when those have left. The peer's bytes still come. */
  finishWriting(then: () => void): void
  /** Lets the last bytes leave and ends our side in order. The user hears nothing more. */
  finish(): void
  /** Gives the line up at once. The user hears nothing more. */
  abort(): void
  /**
   * Lets go of the socket, which has another user from now on; `undefined`, or no such method: the line is not a socket that
   * can be let go.
   */
  release?(): Socket | undefined
}
