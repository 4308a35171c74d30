/** A stream of HTTP/2: its request goes out and its response comes in, and no other stream holds either up. */

import { type ClientHttp2Stream, constants } from 'node:http2'
import { type Mark, Source, type Valve } from '@holster/process/internal'
import { type GunError, overflowError } from '../errors.js'
import { Backlog, type Responder, type Tap } from '../exchange/backlog.js'
import { Exchange, type StreamInit } from '../exchange/exchange.js'
import type { ContentOpts, ResponseUser } from '../exchange/response.js'
import type { ResponseEvent } from '../exchange/response-event.js'
import { type ConnPid, setLayer } from '../handles.js'
import type { Again, Home, Host } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { resetStream } from '../transport/stream-line.js'
import type { Headers } from '../words.js'
import { Arrival } from './arrival.js'
import { Http2Body } from './body.js'
import { streamError, unsendable } from './errors.js'
import { headerBlock } from './fields.js'
import { PeerSide } from './frames.js'
import { Inner, type InnerUser } from './inner.js'
import { dispose, drain, type Http2StreamOwner, listen, listenForEnd, type Owned } from './node-stream.js'
import type { Http2Session } from './session.js'

const EMPTY = Buffer.alloc(0)
const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants

/** Has the streams of a connection. */
export interface Http2StreamUser {
  /** Whether Node's session has ended. The reason is told of the connection. */
  readonly isBroken: boolean
  /** How many bytes the headers of a response may have (RFC 9113 section 6.5.2). */
  readonly maxHeaderListSize: number
  /** Takes an upgrade for the next connection; `undefined` unless this one ends and another will follow. */
  readonly again: Again | undefined
  /** An interim response has come. */
  onInform(stream: Http2Stream): void
  /** The server has agreed to an upgrade. */
  onUpgrade(stream: Http2Stream, headers: Headers): void
  /** The protocol that had taken over has ended by itself, and its last message was posted. */
  onInnerOver(stream: Http2Stream): void
  /** Nothing more is sent on the stream, and all that has come is handed on. A reason says that the stream has failed. */
  onOver(stream: Http2Stream, reason: GunError | undefined): void
  /** The connection is cut, and all that had come of this stream is handed on. */
  onCaughtUp(): void
}

export class Http2Stream
  implements ResponseUser<Exchange>, Responder, Valve, Tap, Http2StreamOwner, InnerUser
{
  readonly http: Exchange
  /** The life of the protocol that has taken over from HTTP. */
  inner: Inner | undefined
  /** Whether the server has begun the stream. */
  readonly isPushed: boolean
  readonly #host: Host
  readonly #user: Http2StreamUser
  readonly #backlog: Backlog
  /** How much of the response has come. */
  readonly #arrival: Arrival
  #node: Owned | undefined
  /** How much of the request has left. */
  readonly #body: Http2Body
  #isDone = false
  #isOver = false
  #isCut = false
  /** Whether the end of the response was given to the backlog. */
  #isComplete = false
  #isReading = true
  /** Whether a mailbox is over its mark. */
  #isPaused = false
  #isClosing = false
  #isUnlimited = false
  /** The data that has come before Node tells of the head, which Node does a little later. */
  #early: Buffer[] | undefined
  #trailers: Headers | undefined

  constructor(host: Host, opts: ContentOpts, init: StreamInit, user: Http2StreamUser, pushed?: PeerSide) {
    this.#host = host
    this.#user = user
    this.isPushed = pushed !== undefined
    this.#arrival = new Arrival(pushed ?? new PeerSide())
    this.#backlog = new Backlog(this, this)
    this.http = new Exchange(host, opts, init, this.#backlog, this)
    this.#body = new Http2Body(host, this.http)
  }

  get id(): number | undefined {
    return this.#node?.id
  }

  /** The stream as it is now. */
  get info(): StreamInfo | undefined {
    if (this.inner !== undefined) return this.inner.protocol?.streamInfo(this.http.ref)
    if (this.#node === undefined) return this.http.info('waiting', undefined)
    const isSent = this.#body.isSent || this.http.upgrade !== undefined
    return this.http.info(isSent ? 'sent' : 'sending', undefined)
  }

  /** Whether the response is over, or nothing more of it is told. */
  get isDone(): boolean {
    const { isCancelled, isEnded } = this.http
    return this.#isDone || isCancelled || (isEnded && this.#isComplete)
  }

  /** Whether nothing is left of the stream to be cancelled. */
  get isSpent(): boolean {
    return this.isDone && (this.http.isCancelled || this.http.isComplete)
  }

  get isFull(): boolean {
    return this.http.response.isFull
  }

  get isBusy(): boolean {
    return this.http.response.isBusy
  }

  /** Whether nothing that has come waits to be handed on. */
  get isIdle(): boolean {
    return this.#backlog.isEmpty && !this.inner?.isBusy
  }

  /** Begins the stream. Throws the error of a request that Node does not send. */
  open(session: Http2Session): void {
    const { method, path, authority, fields, isChecked, upgrade, isComplete, isEmpty } = this.http
    const block = headerBlock(
      {
        ':method': method,
        ':scheme': this.#host.scheme,
        ':authority': authority,
        ':path': path,
      },
      fields,
      isChecked,
    )
    if (upgrade !== undefined) block[':protocol'] = 'websocket'
    // The protocol that takes over ends the stream itself.
    const isWhole = isComplete || upgrade !== undefined
    const body = !isWhole ? 'streamed' : isComplete && isEmpty ? 'none' : 'whole'
    this.#listen(session.request(block, body, this.#arrival.peer), body === 'none')
    this.#isUnlimited = session.isUnsettled
  }

  /** Takes the stream of Node's that the server has begun. */
  openPushed(node: ClientHttp2Stream): void {
    this.http.isComplete = true
    this.#listen(node, true)
  }

  #listen(node: ClientHttp2Stream, isSent: boolean): void {
    this.#node = node
    this.#body.begin(node, isSent, () => this.#proceed())
    listen(node, this, this.isPushed, isSent)
  }

  /** The head of the request has left: sends the parts of its body that were given. */
  sendBody(): void {
    // A handler that was told of the head may have cancelled the request.
    if (this.http.isCancelled) return
    if (this.#body.isSent || this.http.upgrade !== undefined) this.http.tellRequestEnd()
    else this.write()
  }

  /** Sends the parts of the body that were given. */
  write(): void {
    if (this.#body.write()) this.#sent()
  }

  /** Ends the body with trailer fields. */
  writeTrailers(headers: Headers): void {
    if (this.#body.writeTrailers(headers)) this.#sent()
  }

  #sent(): void {
    if (this.#isDone) this.#over()
  }

  /** Whether more of the body may be given, see `Exchange`. */
  hasRoom(isLate: boolean): boolean {
    return this.#body.hasRoom(isLate)
  }

  updateFlow(increment: number): void {
    const { http } = this
    http.credit += increment
    this.#backlog.advance()
  }

  /** Tells nothing more of the stream, and resets it. */
  cancel(code: number = NGHTTP2_CANCEL): void {
    this.http.isCancelled = true
    this.http.response.dispose()
    this.inner?.cancel()
    this.#reset(code)
    this.#over()
  }

  /** Tells nothing more of the stream, and leaves its end to the protocol that had taken over. */
  dispose(): void {
    this.http.isCancelled = true
    this.http.response.dispose()
    this.#over()
  }

  /** Makes the life of the protocol that is to take over. */
  makeInner(): Inner {
    return new Inner(this.#host, this.#node as ClientHttp2Stream, this.http.ref, this)
  }

  /** Lets that protocol take over. */
  switchTo(inner: Inner): void {
    this.inner = inner
    setLayer(this.http.ref, inner.layer)
  }

  /** Posts nothing more of the stream. */
  silence(): void {
    this.http.isCancelled = true
    this.inner?.layer.mute()
  }

  /** Whether so many bytes more of the request's body would leave room, and nobody waits for it yet. */
  fits(bytes: number): boolean {
    return !this.http.isFull && this.#body.fits(bytes)
  }

  /** The connection is cut: hands on the values that have come as the mailboxes have room, whatever the flow. */
  cut(reason: GunError): void {
    if (this.inner !== undefined) {
      this.#isCut = true
      const { isEnded } = this.#arrival.peer
      if (isEnded) this.#drain()
      return this.inner.cut(reason, isEnded)
    }
    if (this.#arrival.hasHead) {
      this.#drain()
      if (this.#isWhole) this.#complete()
    }
    this.#backlog.lift()
    // Not before, as a backlog that is empty in between would end the connection.
    this.#isCut = true
  }

  /** Lets no mailbox hold up what is still to come: the connection closes. */
  lift(): void {
    this.#isClosing = true
    this.#backlog.resume()
  }

  /** The connection is lost. Gives whether that has killed the stream, which its caller reports. */
  abort(reason: GunError | 'normal', again: Again | undefined): boolean {
    this.#detach()
    const { http, inner } = this
    http.response.dispose()
    if (inner !== undefined) return inner.abort(reason, again)
    if (this.isDone || http.isEnded) {
      http.refuseMore(reason === 'normal' ? undefined : reason)
      return false
    }
    if (again === undefined || !http.upgrade?.command.isRepeated) return true
    again(http.upgrade.command)
    return false
  }

  /** Resets the stream, which fails with this error. */
  fail(error: GunError): void {
    this.#reset(NGHTTP2_CANCEL)
    this.lost(error)
  }

  // The backlog asks:

  stopReading(): void {
    if (!this.#isReading) return
    this.#isReading = false
    this.#node?.pause()
  }

  beforeReading(): void {
    this.http.source?.beforeReading()
  }

  guard(run: () => void): void {
    this.#host.guard(run)
  }

  settle(): void {
    this.#host.settle()
  }

  get steps(): Home['steps'] {
    return this.#host.home.steps
  }

  startReading(): void {
    if (this.#isCut) this.#user.onCaughtUp()
    if (this.#isReading) return
    this.#isReading = true
    this.#node?.resume()
  }

  lost(reason: GunError): void {
    const isTold = this.isDone || this.http.isEnded
    this.#isDone = true
    this.http.response.dispose()
    this.#detach()
    this.#user.onOver(this, isTold || this.#comesBack(reason) ? undefined : reason)
  }

  /** Gives an upgrade that had succeeded before, and that this connection refuses as it ends, to the next one. */
  #comesBack(reason: GunError): boolean {
    const { again } = this.#user
    const command = this.http.upgrade?.command
    if (again === undefined || reason.code !== 'refused_stream' || !command?.isRepeated) return false
    again(command)
    return true
  }

  // The protocol that has taken over asks:

  get again(): Again | undefined {
    return this.#user.again
  }

  onInnerOver(): void {
    this.#user.onInnerOver(this)
  }

  // Mailboxes ask:

  pause(): void {
    this.#isPaused = true
    if (this.#isClosing) return
    this.#backlog.pause()
    this.stopReading()
  }

  /** Whoever is over the mark again by then has said so. */
  resume(): void {
    this.#isPaused = false
    this.#host.later(() => this.#isPaused || this.#backlog.resume())
  }

  get whole(): ConnPid {
    return this.#host.connPid
  }

  overflow(mark: Mark): void {
    this.#host.later(() => {
      // The step that has posted too much may have ended the stream.
      if (!this.#isOver) this.fail(overflowError('stream_error', mark))
    })
  }

  carries(reference: object): boolean {
    return reference === this.http.ref || reference === this.#host.connPid
  }

  // The response tells:

  onDone(): void {
    this.#isDone = true
    this.http.response.tell('responseEnd')
    // Node goes on with a body that is under way though the peer has reset the stream.
    const isInVain = this.#body.isSkipped || (this.#arrival.peer.isReset && !this.#body.isSent)
    if (isInVain) this.#reset(NGHTTP2_CANCEL)
    if (this.#body.isSent || isInVain) this.#over()
  }

  onFailed(): void {
    this.http.response.dispose()
    this.#reset(NGHTTP2_CANCEL)
    this.#over()
  }

  // Node tells:

  onInform(status: number, headers: Headers): void {
    this.#arrival.block()
    this.#user.onInform(this)
    if (this.#exceeds(headers)) this.#breakHead(NGHTTP2_ENHANCE_YOUR_CALM)
    else this.#backlog.add({ type: 'inform', status, headers })
  }

  onResponse(status: number, headers: Headers, isFin: boolean): void {
    const { http } = this
    const arrival = this.#arrival
    arrival.head(http.method, status, headers)
    const early = this.#early
    this.#early = undefined
    // Where the last bytes tell the end nobody listens for Node's, which would cost as much as all that we do.
    const endsKnown = isFin || (arrival.endsWithData && http.upgrade === undefined)
    if (!endsKnown && this.#node !== undefined) listenForEnd(this.#node, this.isPushed)
    // A stream that ends with its headers carries nothing, so it is a response like any other.
    if (http.upgrade !== undefined && status >= 200 && status <= 299 && !isFin) {
      http.response.start()
      http.response.switched(status, headers)
      this.#user.onUpgrade(this, headers)
    } else if (status < 200) {
      return this.#breakHead(NGHTTP2_PROTOCOL_ERROR)
    } else if (this.#exceeds(headers)) {
      this.#breakHead(NGHTTP2_ENHANCE_YOUR_CALM)
    } else {
      // No body follows an upgrade that was refused.
      if (http.upgrade !== undefined) this.#body.finish()
      // A body that the peer has not agreed to is not sent, which only a reset can say.
      if (http.isExpecting) this.#body.skip()
      this.#isComplete = isFin
      this.#backlog.add({ type: 'response', status, headers, isFin, keepAlive: true, length: undefined })
    }
    if (early !== undefined) for (const data of early) this.onData(data)
  }

  onData(data: Buffer): void {
    const arrival = this.#arrival
    if (!arrival.hasHead) {
      if (this.#early === undefined) this.#early = [data]
      else this.#early.push(data)
      return
    }
    arrival.data(data.length)
    if (this.inner !== undefined) return this.inner.handle(data)
    const isFin = arrival.hasLast
    if (isFin) this.#isComplete = true
    this.#backlog.add({ type: 'data', data, isFin })
  }

  onEnd(): void {
    if (!this.#isWhole) return this.onBroken(undefined)
    if (this.inner !== undefined) this.inner.ended(undefined)
    else this.#complete()
  }

  get #isWhole(): boolean {
    return this.#arrival.isWhole(this.#node?.rstCode)
  }

  onTrailers(headers: Headers): void {
    this.#arrival.block()
    if (this.#exceeds(headers)) return this.#break(NGHTTP2_ENHANCE_YOUR_CALM)
    this.#trailers = headers
  }

  /** The stream was reset, here or by the peer, or Node has given it up. */
  onBroken(cause: unknown): void {
    // The reason is told of the connection.
    if (this.#user.isBroken) return
    this.#drain()
    if (this.inner !== undefined) return this.inner.ended(this.#error(cause))
    // Node closes a stream once all has come, though not all may be handed on yet.
    if (!this.#isWhole) {
      const error = this.#error(cause)
      this.#backlog.lift()
      if (this.#isDone) this.#over()
      else this.#backlog.end(error)
      return
    }
    if (!this.#body.isSent) this.#body.skip()
    this.#complete()
    if (this.#isDone) this.#over()
  }

  /** Gives the error of a stream that has ended before it was whole. */
  #error(cause: unknown): GunError {
    const { peer, hasHead, isWrong } = this.#arrival
    return streamError(this.#node?.rstCode ?? NGHTTP2_NO_ERROR, peer.isReset && !(hasHead && isWrong), cause)
  }

  sendTrailers(): void {
    try {
      this.#body.sendTrailers()
    } catch (cause) {
      this.fail(unsendable(cause))
    }
  }

  /** Whether header fields exceed the limit, which Node does not hold on a stream begun before the peer knew our settings. */
  #exceeds(headers: Headers): boolean {
    if (!this.#isUnlimited) return false
    let size = 0
    for (const [name, value] of headers) size += name.length + value.length + 32
    return size > this.#user.maxHeaderListSize
  }

  /** Breaks the stream off at a head, with which a response has begun all the same. */
  #breakHead(code: number): void {
    this.http.response.start()
    this.#break(code)
  }

  /** Resets the stream for a fault of the peer that Node lets pass. */
  #break(code: number): void {
    this.#drain()
    this.#reset(code)
    this.#backlog.lift()
    this.#backlog.end(streamError(code, false, undefined))
  }

  #complete(): void {
    if (this.#isComplete) return
    this.#isComplete = true
    if (this.#trailers !== undefined) this.#backlog.add({ type: 'trailers', headers: this.#trailers })
    else this.#backlog.add({ type: 'data', data: EMPTY, isFin: true })
  }

  respond(event: ResponseEvent): void {
    const { response } = this.http
    switch (event.type) {
      case 'inform':
        response.start()
        response.inform(event.status, event.headers)
        if (event.status === 100) this.#proceed()
        return
      case 'response':
        response.start()
        this.http.refuseUpgrade(event.status, event.headers)
        response.head(event.status, event.headers, event.isFin)
        // An upgrade that is asked for again has cancelled the stream: nobody wants the rest of its refusal.
        if (this.http.isCancelled && !event.isFin) this.cancel()
        return
      case 'data':
        // A source costs more than a small response, and one whose data has all come cannot be held up.
        if (!event.isFin) this.http.source ??= new Source(this)
        return response.data(event.isFin, event.data)
      case 'trailers':
        return response.trailers(event.headers)
    }
  }

  #proceed(): void {
    if (this.#body.proceed()) this.write()
  }

  #drain(): void {
    if (this.#node !== undefined) drain(this.#node)
  }

  #reset(code: number): void {
    if (this.#node !== undefined) resetStream(this.#node, code, this.#body.isSent && !this.#body.isSkipped)
  }

  /** Hears and tells nothing more. */
  #detach(): void {
    this.#isOver = true
    this.#body.dispose()
    this.#backlog.dispose()
    this.http.source?.close()
    if (this.#node !== undefined) dispose(this.#node)
  }

  #over(): void {
    if (this.#isOver) return
    this.#detach()
    this.#user.onOver(this, undefined)
  }

  onDefect(cause: unknown): void {
    this.#host.guard(() => {
      throw cause
    })
  }
}
