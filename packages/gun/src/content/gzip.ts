/**
 * gzip (RFC 1952), a sequence of members. zlib inflates their content only: its own reader of members fails
 * on bytes after the last member, and loses what it has read before them.
 */

import { crc32, createInflateRaw } from 'node:zlib'
import { decodeError, type Emit, Inflater } from './inflater.js'
import { BYTE, readInteger } from './octets.js'

const DEFLATE = 8
/** Flags of a member (section 2.3.1). */
const HEADER_CRC = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16
const RESERVED = 0xe0

/** The next input of the member reader: a byte of the frame around a member, or deflated data. */
type Want = typeof BYTE | 'body'

export class Gunzip {
  readonly #emit: Emit
  readonly #members = this.#readMembers()
  #want: IteratorResult<Want, void> = this.#members.next(0)
  #inflater: Inflater | undefined
  /** The CRC of the member's output so far. */
  #crc = 0
  /** The size of the member's output so far, modulo 2^32. */
  #size = 0
  /** Whether the end of the body would cut off a member. */
  #isWithin = true

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** Takes data like `Inflater.take`. Bytes after the last member are ignored. */
  async take(data: Buffer): Promise<void> {
    for (let rest = data; rest.length > 0 && !this.#want.done; ) {
      if (this.#want.value === BYTE) {
        this.#want = this.#members.next(rest.readUInt8())
        rest = rest.subarray(1)
        continue
      }
      this.#inflater ??= new Inflater('gzip', createInflateRaw(), piece => this.#pass(piece))
      // Disposal removes the field while `take` is awaited.
      const inflater = this.#inflater
      rest = await inflater.take(rest)
      if (!inflater.isOver) return
      this.dispose()
      this.#want = this.#members.next(0)
    }
  }

  async end(): Promise<void> {
    if (!this.#isWithin) return
    await this.#inflater?.end()
    throw decodeError('gzip', 'unexpected end of file')
  }

  dispose(): void {
    this.#inflater?.dispose()
    this.#inflater = undefined
  }

  #pass(piece: Buffer): void | Promise<void> {
    this.#crc = crc32(piece, this.#crc)
    this.#size = (this.#size + piece.length) >>> 0
    return this.#emit(piece)
  }

  *#readMembers(): Generator<Want, void, number> {
    for (let isFirst = true; ; isFirst = false) {
      if ((yield BYTE) !== 0x1f || (yield BYTE) !== 0x8b) {
        if (isFirst) throw decodeError('gzip', 'incorrect header check')
        return
      }
      this.#isWithin = true
      if ((yield BYTE) !== DEFLATE) throw decodeError('gzip', 'unknown compression method')
      const flags = yield BYTE
      if (flags & RESERVED) throw decodeError('gzip', 'unknown header flags set')
      yield* skip(6)
      if (flags & EXTRA) yield* skip(yield* readInteger(2))
      if (flags & NAME) yield* skipText()
      if (flags & COMMENT) yield* skipText()
      if (flags & HEADER_CRC) yield* skip(2)
      this.#crc = 0
      this.#size = 0
      yield 'body'
      if ((yield* readInteger(4)) !== this.#crc) throw decodeError('gzip', 'incorrect data check')
      if ((yield* readInteger(4)) !== this.#size) throw decodeError('gzip', 'incorrect length check')
      this.#isWithin = false
    }
  }
}

function* skip(count: number): Generator<Want, void, number> {
  for (let i = 0; i < count; i++) yield BYTE
}

function* skipText(): Generator<Want, void, number> {
  while ((yield BYTE) !== 0);
}
