/**
 * Reads frames from bytes that come in any pieces (RFC 9113 section 4): a frame of DATA piece by piece, without a copy, any
 * other one when all of it is there.
 */

import { FRAME_HEADER, flags, types } from './codes.js'

/** The findings of `next`. */
export type Found =
  /** All bytes are read. */
  | 'nothing'
  /** The header of the very first frame; the frame itself comes next. */
  | 'first'
  /** A whole frame, with its payload from `start` to `end` of `bytes`. */
  | 'frame'
  /** The header of a frame of DATA; its content, if there is any, follows in pieces. */
  | 'data'
  /** A piece of that content, from `start` to `end` of `bytes`. */
  | 'piece'
  /** A frame is longer than is allowed, or its padding is. */
  | 'too_large'
  | 'too_padded'

/** In bytes: the room for a frame that is not all there yet, and the size beyond which larger room is given up again. */
const SMALL = 64
const LARGE = 4096

const NO_BYTES = Buffer.alloc(0)

export class FrameReader {
  readonly #maxLength: number
  type = 0
  flags = 0
  streamId = 0
  /** How many bytes the payload has, padding included. */
  length = 0
  /** How many bytes the content of a frame of DATA has. */
  content = 0
  /** Whether the piece is the last of its frame. */
  isLast = false
  bytes: Buffer = NO_BYTES
  start = 0
  end = 0

  #isFirst = true
  #chunk: Buffer = NO_BYTES
  #at = 0
  /** How many bytes of content are still to be handed out. */
  #left = 0
  /** How many bytes behind those are skipped. */
  #skip = 0
  /** The first bytes of a frame that is not all there. */
  #kept: Buffer = NO_BYTES
  #keptSize = 0

  /** `maxLength`: how many bytes the payload of a frame may have. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  /** Takes bytes, which must stay valid until `next` finds nothing, or until `own`. */
  give(bytes: Buffer): void {
    this.#chunk =
      this.#at < this.#chunk.length ? Buffer.concat([this.#chunk.subarray(this.#at), bytes]) : bytes
    this.#at = 0
  }

  /** Makes the bytes that are not read yet its own. */
  own(): void {
    this.#chunk = Buffer.from(this.#chunk.subarray(this.#at))
    this.#at = 0
  }

  /** Whether all bytes were read. */
  get isIdle(): boolean {
    return this.#at === this.#chunk.length
  }

  /** Skips the rest of the frame of DATA. */
  skip(): void {
    this.#skip += this.#left
    this.#left = 0
  }

  /** Finds the next value; what it says of a frame holds until the next call. */
  next(): Found {
    const chunk = this.#chunk
    if (this.#left > 0) {
      const there = Math.min(this.#left, chunk.length - this.#at)
      if (there > 0) return this.#piece(there)
    }
    if (this.#skip > 0 && this.#left === 0) {
      const there = Math.min(this.#skip, chunk.length - this.#at)
      this.#at += there
      this.#skip -= there
    }
    if (this.#keptSize > 0) return this.#complete()
    if (this.#at === chunk.length) return this.#nothing()
    if (chunk.length - this.#at < FRAME_HEADER) return this.#keep()
    const at = this.#at
    const wanted = this.#readHeader(chunk, at)
    if (typeof wanted === 'string') return wanted
    if (chunk.length - at < wanted) return this.#keep()
    this.#at = at + wanted
    return this.#begin(chunk, at)
  }

  #nothing(): Found {
    this.bytes = NO_BYTES
    this.#chunk = NO_BYTES
    this.#at = 0
    return 'nothing'
  }

  #piece(size: number): Found {
    this.bytes = this.#chunk
    this.start = this.#at
    this.#at += size
    this.end = this.#at
    this.#left -= size
    this.isLast = this.#left === 0
    return 'piece'
  }

  /** Returns how many bytes of the frame must be there before anything is found of it, or why it is not read. */
  #readHeader(bytes: Buffer, at: number): number | Found {
    const length =
      ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    this.length = length
    this.type = bytes[at + 3] as number
    this.flags = bytes[at + 4] as number
    this.streamId = bytes.readUInt32BE(at + 5) & 0x7fffffff
    if (this.#isFirst) {
      this.#isFirst = false
      this.bytes = bytes
      this.start = at
      this.end = at + FRAME_HEADER
      return 'first'
    }
    if (length > this.#maxLength) return 'too_large'
    if (this.type > types.CONTINUATION) return FRAME_HEADER
    if (this.type !== types.DATA) return FRAME_HEADER + length
    if ((this.flags & flags.PADDED) === 0) return FRAME_HEADER
    return length === 0 ? 'too_padded' : FRAME_HEADER + 1
  }

  /** Finds the frame at `at`, of which all the wanted bytes are there. */
  #begin(bytes: Buffer, at: number): Found {
    this.bytes = bytes
    this.start = at + FRAME_HEADER
    this.end = this.start + this.length
    if (this.type > types.CONTINUATION) {
      this.#skip = this.length
      return 'frame'
    }
    if (this.type !== types.DATA) return 'frame'
    let padding = 0
    if ((this.flags & flags.PADDED) !== 0) {
      const size = bytes[this.start] as number
      if (size >= this.length) return 'too_padded'
      padding = size + 1
      this.#skip = size
    }
    this.content = this.length - padding
    this.#left = this.content
    return 'data'
  }

  /** Keeps what is there of a frame until the rest comes. */
  #keep(): Found {
    const rest = this.#chunk.subarray(this.#at)
    this.#reserve(rest.length)
    rest.copy(this.#kept)
    this.#keptSize = rest.length
    return this.#nothing()
  }

  /** Adds to the kept bytes as many as are wanted, and not more. */
  #complete(): Found {
    if (this.#keptSize < FRAME_HEADER && !this.#add(FRAME_HEADER)) return this.#nothing()
    const wanted = this.#readHeader(this.#kept, 0)
    if (typeof wanted === 'string') return wanted
    if (!this.#add(wanted)) return this.#nothing()
    const kept = this.#kept
    this.#keptSize = 0
    if (kept.length > LARGE) this.#kept = NO_BYTES
    return this.#begin(kept, 0)
  }

  /** Adds to the kept bytes until there are so many. Returns whether there are. */
  #add(wanted: number): boolean {
    const size = Math.min(wanted - this.#keptSize, this.#chunk.length - this.#at)
    if (size <= 0) return this.#keptSize >= wanted
    this.#reserve(wanted)
    this.#chunk.copy(this.#kept, this.#keptSize, this.#at, this.#at + size)
    this.#keptSize += size
    this.#at += size
    return this.#keptSize >= wanted
  }

  #reserve(size: number): void {
    if (size <= this.#kept.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(SMALL, size))
    this.#kept.copy(larger, 0, 0, this.#keptSize)
    this.#kept = larger
  }
}
