/** The body of a request of HTTP/2: handed to Node's stream as it is given, unless the peer has to agree first. */

import type { ClientHttp2Stream } from 'node:http2'
import { EXPECT_TIMEOUT, type HttpStream } from '../exchange/exchange.js'
import type { Host } from '../layer/contract.js'
import { Deadline } from '../transport/deadline.js'
import type { Headers } from '../words.js'
import { headerBlock } from './fields.js'

export class Http2Body {
  /** The whole request was handed to Node. */
  isSent = false
  /** What is left of it is never sent. */
  isGivenUp = false
  readonly #host: Host
  readonly #http: HttpStream
  #node: ClientHttp2Stream | undefined
  #trailers: Headers = []
  #expectDeadline: Deadline | undefined
  #isOver = false

  constructor(host: Host, http: HttpStream) {
    this.#host = host
    this.#http = http
  }

  /** The stream has begun; `isSent`: with it the whole request. `onProceed`: the peer has said nothing for too long. */
  begin(node: ClientHttp2Stream, isSent: boolean, onProceed: () => void): void {
    this.#node = node
    this.isSent = isSent
    if (this.#http.isExpecting) {
      this.#expectDeadline = new Deadline(EXPECT_TIMEOUT, () => this.#host.guard(onProceed))
    }
  }

  /** Hands over what was given, if it may be sent by now. Says whether that was the last of it. */
  write(): boolean {
    const http = this.#http
    const node = this.#node
    if (node === undefined || this.isSent || http.isExpecting) return false
    const held = http.release()
    const isLast = http.isComplete
    const onWritten =
      http.sendMark === undefined ? undefined : (error?: Error | null) => this.#onWritten(error)
    for (let i = 0; i < held.length - (isLast ? 1 : 0); i++) node.write(held[i], onWritten)
    if (!isLast) return false
    this.isSent = true
    node.end(held.at(-1))
    http.tellRequestEnd()
    return true
  }

  /** Ends it with trailer fields. */
  writeTrailers(headers: Headers): boolean {
    this.#trailers = headers
    this.#http.holdEnd()
    return this.write()
  }

  /** The trailers are due. Throws what Node does not send. */
  sendTrailers(): void {
    this.#node?.sendTrailers(headerBlock({}, this.#trailers, true))
  }

  /** Whether so many bytes more of it would leave room. */
  fits(bytes: number): boolean {
    return this.#http.fits((this.#node?.writableLength ?? 0) + bytes)
  }

  /** Whether more of it may be given, see `HttpStream`. */
  hasRoom(isLate: boolean): boolean {
    // Once all that was postponed has been given.
    if (isLate) setImmediate(() => this.#tellRoom())
    return this.#http.hasRoom(this.#node?.writableLength ?? 0, isLate)
  }

  /** The peer has agreed to it, or takes too long. Says whether that was still to be known. */
  proceed(): boolean {
    if (!this.#http.isExpecting) return false
    this.#expectDeadline?.clear()
    this.#http.isExpecting = false
    return true
  }

  /** Nothing more of it is sent; the stream has to be reset for that. */
  giveUp(): void {
    this.#expectDeadline?.clear()
    const http = this.#http
    http.isExpecting = false
    http.isComplete = true
    http.release()
    this.isGivenUp = true
  }

  /** There is none after all. */
  end(): void {
    this.#http.isComplete = true
    this.isSent = true
    this.#node?.end()
  }

  /** The stream is over. */
  close(): void {
    this.#isOver = true
    this.#expectDeadline?.clear()
  }

  /** Of a stream that was reset Node says so as well, but there what was given is dropped. */
  #onWritten(error: Error | null | undefined): void {
    if (!error && !this.#node?.closed) this.#tellRoom()
  }

  #tellRoom(): void {
    if (!this.#isOver) this.#host.guard(() => this.#http.tellRoom(this.#node?.writableLength ?? 0))
  }
}
