/** A connected socket as a line: bytes come in as they are read, and go out a tick at a time. */

import type { Socket } from 'node:net'
import { GunError } from '../errors.js'
import { Deadline } from './deadline.js'
import { textOf } from './error-text.js'
import type { Line, LineUser } from './line.js'
import { take } from './reading.js'
import { SocketOutlet } from './socket-outlet.js'
import { onFailedWrite } from './writing.js'

/**
 * How many milliseconds the last bytes may take to leave, and the peer to hang up or, where a write has failed, to say
 * something more, before the socket is destroyed anyway.
 */
const LINGER = 1000

export class SocketLine implements Line {
  readonly socket: Socket
  readonly outlet: SocketOutlet
  #user: LineUser | undefined
  /** Why nothing can be written any more. */
  #broken: GunError | undefined
  /** Whether an end that is read is the peer's own, and not all that is left of a reset. */
  #endsInOrder = true
  readonly #isUnix: boolean
  /** Whether our side was ended in order. */
  #hasFinished = false
  /** Fires when the peer has sent nothing for too long on a socket that is broken. */
  #deadline: Deadline | undefined

  constructor(socket: Socket) {
    this.socket = socket
    this.#isUnix = socket.remoteAddress === undefined
    this.outlet = new SocketOutlet(socket)
    take(socket, chunk => this.#user?.handle(chunk))
    onFailedWrite(socket, cause => this.#break(cause))
    socket.on('end', () => {
      if (this.#endsInOrder) this.#user?.ended(undefined)
      // Behind the peer's end a socket that cannot be written has nothing to wait for.
      if (this.#broken !== undefined) this.#user?.ended(this.#broken)
    })
    socket.on('error', cause => this.#user?.ended(this.#broken ?? broken(cause)))
    socket.on('close', () => {
      this.#deadline?.clear()
      this.#user?.ended(
        this.#broken ?? new GunError('closed', 'connection_error', 'the connection was closed'),
      )
    })
  }

  attach(user: LineUser): void {
    this.#user = user
  }

  /** Has no effect on a broken socket, of which only the bytes that the system holds are left to be read. */
  pause(): void {
    if (this.#broken === undefined) this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  finishWriting(then: () => void): void {
    this.#hasFinished = true
    this.outlet.flush()
    this.socket.once('finish', then)
    this.socket.end()
  }

  abort(): void {
    this.#user = undefined
    this.socket.destroy()
  }

  /**
   * Lets the last bytes leave, then destroys the socket. Until the peer hangs up, bytes that still come are read and dropped:
   * to close a socket with unread bytes resets it, and the peer loses our last words (RFC 9112 section 9.6).
   */
  finish(): void {
    const { socket } = this
    this.#user = undefined
    this.outlet.flush()
    const isOver = this.#broken !== undefined || (socket.readableEnded && socket.writableLength === 0)
    if (isOver || !(socket.writable || this.#hasFinished) || socket.writableNeedDrain) {
      socket.destroy()
      return
    }
    const deadline = new Deadline(LINGER, () => socket.destroy())
    socket.once('close', () => deadline.clear())
    socket.end()
    socket.resume()
  }

  /** A write has failed: reads the peer's earlier bytes, as long as some come, before the socket is destroyed. */
  #break(cause: Error): void {
    const { socket } = this
    if (this.#broken === undefined) {
      this.#broken = broken(cause)
      this.#endsInOrder = this.#sparesReads(cause)
      this.outlet.abort()
      this.#user?.unwritable()
    }
    if (this.#user === undefined || socket.readableEnded) {
      socket.destroy(cause)
      return
    }
    socket.resume()
    this.#readOn(cause)
  }

  /**
   * Whether reads will still tell of a reset. The system tells of a reset once: if a write has failed of it, reads end as if in
   * order. Over TCP EPIPE comes only behind the peer's FIN; a Unix socket says EPIPE at any end.
   */
  #sparesReads(cause: Error): boolean {
    const code = 'code' in cause ? cause.code : undefined
    return code === 'EPERM' || (code === 'EPIPE' && !this.#isUnix)
  }

  #readOn(cause: Error): void {
    const { socket } = this
    const { bytesRead } = socket
    this.#deadline?.clear()
    this.#deadline = new Deadline(LINGER, () => {
      if (socket.bytesRead > bytesRead) this.#readOn(cause)
      else socket.destroy(cause)
    })
  }
}

function broken(cause: Error): GunError {
  const text = `the connection broke: ${textOf(cause)}`
  return new GunError('socket_error', 'connection_error', text, { cause })
}
