/** HTTP/2 (RFC 9113): streams that do not wait for each other, over Node's session; a WebSocket may be one (RFC 8441). */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { asKind, GunError } from '../errors.js'
import type { StreamInfo } from '../info.js'
import type { Headers, IsFin, WsFrame } from '../messages.js'
import { replyToOf, StreamRef } from '../stream-ref.js'
import type { Outlet } from '../transport/outlet.js'
import { Pipe } from '../transport/pipe.js'
import { handlerError } from '../ws/handler.js'
import { finishConnect, startConnect } from '../ws/handshake.js'
import type { Again, Host, Protocol, RequestCommand, UpgradeCommand } from './contract.js'
import type { StreamInit } from './http-stream.js'
import { CheapFrames } from './http2-cheap-frames.js'
import { FarewellScanner, FrameScanner, type FrameWatcher } from './http2-frames.js'
import {
  createSession,
  goawayFrame,
  type Http2Settings,
  headerBlock,
  headersOf,
  nameOf,
  refused,
  sessionError,
  unsendable,
} from './http2-session.js'
import { Http2Stream, type Http2StreamUser, PeerSide } from './http2-stream.js'
import { Keepalive } from './keepalive.js'
import { frame, framingOf, withHost } from './request.js'
import { ended, nothingToCancel, takesNoData, unsent } from './stream-errors.js'
import { Ws } from './ws.js'

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants

/** How many streams may be open until the server has said how many (RFC 9113 section 6.5.2 recommends no less). */
const LIMIT_BEFORE_SETTINGS = 100

/** Of so many promises is kept what Node may still tell of. */
const MOST_PROMISES = 1000

/**
 * How a request is told to Node: without a body, with one, with one that trailers may follow. Node 20 copies it and fills in
 * what is missing, which takes V8 ten times as long where the name was not there before; later ones warn of these names.
 */
const EMPTY = requestOptions(true, false)
const WHOLE = requestOptions(false, false)
const STREAMED = requestOptions(false, true)

function requestOptions(endStream: boolean, waitForTrailers: boolean): RequestOptions {
  const unset = {
    weight: undefined,
    parent: undefined,
    exclusive: undefined,
    silent: undefined,
    signal: undefined,
  }
  const isFilledIn = process.versions.node.startsWith('20.')
  return { endStream, waitForTrailers, ...(isFilledIn ? unset : {}) } as unknown as RequestOptions
}

type RequestOptions = Parameters<ClientHttp2Session['request']>[1]

/** What is known of a stream that the server has promised. */
interface Promised {
  /** The stream whose request it answers. */
  readonly parentId: number
  readonly peer: PeerSide
}

export class Http2 implements Protocol, Http2StreamUser, FrameWatcher {
  readonly name = 'http2'
  readonly stateName = 'connected'
  readonly holdsStreams = true
  readonly #host: Host
  readonly #opts: Http2Settings
  /** Kept, since the connection has let go of its own when it asks for the end. */
  readonly #outlet: Outlet
  readonly #pipe: Pipe
  readonly #session: ClientHttp2Session
  readonly #scanner = new FrameScanner(this)
  readonly #cheapFrames = new CheapFrames()
  readonly #keepalive: Keepalive | undefined
  /** Not begun: the server allows no more, or has not said yet what it can, or cookies are being looked for. */
  readonly #waiting: Http2Stream[] = []
  /** Those that have begun. */
  readonly #streams = new Map<StreamRef, Http2Stream>()
  readonly #byId = new Map<number, Http2Stream>()
  /** The streams that were promised and that Node has not told of yet. */
  readonly #promises = new Map<number, Promised>()
  readonly #pings = new Set<StreamRef>()
  /** How many of the streams are ours. */
  #open = 0
  #limit = LIMIT_BEFORE_SETTINGS
  /** Whether the server lets a stream become a WebSocket; `undefined` until it has stated its settings. */
  #canConnect: boolean | undefined
  #isAdvancing = false
  /** Nothing more is begun; with the last stream the connection ends. */
  #isLeaving = false
  /** The caller has asked for that. */
  #isAsked = false
  #goaway: { readonly code: number; readonly lastId: number } | undefined
  #lastPushed = 0
  /** Why the connection ends, once what has come is handed on. */
  #end: GunError | undefined
  #isClosed = false
  #prefaceTimer: NodeJS.Timeout | undefined
  #settingsTimer: NodeJS.Timeout | undefined

  constructor(host: Host, opts: Http2Settings) {
    this.#host = host
    this.#opts = opts
    this.#outlet = host.outlet
    const farewell = new FarewellScanner(code => this.#onFarewell(code))
    this.#pipe = new Pipe(this.#outlet, bytes => farewell.scan(bytes))
    const session = createSession(this.#pipe, host, opts)
    this.#session = session
    session.on('remoteSettings', () => host.guard(() => this.#onSettings()))
    session.on('localSettings', () => clearTimeout(this.#settingsTimer))
    session.on('goaway', (code, lastId) => host.guard(() => this.#onGoaway(code, lastId)))
    session.on('stream', (node, headers, _flags, raw?: readonly string[]) =>
      host.guard(() => this.#onPush(node, headers, headersOf(raw ?? []))),
    )
    session.on('error', cause => host.guard(() => this.#onBroken(cause)))
    session.on('close', () => host.guard(() => this.#onBroken(undefined)))
    this.#prefaceTimer = this.#within(opts.prefaceTimeout, 'preface_timeout', 'send its SETTINGS')
    this.#settingsTimer = this.#within(opts.settingsTimeout, 'settings_timeout', 'acknowledge our SETTINGS')
    if (opts.keepalive !== Number.POSITIVE_INFINITY) {
      this.#keepalive = new Keepalive(opts.keepalive, opts.keepaliveTolerance, {
        ping: () => host.guard(() => this.#ping(error => error ?? this.#keepalive?.forgive())),
        isRead: () => true,
        lost: error => host.lost(error),
      })
    }
  }

  // What the caller asks for.

  request(command: RequestCommand): void {
    const { streamRef, method, path, isChecked, body, flow = this.#opts.flow } = command
    const headers = withHost(command.headers, this.#host.authority)
    const given = framingOf(headers)
    const framing = given?.type === 'length' ? given : frame(headers, method, body)
    const stream = this.#create({
      ref: streamRef,
      function: body === undefined ? 'headers' : 'request',
      method,
      path,
      headers,
      isChecked,
      framing: framing === undefined || framing.type === 'chunked' ? { type: 'open' } : framing,
      flow,
    })
    const { http } = stream
    if (body !== undefined) http.hold('fin', body)
    if (body?.length === 0) http.isExpecting = false
    this.#add(stream)
  }

  data(streamRef: StreamRef, isFin: IsFin, chunk: Uint8Array): void {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return
    const problem = stream.http.problemWith(isFin, chunk)
    if (problem !== undefined) {
      // A chunk too long is not sent; the stream waits for another. A body that has ended wrongly can't be mended.
      const text = `${problem}; ${isFin === 'fin' ? 'the request was cancelled' : 'the last chunk was not sent'}`
      if (isFin === 'fin') this.#drop(stream)
      return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    stream.http.hold(isFin, chunk)
    stream.write()
  }

  trailers(streamRef: StreamRef, headers: Headers): void {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return
    const problem = stream.http.problemWith('fin', new Uint8Array())
    if (problem !== undefined) {
      this.#drop(stream)
      return this.#host.refuse(
        streamRef,
        new GunError('badstate', 'badstate', `${problem}; the request was cancelled`),
      )
    }
    stream.writeTrailers(headers)
  }

  cancel(streamRef: StreamRef): void {
    const stream = this.#find(streamRef)
    if (stream === undefined || stream.isDone) {
      return this.#host.refuse(streamRef, nothingToCancel())
    }
    const { connPid, events } = this.#host
    const replyTo = replyToOf(streamRef)
    stream.http.isCancelled = true
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    if (!this.#isClosed) this.#drop(stream)
  }

  updateFlow(streamRef: StreamRef, increment: number): void {
    this.#find(streamRef)?.updateFlow(increment)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    const stream = this.#find(streamRef)
    if (stream?.inner !== undefined) return stream.inner.protocol?.streamInfo(streamRef)
    if (stream === undefined) return undefined
    return { ref: streamRef, replyTo: replyToOf(streamRef), state: 'running', intermediaries: [] }
  }

  ping(streamRef: StreamRef): void {
    const { connPid } = this.#host
    this.#pings.add(streamRef)
    this.#ping((error, data) => {
      if (!this.#pings.delete(streamRef)) return
      if (error !== null) {
        const text = 'a ping was not sent: too many wait for their answers'
        return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text, { cause: error }))
      }
      this.#host.deliver(streamRef, { type: 'gun_notify', connPid, streamRef, event: 'ping_ack', data })
    })
  }

  wsUpgrade(command: UpgradeCommand): void {
    const { streamRef, path, isChecked, opts } = command
    const proposal = startConnect(command.headers, opts)
    const { connPid, events } = this.#host
    events.tell('wsUpgrade', { connPid, streamRef, replyTo: replyToOf(streamRef), opts })
    // Who was told may have closed the connection.
    if (this.#isClosed) return this.#host.refuse(streamRef, ended())
    const stream = this.#create({
      ref: streamRef,
      function: 'wsUpgrade',
      method: 'CONNECT',
      path,
      headers: withHost(proposal.headers, this.#host.authority),
      isChecked,
      framing: { type: 'none' },
      flow: Number.POSITIVE_INFINITY,
      upgrade: { command, finish: headers => finishConnect(proposal, headers) },
    })
    this.#add(stream)
  }

  wsSend(streamRef: StreamRef | undefined, frames: readonly WsFrame[]): boolean {
    const stream = streamRef === undefined ? this.#onlyWebSocket() : this.#find(streamRef)
    const send = stream?.inner?.protocol?.wsSend
    if (stream !== undefined && send !== undefined) {
      return send.call(stream.inner?.protocol, stream.http.ref, frames)
    }
    const what =
      streamRef === undefined
        ? 'there is not exactly one WebSocket on this connection'
        : 'this stream is no WebSocket now'
    const text = `${what}; ${frames.length} frame(s) were not sent`
    const reason = new GunError('badstate', 'badstate', text, { frames })
    const { connPid } = this.#host
    if (streamRef === undefined) this.#host.tellOwner({ type: 'gun_error', connPid, reason })
    else this.#host.refuse(streamRef, reason)
    return true
  }

  // What the connection asks for.

  handle(chunk: Buffer): void {
    if (this.#isClosed) return
    this.#scanner.scan(chunk)
    // What was found may have ended the connection.
    if (!this.#isClosed && this.#end === undefined) this.#pipe.receive(chunk)
  }

  end(reason: GunError | undefined): void {
    // Behind the peer's last byte the socket closes, which says nothing new.
    if (this.#end !== undefined) return
    this.#end = reason ?? new GunError('closed', 'connection_error', 'the peer closed the connection')
    for (const stream of [...this.#streams.values()]) stream.cut(this.#end)
    this.onCaughtUp()
  }

  closing(): number {
    this.#isAsked = true
    this.#leave()
    for (const { http } of this.#waiting.splice(0)) {
      this.#host.fail(http.ref, unsent())
    }
    let timeout = this.#opts.closingTimeout
    for (const stream of [...this.#streams.values()]) {
      stream.lift()
      if (stream.inner !== undefined) timeout = Math.max(timeout, stream.inner.shutdown())
    }
    return this.#streams.size === 0 ? 0 : timeout
  }

  close(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    this.#isClosed = true
    clearTimeout(this.#prefaceTimer)
    clearTimeout(this.#settingsTimer)
    this.#keepalive?.stop()
    const error = reason === 'normal' ? ended() : reason
    const killed: StreamRef[] = []
    const unsent = this.#waiting.splice(0)
    const told = new Set<StreamRef>()
    for (const stream of this.#streams.values()) {
      const { ref } = stream.http
      if (stream.inner !== undefined) told.add(ref)
      if (stream.close(error, again)) killed.push(ref)
    }
    for (const stream of unsent) if (stream.close(error, again)) killed.push(stream.http.ref)
    if (!this.#session.destroyed && this.#end === undefined) this.#sayGoaway(NGHTTP2_NO_ERROR)
    const ids = new Map([...this.#byId].map(([id, { http }]) => [http.ref, id]))
    this.#streams.clear()
    this.#byId.clear()
    this.#pipe.destroy()
    this.#session.destroy()
    for (const ref of killed) {
      const id = ids.get(ref)
      if (told.has(ref)) continue
      const isRefused = this.#goaway !== undefined && (id === undefined || id > this.#goaway.lastId)
      this.#host.fail(
        ref,
        isRefused ? refused('the peer has ended the connection before this request') : error,
      )
    }
    for (const ref of this.#pings) this.#host.fail(ref, error)
    return killed
  }

  // What the streams ask for.

  get isBroken(): boolean {
    return this.#session.destroyed
  }

  get maxHeaderListSize(): number {
    return this.#opts.maxHeaderListSize
  }

  onInform(): void {
    this.onCheapFrame()
  }

  onUpgrade(stream: Http2Stream, headers: Headers): void {
    const { http } = stream
    const { ref: streamRef, upgrade } = http
    if (upgrade === undefined) return
    const agreement = upgrade.finish(headers)
    if (agreement instanceof GunError) return stream.fail(asKind('stream_error', agreement))
    const inner = stream.host(() => this.#onInnerOver(stream))
    // Before anybody hears of it: whoever does may answer with a frame at once.
    let ws: Ws
    try {
      ws = new Ws(inner, upgrade.command, agreement, headers)
    } catch (cause) {
      return stream.fail(asKind('stream_error', handlerError(cause)))
    }
    stream.switchTo(inner)
    const { connPid } = this.#host
    const protocols = ['websocket'] as const
    // Whoever is told of the switch may have closed the connection.
    if (inner.switchTo(ws)) {
      this.#host.deliver(streamRef, { type: 'gun_upgrade', connPid, streamRef, protocols, headers })
    }
    if (this.#isAsked && !this.#isClosed) inner.shutdown()
  }

  onOver(stream: Http2Stream): void {
    const { id, isPushed } = stream
    if (!this.#streams.delete(stream.http.ref)) return
    if (id !== undefined) this.#byId.delete(id)
    if (!isPushed) this.#open--
    if (this.#isClosed) return
    if (this.#isLeaving) this.#finish()
    else this.#advance()
  }

  onCaughtUp(): void {
    if (this.#end === undefined || this.#isClosed) return
    for (const stream of this.#streams.values()) if (!stream.isIdle) return
    this.#host.lost(this.#end)
  }

  // What the frames tell.

  onWrongPreface(bytes: Buffer): void {
    const isHttp1 = bytes.subarray(0, 6).toString('latin1') === 'HTTP/1'
    const text = isHttp1
      ? "the peer answered HTTP/2's preface with HTTP/1.1, so it does not speak HTTP/2 here"
      : 'the peer does not speak HTTP/2: it did not begin with SETTINGS'
    this.#breakOff(NGHTTP2_PROTOCOL_ERROR, new GunError('protocol_error', 'connection_error', text))
  }

  onDataFrame(streamId: number, size: number, isEnd: boolean): void {
    const side = this.#sideOf(streamId)
    // Behind a reset nothing counts.
    if (side === undefined || side.isReset) return
    side.announced += size
    if (isEnd) {
      side.isEnded = true
      side.endsWithData = true
    }
  }

  onEndStream(streamId: number): void {
    const side = this.#sideOf(streamId)
    // Behind a reset nothing counts.
    if (side !== undefined && !side.isReset) side.isEnded = true
  }

  onReset(streamId: number): void {
    const side = this.#sideOf(streamId)
    if (side === undefined) this.onCheapFrame()
    else side.isReset = true
  }

  #sideOf(streamId: number): PeerSide | undefined {
    return (this.#byId.get(streamId) ?? this.#promises.get(streamId))?.peer
  }

  onPushPromise(streamId: number, promisedId: number): void {
    // Node does not tell of those that it refuses.
    const [oldest] = this.#promises.keys()
    if (oldest !== undefined && this.#promises.size >= MOST_PROMISES) this.#promises.delete(oldest)
    this.#promises.set(promisedId, { parentId: streamId, peer: new PeerSide() })
  }

  onCheapFrame(): void {
    if (!this.#cheapFrames.areTooMany()) return
    const text = 'the peer sends too many frames that bring nothing'
    this.#breakOff(NGHTTP2_ENHANCE_YOUR_CALM, new GunError('limit_reached', 'connection_error', text))
  }

  // What Node's session tells.

  #onSettings(): void {
    if (this.#isClosed) return
    clearTimeout(this.#prefaceTimer)
    const settings = this.#session.remoteSettings
    this.#limit = settings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
    this.#canConnect = settings.enableConnectProtocol === true
    if (this.#opts.notifySettingsChanged) {
      const { connPid } = this.#host
      this.#host.tellOwner({ type: 'gun_notify', connPid, event: 'settings_changed', data: { ...settings } })
    }
    this.#advance()
  }

  #onGoaway(code: number, lastId: number): void {
    if (this.#isClosed) return
    this.#goaway = { code, lastId }
    if (code !== NGHTTP2_NO_ERROR) {
      const text = `the peer ended the connection: ${nameOf(code)}`
      // Node tells later of what has come before.
      return this.#endSoon(new GunError('goaway', 'connection_error', text))
    }
    if (this.#isLeaving) return
    this.#leave()
    this.#host.retire()
    for (const { http } of this.#waiting.splice(0)) {
      this.#host.fail(http.ref, refused('the peer ends the connection, and the request was not sent'))
    }
    if (this.#isClosed) return
    if (this.#streams.size === 0) this.#host.lost('normal')
    else this.#host.closing(this.#opts.closingTimeout, false)
  }

  #onPush(node: ClientHttp2Stream, given: IncomingHttpHeaders, headers: Headers): void {
    // Whatever becomes of it, it must not end the program.
    node.on('error', () => {})
    const id = node.id ?? 0
    this.#lastPushed = Math.max(this.#lastPushed, id)
    const promised = this.#promises.get(id)
    const parent = this.#byId.get(promised?.parentId ?? 0)
    this.#promises.delete(id)
    if (this.#isClosed || parent === undefined || parent.isDone || this.#isLeaving)
      return node.close(NGHTTP2_CANCEL)
    const { http } = parent
    const { ':method': method = '', ':scheme': scheme, ':authority': authority, ':path': path = '' } = given
    const isSafe = method === 'GET' || method === 'HEAD'
    // RFC 9113 section 8.4: only what may be cached, and only what the server speaks for.
    if (!isSafe || authority !== http.authority || scheme !== this.#host.scheme)
      return node.close(NGHTTP2_PROTOCOL_ERROR)
    const { connPid, events } = this.#host
    const replyTo = replyToOf(http.ref)
    const ref = new StreamRef(connPid, replyTo)
    const { flow } = this.#opts
    const framing = { type: 'none' } as const
    const all: Headers = [['host', authority], ...headers]
    const init: StreamInit = {
      ref,
      function: 'request',
      method,
      path,
      headers: all,
      isChecked: true,
      framing,
      flow,
    }
    const stream = new Http2Stream(this.#host, this.#opts, init, this, promised?.peer)
    stream.http.isComplete = true
    const uri = `${scheme}://${authority}${path}`
    const about = { connPid, streamRef: http.ref, replyTo }
    this.#streams.set(ref, stream)
    this.#byId.set(id, stream)
    stream.begin(node, true)
    events.tell('pushPromiseStart', about)
    events.tell('pushPromiseEnd', { ...about, promisedStreamRef: ref, method, uri, headers })
    if (this.#isClosed) return
    this.#host.deliver(http.ref, {
      type: 'gun_push',
      connPid,
      streamRef: http.ref,
      newStreamRef: ref,
      method,
      uri,
      headers,
    })
  }

  /** Later, as Node may tell still what has come before. */
  #onFarewell(code: number): void {
    const text = `the peer broke the rules of HTTP/2: ${nameOf(code)}`
    setImmediate(() =>
      this.#host.guard(() => {
        if (!this.#isClosed) this.end(new GunError('protocol_error', 'connection_error', text))
      }),
    )
  }

  #onBroken(cause: unknown): void {
    if (this.#isClosed) return
    if (this.#isLeaving && cause === undefined) return this.#finish()
    this.end(sessionError(cause))
  }

  // How streams begin and end.

  #create(init: StreamInit): Http2Stream {
    return new Http2Stream(this.#host, this.#opts, init, this)
  }

  #add(stream: Http2Stream): void {
    if (this.#isLeaving || this.#end !== undefined) {
      return this.#host.refuse(stream.http.ref, unsent())
    }
    this.#waiting.push(stream)
    this.#advance()
  }

  /** Begins what may begin. */
  #advance(): void {
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    try {
      for (let i = 0; i < this.#waiting.length && this.#open < this.#limit && this.#mayBegin; ) {
        const next = this.#waiting[i] as Http2Stream
        const isReady = next.http.upgrade === undefined || this.#canConnect !== undefined
        if (isReady && next.http.hasCookies(() => this.#host.guard(() => this.#advance()))) {
          this.#waiting.splice(i, 1)
          this.#begin(next)
          // What was told may have changed what waits.
          i = 0
        } else {
          i++
        }
      }
    } finally {
      this.#isAdvancing = false
    }
  }

  get #mayBegin(): boolean {
    return (
      !this.#isClosed &&
      !this.#isLeaving &&
      this.#end === undefined &&
      !this.#session.closed &&
      !this.#session.destroyed
    )
  }

  #begin(stream: Http2Stream): void {
    const { http } = stream
    const { ref, method, path, fields, upgrade } = http
    if (upgrade !== undefined && !this.#canConnect) {
      const text = 'the server does not let a stream of HTTP/2 become a WebSocket (RFC 8441)'
      return this.#host.refuse(ref, new GunError('not_supported', 'stream_error', text))
    }
    this.#streams.set(ref, stream)
    this.#open++
    http.tellRequest('requestStart', fields)
    if (this.#isClosed || http.isCancelled) return
    const hasBody = http.held.length > 0 || !http.isComplete
    let node: ClientHttp2Stream
    try {
      const pseudo = {
        ':method': method,
        ':scheme': this.#host.scheme,
        ':authority': http.authority,
        ':path': path,
      }
      const block = headerBlock(
        upgrade === undefined ? pseudo : { ...pseudo, ':protocol': 'websocket' },
        fields,
        http.isChecked,
      )
      node = this.#session.request(
        block,
        hasBody ? (upgrade === undefined && !http.isComplete ? STREAMED : WHOLE) : EMPTY,
      )
    } catch (cause) {
      this.onOver(stream)
      return this.#host.refuse(ref, unsendable(cause))
    }
    stream.begin(node, !hasBody)
    if (node.id !== undefined) this.#byId.set(node.id, stream)
    http.tellRequest('requestHeaders', fields)
    if (this.#isClosed) return
    if (hasBody && upgrade === undefined) stream.write()
    else http.tellRequestEnd()
  }

  #find(streamRef: StreamRef): Http2Stream | undefined {
    return this.#streams.get(streamRef) ?? this.#waiting.find(({ http }) => http.ref === streamRef)
  }

  /** The stream, if it takes more of its body; else it is told that it does not. */
  #takingData(streamRef: StreamRef): Http2Stream | undefined {
    const stream = this.#find(streamRef)
    const http = stream?.http
    if (http !== undefined && !http.isComplete && !http.isCancelled && http.upgrade === undefined)
      return stream
    this.#host.refuse(streamRef, takesNoData())
    return undefined
  }

  #onlyWebSocket(): Http2Stream | undefined {
    const all = [...this.#streams.values()].filter(({ inner }) => inner !== undefined)
    return all.length === 1 ? all[0] : undefined
  }

  /** Nothing more of the stream is told, and the peer need not go on with it. */
  #drop(stream: Http2Stream): void {
    const at = this.#waiting.indexOf(stream)
    if (at !== -1) this.#waiting.splice(at, 1)
    stream.cancel()
  }

  #onInnerOver(stream: Http2Stream): void {
    if (this.#end !== undefined) this.onCaughtUp()
    // With the last stream the connection ends, which would take its last frame with it.
    else if (this.#isLeaving) stream.inner?.whenLeft(() => stream.leave())
    else stream.leave()
  }

  // How the connection ends.

  /** Nothing more is begun. */
  #leave(): void {
    if (this.#isLeaving) return
    this.#isLeaving = true
    this.#keepalive?.stop()
    this.#sayGoaway(NGHTTP2_NO_ERROR)
  }

  #finish(): void {
    if (this.#streams.size === 0) this.#host.lost('normal')
  }

  #breakOff(code: number, error: GunError): void {
    if (this.#isClosed || this.#end !== undefined) return
    this.#sayGoaway(code)
    this.end(error)
  }

  #endSoon(error: GunError): void {
    process.nextTick(() =>
      this.#host.guard(() => {
        if (!this.#isClosed) this.end(error)
      }),
    )
  }

  /** Node would say it later than the connection closes, but it has to say the preface first. */
  #sayGoaway(code: number): void {
    this.#pipe.afterFirst(() => this.#outlet.write(goawayFrame(code, this.#lastPushed)))
  }

  #ping(done: (error: Error | null, duration: number) => void): void {
    // Why a session has ended is told of the connection, and of its pings with that.
    if (this.isBroken) return
    this.#session.ping((error, duration) => {
      if (!this.isBroken) this.#host.guard(() => done(error, duration))
    })
  }

  #within(
    ms: number,
    code: 'preface_timeout' | 'settings_timeout',
    what: string,
  ): NodeJS.Timeout | undefined {
    if (ms === Number.POSITIVE_INFINITY) return undefined
    const error = () => new GunError(code, 'connection_error', `the peer did not ${what} within ${ms} ms`)
    return setTimeout(() => this.#host.guard(() => this.#host.lost(error())), ms)
  }
}
