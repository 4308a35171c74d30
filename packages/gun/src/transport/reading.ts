/** Reads sockets into one buffer that all of them share, instead of allocating a buffer for each read. */

import type { OnReadOpts, Socket } from 'node:net'

/** Takes what is read from a socket. */
export interface Taker {
  /** Takes bytes that are valid only during the call. */
  take(bytes: Buffer): void
}

/**
 * Each read is over before the next begins, except on Windows, where reads of many sockets are under way at
 * once.
 */
const canShare = process.platform !== 'win32'
/**
 * The buffer of all sockets. The messages of one read wait together, so that a larger one has more of them survive a garbage
 * collection.
 */
const shared = Buffer.allocUnsafeSlow(64 * 1024)

/** The default size in bytes of a buffer allocated for one read. */
const OWN = 64 * 1024
/** The number of bytes kept from which an own buffer for the next read is worth its cost. */
const LARGE = 16 * 1024
/** The most bytes that a read over TLS yields, which is one record (RFC 8446 section 5.1). */
export const RECORD = 16 * 1024

/** Whether much of the last read was kept, so that the next read of its socket gets a buffer to give away. */
let isKept = false
/** The buffer for the next read of the socket that was read last: Node asks for it at once behind each read. */
let next: Buffer = shared

function takeNext(): Buffer {
  const buffer = next
  next = shared
  return buffer
}

/** Knows the taker of a socket that was made to share the buffer. */
interface Reader {
  taker: Taker | undefined
}

const readers = new WeakMap<Socket, Reader>()

/**
 * Returns a socket made by `make` with the options that it is passed. `take` sets who takes the bytes read.
 * `ownSize` is the size in bytes of a buffer allocated for one read.
 */
export function readingShared<S extends Socket>(
  make: (opts: { readonly onread?: OnReadOpts }) => S,
  ownSize = OWN,
): S {
  if (!canShare) return make({})
  const reader: Reader = { taker: undefined }
  const callback = (size: number, buffer: Uint8Array) => {
    const bytes = (buffer as Buffer).subarray(0, size)
    const { taker } = reader
    // TLS delivers the rest of what it has read in spite of a pause, and may deliver bytes before there is a
    // taker.
    if (taker === undefined || socket.readableLength > 0 || socket.isPaused()) {
      return socket.push(Buffer.from(bytes))
    }
    isKept = false
    taker.take(bytes)
    if (isKept) next = Buffer.allocUnsafeSlow(ownSize)
    return true
  }
  const socket = make({ onread: { buffer: takeNext, callback } })
  readers.set(socket, reader)
  return socket
}

/**
 * Passes everything that the socket reads from now on to `taker`, as it is read. Bytes that were read before wait in the stream,
 * for a listener of `data`.
 */
export function passReads(socket: Socket, taker: Taker): void {
  const reader = readers.get(socket)
  if (reader === undefined) passPushed(socket, taker)
  else reader.taker = taker
}

/** Passes nothing more to the taker of the socket. */
export function leaveReads(socket: Socket): void {
  const reader = readers.get(socket)
  if (reader === undefined) passed.get(socket)?.()
  else reader.taker = undefined
}

/** The functions that stop passing what is pushed into a socket. */
const passed = new WeakMap<Socket, () => void>()

/**
 * Passes what is pushed into the socket's stream to `taker` instead, while nothing waits in the stream. Node reads TLS over a
 * socket that was there before into buffers of its own, and the way through a stream costs as much as to handle a small message.
 */
function passPushed(socket: Socket, taker: Taker): void {
  const { push } = socket
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null || socket.readableLength > 0 || socket.isPaused()) {
      return push.call(socket, chunk, encoding)
    }
    taker.take(chunk)
    return true
  }
  passed.set(socket, () => {
    socket.push = push
  })
}

/**
 * Returns bytes of a read, or a part of them, that may be kept beyond the call that brought them: a copy, unless they fill
 * most of a buffer of their own.
 */
export function keep(bytes: Buffer, start = 0, end = bytes.length): Buffer {
  const size = end - start
  if (size >= LARGE) isKept = true
  const { buffer } = bytes
  if (buffer !== shared.buffer && size * 2 >= buffer.byteLength) return bytes.subarray(start, end)
  const copy = Buffer.allocUnsafe(size)
  bytes.copy(copy, 0, start, end)
  return copy
}
