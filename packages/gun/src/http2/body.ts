/** The body of a request of HTTP/2: handed to the engine as it is given, unless the peer has to agree first. */

import { nodesImmediate } from '@holster/process/internal'
import { EXPECT_TIMEOUT, type Exchange } from '../exchange/exchange.js'
import type { Host } from '../layer/contract.js'
import { Deadline } from '../transport/deadline.js'
import type { Headers } from '../words.js'
import type { EngineStream } from './engine/stream.js'
import type { Http2Session } from './session.js'
import { Unsent } from './unsent.js'

const EMPTY = Buffer.alloc(0)

export class Http2Body<Stream> {
  /** Whether the rest of the body is never sent. */
  isSkipped = false
  readonly #host: Host
  readonly #session: Http2Session<Stream>
  readonly #http: Exchange
  #stream: EngineStream<Stream> | undefined
  /** Counts the bytes that were handed over and not sent, where the caller is told of them. */
  #unsent: Unsent<Stream> | undefined
  /** Whether `tellRoom` is called once more of the connection's bytes have left. */
  #isAwaiting = false
  #trailers: Headers | undefined
  #expectDeadline: Deadline | undefined
  #isOver = false

  constructor(host: Host, session: Http2Session<Stream>, http: Exchange) {
    this.#host = host
    this.#session = session
    this.#http = http
  }

  /** Whether trailers come behind the body. */
  get hasTrailers(): boolean {
    return this.#trailers !== undefined
  }

  /** Begins with the stream. Calls `onProceed` if the peer takes too long to agree. */
  begin(stream: EngineStream<Stream>, onProceed: () => void): void {
    this.#stream = stream
    if (this.#http.sendMark !== undefined) this.#unsent = new Unsent(this.#host.outlet, stream)
    if (!this.#http.isExpecting) return
    this.#expectDeadline = new Deadline(EXPECT_TIMEOUT, () => this.#host.guard(onProceed))
  }

  /** Hands over the parts that were given, if they may be sent by now. */
  write(): void {
    const http = this.#http
    const stream = this.#stream
    if (stream === undefined || stream.isComplete || http.isExpecting) return
    const { engine } = this.#session
    const { heldBytes } = http
    const held = http.release()
    const isWhole = http.isComplete && this.#trailers === undefined
    const last = held.length - 1
    for (let i = 0; i <= last; i++) engine.send(stream, held[i] as Uint8Array, isWhole && i === last)
    if (isWhole) engine.send(stream, EMPTY, true)
    else if (http.isComplete && this.#trailers !== undefined) engine.sendTrailers(stream, this.#trailers)
    this.#unsent?.update(heldBytes)
    this.#session.watch()
    this.#await()
  }

  /** Ends the body with trailer fields. */
  writeTrailers(headers: Headers): void {
    this.#trailers = headers
    this.#http.holdEnd()
    this.write()
  }

  /** How many bytes were handed over and not sent. */
  get #leaving(): number {
    return this.#unsent?.size ?? 0
  }

  /** Whether so many bytes more of the body would leave room. */
  fits(bytes: number): boolean {
    return this.#http.fits(this.#leaving + bytes)
  }

  /** Whether more of the body may be given, see `Exchange`. */
  hasRoom(isLate: boolean | undefined): boolean {
    // All that was postponed has been given by then.
    if (isLate) nodesImmediate(() => this.#isOver || this.#host.guard(() => this.tellRoom()))
    const hasRoom = this.#http.hasRoom(this.#leaving, isLate)
    this.#await()
    return hasRoom
  }

  /** Tells a caller who waits that there is room again, if there is. */
  tellRoom(): void {
    if (this.#isOver) return
    this.#unsent?.update(0)
    this.#http.tellRoom(this.#leaving)
    this.#await()
  }

  /** Has `tellRoom` called when more has left the connection's outlet, if the caller waits for that. */
  #await(): void {
    if (this.#isAwaiting || !this.#http.isFull || !this.#unsent?.leaving) return
    this.#isAwaiting = true
    this.#session.whenSent(() => {
      this.#isAwaiting = false
      this.tellRoom()
    })
  }

  /** The peer has agreed to the body, or takes too long. Returns whether the body waited for that. */
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

  /** The stream is over. */
  dispose(): void {
    this.#isOver = true
    this.#expectDeadline?.clear()
  }
}
