/** Reads sockets into one buffer that they all share, instead of one made for each read. */

import type { OnReadOpts, Socket } from 'node:net'

/** Gets bytes that are only valid during the call. */
export type Taker = (bytes: Buffer) => void

/** Each read is over before the next begins, but not on Windows, where reads are under way on many sockets at once. */
const canShare = process.platform !== 'win32'
const shared = Buffer.allocUnsafeSlow(128 * 1024)

/** The size of a buffer that is made for one read, and from how many bytes on one is worth it. */
const OWN = 64 * 1024
const LARGE = 16 * 1024

/** Much of what the socket has just read is kept, so that its next read gets a buffer to give away. */
let isKept = false

/** Tells a socket's reads who takes them. */
const handOvers = new WeakMap<Socket, (taker: Taker) => void>()

/** A socket made with the options that `make` is given; `take` says who takes what it reads. */
export function readingShared(make: (opts: { readonly onread?: OnReadOpts }) => Socket): Socket {
  if (!canShare) return make({})
  let taker: Taker | undefined
  let buffer = shared
  const callback = (size: number) => {
    isKept = false
    taker?.(buffer.subarray(0, size))
    buffer = isKept ? Buffer.allocUnsafeSlow(OWN) : shared
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
  const handOver = handOvers.get(socket)
  if (handOver !== undefined) handOver(taker)
  else socket.on('data', taker)
}

/** Bytes of a read, to be kept beyond the call that brought them: a copy, unless they fill most of a buffer of their own. */
export function keep(bytes: Buffer): Buffer {
  if (bytes.length >= LARGE) isKept = true
  const { buffer } = bytes
  return buffer !== shared.buffer && bytes.length * 2 >= buffer.byteLength ? bytes : Buffer.from(bytes)
}
