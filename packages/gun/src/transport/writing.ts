/** Keeps a failed write from discarding data that had arrived before. */

import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/** Hears of a write that has failed. */
export interface Writer {
  onFailedWrite(cause: Error): void
}

const guard = Symbol('@holster/gun.guard')

/** A socket whose writes are guarded. */
interface Guarded extends Socket {
  [guard]: Guard
}

/** Guards the writes of one socket. */
class Guard {
  readonly write: Socket['_write']
  readonly writev: Socket['_writev']
  readonly #writer: Writer
  #lastDone: Done | undefined
  #guarded: Done | undefined

  constructor({ _write, _writev }: Socket, writer: Writer) {
    this.write = _write
    this.writev = _writev
    this.#writer = writer
  }

  /** A stream passes the same callback each time, so nothing has to be allocated for a write. */
  over(done: Done): Done {
    if (done === this.#lastDone && this.#guarded !== undefined) return this.#guarded
    this.#lastDone = done
    this.#guarded = error => (error ? this.#writer.onFailedWrite(error) : done())
    return this.#guarded
  }
}

const write: Socket['_write'] = function (this: Socket, chunk, encoding, done) {
  const guarded = (this as Guarded)[guard]
  guarded.write.call(this, chunk, encoding, guarded.over(done))
}

const writev: NonNullable<Socket['_writev']> = function (this: Socket, chunks, done) {
  const guarded = (this as Guarded)[guard]
  guarded.writev?.call(this, chunks, guarded.over(done))
}

/**
 * Tells `writer` when a write of the socket fails, instead of letting the socket end at once. The peer may
 * have sent an answer before it went, such as 413 to an upload, and the system still holds it, so the socket
 * stays to be read. The socket takes no more writes.
 */
export function guardWrites(socket: Socket, writer: Writer): void {
  ;(socket as Guarded)[guard] = new Guard(socket, writer)
  socket._write = write
  if (socket._writev) socket._writev = writev
}

/** Guards the writes of the socket no more. */
export function releaseWrites(socket: Socket): void {
  const guarded = (socket as Guarded)[guard]
  socket._write = guarded.write
  if (guarded.writev) socket._writev = guarded.writev
}
