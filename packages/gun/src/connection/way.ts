/**
 * The way through the proxies of the option `proxy`: one proxy after the other is asked for a tunnel to the next, on the
 * connection's own layer, until the origin is reached.
 */

import type { Socket } from 'node:net'
import type { Source } from '@holster/process/internal'
import { GunError } from '../errors.js'
import { StreamRef } from '../handles.js'
import { headerValue } from '../headers.js'
import type { Goal } from '../layer/commands.js'
import type { ConnectedState, Home } from '../layer/contract.js'
import { Layer, type LayerUser } from '../layer/layer.js'
import type { GunMessage } from '../messages.js'
import type { Origin } from '../options/host.js'
import { type Opts, protocolsOr } from '../options/options.js'
import type { ProxyHop } from '../options/proxies.js'
import type { ProtocolInit } from '../options/tunnel.js'
import type { Abort } from '../transport/contract.js'
import { Deadline } from '../transport/deadline.js'
import { SocketLine } from '../transport/socket-line.js'
import { lookup } from '../transport/tcp.js'
import { challengesIn } from '../tunnel/challenges.js'
import { goalOf } from '../tunnel/goal.js'
import type { Headers, ProtocolName } from '../words.js'
import { errorAt, placeOf } from './entrance.js'
import { startProtocol } from './protocols.js'
import type { ProxyLogin } from './proxy-login.js'

/** How many bytes of the body of a refusal are read, for the sake of the connection, before another attempt is made. */
const MOST_REFUSED = 64 * 1024

/** The connection, as far as the way needs it. */
export interface WayHome extends Home, LayerUser {
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

export class Way implements LayerUser {
  readonly layer: Layer
  readonly #home: WayHome
  readonly #proxies: readonly ProxyHop[]
  readonly #login: ProxyLogin
  /** The addresses that SOCKS5 servers are asked for in place of names, by the place of the server. */
  readonly #addresses = new Map<number, string>()
  /** The place of the proxy that is asked now; behind the last one the origin is up. */
  #index = 0
  /** Whether that proxy has agreed, so that what fails is the TLS with the next end. */
  #isBeyond = false
  /** The refusal under way that is to be answered with credentials, and how much of its body has come. */
  #refusal: { bytes: number; isAnswered: boolean; isRead: boolean } | undefined
  /** Whether the proxy was asked once more over the same socket, and has not answered yet. */
  #isRepeating = false
  /** Whether the proxy closes the socket behind its answer. */
  #isRetired = false
  #deadline: Deadline | undefined
  #abortLookup: Abort | undefined
  #isOver = false

  /** `socket` leads to the first proxy. */
  constructor(home: WayHome, proxies: readonly [ProxyHop, ...ProxyHop[]], login: ProxyLogin, socket: Socket) {
    const [{ host, port, transport }] = proxies
    this.#home = home
    this.#proxies = proxies
    this.#login = login
    const line = new SocketLine(socket)
    const endpoint = { host, port, transport, intermediaries: [] }
    this.layer = new Layer(home, line, endpoint, this, { source: home.source })
    line.attach(this.layer)
  }

  /** Begins with the first proxy, once the names are looked up that SOCKS5 servers are not to look up. */
  begin(): void {
    const index = this.#proxies.findIndex(
      (proxy, at) => proxy.resolves === 'here' && !this.#addresses.has(at),
    )
    if (index !== -1) return this.#lookUp(index)
    this.#limit(this.#home.opts.connectTimeout, 'connectTimeout', 'connect_timeout')
    const [init = 'http'] = this.#initsOf(0)
    const name = typeof init === 'string' ? init : init[0]
    this.layer.start(startProtocol(name, this.layer, this.#home.opts, [init]))
    this.#proceed()
  }

  /** Gives up the way; nothing more is told of it. */
  abort(): void {
    if (this.#isOver) return
    this.#dispose()
    this.layer.mute()
    this.layer.abort('normal', undefined)
    this.layer.line.abort()
  }

  // The layer tells:

  onLost(reason: GunError | 'normal'): void {
    if (this.#isOver) return this.#home.onLost(reason)
    if (this.#refusal !== undefined) return this.#again()
    // A proxy that closes without saying so has not looked at what it was asked.
    if (this.#isRepeating) return this.#restart()
    const closed = () => new GunError('closed', 'connection_error', 'the proxy closed the connection')
    this.#fail(reason === 'normal' ? closed() : reason)
  }

  onClosing(timeout: number, isFinal: boolean): void {
    if (this.#isOver) this.#home.onClosing(timeout, isFinal)
  }

  onRetired(): void {
    if (this.#isOver) this.#home.onRetired()
    else this.#isRetired = true
  }

  onState(state: ConnectedState): void {
    if (this.#isOver) this.#home.onState(state)
  }

  onHeard(): void {
    if (this.#isOver) this.#home.onHeard()
  }

  /** Takes note of each proxy that is reached, and of the origin. */
  onTunnelUp(protocol: ProtocolName): boolean {
    if (this.#isOver) return false
    this.#index++
    this.#isBeyond = false
    if (this.#index < this.#proxies.length) {
      this.#limit(this.#home.opts.connectTimeout, 'connectTimeout', 'connect_timeout')
      this.#proceed()
    } else {
      this.#dispose()
      this.layer.forgetTunnels()
      this.#home.onArrived(protocol)
    }
    return true
  }

  // The way:

  /** Runs a step, at once or behind the one under way. */
  #later(run: () => void): void {
    this.#home.steps.add({ type: 'task', run })
  }

  /** Asks an HTTP proxy for the next end. A SOCKS5 server was asked as it was reached. */
  #proceed(): void {
    const proxy = this.#proxies[this.#index]
    if (proxy?.type !== 'http') return
    this.#later(() => this.#connect(proxy))
  }

  #connect({ headers: given }: ProxyHop): void {
    if (this.#isOver) return
    const index = this.#index
    const { connPid } = this.#home
    const streamRef = new StreamRef(connPid, message => this.#onMessage(message), undefined, undefined, true)
    const authorization = this.#login.valueFor(index)
    const headers: Headers =
      authorization === undefined ? given : [...given, ['proxy-authorization', authorization]]
    const goal = this.#goalOf(index + 1)
    this.layer.perform({ type: 'connect', streamRef, goal, headers, isChecked: true, flow: undefined })
  }

  /** Takes the messages of a CONNECT. */
  #onMessage(message: GunMessage): void {
    if (this.#isOver) return
    switch (message.type) {
      case 'gun_response':
        return this.#onResponse(message.status, message.headers, message.isFin === 'fin')
      case 'gun_data':
        return this.#onRefusal(message.data.length, message.isFin === 'fin')
      case 'gun_trailers':
        return this.#onRefusal(0, true)
      case 'gun_error':
        return this.onLost(message.reason)
    }
  }

  #onResponse(status: number, headers: Headers, isFin: boolean): void {
    this.#isRepeating = false
    if (status < 300) {
      this.#deadline?.clear()
      this.#isBeyond = true
      return
    }
    if (status !== 407) return this.#fail(this.#refusedWith(status, headers))
    const index = this.#index
    this.#refusal = { bytes: 0, isAnswered: false, isRead: isFin }
    // Whoever answers may ask a person.
    this.#deadline?.clear()
    this.#login.answer(index, challengesIn(headers), outcome => {
      this.#later(() => {
        if (this.#isOver || this.#refusal === undefined) return
        if (outcome instanceof GunError) return this.#fail(outcome)
        this.#refusal.isAnswered = true
        this.#askAgain()
      })
    })
  }

  #onRefusal(bytes: number, isFin: boolean): void {
    if (this.#refusal === undefined) return
    this.#refusal.bytes += bytes
    this.#refusal.isRead = isFin
    if (this.#refusal.bytes > MOST_REFUSED) this.#again()
    else this.#askAgain()
  }

  /** Asks the proxy again, with credentials, once its refusal is read in full. */
  #askAgain(): void {
    if (!this.#refusal?.isAnswered || !this.#refusal.isRead) return
    if (this.#isRetired) return this.#restart()
    this.#refusal = undefined
    this.#isRepeating = true
    this.#limit(this.#home.opts.connectTimeout, 'connectTimeout', 'connect_timeout')
    this.#proceed()
  }

  /** Makes the way again over another socket, as the proxy has closed this one, or would have us read too much. */
  #again(): void {
    if (!this.#refusal?.isAnswered) {
      // The answer may still come, and the next attempt begins with it.
      if (this.#login.isAsking) {
        const run = () => this.#later(() => this.#isOver || this.#restart())
        return this.#login.whenAnswered(run)
      }
    }
    this.#restart()
  }

  #restart(): void {
    this.abort()
    this.#home.onAgain()
  }

  #refusedWith(status: number, headers: Headers): GunError {
    const { host, port } = this.#goalOf(this.#index + 1)
    const location = headerValue(headers, 'location')
    const where = location === undefined ? '' : ', and points elsewhere, where no tunnel can follow'
    const text = `it refused a tunnel to ${host.uriHost}:${port} with status ${status}${where}`
    return new GunError('proxy_error', 'connection_error', text)
  }

  #fail(error: GunError): void {
    const at =
      this.#isBeyond || this.layer.protocol?.stateName === 'tls_handshake' ? this.#index + 1 : this.#index
    const isOrigin = at >= this.#proxies.length
    const through = `through ${placeOf(this.#proxies, this.#proxies.length - 1)}`
    const named = isOrigin
      ? new GunError(error.code, 'connection_error', `${through}: ${error.message}`, {
          cause: error,
          isPermanent: error.isPermanent,
        })
      : errorAt(this.#proxies, at, error)
    this.abort()
    this.#home.onAstray(named)
  }

  #limit(
    ms: number = Number.POSITIVE_INFINITY,
    option: string,
    code: 'connect_timeout' | 'domain_lookup_timeout',
  ): void {
    this.#deadline?.clear()
    const text = `${option} of ${ms} ms has passed`
    this.#deadline = new Deadline(ms, () => {
      this.#later(() => this.#isOver || this.#fail(new GunError(code, 'connection_error', text)))
    })
  }

  #dispose(): void {
    this.#isOver = true
    this.#deadline?.clear()
    this.#abortLookup?.()
    this.#login.abandon()
  }

  // The ends:

  #lookUp(index: number): void {
    const { host, port } = this.#endOf(index + 1)
    const { opts } = this.#home
    this.#index = index
    this.#limit(opts.domainLookupTimeout, 'domainLookupTimeout', 'domain_lookup_timeout')
    this.#abortLookup = lookup({ host, port }, opts.tcpOpts, outcome => {
      this.#later(() => {
        if (this.#isOver) return
        this.#abortLookup = undefined
        if (outcome instanceof GunError) return this.#fail(outcome)
        this.#index = 0
        this.#addresses.set(index, outcome[0]?.address ?? host.target)
        this.begin()
      })
    })
  }

  /** The host and port of a proxy, or of the origin behind the last. */
  #endOf(index: number): Origin & { readonly transport: 'tcp' | 'tls' } {
    const { origin, transport } = this.#home
    return this.#proxies[index] ?? { ...origin, transport }
  }

  #goalOf(index: number): Goal {
    const { opts } = this.#home
    const { host, port, transport } = this.#endOf(index)
    const proxy = this.#proxies[index]
    return goalOf({
      host: host.given,
      port,
      transport,
      protocols: this.#initsOf(index),
      tlsHandshakeTimeout: opts.tlsHandshakeTimeout ?? Number.POSITIVE_INFINITY,
      ...tlsOptsIn(proxy === undefined ? opts.tlsOpts : proxy.tlsOpts),
    })
  }

  /** The protocols to speak with a proxy, or with the origin. */
  #initsOf(index: number): readonly ProtocolInit[] {
    const proxy = this.#proxies[index]
    const { opts, transport } = this.#home
    if (proxy === undefined) return protocolsOr(opts.protocols, transport)
    if (proxy.type === 'http') return ['http']
    const { host, ...goal } = this.#goalOf(index + 1)
    const { protocols, port, tlsHandshakeTimeout } = goal
    const { username, password } = proxy
    const address = this.#addresses.get(index)
    const options = {
      host: host.given,
      port,
      protocols,
      transport: goal.transport,
      tlsHandshakeTimeout,
      auth:
        username === undefined || password === undefined
          ? (['none'] as const)
          : (['none', ['username_password', username, password]] as const),
      ...(address !== undefined && { address }),
      ...tlsOptsIn(goal.tlsOpts),
    }
    return [['socks', options]]
  }
}

function tlsOptsIn(tlsOpts: Goal['tlsOpts']): { readonly tlsOpts?: NonNullable<Goal['tlsOpts']> } {
  return tlsOpts === undefined ? {} : { tlsOpts }
}
