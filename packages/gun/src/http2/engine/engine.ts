/**
 * The client's side of an HTTP/2 connection (RFC 9113): takes the peer's bytes and hands out what they say, one value at a
 * time, and writes what its user asks for into a sink. It touches no socket and owns no timer.
 */

import { codes, FIRST_WINDOW, flags, LARGEST, nameOf, types } from './codes.js'
import type { Field } from './field.js'
import { Budget, earned } from './flood.js'
import { ReceiveWindow, SendWindow } from './flow.js'
import { type Headers, readRequest, readResponse, readTrailers } from './head.js'
import { HpackDecoder, HpackError } from './hpack-decoder.js'
import { HpackEncoder } from './hpack-encoder.js'
import { FrameReader } from './reader.js'
import {
  type EngineOptions,
  FIRST_SETTINGS,
  type PeerSettings,
  readSettings,
  SETTING,
  settingsOf,
} from './settings.js'
import type { Sink } from './sink.js'
import { EngineStream } from './stream.js'
import type { Value } from './values.js'
import { FrameWriter, type RequestHead } from './writer.js'

/** In bytes. With more than this waiting to leave, DATA waits for its turn, so that no other frame waits long. */
const SINK_MARK = 256 * 1024
/** In bytes. With more than this waiting to leave, the peer's frames that ask for an answer end the connection. */
const SINK_LIMIT = 16 * 1024 * 1024
/** In bytes. How much one stream sends before the next one's turn. */
const TURN = 64 * 1024
/** How many of the streams that were reset are remembered, on which frames of the peer may still be under way. */
const MOST_RESET = 10_000
/** How many streams the server may have announced and not begun. */
const MOST_PROMISED = 1000
/** How many pings may wait for their answers. */
export const MOST_PINGS = 1000
/** What the first four bytes of our PINGs say, so that the answer to another's is not taken for one of ours. */
const OURS = 0x686f6c73

const NO_BYTES = Buffer.alloc(0)

/** A header block whose end has not come. */
interface Block {
  readonly streamId: number
  /** The stream that the block announces; `undefined`: it is one of HEADERS. */
  readonly promisedId: number | undefined
  readonly isEnd: boolean
  readonly pieces: Buffer[]
  size: number
}

export class Engine<Owner> {
  /** The settings of the peer that are in force. */
  peer: PeerSettings = FIRST_SETTINGS
  readonly #opts: EngineOptions
  readonly #sink: Sink
  readonly #reader: FrameReader
  readonly #writer: FrameWriter
  readonly #encoder: HpackEncoder
  readonly #decoder: HpackDecoder
  readonly #budget: Budget
  #now: number
  readonly #sendWindow = new SendWindow(FIRST_WINDOW)
  readonly #receiveWindow: ReceiveWindow
  /** The streams that are not closed, by their numbers. */
  readonly #streams = new Map<number, EngineStream<Owner>>()
  #nextId = 1
  #lastPromised = 0
  /** How many streams the server has announced, and how many of these it has begun. */
  #promised = 0
  #pushed = 0
  /** The numbers of the streams that either side has reset, or the peer has not seen, and on which it might still send. */
  readonly #reset = new Set<number>()
  /** The streams that have bytes to send and whose windows are open, and those that have but their end to send. */
  #ready: EngineStream<Owner>[] = []
  #ending: EngineStream<Owner>[] = []
  /** The stream that the user sends on right now. */
  #sender: EngineStream<Owner> | undefined
  /** The stream whose DATA is being read; `undefined`: nobody wants it. */
  #receiver: EngineStream<Owner> | undefined
  #block: Block | undefined
  readonly #pings = new Set<number>()
  #lastPing = 0
  /** Values that come behind the one that was handed out, and how many of them were. */
  #values: Value<Owner>[] = []
  #handedOut = 0
  #hasSettings = false
  #isAcknowledged = false
  /** The code of our last GOAWAY. */
  #farewell: number | undefined
  /** Whether the peer has said that it looks at no more streams. */
  #isLeft = false
  #isOver = false

  /** `now` is the time in milliseconds by the clock that `give` goes by as well. */
  constructor(sink: Sink, opts: EngineOptions, now: number) {
    this.#sink = sink
    this.#opts = opts
    this.#now = now
    this.#budget = new Budget(now)
    this.#reader = new FrameReader(opts.maxFrameSizeReceived)
    this.#encoder = new HpackEncoder(opts.maxEncodeTableSize)
    this.#decoder = new HpackDecoder(opts.maxDecodeTableSize)
    this.#writer = new FrameWriter(sink, this.#encoder, FIRST_SETTINGS.maxFrameSize)
    this.#receiveWindow = new ReceiveWindow(opts.connectionWindow)
  }

  // The user asks:

  /** Writes the preface, our settings, and the size of the connection's window. */
  start(): void {
    this.#writer.preface()
    this.#writer.settings(settingsOf(this.#opts))
    const more = this.#opts.connectionWindow.initial - FIRST_WINDOW
    if (more > 0) this.#writer.windowUpdate(0, more)
  }

  /** Whether the peer has stated its settings, with which it has to begin. */
  get hasSettings(): boolean {
    return this.#hasSettings
  }

  /** Whether the peer has acknowledged our settings, and so has to keep to them. */
  get isAcknowledged(): boolean {
    return this.#isAcknowledged
  }

  /** Whether a stream can be begun: the connection goes on, and the numbers of streams are not used up. */
  get canOpen(): boolean {
    return !this.#isOver && !this.#isLeft && this.#nextId <= LARGEST
  }

  /** Begins a stream. `isEnd`: the head is all of the request. To be asked only while `canOpen`. */
  open(owner: Owner, request: RequestHead, isEnd: boolean): EngineStream<Owner> {
    const id = this.#nextId
    this.#nextId += 2
    const { initialWindowSize } = this.peer
    const stream = new EngineStream<Owner>(
      id,
      request.method,
      'open',
      initialWindowSize,
      this.#opts.streamWindow,
    )
    stream.owner = owner
    this.#streams.set(id, stream)
    this.#writer.headers(id, request, request.headers, isEnd)
    this.#budget.earn(earned.request)
    if (isEnd) {
      stream.isComplete = true
      stream.change('finish')
    }
    return stream
  }

  /** Sends bytes as the windows allow; with `isEnd` they are the last. The bytes must not change until they have left. */
  send(stream: EngineStream<Owner>, bytes: Uint8Array, isEnd: boolean): void {
    if (stream.isComplete || this.#isOver) return
    stream.push(bytes)
    stream.isComplete = isEnd
    this.#sendNow(stream)
  }

  /** Ends the body with trailers. */
  sendTrailers(stream: EngineStream<Owner>, trailers: Headers): void {
    if (stream.isComplete || this.#isOver) return
    stream.trailers = trailers
    stream.isComplete = true
    this.#sendNow(stream)
  }

  /** Sends what waits, as the windows and the sink allow. To be called when the sink has room again. */
  flush(): void {
    while (!this.#isOver && this.#sink.buffered < SINK_MARK) {
      // An end needs no window.
      const stream = this.#ending.shift() ?? (this.#sendWindow.left > 0 ? this.#ready.shift() : undefined)
      if (stream === undefined) return
      this.#sendTurn(stream)
      stream.isReady = false
      this.#enqueue(stream)
    }
  }

  /** Whether something waits for the sink alone. */
  get isWaitingForSink(): boolean {
    return this.#ending.length > 0 || (this.#ready.length > 0 && this.#sendWindow.left > 0)
  }

  /** Resets a stream: nothing more is handed out of it, or sent on it. */
  reset(stream: EngineStream<Owner>, code: number = codes.CANCEL): void {
    stream.isSilent = true
    this.#abandon(stream, code)
  }

  #abandon(stream: EngineStream<Owner>, code: number): void {
    if (stream.isClosed) return
    if (!this.#isOver) {
      this.#writer.reset(stream.id, code)
      if (!stream.hasEnded) this.#remember(stream.id)
    }
    this.#close(stream)
  }

  /** Counts bytes of a stream as consumed, so that the peer may send as many again. */
  consume(stream: EngineStream<Owner>, bytes: number): void {
    if (stream.hasEnded || this.#isOver) return
    const increment = stream.receiveWindow.consume(bytes)
    if (increment > 0) this.#writer.windowUpdate(stream.id, increment)
  }

  /** Sends a PING. Returns the number by which its answer is told; `undefined`: too many wait for theirs. */
  ping(): number | undefined {
    if (this.#pings.size >= MOST_PINGS || this.#isOver) return undefined
    this.#lastPing = (this.#lastPing + 1) >>> 0
    const opaque = Buffer.allocUnsafe(8)
    opaque.writeUInt32BE(OURS)
    opaque.writeUInt32BE(this.#lastPing, 4)
    this.#pings.add(this.#lastPing)
    this.#writer.ping(0, opaque, 0)
    return this.#lastPing
  }

  /** Tells the peer that we end the connection: once without an error, and once with one. */
  goAway(code: number): void {
    if (this.#isOver || this.#farewell === code || (this.#farewell ?? 0) !== 0) return
    this.#farewell = code
    this.#writer.goAway(this.#lastPromised, code)
  }

  /** Hands out and sends nothing more. */
  stop(): void {
    this.#isOver = true
    this.#values = []
    this.#handedOut = 0
    this.#ready = []
    this.#ending = []
  }

  // The peer's bytes:

  /** Takes bytes, which must stay valid until `next` gives nothing, or until `own`. */
  give(bytes: Buffer, now: number): void {
    if (this.#isOver) return
    this.#now = now
    this.#reader.give(bytes)
  }

  /** Copies the bytes that were not looked at yet, since whoever gave them takes them back. */
  own(): void {
    this.#reader.own()
  }

  /** Whether all bytes were looked at and all values handed out. */
  get isIdle(): boolean {
    return this.#values.length === 0 && (this.#isOver || this.#reader.isIdle)
  }

  /** Gives the next value; `undefined`: more bytes are needed. */
  next(): Value<Owner> | undefined {
    for (;;) {
      if (this.#values.length > 0) {
        const value = this.#shift()
        if ('stream' in value && value.stream.isSilent) continue
        return value
      }
      if (this.#isOver) return undefined
      const value = this.#look()
      if (value === NOTHING) return undefined
      if (value !== undefined) return value
    }
  }

  #shift(): Value<Owner> {
    const value = this.#values[this.#handedOut++] as Value<Owner>
    if (this.#handedOut === this.#values.length) {
      this.#values = []
      this.#handedOut = 0
    }
    return value
  }

  #look(): Value<Owner> | typeof NOTHING | undefined {
    const reader = this.#reader
    switch (reader.next()) {
      case 'nothing':
        return NOTHING
      case 'first':
        return this.#onFirst()
      case 'too_large':
        return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent a frame larger than is allowed')
      case 'too_padded':
        return this.#fail(codes.PROTOCOL_ERROR, 'it padded a frame with more bytes than the frame has')
      case 'data':
        return this.#onData()
      case 'piece':
        return this.#onPiece()
      case 'frame':
        return this.#onFrame()
    }
  }

  /** The peer has to begin with SETTINGS (RFC 9113 section 3.4). */
  #onFirst(): Value<Owner> | undefined {
    const { bytes, start, end, type, flags: given } = this.#reader
    if (type === types.SETTINGS && (given & flags.ACK) === 0) return undefined
    const isHttp1 = bytes.latin1Slice(start, end).startsWith('HTTP/1')
    return this.#conclude(
      codes.PROTOCOL_ERROR,
      isHttp1
        ? "the peer answered HTTP/2's preface with HTTP/1.1, so it does not speak HTTP/2 here"
        : 'the peer does not speak HTTP/2: it did not begin with SETTINGS',
    )
  }

  #onFrame(): Value<Owner> | undefined {
    const { type } = this.#reader
    if (this.#block !== undefined && type !== types.CONTINUATION) return this.#interrupted()
    switch (type) {
      case types.HEADERS:
        return this.#onHeaders()
      case types.PRIORITY:
        return this.#onPriority()
      case types.RST_STREAM:
        return this.#onReset()
      case types.SETTINGS:
        return this.#onSettings()
      case types.PUSH_PROMISE:
        return this.#onPushPromise()
      case types.PING:
        return this.#onPing()
      case types.GOAWAY:
        return this.#onGoaway()
      case types.WINDOW_UPDATE:
        return this.#onWindowUpdate()
      case types.CONTINUATION:
        return this.#onContinuation()
      default:
        return this.#weigh(1)
    }
  }

  // DATA (RFC 9113 section 6.1):

  #onData(): Value<Owner> | undefined {
    const reader = this.#reader
    const { streamId, length, content } = reader
    if (this.#block !== undefined) return this.#interrupted()
    // Before anything else is decided: a frame that nobody wants has used up the window as well.
    if (!this.#receiveWindow.take(length)) {
      return this.#fail(codes.FLOW_CONTROL_ERROR, "it sent more than the connection's window allowed")
    }
    const increment = this.#receiveWindow.consume(length)
    if (increment > 0) this.#writer.windowUpdate(0, increment)
    const isEnd = (reader.flags & flags.END_STREAM) !== 0
    const stream = this.#streams.get(streamId)
    this.#receiver = undefined
    if (stream?.state === 'reserved') return this.#tooEarly('DATA')
    const problem = stream === undefined ? undefined : this.#problemWith(stream, length, content)
    if (stream === undefined || problem !== undefined) {
      reader.skip()
      return stream === undefined ? this.#onStray('DATA') : problem
    }
    if (stream.expected !== undefined) stream.expected -= content
    if (length > content) this.consume(stream, length - content)
    if (content > 0) {
      this.#receiver = stream
      return undefined
    }
    if (!isEnd) return this.#weigh(1)
    return this.#tooShort(stream) ?? this.#lastData(stream, NO_BYTES)
  }

  /** Breaks a stream for a frame of DATA that may not come. */
  #problemWith(stream: EngineStream<Owner>, length: number, content: number): Value<Owner> | undefined {
    if (stream.hasEnded) {
      return this.#break(stream, codes.STREAM_CLOSED, 'the peer sent DATA behind the end of its response')
    }
    if (stream.phase === 'head') {
      return this.#break(stream, codes.PROTOCOL_ERROR, 'the peer sent DATA before the head of its response')
    }
    if (!stream.receiveWindow.take(length)) {
      return this.#break(
        stream,
        codes.FLOW_CONTROL_ERROR,
        "the peer sent more than the stream's window allowed",
      )
    }
    const { expected } = stream
    if (expected === undefined || expected >= content) return undefined
    return this.#break(stream, codes.PROTOCOL_ERROR, LENGTH_TEXT)
  }

  /** Breaks a stream that ends before the length has come that its head says. */
  #tooShort(stream: EngineStream<Owner>): Value<Owner> | undefined {
    if (stream.expected === undefined || stream.expected === 0) return undefined
    return this.#break(stream, codes.PROTOCOL_ERROR, LENGTH_TEXT)
  }

  #lastData(stream: EngineStream<Owner>, data: Buffer): Value<Owner> {
    this.#end(stream)
    return { type: 'data', stream, data, isFin: true }
  }

  #onPiece(): Value<Owner> | undefined {
    const { bytes, start, end, isLast, flags: given } = this.#reader
    const stream = this.#receiver
    if (stream === undefined || stream.isClosed) {
      // The user has reset the stream within the frame.
      this.#reader.skip()
      return undefined
    }
    const data = bytes.subarray(start, end)
    if (isLast && (given & flags.END_STREAM) !== 0) {
      const problem = this.#tooShort(stream)
      if (problem === undefined) return this.#lastData(stream, data)
      this.#values.push(problem)
    }
    return { type: 'data', stream, data, isFin: false }
  }

  // HEADERS, PUSH_PROMISE and CONTINUATION (RFC 9113 sections 6.2, 6.6 and 6.10):

  #onHeaders(): Value<Owner> | undefined {
    const { bytes, streamId, flags: given } = this.#reader
    const isEnd = (given & flags.END_STREAM) !== 0
    const priority = (given & flags.PRIORITY) === 0 ? 0 : 5
    if (streamId === 0) return this.#fail(codes.PROTOCOL_ERROR, 'it sent HEADERS on no stream')
    const [start, end] = this.#unpad()
    if (start + priority > end)
      return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent HEADERS that are too short')
    if ((given & flags.END_HEADERS) === 0) {
      return this.#begin(streamId, undefined, isEnd, bytes.subarray(start + priority, end))
    }
    return this.#onBlock(streamId, undefined, isEnd, bytes, start + priority, end)
  }

  #onPushPromise(): Value<Owner> | undefined {
    const { bytes, streamId, flags: given } = this.#reader
    const [start, end] = this.#unpad()
    if (start + 4 > end) return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent a PUSH_PROMISE that is too short')
    const promisedId = bytes.readUInt32BE(start) & LARGEST
    if ((given & flags.END_HEADERS) === 0) {
      return this.#begin(streamId, promisedId, false, bytes.subarray(start + 4, end))
    }
    return this.#onBlock(streamId, promisedId, false, bytes, start + 4, end)
  }

  /** Gives where the payload begins and ends without its padding; the end comes first where there is too much of that. */
  #unpad(): readonly [start: number, end: number] {
    const { bytes, start, end, flags: given } = this.#reader
    if ((given & flags.PADDED) === 0) return [start, end]
    return start === end ? [start + 1, end] : [start + 1, end - (bytes[start] as number)]
  }

  #begin(
    streamId: number,
    promisedId: number | undefined,
    isEnd: boolean,
    bytes: Buffer,
  ): Value<Owner> | undefined {
    this.#block = { streamId, promisedId, isEnd, pieces: [], size: 0 }
    return this.#addToBlock(this.#block, bytes)
  }

  #addToBlock(block: Block, bytes: Buffer): Value<Owner> | undefined {
    block.size += bytes.length
    if (block.size > this.#opts.maxHeaderBlock) {
      const text = 'a header block of the peer exceeds maxFragmentedHeaderBlockSize'
      return this.#conclude(codes.ENHANCE_YOUR_CALM, text, true)
    }
    block.pieces.push(Buffer.from(bytes))
    return undefined
  }

  #onContinuation(): Value<Owner> | undefined {
    const { bytes, start, end, streamId, flags: given } = this.#reader
    const block = this.#block
    if (block?.streamId !== streamId) return this.#interrupted()
    const problem = this.#weigh(1) ?? this.#addToBlock(block, bytes.subarray(start, end))
    if (problem !== undefined || (given & flags.END_HEADERS) === 0) return problem
    this.#block = undefined
    const { promisedId, isEnd, pieces, size } = block
    return this.#onBlock(streamId, promisedId, isEnd, Buffer.concat(pieces, size), 0, size)
  }

  #interrupted(): Value<Owner> {
    return this.#fail(
      codes.PROTOCOL_ERROR,
      this.#block === undefined
        ? 'it sent a CONTINUATION of nothing'
        : 'it sent another frame within a header block',
    )
  }

  #onBlock(
    streamId: number,
    promisedId: number | undefined,
    isEnd: boolean,
    bytes: Buffer,
    start: number,
    end: number,
  ): Value<Owner> | undefined {
    let fields: readonly Field[] | undefined
    try {
      fields = this.#decoder.decode(bytes, start, end, this.#opts.maxHeaderListSize)
    } catch (error) {
      if (!(error instanceof HpackError)) throw error
      return this.#fail(codes.COMPRESSION_ERROR, error.message)
    }
    if (promisedId !== undefined) return this.#onPromise(streamId, promisedId, fields)
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return this.#onStray('HEADERS')
    if (stream.hasEnded) {
      return this.#break(stream, codes.STREAM_CLOSED, 'the peer sent HEADERS behind the end of its response')
    }
    if (stream.state === 'reserved') {
      if (this.#pushed >= this.#opts.maxConcurrentStreams) {
        return this.#break(stream, codes.REFUSED_STREAM, 'the server pushes more than maxConcurrentStreams')
      }
      this.#promised--
      this.#pushed++
      stream.change('begin')
    }
    if (stream.phase === 'head') return this.#onHead(stream, fields, isEnd)
    return this.#onTrailers(stream, fields, isEnd)
  }

  #onHead(
    stream: EngineStream<Owner>,
    fields: readonly Field[] | undefined,
    isEnd: boolean,
  ): Value<Owner> | undefined {
    if (fields === undefined) return this.#break(stream, codes.ENHANCE_YOUR_CALM, SIZE_TEXT, true)
    const head = readResponse(fields)
    if (head === undefined) {
      return this.#break(stream, codes.PROTOCOL_ERROR, 'the head of the response is malformed', true)
    }
    const { status, headers, length } = head
    if (status < 200) {
      if (status === 101 || isEnd) {
        return this.#break(stream, codes.PROTOCOL_ERROR, `a response ${status} cannot come like this`, true)
      }
      return this.#weigh(1) ?? { type: 'inform', stream, status, headers }
    }
    const isTunnel = stream.method === 'CONNECT' && status < 300
    const isBare = stream.method === 'HEAD' || status === 204 || status === 304
    stream.phase = isTunnel ? 'tunnel' : 'body'
    stream.expected = isTunnel ? undefined : isBare ? 0 : length
    if (isEnd) {
      const problem = this.#tooShort(stream)
      if (problem !== undefined) return problem
      this.#end(stream)
    }
    return { type: 'response', stream, status, headers, isFin: isEnd }
  }

  #onTrailers(
    stream: EngineStream<Owner>,
    fields: readonly Field[] | undefined,
    isEnd: boolean,
  ): Value<Owner> | undefined {
    if (fields === undefined) return this.#break(stream, codes.ENHANCE_YOUR_CALM, SIZE_TEXT)
    const headers = readTrailers(fields)
    if (headers === undefined || !isEnd || stream.phase === 'tunnel') {
      return this.#break(stream, codes.PROTOCOL_ERROR, 'the trailers of the response are malformed')
    }
    const problem = this.#tooShort(stream)
    if (problem !== undefined) return problem
    this.#end(stream)
    return { type: 'trailers', stream, headers }
  }

  #onPromise(
    streamId: number,
    promisedId: number,
    fields: readonly Field[] | undefined,
  ): Value<Owner> | undefined {
    // A server may have sent it before it knew our settings.
    if (!this.#opts.enablePush && this.#isAcknowledged) {
      return this.#fail(codes.PROTOCOL_ERROR, 'it pushes though enablePush is false')
    }
    if (promisedId % 2 === 1 || promisedId <= this.#lastPromised) {
      return this.#fail(codes.PROTOCOL_ERROR, 'it announced a stream with a number that it cannot have')
    }
    this.#lastPromised = promisedId
    const stream = this.#streams.get(streamId)
    if ((stream === undefined && !this.#reset.has(streamId)) || stream?.hasEnded || stream?.isPushed) {
      return this.#fail(codes.PROTOCOL_ERROR, 'it announced a stream in answer to no request')
    }
    const problem = this.#weigh(1)
    if (problem !== undefined) return problem
    const isRefused =
      !this.#opts.enablePush ||
      this.#opts.maxConcurrentStreams === 0 ||
      this.#promised >= MOST_PROMISED ||
      stream === undefined
    if (isRefused) return this.#refuse(promisedId, codes.REFUSED_STREAM)
    if (fields === undefined) return this.#refuse(promisedId, codes.ENHANCE_YOUR_CALM)
    const request = readRequest(fields)
    if (request === undefined) return this.#refuse(promisedId, codes.PROTOCOL_ERROR)
    const { streamWindow } = this.#opts
    const promised = new EngineStream<Owner>(promisedId, request.method, 'reserved', 0, streamWindow)
    promised.isComplete = true
    this.#promised++
    this.#streams.set(promisedId, promised)
    return { type: 'push', stream, promised, request }
  }

  #refuse(promisedId: number, code: number): undefined {
    this.#writer.reset(promisedId, code)
    this.#remember(promisedId)
  }

  // The other frames:

  #onPriority(): Value<Owner> | undefined {
    const { length, streamId } = this.#reader
    if (streamId === 0) return this.#fail(codes.PROTOCOL_ERROR, 'it sent PRIORITY on no stream')
    // RFC 9113 section 6.3: an error of the stream, which may not have begun.
    return this.#weigh(length === 5 ? 1 : 10)
  }

  #onReset(): Value<Owner> | undefined {
    const { bytes, start, length, streamId } = this.#reader
    if (length !== 4) return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent a RST_STREAM of a wrong size')
    const stream = this.#streams.get(streamId)
    if (stream === undefined) {
      return this.#isIdle(streamId)
        ? this.#fail(codes.PROTOCOL_ERROR, 'it reset a stream that has not begun')
        : this.#weigh(1)
    }
    const code = bytes.readUInt32BE(start)
    const isComplete = stream.phase === 'body' && (stream.expected ?? 0) === 0
    const isWhole = stream.hasEnded || (code === codes.NO_ERROR && isComplete)
    if (!stream.hasEnded) this.#remember(stream.id)
    this.#close(stream)
    return { type: 'reset', stream, code, isWhole }
  }

  #onSettings(): Value<Owner> | undefined {
    const { bytes, start, end, length, streamId, flags: given } = this.#reader
    const isAck = (given & flags.ACK) !== 0
    if (streamId !== 0) return this.#fail(codes.PROTOCOL_ERROR, 'it sent SETTINGS on a stream')
    if (length % SETTING !== 0 || (isAck && length > 0)) {
      return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent SETTINGS of a wrong size')
    }
    if (isAck) {
      if (this.#isAcknowledged) return this.#weigh(1)
      this.#isAcknowledged = true
      this.#decoder.acknowledge()
      return { type: 'acknowledged' }
    }
    const settings = readSettings(this.peer, bytes, start, end)
    if ('code' in settings) return this.#fail(settings.code, settings.text)
    // A change of the window goes through all streams.
    const problem =
      this.#answer() ?? this.#weigh(1 + this.#streams.size / 64) ?? this.#widen(settings.initialWindowSize)
    if (problem !== undefined) return problem
    this.peer = settings
    this.#hasSettings = true
    this.#encoder.allow(settings.headerTableSize)
    this.#writer.maxLength = Math.min(settings.maxFrameSize, this.#opts.maxFrameSizeSent)
    this.#writer.settingsAck()
    this.#values.push({ type: 'settings', settings })
    this.flush()
    return undefined
  }

  /** Opens the windows of all streams to what the peer's settings now say, or closes them. */
  #widen(size: number): Value<Owner> | undefined {
    const change = size - this.peer.initialWindowSize
    if (change === 0) return undefined
    for (const stream of this.#streams.values()) {
      if (!stream.sendWindow.open(change)) {
        return this.#fail(codes.FLOW_CONTROL_ERROR, 'its INITIAL_WINDOW_SIZE makes a window too large')
      }
      this.#enqueue(stream)
    }
    return undefined
  }

  #onPing(): Value<Owner> | undefined {
    const { bytes, start, length, streamId, flags: given } = this.#reader
    if (streamId !== 0) return this.#fail(codes.PROTOCOL_ERROR, 'it sent a PING on a stream')
    if (length !== 8) return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent a PING of a wrong size')
    if ((given & flags.ACK) === 0) {
      const problem = this.#weigh(1) ?? this.#answer()
      if (problem === undefined) this.#writer.ping(flags.ACK, bytes, start)
      return problem
    }
    const ping = bytes.readUInt32BE(start + 4)
    if (bytes.readUInt32BE(start) !== OURS || !this.#pings.delete(ping)) return this.#weigh(1)
    return { type: 'ping_ack', ping }
  }

  #onGoaway(): Value<Owner> | undefined {
    const { bytes, start, length, streamId } = this.#reader
    if (streamId !== 0) return this.#fail(codes.PROTOCOL_ERROR, 'it sent GOAWAY on a stream')
    if (length < 8) return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent a GOAWAY that is too short')
    const problem = this.#weigh(1)
    if (problem !== undefined) return problem
    this.#isLeft = true
    const lastId = bytes.readUInt32BE(start) & LARGEST
    this.#values.push({ type: 'goaway', lastId, code: bytes.readUInt32BE(start + 4) })
    for (const stream of [...this.#streams.values()]) {
      if (stream.isPushed || stream.id <= lastId) continue
      this.#remember(stream.id)
      this.#close(stream)
      this.#values.push({ type: 'unseen', stream })
    }
    return undefined
  }

  #onWindowUpdate(): Value<Owner> | undefined {
    const { bytes, start, length, streamId } = this.#reader
    if (length !== 4) return this.#fail(codes.FRAME_SIZE_ERROR, 'it sent a WINDOW_UPDATE of a wrong size')
    const increment = bytes.readUInt32BE(start) & LARGEST
    const problem = this.#weigh(1)
    if (problem !== undefined) return problem
    if (streamId === 0) {
      if (increment === 0) return this.#fail(codes.PROTOCOL_ERROR, 'it opened the window by nothing')
      if (!this.#sendWindow.open(increment)) {
        return this.#fail(codes.FLOW_CONTROL_ERROR, "it opened the connection's window too far")
      }
      this.flush()
      return undefined
    }
    const stream = this.#streams.get(streamId)
    if (stream === undefined) {
      if (!this.#isIdle(streamId)) return undefined
      return this.#fail(codes.PROTOCOL_ERROR, 'it opened the window of a stream that has not begun')
    }
    if (stream.state === 'reserved') return this.#tooEarly('WINDOW_UPDATE')
    if (increment === 0) {
      return this.#break(stream, codes.PROTOCOL_ERROR, "the peer opened the stream's window by nothing")
    }
    if (!stream.sendWindow.open(increment)) {
      return this.#break(stream, codes.FLOW_CONTROL_ERROR, "the peer opened the stream's window too far")
    }
    this.#enqueue(stream)
    this.flush()
    return undefined
  }

  /** A frame came on a stream that is closed, or that has never been (RFC 9113 section 5.1). */
  #onStray(what: string): Value<Owner> | undefined {
    const { streamId } = this.#reader
    if (this.#isIdle(streamId)) {
      return this.#fail(codes.PROTOCOL_ERROR, `it sent ${what} on a stream that has not begun`)
    }
    if (this.#reset.has(streamId)) return this.#weigh(1)
    return this.#fail(codes.STREAM_CLOSED, `it sent ${what} on a stream that has ended`)
  }

  /** A frame came on a stream that the server has announced and not begun (RFC 9113 section 5.1). */
  #tooEarly(what: string): Value<Owner> {
    return this.#fail(codes.PROTOCOL_ERROR, `it sent ${what} on a stream that it has not begun`)
  }

  #isIdle(streamId: number): boolean {
    return streamId % 2 === 1 ? streamId >= this.#nextId : streamId === 0 || streamId > this.#lastPromised
  }

  // Sending:

  /** Sends what the user has just given, which needs no value to tell of it, unless other streams wait already. */
  #sendNow(stream: EngineStream<Owner>): void {
    const isFree = !this.isWaitingForSink
    this.#enqueue(stream)
    if (!isFree) return
    this.#sender = stream
    this.flush()
    this.#sender = undefined
  }

  /** Lets the stream wait for its turn, if it has something to send and a window for it. */
  #enqueue(stream: EngineStream<Owner>): void {
    if (stream.isReady || !stream.isSending) return
    if (stream.queued > 0) {
      const { left } = stream.sendWindow
      if (left <= 0) return
      const threshold = Math.min(this.#opts.dataThreshold, this.peer.initialWindowSize)
      if (left < threshold && left < stream.queued) return
    }
    stream.isReady = true
    if (stream.queued > 0) this.#ready.push(stream)
    else this.#ending.push(stream)
  }

  /** Sends as much of a stream as it may in one go. */
  #sendTurn(stream: EngineStream<Owner>): void {
    const { sendWindow } = stream
    const before = stream.queued
    for (let turn = TURN; turn > 0 && stream.isSending; ) {
      const { queued } = stream
      const most = Math.min(sendWindow.left, this.#sendWindow.left, this.#writer.maxLength)
      const size = queued === 0 ? 0 : Math.min(queued, most)
      if (size <= 0 && queued > 0) break
      const isLast = stream.isComplete && size === queued
      if (queued > 0 || stream.trailers === undefined) this.#sendFrame(stream, size, isLast)
      if (isLast) this.#finish(stream)
      turn -= size
    }
    const isTold = stream !== this.#sender && (stream.queued < before || stream.hasFinished)
    if (isTold) this.#values.push({ type: 'sent', stream })
  }

  #sendFrame(stream: EngineStream<Owner>, size: number, isLast: boolean): void {
    this.#writer.data(stream, size, isLast && stream.trailers === undefined)
    stream.sendWindow.left -= size
    this.#sendWindow.left -= size
    this.#budget.earn(earned.frame)
  }

  /** All that we have to send is sent, but for trailers. */
  #finish(stream: EngineStream<Owner>): void {
    if (stream.trailers !== undefined) this.#writer.headers(stream.id, undefined, stream.trailers, true)
    stream.trailers = undefined
    stream.change('finish')
    if (stream.isClosed) this.#forget(stream)
  }

  // How streams and the connection end:

  /** The peer sends nothing more on the stream. */
  #end(stream: EngineStream<Owner>): void {
    stream.change('end')
    if (stream.isClosed) this.#forget(stream)
  }

  #close(stream: EngineStream<Owner>): void {
    if (stream.state === 'reserved') this.#promised--
    else if (stream.isPushed) this.#pushed--
    stream.change('reset')
    this.#streams.delete(stream.id)
    stream.drop()
    this.#unready(stream)
  }

  /** Lets go of a stream that both sides have ended in order. */
  #forget(stream: EngineStream<Owner>): void {
    if (stream.isPushed) this.#pushed--
    this.#streams.delete(stream.id)
  }

  #unready(stream: EngineStream<Owner>): void {
    if (!stream.isReady) return
    stream.isReady = false
    for (const waiting of [this.#ready, this.#ending]) {
      const at = waiting.indexOf(stream)
      if (at !== -1) waiting.splice(at, 1)
    }
  }

  #remember(streamId: number): void {
    this.#reset.add(streamId)
    if (this.#reset.size <= MOST_RESET) return
    for (const oldest of this.#reset) {
      this.#reset.delete(oldest)
      return
    }
  }

  /** Resets a stream for a fault of the peer. */
  #break(stream: EngineStream<Owner>, code: number, text: string, isHead = false): Value<Owner> {
    this.#abandon(stream, code)
    return this.#weigh(1) ?? { type: 'broken', stream, code, text, isHead }
  }

  /** Spends points for a frame that brings nothing. Ends the connection if there are too many of those. */
  #weigh(points: number): Value<Owner> | undefined {
    if (this.#budget.spend(points, this.#now)) return undefined
    const text = 'the peer sends too many frames that bring nothing'
    return this.#conclude(codes.ENHANCE_YOUR_CALM, text, true)
  }

  /** Ends the connection to a peer that asks for answers and takes none. */
  #answer(): Value<Owner> | undefined {
    if (this.#sink.buffered <= SINK_LIMIT) return undefined
    return this.#conclude(codes.ENHANCE_YOUR_CALM, 'the peer asks for answers and reads none', true)
  }

  /** Ends the connection for a fault of the peer. */
  #fail(code: number, text: string): Value<Owner> {
    return this.#conclude(code, `the peer broke the rules of HTTP/2 (${nameOf(code)}): ${text}`)
  }

  #conclude(code: number, text: string, isLimit = false): Value<Owner> {
    this.goAway(code)
    this.#isOver = true
    const failure = { type: 'failure', code, isLimit, text } as const
    if (this.#values.length === 0) return failure
    this.#values.push(failure)
    return this.#shift()
  }
}

const NOTHING = Symbol('nothing')
const LENGTH_TEXT = 'the body of the response does not have the length that its head says'
const SIZE_TEXT = 'the headers of the response exceed maxHeaderListSize'
