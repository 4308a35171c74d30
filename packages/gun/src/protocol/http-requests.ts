/** The requests of one connection: each is sent in its turn, its head with its cookies, its body as it comes. */

import type { Headers } from '../messages.js'
import type { HttpOpts } from '../options.js'
import { replyToOf, type StreamRef } from '../stream-ref.js'
import type { Host } from './contract.js'
import type { HttpResponses } from './http-responses.js'
import { type HttpStream, urlOf } from './http-stream.js'
import { withCookies, writeHead } from './request.js'

/** How long a body waits for `100 Continue`, in milliseconds (RFC 9110 section 10.1.1: not indefinitely). */
const EXPECT_TIMEOUT = 1000

export class HttpRequests {
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  /** Of what was sent. */
  readonly #responses: HttpResponses
  /** Not begun: an upgrade is being answered or waits itself, or somebody's body is still being sent. */
  readonly #waiting: HttpStream[] = []
  /** Whose body is being sent. */
  #writing: HttpStream | undefined
  /** Nothing is begun any more. */
  isStopped = false
  #isOver = false
  #expectTimer: NodeJS.Timeout | undefined

  constructor(host: Host, opts: Required<HttpOpts>, responses: HttpResponses) {
    this.#host = host
    this.#opts = opts
    this.#responses = responses
  }

  /** Nothing is being sent, waits to be, or will be. */
  get isIdle(): boolean {
    return this.#writing === undefined && this.#waiting.length === 0 && !this.isStopped
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

  /** Takes one back that was not begun, and says whether it was not. */
  remove(stream: HttpStream): boolean {
    const at = this.#waiting.indexOf(stream)
    if (at !== -1) this.#waiting.splice(at, 1)
    return at !== -1
  }

  /** Takes back all that were not begun. */
  removeAll(): HttpStream[] {
    return this.#waiting.splice(0)
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
  close(): void {
    this.#isOver = true
    clearTimeout(this.#expectTimer)
  }

  /** The body of a stream that expects something need not wait any longer. */
  proceed(stream: HttpStream): void {
    if (this.#isOver || !stream.isExpecting) return
    clearTimeout(this.#expectTimer)
    stream.isExpecting = false
    this.grown(stream)
  }

  /** The body of a stream that expects something is not sent at all. */
  giveUp(stream: HttpStream): void {
    clearTimeout(this.#expectTimer)
    stream.isExpecting = false
    stream.isComplete = true
    stream.held.length = 0
    this.#writing = undefined
  }

  /** The body of a stream has grown. */
  grown(stream: HttpStream): void {
    if (stream !== this.#writing || stream.isExpecting) return
    this.#write(stream)
    if (this.#writing === undefined) this.advance()
  }

  #write(stream: HttpStream): void {
    for (const chunk of stream.held) this.#host.outlet.write(chunk)
    stream.held.length = 0
    if (!stream.isComplete) return
    this.#writing = undefined
    const { connPid, events } = this.#host
    const { ref: streamRef } = stream
    if (events.wants('requestEnd')) {
      events.tell('requestEnd', { connPid, streamRef, replyTo: replyToOf(streamRef) })
    }
  }

  /** Begins what may begin. */
  advance(): void {
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || this.isStopped || this.#writing !== undefined || this.#isBlocked(next)) return
      if (!this.#hasCookies(next)) return
      this.#waiting.shift()
      this.#begin(next)
    }
  }

  /**
   * An upgrade is neither sent behind others nor followed by others: many servers switch as soon as they read it, and
   * what follows may be frames or requests. HTTP/1.0 has no pipelining.
   */
  #isBlocked(next: HttpStream): boolean {
    const { open } = this.#responses
    if (open.length === 0) return false
    if (next.upgrade !== undefined || this.#opts.version === 'HTTP/1.0') return true
    return open.some(({ upgrade }) => upgrade !== undefined)
  }

  /** Whether the store has given its cookies; if not, it goes on when it has. */
  #hasCookies(stream: HttpStream): boolean {
    const { cookies } = this.#host
    if (cookies === undefined || stream.cookies !== undefined) return true
    if (stream.isAsking) return false
    stream.isAsking = true
    let isNow = true
    cookies.query(urlOf(stream, this.#host), value => {
      stream.cookies = value
      if (!isNow && !this.#isOver) this.#host.guard(() => this.advance())
    })
    isNow = false
    return stream.cookies !== undefined
  }

  #begin(stream: HttpStream): void {
    const { method, path } = stream
    const headers = stream.cookies ? withCookies(stream.headers, stream.cookies) : stream.headers
    this.#responses.expect(stream)
    this.#writing = stream
    this.#tellRequest('requestStart', stream, headers)
    if (this.#isOver) return
    this.#host.outlet.writeText(writeHead(method, path, this.#opts, headers))
    this.#tellRequest('requestHeaders', stream, headers)
    if (this.#isOver) return
    if (stream.isLast) this.retire()
    if (!stream.isExpecting) return this.#write(stream)
    this.#expectTimer = setTimeout(() => this.#host.guard(() => this.proceed(stream)), EXPECT_TIMEOUT)
  }

  #tellRequest(name: 'requestStart' | 'requestHeaders', stream: HttpStream, headers: Headers): void {
    const { connPid, events, scheme } = this.#host
    if (!events.wants(name)) return
    const { ref: streamRef, function: how, method, path, authority } = stream
    const replyTo = replyToOf(streamRef)
    events.tell(name, {
      connPid,
      streamRef,
      replyTo,
      function: how,
      method,
      scheme,
      authority,
      path,
      headers,
    })
  }
}
