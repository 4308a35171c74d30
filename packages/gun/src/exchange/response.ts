/** One response, whatever carries it: posted as it comes, with its body handed on through its content handlers. */

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

/** The gate that the response comes through. While the response is full or busy, nothing more comes. */
export interface Gate {
  /** Goes on, if the response is neither full nor busy any longer. */
  advance(): void
  /** Gives a promise for the moment when there is room again; `undefined` when there is. */
  untilFree(): Promise<void> | undefined
}

/** The protocol that brings the response. */
export interface ResponseUser<Stream> {
  /** All of the response is handed on, and no event has told of that yet. */
  onDone(stream: Stream): void
  /** A content handler has failed, and the stream with it: the rest of the response is not wanted. */
  onFailed(stream: Stream): void
}

/** Which handlers the bodies of responses go through, and whether cookies of interim responses count. */
export type ContentOpts = Pick<Required<HttpOpts>, 'contentHandlers' | 'cookieIgnoreInformational'>

/** The stream of the response, as far as its response needs it. */
export interface ResponseStream {
  readonly ref: StreamRef
  /** The URL that a cookie store is asked about; `undefined`: it is not. */
  readonly url: string | undefined
  /** How many messages of the body are still wanted. */
  credit: number
  /** Whether nothing more is posted, since the stream was cancelled. */
  isCancelled: boolean
  /** Whether the last message of the stream was posted. */
  readonly isEnded: boolean
  /** Posts a message of the stream, unless it was cancelled or has ended. */
  post(message: GunMessage, bytes?: number): void
  /** Posts the error that ends the stream. */
  fail(reason: GunError): void
  /** Tells the caller of no more room for the request's body: the response says whether to send more. */
  stopWaiting(): void
}

export class Response<Stream extends ResponseStream> {
  /** Whether anything of the response has come, an interim response included. */
  hasBegun = false
  readonly #host: Host
  readonly #opts: ContentOpts
  readonly #stream: Stream
  readonly #gate: Gate
  readonly #user: ResponseUser<Stream>
  #chain: ContentChain | undefined
  /** Resolves when the content handlers have done what they were given last; `undefined` when none is at work. */
  #work: Promise<void> | undefined
  /** How many of the bytes that the content handlers were given last are not counted with a message of theirs yet. */
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

  /** Whether as many messages of the body were posted as are wanted. */
  get isFull(): boolean {
    const { credit, isCancelled, isEnded } = this.#stream
    return credit <= 0 && !isCancelled && !isEnded && !this.#isDone
  }

  /** Whether a content handler is at work. */
  get isBusy(): boolean {
    return this.#work !== undefined
  }

  /** Takes note of the first byte. */
  start(): void {
    this.hasBegun = true
    this.#host.heard()
    this.tell('responseStart')
  }

  /** Posts an interim response. */
  inform(status: number, headers: Headers): void {
    if (!this.#opts.cookieIgnoreInformational) this.#store(headers)
    this.#tellHead('responseInform', status, headers)
    const { connPid } = this.#host
    this.#post({ type: 'gun_inform', connPid, streamRef: this.#ref, status, headers }, headers)
  }

  /** Tells of a response with which another protocol begins: an interim one over HTTP/1.1, a final one over HTTP/2. */
  switched(status: number, headers: Headers): void {
    const isInterim = status < 200
    if (!isInterim || !this.#opts.cookieIgnoreInformational) this.#store(headers)
    this.#tellHead(isInterim ? 'responseInform' : 'responseHeaders', status, headers)
  }

  /** Posts the head of a response with which a proxy agrees to a tunnel; no body follows, whatever it says (RFC 9110 section 9.3.6). */
  connected(status: number, headers: Headers): void {
    const { connPid } = this.#host
    this.#tellHead('responseHeaders', status, headers)
    this.#post(
      { type: 'gun_response', connPid, streamRef: this.#ref, isFin: 'fin', status, headers },
      headers,
    )
    this.tell('responseEnd')
  }

  /** Posts the head of the final response. */
  head(status: number, headers: Headers, isFin: boolean): void {
    const { connPid } = this.#host
    this.#stream.stopWaiting()
    this.#store(headers)
    this.#tellHead('responseHeaders', status, headers)
    const fin = isFin ? 'fin' : 'nofin'
    this.#post({ type: 'gun_response', connPid, streamRef: this.#ref, isFin: fin, status, headers }, headers)
    if (isFin) return this.end()
    if (this.#opts.contentHandlers.length > 0 && !this.#stream.isCancelled) this.#openChain(status, headers)
  }

  /** Posts a part of the body, or gives it to the content handlers. */
  data(isFin: boolean, data: Buffer): void {
    if (this.#chain !== undefined) return this.#feed(isFin, data, () => isFin && this.end())
    this.#passData(isFin ? 'fin' : 'nofin', data)
    if (isFin) this.end()
  }

  /** Posts the trailers, which end the response. */
  trailers(headers: Headers): void {
    const { connPid, events } = this.#host
    if (events.wants('responseTrailers')) {
      events.tell('responseTrailers', { connPid, streamRef: this.#ref, replyTo: this.#replyTo, headers })
    }
    this.#hasTrailers = true
    const end = () => {
      this.#post({ type: 'gun_trailers', connPid, streamRef: this.#ref, headers }, headers)
      this.end()
    }
    if (this.#chain === undefined) return end()
    this.#feed(true, EMPTY, end)
  }

  /** Says that the whole response has come. */
  end(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#disposeChain()
    this.#user.onDone(this.#stream)
  }

  /** Gives the content handlers nothing more, and waits for none of them. */
  dispose(): void {
    this.#disposeChain()
    this.#work = undefined
  }

  /** Tells the event handler that the response begins or has ended. */
  tell(name: 'responseStart' | 'responseEnd'): void {
    const { connPid, events } = this.#host
    if (events.wants(name)) events.tell(name, { connPid, streamRef: this.#ref, replyTo: this.#replyTo })
  }

  #store(headers: Headers): void {
    const { url } = this.#stream
    if (url !== undefined) this.#host.cookies?.store(url, headers)
  }

  get #ref(): StreamRef {
    return this.#stream.ref
  }

  get #replyTo() {
    return replyToOf(this.#stream.ref)
  }

  #disposeChain(): void {
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

  /** Gives a part of the body to the content handlers; nothing else is handed on while they are at work. */
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
      if (this.#work !== work) return
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

  /** Posts a message of the body, and counts it. */
  #pass(message: GunMessage, bytes: number): void {
    this.#stream.credit--
    this.#stream.post(message, bytes)
  }

  #passData(isFin: IsFin, data: Buffer): void {
    // The trailers are the end, and not the empty part that ends the chain.
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
