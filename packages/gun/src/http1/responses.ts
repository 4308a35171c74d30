/** The responses of one connection, in the order of their requests: told of, and handed on as far as they are wanted. */

import { GunError } from '../errors.js'
import { Backlog, type Responder } from '../exchange/backlog.js'
import { HttpStream, type StreamInit } from '../exchange/exchange.js'
import { Fifo } from '../exchange/fifo.js'
import type { ResponseUser } from '../exchange/response.js'
import type { ResponseEvent } from '../exchange/response-event.js'
import type { Host } from '../layer/contract.js'
import type { HttpOpts } from '../options/http.js'
import { Deadline } from '../transport/deadline.js'
import { keep } from '../transport/reading.js'
import { ResponseParser } from './parser.js'

/** How many bytes of a cancelled response are read to keep the connection. */
const MOST_DROPPED = 1024 * 1024

/** Who has sent the requests. */
export interface ResponseHandler {
  /** The peer waits for the body. */
  onContinue(stream: HttpStream): void
  /** A final response has begun, before its message is posted. */
  onFinal(stream: HttpStream, event: ResponseEvent & { type: 'response' }): void
  /** A response is over, and its stream is no longer open. */
  onFinished(): void
  /** The connection leaves HTTP. */
  onUpgrade(stream: HttpStream, event: ResponseEvent & { type: 'upgrade' }): void
}

export class HttpResponses implements ResponseUser<HttpStream>, Responder {
  /** The streams that were sent; their responses come in this order. */
  readonly open = new Fifo<HttpStream>()
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #handler: ResponseHandler
  readonly #parser: ResponseParser
  /** What has come and is not handed on yet. */
  readonly #backlog: Backlog
  #dropDeadline: Deadline | undefined

  constructor(host: Host, opts: Required<HttpOpts>, handler: ResponseHandler) {
    this.#host = host
    this.#opts = opts
    this.#handler = handler
    this.#parser = new ResponseParser(opts)
    this.#backlog = new Backlog(host, this)
  }

  /** A stream whose response will come here. */
  create(init: StreamInit): HttpStream {
    return new HttpStream(this.#host, this.#opts, init, this.#backlog, this)
  }

  /** A request is being sent. */
  expect(stream: HttpStream): void {
    this.open.push(stream)
    this.#parser.expect(stream.method, stream.upgrade !== undefined)
  }

  handle(chunk: Buffer): void {
    const parsed = this.#parser.execute(chunk)
    for (const event of parsed.events) own(event)
    this.#backlog.take(parsed)
  }

  end(reason: GunError | undefined): void {
    if (reason === undefined) this.#backlog.take(this.#parser.finish())
    this.#backlog.end(reason)
  }

  pause(): void {
    this.#backlog.pause()
  }

  resume(): void {
    this.#backlog.resume()
  }

  /** More of the body is wanted. */
  updateFlow(stream: HttpStream, increment: number): void {
    stream.credit += increment
    this.#backlog.advance()
  }

  /** Nothing more of a cancelled stream is posted: what comes is dropped, if there is not too much of it. */
  silence(stream: HttpStream): void {
    stream.response.silence()
    // Its turn will come; or its response is over, and only its body is not.
    if (this.open.length > 0 && stream !== this.open.first) return
    if (!this.#drop(stream)) return
    if (stream.isReceived) stream.response.finish()
    this.#backlog.advance()
  }

  /** It is the turn of a cancelled response. Gives whether the connection can go on behind it. */
  #drop(stream: HttpStream): boolean {
    const rest = (stream.length ?? 0) - stream.received
    if (!stream.isComplete || rest > MOST_DROPPED) {
      this.#host.lost(cancelled())
      return false
    }
    const { cancelTimeout } = this.#opts
    this.#dropDeadline?.clear()
    this.#dropDeadline = new Deadline(cancelTimeout, () => {
      // What a full mailbox keeps from being read is not late.
      if (this.#backlog.isFull) this.#drop(stream)
      else this.#host.lost(hangs(cancelTimeout))
    })
    return true
  }

  /** Nothing more is handed on. */
  dispose(): void {
    this.#backlog.close()
    this.#parser.free()
    this.#dropDeadline?.clear()
    for (const { response } of this.open) response.close()
  }

  get isFull(): boolean {
    return this.open.first?.response.isFull ?? false
  }

  get isBusy(): boolean {
    return this.open.first?.response.isBusy ?? false
  }

  respond(event: ResponseEvent): void {
    const stream = this.open.first
    // The parser refuses a response that nobody expects.
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

  #onResponse(stream: HttpStream, event: ResponseEvent & { type: 'response' }): void {
    const { status, headers, isFin, length } = event
    stream.refuseUpgrade(status, headers)
    stream.length = length
    stream.isReceived = isFin
    this.#handler.onFinal(stream, event)
    stream.response.head(status, headers, isFin)
    if (stream.isCancelled && !isFin) this.#drop(stream)
  }

  #onUpgrade(stream: HttpStream, event: ResponseEvent & { type: 'upgrade' }): void {
    stream.response.switched(event.status, event.headers)
    if (stream.isCancelled) return this.#host.lost(cancelled())
    this.#handler.onUpgrade(stream, event)
  }

  #onData(stream: HttpStream, { isFin, data }: ResponseEvent & { type: 'data' }): void {
    stream.received += data.length
    stream.isReceived = isFin
    if (!stream.isCancelled) return stream.response.data(isFin, data)
    stream.dropped += data.length
    if (isFin) stream.response.finish()
    else if (stream.dropped > MOST_DROPPED) this.#host.lost(cancelled())
  }

  onFailed(stream: HttpStream): void {
    this.silence(stream)
  }

  onDone(stream: HttpStream): void {
    this.#dropDeadline?.clear()
    this.open.shift()
    stream.response.tell('responseEnd')
    this.#handler.onFinished()
    const next = this.open.first
    if (next?.isCancelled) this.#drop(next)
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

/** The bytes that an event holds are only valid during the call that brought them. */
function own(event: ResponseEvent): void {
  if (event.type === 'data') event.data = keep(event.data)
  else if (event.type === 'upgrade') event.rest = keep(event.rest)
}
