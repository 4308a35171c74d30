/** HTTP/1.1: requests go out in order, and their responses come back in the same order over one connection. */

import { GunError } from '../errors.js'
import {
  behindCancelled,
  closedEarly,
  neverSent,
  notAnswered,
  nothingToCancel,
  notSeen,
  takesNoData,
  unsent,
} from '../exchange/errors.js'
import type { Exchange } from '../exchange/exchange.js'
import { frame, withHost } from '../exchange/framing.js'
import type { ResponseEvent } from '../exchange/response-event.js'
import type { StreamRef } from '../handles.js'
import { saysClose, upgradesIn } from '../headers.js'
import type {
  CancelCommand,
  ConnectCommand,
  DataCommand,
  FlowCommand,
  FramesCommand,
  RequestCommand,
  TrailersCommand,
  UpgradeCommand,
} from '../layer/commands.js'
import type { Again, Foreseen, Host, Protocol, StartRaw, StartUpgrade } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { replyToOf } from '../messages.js'
import type { HttpOpts } from '../options/http.js'
import { type Departing, HttpDeparture } from './departure.js'
import { HttpRequests } from './requests.js'
import { HttpResponses, type ResponseHandler } from './responses.js'
import { writeTrailers } from './writer.js'

const CRLF: Uint8Array = Buffer.from('\r\n')

/** The protocol of a connection that carries requests. */
export class Http implements Protocol, ResponseHandler, Departing {
  readonly name = 'http'
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #responses: HttpResponses
  readonly #requests: HttpRequests
  readonly #departure: HttpDeparture
  /** Whether the response that is being received is the last one. */
  #isLastResponse = false
  /** Whether an orderly end was asked for; an upgrade may still succeed. */
  isFinishing = false
  readonly #keepaliveTimer: NodeJS.Timeout | undefined

  constructor(host: Host, opts: Required<HttpOpts>, startUpgrade: StartUpgrade, startRaw: StartRaw) {
    this.#host = host
    this.#opts = opts
    this.#responses = new HttpResponses(host, opts, this)
    this.#requests = new HttpRequests(host, opts, this.#responses)
    const parts = { requests: this.#requests, responses: this.#responses, startUpgrade, startRaw }
    this.#departure = new HttpDeparture(host, opts, this, parts)
    if (opts.keepalive !== Number.POSITIVE_INFINITY) {
      this.#keepaliveTimer = setInterval(() => host.guard(() => this.#keepAlive()), opts.keepalive)
    }
  }

  get stateName(): 'connected' | 'connected_no_input' {
    return this.#departure.isConnecting ? 'connected_no_input' : 'connected'
  }

  get load(): number {
    return this.#responses.open.length + this.#requests.load
  }

  get streams(): readonly StreamRef[] {
    const { waiting, writing } = this.#requests
    // The response to the request that is being sent may be over.
    const begun = [...this.#responses.open, ...(writing === undefined ? [] : [writing])]
    return [...begun, ...waiting].map(({ ref }) => ref)
  }

  get unsent(): number {
    const { waiting, writing } = this.#requests
    return waiting.reduce((sum, { heldBytes }) => sum + heldBytes, writing?.heldBytes ?? 0)
  }

  get hasAnswered(): boolean {
    return this.#responses.hasAnswered
  }

  request(command: RequestCommand): void {
    const { streamRef, method, path, isChecked, body, flow = this.#opts.flow } = command
    if (this.isFinishing) return this.#host.refuse(streamRef, unsent())
    const headers = withHost(command.headers, this.#host.authority)
    let framing = frame(headers, method, body)
    if (framing === undefined) {
      if (this.#opts.version === 'HTTP/1.0') {
        const text = 'a body of unknown length needs HTTP/1.1; give a content-length'
        return this.#host.refuse(streamRef, notSupported(text))
      }
      headers.push(['transfer-encoding', 'chunked'])
      framing = { type: 'chunked' }
    }
    const stream = this.#responses.create({
      ref: streamRef,
      function: body === undefined ? 'headers' : 'request',
      method,
      path,
      headers,
      isChecked,
      framing,
      flow,
      asksForUpgrade: this.#opts.version !== 'HTTP/1.0' && upgradesIn(headers).length > 0,
    })
    if (body !== undefined) stream.hold('fin', body)
    if (this.#opts.version === 'HTTP/1.0' || body?.length === 0) stream.isExpecting = false
    this.#requests.add(stream)
  }

  data({ streamRef, isFin, data: chunk, isToldToWait }: DataCommand<StreamRef>): boolean {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return false
    const problem = stream.problemWith(isFin, chunk.length)
    if (problem !== undefined) {
      // A part that is too long is not sent, and the stream waits for another. A body that has ended wrongly stays wrong.
      const text = `${problem}; the last chunk was not sent`
      if (isFin === 'fin') this.#refuseBody(stream, problem)
      else this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
      return false
    }
    stream.hold(isFin, chunk)
    this.#requests.grown(stream)
    // An empty part sends nothing, so that nothing would tell of room.
    if (chunk.length === 0 && !isToldToWait) return !stream.isFull
    return this.#requests.hasRoom(stream, isToldToWait)
  }

  foresee(command: DataCommand | FramesCommand, before: number): Foreseen | undefined {
    if (command.type === 'frames') return 'refused'
    const { streamRef, isFin, data: chunk } = command
    const stream = streamRef && this.#find(streamRef)
    if (stream === undefined) return undefined
    const bytes = before + chunk.length
    if (stream.isComplete || stream.isCancelled || stream.problemWith(isFin, bytes) !== undefined)
      return 'refused'
    return !stream.isFull && this.#requests.fits(stream, bytes) ? 'room' : 'full'
  }

  trailers({ streamRef, headers }: TrailersCommand): void {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return
    if (stream.framing.type !== 'chunked') {
      const text = 'trailers can only follow a body that is sent in chunks, without content-length'
      return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    let end: Buffer
    try {
      end = writeTrailers(headers, this.#opts.transformHeaderName)
    } catch (error) {
      if (!(error instanceof GunError)) throw error
      // The stream goes on, as after any command that is refused.
      const text = `${error.message}; the trailers were not sent`
      return this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text, { cause: error }))
    }
    stream.holdEnd(end)
    this.#requests.grown(stream)
  }

  upgrade(command: UpgradeCommand): void {
    const { streamRef } = command
    if (this.isFinishing) return this.#host.refuse(streamRef, unsent())
    if (this.#opts.version === 'HTTP/1.0') {
      return this.#host.refuse(streamRef, notSupported('an upgrade to WebSocket needs HTTP/1.1'))
    }
    this.#departure.upgrade(command)
  }

  connect(command: ConnectCommand): void {
    if (!this.isFinishing) return this.#departure.connect(command)
    this.#host.home.onTunnelOver(command.streamRef)
    this.#host.refuse(command.streamRef, unsent())
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

  lift(): void {
    this.#responses.lift()
  }

  flow({ streamRef, increment }: FlowCommand<StreamRef>): void {
    // Mostly the response that is coming is meant.
    const { first } = this.#responses.open
    const stream = first?.ref === streamRef ? first : this.#find(streamRef)
    if (stream !== undefined) this.#responses.updateFlow(stream, increment)
  }

  silence(streamRef: StreamRef): boolean {
    const stream = this.#find(streamRef)
    if (stream === undefined || stream.isCancelled || isOver(stream)) return false
    stream.isCancelled = true
    return true
  }

  cancel({ streamRef, wasOpen }: CancelCommand): void {
    if (!wasOpen) return this.#host.refuse(streamRef, nothingToCancel())
    const stream = this.#find(streamRef)
    const { connPid, events } = this.#host
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    // The value within which the caller has cancelled the stream may have been its last.
    if (stream === undefined) return
    if (this.#requests.remove(stream)) {
      this.#departure.stay(stream)
      return this.#requests.advance()
    }
    // The body will never be complete, so that no request can follow it.
    if (!stream.isComplete) this.#requests.retire()
    this.#responses.discard(stream)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    const stream = this.#find(streamRef)
    return stream === undefined || isOver(stream) ? undefined : this.#requests.infoOf(stream)
  }

  finish(): number {
    this.isFinishing = true
    this.#requests.retire()
    this.#requests.refuseAll(unsent)
    this.#responses.resume()
    return this.#responses.open.length === 0 ? 0 : this.#opts.closingTimeout
  }

  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    const error = reason === 'normal' ? closedEarly() : reason
    this.dispose()
    const isKilled = ({ upgrade, isCancelled, isEnded }: Exchange): boolean => {
      if (isCancelled || isEnded) return false
      if (again === undefined || !upgrade?.command.isRepeated) return true
      again(upgrade.command)
      return false
    }
    const sent = this.#responses.open.takeAll()
    const killed = sent.filter(isKilled)
    const waiting = this.#requests.removeAll().filter(isKilled)
    for (const stream of killed) {
      stream.fail(error.code === 'cancelled' ? behindCancelled(stream.method, error) : error)
    }
    // This stream's response is over, and only its body was still being sent.
    const { writing } = this.#requests
    if (writing?.isEnded) writing.refuseMore(error)
    for (const stream of waiting) stream.fail(neverSent(error))
    return [...killed, ...waiting].map(({ ref }) => ref)
  }

  /** Lets go of the line, which another protocol may take over. */
  dispose(): void {
    this.#responses.dispose()
    this.#requests.dispose()
    clearInterval(this.#keepaliveTimer)
  }

  #find(streamRef: StreamRef): Exchange | undefined {
    const isIt = ({ ref }: Exchange) => ref === streamRef
    return this.#requests.find(streamRef) ?? this.#responses.open.find(isIt)
  }

  /** Gives the stream if it takes more of its body; if not, refuses the command. */
  #takingData(streamRef: StreamRef): Exchange | undefined {
    const stream = this.#find(streamRef)
    if (stream !== undefined && !stream.isComplete && !stream.isCancelled) return stream
    this.#host.refuse(streamRef, takesNoData())
    return undefined
  }

  /** Refuses a body that has ended with the wrong length. */
  #refuseBody(stream: Exchange, problem: string): void {
    // The peer would take the next request for the rest of a body that has begun.
    if (!this.#requests.remove(stream)) {
      const error = new GunError('badstate', 'connection_error', problem)
      // A stream whose response is over is not among those that are told of the loss.
      stream.stopWaiting()
      if (!this.#responses.open.includes(stream)) this.#host.fail(stream.ref, error)
      return this.#host.lost(error)
    }
    const text = `${problem}; the request was not sent`
    this.#host.refuse(stream.ref, new GunError('badstate', 'badstate', text))
  }

  #keepAlive(): void {
    if (!this.#requests.isIdle || this.#responses.open.length > 0) return
    this.#host.outlet.write(CRLF)
  }

  // The responses tell:

  onContinue(stream: Exchange): void {
    this.#requests.proceed(stream)
  }

  onFinal(stream: Exchange, { keepAlive, headers }: ResponseEvent & { type: 'response' }): void {
    this.#departure.stay(stream)
    if (keepAlive && !stream.isExpecting) return
    // The body is never sent, and only a new connection shows the peer where the next request begins.
    if (stream.isExpecting) this.#requests.skipBody(stream)
    this.#isLastResponse = true
    this.#requests.retire()
    this.#refuseBehind(stream, saysClose(headers) ? notSeen() : notAnswered())
  }

  onFinished(): void {
    const isLast = this.#requests.isRetired && this.#responses.open.length === 0
    if (this.#isLastResponse || isLast) return this.#host.lost('normal')
    this.#requests.advance()
  }

  /** Refuses the streams behind `last`, whose response ends the connection. */
  #refuseBehind(last: Exchange, reason: GunError): void {
    for (const stream of this.#responses.open) {
      if (stream === last || stream.isCancelled) continue
      stream.fail(reason)
      stream.isCancelled = true
      if (stream === this.#requests.writing) this.#requests.skipBody(stream)
    }
    for (const stream of this.#requests.waiting) {
      // An upgrade that succeeded before is asked for again with the next connection.
      if (stream.upgrade?.command.isRepeated || !this.#requests.remove(stream)) continue
      stream.fail(neverSent(closedEarly()))
    }
  }

  onUpgrade(stream: Exchange, event: ResponseEvent & { type: 'upgrade' }): void {
    this.#departure.leave(stream, event)
  }
}

/** Whether the last message was posted, the whole response has come, and the whole body was given. */
function isOver({ isEnded, isComplete, isReceived }: Exchange): boolean {
  return isEnded && isComplete && isReceived
}

function notSupported(text: string): GunError {
  return new GunError('not_supported', 'stream_error', text)
}
