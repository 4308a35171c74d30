/** The streams of a connection: their numbers, and which of them are open (RFC 9113 section 5.1). */

import { LARGEST } from './codes.js'
import type { WindowRule } from './flow.js'
import { EngineStream } from './stream.js'

/** How many of the streams that were reset are remembered, on which frames of the peer may still be under way. */
const MOST_RESET = 10_000

export class Streams<Owner> {
  /** The streams that are not closed, by their numbers. */
  readonly #open = new Map<number, EngineStream<Owner>>()
  readonly #rule: WindowRule
  #nextId: number
  /** The number of the last stream that the server has announced. */
  lastPromised = 0
  /** How many streams the server has announced and not begun. */
  promised = 0
  /** How many streams of the server's are open. */
  pushed = 0
  /** The streams that either side has reset and on which the peer might still send: how many bytes, by their numbers. */
  readonly #reset = new Map<number, number>()
  /** The numbers of these, in a ring, as a map takes longer to find its oldest the more were deleted. */
  readonly #numbers: number[] = []
  #remembered = 0

  /** `rule` is that of the windows of all streams, `firstId` the number of our first one. */
  constructor(rule: WindowRule, firstId: number) {
    this.#rule = rule
    this.#nextId = firstId
  }

  /** Whether there is a number left for a stream of ours. */
  get canOpen(): boolean {
    return this.#nextId <= LARGEST
  }

  get size(): number {
    return this.#open.size
  }

  get all(): IterableIterator<EngineStream<Owner>> {
    return this.#open.values()
  }

  get(id: number): EngineStream<Owner> | undefined {
    return this.#open.get(id)
  }

  /** Opens a stream of ours. */
  open(owner: Owner, method: string, sendWindow: number): EngineStream<Owner> {
    const stream = new EngineStream<Owner>(this.#nextId, method, 'open', sendWindow, this.#rule)
    this.#nextId += 2
    stream.owner = owner
    this.#open.set(stream.id, stream)
    return stream
  }

  /** Takes note of a stream that the server announces. */
  promise(id: number, method: string): EngineStream<Owner> {
    const stream = new EngineStream<Owner>(id, method, 'reserved', 0, this.#rule)
    stream.isComplete = true
    this.promised++
    this.#open.set(id, stream)
    return stream
  }

  /** The server begins a stream that it has announced. */
  begin(stream: EngineStream<Owner>): void {
    this.promised--
    this.pushed++
    stream.change('begin')
  }

  /** The peer sends nothing more on the stream. */
  end(stream: EngineStream<Owner>): void {
    stream.change('end')
    if (stream.isClosed) this.#remove(stream)
  }

  /** We send nothing more on the stream. */
  finish(stream: EngineStream<Owner>): void {
    stream.change('finish')
    if (stream.isClosed) this.#remove(stream)
  }

  /** Either side has reset the stream. */
  reset(stream: EngineStream<Owner>): void {
    if (!stream.hasEnded) this.remember(stream.id, stream.receiveWindow.left)
    if (stream.state === 'reserved') this.promised--
    else if (stream.isPushed) this.pushed--
    stream.change('reset')
    stream.drop()
    this.#open.delete(stream.id)
  }

  #remove(stream: EngineStream<Owner>): void {
    if (stream.isPushed) this.pushed--
    this.#open.delete(stream.id)
  }

  /** Remembers a stream that was reset, or refused before it was anything, and on which so many bytes may still come. */
  remember(id: number, left = 0): void {
    if (!this.#reset.has(id)) {
      const at = this.#remembered++ % MOST_RESET
      this.#reset.delete(this.#numbers[at] ?? 0)
      this.#numbers[at] = id
    }
    this.#reset.set(id, left)
  }

  wasReset(id: number): boolean {
    return this.#reset.has(id)
  }

  /** Counts bytes that came for a stream after it was reset. Returns whether the peer was allowed to send them before. */
  takeLate(id: number, bytes: number): boolean {
    const left = (this.#reset.get(id) ?? 0) - bytes
    if (left < 0) return false
    this.#reset.set(id, left)
    return true
  }

  /** Whether no stream of that number has been. */
  isIdle(id: number): boolean {
    return id % 2 === 1 ? id >= this.#nextId : id === 0 || id > this.lastPromised
  }
}
