/** A stream of HTTP/2: its request goes out and its response comes in, and no other stream holds either up. */

import { type Mark, Source, type Valve } from '@holster/process/internal'
import { GunError, overflowError } from '../errors.js'
import { Backlog, type Responder, type Tap } from '../exchange/backlog.js'
import { Exchange, type StreamInit } from '../exchange/exchange.js'
import type { ContentOpts, ResponseUser } from '../exchange/response.js'
import type { ResponseEvent } from '../exchange/response-event.js'
import { type ConnPid, type StreamRef, setLayer } from '../handles.js'
import type { Again, Host } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { replyToOf } from '../messages.js'
import { keep } from '../transport/reading.js'
import type { Headers } from '../words.js'
import { Http2Body } from './body.js'
import { codes, nameOf } from './engine/codes.js'
import type { EngineStream } from './engine/stream.js'
import { brokenError, resetError } from './errors.js'
import { checkHead } from './fields.js'
import { Inner, type InnerUser } from './inner.js'
import type { Http2Session } from './session.js'

const EMPTY = Buffer.alloc(0)

/** Has the streams of a connection. */
export interface Http2StreamUser {
  /** Takes an upgrade for the next connection; `undefined` unless this one ends and another will follow. */
  readonly again: Again | undefined
  /** The server has agreed to an upgrade. */
  onUpgrade(stream: Http2Stream, headers: Headers): void
  /** The proxy has agreed to a tunnel, and that is told. */
  onTunnel(stream: Http2Stream): void
  /** The protocol that had taken over has ended by itself, and its last message was posted. */
  onInnerOver(stream: Http2Stream): void
  /** Nothing more is sent on the stream, and all that has come is handed on. A reason says that the stream has failed. */
  onOver(stream: Http2Stream, reason: GunError | undefined): void
  /** The connection is cut, and all that had come of this stream is handed on. */
  onCaughtUp(): void
}

export class Http2Stream implements ResponseUser<Exchange>, Responder, Valve, Tap, InnerUser {
  readonly http: Exchange
  /** The life of the protocol that has taken over from HTTP. */
  inner: Inner<Http2Stream> | undefined
  readonly #host: Host
  readonly #session: Http2Session<Http2Stream>
  readonly #user: Http2StreamUser
  readonly #backlog: Backlog
  /** The stream as the engine has it, once it has begun. */
  #stream: EngineStream<Http2Stream> | undefined
  /** The body of the request, unless there is none. */
  readonly #body: Http2Body<Http2Stream> | undefined
  #isDone = false
  #isOver = false
  #isCut = false
  /** Whether the end of the response was given to the backlog. */
  #isComplete = false
  /** Whether the event handler was told that the whole request was sent. */
  #isEndTold = false
  /** Whether a mailbox is over its mark. */
  #isPaused = false
  #isClosing = false

  /** `promised` is the stream that the server has begun, for a push. */
  constructor(
    host: Host,
    session: Http2Session<Http2Stream>,
    opts: ContentOpts,
    init: StreamInit,
    user: Http2StreamUser,
    promised?: EngineStream<Http2Stream>,
  ) {
    this.#host = host
    this.#session = session
    this.#user = user
    this.#backlog = new Backlog(this, this)
    this.http = new Exchange(host, opts, init, this.#backlog, this)
    if (init.framing.type !== 'none') this.#body = new Http2Body(host, session, this.http)
    if (promised === undefined) return
    this.#stream = promised
    promised.owner = this
    this.http.isComplete = true
  }

  get id(): number | undefined {
    return this.#stream?.id
  }

  /** Whether the server has begun the stream. */
  get isPushed(): boolean {
    return this.#stream?.isPushed ?? false
  }

  /** The stream as it is now. */
  get info(): StreamInfo | undefined {
    if (this.inner !== undefined) return this.inner.layer.streamInfo(this.http.ref)
    if (this.#stream === undefined) return this.http.info('waiting', undefined)
    const isSent = this.#stream.hasFinished || this.http.mayLeave
    return this.http.info(isSent ? 'sent' : 'sending', undefined)
  }

  /** How many bytes of the stream wait before the connection's outlet. */
  get unsent(): number {
    return this.http.heldBytes + (this.#stream?.queued ?? 0) + (this.inner?.protocol?.unsent ?? 0)
  }

  /** The sources that only messages of this stream come from. */
  get sources(): readonly Source[] {
    const own = this.http.source
    return [...(own === undefined ? [] : [own]), ...(this.inner?.layer.sources ?? [])]
  }

  /** Whether the response is over, or nothing more of it is told. */
  get isDone(): boolean {
    const { isCancelled, isEnded } = this.http
    return this.#isDone || isCancelled || (isEnded && this.#isComplete)
  }

  /** Whether nothing is left of the stream to be cancelled. */
  get isSpent(): boolean {
    if (this.inner?.isOver) return true
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

  // The request goes out:

  /** Begins the stream. Throws the error of a request that HTTP/2 cannot send. */
  open(): void {
    const { http } = this
    const { method, path, authority, fields: headers, isChecked, mayLeave, passage, upgrade } = http
    const { scheme } = this.#host
    const protocol = upgrade === undefined ? undefined : 'websocket'
    if (!isChecked) checkHead({ ':method': method, ':path': path, ':authority': authority }, headers)
    const hasBody = !http.isComplete || !http.isEmpty || this.#body?.hasTrailers
    const { engine } = this.#session
    const request =
      passage === undefined
        ? { method, scheme, authority, path, protocol, headers }
        : { method, scheme: undefined, authority, path: undefined, protocol, headers }
    // The protocol that takes over ends the stream itself.
    this.#stream = engine.open(this, request, !hasBody && !mayLeave)
    if (hasBody) this.#body?.begin(this.#stream, () => this.#proceed())
  }

  /** The head of the request has left: sends the parts of its body that were given. */
  sendBody(): void {
    // A handler that was told of the head may have cancelled the request.
    if (this.http.isCancelled) return
    if (this.http.mayLeave) this.#tellRequestEnd()
    else this.write()
  }

  /** Sends the parts of the body that were given. */
  write(): void {
    this.#body?.write()
    this.#finish()
  }

  /** Ends the body with trailer fields. */
  writeTrailers(headers: Headers): void {
    this.#body?.writeTrailers(headers)
    this.#finish()
  }

  /** Bytes of the stream that waited have been sent. */
  onSent(): void {
    if (this.inner !== undefined) return this.inner.onSent()
    this.#body?.tellRoom()
    this.#finish()
  }

  /** Takes note of the end of the request, once all of it was sent. */
  #finish(): void {
    if (!this.#stream?.hasFinished || this.#isOver) return
    this.#tellRequestEnd()
    if (this.#isDone) this.#over()
  }

  #tellRequestEnd(): void {
    if (this.#isEndTold) return
    this.#isEndTold = true
    this.http.tellRequestEnd()
  }

  #proceed(): void {
    if (this.#body?.proceed()) this.write()
  }

  /** Whether more of the body may be given, see `Exchange`. */
  hasRoom(isLate: boolean | undefined): boolean {
    return this.#body?.hasRoom(isLate) ?? true
  }

  /** Whether so many bytes more of the request's body would leave room, and nobody waits for it yet. */
  fits(bytes: number): boolean {
    return !this.http.isFull && (this.#body?.fits(bytes) ?? true)
  }

  // The peer's values:

  onInform(status: number, headers: Headers): void {
    this.#backlog.add({ type: 'inform', status, headers })
  }

  onResponse(status: number, headers: Headers, isFin: boolean): void {
    const { http } = this
    const stream = this.#stream as EngineStream<Http2Stream>
    // A stream that ends with its headers carries nothing, so it is a response like any other.
    if (http.upgrade !== undefined && status <= 299 && !isFin) {
      http.response.start()
      http.response.switched(status, headers)
      // A handler that was told of the head may have cancelled the stream.
      if (http.isCancelled) return
      return this.#user.onUpgrade(this, headers)
    }
    if (http.passage !== undefined && status <= 299) return this.#onConnected(status, headers, isFin)
    if (http.mayLeave) {
      // No body follows an upgrade, or a tunnel, that was refused.
      http.isComplete = true
      this.#session.engine.send(stream, EMPTY, true)
    }
    // A body that the peer has not agreed to is not sent, which only a reset can say.
    if (http.isExpecting) this.#body?.skip()
    this.#isComplete = isFin
    this.#backlog.add({ type: 'response', status, headers, isFin, keepAlive: true, length: undefined })
  }

  #onConnected(status: number, headers: Headers, isFin: boolean): void {
    const { response } = this.http
    response.start()
    response.connected(status, headers)
    // A handler that was told of the head may have cancelled the stream.
    if (this.http.isCancelled) return
    if (!isFin) return this.#user.onTunnel(this)
    this.fail(new GunError('closed', 'stream_error', 'the proxy has closed the tunnel at once'))
  }

  /** Takes a part of the body, which is only valid during the call. */
  onData(data: Buffer, isFin: boolean): void {
    if (this.inner !== undefined) {
      // An end often comes as a part without bytes.
      if (data.length > 0) this.inner.handle(data)
      if (isFin) this.inner.ended(undefined)
      return
    }
    if (isFin) this.#isComplete = true
    this.#backlog.add({ type: 'data', data: keep(data), isFin })
  }

  onTrailers(headers: Headers): void {
    this.#isComplete = true
    this.#backlog.add({ type: 'trailers', headers })
  }

  /** The peer has reset the stream. */
  onReset(code: number, isWhole: boolean): void {
    if (this.#isOver) return this.inner?.ended(undefined)
    const { connPid, events } = this.#host
    const { ref: streamRef } = this.http
    const about = { connPid, streamRef, replyTo: replyToOf(streamRef), reason: nameOf(code).toLowerCase() }
    events.tell('cancel', { ...about, endpoint: 'remote' })
    if (!isWhole || this.inner !== undefined) return this.onBroken(resetError(code))
    this.#body?.skip()
    if (!this.#isComplete) this.onData(EMPTY, true)
    if (this.#isDone) this.#over()
  }

  /** The stream has ended before it was whole. */
  onBroken(error: GunError): void {
    if (this.inner !== undefined) return this.inner.ended(error)
    this.#backlog.lift()
    if (this.#isDone) this.#over()
    else this.#backlog.end(error)
  }

  /** The stream was reset for a fault of the peer; `isHead`: a head has come all the same. */
  onFault(code: number, text: string, isHead: boolean): void {
    if (isHead) this.http.response.start()
    this.onBroken(brokenError(code, text))
  }

  // The backlog asks:

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
        this.http.refusePassage()
        response.head(event.status, event.headers, event.isFin)
        // An upgrade that is asked for again has cancelled the stream: nobody wants the rest of its refusal.
        if (this.http.isCancelled && !event.isFin) this.cancel()
        return
      case 'data': {
        // A source costs more than a small response, and one whose data has all come cannot be held up.
        if (!event.isFin) this.http.source ??= new Source(this)
        const { length } = event.data
        response.data(event.isFin, event.data)
        // The peer may send as much again.
        if (this.#stream !== undefined) this.#session.engine.consume(this.#stream, length)
        return
      }
      case 'trailers':
        return response.trailers(event.headers)
    }
  }

  /** Does nothing: bytes that are kept are not given back to the peer's window. */
  stopReading(): void {}

  startReading(): void {
    if (this.#isCut) this.#user.onCaughtUp()
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

  // The response tells:

  onDone(): void {
    this.#isDone = true
    this.http.response.tell('responseEnd')
    const isSkipped = this.#body?.isSkipped
    if (isSkipped) this.#reset(codes.CANCEL)
    if (isSkipped || this.#stream?.hasFinished) this.#over()
  }

  onFailed(): void {
    this.http.response.dispose()
    this.#reset(codes.CANCEL)
    this.#over()
  }

  // The protocol asks:

  updateFlow(increment: number): void {
    this.http.credit += increment
    this.#backlog.advance()
  }

  /** Posts nothing more of the stream. */
  silence(): void {
    this.http.isCancelled = true
    this.inner?.silence()
  }

  /** Tells nothing more of the stream, and resets it. */
  cancel(): void {
    this.http.isCancelled = true
    this.http.response.dispose()
    this.inner?.cancel()
    this.#reset(codes.CANCEL)
    this.#over()
  }

  /** Resets the stream, which fails with this error. */
  fail(error: GunError): void {
    this.#reset(codes.CANCEL)
    this.lost(error)
  }

  /** Tells nothing more of the stream, and leaves its end to the protocol that had taken over. */
  dispose(): void {
    this.http.isCancelled = true
    this.http.response.dispose()
    this.#over()
  }

  /** Makes the life of the protocol that is to take over. */
  makeInner(): Inner<Http2Stream> {
    return new Inner(
      this.#host,
      this.#session,
      this.#stream as EngineStream<Http2Stream>,
      this.http.ref,
      this,
    )
  }

  /** Lets that protocol take over. */
  switchTo(inner: Inner<Http2Stream>): void {
    this.inner = inner
    setLayer(this.http.ref, inner.layer)
  }

  /** The connection is cut: hands on the values that have come as the mailboxes have room, whatever the flow. */
  cut(reason: GunError): void {
    if (this.inner !== undefined) {
      this.#isCut = true
      return this.inner.cut(reason, this.#stream?.hasEnded ?? false)
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

  /** The connection is lost. Tells the protocol that had taken over, and returns the streams that this has killed. */
  abortInner(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    this.#detach()
    this.http.response.dispose()
    return this.inner?.abort(reason, again) ?? []
  }

  /** The connection is lost. Returns whether that has killed the stream, which its caller reports. */
  abort(reason: GunError | 'normal', again: Again | undefined): boolean {
    this.#detach()
    const { http } = this
    http.response.dispose()
    if (this.isDone || http.isEnded) {
      http.refuseMore(reason === 'normal' ? undefined : reason)
      return false
    }
    if (again === undefined || !http.upgrade?.command.isRepeated) return true
    again(http.upgrade.command)
    return false
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
    if (!this.#isClosing) this.#backlog.pause()
  }

  /** Whoever is over the mark again by then has said so. */
  resume(): void {
    this.#isPaused = false
    this.#host.later(() => this.#isPaused || this.#backlog.resume())
  }

  get whole(): ConnPid {
    return this.#host.connPid
  }

  get part(): StreamRef {
    return this.http.ref
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

  // The stream ends:

  #reset(code: number): void {
    if (this.#stream !== undefined) this.#session.engine.reset(this.#stream, code)
  }

  /** Hears and tells nothing more. */
  #detach(): void {
    this.#isOver = true
    this.#body?.dispose()
    this.#backlog.dispose()
    this.http.source?.close()
  }

  #over(): void {
    if (this.#isOver) return
    this.#detach()
    this.#user.onOver(this, undefined)
  }
}
