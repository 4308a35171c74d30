/**
 * The client's side of an HTTP/2 connection (RFC 9113): takes the peer's bytes and hands out what they say, one value at a
 * time, and writes what its user asks for into a sink. It touches no socket and owns no timer.
 */

import { codes, FIRST_WINDOW, flags, types } from './codes.js'
import { ConnectionFrames } from './connection-frames.js'
import { Core, type Said } from './core.js'
import { broken, Fault } from './fault.js'
import { costs, earned } from './flood.js'
import type { Headers } from './head.js'
import { type EngineOptions, type PeerSettings, settingsOf } from './settings.js'
import type { Sink } from './sink.js'
import type { EngineStream } from './stream.js'
import { StreamFrames } from './stream-frames.js'
import type { Value } from './values.js'
import type { RequestHead } from './writer.js'

/** The outcome of a look at the peer's bytes when all are read. */
const NOTHING = Symbol('nothing')

export class Engine<Owner> {
  readonly #core: Core<Owner>
  readonly #streamFrames: StreamFrames<Owner>
  readonly #connectionFrames: ConnectionFrames<Owner>
  /** The code of our last GOAWAY. */
  #farewell: number | undefined

  /** `now` is the time in milliseconds by the clock that `give` goes by as well. */
  constructor(sink: Sink, opts: EngineOptions, now: number) {
    this.#core = new Core(sink, opts, now)
    this.#streamFrames = new StreamFrames(this.#core)
    this.#connectionFrames = new ConnectionFrames(this.#core)
  }

  /** The settings of the peer that are in force. */
  get peer(): PeerSettings {
    return this.#core.peer
  }

  /** Whether the peer has stated its settings, with which it has to begin. */
  get hasSettings(): boolean {
    return this.#core.hasSettings
  }

  /** Whether the peer has acknowledged our settings, and so has to keep to them. */
  get isAcknowledged(): boolean {
    return this.#core.isAcknowledged
  }

  // The user asks:

  /** Writes the preface, our settings, and the size of the connection's window. */
  start(): void {
    this.#core.writer.preface()
    this.#core.writer.settings(settingsOf(this.#core.opts))
    const more = this.#core.opts.connectionWindow.initial - FIRST_WINDOW
    if (more > 0) this.#core.writer.windowUpdate(0, more)
  }

  /** Whether a stream can be begun: the connection goes on, and the numbers of streams are not used up. */
  get canOpen(): boolean {
    return !this.#core.isOver && !this.#core.isLeft && this.#core.streams.canOpen
  }

  /** Whether the numbers of streams are used up: only another connection can begin one (RFC 9113 section 5.1.1). */
  get isUsedUp(): boolean {
    return !this.#core.streams.canOpen
  }

  /** Begins a stream. `isEnd`: the head is all of the request. To be asked only while `canOpen`. */
  open(owner: Owner, request: RequestHead, isEnd: boolean): EngineStream<Owner> {
    const stream = this.#core.streams.open(owner, request.method, this.#core.peer.initialWindowSize)
    this.#core.writer.headers(stream.id, request, request.headers, isEnd)
    this.#core.budget.earn(earned.request)
    if (!isEnd) return stream
    stream.isComplete = true
    this.#core.streams.finish(stream)
    return stream
  }

  /** Sends bytes as the windows allow; with `isEnd` they are the last. The bytes must not change until they have left. */
  send(stream: EngineStream<Owner>, bytes: Uint8Array, isEnd: boolean): void {
    if (stream.isComplete || this.#core.isOver) return
    stream.push(bytes)
    stream.isComplete = isEnd
    this.#core.sender.send(stream)
  }

  /** Ends the body with trailers. */
  sendTrailers(stream: EngineStream<Owner>, trailers: Headers): void {
    if (stream.isComplete || this.#core.isOver) return
    stream.trailers = trailers
    stream.isComplete = true
    this.#core.sender.send(stream)
  }

  /**
   * Returns where on the sink's page so many bytes can be written that are to be sent, if they may leave at once and as one
   * frame; `commit` follows, before anything else is asked for.
   */
  reserve(stream: EngineStream<Owner>, size: number): number | undefined {
    return this.#core.isOver ? undefined : this.#core.sender.reserve(stream, size)
  }

  /** Sends so many bytes that were written where `reserve` has said. */
  commit(stream: EngineStream<Owner>, size: number): void {
    this.#core.sender.commit(stream, size)
  }

  /** Sends what waits, as the windows and the sink allow. To be called when the sink has room again. */
  flush(): void {
    if (!this.#core.isOver) this.#core.sender.flush()
  }

  /** Whether something waits for the sink alone. */
  get isWaitingForSink(): boolean {
    return this.#core.sender.isWaitingForSink
  }

  /** Resets a stream: nothing more is handed out of it, or sent on it. */
  reset(stream: EngineStream<Owner>, code: number = codes.CANCEL): void {
    stream.isSilent = true
    this.#core.abandon(stream, code)
  }

  /** Counts bytes of a stream as consumed, so that the peer may send as many again. */
  consume(stream: EngineStream<Owner>, bytes: number): void {
    this.#core.consume(stream, bytes)
  }

  /** Sends a PING. Returns the number by which its answer is told; `undefined`: too many wait for theirs. */
  ping(): number | undefined {
    const ping = this.#core.isOver ? undefined : this.#core.pings.begin()
    if (ping !== undefined) this.#core.writer.ping(0, this.#core.pings.opaque(ping), 0)
    return ping
  }

  /** Tells the peer that we end the connection: once without an error, and once with one. */
  goAway(code: number): void {
    if (this.#core.isOver || this.#farewell === code || (this.#farewell ?? 0) !== 0) return
    this.#farewell = code
    this.#core.writer.goAway(this.#core.streams.lastPromised, code)
  }

  /** Hands out and sends nothing more. */
  stop(): void {
    this.#core.isOver = true
    this.#core.values.clear()
    this.#core.sender.dispose()
  }

  // The peer's bytes:

  /** Takes bytes, which must stay valid until `next` gives nothing, or until `own`. */
  give(bytes: Buffer, now: number): void {
    if (this.#core.isOver) return
    this.#core.now = now
    this.#core.frame.give(bytes)
  }

  /** Copies the bytes that were not looked at yet, since whoever gave them takes them back. */
  own(): void {
    this.#core.frame.own()
  }

  /** Whether all bytes were looked at and all values handed out. */
  get isIdle(): boolean {
    return this.#core.values.isEmpty && (this.#core.isOver || this.#core.frame.isIdle)
  }

  /** Gives the next value; `undefined`: more bytes are needed. */
  next(): Value<Owner> | undefined {
    for (;;) {
      const value = this.#core.values.shift()
      if (value !== undefined) {
        if ('stream' in value && value.stream.isSilent) continue
        return value
      }
      if (this.#core.isOver) return undefined
      const said = this.#look()
      if (said === NOTHING) return undefined
      if (said instanceof Fault) this.#conclude(said)
      else if (said !== undefined) return said
    }
  }

  #look(): Said<Owner> | typeof NOTHING {
    const frame = this.#core.frame
    const found = frame.next()
    switch (found) {
      case 'nothing':
        return NOTHING
      case 'piece':
        return this.#streamFrames.onPiece()
      case 'first':
        return this.#onFirst()
      case 'too_large':
        return broken(codes.FRAME_SIZE_ERROR, 'sent a frame larger than maxFrameSizeReceived')
      case 'too_padded':
        return broken(codes.PROTOCOL_ERROR, 'padded a frame with more bytes than the frame has')
    }
    const interruption = this.#streamFrames.interrupts(frame.type)
    if (interruption !== undefined) return interruption
    return found === 'data' ? this.#streamFrames.onData() : this.#onFrame()
  }

  /** The peer has to begin with SETTINGS (RFC 9113 section 3.4). */
  #onFirst(): Fault | undefined {
    const { bytes, start, end, type, flags: given } = this.#core.frame
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
    switch (this.#core.frame.type) {
      case types.HEADERS:
      case types.PUSH_PROMISE:
        return this.#streamFrames.onHeaders()
      case types.CONTINUATION:
        return this.#streamFrames.onContinuation()
      case types.RST_STREAM:
        return this.#streamFrames.onReset()
      case types.SETTINGS:
        return this.#connectionFrames.onSettings()
      case types.PING:
        return this.#connectionFrames.onPing()
      case types.GOAWAY:
        return this.#connectionFrames.onGoaway()
      case types.WINDOW_UPDATE:
        return this.#connectionFrames.onWindowUpdate()
      case types.PRIORITY:
        return this.#streamFrames.onPriority()
      default:
        return this.#core.weigh(costs.frame)
    }
  }

  /** Ends the connection for a fault of the peer. */
  #conclude({ code, text, isLimit }: Fault): void {
    this.goAway(code)
    this.#core.isOver = true
    this.#core.values.push({ type: 'failure', code, isLimit, text })
  }
}
