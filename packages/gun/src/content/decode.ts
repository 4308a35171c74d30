/** Content codings (RFC 9110 section 8.4): bodies that were compressed are handed on as they were before. */

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

/** What decodes one coding of one body. */
interface Decoder {
  take(data: Buffer): Promise<unknown>
  /** Only where something was taken. */
  finish(): Promise<void>
  close(): void
}

const EMPTY = Buffer.alloc(0)

/** Each takes memory, and nobody needs two. */
const MOST_CODINGS = 5

/** Up to so many bytes a body may become as much larger as it likes. */
const FREE = 4 * 1024 * 1024

/** Options of `decode`. */
export interface DecodeOpts {
  /**
   * How many times as large a body may become, once more than 4 MiB have come of it; with several codings each of them counts.
   * Beyond, its stream ends with `ratio_exceeded`. Default 200; `Infinity`: no limit.
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
 * Decodes bodies whose content-encoding is gzip, deflate or br, or zstd where Node can, also several of them. One that
 * has another coding is not decoded at all. What does not fit its coding ends the stream with `protocol_error`. The
 * headers in `gun_response` stay as they came: content-length is that of the encoded body. Gun has no such handler.
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

/** In the order in which they were applied. */
function codingsOf(headers: Headers): string[] {
  return headers
    .filter(([name]) => name === 'content-encoding')
    .flatMap(([, value]) => value.toLowerCase().split(','))
    .map(coding => coding.trim())
    .filter(coding => coding !== '' && coding !== 'identity')
}

/** The decoders of one body: what one gives goes to that of the coding that was applied before. */
class Decoding implements ContentReader {
  readonly #stages: Stage[] = []
  readonly #first: Next
  /** How many bytes have come. */
  #given = 0

  constructor(codings: readonly string[], maxRatio: number, last: Next) {
    let next = last
    const check = (size: number) => {
      if (size > FREE && size > this.#given * maxRatio) throw ratioError(maxRatio)
    }
    for (const coding of codings) {
      const stage = new Stage(coding, check, next)
      this.#stages.push(stage)
      next = (isFin, data) => stage.handle(isFin, data)
    }
    this.#first = next
  }

  handle(isFin: IsFin, data: Buffer): void | Promise<void> {
    this.#given += data.length
    return this.#first(isFin, data)
  }

  close(): void {
    for (const stage of this.#stages) stage.close()
  }
}

class Stage {
  readonly #coding: string
  readonly #check: (size: number) => void
  readonly #next: Next
  #decoder: Decoder | undefined
  /** How many bytes have come of it. */
  #size = 0
  #isClosed = false

  /** `check` throws if so many bytes are too many. */
  constructor(coding: string, check: (size: number) => void, next: Next) {
    this.#coding = coding
    this.#check = check
    this.#next = next
  }

  async handle(isFin: IsFin, data: Buffer): Promise<void> {
    if (this.#isClosed) return
    // Of nothing comes nothing: servers say gzip of a body that is empty.
    if (data.length > 0) {
      this.#decoder ??= decoders[this.#coding]?.(piece => this.#pass(piece))
      await this.#decoder?.take(data)
    }
    if (isFin === 'nofin' || this.#isClosed) return
    await this.#decoder?.finish()
    this.close()
    return this.#next('fin', EMPTY)
  }

  close(): void {
    this.#isClosed = true
    this.#decoder?.close()
  }

  #pass(piece: Buffer): void | Promise<void> {
    this.#size += piece.length
    this.#check(this.#size)
    return this.#next('nofin', piece)
  }
}

/** A coding that zlib does by itself. What follows the end of the data is ignored. */
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

  async finish(): Promise<void> {
    await this.#inflater?.finish()
  }

  close(): void {
    this.#inflater?.close()
  }
}

/** The coding is zlib's format, but many have sent what is in it, without the header (RFC 9110 section 8.4.1.2). */
function inflate(data: Buffer): ZlibStream {
  return (data.readUInt8() & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw()
}

function ratioError(maxRatio: number): GunError {
  const text = `the decoded body is more than ${maxRatio} times as large as what has come of it (decode.maxRatio)`
  return new GunError('ratio_exceeded', 'stream_error', text)
}
