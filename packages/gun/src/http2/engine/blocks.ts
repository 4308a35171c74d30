/** Header blocks: put together from HEADERS or PUSH_PROMISE and the CONTINUATION frames behind them, and decoded. */

import { codes, flags, LARGEST, types } from './codes.js'
import { broken, excess, type Fault } from './fault.js'
import type { Field } from './field.js'
import { type HpackDecoder, HpackError } from './hpack-decoder.js'
import type { FrameReader } from './reader.js'

export interface HeaderBlock {
  readonly streamId: number
  /** The stream that the block announces; `undefined`: it came with HEADERS. */
  readonly promisedId: number | undefined
  /** Whether the peer sends nothing more on the stream. */
  readonly isEnd: boolean
  /** `undefined`: they exceed `maxHeaderListSize`. */
  readonly fields: readonly Field[] | undefined
}

/** A block whose end has not come. */
interface Open {
  readonly streamId: number
  readonly promisedId: number | undefined
  readonly isEnd: boolean
  readonly pieces: Buffer[]
  size: number
}

/** The limits of a block, in bytes. */
export interface BlockLimits {
  readonly maxHeaderListSize: number
  readonly maxHeaderBlock: number
}

export class BlockReader {
  readonly #decoder: HpackDecoder
  readonly #limits: BlockLimits
  #open: Open | undefined

  constructor(decoder: HpackDecoder, limits: BlockLimits) {
    this.#decoder = decoder
    this.#limits = limits
  }

  /** Whether only a CONTINUATION may come next (RFC 9113 section 6.10). */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /** Reads a frame of HEADERS or PUSH_PROMISE. Gives the block if that is all of it. */
  begin(frame: FrameReader): HeaderBlock | Fault | undefined {
    const { bytes, streamId, type, flags: given } = frame
    const isPromise = type === types.PUSH_PROMISE
    const isPadded = (given & flags.PADDED) !== 0
    const name = isPromise ? 'a PUSH_PROMISE' : 'HEADERS'
    if (streamId === 0) return broken(codes.PROTOCOL_ERROR, `sent ${name} on no stream`)
    let { start, end } = frame
    if (isPadded) end -= (bytes[start++] ?? 0) as number
    const ahead = isPromise ? 4 : (given & flags.PRIORITY) !== 0 ? 5 : 0
    if (start + ahead > frame.end) return broken(codes.FRAME_SIZE_ERROR, `sent ${name} that is too short`)
    if (start + ahead > end) return broken(codes.PROTOCOL_ERROR, `padded ${name} with more than there is`)
    const promisedId = isPromise ? bytes.readUInt32BE(start) & LARGEST : undefined
    start += ahead
    const isEnd = !isPromise && (given & flags.END_STREAM) !== 0
    if (end - start > this.#limits.maxHeaderBlock) return tooLarge()
    if ((given & flags.END_HEADERS) !== 0) return this.#decode(streamId, promisedId, isEnd, bytes, start, end)
    const pieces = [Buffer.from(bytes.subarray(start, end))]
    this.#open = { streamId, promisedId, isEnd, pieces, size: end - start }
    return undefined
  }

  /** Reads a CONTINUATION. Gives the block if that was the last of it. */
  goOn(frame: FrameReader): HeaderBlock | Fault | undefined {
    const { bytes, start, end, streamId, flags: given } = frame
    const open = this.#open
    if (open === undefined) return broken(codes.PROTOCOL_ERROR, 'sent a CONTINUATION of nothing')
    if (open.streamId !== streamId) return this.interrupted()
    open.size += end - start
    if (open.size > this.#limits.maxHeaderBlock) return tooLarge()
    open.pieces.push(Buffer.from(bytes.subarray(start, end)))
    if ((given & flags.END_HEADERS) === 0) return undefined
    this.#open = undefined
    const { promisedId, isEnd, pieces, size } = open
    return this.#decode(streamId, promisedId, isEnd, Buffer.concat(pieces, size), 0, size)
  }

  interrupted(): Fault {
    return broken(codes.PROTOCOL_ERROR, 'sent another frame within a header block')
  }

  #decode(
    streamId: number,
    promisedId: number | undefined,
    isEnd: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): HeaderBlock | Fault {
    try {
      const fields = this.#decoder.decode(bytes, start, end, this.#limits.maxHeaderListSize)
      return { streamId, promisedId, isEnd, fields }
    } catch (error) {
      if (!(error instanceof HpackError)) throw error
      return broken(codes.COMPRESSION_ERROR, `sent a header block that cannot be read: ${error.message}`)
    }
  }
}

function tooLarge(): Fault {
  return excess('a header block of the peer exceeds maxFragmentedHeaderBlockSize')
}
