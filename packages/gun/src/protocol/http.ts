/** HTTP/1.1: requests go out in order, responses come back in the same order, one connection for all. */

import { asConnectionError, GunError } from '../errors.js'
import type { StreamInfo } from '../info.js'
import type { Headers, IsFin } from '../messages.js'
import type { HttpOpts } from '../options.js'
import { replyToOf, type StreamRef } from '../stream-ref.js'
import { handlerError } from '../ws/handler.js'
import { finishHandshake, startHandshake } from '../ws/handshake.js'
import type { Host, Protocol, RequestCommand, UpgradeCommand } from './contract.js'
import { HttpResponses, type ResponseHandler } from './http-responses.js'
import { HttpStream, urlOf } from './http-stream.js'
import { type Framing, framingOf, withCookies, withHost, writeHead, writeTrailers } from './request.js'
import type { ResponseEvent } from './response-event.js'
import { Ws } from './ws.js'

/** How long a body waits for `100 Continue`, in milliseconds (RFC 9110 section 10.1.1: not indefinitely). */
const EXPECT_TIMEOUT = 1000

const CRLF: Uint8Array = Buffer.from('\r\n')

/** The protocol of a connection that carries requests. */
export class Http implements Protocol, ResponseHandler {
  readonly name = 'http'
  readonly stateName = 'connected'
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  /** Of what was sent. */
  readonly #responses: HttpResponses
  /** Not begun: an upgrade is being answered or waits itself, or somebody's body is still being sent. */
  readonly #waiting: HttpStream[] = []
  /** Whose body is being sent. */
  #writing: HttpStream | undefined
  /** Nothing is begun any more. */
  #closing = false
  /** The response that is being received is the last one. */
  #leaving = false
  /** An orderly end was asked for, while an upgrade may still succeed. */
  #asked = false
  #closed = false
  #expectTimer: NodeJS.Timeout | undefined
  readonly #keepaliveTimer: NodeJS.Timeout | undefined

  constructor(host: Host, opts: Required<HttpOpts>) {
    this.#host = host
    this.#opts = opts
    this.#responses = new HttpResponses(host, opts, this)
    if (opts.keepalive !== Number.POSITIVE_INFINITY) {
      this.#keepaliveTimer = setInterval(() => host.guard(() => this.#keepAlive()), opts.keepalive)
    }
  }

  request(command: RequestCommand): void {
    const { streamRef, method, path, body, flow = this.#opts.flow } = command
    const headers = withHost(command.headers, this.#host.authority)
    let framing: Framing | undefined = framingOf(headers)
    if (framing === undefined && body === undefined) {
      if (this.#opts.version === 'HTTP/1.0') {
        const text = 'a body of unknown length needs HTTP/1.1; give a content-length'
        return this.#host.refuse(streamRef, notSupported(text))
      }
      headers.push(['transfer-encoding', 'chunked'])
      framing = { type: 'chunked' }
    } else if (framing === undefined && body !== undefined && (body.length > 0 || expectsBody(method))) {
      headers.push(['content-length', String(body.length)])
      framing = { type: 'length', length: body.length }
    }
    const stream = new HttpStream({
      ref: streamRef,
      function: body === undefined ? 'headers' : 'request',
      method,
      path,
      headers,
      framing: framing ?? { type: 'none' },
      flow,
    })
    if (body !== undefined) stream.hold('fin', body)
    if (this.#opts.version === 'HTTP/1.0' || body?.length === 0) stream.isExpecting = false
    this.#enqueue(stream)
  }

  data(streamRef: StreamRef, isFin: IsFin, chunk: Uint8Array): void {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return
    const problem = stream.problemWith(isFin, chunk)
    if (problem !== undefined) {
      // A chunk too long is not sent; the stream waits for another. A body that has ended wrongly can't be mended.
      if (isFin === 'fin') return this.#abandon(stream, problem)
      const text = `${problem}; the last chunk was not sent`
      return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    stream.hold(isFin, chunk)
    this.#grown(stream)
  }

  trailers(streamRef: StreamRef, headers: Headers): void {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return
    if (stream.framing.type !== 'chunked') {
      const text = 'trailers can only follow a body that is sent in chunks, without content-length'
      return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    stream.held.push(writeTrailers(headers, this.#opts.transformHeaderName))
    stream.isComplete = true
    this.#grown(stream)
  }

  wsUpgrade(command: UpgradeCommand): void {
    const { streamRef, path, opts } = command
    if (this.#opts.version === 'HTTP/1.0') {
      return this.#host.refuse(streamRef, notSupported('an upgrade to WebSocket needs HTTP/1.1'))
    }
    const handshake = startHandshake(command.headers, opts)
    const { connPid, events } = this.#host
    events.tell('wsUpgrade', { connPid, streamRef, replyTo: replyToOf(streamRef), opts })
    // Who was told may have closed the connection.
    if (this.#closed) return this.#host.refuse(streamRef, ended())
    const stream = new HttpStream({
      ref: streamRef,
      function: 'wsUpgrade',
      method: 'GET',
      path,
      headers: withHost(handshake.headers, this.#host.authority),
      framing: { type: 'none' },
      flow: Number.POSITIVE_INFINITY,
      upgrade: { handshake, command },
    })
    stream.isComplete = true
    this.#enqueue(stream)
  }

  handle(chunk: Buffer): void {
    this.#responses.handle(chunk)
  }

  end(reason: GunError | undefined): void {
    this.#responses.end(reason)
  }

  pause(): void {
    this.#responses.pause()
  }

  resume(): void {
    this.#responses.resume()
  }

  updateFlow(streamRef: StreamRef, increment: number): void {
    const stream = this.#find(streamRef)
    if (stream !== undefined) this.#responses.updateFlow(stream, increment)
  }

  cancel(streamRef: StreamRef): void {
    const stream = this.#find(streamRef)
    if (stream === undefined || stream.isCancelled) {
      const text = 'there is nothing to cancel: the stream has ended, or was cancelled before'
      return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    stream.isCancelled = true
    const { connPid, events } = this.#host
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    if (this.#closed) return
    const at = this.#waiting.indexOf(stream)
    if (at !== -1) {
      this.#waiting.splice(at, 1)
      return this.#advance()
    }
    // Its body will never be complete, so the connection can't go on behind it.
    if (!stream.isComplete) this.#retire()
    this.#responses.silence(stream)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    const stream = this.#find(streamRef)
    if (stream === undefined) return undefined
    const state = stream.isCancelled ? 'stopping' : 'running'
    return { ref: streamRef, replyTo: replyToOf(streamRef), state, intermediaries: [] }
  }

  closing(): number {
    this.#closing = true
    this.#asked = true
    const refused = this.#waiting.splice(0)
    for (const { ref } of refused) {
      const text = 'the connection is closing; the request was not sent'
      this.#host.fail(ref, new GunError('closing', 'stream_error', text))
    }
    this.#responses.resume()
    return this.#responses.open.length === 0 ? 0 : this.#opts.closingTimeout
  }

  close(
    reason: GunError | 'normal',
    again: ((command: UpgradeCommand) => void) | undefined,
  ): readonly StreamRef[] {
    this.#shut()
    const error = reason === 'normal' ? ended() : asConnectionError(reason)
    const killed: StreamRef[] = []
    for (const { ref, upgrade, isCancelled } of [...this.#responses.open, ...this.#waiting]) {
      if (isCancelled) continue
      if (again !== undefined && upgrade?.command.isRepeated) again(upgrade.command)
      else killed.push(ref)
    }
    this.#responses.open.length = 0
    this.#waiting.length = 0
    for (const ref of killed) this.#host.fail(ref, error)
    return killed
  }

  /** Nothing is done any more. */
  #shut(): void {
    this.#closed = true
    this.#responses.close()
    clearTimeout(this.#expectTimer)
    clearInterval(this.#keepaliveTimer)
  }

  #find(streamRef: StreamRef): HttpStream | undefined {
    // A response may be over before its request is.
    if (this.#writing?.ref === streamRef) return this.#writing
    const isIt = ({ ref }: HttpStream) => ref === streamRef
    return this.#responses.open.find(isIt) ?? this.#waiting.find(isIt)
  }

  // What is sent.

  /** The stream, if it takes more of its body; else it is told that it does not. */
  #takingData(streamRef: StreamRef): HttpStream | undefined {
    const stream = this.#find(streamRef)
    if (stream !== undefined && !stream.isComplete && !stream.isCancelled) return stream
    const reason = 'this stream takes no data: its body is complete, or it has ended'
    this.#host.refuse(streamRef, new GunError('badstate', 'badstate', reason))
    return undefined
  }

  #abandon(stream: HttpStream, problem: string): void {
    // The peer would take what comes next for the rest of this body.
    if (stream === this.#writing) {
      return this.#host.lost(new GunError('badstate', 'connection_error', problem))
    }
    this.#waiting.splice(this.#waiting.indexOf(stream), 1)
    this.#host.refuse(
      stream.ref,
      new GunError('badstate', 'badstate', `${problem}; the request was not sent`),
    )
  }

  #enqueue(stream: HttpStream): void {
    this.#waiting.push(stream)
    this.#advance()
  }

  /** Begins what may begin. */
  #advance(): void {
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || this.#closing || this.#writing !== undefined || this.#isBlocked(next)) return
      if (!this.#hasCookies(next)) return
      this.#waiting.shift()
      this.#begin(next)
    }
  }

  /**
   * An upgrade is neither sent behind others nor followed by others: many servers switch as soon as they read it, and
   * what follows may be frames or requests. HTTP/1.0 has no pipelining.
   */
  #isBlocked(next: HttpStream): boolean {
    const { open } = this.#responses
    if (open.length === 0) return false
    if (next.upgrade !== undefined || this.#opts.version === 'HTTP/1.0') return true
    return open.some(({ upgrade }) => upgrade !== undefined)
  }

  /** Whether the store has given its cookies; if not, it goes on when it has. */
  #hasCookies(stream: HttpStream): boolean {
    const { cookies } = this.#host
    if (cookies === undefined || stream.cookies !== undefined) return true
    if (stream.isAsking) return false
    stream.isAsking = true
    let isNow = true
    cookies.query(urlOf(stream, this.#host), value => {
      stream.cookies = value
      if (!isNow && !this.#closed) this.#host.guard(() => this.#advance())
    })
    isNow = false
    return stream.cookies !== undefined
  }

  #begin(stream: HttpStream): void {
    const { method, path } = stream
    const headers = stream.cookies ? withCookies(stream.headers, stream.cookies) : stream.headers
    this.#responses.expect(stream)
    this.#writing = stream
    this.#tellRequest('requestStart', stream, headers)
    if (this.#closed) return
    this.#host.outlet.writeText(writeHead(method, path, this.#opts, headers))
    this.#tellRequest('requestHeaders', stream, headers)
    if (this.#closed) return
    if (stream.isLast) this.#retire()
    if (!stream.isExpecting) return this.#write(stream)
    this.#expectTimer = setTimeout(() => this.#host.guard(() => this.onContinue(stream)), EXPECT_TIMEOUT)
  }

  #tellRequest(name: 'requestStart' | 'requestHeaders', stream: HttpStream, headers: Headers): void {
    const { connPid, events, scheme } = this.#host
    if (!events.wants(name)) return
    const { ref: streamRef, function: how, method, path, authority } = stream
    const replyTo = replyToOf(streamRef)
    events.tell(name, {
      connPid,
      streamRef,
      replyTo,
      function: how,
      method,
      scheme,
      authority,
      path,
      headers,
    })
  }

  /** The body of a stream has grown. */
  #grown(stream: HttpStream): void {
    if (stream !== this.#writing || stream.isExpecting) return
    this.#write(stream)
    if (this.#writing === undefined) this.#advance()
  }

  #write(stream: HttpStream): void {
    for (const chunk of stream.held) this.#host.outlet.write(chunk)
    stream.held.length = 0
    if (!stream.isComplete) return
    this.#writing = undefined
    const { connPid, events } = this.#host
    const { ref: streamRef } = stream
    if (events.wants('requestEnd')) {
      events.tell('requestEnd', { connPid, streamRef, replyTo: replyToOf(streamRef) })
    }
  }

  #keepAlive(): void {
    const isIdle =
      this.#writing === undefined && this.#waiting.length === 0 && this.#responses.open.length === 0
    if (!isIdle || this.#closing) return
    this.#host.outlet.write(CRLF)
  }

  // What the responses bring.

  onContinue(stream: HttpStream): void {
    if (this.#closed || !stream.isExpecting) return
    clearTimeout(this.#expectTimer)
    stream.isExpecting = false
    this.#grown(stream)
  }

  onFinal(stream: HttpStream, keepAlive: boolean): void {
    if (stream.isExpecting) this.#giveUp(stream)
    else if (!keepAlive) this.#leave()
  }

  onFinished(): void {
    const isLast = this.#closing && this.#responses.open.length === 0
    if (this.#leaving || isLast) return this.#host.lost('normal')
    this.#advance()
  }

  /** The final response has come before the body was sent: it never is, and only a new connection tells where it would have ended. */
  #giveUp(stream: HttpStream): void {
    clearTimeout(this.#expectTimer)
    stream.isExpecting = false
    stream.isComplete = true
    stream.held.length = 0
    this.#writing = undefined
    this.#leave()
  }

  /** Nothing more is begun; what is asked for from now on is for the next connection. */
  #retire(): void {
    this.#closing = true
    this.#host.retire()
  }

  /** The connection ends with this response. */
  #leave(): void {
    this.#leaving = true
    this.#retire()
  }

  /** The server has agreed, but not to what can go on; the next connection does not ask again. */
  #refuse(stream: HttpStream, error: GunError): void {
    stream.upgrade = undefined
    this.#host.lost(error)
  }

  onUpgrade(stream: HttpStream, { headers, rest }: ResponseEvent & { type: 'upgrade' }): void {
    const { upgrade, ref: streamRef } = stream
    if (upgrade === undefined) return
    const agreement = finishHandshake(upgrade.handshake, headers)
    if (agreement instanceof GunError) return this.#refuse(stream, agreement)
    // Before anybody hears of it: whoever does may answer with a frame at once.
    let ws: Ws
    try {
      ws = new Ws(this.#host, upgrade.command, agreement, headers)
    } catch (cause) {
      return this.#refuse(stream, handlerError(cause))
    }
    const refused = this.#waiting.splice(0)
    this.#shut()
    const { connPid } = this.#host
    const protocols = ['websocket'] as const
    // Whoever is told of the switch may have closed the connection.
    if (this.#host.switchTo(ws)) {
      this.#host.deliver(streamRef, { type: 'gun_upgrade', connPid, streamRef, protocols, headers })
    }
    for (const { ref } of refused) {
      const reason = 'the connection was upgraded to WebSocket before the request could be sent'
      this.#host.fail(ref, new GunError('badstate', 'badstate', reason))
    }
    if (rest.length > 0) this.#host.handle(rest)
    if (this.#asked) this.#host.closing(ws.closing(), true)
  }
}

function expectsBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH'
}

function notSupported(text: string): GunError {
  return new GunError('not_supported', 'stream_error', text)
}

function ended(): GunError {
  const text = 'the connection was closed before the response was complete'
  return new GunError('closed', 'connection_error', text)
}
