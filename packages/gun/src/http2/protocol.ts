/** HTTP/2 (RFC 9113): streams that do not wait for each other; a WebSocket may be one (RFC 8441). */

import type { Source } from '@holster/process/internal'
import { asKind, GunError } from '../errors.js'
import { closedEarly, neverSent, nothingToCancel, takesNoData, unsent } from '../exchange/errors.js'
import type { StreamInit } from '../exchange/exchange.js'
import { frame, framingOf, targetOf, withHost } from '../exchange/framing.js'
import { StreamRef } from '../handles.js'
import { sizeOf } from '../headers.js'
import type {
  CancelCommand,
  ConnectCommand,
  DataCommand,
  FlowCommand,
  FramesCommand,
  PingCommand,
  RequestCommand,
  TrailersCommand,
  UpgradeCommand,
} from '../layer/commands.js'
import type { Again, Foreseen, Host, Protocol, StartUpgrade } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { postponedInfo } from '../layer/postponed-info.js'
import { replyToOf } from '../messages.js'
import type { Http2Settings } from '../options/http.js'
import type { Headers } from '../words.js'
import { codes } from './engine/codes.js'
import { MOST_PINGS } from './engine/pings.js'
import type { PeerSettings } from './engine/settings.js'
import type { Value } from './engine/values.js'
import { failure, goawayError, unseen, usedUp } from './errors.js'
import { isForUs } from './fields.js'
import { Http2Session, type Http2SessionUser } from './session.js'
import { Http2Stream, type Http2StreamUser } from './stream.js'
import { Http2Streams } from './streams.js'

const EMPTY = Buffer.alloc(0)

export class Http2 implements Protocol, Http2StreamUser, Http2SessionUser<Http2Stream> {
  readonly name = 'http2'
  readonly stateName = 'connected'
  readonly holdsStreams = true
  readonly #host: Host
  readonly #opts: Http2Settings
  readonly #startUpgrade: StartUpgrade
  readonly #session: Http2Session<Http2Stream>
  readonly #streams: Http2Streams
  readonly #pings = new Set<StreamRef>()
  /** The upgrades that have come to nothing because the connection ends, kept for the next one. */
  readonly #upgrades: { readonly command: UpgradeCommand; readonly since: number | undefined }[] = []
  /** Whether a whole response has come to somebody who wanted it. */
  hasAnswered = false
  /** Whether nothing more is begun, so that the connection ends with its last stream. */
  #isRetired = false
  /** Whether the caller has asked for that. */
  #isAsked = false
  /** The number of the last of our streams that the server has looked at, once the server ends the connection. */
  #lastSeen: number | undefined
  /** Why the connection ends once the bytes that have come are handed on. */
  #end: GunError | undefined
  /** Whether all streams were told of that end. */
  #isCut = false

  constructor(host: Host, opts: Http2Settings, startUpgrade: StartUpgrade) {
    this.#host = host
    this.#startUpgrade = startUpgrade
    this.#opts = opts
    this.#session = new Http2Session(host, opts, this)
    this.#streams = new Http2Streams(host, this.#session, () => this.#leave(usedUp))
  }

  get load(): number {
    return this.#streams.load
  }

  get streams(): readonly StreamRef[] {
    const upgrades = this.#upgrades.map(({ command }) => command.streamRef)
    return [...this.#streams.all.map(({ http }) => http.ref), ...this.#streams.waiting, ...upgrades]
  }

  get unsent(): number {
    return this.#streams.all.reduce((sum, { unsent }) => sum + unsent, this.#streams.unsent)
  }

  get sources(): readonly Source[] {
    return this.#streams.all.flatMap(({ sources }) => sources)
  }

  get most(): number {
    return this.#streams.most
  }

  // The caller asks:

  request(command: RequestCommand): void {
    const { streamRef, method, path, isChecked, body, flow = this.#opts.flow } = command
    const headers = withHost(command.headers, this.#host.authority)
    const given = framingOf(headers)
    const framing = given?.type === 'length' ? given : frame(headers, method, body)
    const stream = this.#stream({
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

  data({ streamRef, isFin, data: chunk, isToldToWait }: DataCommand<StreamRef>): boolean {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return false
    const problem = stream.http.problemWith(isFin, chunk.length)
    if (problem !== undefined) {
      // Behind a chunk that is too long another may follow. A body that has ended wrongly can't be mended.
      const text = `${problem}; ${isFin === 'fin' ? 'the request was cancelled' : 'the last chunk was not sent'}`
      if (isFin === 'fin') this.#cancel(stream)
      this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
      return false
    }
    stream.http.hold(isFin, chunk)
    stream.write()
    return stream.hasRoom(isToldToWait)
  }

  foresee(command: DataCommand | FramesCommand, before: number): Foreseen | undefined {
    if (command.type === 'frames') {
      const inner = command.streamRef === undefined ? this.#onlyWebSocket()?.inner : undefined
      return inner?.protocol?.foresee(command, before) ?? 'refused'
    }
    const { streamRef, isFin, data } = command
    const stream = streamRef && this.#streams.find(streamRef)
    if (stream === undefined) return undefined
    const { http } = stream
    const bytes = before + data.length
    if (!takesData(http) || http.problemWith(isFin, bytes) !== undefined) return 'refused'
    return stream.fits(bytes) ? 'room' : 'full'
  }

  trailers({ streamRef, headers }: TrailersCommand): void {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return
    const problem = stream.http.problemWith('fin', 0)
    if (problem !== undefined) {
      const text = `${problem}; the request was cancelled`
      this.#cancel(stream)
      this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
      return
    }
    stream.writeTrailers(headers)
  }

  silence(streamRef: StreamRef): boolean {
    const waiting = this.#upgrades.findIndex(({ command }) => command.streamRef === streamRef)
    if (waiting !== -1) this.#upgrades.splice(waiting, 1)
    const stream = this.#streams.find(streamRef)
    // A response may be over before the body of its request.
    const isOpen = stream !== undefined && !stream.isSpent
    if (isOpen) stream.silence()
    return isOpen || waiting !== -1
  }

  cancel({ streamRef, wasOpen }: CancelCommand): void {
    if (!wasOpen) return this.#host.refuse(streamRef, nothingToCancel())
    const { connPid, events } = this.#host
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    const stream = this.#streams.find(streamRef)
    if (stream !== undefined) this.#cancel(stream)
  }

  flow({ streamRef, increment }: FlowCommand<StreamRef>): void {
    this.#streams.find(streamRef)?.updateFlow(increment)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    const waiting = this.#upgrades.find(({ command }) => command.streamRef === streamRef)
    if (waiting !== undefined) return postponedInfo([waiting.command], Number.POSITIVE_INFINITY)
    const stream = this.#streams.find(streamRef)
    return stream === undefined || (stream.inner?.isOver ?? stream.isSpent) ? undefined : stream.info
  }

  ping({ streamRef }: PingCommand): void {
    const { connPid } = this.#host
    const isSent = this.#session.ping(data => {
      this.#pings.delete(streamRef)
      this.#host.heard()
      this.#host.deliver(streamRef, { type: 'gun_notify', connPid, streamRef, event: 'ping_ack', data })
    })
    if (isSent) this.#pings.add(streamRef)
    else {
      const text = `a ping was not sent: ${MOST_PINGS} wait for their answers`
      this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
  }

  isPinging(streamRef: StreamRef): boolean {
    return this.#pings.has(streamRef)
  }

  upgrade(command: UpgradeCommand): void {
    const { streamRef, path, isChecked, opts } = command
    const upgrade = this.#startUpgrade(command)
    const { connPid, events } = this.#host
    events.tell('wsUpgrade', { connPid, streamRef, replyTo: replyToOf(streamRef), opts })
    const stream = this.#stream({
      ref: streamRef,
      function: 'wsUpgrade',
      method: 'CONNECT',
      path,
      headers: withHost(upgrade.headers, this.#host.authority),
      isChecked,
      framing: { type: 'none' },
      flow: Number.POSITIVE_INFINITY,
      upgrade,
    })
    this.#add(stream)
  }

  /** Sends frames that name no stream. Those of a stream that is a WebSocket go to its layer at once. */
  frames(command: FramesCommand): boolean {
    const { frames, streamRef } = command
    const inner = streamRef === undefined ? this.#onlyWebSocket()?.inner : undefined
    if (inner?.protocol?.frames !== undefined) return inner.protocol.frames(command)
    const what =
      streamRef === undefined
        ? 'without a streamRef there must be exactly one WebSocket on the connection'
        : 'this stream is no WebSocket, or not yet: wait for its gun_upgrade before you send'
    const text = `${what}; ${frames.length} frame(s) were not sent`
    const reason = new GunError('badstate', 'badstate', text, { frames })
    const { connPid } = this.#host
    if (streamRef === undefined) this.#host.tellOwner({ type: 'gun_error', connPid, reason })
    else this.#host.refuse(streamRef, reason)
    return false
  }

  connect({ streamRef, goal, headers, isChecked, flow = this.#opts.flow }: ConnectCommand): void {
    const authority = targetOf(goal)
    const stream = this.#stream({
      ref: streamRef,
      function: 'connect',
      method: 'CONNECT',
      path: authority,
      headers,
      isChecked,
      framing: { type: 'none' },
      flow,
      passage: { type: 'connect', protocol: 'http2', streamRef, goal },
      authority,
    })
    this.#add(stream)
  }

  // The layer asks:

  handle(chunk: Buffer): void {
    this.#session.receive(chunk)
  }

  end(reason: GunError | undefined): void {
    // Behind the peer's last byte the socket closes, which says nothing new.
    if (this.#end !== undefined) return
    this.#end = reason ?? new GunError('closed', 'connection_error', 'the peer closed the connection')
    this.#session.end()
    this.#session.stop()
    this.#streams.retire()
    for (const stream of this.#streams.all) stream.cut(this.#end)
    this.#isCut = true
    this.onCaughtUp()
  }

  finish(): number {
    this.#isAsked = true
    this.#retire()
    this.#refuseWaiting(unsent)
    for (const { command } of this.#upgrades.splice(0)) this.#host.fail(command.streamRef, unsent())
    let timeout = this.#opts.closingTimeout
    for (const stream of this.#streams.all) {
      stream.lift()
      if (stream.inner !== undefined) timeout = Math.max(timeout, stream.inner.finish())
    }
    return this.#streams.isEmpty ? 0 : timeout
  }

  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    if (this.#end === undefined) this.#session.engine.goAway(codes.NO_ERROR)
    const error = reason === 'normal' ? closedEarly() : reason
    const streams = [...this.#streams.all, ...this.#streams.takeBackAll()]
    this.#streams.dispose()
    const refs: StreamRef[] = []
    const killed: Http2Stream[] = []
    for (const stream of streams) {
      // A protocol that had taken over tells of its own end, and of that of its streams.
      if (stream.inner !== undefined) refs.push(...stream.abortInner(error, again))
      else if (stream.abort(error, again)) killed.push(stream)
    }
    this.#session.dispose()
    for (const { http, id, isPushed } of killed) {
      // The numbers that GOAWAY speaks of are those of our own streams.
      if (!isPushed && this.#isUnseen(id)) http.fail(unseen())
      else http.fail(id === undefined ? neverSent(error) : error)
      refs.push(http.ref)
    }
    for (const { command, since } of this.#upgrades) {
      if (again !== undefined) again(command, since)
      else {
        refs.push(command.streamRef)
        this.#host.fail(command.streamRef, since === undefined ? neverSent(error) : error)
      }
    }
    for (const ref of this.#pings) this.#host.fail(ref, error)
    return refs
  }

  /** Whether the server has ended the connection without looking at the stream of this number. */
  #isUnseen(id: number | undefined): boolean {
    return this.#lastSeen !== undefined && (id === undefined || id > this.#lastSeen)
  }

  // The streams tell and ask:

  get again(): Again | undefined {
    if (!this.#isRetired || this.#isAsked || !this.#host.goesOn) return undefined
    return (command, since) => {
      this.#upgrades.push({ command, since })
      const { connPid, events } = this.#host
      const { streamRef } = command
      events.tell('requestPostponed', { connPid, streamRef, replyTo: replyToOf(streamRef) })
    }
  }

  onUpgrade(stream: Http2Stream, headers: Headers): void {
    const { http } = stream
    const { ref: streamRef, upgrade } = http
    if (upgrade === undefined) return
    const start = upgrade.agree(headers)
    if (start instanceof GunError) return stream.fail(asKind('stream_error', start))
    const inner = stream.makeInner()
    const next = start(inner.layer)
    if (next instanceof GunError) return stream.fail(asKind('stream_error', next))
    stream.switchTo(inner)
    const { connPid } = this.#host
    const protocols = ['websocket'] as const
    inner.layer.switchTo(next)
    // Both the protocol's handler and an event handler may have cancelled the stream.
    if (http.isCancelled) return
    this.#host.deliver(streamRef, { type: 'gun_upgrade', connPid, streamRef, protocols, headers })
    if (this.#isAsked) inner.finish()
  }

  onTunnel(stream: Http2Stream): void {
    const { passage } = stream.http
    if (passage === undefined) return
    const inner = stream.makeInner()
    stream.switchTo(inner)
    inner.layer.enter(passage, EMPTY)
    if (this.#isAsked && !stream.http.isCancelled) inner.finish()
  }

  onInnerOver(stream: Http2Stream): void {
    if (this.#end !== undefined) this.onCaughtUp()
    // Until then the server counts the stream, and a connection that ended would take its last frame with it.
    else stream.inner?.whenLeft(() => stream.dispose())
  }

  onOver(stream: Http2Stream, reason: GunError | undefined): void {
    const { http } = stream
    this.#streams.remove(stream)
    this.hasAnswered ||= reason === undefined && !http.isCancelled && !stream.isPushed
    if (reason !== undefined) http.fail(reason)
    else http.refuseMore()
    this.#streams.advance()
    if (this.#isRetired && this.#streams.isEmpty) this.#finishIfIdle()
    // The end of the connection may have waited for this stream alone.
    else this.onCaughtUp()
  }

  onCaughtUp(): void {
    // Until the streams are cut, bytes of theirs that have come may still wait to be read.
    if (this.#end === undefined || !this.#isCut) return
    if (this.#streams.all.every(stream => stream.isIdle)) this.#host.lost(this.#end)
  }

  // The peer tells:

  onValue(value: Value<Http2Stream>): void {
    switch (value.type) {
      case 'data':
        return value.stream.owner?.onData(value.data, value.isFin)
      case 'response':
        return value.stream.owner?.onResponse(value.status, value.headers, value.isFin)
      case 'inform':
        return value.stream.owner?.onInform(value.status, value.headers)
      case 'trailers':
        return value.stream.owner?.onTrailers(value.headers)
      case 'sent':
        return value.stream.owner?.onSent()
      case 'reset':
        return value.stream.owner?.onReset(value.code, value.isWhole)
      case 'broken':
        return value.stream.owner?.onFault(value.code, value.text, value.isHead)
      case 'unseen':
        return value.stream.owner?.onBroken(unseen())
      case 'push':
        return this.#onPush(value)
      case 'settings':
        return this.#onSettings(value.settings)
      case 'acknowledged':
        return this.#session.onAcknowledged()
      case 'ping_ack':
        return this.#session.onPingAck(value.ping)
      case 'goaway':
        return this.#onGoaway(value.code, value.lastId)
      case 'failure':
        return this.end(failure(value.text, value.isLimit))
    }
  }

  #onSettings(settings: PeerSettings): void {
    this.#session.onSettings()
    if (this.#opts.notifySettingsChanged) {
      const { connPid } = this.#host
      this.#host.tellOwner({ type: 'gun_notify', connPid, event: 'settings_changed', data: settings })
    }
    this.#streams.allow(settings.maxConcurrentStreams, settings.enableConnectProtocol)
  }

  #onGoaway(code: number, lastId: number): void {
    this.#lastSeen = Math.min(lastId, this.#lastSeen ?? lastId)
    if (code !== codes.NO_ERROR) {
      // The connection may stay until what has come is handed on, and the peer should know how far we have read.
      this.#session.engine.goAway(codes.NO_ERROR)
      return this.end(goawayError(code))
    }
    this.#leave(unseen)
  }

  /** Lets what is under way end, while what is asked for from now on is for the next connection. */
  #leave(reason: () => GunError): void {
    if (this.#isRetired) return
    this.#retire()
    this.#host.retire()
    this.#refuseWaiting(reason)
    if (this.#streams.isEmpty) this.#host.lost('normal')
    else this.#host.closing(this.#opts.closingTimeout, false)
  }

  #onPush({ stream: parentStream, promised, request }: Value<Http2Stream> & { type: 'push' }): void {
    const parent = parentStream.owner
    const { engine } = this.#session
    if (parent === undefined || parent.isDone || this.#isRetired) return engine.reset(promised, codes.CANCEL)
    const { connPid, events, scheme } = this.#host
    const { ref: streamRef, authority } = parent.http
    if (!isForUs(request, scheme, authority)) return engine.reset(promised, codes.PROTOCOL_ERROR)
    const { method, path, headers } = request
    const replyTo = replyToOf(streamRef)
    const newStreamRef = new StreamRef(connPid, replyTo)
    const init: StreamInit = {
      ref: newStreamRef,
      function: 'request',
      method,
      path,
      headers: withHost(headers, authority),
      isChecked: true,
      framing: { type: 'none' },
      flow: this.#opts.flow,
    }
    const pushed = new Http2Stream(this.#host, this.#session, this.#opts, init, this, promised)
    this.#streams.addPushed(pushed)
    const about = { connPid, streamRef, replyTo }
    const uri = `${scheme}://${authority}${path}`
    events.tell('pushPromiseStart', about)
    events.tell('pushPromiseEnd', { ...about, promisedStreamRef: newStreamRef, method, uri, headers })
    // A handler that was told may have cancelled the stream, so that nobody hears of the push.
    if (parent.http.isCancelled) return pushed.cancel()
    this.#host.deliver(
      streamRef,
      { type: 'gun_push', connPid, streamRef, newStreamRef, method, uri, headers },
      uri.length + sizeOf(headers),
    )
  }

  // How streams begin and end.

  #stream(init: StreamInit): Http2Stream {
    return new Http2Stream(this.#host, this.#session, this.#opts, init, this)
  }

  #add(stream: Http2Stream): void {
    if (!this.#isRetired && this.#end === undefined) return this.#streams.add(stream)
    stream.http.refusePassage()
    this.#host.refuse(stream.http.ref, unsent())
  }

  /** Gives the stream if it takes more of its request's body, and tells its replyTo otherwise. */
  #takingData(streamRef: StreamRef): Http2Stream | undefined {
    const stream = this.#streams.find(streamRef)
    if (stream !== undefined && takesData(stream.http)) return stream
    this.#host.refuse(streamRef, takesNoData())
    return undefined
  }

  #onlyWebSocket(): Http2Stream | undefined {
    const all = this.#streams.all.filter(({ inner }) => inner?.isOver === false)
    return all.length === 1 ? all[0] : undefined
  }

  /** Tells nothing more of the stream, and resets it. */
  #cancel(stream: Http2Stream): void {
    this.#streams.takeBack(stream)
    stream.cancel()
  }

  // How the connection ends.

  /** Fails the streams that have not begun. An upgrade that had succeeded before is kept for the next connection. */
  #refuseWaiting(reason: () => GunError): void {
    for (const { http } of this.#streams.takeBackAll()) {
      const { again } = this
      const command = http.upgrade?.command
      if (again !== undefined && command?.isRepeated) again(command)
      else http.fail(reason())
    }
  }

  /** Begins nothing more, and tells the peer so. */
  #retire(): void {
    if (this.#isRetired) return
    this.#isRetired = true
    this.#streams.retire()
    this.#session.stopPinging()
    this.#session.engine.goAway(codes.NO_ERROR)
  }

  #finishIfIdle(): void {
    if (this.#streams.isEmpty) this.#host.lost('normal')
  }
}

/** Whether a stream takes more of its body. */
function takesData({ isComplete, isCancelled, mayLeave }: Http2Stream['http']): boolean {
  return !isComplete && !isCancelled && !mayLeave
}
