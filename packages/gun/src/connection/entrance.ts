/** The end that the socket of a connection leads to: the origin, or the first proxy on the way there. */

import { GunError } from '../errors.js'
import { type Opts, protocolsOf } from '../options/options.js'
import type { ProxyHop } from '../options/proxies.js'
import type { TlsOpts } from '../options/socket.js'
import { type Destination, originOf } from '../transport/contract.js'
import type { ProtocolName } from '../words.js'

export interface Entrance {
  readonly destination: Destination
  readonly transport: 'tcp' | 'tls'
  /** The name that TLS asks for and verifies. */
  readonly identity: string
  readonly tlsOpts: TlsOpts | undefined
  /** The protocols that may be spoken, the preferred one first. */
  readonly protocols: readonly ProtocolName[]
}

/** Returns the entrance of a connection to `destination` through these proxies. */
export function entranceOf(
  destination: Destination,
  transport: 'tcp' | 'tls',
  opts: Opts,
  [proxy]: readonly ProxyHop[],
): Entrance {
  if (proxy === undefined) {
    const { identity } = originOf(destination, transport).host
    return {
      destination,
      transport,
      identity,
      tlsOpts: opts.tlsOpts,
      protocols: protocolsOf(opts, transport),
    }
  }
  return {
    destination: proxy,
    transport: proxy.transport,
    identity: proxy.host.identity,
    tlsOpts: proxy.tlsOpts,
    protocols: [proxy.type],
  }
}

/** Names a proxy by its place on the way, never with credentials. */
export function placeOf(proxies: readonly ProxyHop[], index: number): string {
  const place = proxies.length === 1 ? '' : ` (${index + 1} of ${proxies.length})`
  return `the proxy ${proxies[index]?.name}${place}`
}

/** Returns the error with the name of the proxy at which it has happened. */
export function errorAt(proxies: readonly ProxyHop[], index: number, error: GunError): GunError {
  return withPrefix(placeOf(proxies, index), error)
}

/** Returns the error of reaching the entrance, with the name of the first proxy if there is one. */
export function errorAtEntrance(proxies: readonly ProxyHop[], error: GunError): GunError {
  return proxies.length === 0 ? error : errorAt(proxies, 0, error)
}

/** Returns the error with words in front that say where it has happened; its cause stays that of the system. */
export function withPrefix(prefix: string, { code, message, cause, isPermanent }: GunError): GunError {
  return new GunError(code, 'connection_error', `${prefix}: ${message}`, { cause, isPermanent })
}
