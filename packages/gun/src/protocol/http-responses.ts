/** The responses of one connection, in the order of their requests: told of, and handed on as far as they are wanted. */

import { inspect } from 'node:util'
import { ContentChain } from '../content/chain.js'
import { GunError } from '../errors.js'
import type { GunMessage, Headers, IsFin } from '../messages.js'
import type { HttpOpts } from '../options.js'
import { replyToOf, type StreamRef } from '../stream-ref.js'
import { Backlog, BUSY, CREDIT, MAILBOX } from './backlog.js'
import type { Host } from './contract.js'
import { type HttpStream, urlOf } from './http-stream.js'
import type { ResponseEvent } from './response-event.js'
import { ResponseParser } from './response-parser.js'

/** How many bytes of a cancelled response are read to keep the connection. */
const MOST_DROPPED = 1024 * 1024

const EMPTY = Buffer.alloc(0)

/** Who has sent the requests. Each of these may end the connection. */
export interface ResponseHandler {
  /** The peer waits for the body. */
  onContinue(stream: HttpStream): void
  /** A final response has begun, before its message is posted; `keepAlive`: the connection may go on behind it. */
  onFinal(stream: HttpStream, keepAlive: boolean): void
  /** A response is over, and its stream is no longer open. */
  onFinished(): void
  /** The connection leaves HTTP. */
  onUpgrade(stream: HttpStream, event: ResponseEvent & { type: 'upgrade' }): void
}

export class HttpResponses {
  /** The streams that were sent; their responses come in this order. */
  readonly open: HttpStream[] = []
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #handler: ResponseHandler
  readonly #parser: ResponseParser
  /** What has come and is not handed on yet. */
  readonly #backlog: Backlog
  /** What a content handler is at. */
  #work: Promise<void> | undefined
  #dropTimer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(host: Host, opts: Required<HttpOpts>, handler: ResponseHandler) {
    this.#host = host
    this.#opts = opts
    this.#handler = handler
    this.#parser = new ResponseParser(opts)
    this.#backlog = new Backlog(host, event => this.#respond(event))
  }

  /** A request is being sent. */
  expect(stream: HttpStream): void {
    this.open.push(stream)
    this.#parser.expect(stream.method, stream.upgrade !== undefined)
  }

  handle(chunk: Buffer): void {
    this.#backlog.take(this.#parser.execute(chunk))
  }

  end(reason: GunError | undefined): void {
    if (reason === undefined) this.#backlog.take(this.#parser.finish())
    if (!this.#isOver) this.#backlog.end(reason)
  }

  pause(): void {
    this.#backlog.hold(MAILBOX)
  }

  resume(): void {
    this.#backlog.release(MAILBOX)
  }

  /** More of the body is wanted. */
  updateFlow(stream: HttpStream, increment: number): void {
    stream.credit += increment
    if (stream === this.open[0] && stream.credit > 0) this.#backlog.release(CREDIT)
  }

  /** Nothing more of a cancelled stream is posted: what comes is dropped, if there is not too much of it. */
  silence(stream: HttpStream): void {
    stream.chain?.close()
    stream.chain = undefined
    // Its turn will come; or its response is over, and only its body is not.
    if (this.open.length > 0 && stream !== this.open[0]) return
    this.#drop(stream)
    if (this.#isOver) return
    this.#work = undefined
    if (stream.isReceived) this.#finish(stream)
    this.#backlog.release(CREDIT | BUSY)
  }

  /** It is the turn of a cancelled response. */
  #drop(stream: HttpStream): void {
    const rest = (stream.length ?? 0) - stream.received
    if (!stream.isComplete || rest > MOST_DROPPED) return this.#host.lost(cancelled())
    const { closingTimeout } = this.#opts
    if (closingTimeout === Number.POSITIVE_INFINITY) return
    clearTimeout(this.#dropTimer)
    this.#dropTimer = setTimeout(() => {
      // What a full mailbox keeps from being read is not late.
      if (this.#backlog.isFull) this.#drop(stream)
      else this.#host.lost(cancelled())
    }, closingTimeout)
  }

  /** Nothing more is handed on. */
  close(): void {
    this.#isOver = true
    this.#backlog.close()
    this.#parser.free()
    clearTimeout(this.#dropTimer)
    for (const { chain } of this.open) chain?.close()
  }

  #respond(event: ResponseEvent): void {
    const [stream] = this.open
    // The parser refuses a response that nobody expects.
    if (stream === undefined) return
    switch (event.type) {
      case 'start':
        return this.#tellStream('responseStart', stream.ref)
      case 'inform':
        return this.#onInform(stream, event)
      case 'response':
        return this.#onResponse(stream, event)
      case 'data':
        return this.#onData(stream, event)
      case 'trailers':
        return this.#onTrailers(stream, event)
      case 'upgrade':
        return this.#onUpgrade(stream, event)
    }
  }

  #onInform(stream: HttpStream, { status, headers }: ResponseEvent & { type: 'inform' }): void {
    if (!this.#opts.cookieIgnoreInformational) this.#host.cookies?.store(urlOf(stream, this.#host), headers)
    this.#tellHead('responseInform', stream.ref, status, headers)
    const { connPid } = this.#host
    this.#post(stream, { type: 'gun_inform', connPid, streamRef: stream.ref, status, headers })
    if (status === 100 && !this.#isOver) this.#handler.onContinue(stream)
  }

  #onResponse(stream: HttpStream, event: ResponseEvent & { type: 'response' }): void {
    const { connPid } = this.#host
    const { ref: streamRef } = stream
    const { status, headers, isFin, keepAlive, length } = event
    this.#host.cookies?.store(urlOf(stream, this.#host), headers)
    this.#tellHead('responseHeaders', streamRef, status, headers)
    // Refused: what is left of it is a response like any other.
    stream.upgrade = undefined
    stream.length = length
    this.#handler.onFinal(stream, keepAlive)
    this.#post(stream, {
      type: 'gun_response',
      connPid,
      streamRef,
      isFin: isFin ? 'fin' : 'nofin',
      status,
      headers,
    })
    if (this.#isOver) return
    if (isFin) return this.#finish(stream)
    if (stream.isCancelled) return this.#drop(stream)
    if (this.#opts.contentHandlers.length > 0) this.#openChain(stream, status, headers)
  }

  #openChain(stream: HttpStream, status: number, headers: Headers): void {
    const { connPid } = this.#host
    const replyTo = {
      send: (message: unknown) => {
        const { undelivered } = stream
        stream.undelivered = 0
        this.#pass(stream, message as GunMessage, undelivered)
      },
    }
    const response = { connPid, streamRef: stream.ref, status, headers, replyTo }
    try {
      stream.chain = ContentChain.open(this.#opts.contentHandlers, response, (isFin, data) => {
        this.#passData(stream, stream.hasTrailers ? 'nofin' : isFin, data)
        return isFin === 'fin' ? undefined : this.#backlog.untilFree()
      })
    } catch (cause) {
      return this.#fail(stream, cause)
    }
    // A handler that was asked may have cancelled the stream, or closed the connection.
    if (!stream.isCancelled && !this.#isOver) return
    stream.chain?.close()
    stream.chain = undefined
  }

  #onUpgrade(stream: HttpStream, event: ResponseEvent & { type: 'upgrade' }): void {
    const { status, headers } = event
    if (!this.#opts.cookieIgnoreInformational) this.#host.cookies?.store(urlOf(stream, this.#host), headers)
    this.#tellHead('responseInform', stream.ref, status, headers)
    if (this.#isOver) return
    if (stream.isCancelled) return this.#host.lost(cancelled())
    this.#handler.onUpgrade(stream, event)
  }

  #onData(stream: HttpStream, { isFin, data }: ResponseEvent & { type: 'data' }): void {
    stream.received += data.length
    stream.isReceived = isFin
    if (stream.isCancelled) {
      stream.dropped += data.length
      if (!isFin && stream.dropped > MOST_DROPPED) return this.#host.lost(cancelled())
    } else if (stream.chain !== undefined) {
      return this.#feed(stream, isFin, data, () => isFin && this.#finish(stream))
    } else {
      this.#passData(stream, isFin ? 'fin' : 'nofin', data)
    }
    if (isFin) this.#finish(stream)
  }

  #onTrailers(stream: HttpStream, { headers }: ResponseEvent & { type: 'trailers' }): void {
    const { connPid, events } = this.#host
    const { ref: streamRef } = stream
    if (events.wants('responseTrailers')) {
      events.tell('responseTrailers', { connPid, streamRef, replyTo: replyToOf(streamRef), headers })
    }
    stream.isReceived = true
    stream.hasTrailers = true
    const finish = () => {
      this.#post(stream, { type: 'gun_trailers', connPid, streamRef, headers })
      this.#finish(stream)
    }
    if (stream.chain === undefined || stream.isCancelled) return finish()
    this.#feed(stream, true, EMPTY, finish)
  }

  /** Hands a part of a body to its content handlers; nothing else is handed on while they are at work. */
  #feed(stream: HttpStream, isFin: boolean, data: Buffer, then: () => void): void {
    stream.undelivered = data.length
    let work: void | Promise<void>
    try {
      work = stream.chain?.handle(isFin ? 'fin' : 'nofin', data)
    } catch (cause) {
      return this.#fail(stream, cause)
    }
    if (this.#isOver) return
    if (work === undefined) return then()
    this.#backlog.hold(BUSY)
    this.#work = work
    const settle = (run: () => void) => {
      if (this.#work !== work || this.#isOver) return
      this.#host.guard(() => {
        this.#work = undefined
        run()
        this.#backlog.release(BUSY)
      })
    }
    work.then(
      () => settle(then),
      cause => settle(() => this.#fail(stream, cause)),
    )
  }

  /** A content handler has failed: its stream has, and the rest of the body is dropped. */
  #fail(stream: HttpStream, cause: unknown): void {
    if (this.#isOver || stream.isCancelled) return
    const isOurs = cause instanceof GunError && cause.kind === 'stream_error'
    this.#host.fail(stream.ref, isOurs ? cause : contentError(cause))
    stream.isCancelled = true
    if (!this.#isOver) this.silence(stream)
  }

  #post(stream: HttpStream, message: GunMessage, bytes = 0): void {
    if (!stream.isCancelled && !this.#isOver) this.#host.deliver(stream.ref, message, bytes)
  }

  /** Posts what was made of a body, and counts it. */
  #pass(stream: HttpStream, message: GunMessage, bytes: number): void {
    if (stream.isCancelled || this.#isOver) return
    this.#host.deliver(stream.ref, message, bytes)
    if (stream.credit === Number.POSITIVE_INFINITY) return
    stream.credit--
    // Whoever got it may have cancelled the stream, which lets what follows come.
    if (stream.credit <= 0 && stream === this.open[0] && !stream.isCancelled) this.#backlog.hold(CREDIT)
  }

  #passData(stream: HttpStream, isFin: IsFin, data: Buffer): void {
    // The trailers are the end then.
    if (stream.hasTrailers && data.length === 0) return
    const { connPid } = this.#host
    this.#pass(stream, { type: 'gun_data', connPid, streamRef: stream.ref, isFin, data }, data.length)
  }

  #finish(stream: HttpStream): void {
    // The receiver of the last message may have closed the connection, which ended the stream.
    if (this.#isOver || this.open[0] !== stream) return
    stream.chain?.close()
    stream.chain = undefined
    clearTimeout(this.#dropTimer)
    this.open.shift()
    this.#tellStream('responseEnd', stream.ref)
    if (!this.#isOver) this.#handler.onFinished()
    if (this.#isOver) return
    this.#backlog.release(CREDIT)
    const [next] = this.open
    if (next?.isCancelled) this.#drop(next)
  }

  #tellStream(name: 'responseStart' | 'responseEnd', streamRef: StreamRef): void {
    const { connPid, events } = this.#host
    if (events.wants(name)) events.tell(name, { connPid, streamRef, replyTo: replyToOf(streamRef) })
  }

  #tellHead(
    name: 'responseInform' | 'responseHeaders',
    streamRef: StreamRef,
    status: number,
    headers: Headers,
  ): void {
    const { connPid, events } = this.#host
    if (!events.wants(name)) return
    events.tell(name, { connPid, streamRef, replyTo: replyToOf(streamRef), status, headers })
  }
}

function cancelled(): GunError {
  const text = 'the connection was closed, since there was too much left of a stream that was cancelled'
  return new GunError('cancelled', 'connection_error', text)
}

function contentError(cause: unknown): GunError {
  const text = `a content handler failed: ${cause instanceof Error ? cause.message : inspect(cause)}`
  return new GunError('handler_error', 'stream_error', text, { cause })
}
