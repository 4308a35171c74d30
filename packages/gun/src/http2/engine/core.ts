/** A connection as it is by now: what the frames of both sides are read and written with. */

import { codes } from './codes.js'
import { excess, type Fault, type StreamFault } from './fault.js'
import { Budget, costs } from './flood.js'
import { ReceiveWindow } from './flow.js'
import { HpackDecoder } from './hpack-decoder.js'
import { HpackEncoder } from './hpack-encoder.js'
import { Pings } from './pings.js'
import { Queue } from './queue.js'
import { FrameReader } from './reader.js'
import { Sender } from './sender.js'
import { type EngineOptions, FIRST_SETTINGS, type PeerSettings } from './settings.js'
import type { Sink } from './sink.js'
import type { EngineStream } from './stream.js'
import { Streams } from './streams.js'
import type { Value } from './values.js'
import { FrameWriter } from './writer.js'

/** In bytes. With more than this waiting to leave, the peer's frames that ask for an answer end the connection. */
const SINK_LIMIT = 16 * 1024 * 1024

/** The outcome of a frame: a value, nothing to tell of, or why the connection ends. */
export type Said<Owner> = Value<Owner> | Fault | undefined

export class Core<Owner> {
  readonly opts: EngineOptions
  readonly sink: Sink
  /** The settings of the peer that are in force. */
  peer: PeerSettings = FIRST_SETTINGS
  /** Whether the peer has stated its settings, with which it has to begin. */
  hasSettings = false
  /** Whether the peer has acknowledged our settings, and so has to keep to them. */
  isAcknowledged = false
  /** The frame that is being read. */
  readonly frame: FrameReader
  readonly decoder: HpackDecoder
  readonly encoder: HpackEncoder
  readonly writer: FrameWriter
  readonly streams: Streams<Owner>
  readonly sender: Sender<Owner>
  /** How much the peer may send on all streams together. */
  readonly window: ReceiveWindow
  readonly pings = new Pings()
  readonly budget: Budget
  /** The time of the bytes that are being read. */
  now: number
  /** Values that come behind the one that was handed out. */
  readonly values = new Queue<Value<Owner>>()
  /** Whether the peer has said that it looks at no more streams. */
  isLeft = false
  /** Whether nothing more is read or written. */
  isOver = false

  constructor(sink: Sink, opts: EngineOptions, now: number) {
    this.opts = opts
    this.sink = sink
    this.now = now
    this.budget = new Budget(now)
    this.frame = new FrameReader(opts.maxFrameSizeReceived)
    this.decoder = new HpackDecoder(opts.maxDecodeTableSize)
    this.encoder = new HpackEncoder(opts.maxEncodeTableSize)
    this.writer = new FrameWriter(sink, this.encoder, FIRST_SETTINGS.maxFrameSize)
    this.window = new ReceiveWindow(opts.connectionWindow)
    this.streams = new Streams(opts.streamWindow, opts.firstStreamId ?? 1)
    this.sender = new Sender(sink, this.writer, this.streams, this.values, this.budget, opts.dataThreshold)
  }

  /** Counts bytes of a stream as consumed, so that the peer may send as many again. */
  consume(stream: EngineStream<Owner>, bytes: number): void {
    if (stream.hasEnded || this.isOver) return
    const increment = stream.receiveWindow.consume(bytes)
    if (increment > 0) this.writer.windowUpdate(stream.id, increment)
  }

  /** Resets a stream. */
  abandon(stream: EngineStream<Owner>, code: number = codes.CANCEL): void {
    if (stream.isClosed) return
    if (!this.isOver) this.writer.reset(stream.id, code)
    this.close(stream)
  }

  /** Lets go of a stream that either side has reset. */
  close(stream: EngineStream<Owner>): void {
    this.streams.reset(stream)
    this.sender.remove(stream)
  }

  /** Resets a stream for a fault of the peer; `isHead`: a head has come all the same. */
  break(stream: EngineStream<Owner>, { code, text }: StreamFault, isHead = false): Value<Owner> | Fault {
    this.abandon(stream, code)
    return this.weigh(costs.frame) ?? { type: 'broken', stream, code, text, isHead }
  }

  /** Spends points for a frame that brings nothing. */
  weigh(points: number): Fault | undefined {
    if (this.budget.spend(points, this.now)) return undefined
    return excess('the peer sends too many frames that bring nothing')
  }

  /** Does as `weigh` for a frame that asks for an answer, of a peer that may read none. */
  weighAnswer(points: number): Fault | undefined {
    if (this.sink.buffered > SINK_LIMIT) return excess('the peer asks for answers and reads none')
    return this.weigh(points)
  }
}
