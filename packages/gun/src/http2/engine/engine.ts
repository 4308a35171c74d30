/**
 * The client's side of an HTTP/2 connection (RFC 9113): takes the peer's bytes and hands out what they say, one value at a
 * time, and writes what its user asks for into a sink. It touches no socket and owns no timer.
 */

import { BlockReader, type HeaderBlock } from './blocks.js'
import { codes, FIRST_WINDOW, flags, LARGEST, types } from './codes.js'
import { broken, excess, Fault, StreamFault } from './fault.js'
import type { Field } from './field.js'
import { Budget, costs, earned } from './flood.js'
import { ReceiveWindow } from './flow.js'
import { type Headers, readRequest } from './head.js'
import { HpackDecoder } from './hpack-decoder.js'
import { HpackEncoder } from './hpack-encoder.js'
import { behindEnd, takeData, takeHead, takeTrailers, tooShort } from './message.js'
import { Pings } from './pings.js'
import { Queue } from './queue.js'
import { FrameReader } from './reader.js'
import { Sender } from './sender.js'
import {
  type EngineOptions,
  FIRST_SETTINGS,
  type PeerSettings,
  readSettings,
  SETTING,
  settingsOf,
} from './settings.js'
import type { Sink } from './sink.js'
import type { EngineStream } from './stream.js'
import { Streams } from './streams.js'
import type { Value } from './values.js'
import { FrameWriter, type RequestHead } from './writer.js'

/** In bytes. With more than this waiting to leave, the peer's frames that ask for an answer end the connection. */
const SINK_LIMIT = 16 * 1024 * 1024
/** How many streams the server may have announced and not begun. */
const MOST_PROMISED = 1000

const NO_BYTES = Buffer.alloc(0)
/** What a look at the peer's bytes gives when all are read. */
const NOTHING = Symbol('nothing')

/** What a frame says: a value, nothing to tell of, or why its stream or the connection ends. */
type Said<Owner> = Value<Owner> | Fault | undefined

export class Engine<Owner> {
  /** The settings of the peer that are in force. */
  peer: PeerSettings = FIRST_SETTINGS
  /** Whether the peer has stated its settings, with which it has to begin. */
  hasSettings = false
  /** Whether the peer has acknowledged our settings, and so has to keep to them. */
  isAcknowledged = false
  readonly #opts: EngineOptions
  readonly #sink: Sink
  readonly #frame: FrameReader
  readonly #blocks: BlockReader
  readonly #encoder: HpackEncoder
  readonly #decoder: HpackDecoder
  readonly #writer: FrameWriter
  readonly #streams: Streams<Owner>
  readonly #sender: Sender<Owner>
  readonly #window: ReceiveWindow
  readonly #pings = new Pings()
  readonly #budget: Budget
  /** The time of the bytes that are being read. */
  #now: number
  /** Values that come behind the one that was handed out. */
  readonly #values = new Queue<Value<Owner>>()
  /** The stream whose DATA is being read; `undefined`: nobody wants it. */
  #receiver: EngineStream<Owner> | undefined
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
    this.#frame = new FrameReader(opts.maxFrameSizeReceived)
    this.#decoder = new HpackDecoder(opts.maxDecodeTableSize)
    this.#blocks = new BlockReader(this.#decoder, opts)
    this.#encoder = new HpackEncoder(opts.maxEncodeTableSize)
    this.#writer = new FrameWriter(sink, this.#encoder, FIRST_SETTINGS.maxFrameSize)
    this.#window = new ReceiveWindow(opts.connectionWindow)
    this.#streams = new Streams(opts.streamWindow)
    this.#sender = new Sender(
      sink,
      this.#writer,
      this.#streams,
      this.#values,
      this.#budget,
      opts.dataThreshold,
    )
  }

  // The user asks:

  /** Writes the preface, our settings, and the size of the connection's window. */
  start(): void {
    this.#writer.preface()
    this.#writer.settings(settingsOf(this.#opts))
    const more = this.#opts.connectionWindow.initial - FIRST_WINDOW
    if (more > 0) this.#writer.windowUpdate(0, more)
  }

  /** Whether a stream can be begun: the connection goes on, and the numbers of streams are not used up. */
  get canOpen(): boolean {
    return !this.#isOver && !this.#isLeft && this.#streams.canOpen
  }

  /** Begins a stream. `isEnd`: the head is all of the request. To be asked only while `canOpen`. */
  open(owner: Owner, request: RequestHead, isEnd: boolean): EngineStream<Owner> {
    const stream = this.#streams.open(owner, request.method, this.peer.initialWindowSize)
    this.#writer.headers(stream.id, request, request.headers, isEnd)
    this.#budget.earn(earned.request)
    if (!isEnd) return stream
    stream.isComplete = true
    this.#streams.finish(stream)
    return stream
  }

  /** Sends bytes as the windows allow; with `isEnd` they are the last. The bytes must not change until they have left. */
  send(stream: EngineStream<Owner>, bytes: Uint8Array, isEnd: boolean): void {
    if (stream.isComplete || this.#isOver) return
    stream.push(bytes)
    stream.isComplete = isEnd
    this.#sender.send(stream)
  }

  /** Ends the body with trailers. */
  sendTrailers(stream: EngineStream<Owner>, trailers: Headers): void {
    if (stream.isComplete || this.#isOver) return
    stream.trailers = trailers
    stream.isComplete = true
    this.#sender.send(stream)
  }

  /**
   * Returns where on the sink's page so many bytes can be written that are to be sent, if they may leave at once and as one
   * frame; `commit` follows, before anything else is asked for.
   */
  reserve(stream: EngineStream<Owner>, size: number): number | undefined {
    return this.#isOver ? undefined : this.#sender.reserve(stream, size)
  }

  /** Sends so many bytes that were written where `reserve` has said. */
  commit(stream: EngineStream<Owner>, size: number): void {
    this.#sender.commit(stream, size)
  }

  /** Sends what waits, as the windows and the sink allow. To be called when the sink has room again. */
  flush(): void {
    if (!this.#isOver) this.#sender.flush()
  }

  /** Whether something waits for the sink alone. */
  get isWaitingForSink(): boolean {
    return this.#sender.isWaitingForSink
  }

  /** Resets a stream: nothing more is handed out of it, or sent on it. */
  reset(stream: EngineStream<Owner>, code: number = codes.CANCEL): void {
    stream.isSilent = true
    this.#abandon(stream, code)
  }

  #abandon(stream: EngineStream<Owner>, code: number): void {
    if (stream.isClosed) return
    if (!this.#isOver) this.#writer.reset(stream.id, code)
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
    const ping = this.#isOver ? undefined : this.#pings.begin()
    if (ping !== undefined) this.#writer.ping(0, this.#pings.opaque(ping), 0)
    return ping
  }

  /** Tells the peer that we end the connection: once without an error, and once with one. */
  goAway(code: number): void {
    if (this.#isOver || this.#farewell === code || (this.#farewell ?? 0) !== 0) return
    this.#farewell = code
    this.#writer.goAway(this.#streams.lastPromised, code)
  }

  /** Hands out and sends nothing more. */
  stop(): void {
    this.#isOver = true
    this.#values.clear()
    this.#sender.dispose()
  }

  // The peer's bytes:

  /** Takes bytes, which must stay valid until `next` gives nothing, or until `own`. */
  give(bytes: Buffer, now: number): void {
    if (this.#isOver) return
    this.#now = now
    this.#frame.give(bytes)
  }

  /** Copies the bytes that were not looked at yet, since whoever gave them takes them back. */
  own(): void {
    this.#frame.own()
  }

  /** Whether all bytes were looked at and all values handed out. */
  get isIdle(): boolean {
    return this.#values.isEmpty && (this.#isOver || this.#frame.isIdle)
  }

  /** Gives the next value; `undefined`: more bytes are needed. */
  next(): Value<Owner> | undefined {
    for (;;) {
      const value = this.#values.shift()
      if (value !== undefined) {
        if ('stream' in value && value.stream.isSilent) continue
        return value
      }
      if (this.#isOver) return undefined
      const said = this.#look()
      if (said === NOTHING) return undefined
      if (said instanceof Fault) this.#conclude(said)
      else if (said !== undefined) return said
    }
  }

  #look(): Said<Owner> | typeof NOTHING {
    const frame = this.#frame
    const found = frame.next()
    switch (found) {
      case 'nothing':
        return NOTHING
      case 'piece':
        return this.#onPiece()
      case 'first':
        return this.#onFirst()
      case 'too_large':
        return broken(codes.FRAME_SIZE_ERROR, 'sent a frame larger than maxFrameSizeReceived')
      case 'too_padded':
        return broken(codes.PROTOCOL_ERROR, 'padded a frame with more bytes than the frame has')
    }
    if (this.#blocks.isOpen && frame.type !== types.CONTINUATION) return this.#blocks.interrupted()
    return found === 'data' ? this.#onData() : this.#onFrame()
  }

  /** The peer has to begin with SETTINGS (RFC 9113 section 3.4). */
  #onFirst(): Fault | undefined {
    const { bytes, start, end, type, flags: given } = this.#frame
    if (type === types.SETTINGS && (given & flags.ACK) === 0) return undefined
    const isHttp1 = bytes.latin1Slice(start, end).startsWith('HTTP/1')
    return new Fault(
      codes.PROTOCOL_ERROR,
      isHttp1
        ? "the peer answered HTTP/2's preface with HTTP/1.1, so it does not speak HTTP/2 here"
        : 'the peer does not speak HTTP/2: it did not begin with SETTINGS',
    )
  }

  #onFrame(): Said<Owner> {
    switch (this.#frame.type) {
      case types.HEADERS:
      case types.PUSH_PROMISE:
        return this.#onBlock(this.#blocks.begin(this.#frame))
      case types.CONTINUATION:
        return this.#weigh(costs.frame) ?? this.#onBlock(this.#blocks.goOn(this.#frame))
      case types.RST_STREAM:
        return this.#onReset()
      case types.SETTINGS:
        return this.#onSettings()
      case types.PING:
        return this.#onPing()
      case types.GOAWAY:
        return this.#onGoaway()
      case types.WINDOW_UPDATE:
        return this.#onWindowUpdate()
      case types.PRIORITY:
        return this.#onPriority()
      default:
        return this.#weigh(costs.frame)
    }
  }

  // The frames of streams:

  #onData(): Said<Owner> {
    const frame = this.#frame
    const { length, content } = frame
    // Before anything else is decided: a frame that nobody wants has used up the window as well.
    if (!this.#window.take(length)) {
      return broken(codes.FLOW_CONTROL_ERROR, "sent more than the connection's window allowed")
    }
    const increment = this.#window.consume(length)
    if (increment > 0) this.#writer.windowUpdate(0, increment)
    const stream = this.#streams.get(frame.streamId)
    this.#receiver = undefined
    if (stream?.state === 'reserved') return tooEarly('DATA')
    const fault = stream === undefined ? undefined : takeData(stream, length, content)
    if (stream === undefined || fault !== undefined) {
      frame.skip()
      if (stream !== undefined && fault !== undefined) return this.#break(stream, fault)
      // A download that is cancelled may have filled its window, in frames of any size.
      return content > 0 && this.#streams.takeLate(frame.streamId, length) ? undefined : this.#onStray('DATA')
    }
    if (length > content) this.consume(stream, length - content)
    if (content > 0) {
      this.#receiver = stream
      return undefined
    }
    if ((frame.flags & flags.END_STREAM) === 0) return this.#weigh(costs.frame)
    const short = tooShort(stream)
    return short === undefined ? this.#lastData(stream, NO_BYTES) : this.#break(stream, short)
  }

  #onPiece(): Said<Owner> {
    const { bytes, start, end, isLast, flags: given } = this.#frame
    const stream = this.#receiver
    if (stream === undefined || stream.isClosed) {
      // The user has reset the stream within the frame.
      this.#frame.skip()
      return undefined
    }
    const data = bytes.subarray(start, end)
    if (!isLast || (given & flags.END_STREAM) === 0) return { type: 'data', stream, data, isFin: false }
    const short = tooShort(stream)
    if (short === undefined) return this.#lastData(stream, data)
    this.#values.push({ type: 'data', stream, data, isFin: false })
    const told = this.#break(stream, short)
    if (told instanceof Fault) return told
    this.#values.push(told)
    return undefined
  }

  #lastData(stream: EngineStream<Owner>, data: Buffer): Value<Owner> {
    this.#streams.end(stream)
    return { type: 'data', stream, data, isFin: true }
  }

  #onBlock(block: HeaderBlock | Fault | undefined): Said<Owner> {
    if (block === undefined || block instanceof Fault) return block
    const { streamId, promisedId, fields, isEnd } = block
    if (promisedId !== undefined) return this.#onPromise(streamId, promisedId, fields)
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return this.#onStray('HEADERS')
    if (stream.hasEnded) return this.#break(stream, behindEnd('HEADERS'))
    if (stream.state === 'reserved') {
      if (this.#streams.pushed >= this.#opts.maxConcurrentStreams) {
        const text = 'the server pushes more than maxConcurrentStreams at once'
        return this.#break(stream, new StreamFault(codes.REFUSED_STREAM, text))
      }
      this.#streams.begin(stream)
    }
    return stream.phase === 'head'
      ? this.#onHead(stream, fields, isEnd)
      : this.#onTrailers(stream, fields, isEnd)
  }

  #onHead(stream: EngineStream<Owner>, fields: readonly Field[] | undefined, isFin: boolean): Said<Owner> {
    const head = takeHead(stream, fields, isFin)
    if (head instanceof StreamFault) return this.#break(stream, head, true)
    const { status, headers } = head
    if (status < 200) return this.#weigh(costs.frame) ?? { type: 'inform', stream, status, headers }
    if (isFin) this.#streams.end(stream)
    return { type: 'response', stream, status, headers, isFin }
  }

  #onTrailers(
    stream: EngineStream<Owner>,
    fields: readonly Field[] | undefined,
    isEnd: boolean,
  ): Said<Owner> {
    const headers = takeTrailers(stream, fields, isEnd)
    if (headers instanceof StreamFault) return this.#break(stream, headers)
    this.#streams.end(stream)
    return { type: 'trailers', stream, headers }
  }

  /** RFC 9113 sections 6.6 and 8.4. */
  #onPromise(streamId: number, promisedId: number, fields: readonly Field[] | undefined): Said<Owner> {
    const { enablePush, maxConcurrentStreams } = this.#opts
    // A server may have sent it before it knew our settings.
    if (!enablePush && this.isAcknowledged) {
      return broken(codes.PROTOCOL_ERROR, 'pushes though enablePush is false')
    }
    const streams = this.#streams
    if (promisedId % 2 === 1 || promisedId <= streams.lastPromised) {
      return broken(codes.PROTOCOL_ERROR, 'announced a stream with a number that it cannot have')
    }
    streams.lastPromised = promisedId
    const stream = streams.get(streamId)
    const isAsked = stream === undefined ? streams.wasReset(streamId) : !stream.hasEnded && !stream.isPushed
    if (!isAsked) return broken(codes.PROTOCOL_ERROR, 'announced a stream in answer to no request')
    const fault = this.#weigh(costs.frame)
    if (fault !== undefined) return fault
    if (stream?.phase === 'tunnel') {
      this.#refuse(promisedId, codes.PROTOCOL_ERROR)
      return this.#break(stream, new StreamFault(codes.PROTOCOL_ERROR, 'a push came out of a tunnel'))
    }
    if (
      stream === undefined ||
      !enablePush ||
      maxConcurrentStreams === 0 ||
      streams.promised >= MOST_PROMISED
    ) {
      return this.#refuse(promisedId, codes.REFUSED_STREAM)
    }
    if (fields === undefined) return this.#refuse(promisedId, codes.ENHANCE_YOUR_CALM)
    const request = readRequest(fields)
    if (request === undefined) return this.#refuse(promisedId, codes.PROTOCOL_ERROR)
    const promised = streams.promise(promisedId, request.method)
    return { type: 'push', stream, promised, request }
  }

  #refuse(promisedId: number, code: number): undefined {
    this.#writer.reset(promisedId, code)
    this.#streams.remember(promisedId)
  }

  #onReset(): Said<Owner> {
    const { bytes, start, length, streamId } = this.#frame
    if (length !== 4) return broken(codes.FRAME_SIZE_ERROR, 'sent a RST_STREAM of a wrong size')
    const stream = this.#streams.get(streamId)
    if (stream === undefined) {
      if (!this.#streams.isIdle(streamId)) return this.#weigh(costs.frame)
      return broken(codes.PROTOCOL_ERROR, 'reset a stream that has not begun')
    }
    const code = bytes.readUInt32BE(start)
    const isComplete = stream.phase === 'body' && tooShort(stream) === undefined
    const isWhole = stream.hasEnded || (code === codes.NO_ERROR && isComplete)
    this.#close(stream)
    return { type: 'reset', stream, code, isWhole }
  }

  /** Priorities are ignored (RFC 9113 section 5.3.2). */
  #onPriority(): Said<Owner> {
    const { length, streamId } = this.#frame
    if (streamId === 0) return broken(codes.PROTOCOL_ERROR, 'sent PRIORITY on no stream')
    // A stream that has not begun, or is over, cannot be reset.
    const stream = length === 5 ? undefined : this.#streams.get(streamId)
    if (stream === undefined) return this.#weigh(costs.frame)
    return this.#break(stream, new StreamFault(codes.FRAME_SIZE_ERROR, 'PRIORITY came in a wrong size'))
  }

  /** A frame came on a stream that is closed, or that has never been (RFC 9113 section 5.1). */
  #onStray(what: string): Said<Owner> {
    const { streamId } = this.#frame
    if (this.#streams.wasReset(streamId)) return this.#weigh(costs.frame)
    if (!this.#streams.isIdle(streamId)) {
      return broken(codes.STREAM_CLOSED, `sent ${what} on a stream that has ended`)
    }
    return broken(codes.PROTOCOL_ERROR, `sent ${what} on a stream that has not begun`)
  }

  // The frames of the connection:

  #onSettings(): Said<Owner> {
    const { bytes, start, end, length, streamId, flags: given } = this.#frame
    const isAck = (given & flags.ACK) !== 0
    if (streamId !== 0) return broken(codes.PROTOCOL_ERROR, 'sent SETTINGS on a stream')
    if (length % SETTING !== 0 || (isAck && length > 0)) {
      return broken(codes.FRAME_SIZE_ERROR, 'sent SETTINGS of a wrong size')
    }
    if (isAck) {
      if (this.isAcknowledged) return this.#weigh(costs.frame)
      this.isAcknowledged = true
      this.#decoder.acknowledge()
      return { type: 'acknowledged' }
    }
    const settings = readSettings(this.peer, bytes, start, end, size => this.#encoder.allow(size))
    if (settings instanceof Fault) return settings
    // A change of the window goes through all streams.
    const cost = costs.frame + this.#streams.size * costs.stream
    const fault = this.#weighAnswer(cost) ?? this.#widen(settings.initialWindowSize)
    if (fault !== undefined) return fault
    this.peer = settings
    this.hasSettings = true
    this.#writer.maxLength = Math.min(settings.maxFrameSize, this.#opts.maxFrameSizeSent)
    this.#writer.settingsAck()
    this.#values.push({ type: 'settings', settings })
    this.#sender.flush()
    return undefined
  }

  /** Opens the windows of all streams to what the peer's settings now say, or closes them (RFC 9113 section 6.9.2). */
  #widen(size: number): Fault | undefined {
    const change = size - this.peer.initialWindowSize
    if (change === 0) return undefined
    this.#sender.threshold = Math.min(this.#opts.dataThreshold, size)
    for (const stream of this.#streams.all) {
      if (!stream.sendWindow.open(change)) {
        return broken(codes.FLOW_CONTROL_ERROR, 'made a window too large with its INITIAL_WINDOW_SIZE')
      }
      this.#sender.enqueue(stream)
    }
    return undefined
  }

  #onPing(): Said<Owner> {
    const { bytes, start, length, streamId, flags: given } = this.#frame
    if (streamId !== 0) return broken(codes.PROTOCOL_ERROR, 'sent a PING on a stream')
    if (length !== 8) return broken(codes.FRAME_SIZE_ERROR, 'sent a PING of a wrong size')
    if ((given & flags.ACK) !== 0) {
      const ping = this.#pings.end(bytes, start)
      return ping === undefined ? this.#weigh(costs.frame) : { type: 'ping_ack', ping }
    }
    const fault = this.#weighAnswer(costs.frame)
    if (fault === undefined) this.#writer.ping(flags.ACK, bytes, start)
    return fault
  }

  #onGoaway(): Said<Owner> {
    const { bytes, start, length, streamId } = this.#frame
    if (streamId !== 0) return broken(codes.PROTOCOL_ERROR, 'sent GOAWAY on a stream')
    if (length < 8) return broken(codes.FRAME_SIZE_ERROR, 'sent a GOAWAY that is too short')
    const fault = this.#weigh(costs.frame)
    if (fault !== undefined) return fault
    this.#isLeft = true
    const lastId = bytes.readUInt32BE(start) & LARGEST
    this.#values.push({ type: 'goaway', lastId, code: bytes.readUInt32BE(start + 4) })
    for (const stream of [...this.#streams.all]) {
      if (stream.isPushed || stream.id <= lastId) continue
      this.#streams.remember(stream.id)
      this.#close(stream)
      this.#values.push({ type: 'unseen', stream })
    }
    return undefined
  }

  #onWindowUpdate(): Said<Owner> {
    const { bytes, start, length, streamId } = this.#frame
    if (length !== 4) return broken(codes.FRAME_SIZE_ERROR, 'sent a WINDOW_UPDATE of a wrong size')
    const fault = this.#weigh(costs.frame)
    if (fault !== undefined) return fault
    const increment = bytes.readUInt32BE(start) & LARGEST
    if (streamId === 0) {
      if (increment === 0) return broken(codes.PROTOCOL_ERROR, 'opened the window by nothing')
      if (!this.#sender.window.open(increment)) {
        return broken(codes.FLOW_CONTROL_ERROR, "opened the connection's window too far")
      }
    } else {
      const stream = this.#streams.get(streamId)
      if (stream === undefined) {
        if (!this.#streams.isIdle(streamId)) return undefined
        return broken(codes.PROTOCOL_ERROR, 'opened the window of a stream that has not begun')
      }
      if (stream.state === 'reserved') return tooEarly('WINDOW_UPDATE')
      if (increment === 0) {
        return this.#break(stream, new StreamFault(codes.PROTOCOL_ERROR, 'the window was opened by nothing'))
      }
      if (!stream.sendWindow.open(increment)) {
        return this.#break(stream, new StreamFault(codes.FLOW_CONTROL_ERROR, 'the window was opened too far'))
      }
      this.#sender.enqueue(stream)
    }
    this.#sender.flush()
    return undefined
  }

  // How streams and the connection end:

  #close(stream: EngineStream<Owner>): void {
    this.#streams.reset(stream)
    this.#sender.remove(stream)
  }

  /** Resets a stream for a fault of the peer; `isHead`: a head has come all the same. */
  #break(stream: EngineStream<Owner>, { code, text }: StreamFault, isHead = false): Value<Owner> | Fault {
    this.#abandon(stream, code)
    return this.#weigh(costs.frame) ?? { type: 'broken', stream, code, text, isHead }
  }

  /** Spends points for a frame that brings nothing. */
  #weigh(points: number): Fault | undefined {
    if (this.#budget.spend(points, this.#now)) return undefined
    return excess('the peer sends too many frames that bring nothing')
  }

  /** Does as `weigh` for a frame that asks for an answer, of a peer that may read none. */
  #weighAnswer(points: number): Fault | undefined {
    if (this.#sink.buffered > SINK_LIMIT) return excess('the peer asks for answers and reads none')
    return this.#weigh(points)
  }

  /** Ends the connection for a fault of the peer. */
  #conclude({ code, text, isLimit }: Fault): void {
    this.goAway(code)
    this.#isOver = true
    this.#values.push({ type: 'failure', code, isLimit, text })
  }
}

/** Returns the fault of a frame on a stream that the server has announced and not begun (RFC 9113 section 5.1). */
function tooEarly(what: string): Fault {
  return broken(codes.PROTOCOL_ERROR, `sent ${what} on a stream that it has not begun`)
}
