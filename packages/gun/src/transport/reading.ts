/** Reads sockets into one buffer that they all share, instead of one made for each read. */

import type { OnReadOpts, Socket } from 'node:net'

/** Gets bytes that are only valid during the call. */
export type Taker = (bytes: Buffer) => void

/** Each read is over before the next begins, but not on Windows, where reads are under way on many sockets at once. */
const canShare = process.platform !== 'win32'
const shared = Buffer.allocUnsafeSlow(128 * 1024)

/** The size of a buffer that is made for one read, unless told otherwise, and from how many bytes on one is worth it. */
const OWN = 64 * 1024
const LARGE = 16 * 1024
/** No read over TLS gives more than a record holds (RFC 8446 section 5.1). */
export const RECORD = 16 * 1024

/** Much of what the socket has just read is kept, so that its next read gets a buffer to give away. */
let isKept = false

/** Tells a socket's reads who takes them. */
const handOvers = new WeakMap<Socket, (taker: Taker) => void>()

/**
 * A socket made with the options that `make` is given; `take` says who takes what it reads. `own`: as large as a buffer
 * that is made for one read has to be.
 */
export function readingShared<S extends Socket>(
  make: (opts: { readonly onread?: OnReadOpts }) => S,
  own = OWN,
): S {
  if (!canShare) return make({})
  let taker: Taker | undefined
  let buffer = shared
  const callback = (size: number) => {
    const bytes = buffer.subarray(0, size)
    // TLS gives the rest of what it has read in spite of a pause, and may give something before anybody takes it.
    if (taker === undefined || socket.readableLength > 0 || socket.isPaused()) {
      return socket.push(Buffer.from(bytes))
    }
    isKept = false
    taker(bytes)
    buffer = isKept ? Buffer.allocUnsafeSlow(own) : shared
    return true
  }
  const socket = make({ onread: { buffer: () => buffer, callback } })
  handOvers.set(socket, given => {
    taker = given
  })
  return socket
}

/** From now on `taker` gets what the socket reads, as it is read. */
export function take(socket: Socket, taker: Taker): void {
  handOvers.get(socket)?.(taker)
  // What was not taken as it was read waits in the stream.
  socket.on('data', taker)
}

/** Bytes of a read, to be kept beyond the call that brought them: a copy, unless they fill most of a buffer of their own. */
export function keep(bytes: Buffer): Buffer {
  if (bytes.length >= LARGE) isKept = true
  const { buffer } = bytes
  return buffer !== shared.buffer && bytes.length * 2 >= buffer.byteLength ? bytes : Buffer.from(bytes)
}
