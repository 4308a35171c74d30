/**
 * The way through the proxies of the option `proxy`: one proxy after the other is asked for a tunnel to the next, on the
 * connection's own layer, until the origin is reached.
 */

import type { Socket } from 'node:net'
import type { Source } from '@holster/process/internal'
import { GunError } from '../errors.js'
import { StreamRef } from '../handles.js'
import { headerValue } from '../headers.js'
import type { ConnectedState, Home } from '../layer/contract.js'
import { Layer, type LayerUser } from '../layer/layer.js'
import type { GunMessage } from '../messages.js'
import type { Origin } from '../options/host.js'
import { type Opts, protocolName } from '../options/options.js'
import type { ProxyHop } from '../options/proxies.js'
import type { Abort } from '../transport/contract.js'
import { Deadline } from '../transport/deadline.js'
import { SocketLine } from '../transport/socket-line.js'
import { lookup } from '../transport/tcp.js'
import { challengesIn } from '../tunnel/challenges.js'
import type { Headers, ProtocolName } from '../words.js'
import { startProtocol } from './protocols.js'
import type { ProxyLogin } from './proxy-login.js'
import { Refusal } from './refusal.js'
import { WayEnds } from './way-ends.js'

/** The connection, as far as the way needs it. */
export interface WayHome extends Home {
  /** Takes what the layer tells once the origin is up. */
  readonly reports: LayerUser
  readonly source: Source
  readonly opts: Opts
  readonly origin: Origin
  readonly transport: 'tcp' | 'tls'
  /** The origin is up. */
  onArrived(protocol: ProtocolName): void
  /** The way could not be made. */
  onAstray(reason: GunError): void
  /** The way is to be made again, from its beginning. */
  onAgain(): void
}

const TIMEOUT_CODES = {
  connectTimeout: 'connect_timeout',
  domainLookupTimeout: 'domain_lookup_timeout',
} as const

export class Way implements LayerUser {
  readonly layer: Layer
  readonly #home: WayHome
  readonly #proxies: readonly ProxyHop[]
  readonly #ends: WayEnds
  readonly #login: ProxyLogin
  /** The place of the proxy that is asked now; behind the last one the origin is up. */
  #index = 0
  /** The refusal that is to be answered with credentials. */
  #refusal: Refusal | undefined
  /** Whether the proxy was asked once more over the same connection, and has not answered yet. */
  #isRepeating = false
  #deadline: Deadline | undefined
  #abortLookup: Abort | undefined
  #isOver = false

  /** `socket` leads to the first proxy. */
  constructor(home: WayHome, proxies: readonly [ProxyHop, ...ProxyHop[]], login: ProxyLogin, socket: Socket) {
    const [{ host, port, transport }] = proxies
    this.#home = home
    this.#proxies = proxies
    this.#ends = new WayEnds(proxies, { ...home.origin, transport: home.transport }, home.opts)
    this.#login = login
    const line = new SocketLine(socket, false)
    const endpoint = { host, port, transport, intermediaries: [] }
    this.layer = new Layer(home, line, endpoint, this, { source: home.source })
    line.attach(this.layer)
  }

  /** Begins with the first proxy, once the names are looked up that SOCKS5 servers are not to look up. */
  begin(): void {
    const unresolved = this.#ends.unresolved
    if (unresolved !== undefined) return this.#lookUp(unresolved)
    const inits = this.#ends.protocolsAt(0)
    this.#limit('connectTimeout')
    this.layer.start(startProtocol(protocolName(inits[0] ?? 'http'), this.layer, this.#home.opts, inits))
    this.#proceed()
  }

  /** Gives up the way, and tells nothing more of it. */
  abort(): void {
    if (this.#isOver) return
    this.#dispose()
    this.#leave()
  }

  /** Names the end that the way waits for. */
  get waitsFor(): string {
    return this.#ends.nameAt(this.#place)
  }

  // News of the layer:

  onLost(reason: GunError | 'normal'): void {
    if (this.#isOver) return this.#home.reports.onLost(reason)
    if (this.#refusal !== undefined) return this.#loseRefusal(this.#refusal)
    // A proxy that closes without saying so has not looked at what it was asked.
    if (this.#isRepeating) return this.#restart()
    this.#fail(reason === 'normal' ? closedByProxy() : reason)
  }

  onClosing(timeout: number, isFinal: boolean): void {
    if (this.#isOver) this.#home.reports.onClosing(timeout, isFinal)
  }

  onRetired(): void {
    if (this.#isOver) this.#home.reports.onRetired()
  }

  onState(state: ConnectedState): void {
    if (this.#isOver) return this.#home.reports.onState(state)
    // The proxy has agreed, and the handshake with the next end has a limit of its own.
    if (state === 'tls_handshake') this.#deadline?.clear()
  }

  onHeard(): void {
    if (this.#isOver) this.#home.reports.onHeard()
  }

  /** Takes note of each proxy that is reached, and of the origin. */
  onTunnelUp(protocol: ProtocolName): boolean {
    if (this.#isOver) return false
    this.#index++
    if (this.#index < this.#proxies.length) {
      this.#limit('connectTimeout')
      this.#proceed()
    } else {
      this.#dispose()
      this.#home.onArrived(protocol)
    }
    return true
  }

  // The way:

  /** Looks up the name of an end that the SOCKS5 server before it is not to look up. */
  #lookUp(index: number): void {
    const { host, port } = this.#ends.at(index)
    const { opts } = this.#home
    const fail = (error: GunError) => this.#fail(error, index)
    this.#limit('domainLookupTimeout', fail)
    // The caller's own address is not the one from which the proxy connects.
    const { localAddress: _, ...tcpOpts } = opts.tcpOpts ?? {}
    this.#abortLookup = lookup({ host, port }, tcpOpts, outcome => {
      this.#later(() => {
        if (outcome instanceof GunError) return fail(outcome)
        const { socket } = this.layer.line
        // No protocol has seen it.
        if (socket?.destroyed || socket?.readableEnded) return this.#fail(closedByProxy())
        this.#ends.resolve(index, outcome[0]?.address ?? host.target)
        this.begin()
      })
    })
  }

  /** Asks an HTTP proxy for the next end. A SOCKS5 server was asked as it was reached. */
  #proceed(): void {
    const proxy = this.#proxies[this.#index]
    if (proxy?.type === 'http') this.#later(() => this.#connect())
  }

  #connect(): void {
    const { connPid } = this.#home
    const streamRef = new StreamRef(connPid, message => this.#onMessage(message), undefined, undefined, true)
    const goal = this.#ends.goalAt(this.#index + 1)
    const headers = this.#login.headersFor(this.#index)
    this.layer.perform({ type: 'connect', streamRef, goal, headers, isChecked: true, flow: undefined })
  }

  /** Takes the messages of a CONNECT. */
  #onMessage(message: GunMessage): void {
    if (this.#isOver) return
    switch (message.type) {
      case 'gun_response':
        return this.#onResponse(message.status, message.headers, message.isFin === 'fin')
      case 'gun_data':
        return this.#onBody(message.data.length, message.isFin === 'fin')
      case 'gun_trailers':
        return this.#onBody(0, true)
      case 'gun_error':
        return this.onLost(message.reason)
    }
  }

  #onResponse(status: number, headers: Headers, isFin: boolean): void {
    this.#isRepeating = false
    if (status < 300) return
    if (status !== 407) return this.#fail(this.#refusedWith(status, headers))
    const refusal = new Refusal(isFin, isElsewhere => (isElsewhere ? this.#restart() : this.#repeat()))
    this.#refusal = refusal
    // The caller may have to ask a person, which takes its time.
    this.#deadline?.clear()
    this.#login.answer(this.#index, challengesIn(headers), outcome => {
      this.#later(() => {
        if (outcome instanceof GunError) return this.#fail(outcome)
        this.#limit('connectTimeout')
        refusal.answer()
      })
    })
  }

  #onBody(bytes: number, isFin: boolean): void {
    const refusal = this.#refusal
    if (refusal?.take(bytes, isFin) === false) this.#loseRefusal(refusal)
  }

  #loseRefusal(refusal: Refusal): void {
    this.#leave()
    refusal.lose()
  }

  /** Asks the proxy again, with credentials, over the same connection. */
  #repeat(): void {
    this.#refusal = undefined
    this.#isRepeating = true
    this.#limit('connectTimeout')
    this.#proceed()
  }

  /** Makes the way again over another connection. */
  #restart(): void {
    this.abort()
    this.#home.onAgain()
  }

  #refusedWith(status: number, headers: Headers): GunError {
    const { host, port } = this.#ends.at(this.#index + 1)
    const location = headerValue(headers, 'location')
    const where = location === undefined ? '' : ', and points elsewhere, where no tunnel can follow'
    const text = `it refused a tunnel to ${host.uriHost}:${port} with status ${status}${where}`
    return new GunError('proxy_error', 'connection_error', text)
  }

  /** The place of the end that the way waits for: the proxy that was asked, or the next end where TLS is agreed on with it. */
  get #place(): number {
    return this.layer.protocol?.stateName === 'tls_handshake' ? this.#index + 1 : this.#index
  }

  #fail(error: GunError, place = this.#place): void {
    const isAnonymous = this.#proxies[place]?.username === undefined
    const named = asRefusal(this.#ends.errorAt(place, error), error, isAnonymous)
    this.abort()
    this.#home.onAstray(named)
  }

  /** Limits the time until the next step of the way. */
  #limit(
    option: keyof typeof TIMEOUT_CODES,
    fail: (error: GunError) => void = error => this.#fail(error),
  ): void {
    const { [option]: ms = Number.POSITIVE_INFINITY } = this.#home.opts
    this.#deadline?.clear()
    const text = `${option} of ${ms} ms has passed`
    this.#deadline = new Deadline(ms, () => {
      this.#later(() => fail(new GunError(TIMEOUT_CODES[option], 'connection_error', text)))
    })
  }

  /** Runs a step of the way, at once or behind the step under way, unless the way is over by then. */
  #later(run: () => void): void {
    this.#home.steps.add({ type: 'task', run: () => this.#isOver || run() })
  }

  /** Ends the connection to the first proxy. */
  #leave(): void {
    if (this.layer.isOver) return
    this.layer.mute()
    this.layer.abort('normal', undefined)
    this.layer.line.abort()
  }

  #dispose(): void {
    this.#isOver = true
    this.#deadline?.clear()
    this.#abortLookup?.()
    this.#login.abandon()
  }
}

function closedByProxy(): GunError {
  return new GunError('closed', 'connection_error', 'the proxy closed the connection')
}

/** Gives the error of a SOCKS5 server that takes no credentials of the client's as that of any proxy. */
function asRefusal(named: GunError, cause: GunError, isAnonymous: boolean): GunError {
  const { code, message } = named
  if (code !== 'socks_no_acceptable_methods' && code !== 'socks_username_password_auth_failure') return named
  const advice = isAnonymous ? ': give them in the URL of the proxy' : ''
  return new GunError('proxy_auth', 'connection_error', `${message}${advice}`, { cause, isPermanent: true })
}
