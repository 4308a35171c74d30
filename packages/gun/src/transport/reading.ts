/** Reads sockets into one buffer that they all share, instead of one made for each read. */

import type { OnReadOpts, Socket } from 'node:net'

/** Gets bytes that are only valid during the call. */
export type Taker = (bytes: Buffer) => void

/** Each read is over before the next begins, but not on Windows, where reads are under way on many sockets at once. */
const canShare = process.platform !== 'win32'
const shared = Buffer.allocUnsafeSlow(128 * 1024)

/** Tells a socket's reads who takes them. */
const handOvers = new WeakMap<Socket, (taker: Taker) => void>()

/** A socket made with the options that `make` is given; `take` says who takes what it reads. */
export function readingShared(make: (opts: { readonly onread?: OnReadOpts }) => Socket): Socket {
  if (!canShare) return make({})
  let taker: Taker | undefined
  const callback = (size: number) => {
    taker?.(shared.subarray(0, size))
    return true
  }
  const socket = make({ onread: { buffer: shared, callback } })
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
