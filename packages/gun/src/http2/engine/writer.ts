/** Writes frames into a sink (RFC 9113 sections 4 and 6). */

import { codes, FRAME_HEADER, flags, PREFACE, types } from './codes.js'
import { ofHttp1 } from './field.js'
import type { Headers } from './head.js'
import type { HpackEncoder } from './hpack-encoder.js'
import { SETTING } from './settings.js'
import type { Sink } from './sink.js'
import type { EngineStream } from './stream.js'

/** A request, as far as its head says. */
export interface RequestHead {
  readonly method: string
  /** `undefined` for a CONNECT without a protocol (RFC 9113 section 8.5), as is the path. */
  readonly scheme: string | undefined
  readonly authority: string
  readonly path: string | undefined
  /** The protocol that the stream is to become (RFC 8441 section 4). */
  readonly protocol: string | undefined
  /** The fields; those that concern one connection of HTTP/1.1 are left out. */
  readonly headers: Headers
}

/** A header block up to this size, in bytes, is written where it will leave from. */
const SMALL_BLOCK = 8 * 1024
/** How many bytes a field may need beside its name and value, and a block beside its fields. */
const FIELD_ROOM = 12

/** The fields that are left out of a request: those of HTTP/1.1, and the host, which is the authority. */
const LEFT_OUT: ReadonlySet<string> = new Set([...ofHttp1, 'host', 'http2-settings'])

export class FrameWriter {
  readonly #sink: Sink
  readonly #encoder: HpackEncoder
  /** How many bytes the peer lets a frame hold. */
  maxLength: number

  constructor(sink: Sink, encoder: HpackEncoder, maxLength: number) {
    this.#sink = sink
    this.#encoder = encoder
    this.maxLength = maxLength
  }

  preface(): void {
    this.#sink.write(PREFACE)
  }

  settings(settings: readonly (readonly [id: number, value: number])[]): void {
    let at = this.#frame(settings.length * SETTING, types.SETTINGS, 0, 0)
    const { page } = this.#sink
    for (const [id, value] of settings) {
      page.writeUInt16BE(id, at)
      page.writeUInt32BE(value, at + 2)
      at += SETTING
    }
    this.#sink.commit(FRAME_HEADER + settings.length * SETTING)
  }

  settingsAck(): void {
    this.#frame(0, types.SETTINGS, flags.ACK, 0)
    this.#sink.commit(FRAME_HEADER)
  }

  /** Writes a PING with the eight bytes at `start`. */
  ping(flag: number, bytes: Uint8Array, start: number): void {
    const at = this.#frame(8, types.PING, flag, 0)
    this.#sink.page.set(bytes.subarray(start, start + 8), at)
    this.#sink.commit(FRAME_HEADER + 8)
  }

  goAway(lastId: number, code: number): void {
    const at = this.#frame(8, types.GOAWAY, 0, 0)
    this.#sink.page.writeUInt32BE(lastId, at)
    this.#sink.page.writeUInt32BE(code, at + 4)
    this.#sink.commit(FRAME_HEADER + 8)
  }

  reset(streamId: number, code: number = codes.CANCEL): void {
    this.#number(types.RST_STREAM, streamId, code)
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#number(types.WINDOW_UPDATE, streamId, increment)
  }

  #number(type: number, streamId: number, value: number): void {
    const at = this.#frame(4, type, 0, streamId)
    this.#sink.page.writeUInt32BE(value, at)
    this.#sink.commit(FRAME_HEADER + 4)
  }

  /** Writes so many of the bytes that wait on a stream as one frame of DATA. */
  data(stream: EngineStream<unknown>, size: number, isEnd: boolean): void {
    this.#frame(size, types.DATA, isEnd ? flags.END_STREAM : 0, stream.id)
    this.#sink.commit(FRAME_HEADER)
    for (let left = size; left > 0; ) {
      const bytes = stream.take(left)
      this.#sink.write(bytes)
      left -= bytes.length
    }
  }

  /** Makes room for a frame of DATA with so many bytes, and returns where they are to be written. */
  reserveData(size: number): number {
    return this.#sink.room(FRAME_HEADER + size) + FRAME_HEADER
  }

  /** Writes the header of that frame, which has so many bytes after all. */
  commitData(streamId: number, size: number): void {
    putHeader(this.#sink.page, this.#sink.room(0), size, types.DATA, 0, streamId)
    this.#sink.commit(FRAME_HEADER + size)
  }

  /** Writes the head of a request, or, where there is none, trailers. */
  headers(streamId: number, request: RequestHead | undefined, headers: Headers, isEnd: boolean): void {
    let bound = FIELD_ROOM
    if (request !== undefined) {
      const { method, scheme = '', authority, path = '', protocol = '' } = request
      bound += method.length + scheme.length + authority.length + path.length + protocol.length
      bound += 5 * (FIELD_ROOM + ':authority'.length)
    }
    for (let i = 0; i < headers.length; i++) {
      const [name, value] = headers[i] as readonly [string, string]
      bound += name.length + value.length + FIELD_ROOM
    }
    const flag = isEnd ? flags.END_STREAM : 0
    if (bound > SMALL_BLOCK || bound > this.maxLength) {
      return this.#largeBlock(streamId, request, headers, flag, bound)
    }
    const at = this.#sink.room(FRAME_HEADER + bound)
    const { page } = this.#sink
    const start = at + FRAME_HEADER
    const end = this.#encode(page, start, request, headers)
    putHeader(page, at, end - start, types.HEADERS, flag | flags.END_HEADERS, streamId)
    this.#sink.commit(end - at)
  }

  #largeBlock(
    streamId: number,
    request: RequestHead | undefined,
    headers: Headers,
    flag: number,
    bound: number,
  ): void {
    const block = Buffer.allocUnsafeSlow(bound)
    const size = this.#encode(block, 0, request, headers)
    let type: number = types.HEADERS
    for (let at = 0; at < size; at += this.maxLength) {
      const end = Math.min(size, at + this.maxLength)
      const isFirst = type === types.HEADERS
      this.#frame(end - at, type, (isFirst ? flag : 0) | (end === size ? flags.END_HEADERS : 0), streamId)
      this.#sink.commit(FRAME_HEADER)
      this.#sink.write(block.subarray(at, end))
      type = types.CONTINUATION
    }
  }

  #encode(into: Buffer, start: number, request: RequestHead | undefined, headers: Headers): number {
    const encoder = this.#encoder
    let at = encoder.begin(into, start)
    if (request !== undefined) {
      at = encoder.field(into, at, ':method', request.method)
      if (request.scheme !== undefined) at = encoder.field(into, at, ':scheme', request.scheme)
      at = encoder.field(into, at, ':authority', request.authority)
      if (request.path !== undefined) at = encoder.field(into, at, ':path', request.path)
      if (request.protocol !== undefined) at = encoder.field(into, at, ':protocol', request.protocol)
    }
    for (let i = 0; i < headers.length; i++) {
      const [name, value] = headers[i] as readonly [string, string]
      if (LEFT_OUT.has(name) || (name === 'te' && value !== 'trailers')) continue
      at = encoder.field(into, at, name, value)
    }
    return at
  }

  /** Makes room for a frame, writes its header, and returns where its payload begins. */
  #frame(length: number, type: number, flag: number, streamId: number): number {
    const isApart = type === types.DATA || type === types.HEADERS || type === types.CONTINUATION
    const at = this.#sink.room(FRAME_HEADER + (isApart ? 0 : length))
    putHeader(this.#sink.page, at, length, type, flag, streamId)
    return at + FRAME_HEADER
  }
}

function putHeader(
  page: Buffer,
  at: number,
  length: number,
  type: number,
  flag: number,
  streamId: number,
): void {
  page[at] = length >>> 16
  page[at + 1] = length >>> 8
  page[at + 2] = length
  page[at + 3] = type
  page[at + 4] = flag
  page[at + 5] = streamId >>> 24
  page[at + 6] = streamId >>> 16
  page[at + 7] = streamId >>> 8
  page[at + 8] = streamId
}
