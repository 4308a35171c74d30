/** Compresses the messages of one WebSocket, one at a time and in pieces (RFC 7692 section 7.2.1). */

import { constants } from 'node:zlib'
import type { Context } from './context.js'
import { Payload } from './payload.js'
import type { Shelf } from './shelf.js'
import { begin, cancel, type Job } from './turn.js'

const { Z_NO_FLUSH, Z_SYNC_FLUSH } = constants

/** How many bytes are compressed at once: zlib's slowest text takes a millisecond for them, other text 10 µs. */
const PIECE = 2048
/** The number of bytes that zlib ends each message with, and that are left out. */
const TAIL = 4
/** The most bytes in UTF-8 of one character of a JavaScript string. */
const MOST = 3

const EMPTY = Buffer.alloc(0)
/** The message of no bytes (section 7.2.3.6), for which zlib gives nothing if it has just given a whole message. */
const EMPTY_BLOCK = Buffer.of(0)
/** Short texts as UTF-8, and the output of a piece; in use only within a call. */
const encoded = Buffer.allocUnsafeSlow(48 * 1024)
const output = Buffer.allocUnsafeSlow(16 * 1024)

/** Takes a compressed message, or the error of zlib. */
export type OnDeflated = (data: Buffer | Error) => void

export class Deflater implements Job {
  readonly #shelf: Shelf
  #context: Context | undefined
  #input: Uint8Array = EMPTY
  #at = 0
  /** The output of earlier pieces. */
  #parts: Payload | undefined
  #result: Buffer | Error = EMPTY
  #later: OnDeflated | undefined

  constructor(shelf: Shelf) {
    this.#shelf = shelf
  }

  /**
   * Returns the compressed message, valid until any other one is compressed; or `undefined` if this turn has no time
   * for all of it: then `later` gets it in a later turn. Throws the error of zlib.
   */
  deflate(message: string | Uint8Array, later: OnDeflated): Buffer | undefined {
    if (message.length === 0) return EMPTY_BLOCK
    this.#input = typeof message === 'string' ? encode(message) : message
    this.#at = 0
    if (!begin(this)) {
      // The caller may reuse its bytes, and the next short text takes the place of this one.
      if (typeof message !== 'string' || this.#input.buffer === encoded.buffer) {
        this.#input = Buffer.from(this.#input.subarray(this.#at))
        this.#at = 0
      }
      this.#later = later
      return undefined
    }
    const result = this.#handOver()
    if (result instanceof Error) throw result
    return result
  }

  step(): boolean {
    const to = Math.min(this.#at + PIECE, this.#input.length)
    const isLast = to === this.#input.length
    try {
      this.#context ??= this.#shelf.take()
      const context = this.#context
      do {
        context.run(isLast ? Z_SYNC_FLUSH : Z_NO_FLUSH, this.#input, this.#at, to, output, 0)
        this.#at += context.taken
        if (isLast && this.#parts === undefined && context.given < output.length) {
          this.#finish(output.subarray(0, context.given - TAIL))
          return true
        }
        this.#parts ??= new Payload(PIECE)
        this.#parts.append(output, 0, context.given, Number.POSITIVE_INFINITY)
      } while (context.given === output.length)
    } catch (error) {
      this.#context = undefined
      this.#finish(error as Error)
      return true
    }
    if (isLast) this.#finish(this.#parts.take().subarray(0, -TAIL))
    return isLast
  }

  report(): void {
    this.#later?.(this.#handOver())
  }

  /** Lets go of the memory, and forgets the message that is being compressed. */
  dispose(): void {
    cancel(this)
    this.#shelf.dispose()
    this.#finish(EMPTY)
  }

  /** Returns the result, which may be large and is not kept. */
  #handOver(): Buffer | Error {
    const result = this.#result
    this.#result = EMPTY
    return result
  }

  #finish(result: Buffer | Error): void {
    if (this.#context !== undefined) this.#shelf.put(this.#context)
    this.#context = undefined
    this.#input = EMPTY
    this.#parts = undefined
    this.#result = result
  }
}

/** Returns a text as UTF-8, valid until the next call. */
function encode(text: string): Uint8Array {
  if (text.length * MOST > encoded.length) return Buffer.from(text)
  return encoded.subarray(0, encoded.utf8Write(text, 0))
}
