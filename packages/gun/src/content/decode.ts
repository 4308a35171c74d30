/** Content codings (RFC 9110 section 8.4): compressed bodies are decoded before they are passed on. */

import zlib from 'node:zlib'
import * as v from 'valibot'
import { GunError } from '../errors.js'
import type { ContentHandler, ContentReader, Next } from '../options/content-handler.js'
import { strictOptions } from '../options/names.js'
import type { Headers, IsFin } from '../words.js'
import { checked } from './checked.js'
import { Gunzip } from './gzip.js'
import { decodeError, type Emit, Inflater, type ZlibStream } from './inflater.js'
import { hasZstd, Unzstd } from './zstd.js'

/** Decodes one coding of one body. */
interface Decoder {
  take(data: Buffer): Promise<unknown>
  /** Takes the end of the body; called only if the decoder took data before. */
  end(): Promise<void>
  dispose(): void
}

const EMPTY = Buffer.alloc(0)

/** The most codings of one body. Each takes memory, and no honest server needs two. */
const MOST_CODINGS = 5

/** Up to this size in bytes, `maxRatio` does not limit a decoded body. */
const FREE = 4 * 1024 * 1024

/** Options of `decode`. */
export interface DecodeOpts {
  /**
   * The largest ratio of a decoded body's size to its encoded size, checked once the decoded body exceeds
   * 4 MiB. With several codings the limit holds for the output of each. A larger ratio ends the stream with
   * `ratio_exceeded`. Default 200; `Infinity` means no limit.
   */
  readonly maxRatio?: number
}

const decodeOpts = strictOptions({
  maxRatio: v.optional(
    v.pipe(v.number('must be a number'), v.minValue(1, 'must be a number of at least 1, or Infinity')),
    200,
  ),
})

const decoders: Readonly<Record<string, (emit: Emit) => Decoder>> = {
  gzip: emit => new Gunzip(emit),
  'x-gzip': emit => new Gunzip(emit),
  deflate: emit => new Plain('deflate', inflate, emit),
  br: emit => new Plain('br', () => zlib.createBrotliDecompress(), emit),
  ...(hasZstd && { zstd: (emit: Emit) => new Unzstd(emit) }),
}

/**
 * Returns a content handler that decodes bodies whose content-encoding is gzip, deflate, br, or zstd where
 * Node supports it, or a list of these. A body with any other coding is passed on without decoding. A body
 * that does not match its coding ends the stream with `protocol_error`. The headers in `gun_response` stay as
 * they arrived; content-length is the length of the encoded body. Gun has no such handler.
 */
export function decode(opts: DecodeOpts = {}): ContentHandler {
  const { maxRatio } = checked('decode', decodeOpts, opts)
  return {
    init({ headers }, next) {
      const codings = codingsOf(headers)
      if (codings.length === 0 || !codings.every(coding => Object.hasOwn(decoders, coding))) return undefined
      if (codings.length > MOST_CODINGS) {
        throw decodeError('content-encoding', `${codings.length} codings are more than ${MOST_CODINGS}`)
      }
      return new Decoding(codings, maxRatio, next)
    },
  }
}

/** Returns the codings in the order in which they were applied. */
function codingsOf(headers: Headers): string[] {
  return headers
    .filter(([name]) => name === 'content-encoding')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map(coding => coding.trim())
    .filter(coding => coding !== '' && coding !== 'identity')
}

/**
 * The decoders of one body, in a row: each passes its output to the decoder of the coding that was applied
 * before its own.
 */
class Decoding implements ContentReader {
  readonly #stages: Stage[] = []
  readonly #first: Next
  /** How many bytes have arrived. */
  #received = 0

  constructor(codings: readonly string[], maxRatio: number, last: Next) {
    let next = last
    const check = (size: number) => {
      if (size > FREE && size > this.#received * maxRatio) throw ratioError(maxRatio)
    }
    for (const coding of codings) {
      const stage = new Stage(coding, check, next)
      this.#stages.push(stage)
      next = (isFin, data) => stage.handle(isFin, data)
    }
    this.#first = next
  }

  handle(isFin: IsFin, data: Buffer): void | Promise<void> {
    this.#received += data.length
    return this.#first(isFin, data)
  }

  close(): void {
    for (const stage of this.#stages) stage.dispose()
  }
}

class Stage {
  readonly #coding: string
  readonly #check: (size: number) => void
  readonly #next: Next
  #decoder: Decoder | undefined
  /** How many bytes the decoder has put out. */
  #size = 0
  #isDisposed = false

  /** `check` throws if so many decoded bytes are too many. */
  constructor(coding: string, check: (size: number) => void, next: Next) {
    this.#coding = coding
    this.#check = check
    this.#next = next
  }

  async handle(isFin: IsFin, data: Buffer): Promise<void> {
    if (this.#isDisposed) return
    // An empty body stays empty: servers label empty bodies as gzip.
    if (data.length > 0) {
      this.#decoder ??= decoders[this.#coding]?.(piece => this.#pass(piece))
      await this.#decoder?.take(data)
    }
    if (isFin === 'nofin' || this.#isDisposed) return
    await this.#decoder?.end()
    this.dispose()
    return this.#next('fin', EMPTY)
  }

  dispose(): void {
    this.#isDisposed = true
    this.#decoder?.dispose()
  }

  #pass(piece: Buffer): void | Promise<void> {
    this.#size += piece.length
    this.#check(this.#size)
    return this.#next('nofin', piece)
  }
}

/** A coding that zlib decodes on its own. Bytes after the end of the data are ignored. */
class Plain implements Decoder {
  readonly #coding: string
  readonly #create: (data: Buffer) => ZlibStream
  readonly #emit: Emit
  #inflater: Inflater | undefined

  constructor(coding: string, create: (data: Buffer) => ZlibStream, emit: Emit) {
    this.#coding = coding
    this.#create = create
    this.#emit = emit
  }

  async take(data: Buffer): Promise<void> {
    this.#inflater ??= new Inflater(this.#coding, this.#create(data), this.#emit)
    if (!this.#inflater.isOver) await this.#inflater.take(data)
  }

  async end(): Promise<void> {
    await this.#inflater?.end()
  }

  dispose(): void {
    this.#inflater?.dispose()
  }
}

/**
 * Returns the decoder for `deflate`. The coding is zlib's format, but many servers send its content without
 * the header (RFC 9110 section 8.4.1.2).
 */
function inflate(data: Buffer): ZlibStream {
  return (data.readUInt8() & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()
}

function ratioError(maxRatio: number): GunError {
  const text = `the decoded body is more than ${maxRatio} times as large as the encoded part that has arrived (decode.maxRatio)`
  return new GunError('ratio_exceeded', 'stream_error', text)
}
