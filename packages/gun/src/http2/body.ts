/** The body of a request of HTTP/2: handed to Node's stream as it is given, unless the peer has to agree first. */

import type { ClientHttp2Stream } from 'node:http2'
import { EXPECT_TIMEOUT, type Exchange } from '../exchange/exchange.js'
import type { Host } from '../layer/contract.js'
import { Deadline } from '../transport/deadline.js'
import type { Headers } from '../words.js'
import { headerBlock } from './fields.js'

export class Http2Body {
  /** Whether the whole request was handed to Node. */
  isSent = false
  /** Whether the rest of the body is never sent. */
  isSkipped = false
  readonly #host: Host
  readonly #http: Exchange
  #node: ClientHttp2Stream | undefined
  #trailers: Headers = []
  #expectDeadline: Deadline | undefined
  #isOver = false

  constructor(host: Host, http: Exchange) {
    this.#host = host
    this.#http = http
  }

  /** Begins with the stream; `isSent`: the head was the whole request. Calls `onProceed` if the peer takes too long to agree. */
  begin(node: ClientHttp2Stream, isSent: boolean, onProceed: () => void): void {
    this.#node = node
    this.isSent = isSent
    if (this.#http.isExpecting) {
      this.#expectDeadline = new Deadline(EXPECT_TIMEOUT, () => this.#host.guard(onProceed))
    }
  }

  /** Hands over the parts that were given, if they may be sent by now. Gives whether the last was among them. */
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

  /** Ends the body with trailer fields. Gives whether all of it was handed over. */
  writeTrailers(headers: Headers): boolean {
    this.#trailers = headers
    this.#http.holdEnd()
    return this.write()
  }

  /** Sends the trailers, which are due. Throws the error of fields that Node does not send. */
  sendTrailers(): void {
    this.#node?.sendTrailers(headerBlock({}, this.#trailers, true))
  }

  /** Whether so many bytes more of the body would leave room. */
  fits(bytes: number): boolean {
    return this.#http.fits((this.#node?.writableLength ?? 0) + bytes)
  }

  /** Whether more of the body may be given, see `Exchange`. */
  hasRoom(isLate: boolean): boolean {
    // All that was postponed has been given by then.
    if (isLate) setImmediate(() => this.#tellRoom())
    return this.#http.hasRoom(this.#node?.writableLength ?? 0, isLate)
  }

  /** The peer has agreed to the body, or takes too long. Gives whether the body waited for that. */
  proceed(): boolean {
    if (!this.#http.isExpecting) return false
    this.#expectDeadline?.clear()
    this.#http.isExpecting = false
    return true
  }

  /** Sends nothing more of the body. Whoever has the stream resets it. */
  skip(): void {
    this.#expectDeadline?.clear()
    const http = this.#http
    http.isExpecting = false
    http.isComplete = true
    http.release()
    this.isSkipped = true
  }

  /** Ends our side, since no body follows after all. */
  finish(): void {
    this.#http.isComplete = true
    this.isSent = true
    this.#node?.end()
  }

  /** The stream is over. */
  dispose(): void {
    this.#isOver = true
    this.#expectDeadline?.clear()
  }

  /** Node calls this without an error for a stream that was reset too, though the data was dropped. */
  #onWritten(error: Error | null | undefined): void {
    if (!error && !this.#node?.closed) this.#tellRoom()
  }

  #tellRoom(): void {
    if (!this.#isOver) this.#host.guard(() => this.#http.tellRoom(this.#node?.writableLength ?? 0))
  }
}
