/** One response, whatever brings it: told of as it comes, and its body handed on through its content handlers. */

import { reportThrown } from '@holster/process/internal'
import { ContentChain } from '../content/chain.js'
import { GunError, messageOf } from '../errors.js'
import type { StreamRef } from '../handles.js'
import { sizeOf } from '../headers.js'
import type { Host } from '../layer/contract.js'
import { type GunMessage, replyToOf } from '../messages.js'
import type { Next } from '../options/content-handler.js'
import type { HttpOpts } from '../options/http.js'
import type { Headers, IsFin } from '../words.js'

const EMPTY = Buffer.alloc(0)

/** What the response comes through. While the response is full or busy, nothing more comes. */
export interface Gate {
  /** The response may be neither any longer. */
  advance(): void
  /** When there is room again; `undefined`: there is now. */
  untilFree(): Promise<void> | undefined
}

/** The protocol that brings the response. */
export interface ResponseUser<Stream> {
  /** All of the response is handed on, and nobody was told yet. */
  onDone(stream: Stream): void
  /** A content handler has failed, and its stream with it: the rest is not wanted. */
  onFailed(stream: Stream): void
}

/** Which handlers the bodies of responses go through, and whether cookies of interim responses count. */
export type ContentOpts = Pick<Required<HttpOpts>, 'contentHandlers' | 'cookieIgnoreInformational'>

/** The stream of the response, as far as its response needs it. */
export interface ResponseStream {
  readonly ref: StreamRef
  /** The URL that a cookie store is asked about. */
  readonly url: string
  /** How many messages of the body are still wanted. */
  credit: number
  isCancelled: boolean
  /** Whether the last message of the stream was posted. */
  readonly isEnded: boolean
  /** Posts a message of the stream, unless it was cancelled or has ended. */
  post(message: GunMessage, bytes?: number): void
  /** Posts the error that ends the stream. */
  fail(reason: GunError): void
  /** The caller need not wait for room to send more of the request's body. */
  stopWaiting(): void
}

export class Response<Stream extends ResponseStream> {
  /** Nothing more is handed on. */
  isOver = false
  /** Something of it has come, an interim one too. */
  hasBegun = false
  readonly #host: Host
  readonly #opts: ContentOpts
  readonly #stream: Stream
  readonly #gate: Gate
  readonly #user: ResponseUser<Stream>
  #chain: ContentChain | undefined
  /** What a content handler is at. */
  #work: Promise<void> | undefined
  /** How many of the bytes that its content handlers were given last no message of theirs stands for yet. */
  #undelivered = 0
  #hasTrailers = false
  #isDone = false

  constructor(host: Host, opts: ContentOpts, stream: Stream, gate: Gate, user: ResponseUser<Stream>) {
    this.#host = host
    this.#opts = opts
    this.#stream = stream
    this.#gate = gate
    this.#user = user
  }

  /** As many messages of its body were posted as are wanted. */
  get isFull(): boolean {
    const { credit, isCancelled, isEnded } = this.#stream
    return credit <= 0 && !isCancelled && !isEnded && !this.#isDone
  }

  /** A content handler is at work. */
  get isBusy(): boolean {
    return this.#work !== undefined
  }

  /** Its first byte has come. */
  start(): void {
    this.hasBegun = true
    this.#host.heard()
    this.tell('responseStart')
  }

  inform(status: number, headers: Headers): void {
    if (!this.#opts.cookieIgnoreInformational) this.#host.cookies?.store(this.#stream.url, headers)
    this.#tellHead('responseInform', status, headers)
    const { connPid } = this.#host
    this.#post({ type: 'gun_inform', connPid, streamRef: this.#ref, status, headers }, headers)
  }

  /** The response is another protocol's beginning: an interim one over HTTP/1.1, a final one over HTTP/2. */
  switched(status: number, headers: Headers): void {
    const isInterim = status < 200
    if (!isInterim || !this.#opts.cookieIgnoreInformational)
      this.#host.cookies?.store(this.#stream.url, headers)
    this.#tellHead(isInterim ? 'responseInform' : 'responseHeaders', status, headers)
  }

  head(status: number, headers: Headers, isFin: boolean): void {
    const { connPid } = this.#host
    this.#stream.stopWaiting()
    this.#host.cookies?.store(this.#stream.url, headers)
    this.#tellHead('responseHeaders', status, headers)
    const fin = isFin ? 'fin' : 'nofin'
    this.#post({ type: 'gun_response', connPid, streamRef: this.#ref, isFin: fin, status, headers }, headers)
    if (isFin) return this.finish()
    if (this.#opts.contentHandlers.length > 0 && !this.#stream.isCancelled) this.#openChain(status, headers)
  }

  data(isFin: boolean, data: Buffer): void {
    if (this.#chain !== undefined) return this.#feed(isFin, data, () => isFin && this.finish())
    this.#passData(isFin ? 'fin' : 'nofin', data)
    if (isFin) this.finish()
  }

  /** They end it. */
  trailers(headers: Headers): void {
    const { connPid, events } = this.#host
    if (events.wants('responseTrailers')) {
      events.tell('responseTrailers', { connPid, streamRef: this.#ref, replyTo: this.#replyTo, headers })
    }
    this.#hasTrailers = true
    const finish = () => {
      this.#post({ type: 'gun_trailers', connPid, streamRef: this.#ref, headers }, headers)
      this.finish()
    }
    if (this.#chain === undefined || this.#stream.isCancelled) return finish()
    this.#feed(true, EMPTY, finish)
  }

  finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#closeChain()
    this.#user.onDone(this.#stream)
  }

  /** The stream was cancelled: its content handlers get nothing more, and nobody waits for them. */
  silence(): void {
    this.#closeChain()
    this.#work = undefined
  }

  /** Nothing more is handed on. */
  close(): void {
    this.isOver = true
    this.#chain?.dispose()
  }

  tell(name: 'responseStart' | 'responseEnd'): void {
    const { connPid, events } = this.#host
    if (events.wants(name)) events.tell(name, { connPid, streamRef: this.#ref, replyTo: this.#replyTo })
  }

  get #ref(): StreamRef {
    return this.#stream.ref
  }

  get #replyTo() {
    return replyToOf(this.#stream.ref)
  }

  #closeChain(): void {
    this.#chain?.dispose()
    this.#chain = undefined
  }

  #openChain(status: number, headers: Headers): void {
    const { connPid } = this.#host
    const replyTo = {
      send: (message: unknown) => {
        const bytes = this.#undelivered
        this.#undelivered = 0
        this.#pass(message as GunMessage, bytes)
      },
    }
    const response = { connPid, streamRef: this.#ref, status, headers, replyTo }
    try {
      const untilFree = () => this.#gate.untilFree()
      const last: Next = (isFin, data) => {
        this.#passData(this.#hasTrailers ? 'nofin' : isFin, data)
        return isFin === 'fin' ? undefined : untilFree()
      }
      this.#chain = ContentChain.open(this.#opts.contentHandlers, response, last, untilFree)
    } catch (cause) {
      return this.#fail(cause)
    }
  }

  /** Hands a part of the body to its content handlers; nothing else is handed on while they are at work. */
  #feed(isFin: boolean, data: Buffer, then: () => void): void {
    this.#undelivered = data.length
    let work: void | Promise<void>
    try {
      work = this.#chain?.handle(isFin ? 'fin' : 'nofin', data)
    } catch (cause) {
      return this.#fail(cause)
    }
    if (work === undefined) return then()
    this.#work = work
    const settle = (run: () => void) => {
      if (this.#work !== work || this.isOver) return
      this.#host.guard(() => {
        this.#work = undefined
        run()
        this.#gate.advance()
      })
    }
    work.then(
      () => settle(then),
      cause => settle(() => this.#fail(cause)),
    )
  }

  #fail(cause: unknown): void {
    const stream = this.#stream
    if (stream.isCancelled) return
    const isOurs = cause instanceof GunError && cause.kind === 'stream_error'
    // A handler may fail once it has handed on the end.
    if (stream.isEnded) reportThrown(this.#host.connPid, cause)
    else stream.fail(isOurs ? cause : contentError(cause))
    stream.isCancelled = true
    this.#user.onFailed(stream)
  }

  #post(message: GunMessage, headers: Headers): void {
    this.#stream.post(message, sizeOf(headers))
  }

  /** Posts what was made of a body, and counts it. */
  #pass(message: GunMessage, bytes: number): void {
    if (this.isOver) return
    this.#stream.credit--
    this.#stream.post(message, bytes)
  }

  #passData(isFin: IsFin, data: Buffer): void {
    // The trailers are the end then.
    if (this.#hasTrailers && data.length === 0) return
    const { connPid } = this.#host
    this.#pass({ type: 'gun_data', connPid, streamRef: this.#ref, isFin, data }, data.length)
  }

  #tellHead(name: 'responseInform' | 'responseHeaders', status: number, headers: Headers): void {
    const { connPid, events } = this.#host
    if (!events.wants(name)) return
    events.tell(name, { connPid, streamRef: this.#ref, replyTo: this.#replyTo, status, headers })
  }
}

function contentError(cause: unknown): GunError {
  const text = `a content handler failed: ${messageOf(cause)}`
  return new GunError('handler_error', 'stream_error', text, { cause })
}
