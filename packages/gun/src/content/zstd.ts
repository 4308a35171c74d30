/**
 * zstd (RFC 8878), a sequence of frames. zlib decodes their content, but cannot tell where they end: it
 * accepts a truncated frame as whole, and fails on bytes after the last frame.
 */

import zlib from 'node:zlib'
import { decodeError, type Emit, Inflater, type ZlibStream } from './inflater.js'
import { BYTE, readInteger } from './octets.js'

interface Zstd {
  readonly createZstdDecompress?: (options: { params: Record<number, number> }) => ZlibStream
  readonly constants: { readonly ZSTD_d_windowLogMax?: number }
}

const { createZstdDecompress, constants } = zlib as unknown as Zstd

/** Whether this version of Node supports zstd. */
export const hasZstd = createZstdDecompress !== undefined

/** RFC 9659: over HTTP a window has at most 8 MiB. */
const params = { [constants.ZSTD_d_windowLogMax ?? 0]: 23 }

const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a5
/** The type of a block that consists of one repeated byte (section 3.1.1.2.2). */
const REPEATED = 1

/**
 * The next input of the frame reader: a number of bytes, the last of which is passed to the reader; or the
 * beginning or end of zlib's input.
 */
type Want = number | 'begin' | 'end'

export class Unzstd {
  readonly #emit: Emit
  readonly #frames = this.#readFrames()
  #want: IteratorResult<Want, void> = this.#frames.next(0)
  /** How many bytes of the wanted number are still to come. */
  #left: number = BYTE
  #inflater: Inflater | undefined
  /** Whether the end of the body would cut off a frame. */
  #isWithin = true
  #isDisposed = false

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** Takes data like `Inflater.take`. Bytes after the last frame are ignored. */
  async take(data: Buffer): Promise<void> {
    let from = 0
    let at = 0
    while (!this.#want.done && !this.#isDisposed) {
      const want = this.#want.value
      if (want === 'begin') {
        if (createZstdDecompress === undefined) return
        const magic = Buffer.alloc(4)
        magic.writeUInt32LE(MAGIC)
        this.#inflater = new Inflater('zstd', createZstdDecompress({ params }), this.#emit)
        await this.#inflater.take(magic)
        from = at
      } else if (want === 'end') {
        await this.#pass(data.subarray(from, at))
        await this.#inflater?.end()
        this.#inflater?.dispose()
        this.#inflater = undefined
      } else {
        if (at === data.length) break
        const count = Math.min(this.#left, data.length - at)
        at += count
        this.#left -= count
        if (this.#left > 0) break
      }
      this.#want = this.#frames.next(at === 0 ? 0 : data.readUInt8(at - 1))
      this.#left = typeof this.#want.value === 'number' ? this.#want.value : 0
    }
    await this.#pass(data.subarray(from))
  }

  async end(): Promise<void> {
    if (this.#isWithin) throw decodeError('zstd', 'unexpected end of file')
  }

  dispose(): void {
    this.#isDisposed = true
    this.#inflater?.dispose()
  }

  async #pass(data: Buffer): Promise<void> {
    if (data.length > 0) await this.#inflater?.take(data)
  }

  *#readFrames(): Generator<Want, void, number> {
    for (let isFirst = true; ; isFirst = false) {
      const magic = yield* readInteger(4)
      const isSkippable = Math.floor(magic / 16) === SKIPPABLE
      if (magic !== MAGIC && !isSkippable) {
        if (isFirst) throw decodeError('zstd', 'Unknown frame descriptor')
        return
      }
      this.#isWithin = true
      if (isSkippable) {
        const size = yield* readInteger(4)
        if (size > 0) yield size
      } else {
        yield 'begin'
        yield* readFrame()
        yield 'end'
      }
      this.#isWithin = false
    }
  }
}

/** Reads a frame after its magic number (section 3.1.1). */
function* readFrame(): Generator<Want, void, number> {
  const descriptor = yield BYTE
  const isSingleSegment = (descriptor & 0x20) !== 0
  const window = isSingleSegment ? 0 : 1
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const header = window + dictionary + contentSize
  if (header > 0) yield header
  for (let isLast = false; !isLast; ) {
    const block = yield* readInteger(3)
    isLast = (block & 1) === 1
    const length = ((block >> 1) & 3) === REPEATED ? 1 : block >> 3
    if (length > 0) yield length
  }
  const hasChecksum = (descriptor & 4) !== 0
  if (hasChecksum) yield 4
}
