/** An engine of HTTP/2 that is called as a connection calls it: the peer's frames in, lines that tell of values and frames out. */

import { HpackDecoder } from '../../../../test/support/hpack.ts'
import * as h2 from '../../../../test/support/http2-frames.ts'
import { nameOf } from '../../src/http2/engine/codes.ts'
import { Engine } from '../../src/http2/engine/engine.ts'
import type { Headers } from '../../src/http2/engine/head.ts'
import type { EngineOptions } from '../../src/http2/engine/settings.ts'
import type { Sink } from '../../src/http2/engine/sink.ts'
import type { EngineStream } from '../../src/http2/engine/stream.ts'
import type { Value } from '../../src/http2/engine/values.ts'
import type { RequestHead } from '../../src/http2/engine/writer.ts'

/** A window that is opened again once half of it is used. */
export const windowOf = (initial: number): EngineOptions['streamWindow'] => ({
  initial,
  threshold: Math.floor(initial / 2),
  margin: 0,
  max: 2 ** 31 - 1,
})

export const usual: EngineOptions = {
  connectionWindow: windowOf(8 * 1024 * 1024),
  streamWindow: windowOf(1024 * 1024),
  maxConcurrentStreams: 100,
  enablePush: true,
  enableConnectProtocol: undefined,
  maxDecodeTableSize: 4096,
  maxEncodeTableSize: 4096,
  maxFrameSizeReceived: 16_384,
  maxFrameSizeSent: Number.POSITIVE_INFINITY,
  maxHeaderListSize: 100_000,
  maxHeaderBlock: 216_384,
  dataThreshold: 0,
}

/** Around the room that was asked for, so that writing beyond it shows. */
const GUARD = 8
const FILLING = 0xee

/** Keeps what is written. */
export class Pages implements Sink {
  page = Buffer.alloc(0)
  /** Whether nothing leaves. */
  isStuck = false
  buffered = 0
  /** The pieces that were written, by reference where they were not copied into the page. */
  pieces: Uint8Array[] = []
  #room = 0

  room(size: number): number {
    if (size <= this.#room) return GUARD
    this.#room = size
    this.page = Buffer.alloc(size + 2 * GUARD, FILLING)
    return GUARD
  }

  commit(size: number): void {
    if (size > this.#room) throw new Error(`${size} bytes where there was room for ${this.#room}`)
    const around = [this.page.subarray(0, GUARD), this.page.subarray(GUARD + this.#room)]
    if (Buffer.concat(around).some(byte => byte !== FILLING)) throw new Error('bytes beyond the room')
    this.#add(this.page.subarray(GUARD, GUARD + size))
    this.#room = 0
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#add(bytes)
  }

  #add(bytes: Uint8Array): void {
    this.pieces.push(bytes)
    if (this.isStuck) this.buffered += bytes.length
  }

  /** Lets all that waits leave. */
  drain(): void {
    this.isStuck = false
    this.buffered = 0
  }
}

export type Stream = EngineStream<string>

/** An engine and its sink. A stream's owner is the path of its request. */
export class Talk {
  readonly sink = new Pages()
  readonly engine: Engine<string>
  /** In milliseconds. */
  now = 0
  readonly #frames = new h2.FrameReader()
  readonly #decoder = new HpackDecoder()

  constructor(opts: Partial<EngineOptions> = {}) {
    this.engine = new Engine<string>(this.sink, { ...usual, ...opts }, this.now)
  }

  /** Begins a stream with a GET, or with another method. */
  open(request: Partial<RequestHead> = {}, isEnd = true): Stream {
    const { method = 'GET', path = '/' } = request
    const usual = { scheme: 'http', authority: 'a', protocol: undefined, headers: [] }
    return this.engine.open(path ?? '', { ...usual, ...request, method, path }, isEnd)
  }

  send(stream: Stream, body: string | Uint8Array, isEnd: boolean): void {
    this.engine.send(stream, Buffer.from(body), isEnd)
  }

  /** Gives frames in one piece. Tells of all values that come of them. */
  give(...frames: readonly Uint8Array[]): string[] {
    return this.values(...frames).map(tell)
  }

  values(...frames: readonly Uint8Array[]): Value<string>[] {
    if (frames.length > 0) this.engine.give(Buffer.concat(frames), this.now)
    const values: Value<string>[] = []
    for (let value = this.engine.next(); value !== undefined; value = this.engine.next()) values.push(value)
    return values
  }

  /** Gives frames and takes the first value that comes of them. */
  first(...frames: readonly Uint8Array[]): string | undefined {
    this.engine.give(Buffer.concat(frames), this.now)
    return this.next()
  }

  next(): string | undefined {
    const value = this.engine.next()
    return value === undefined ? undefined : tell(value)
  }

  /** The frames that were written since the last call; a preface is left out. */
  frames(): h2.Frame[] {
    let bytes = Buffer.concat(this.sink.pieces)
    this.sink.pieces = []
    if (bytes.subarray(0, h2.PREFACE.length).equals(h2.PREFACE)) bytes = bytes.subarray(h2.PREFACE.length)
    const frames = this.#frames.push(bytes)
    if (this.#frames.rest.length > 0) throw new Error('a frame was not written to its end')
    return frames
  }

  /** Tells of these frames; of large DATA its length. */
  written(): string[] {
    return this.frames().map(frame => {
      const { type, flags, streamId, payload } = frame
      const isEnd = (flags & h2.flags.END_STREAM) !== 0
      if (type === h2.types.DATA && payload.length > 20) {
        return `DATA of ${streamId} (${payload.length})${isEnd ? ' END_STREAM' : ''}`
      }
      if (type !== h2.types.HEADERS) return h2.tellFrame(frame)
      const isWhole = (flags & h2.flags.END_HEADERS) !== 0
      const fields = isWhole ? ` ${listed(this.#decoder.decode(payload))}` : ' ...'
      return `HEADERS of ${streamId}${fields}${isEnd ? ' END_STREAM' : ''}`
    })
  }

  /** Begins, with the peer's settings, and forgets what was written by then. */
  begin(settings: h2.Settings = {}): this {
    this.engine.start()
    this.give(h2.settings(settings), h2.settingsAck())
    this.sink.pieces = []
    return this
  }
}

/** An engine that has exchanged settings with its peer. */
export function begun(opts: Partial<EngineOptions> = {}, settings: h2.Settings = {}): Talk {
  return new Talk(opts).begin(settings)
}

/** The head of a response. */
export function head(
  streamId: number,
  fields: Readonly<Record<string, string | number>> = {},
  opts: h2.HeadersOptions = {},
): Buffer {
  const list = Object.entries({ ':status': 200, ...fields }).map(
    ([name, value]) => [name, String(value)] as const,
  )
  return h2.headers(streamId, list, opts)
}

function listed(headers: Headers): string {
  return headers.map(([name, value]) => `${name}=${value}`).join(' ')
}

/** Tells of a value in a line. */
export function tell(value: Value<string>): string {
  const words: (string | number)[] = [value.type]
  if ('stream' in value) words.push(value.stream.id)
  switch (value.type) {
    case 'inform':
    case 'response':
      words.push(value.status, listed(value.headers))
      break
    case 'data':
      words.push(value.data.length > 20 ? `(${value.data.length})` : value.data.toString('latin1'))
      break
    case 'trailers':
      words.push(listed(value.headers))
      break
    case 'reset':
      words.push(nameOf(value.code), value.isWhole ? 'whole' : '')
      break
    case 'broken':
      words.push(nameOf(value.code), value.isHead ? 'by a head' : '')
      break
    case 'push':
      words.push(value.promised.id, `${value.request.method} ${value.request.path}`)
      break
    case 'ping_ack':
      words.push(value.ping)
      break
    case 'goaway':
      words.push(nameOf(value.code), value.lastId)
      break
    case 'failure':
      words.push(nameOf(value.code), value.isLimit ? 'limit' : '')
      break
  }
  if ('isFin' in value && value.isFin) words.push('fin')
  return words.filter(word => word !== '').join(' ')
}
