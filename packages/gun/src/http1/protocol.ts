/** HTTP/1.1: requests go out in order, responses come back in the same order, one connection for all. */

import { GunError } from '../errors.js'
import {
  behindCancelled,
  ended,
  neverSent,
  notAnswered,
  nothingToCancel,
  notSeen,
  takesNoData,
  unsent,
} from '../exchange/errors.js'
import type { HttpStream } from '../exchange/exchange.js'
import { frame, withHost } from '../exchange/framing.js'
import type { ResponseEvent } from '../exchange/response-event.js'
import type { StreamRef } from '../handles.js'
import { saysClose } from '../headers.js'
import type {
  CancelCommand,
  DataCommand,
  FlowCommand,
  FramesCommand,
  RequestCommand,
  TrailersCommand,
  UpgradeCommand,
} from '../layer/commands.js'
import type { Again, Foreseen, Host, Protocol, StartUpgrade } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { replyToOf } from '../messages.js'
import type { HttpOpts } from '../options/http.js'
import { HttpRequests } from './requests.js'
import { HttpResponses, type ResponseHandler } from './responses.js'
import { writeTrailers } from './writer.js'

const CRLF: Uint8Array = Buffer.from('\r\n')

/** The protocol of a connection that carries requests. */
export class Http implements Protocol, ResponseHandler {
  readonly name = 'http'
  readonly stateName = 'connected'
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #startUpgrade: StartUpgrade
  readonly #responses: HttpResponses
  readonly #requests: HttpRequests
  /** The response that is being received is the last one. */
  #leaving = false
  /** An orderly end was asked for, while an upgrade may still succeed. */
  #asked = false
  readonly #keepaliveTimer: NodeJS.Timeout | undefined

  constructor(host: Host, opts: Required<HttpOpts>, startUpgrade: StartUpgrade) {
    this.#host = host
    this.#startUpgrade = startUpgrade
    this.#opts = opts
    this.#responses = new HttpResponses(host, opts, this)
    this.#requests = new HttpRequests(host, opts, this.#responses)
    if (opts.keepalive !== Number.POSITIVE_INFINITY) {
      this.#keepaliveTimer = setInterval(() => host.guard(() => this.#keepAlive()), opts.keepalive)
    }
  }

  request(command: RequestCommand): void {
    const { streamRef, method, path, isChecked, body, flow = this.#opts.flow } = command
    if (this.#asked) return this.#host.refuse(streamRef, unsent())
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
    })
    if (body !== undefined) stream.hold('fin', body)
    if (this.#opts.version === 'HTTP/1.0' || body?.length === 0) stream.isExpecting = false
    this.#requests.add(stream)
  }

  data({ streamRef, isFin, data: chunk, isToldToWait }: DataCommand): boolean {
    const stream = this.#takingData(streamRef)
    if (stream === undefined) return false
    const problem = stream.problemWith(isFin, chunk.length)
    if (problem !== undefined) {
      // A chunk too long is not sent; the stream waits for another. A body that has ended wrongly can't be mended.
      const text = `${problem}; the last chunk was not sent`
      if (isFin === 'fin') this.#abandon(stream, problem)
      else this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text))
      return false
    }
    stream.hold(isFin, chunk)
    this.#requests.grown(stream)
    // With what is empty nothing leaves, so nothing would tell of room.
    if (chunk.length === 0 && !isToldToWait) return !stream.isFull
    return this.#requests.hasRoom(stream, isToldToWait)
  }

  foresee(command: DataCommand | FramesCommand, before: number): Foreseen | undefined {
    if (command.type === 'frames') return 'refused'
    const { streamRef, isFin, data: chunk } = command
    const stream = this.#find(streamRef)
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
    const { streamRef, path, isChecked, opts } = command
    if (this.#asked) return this.#host.refuse(streamRef, unsent())
    if (this.#opts.version === 'HTTP/1.0') {
      return this.#host.refuse(streamRef, notSupported('an upgrade to WebSocket needs HTTP/1.1'))
    }
    const upgrade = this.#startUpgrade(command)
    const { connPid, events } = this.#host
    events.tell('wsUpgrade', { connPid, streamRef, replyTo: replyToOf(streamRef), opts })
    const stream = this.#responses.create({
      ref: streamRef,
      function: 'wsUpgrade',
      method: 'GET',
      path,
      headers: withHost(upgrade.headers, this.#host.authority),
      isChecked,
      framing: { type: 'none' },
      flow: Number.POSITIVE_INFINITY,
      upgrade,
    })
    stream.isComplete = true
    this.#requests.add(stream)
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

  flow({ streamRef, increment }: FlowCommand): void {
    // Mostly it is the one whose response is coming.
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
    if (stream === undefined) return
    stream.isCancelled = true
    const { connPid, events } = this.#host
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    if (this.#requests.remove(stream)) return this.#requests.advance()
    // Its body will never be complete, so the connection can't go on behind it.
    if (!stream.isComplete) this.#requests.retire()
    this.#responses.silence(stream)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    const stream = this.#find(streamRef)
    return stream === undefined || isOver(stream) ? undefined : this.#requests.infoOf(stream)
  }

  finish(): number {
    this.#asked = true
    this.#requests.stop()
    this.#refuseWaiting(unsent())
    this.#responses.resume()
    return this.#responses.open.length === 0 ? 0 : this.#opts.closingTimeout
  }

  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    const error = reason === 'normal' ? ended() : reason
    this.#dispose()
    const isKilled = ({ upgrade, isCancelled, isEnded }: HttpStream): boolean => {
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
    // Its response is over, and only its body was not.
    const { writing } = this.#requests
    if (writing?.isEnded) writing.refuseMore(error)
    for (const stream of waiting) stream.fail(neverSent(error))
    return [...killed, ...waiting].map(({ ref }) => ref)
  }

  #refuseWaiting(reason: GunError): void {
    for (const stream of this.#requests.removeAll()) stream.fail(reason)
  }

  #dispose(): void {
    this.#responses.dispose()
    this.#requests.dispose()
    clearInterval(this.#keepaliveTimer)
  }

  #find(streamRef: StreamRef): HttpStream | undefined {
    const isIt = ({ ref }: HttpStream) => ref === streamRef
    return this.#requests.find(streamRef) ?? this.#responses.open.find(isIt)
  }

  // What is sent.

  /** The stream, if it takes more of its body; else it is told that it does not. */
  #takingData(streamRef: StreamRef): HttpStream | undefined {
    const stream = this.#find(streamRef)
    if (stream !== undefined && !stream.isComplete && !stream.isCancelled) return stream
    this.#host.refuse(streamRef, takesNoData())
    return undefined
  }

  #abandon(stream: HttpStream, problem: string): void {
    // Of one that has begun the peer would take what comes next for the rest of this body.
    if (!this.#requests.remove(stream)) {
      const error = new GunError('badstate', 'connection_error', problem)
      // With its response it is over, and not among those that are told of the loss.
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

  // What the responses bring.

  onContinue(stream: HttpStream): void {
    this.#requests.proceed(stream)
  }

  onFinal(stream: HttpStream, { keepAlive, headers }: ResponseEvent & { type: 'response' }): void {
    if (keepAlive && !stream.isExpecting) return
    // The body is never sent, and only a new connection tells where it would have ended.
    if (stream.isExpecting) this.#requests.giveUp(stream)
    this.#leaving = true
    this.#requests.retire()
    this.#refuseBehind(stream, saysClose(headers) ? notSeen() : notAnswered())
  }

  onFinished(): void {
    const isLast = this.#requests.isStopped && this.#responses.open.length === 0
    if (this.#leaving || isLast) return this.#host.lost('normal')
    this.#requests.advance()
  }

  /** The connection ends with the response of `last`. */
  #refuseBehind(last: HttpStream, reason: GunError): void {
    for (const stream of this.#responses.open) {
      if (stream === last || stream.isCancelled) continue
      stream.fail(reason)
      stream.isCancelled = true
      if (stream === this.#requests.writing) this.#requests.giveUp(stream)
    }
    for (const stream of this.#requests.waiting) {
      // One that succeeded before is asked for again with the next connection.
      if (stream.upgrade?.command.isRepeated || !this.#requests.remove(stream)) continue
      stream.fail(neverSent(ended()))
    }
  }

  /** The server has agreed, but not to what can go on; the next connection does not ask again. */
  #refuse(stream: HttpStream, error: GunError): void {
    stream.upgrade = undefined
    this.#host.lost(error)
  }

  onUpgrade(stream: HttpStream, { headers, rest }: ResponseEvent & { type: 'upgrade' }): void {
    const { upgrade, ref: streamRef } = stream
    if (upgrade === undefined) return
    const start = upgrade.agree(headers)
    if (start instanceof GunError) return this.#refuse(stream, start)
    // Before anybody hears of it: whoever does may answer with a frame at once.
    const next = start(this.#host)
    if (next instanceof GunError) return this.#refuse(stream, next)
    this.#dispose()
    const { connPid } = this.#host
    const protocols = ['websocket'] as const
    this.#host.switchTo(next)
    this.#host.deliver(streamRef, { type: 'gun_upgrade', connPid, streamRef, protocols, headers })
    const reason = 'the connection was upgraded to WebSocket before the request could be sent'
    this.#refuseWaiting(new GunError('badstate', 'badstate', reason))
    this.#host.settle()
    if (rest.length > 0) this.#host.handle(rest)
    if (this.#asked) this.#host.closing(next.finish(), true)
  }
}

/** Its last message was posted, all of its response has come, and its body was given. */
function isOver({ isEnded, isComplete, isReceived }: HttpStream): boolean {
  return isEnded && isComplete && isReceived
}

function notSupported(text: string): GunError {
  return new GunError('not_supported', 'stream_error', text)
}
