/** The ends of a way through proxies, in their order: each proxy, and the origin behind the last. Says how each is asked for the next. */

import type { GunError } from '../errors.js'
import type { Goal } from '../layer/commands.js'
import type { Origin } from '../options/host.js'
import { HTTP_DEFAULTS } from '../options/http.js'
import { type Opts, protocolsOr } from '../options/options.js'
import type { ProxyHop } from '../options/proxies.js'
import type { ProtocolInit, SocksAuth, TunnelEnd } from '../options/tunnel.js'
import { goalOf } from '../tunnel/goal.js'
import { errorAt, placeOf, withPrefix } from './entrance.js'

type End = Origin & { readonly transport: 'tcp' | 'tls' }

// The limits of heads stay those of the caller; all else in `httpOpts` is meant for the origin.
const { maxHeaderBlockSize: _, maxTrailerBlockSize: __, ...FOR_PROXIES } = HTTP_DEFAULTS

export class WayEnds {
  readonly #proxies: readonly ProxyHop[]
  readonly #origin: End
  readonly #opts: Opts
  /** The addresses that SOCKS5 servers are asked for in place of names, by the place of the end. */
  readonly #addresses = new Map<number, string>()

  constructor(proxies: readonly ProxyHop[], origin: End, opts: Opts) {
    this.#proxies = proxies
    this.#origin = origin
    this.#opts = opts
  }

  at(index: number): End {
    return this.#proxies[index] ?? this.#origin
  }

  /** The place of the next end whose name has to be looked up on this side; `undefined`: there is none. */
  get unresolved(): number | undefined {
    const proxy = this.#proxies.findIndex(
      ({ resolves }, index) => resolves === 'here' && !this.#addresses.has(index + 1),
    )
    return proxy === -1 ? undefined : proxy + 1
  }

  /** Takes the address of an end. */
  resolve(index: number, address: string): void {
    this.#addresses.set(index, address)
  }

  /** Returns the tunnel to an end, for which the proxy before it is asked. */
  goalAt(index: number): Goal {
    return goalOf(this.#tunnelEndAt(index))
  }

  /** Returns the protocols to speak with an end. */
  protocolsAt(index: number): readonly ProtocolInit[] {
    const proxy = this.#proxies[index]
    if (proxy === undefined) return protocolsOr(this.#opts.protocols, this.#origin.transport)
    if (proxy.type === 'http') return [['http', FOR_PROXIES]]
    return [['socks', { ...this.#tunnelEndAt(index + 1), auth: authOf(proxy) }]]
  }

  /** Returns the error with the name of the end at which it has happened; that of the origin is the proxy that leads there. */
  errorAt(index: number, error: GunError): GunError {
    if (index < this.#proxies.length) return errorAt(this.#proxies, index, error)
    return withPrefix(`through ${placeOf(this.#proxies, this.#proxies.length - 1)}`, error)
  }

  /** Names an end. */
  nameAt(index: number): string {
    return index < this.#proxies.length ? placeOf(this.#proxies, index) : 'the origin'
  }

  #tunnelEndAt(index: number): TunnelEnd & { readonly address?: string } {
    const { host, port, transport } = this.at(index)
    const proxy = this.#proxies[index]
    const { tlsOpts, tlsHandshakeTimeout } = this.#opts
    const own = proxy === undefined ? tlsOpts : proxy.tlsOpts
    const address = this.#addresses.get(index)
    return {
      host: host.given,
      port,
      transport,
      protocols: this.protocolsAt(index),
      ...(own !== undefined && { tlsOpts: own }),
      ...(tlsHandshakeTimeout !== undefined && { tlsHandshakeTimeout }),
      ...(address !== undefined && { address }),
    }
  }
}

function authOf({ username, password }: ProxyHop): readonly SocksAuth[] {
  if (username === undefined || password === undefined) return ['none']
  return ['none', ['username_password', username, password]]
}
