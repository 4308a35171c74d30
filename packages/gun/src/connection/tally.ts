/** Counts what comes of a connection over its whole life, whatever sockets and protocols it has. */

import type { Socket } from 'node:net'
import type { Frames } from '../layer/contract.js'

export class Tally implements Frames {
  /** When the connection was opened, in milliseconds since 1970. */
  readonly openedAt = Date.now()
  /** How many attempts to connect have begun. */
  attempts = 0
  /** How many attempts have failed since a connection was of use. One that is lost before it is of use has failed as well. */
  failures = 0
  framesReceived = 0
  framesSent = 0
  /** The bytes of earlier sockets. */
  #received = 0
  #sent = 0
  /** The socket whose bytes are still growing. */
  #socket: Socket | undefined

  /** Counts the bytes of a socket from now on; over TLS those within it. */
  begin(socket: Socket): void {
    this.end()
    this.#socket = socket
  }

  /** Counts no more of the socket, and lets go of it. */
  end(): void {
    this.#received = this.bytesReceived
    this.#sent = this.bytesSent
    this.#socket = undefined
  }

  /** The connection is lost: `isFruitless` says whether before it was of use, which is a failure as well. */
  fall(isFruitless: boolean): void {
    this.end()
    this.failures = isFruitless ? this.failures + 1 : 0
  }

  /** How many bytes all sockets have received. */
  get bytesReceived(): number {
    return this.#received + (this.#socket?.bytesRead ?? 0)
  }

  /** How many bytes all sockets were given to send. */
  get bytesSent(): number {
    return this.#sent + (this.#socket?.bytesWritten ?? 0)
  }

  /** How many bytes wait in the socket. */
  get bytesWaiting(): number {
    return this.#socket?.writableLength ?? 0
  }
}
