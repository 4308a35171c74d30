/** Reads what a client of HTTP/2 writes, and throws where no client may write it (RFC 9113). Knows nothing of the engine. */

import { HpackDecoder } from '../../../../test/support/hpack.ts'
import * as h2 from '../../../../test/support/http2-frames.ts'

const { types, flags } = h2
const LARGEST = 2 ** 31 - 1

/** The windows that the client has opened at the start, in bytes. */
export interface OwnWindows {
  readonly connection: number
  readonly stream: number
}

/** Reads what the peer has sent so far, as far as that can be read. */
export class PeerFrames {
  readonly #reader = new h2.FrameReader()
  readonly settings: Map<number, number>[] = []
  pings = 0
  /** By the numbers of the streams, in bytes; 0 for the connection. */
  readonly updates = new Map<number, number>()
  readonly data = new Map<number, number>()
  readonly promised = new Set<number>()
  /** The HEADER_TABLE_SIZEs of each of the settings, in their order. */
  readonly tables: number[][] = []

  push(bytes: Uint8Array): void {
    for (const frame of this.#reader.push(bytes)) this.#take(frame)
    // A piece of DATA counts although the frame is not all there: its length is known.
    const { rest } = this.#reader
    if (rest.length >= 9 && rest[3] === types.DATA)
      this.#late = [rest.readUInt32BE(5) & LARGEST, rest.readUIntBE(0, 3)]
    else this.#late = undefined
  }

  #late: [number, number] | undefined

  /** Whether the last frame is all there. */
  get isWhole(): boolean {
    return this.#reader.rest.length === 0
  }

  /** How many bytes of DATA have come on a stream, or, for 0, on all. */
  received(streamId: number): number {
    let sum =
      streamId === 0 ? [...this.data.values()].reduce((a, b) => a + b, 0) : (this.data.get(streamId) ?? 0)
    if (this.#late !== undefined && (streamId === 0 || this.#late[0] === streamId)) sum += this.#late[1]
    return sum
  }

  #take({ type, flags: given, streamId, payload }: h2.Frame): void {
    const { length } = payload
    if (type === types.DATA) this.data.set(streamId, (this.data.get(streamId) ?? 0) + length)
    else if (type === types.WINDOW_UPDATE && length === 4) {
      const increment = payload.readUInt32BE() & LARGEST
      this.updates.set(streamId, (this.updates.get(streamId) ?? 0) + increment)
    } else if (type === types.PING && (given & flags.ACK) === 0) this.pings++
    else if (type === types.SETTINGS && streamId === 0 && (given & flags.ACK) === 0 && length % 6 === 0) {
      const settings = new Map<number, number>()
      const tables: number[] = []
      for (let at = 0; at < length; at += 6) {
        settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2))
        if (payload.readUInt16BE(at) === h2.settingIds.HEADER_TABLE_SIZE)
          tables.push(payload.readUInt32BE(at + 2))
      }
      this.settings.push(settings)
      this.tables.push(tables)
    } else if (type === types.PUSH_PROMISE) {
      const at = (given & flags.PADDED) === 0 ? 0 : 1
      if (length >= at + 4) this.promised.add(payload.readUInt32BE(at) & LARGEST)
    }
  }
}

interface Written {
  /** How many bytes of DATA were sent. */
  sent: number
  /** How many bytes of WINDOW_UPDATE were sent. */
  opened: number
  hasFinished: boolean
  wasReset: boolean
}

export class ClientFrames {
  readonly #reader = new h2.FrameReader()
  readonly #decoder = new HpackDecoder()
  readonly #peer: PeerFrames
  readonly #windows: OwnWindows
  /** How many bytes more than at the start a window may have. */
  readonly #margin: number
  readonly #streams = new Map<number, Written>()
  #hasPreface = false
  #frames = 0
  #lastId = -1
  #acknowledged = 0
  #answered = 0
  #initial = 65_535
  #maxFrame = 16_384
  #sent = 0
  #opened = 0
  #block: { readonly streamId: number; pieces: Buffer[]; readonly isFirst: boolean } | undefined
  #pings = new Set<string>()
  /** The codes of its GOAWAYs. */
  readonly goaways: string[] = []
  /** All frames, as lines. */
  readonly told: string[] = []

  constructor(peer: PeerFrames, windows: OwnWindows, margin = 0) {
    this.#peer = peer
    this.#windows = windows
    this.#margin = margin
  }

  /** Takes bytes that end with a frame. */
  push(bytes: Buffer): void {
    let rest = bytes
    if (!this.#hasPreface && bytes.length > 0) {
      this.#hasPreface = true
      check(bytes.subarray(0, h2.PREFACE.length).equals(h2.PREFACE), 'no preface')
      rest = bytes.subarray(h2.PREFACE.length)
    }
    for (const frame of this.#reader.push(rest)) this.#take(frame)
    check(this.#reader.rest.length === 0, 'a frame that is not whole')
    check(this.#block === undefined, 'a header block that does not end')
  }

  /** How many bytes a stream's window to us has left, or, for 0, the connection's. */
  left(streamId: number): number {
    const initial = streamId === 0 ? this.#windows.connection : this.#windows.stream
    const opened = streamId === 0 ? this.#opened : (this.#streams.get(streamId)?.opened ?? 0)
    return initial + opened - this.#peer.received(streamId)
  }

  #take(frame: h2.Frame): void {
    const { type, flags: given, streamId, payload } = frame
    this.told.push(h2.tellFrame(frame))
    check(payload.length <= this.#maxFrame, `a frame of ${payload.length} bytes`)
    if (this.#frames++ === 0) check(type === types.SETTINGS && given === 0, 'no SETTINGS at first')
    if (this.#block !== undefined) check(type === types.CONTINUATION, 'an interrupted header block')
    switch (type) {
      case types.DATA:
        return this.#onData(streamId, payload.length, (given & flags.END_STREAM) !== 0)
      case types.HEADERS:
        return this.#onHeaders(frame)
      case types.CONTINUATION:
        return this.#onContinuation(frame)
      case types.RST_STREAM:
        check(payload.length === 4, 'a RST_STREAM of a wrong size')
        return this.#onReset(streamId)
      case types.SETTINGS:
        return this.#onSettings(frame)
      case types.PING:
        return this.#onPing(frame)
      case types.GOAWAY:
        check(streamId === 0 && payload.length >= 8, 'a malformed GOAWAY')
        this.goaways.push(h2.readGoaway(frame).errorCode)
        return
      case types.WINDOW_UPDATE:
        return this.#onUpdate(streamId, payload)
      default:
        check(false, `a frame of type ${type}`)
    }
  }

  #open(streamId: number, what: string): Written {
    const stream = this.#streams.get(streamId)
    check(stream !== undefined, `${what} on stream ${streamId}, which has not begun`)
    check(!stream.wasReset, `${what} on stream ${streamId}, which was reset`)
    return stream
  }

  #onData(streamId: number, length: number, isEnd: boolean): void {
    const stream = this.#open(streamId, 'DATA')
    check(!stream.hasFinished, 'DATA behind the end')
    stream.sent += length
    this.#sent += length
    stream.hasFinished = isEnd
    if (length === 0) return
    const { updates } = this.#peer
    check(stream.sent <= this.#initial + (updates.get(streamId) ?? 0), `more than the window of ${streamId}`)
    check(this.#sent <= 65_535 + (updates.get(0) ?? 0), 'more than the window of the connection')
  }

  #onHeaders({ streamId, flags: given, payload }: h2.Frame): void {
    check((given & (flags.PADDED | flags.PRIORITY)) === 0, 'HEADERS with padding or a priority')
    const isEnd = (given & flags.END_STREAM) !== 0
    const isFirst = !this.#streams.has(streamId)
    if (isFirst) {
      check(streamId === this.#lastId + 2, `stream ${streamId} behind ${this.#lastId}`)
      this.#lastId = streamId
      this.#streams.set(streamId, { sent: 0, opened: 0, hasFinished: isEnd, wasReset: false })
    } else {
      const stream = this.#open(streamId, 'HEADERS')
      check(!stream.hasFinished && isEnd, 'trailers behind the end, or without one')
      stream.hasFinished = true
    }
    this.#block = { streamId, pieces: [payload], isFirst }
    if ((given & flags.END_HEADERS) !== 0) this.#endBlock()
  }

  #onContinuation({ streamId, flags: given, payload }: h2.Frame): void {
    check(this.#block?.streamId === streamId, 'CONTINUATION of nothing')
    check((given & ~flags.END_HEADERS) === 0, 'CONTINUATION with flags that it has not')
    this.#block?.pieces.push(payload)
    if ((given & flags.END_HEADERS) !== 0) this.#endBlock()
  }

  #endBlock(): void {
    const { pieces = [], isFirst = false } = this.#block ?? {}
    this.#block = undefined
    const names = this.#decoder.decode(Buffer.concat(pieces)).map(([name]) => name)
    check(!isFirst || names.includes(':method'), 'a request without a method')
    check(isFirst || names.every(name => !name.startsWith(':')), 'trailers with a pseudo-header field')
  }

  #onReset(streamId: number): void {
    if (streamId % 2 === 1) {
      this.#open(streamId, 'RST_STREAM').wasReset = true
      return
    }
    check(this.#peer.promised.has(streamId), `RST_STREAM of ${streamId}, which was not announced`)
    const stream = this.#streams.get(streamId)
    check(stream?.wasReset !== true, 'RST_STREAM twice')
    this.#streams.set(streamId, { sent: 0, opened: stream?.opened ?? 0, hasFinished: true, wasReset: true })
  }

  #onSettings({ streamId, flags: given, payload }: h2.Frame): void {
    check(streamId === 0, 'SETTINGS on a stream')
    if ((given & flags.ACK) === 0) return check(this.#frames === 1, 'SETTINGS twice')
    check(payload.length === 0, 'an acknowledgement with a payload')
    const settings = this.#peer.settings[this.#acknowledged]
    check(settings !== undefined, 'an acknowledgement of nothing')
    for (const size of this.#peer.tables[this.#acknowledged] ?? [])
      this.#decoder.limit = Math.min(size, 65_536)
    this.#acknowledged++
    this.#initial = settings.get(h2.settingIds.INITIAL_WINDOW_SIZE) ?? this.#initial
    this.#maxFrame = settings.get(h2.settingIds.MAX_FRAME_SIZE) ?? this.#maxFrame
  }

  #onPing({ streamId, flags: given, payload }: h2.Frame): void {
    check(streamId === 0 && payload.length === 8, 'a malformed PING')
    if ((given & flags.ACK) !== 0) return check(++this.#answered <= this.#peer.pings, 'an answer to no PING')
    check(!this.#pings.has(payload.toString('hex')), 'a PING twice')
    this.#pings.add(payload.toString('hex'))
  }

  #onUpdate(streamId: number, payload: Buffer): void {
    check(payload.length === 4, 'a WINDOW_UPDATE of a wrong size')
    const increment = payload.readUInt32BE()
    check(increment > 0 && increment <= LARGEST, `a WINDOW_UPDATE of ${increment}`)
    if (streamId === 0) {
      this.#opened += increment
      // Before the peer knows of the larger window it has the usual one.
      if (this.#frames === 2) this.#opened -= this.#windows.connection - 65_535
    } else if (streamId % 2 === 0) {
      check(this.#peer.promised.has(streamId), 'a WINDOW_UPDATE of a stream that was not announced')
      const stream = this.#streams.get(streamId) ?? { sent: 0, opened: 0, hasFinished: true, wasReset: false }
      check(!stream.wasReset, 'a WINDOW_UPDATE behind a RST_STREAM')
      stream.opened += increment
      this.#streams.set(streamId, stream)
    } else {
      this.#open(streamId, 'WINDOW_UPDATE').opened += increment
    }
    const initial = streamId === 0 ? this.#windows.connection : this.#windows.stream
    check(this.left(streamId) <= initial + this.#margin, `a window of ${this.left(streamId)} for ${streamId}`)
  }
}

function check(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(`The client writes ${text}`)
}
