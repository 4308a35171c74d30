/** The requests of one connection: each is sent in its turn, its head with its cookies, its body as it comes. */

import { asKind, GunError } from '../errors.js'
import { EXPECT_TIMEOUT, type HttpStream } from '../exchange/exchange.js'
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
import { writeHead } from './writer.js'

export class HttpRequests {
  readonly #host: Host
  readonly #outlet: Outlet
  readonly #opts: Required<HttpOpts>
  /** Of what was sent. */
  readonly #responses: HttpResponses
  /** Not begun: an upgrade is being answered or waits itself, or somebody's body is still being sent. */
  readonly #waiting = new Fifo<HttpStream>()
  /** Whose body is being sent. */
  #writing: HttpStream | undefined
  /** Nothing is begun any more. */
  isStopped = false
  #expectDeadline: Deadline | undefined
  readonly #goOn = () => this.#host.guard(() => this.advance())

  constructor(host: Host, opts: Required<HttpOpts>, responses: HttpResponses) {
    this.#host = host
    this.#outlet = host.outlet
    this.#opts = opts
    this.#responses = responses
  }

  /** Nothing is being sent, waits to be, or will be. */
  get isIdle(): boolean {
    return this.#writing === undefined && this.#waiting.length === 0 && !this.isStopped
  }

  /** Whose body is being sent. */
  get writing(): HttpStream | undefined {
    return this.#writing
  }

  /** Those that have not begun, as they are now. */
  get waiting(): readonly HttpStream[] {
    return [...this.#waiting]
  }

  add(stream: HttpStream): void {
    this.#waiting.push(stream)
    this.advance()
  }

  /** One that waits, or whose body is not complete; its response may be over before. */
  find(streamRef: StreamRef): HttpStream | undefined {
    if (this.#writing?.ref === streamRef) return this.#writing
    return this.#waiting.find(({ ref }) => ref === streamRef)
  }

  /** What is known of a stream that is open. */
  infoOf(stream: HttpStream): StreamInfo {
    const due = this.#responses.open.first
    // What the first of those that wait is blocked by, all of them are.
    if (this.#waiting.includes(stream))
      return stream.info('waiting', (this.#writing ?? due ?? this.#waiting.first)?.ref)
    return stream.info(
      stream === this.#writing ? 'sending' : 'sent',
      stream === this.#writing ? undefined : due?.ref,
    )
  }

  /** Takes one back that was not begun, and says whether it was not. */
  remove(stream: HttpStream): boolean {
    return this.#waiting.remove(stream)
  }

  /** Takes back all that were not begun. */
  removeAll(): HttpStream[] {
    return this.#waiting.takeAll()
  }

  /** Nothing more is begun. */
  stop(): void {
    this.isStopped = true
  }

  /** As `stop`; what is asked for from now on is for the next connection. */
  retire(): void {
    this.stop()
    this.#host.retire()
  }

  /** Nothing more is sent. */
  dispose(): void {
    this.#outlet.onSent = undefined
    this.#expectDeadline?.clear()
  }

  /** The body of a stream that expects something need not wait any longer. */
  proceed(stream: HttpStream): void {
    if (!stream.isExpecting) return
    this.#expectDeadline?.clear()
    stream.isExpecting = false
    this.grown(stream)
  }

  /** The body of a stream that expects something is not sent at all. */
  giveUp(stream: HttpStream): void {
    this.#expectDeadline?.clear()
    stream.isExpecting = false
    stream.isComplete = true
    stream.release()
    this.#writing = undefined
  }

  /** The body of a stream has grown. */
  grown(stream: HttpStream): void {
    if (stream !== this.#writing || stream.isExpecting) return
    this.#write(stream)
    if (this.#writing === undefined) this.advance()
  }

  /** Whether more of the body may be given, see `HttpStream`. */
  hasRoom(stream: HttpStream, isLate: boolean): boolean {
    const hasRoom = stream.hasRoom(this.#leaving(stream), isLate)
    // Once all that was postponed has been given.
    if (isLate) setImmediate(() => this.#tellRoom(stream))
    if (stream === this.#writing && !hasRoom) this.#watch()
    return hasRoom
  }

  /** Whether so many bytes more of the body would leave room. */
  fits(stream: HttpStream, bytes: number): boolean {
    return stream.fits(this.#leaving(stream) + bytes)
  }

  /** How many bytes wait to leave that are no longer held. */
  #leaving(stream: HttpStream): number {
    return stream === this.#writing ? this.#outlet.buffered : 0
  }

  #tellRoom(stream: HttpStream): void {
    this.#host.guard(() => stream.tellRoom(this.#leaving(stream)))
  }

  /** Tells the caller when there is room for more of the body that is being sent. */
  #watch(): void {
    this.#outlet.onSent ??= () => {
      if (this.#writing !== undefined) this.#tellRoom(this.#writing)
      if (!this.#writing?.isFull) this.#outlet.onSent = undefined
    }
  }

  #write(stream: HttpStream): void {
    for (const chunk of stream.release()) this.#outlet.write(chunk)
    if (stream.isFull) this.#watch()
    if (!stream.isComplete) return
    this.#writing = undefined
    stream.tellRequestEnd()
  }

  /** Begins what may begin. */
  advance(): void {
    for (;;) {
      const next = this.#waiting.first
      if (
        next === undefined ||
        this.isStopped ||
        this.#outlet.isAborted ||
        this.#writing !== undefined ||
        this.#isBlocked(next)
      )
        return
      // What is cancelled before it was sent never is.
      if (next.isCancelled) this.#waiting.shift()
      else if (next.hasCookies) this.#begin(next)
      else {
        next.askForCookies(this.#goOn)
        if (!next.hasCookies) return
      }
    }
  }

  /**
   * An upgrade is neither sent behind others nor followed by others: many servers switch as soon as they read it, and
   * what follows may be frames or requests. HTTP/1.0 has no pipelining, and HTTP/1.1 as much as the caller wants.
   */
  #isBlocked(next: HttpStream): boolean {
    const { open } = this.#responses
    if (open.length === 0) return false
    if (open.length >= this.#opts.pipelining) return true
    if (next.upgrade !== undefined || this.#opts.version === 'HTTP/1.0') return true
    // Alone, since nothing is sent behind it.
    return open.first?.upgrade !== undefined
  }

  /**
   * Its head; `undefined` where it has a name that may not be sent, which its stream is told of. Nothing of it was sent
   * then, so that the others go on.
   */
  #headOf(stream: HttpStream, fields: Headers): Octets | undefined {
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

  #begin(stream: HttpStream): void {
    if (!this.#sendHead(stream)) return
    if (!stream.isExpecting) return this.#write(stream)
    const proceed = () => this.#host.guard(() => this.proceed(stream))
    this.#expectDeadline = new Deadline(EXPECT_TIMEOUT, proceed)
  }

  /** Sends the head, and says whether the body may follow. */
  #sendHead(stream: HttpStream): boolean {
    const { fields } = stream
    const head = this.#headOf(stream, fields)
    if (head === undefined || stream.isCancelled) return false
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
