/** A connected socket as a line: bytes come in as they are read, and go out a tick at a time. */

import type { Socket } from 'node:net'
import { GunError } from '../errors.js'
import { Deadline } from './deadline.js'
import { textOf } from './error-text.js'
import type { Line, LineUser } from './line.js'
import { leaveReads, passReads, type Taker } from './reading.js'
import { SocketOutlet } from './socket-outlet.js'
import { guardWrites, releaseWrites, type Writer } from './writing.js'

/**
 * How many milliseconds the last bytes may take to leave, and the peer to hang up or, where a write has failed, to say
 * something more, before the socket is destroyed anyway.
 */
const LINGER = 1000

const line = Symbol('@holster/gun.line')

/** A socket with its line, which the listeners find there: all sockets share them. */
interface LinedSocket extends Socket {
  [line]: SocketLine
}

const LISTENERS = Object.entries({
  /** Takes bytes that were read before the line took the socket over. */
  data(this: LinedSocket, chunk: Buffer): void {
    this[line].take(chunk)
  },
  end(this: LinedSocket): void {
    this[line].onEnd()
  },
  error(this: LinedSocket, cause: Error): void {
    this[line].onError(cause)
  },
  close(this: LinedSocket): void {
    this[line].onClose()
  },
})

export class SocketLine implements Line, Taker, Writer {
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

  /** `isUnix` says whether the socket is one of Unix, or lies over no socket at all. Default: what the system says. */
  constructor(socket: Socket, isUnix = socket.remoteAddress === undefined) {
    this.socket = socket
    this.#isUnix = isUnix
    this.outlet = new SocketOutlet(socket)
    passReads(socket, this)
    guardWrites(socket, this)
    ;(socket as LinedSocket)[line] = this
    for (const [name, listener] of LISTENERS) socket.on(name, listener)
  }

  // The socket tells:

  take(chunk: Buffer): void {
    this.#user?.handle(chunk)
  }

  onEnd(): void {
    if (this.#endsInOrder) this.#user?.ended(undefined)
    // Behind the peer's end a socket that cannot be written has nothing to wait for.
    if (this.#broken !== undefined) this.#user?.ended(this.#broken)
  }

  onError(cause: Error): void {
    this.#user?.ended(this.#broken ?? broken(cause))
  }

  onClose(): void {
    this.#deadline?.clear()
    this.#user?.ended(this.#broken ?? new GunError('closed', 'connection_error', 'the connection was closed'))
  }

  /** Gives the socket to another user, unless the peer has ended, the socket is broken, or bytes of the peer wait in it. */
  release(): Socket | undefined {
    const { socket } = this
    if (this.#broken !== undefined || socket.readableEnded || socket.readableLength > 0 || socket.destroyed) {
      return undefined
    }
    this.outlet.flush()
    leaveReads(socket)
    releaseWrites(socket)
    for (const [name, listener] of LISTENERS) socket.off(name, listener)
    this.#user = undefined
    return socket
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

  /** Reads the peer's earlier bytes, as long as some come, before the socket is destroyed. */
  onFailedWrite(cause: Error): void {
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
  // The line below, such as a stream of HTTP/2, says best why it is gone.
  if (cause instanceof GunError) return cause
  const text = `the connection broke: ${textOf(cause)}`
  return new GunError('socket_error', 'connection_error', text, { cause })
}
