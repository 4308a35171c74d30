/** The responses of one connection, in the order of their requests: each is posted as far as its receiver wants it. */

import { GunError } from '../errors.js'
import { Backlog, type Responder } from '../exchange/backlog.js'
import { Exchange, type StreamInit } from '../exchange/exchange.js'
import { Fifo } from '../exchange/fifo.js'
import type { ResponseUser } from '../exchange/response.js'
import type { EventSource, ResponseEvent } from '../exchange/response-event.js'
import type { Host } from '../layer/contract.js'
import type { HttpOpts } from '../options/http.js'
import { Deadline } from '../transport/deadline.js'
import { keep } from '../transport/reading.js'
import { ResponseParser } from './parser/parser.js'

/** How many bytes of a cancelled response are read for the sake of the connection. */
const MOST_DISCARDED = 1024 * 1024

/** Has sent the requests. */
export interface ResponseHandler {
  /** The peer has asked for the body. */
  onContinue(stream: Exchange): void
  /** A final response has begun; its message is not posted yet. */
  onFinal(stream: Exchange, event: ResponseEvent & { type: 'response' }): void
  /** A response is over, and its stream is no longer open. */
  onFinished(): void
  /** The peer has agreed to leave HTTP. */
  onUpgrade(stream: Exchange, event: ResponseEvent & { type: 'upgrade' }): void
}

export class HttpResponses implements ResponseUser<Exchange>, Responder, EventSource {
  /** The streams that were sent; their responses come in this order. */
  readonly open = new Fifo<Exchange>()
  /** Whether a whole response has come to somebody who wanted it. */
  hasAnswered = false
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #handler: ResponseHandler
  readonly #parser: ResponseParser
  readonly #backlog: Backlog
  #failure: GunError | undefined
  #discardDeadline: Deadline | undefined

  constructor(host: Host, opts: Required<HttpOpts>, handler: ResponseHandler) {
    this.#host = host
    this.#opts = opts
    this.#handler = handler
    this.#parser = new ResponseParser(opts, keep)
    this.#backlog = new Backlog(host, this, this)
  }

  /** Makes a stream whose response will come here. */
  create(init: StreamInit): Exchange {
    return new Exchange(this.#host, this.#opts, init, this.#backlog, this)
  }

  /** Expects the response to a request that is being sent. */
  expect(stream: Exchange): void {
    this.open.push(stream)
    this.#parser.expect(stream.method, stream.mayLeave)
  }

  handle(chunk: Buffer): void {
    this.#parser.push(chunk)
    this.#backlog.advance()
    this.#parser.keep()
  }

  end(reason: GunError | undefined): void {
    if (reason === undefined) this.#parser.end()
    this.#backlog.end(reason)
  }

  next(): ResponseEvent | undefined {
    return this.#parser.next()
  }

  get failure(): GunError | undefined {
    const cause = this.#parser.failure
    if (cause === undefined) return undefined
    this.#failure ??= new GunError(cause.code, 'connection_error', cause.message, { cause })
    return this.#failure
  }

  pause(): void {
    this.#backlog.pause()
  }

  resume(): void {
    this.#backlog.resume()
  }

  /** Lets no flow hold back what has come: nothing more comes. */
  lift(): void {
    this.#backlog.lift()
  }

  /** Adds to the number of messages that are wanted of the body. */
  updateFlow(stream: Exchange, increment: number): void {
    stream.credit += increment
    this.#backlog.advance()
  }

  /** Reads and discards the rest of a cancelled response, or loses the connection where the rest is too much. */
  discard(stream: Exchange): void {
    stream.response.dispose()
    // The response's turn will come; or it is over, and the body alone is not.
    if (this.open.length > 0 && stream !== this.open.first) return
    if (!this.#beginDiscarding(stream)) return
    if (stream.isReceived) stream.response.end()
    this.#backlog.advance()
  }

  /** Begins to discard a response whose turn it is. Gives whether the connection can go on behind it. */
  #beginDiscarding(stream: Exchange): boolean {
    const rest = (stream.length ?? 0) - stream.received
    if (!stream.isComplete || rest > MOST_DISCARDED) {
      this.#host.lost(cancelled())
      return false
    }
    const { cancelTimeout } = this.#opts
    this.#discardDeadline?.clear()
    this.#discardDeadline = new Deadline(cancelTimeout, () => {
      // A response that a full mailbox keeps from being read is not late.
      if (this.#backlog.isFull) this.#beginDiscarding(stream)
      else this.#host.lost(hangs(cancelTimeout))
    })
    return true
  }

  /** Hands on nothing more, and lets go of the content handlers. */
  dispose(): void {
    this.#backlog.dispose()
    this.#discardDeadline?.clear()
    for (const { response } of this.open) response.dispose()
  }

  get isFull(): boolean {
    return this.open.first?.response.isFull ?? false
  }

  get isBusy(): boolean {
    return this.open.first?.response.isBusy ?? false
  }

  respond(event: ResponseEvent): void {
    const stream = this.open.first
    // The parser refuses a response to no request.
    if (stream === undefined) return
    const { response } = stream
    switch (event.type) {
      case 'start':
        return response.start()
      case 'inform':
        response.inform(event.status, event.headers)
        if (event.status === 100) this.#handler.onContinue(stream)
        return
      case 'response':
        return this.#onResponse(stream, event)
      case 'data':
        return this.#onData(stream, event)
      case 'trailers':
        stream.isReceived = true
        return response.trailers(event.headers)
      case 'upgrade':
        return this.#onUpgrade(stream, event)
    }
  }

  #onResponse(stream: Exchange, event: ResponseEvent & { type: 'response' }): void {
    const { status, headers, isFin, length } = event
    stream.refuseUpgrade(status, headers)
    stream.refusePassage()
    stream.asksForUpgrade = false
    stream.length = length
    stream.isReceived = isFin
    this.#handler.onFinal(stream, event)
    stream.response.head(status, headers, isFin)
    if (stream.isCancelled && !isFin) this.#beginDiscarding(stream)
  }

  #onUpgrade(stream: Exchange, event: ResponseEvent & { type: 'upgrade' }): void {
    if (stream.passage === undefined) stream.response.switched(event.status, event.headers)
    else stream.response.connected(event.status, event.headers)
    if (stream.isCancelled) return this.#host.lost(cancelled())
    this.#handler.onUpgrade(stream, event)
  }

  #onData(stream: Exchange, { isFin, data }: ResponseEvent & { type: 'data' }): void {
    stream.received += data.length
    stream.isReceived = isFin
    if (!stream.isCancelled) return stream.response.data(isFin, data)
    stream.discarded += data.length
    if (isFin) stream.response.end()
    else if (stream.discarded > MOST_DISCARDED) this.#host.lost(cancelled())
  }

  onFailed(stream: Exchange): void {
    this.discard(stream)
  }

  onDone(stream: Exchange): void {
    this.#discardDeadline?.clear()
    this.open.shift()
    this.hasAnswered ||= !stream.isCancelled
    stream.response.tell('responseEnd')
    this.#handler.onFinished()
    const next = this.open.first
    if (next?.isCancelled) this.#beginDiscarding(next)
    this.#backlog.advance()
  }
}

function cancelled(): GunError {
  const text = 'the connection was closed, since there was too much left of a stream that was cancelled'
  return new GunError('cancelled', 'connection_error', text)
}

function hangs(ms: number): GunError {
  const text = `the connection was closed, since the rest of a cancelled response did not come within ${ms} ms`
  return new GunError('cancelled', 'connection_error', text)
}
