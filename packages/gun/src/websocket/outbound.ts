/**
 * Writes frames where they leave from, masked and in the order in which they were given (RFC 6455 section 5).
 */

import { Fifo } from '../exchange/fifo.js'
import type { Frames } from '../layer/contract.js'
import type { Outlet } from '../transport/outlet.js'
import type { WsFrame } from '../words.js'
import type { Deflation } from './deflate.js'
import { mask, nextKey } from './mask.js'
import { BINARY, CLOSE, FIN, MASK, PING, PONG, RSV1, TEXT } from './opcode.js'

/** Up to so many characters it is cheaper to write and mask one by one than to call functions for it. */
const SHORT = 64
/**
 * Up to so many characters the outlet makes room for the most bytes that they can have, without counting them
 * first.
 */
const UNCOUNTED = 1024
/** The most bytes in UTF-8 of one character of a JavaScript string. */
const MOST = 3

interface Waiting {
  readonly frame: WsFrame
  /** The number of the caller's bytes. */
  readonly size: number
}

/** Writes frames that were checked before. */
export class Outbound {
  readonly #outlet: Outlet
  readonly #deflation: Deflation | undefined
  readonly #frames: Frames
  readonly #guard: Guard
  /** The frames that wait: first the message that is being compressed, then all behind it. */
  #waiting: Fifo<Waiting> | undefined
  #waitingBytes = 0

  /** `frames` counts each frame, and `guard` runs what is done in a later turn. */
  constructor(outlet: Outlet, deflation: Deflation | undefined, frames: Frames, guard: Guard) {
    this.#outlet = outlet
    this.#deflation = deflation
    this.#frames = frames
    this.#guard = guard
  }

  /** How many bytes wait to be sent. */
  get buffered(): number {
    return this.#outlet.buffered + this.#waitingBytes
  }

  /** How many bytes wait behind a message that is being compressed, and in it. */
  get waiting(): number {
    return this.#waitingBytes
  }

  /** Sends a frame, or queues it behind a message that is being compressed. */
  send(frame: WsFrame): void {
    if (this.#waiting === undefined && this.#writeNow(frame)) return
    const size = sizeOf(frame)
    this.#waitingBytes += size
    if (this.#waiting !== undefined) return this.#waiting.push({ frame: copyOf(frame), size })
    this.#waiting = new Fifo()
    this.#waiting.push({ frame, size })
  }

  /** Sends a control frame before the messages that wait for compression (RFC 6455 section 5.4). */
  sendAhead(frame: WsFrame): void {
    this.#write(frame)
  }

  /** Sends a frame at once, and discards all frames that wait. */
  sendLast(frame: WsFrame): void {
    this.#waiting = undefined
    this.#waitingBytes = 0
    this.#write(frame)
  }

  #write(frame: WsFrame): void {
    if (typeof frame === 'string') {
      return this.#bytes(frame === 'ping' ? PING : frame === 'pong' ? PONG : CLOSE, EMPTY)
    }
    switch (frame[0]) {
      case 'text':
        return this.#text(frame[1])
      case 'binary':
        return this.#bytes(BINARY, frame[1])
      case 'ping':
        return this.#bytes(PING, frame[1])
      case 'pong':
        return this.#bytes(PONG, frame[1])
      case 'close':
        return this.#bytes(CLOSE, closePayload(frame))
    }
  }

  #isWorth(frame: WsFrame): frame is Message {
    if (this.#deflation === undefined) return false
    return (frame[0] === 'text' || frame[0] === 'binary') && sizeOf(frame) >= this.#deflation.threshold
  }

  /** Writes a frame, or begins to compress a message for which this turn has no time. Returns whether it is written. */
  #writeNow(frame: WsFrame): boolean {
    if (!this.#isWorth(frame)) {
      this.#write(frame)
      return true
    }
    const data = this.#deflation?.deflater.deflate(frame[1], this.#onDeflated)
    if (data !== undefined) this.#compressed(frame, data)
    return data !== undefined
  }

  readonly #onDeflated = (data: Buffer | Error): void => this.#guard(() => this.#goOn(data))

  /** Sends the message that was compressed, and the frames behind it. */
  #goOn(data: Buffer | Error): void {
    if (data instanceof Error) throw data
    const waiting = this.#waiting
    const message = waiting?.shift()
    // A last frame was sent while this message was compressed.
    if (waiting === undefined || message === undefined) return
    this.#waitingBytes -= message.size
    this.#compressed(message.frame, data)
    for (let next = waiting.first; next !== undefined; next = waiting.first) {
      if (!this.#writeNow(next.frame)) return
      this.#waitingBytes -= next.size
      waiting.shift()
    }
    this.#waiting = undefined
  }

  #compressed(frame: WsFrame, data: Buffer): void {
    this.#bytes((frame[0] === 'text' ? TEXT : BINARY) | RSV1, data)
  }

  #bytes(opcode: number, payload: Uint8Array): void {
    this.#frames.framesSent++
    const size = payload.length
    const header = headerSize(size)
    const at = this.#outlet.room(header + size)
    const { page } = this.#outlet
    page.set(payload, at + header)
    maskAndWriteHeader(page, at, opcode, header, size)
    this.#outlet.commit(header + size)
  }

  #text(text: string): void {
    this.#frames.framesSent++
    const { length } = text
    const outlet = this.#outlet
    const known = length > UNCOUNTED ? Buffer.byteLength(text) : length
    // A guess if the bytes were not counted; right for ASCII.
    let header = headerSize(known)
    const at = outlet.room(length > UNCOUNTED ? header + known : headerSize(length * MOST) + length * MOST)
    const { page } = outlet
    if (length <= SHORT) {
      const key = nextKey()
      const start = at + header
      let i = 0
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code > 0x7f) break
        page[start + i] = code ^ (key >>> ((i & 3) << 3))
      }
      if (i === length) {
        writeHeader(page, at, TEXT, header, length, key)
        outlet.commit(header + length)
        return
      }
    }
    const size = page.utf8Write(text, at + header)
    if (headerSize(size) !== header) {
      const actual = headerSize(size)
      page.copyWithin(at + actual, at + header, at + header + size)
      header = actual
    }
    maskAndWriteHeader(page, at, TEXT, header, size)
    outlet.commit(header + size)
  }
}

const EMPTY = Buffer.alloc(0)

/** Runs something as a step: a defect of ours must not end the program. */
type Guard = (run: () => void) => void

type Message = readonly ['text', string] | readonly ['binary', Uint8Array]

/** Returns the number of the caller's bytes in a frame. */
function sizeOf(frame: WsFrame): number {
  if (typeof frame === 'string') return 0
  const payload = frame[frame.length - 1] as string | Uint8Array
  return typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
}

/** Returns the frame with a copy of its bytes, since the caller may reuse the buffer before the frame leaves. */
function copyOf(frame: WsFrame): WsFrame {
  if (typeof frame === 'string' || !(frame[1] instanceof Uint8Array)) return frame
  return [frame[0], Buffer.from(frame[1])] as WsFrame
}

function closePayload(frame: readonly ['close', string] | readonly ['close', number, string]): Buffer {
  const [, code, reason] = frame.length === 2 ? ['close', 1000, frame[1]] : frame
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return payload
}

/** Returns the size of a header for a payload of `size` bytes, masking key included. */
function headerSize(size: number): number {
  return size < 126 ? 6 : size < 65536 ? 8 : 14
}

/** Masks the payload behind the header's place, and writes the header. */
function maskAndWriteHeader(page: Buffer, at: number, opcode: number, header: number, size: number): void {
  const key = nextKey()
  mask(page, at + header, at + header + size, key)
  writeHeader(page, at, opcode, header, size, key)
}

function writeHeader(
  page: Buffer,
  at: number,
  opcode: number,
  header: number,
  size: number,
  key: number,
): void {
  page[at] = FIN | opcode
  if (header === 6) {
    page[at + 1] = MASK | size
  } else if (header === 8) {
    page[at + 1] = MASK | 126
    page.writeUInt16BE(size, at + 2)
  } else {
    page[at + 1] = MASK | 127
    page.writeUInt32BE(Math.floor(size / 2 ** 32), at + 2)
    page.writeUInt32BE(size >>> 0, at + 6)
  }
  page.writeInt32LE(key, at + header - 4)
}
