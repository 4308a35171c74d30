/** Sends the bodies of requests: each stream in its turn, as far as the windows and the sink allow. */

import { FIRST_WINDOW } from './codes.js'
import { type Budget, earned } from './flood.js'
import { SendWindow } from './flow.js'
import type { Queue } from './queue.js'
import type { Sink } from './sink.js'
import type { EngineStream } from './stream.js'
import type { Streams } from './streams.js'
import type { Value } from './values.js'
import type { FrameWriter } from './writer.js'

/** In bytes. With more than this waiting to leave, DATA waits for its turn, so that no other frame waits long. */
const MARK = 256 * 1024
/** In bytes. How much one stream sends before the next one's turn. */
const TURN = 64 * 1024
/** In bytes. A window that cuts frames down to fewer than this is opened to cost us much, and earns nothing. */
const DRIBBLE = 64

export class Sender<Owner> {
  /** The window of the connection. */
  readonly window = new SendWindow(FIRST_WINDOW)
  /** While a stream's window is smaller than this, only a body that fits in whole is sent. */
  threshold: number
  readonly #sink: Sink
  readonly #writer: FrameWriter
  readonly #streams: Streams<Owner>
  readonly #values: Queue<Value<Owner>>
  readonly #budget: Budget
  /** The streams that have bytes to send and whose windows are open, and those that have but their end to send. */
  readonly #ready = new Set<EngineStream<Owner>>()
  readonly #ending = new Set<EngineStream<Owner>>()
  /** The stream that the user sends on right now. */
  #current: EngineStream<Owner> | undefined

  constructor(
    sink: Sink,
    writer: FrameWriter,
    streams: Streams<Owner>,
    values: Queue<Value<Owner>>,
    budget: Budget,
    threshold: number,
  ) {
    this.#sink = sink
    this.#writer = writer
    this.#streams = streams
    this.#values = values
    this.#budget = budget
    this.threshold = Math.min(threshold, FIRST_WINDOW)
  }

  /** Whether something waits for the sink alone. */
  get isWaitingForSink(): boolean {
    return this.#ending.size > 0 || (this.#ready.size > 0 && this.window.left > 0)
  }

  /** Sends what the user has just given, which needs no value to tell of it, unless other streams wait already. */
  send(stream: EngineStream<Owner>): void {
    if (!this.isWaitingForSink) {
      this.#current = stream
      while (this.#sink.buffered < MARK && this.#canSend(stream)) this.#sendTurn(stream)
      this.#current = undefined
    }
    this.enqueue(stream)
  }

  /** Returns where on the sink's page so many bytes can be written that leave at once; `undefined`: they have to wait. */
  reserve(stream: EngineStream<Owner>, size: number): number | undefined {
    const { isSending, isComplete, sendWindow } = stream
    if (isSending || isComplete || this.isWaitingForSink || this.#sink.buffered >= MARK) return undefined
    if (size > sendWindow.left || size > this.window.left || size > this.#writer.maxLength) return undefined
    return this.#writer.reserveData(size)
  }

  /** Counts so many bytes as written where `reserve` has said. */
  commit(stream: EngineStream<Owner>, size: number): void {
    this.#writer.commitData(stream.id, size)
    this.#count(stream, size)
    this.#budget.earn(earned.frame)
  }

  /** Sends what waits, as the windows and the sink allow. */
  flush(): void {
    while (this.#sink.buffered < MARK) {
      // An end needs no window.
      const stream = firstOf(this.#ending) ?? (this.window.left > 0 ? firstOf(this.#ready) : undefined)
      if (stream === undefined) return
      this.remove(stream)
      this.#sendTurn(stream)
      this.enqueue(stream)
    }
  }

  /** Lets the stream wait for its turn, if it has something to send and a window for it. */
  enqueue(stream: EngineStream<Owner>): void {
    if (stream.isReady || !stream.isSending || !this.#isOpen(stream)) return
    stream.isReady = true
    if (stream.queued > 0) this.#ready.add(stream)
    else this.#ending.add(stream)
  }

  /** Whether the stream's window lets something of it be sent. */
  #isOpen({ queued, sendWindow }: EngineStream<Owner>): boolean {
    const { left } = sendWindow
    return queued === 0 || (left > 0 && (left >= this.threshold || left >= queued))
  }

  /** Whether something of the stream can be sent now. */
  #canSend(stream: EngineStream<Owner>): boolean {
    return stream.isSending && this.#isOpen(stream) && (stream.queued === 0 || this.window.left > 0)
  }

  /** Lets the stream wait no longer. */
  remove(stream: EngineStream<Owner>): void {
    if (!stream.isReady) return
    stream.isReady = false
    if (!this.#ready.delete(stream)) this.#ending.delete(stream)
  }

  /** Sends nothing more. */
  dispose(): void {
    this.#ready.clear()
    this.#ending.clear()
  }

  /** Sends as much of a stream as it may in one go. */
  #sendTurn(stream: EngineStream<Owner>): void {
    const before = stream.queued
    for (let turn = TURN; turn > 0 && stream.isSending; ) {
      const { queued } = stream
      const most = Math.min(stream.sendWindow.left, this.window.left, this.#writer.maxLength)
      const size = Math.min(queued, Math.max(0, most))
      if (size === 0 && queued > 0) break
      const isLast = stream.isComplete && size === queued
      if (queued > 0 || stream.trailers === undefined) {
        this.#writer.data(stream, size, isLast && stream.trailers === undefined)
        this.#count(stream, size)
        if (size === queued || size >= DRIBBLE) this.#budget.earn(earned.frame)
      }
      if (isLast) this.#finish(stream)
      turn -= size
    }
    if (stream === this.#current || (stream.queued === before && !stream.hasFinished)) return
    this.#values.push({ type: 'sent', stream })
  }

  #count(stream: EngineStream<Owner>, size: number): void {
    stream.sendWindow.left -= size
    this.window.left -= size
  }

  /** All of the body has been sent: sends the trailers, if there are any. */
  #finish(stream: EngineStream<Owner>): void {
    if (stream.trailers !== undefined) this.#writer.headers(stream.id, undefined, stream.trailers, true)
    stream.trailers = undefined
    this.#streams.finish(stream)
  }
}

function firstOf<T>(set: ReadonlySet<T>): T | undefined {
  for (const item of set) return item
  return undefined
}
