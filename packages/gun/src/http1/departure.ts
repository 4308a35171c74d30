/**
 * How a connection leaves HTTP/1.1: the peer agrees to a WebSocket, to what the caller's own header fields have asked for, or
 * to a tunnel, and another protocol takes over for good.
 */

import { GunError } from '../errors.js'
import type { Exchange } from '../exchange/exchange.js'
import { targetOf, withHost } from '../exchange/framing.js'
import type { ResponseEvent } from '../exchange/response-event.js'
import type { StreamRef } from '../handles.js'
import { upgradesIn } from '../headers.js'
import type { ConnectCommand, UpgradeCommand } from '../layer/commands.js'
import type { Host, Passage, Protocol, StartRaw, StartUpgrade, Upgrade } from '../layer/contract.js'
import { replyToOf } from '../messages.js'
import type { HttpOpts } from '../options/http.js'
import type { Headers } from '../words.js'
import type { HttpRequests } from './requests.js'
import type { HttpResponses } from './responses.js'

/** The protocol that leaves. */
export interface Departing {
  /** Whether an orderly end was asked for. */
  readonly isFinishing: boolean
  /** Lets go of the line. */
  dispose(): void
}

export interface DepartureInit {
  readonly requests: HttpRequests
  readonly responses: HttpResponses
  readonly startUpgrade: StartUpgrade
  readonly startRaw: StartRaw
}

export class HttpDeparture {
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #protocol: Departing
  readonly #requests: HttpRequests
  readonly #responses: HttpResponses
  readonly #startUpgrade: StartUpgrade
  readonly #startRaw: StartRaw
  /** The stream that asks for a tunnel, in place of all that may still be asked for. */
  #connecting: Exchange | undefined

  constructor(host: Host, opts: Required<HttpOpts>, protocol: Departing, init: DepartureInit) {
    this.#host = host
    this.#opts = opts
    this.#protocol = protocol
    this.#requests = init.requests
    this.#responses = init.responses
    this.#startUpgrade = init.startUpgrade
    this.#startRaw = init.startRaw
  }

  /** Whether a proxy was asked for a tunnel, and has not answered. */
  get isConnecting(): boolean {
    return this.#connecting !== undefined
  }

  /** Asks for a WebSocket. */
  upgrade(command: UpgradeCommand): void {
    const { streamRef, path, isChecked, opts } = command
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

  /** Asks a proxy for a tunnel. */
  connect({ streamRef, goal, headers, isChecked, flow = this.#opts.flow }: ConnectCommand): void {
    const authority = targetOf(goal)
    const stream = this.#responses.create({
      ref: streamRef,
      function: 'connect',
      method: 'CONNECT',
      path: authority,
      headers: withHost(headers, authority),
      isChecked,
      framing: { type: 'none' },
      flow,
      passage: { type: 'connect', protocol: 'http', streamRef, goal },
      authority,
    })
    stream.isComplete = true
    this.#connecting = stream
    this.#host.stateChanged()
    this.#requests.add(stream)
  }

  /**
   * Stays with HTTP if the stream has asked for a tunnel, which the proxy has refused or the caller wants no more: more may be
   * asked for again, unless the connection ends.
   */
  stay(stream: Exchange): void {
    if (stream !== this.#connecting) return
    this.#connecting = undefined
    this.#host.later(() => {
      if (!this.#requests.isRetired) this.#host.stateChanged()
    })
  }

  /** Leaves HTTP, as the peer has agreed to. */
  leave(stream: Exchange, event: ResponseEvent & { type: 'upgrade' }): void {
    const { passage, upgrade } = stream
    if (passage !== undefined) this.#enter(passage, event.rest)
    else if (upgrade !== undefined) this.#leaveForWebSocket(stream, upgrade, event)
    else this.#leaveForRaw(stream, event)
  }

  #leaveForWebSocket(
    stream: Exchange,
    upgrade: Upgrade,
    { headers, rest }: ResponseEvent & { type: 'upgrade' },
  ): void {
    const start = upgrade.agree(headers)
    if (start instanceof GunError) return this.#failUpgrade(stream, start)
    // The protocol starts before anybody hears of the upgrade, and may answer with a frame at once.
    const next = start(this.#host)
    if (next instanceof GunError) return this.#failUpgrade(stream, next)
    this.#switchTo(next, stream.ref, ['websocket'], headers, behindWebSocket)
    if (rest.length > 0) this.#host.handle(rest)
    if (this.#protocol.isFinishing) this.#host.closing(next.finish(), true)
  }

  /** Ends the connection with an upgrade that went wrong and that the next connection does not ask for. */
  #failUpgrade(stream: Exchange, error: GunError): void {
    stream.upgrade = undefined
    this.#host.lost(error)
  }

  /** Leaves for what the caller's own header fields have asked for: bytes follow both ways. */
  #leaveForRaw({ ref, fields }: Exchange, { headers, rest }: ResponseEvent & { type: 'upgrade' }): void {
    const protocols = upgradesIn(headers)
    if (protocols.length === 0) {
      return this.#host.lost(
        badUpgrade('the server agreed to an upgrade without the header fields that say to what'),
      )
    }
    const asked = upgradesIn(fields).map(name => name.toLowerCase())
    if (!protocols.every(name => asked.includes(name.toLowerCase()))) {
      const text = `the server has switched to ${protocols.join(', ')}, which the request did not ask for`
      return this.#host.lost(badUpgrade(text))
    }
    this.#switchTo(this.#startRaw(this.#host, ref), ref, protocols, headers, behindRaw)
    if (rest.length > 0) this.#host.handle(rest)
    if (this.#protocol.isFinishing) this.#host.lost('normal')
  }

  /** Has the next protocol take over, tells the caller so, and refuses the requests that have not begun. */
  #switchTo(
    next: Protocol,
    streamRef: StreamRef,
    protocols: readonly string[],
    headers: Headers,
    refusal: () => GunError,
  ): void {
    const { connPid } = this.#host
    this.#protocol.dispose()
    this.#host.switchTo(next)
    this.#host.deliver(streamRef, { type: 'gun_upgrade', connPid, streamRef, protocols, headers })
    this.#requests.refuseAll(refusal)
    this.#host.settle()
  }

  /** Enters a tunnel: another protocol takes over, with the other end. */
  #enter(passage: Passage, rest: Buffer): void {
    if (this.#protocol.isFinishing) return this.#host.lost('normal')
    this.#protocol.dispose()
    this.#requests.refuseAll(behindTunnel)
    this.#host.enter(passage, rest)
  }
}

function badUpgrade(text: string): GunError {
  return new GunError('bad_upgrade', 'connection_error', text)
}

function behindWebSocket(): GunError {
  const text = 'the connection was upgraded to WebSocket before the request could be sent'
  return new GunError('badstate', 'badstate', text)
}

function behindRaw(): GunError {
  return behind('left HTTP')
}

function behindTunnel(): GunError {
  return behind('became a tunnel')
}

/** Makes the error of a request that has not begun, where the connection `left HTTP` or the like. */
function behind(change: string): GunError {
  const text = `the connection ${change} before the request was sent; it is safe to ask again`
  return new GunError('refused_stream', 'stream_error', text)
}
