/** The requests of one connection: each is sent in its turn, the head with the store's cookies, the body as it is given. */

import { nodesImmediate } from '@holster/process/internal'
import { asKind, GunError } from '../errors.js'
import { EXPECT_TIMEOUT, type Exchange } from '../exchange/exchange.js'
import { Fifo } from '../exchange/fifo.js'
import type { StreamRef } from '../handles.js'
import type { Host } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import type { Octets } from '../octets.js'
import type { HttpOpts } from '../options/http.js'
import { Deadline } from '../transport/deadline.js'
import type { Outlet } from '../transport/outlet.js'
import type { Headers } from '../words.js'
import type { HttpResponses } from './responses.js'
import { LAST_CHUNK, writeChunk, writeHead } from './writer.js'

export class HttpRequests {
  readonly #host: Host
  readonly #outlet: Outlet
  readonly #opts: Required<HttpOpts>
  /** The responses to the requests that were sent. */
  readonly #responses: HttpResponses
  /** The requests that have not begun: an upgrade is in their way, or a body that is still being sent. */
  readonly #waiting = new Fifo<Exchange>()
  /** The stream whose body is being sent. */
  #writing: Exchange | undefined
  /** Whether no request begins any more. */
  isRetired = false
  #expectDeadline: Deadline | undefined
  readonly #goOn = () => this.#host.guard(() => this.advance())

  constructor(host: Host, opts: Required<HttpOpts>, responses: HttpResponses) {
    this.#host = host
    this.#outlet = host.outlet
    this.#opts = opts
    this.#responses = responses
  }

  /** Whether no request is being sent or waits, while one may still begin. */
  get isIdle(): boolean {
    return this.#writing === undefined && this.#waiting.length === 0 && !this.isRetired
  }

  /** How many requests have not begun, or have a body that is still being sent though the response is over. */
  get load(): number {
    const isLate = this.#writing?.isEnded && this.#writing.isReceived
    return this.#waiting.length + (isLate ? 1 : 0)
  }

  /** The stream whose body is being sent. */
  get writing(): Exchange | undefined {
    return this.#writing
  }

  /** The requests that have not begun by now. */
  get waiting(): readonly Exchange[] {
    return [...this.#waiting]
  }

  /** Sends a request in its turn. */
  add(stream: Exchange): void {
    this.#waiting.push(stream)
    this.advance()
  }

  /** Finds a stream that waits, or whose body is not complete; its response may be over. */
  find(streamRef: StreamRef): Exchange | undefined {
    if (this.#writing?.ref === streamRef) return this.#writing
    return this.#waiting.find(({ ref }) => ref === streamRef)
  }

  /** Tells what is known of a stream that is open. */
  infoOf(stream: Exchange): StreamInfo {
    if (stream === this.#writing) return stream.info('sending', undefined)
    const due = this.#responses.open.first
    if (!this.#waiting.includes(stream)) return stream.info('sent', due?.ref)
    // All that wait are blocked by the same stream as the first of them.
    return stream.info('waiting', (this.#writing ?? due ?? this.#waiting.first)?.ref)
  }

  /** Takes back a request. Gives whether it had not begun. */
  remove(stream: Exchange): boolean {
    return this.#waiting.remove(stream)
  }

  /** Takes back all requests that have not begun. */
  removeAll(): Exchange[] {
    return this.#waiting.takeAll()
  }

  /** Takes back and fails all requests that have not begun; `reason` makes the error, which is costly, and rarely needed. */
  refuseAll(reason: () => GunError): void {
    const waiting = this.removeAll()
    if (waiting.length === 0) return
    const error = reason()
    for (const stream of waiting) stream.fail(error)
  }

  /** Begins no request any more: further ones are for the next connection. */
  retire(): void {
    this.isRetired = true
    this.#host.retire()
  }

  /** Lets go of the outlet and the timer. */
  dispose(): void {
    this.#outlet.onSent = undefined
    this.#expectDeadline?.clear()
  }

  /** Sends a body that has waited for `100 Continue`. */
  proceed(stream: Exchange): void {
    if (!stream.isExpecting) return
    this.#expectDeadline?.clear()
    stream.isExpecting = false
    this.grown(stream)
  }

  /** Leaves out the rest of a body. */
  skipBody(stream: Exchange): void {
    this.#expectDeadline?.clear()
    stream.isExpecting = false
    stream.isComplete = true
    stream.release()
    this.#writing = undefined
  }

  /** Sends the body of a stream as far as it was given. */
  grown(stream: Exchange): void {
    if (stream !== this.#writing || stream.isExpecting) return
    this.#write(stream)
    if (this.#writing === undefined) this.advance()
  }

  /** Whether the caller may go on; `isLate`: the caller was told before to wait. */
  hasRoom(stream: Exchange, isLate: boolean | undefined): boolean {
    const hasRoom = stream.hasRoom(this.#leaving(stream), isLate)
    // Room is told of once all that was postponed has been given.
    if (isLate) nodesImmediate(() => this.#tellRoom(stream))
    if (stream === this.#writing && !hasRoom) this.#watch()
    return hasRoom
  }

  /** Whether so many bytes more of the body would leave room. */
  fits(stream: Exchange, bytes: number): boolean {
    return stream.fits(this.#leaving(stream) + bytes)
  }

  /** How many bytes wait to leave that the stream no longer holds. */
  #leaving(stream: Exchange): number {
    return stream === this.#writing ? this.#outlet.buffered : 0
  }

  #tellRoom(stream: Exchange): void {
    this.#host.guard(() => stream.tellRoom(this.#leaving(stream)))
  }

  /** Tells the caller when there is room for more of the body that is being sent. */
  #watch(): void {
    this.#outlet.onSent ??= () => {
      if (this.#writing !== undefined) this.#tellRoom(this.#writing)
      if (!this.#writing?.isFull) this.#outlet.onSent = undefined
    }
  }

  #write(stream: Exchange): void {
    const outlet = this.#outlet
    const isChunked = stream.framing.type === 'chunked'
    for (const part of stream.release()) {
      if (isChunked) writeChunk(outlet, part)
      else outlet.write(part)
    }
    if (stream.isFull) this.#watch()
    if (!stream.isComplete) return
    if (isChunked) outlet.write(stream.end ?? LAST_CHUNK)
    this.#writing = undefined
    stream.tellRequestEnd()
  }

  /** Begins the requests whose turn it is. */
  advance(): void {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      if (!next.hasCookies) next.askForCookies(this.#goOn)
      // A request that the store has cancelled is taken back behind this step, and what follows it begins then.
      if (!next.hasCookies || next.isCancelled) return
      this.#begin(next)
    }
  }

  /** The request that may begin now. */
  get #next(): Exchange | undefined {
    const { first } = this.#waiting
    // Nothing leaves once a write has failed: a request that has not begun is safe to ask again then.
    if (first === undefined || this.isRetired || this.#outlet.isAborted) return undefined
    if (this.#writing !== undefined) return undefined
    return this.#isBlocked(first) ? undefined : first
  }

  /**
   * Whether a request must wait for responses. An upgrade, and a CONNECT, neither follows other requests nor is followed by any: many
   * servers switch protocols as soon as they read it, and take for frames what follows. HTTP/1.0 has no pipelining, and
   * HTTP/1.1 as much as the caller wants.
   */
  #isBlocked(next: Exchange): boolean {
    const { open } = this.#responses
    if (open.length === 0) return false
    if (open.length >= this.#opts.pipelining) return true
    if (next.mayLeave || this.#opts.version === 'HTTP/1.0') return true
    // An upgrade that was sent is the only one, since nothing is sent behind it.
    return open.first?.mayLeave ?? false
  }

  /**
   * Writes the head; gives `undefined`, and fails the stream, where the head has a name that may not be sent. As nothing
   * was sent, the other requests go on.
   */
  #headOf(stream: Exchange, fields: Headers): Octets | undefined {
    const { method, path } = stream
    try {
      return writeHead(method, path, this.#opts, fields)
    } catch (error) {
      if (!(error instanceof GunError)) throw error
      this.remove(stream)
      stream.fail(asKind('stream_error', error))
      return undefined
    }
  }

  #begin(stream: Exchange): void {
    if (!this.#sendHead(stream)) return
    if (!stream.isExpecting) return this.#write(stream)
    const proceed = () => this.#host.guard(() => this.proceed(stream))
    this.#expectDeadline = new Deadline(EXPECT_TIMEOUT, proceed)
  }

  /** Sends the head. Gives whether the body may follow. */
  #sendHead(stream: Exchange): boolean {
    const { fields } = stream
    const head = this.#headOf(stream, fields)
    if (head === undefined) return false
    this.#waiting.shift()
    this.#responses.expect(stream)
    this.#writing = stream
    stream.tellRequest('requestStart', fields)
    this.#outlet.writeText(head)
    stream.tellRequest('requestHeaders', fields)
    if (stream.isLast) this.retire()
    return true
  }
}
