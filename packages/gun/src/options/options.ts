/** All options of `open`, and the functions that fill in the defaults for each protocol. */

import type { ProtocolName } from '../words.js'
import type { ConnectionOpts } from './connection.js'
import type { EventHandler } from './events.js'
import { HTTP_DEFAULTS, HTTP2_DEFAULTS, type HttpOpts } from './http.js'
import { merge } from './merge.js'
import type { ProtocolInit, RawOpts, SocksOpts } from './tunnel.js'

/** Options of `open` and `openUnix`. Times are milliseconds. */
export interface Opts extends ConnectionOpts {
  /**
   * Its methods are called for everything that happens on the connection, at the moment it happens. Default:
   * none.
   */
  readonly eventHandler?: EventHandler
}

export const RETRY_DEFAULTS = { retry: 5, retryTimeout: 5000 } as const

/** Returns the options of HTTP/1.1, with defaults. Options in `protocols` win over `httpOpts`. */
export function httpOptsOf(opts: Opts, protocols = opts.protocols): Required<HttpOpts> {
  return merge(merge(HTTP_DEFAULTS, opts.httpOpts), optsIn(protocols, 'http'))
}

/** Returns the options of HTTP/2, with defaults. Options in `protocols` win over `http2Opts`. */
export function http2OptsOf(opts: Opts, protocols = opts.protocols): typeof HTTP2_DEFAULTS {
  return merge(merge(HTTP2_DEFAULTS, opts.http2Opts), optsIn(protocols, 'http2'))
}

/** Returns the options of raw. */
export function rawOptsOf({ rawOpts }: Opts, protocols: readonly ProtocolInit[]): RawOpts {
  return merge(rawOpts ?? {}, optsIn(protocols, 'raw'))
}

/** Returns the options of SOCKS5, whose host and port are checked. */
export function socksOptsOf({ socksOpts }: Opts, protocols: readonly ProtocolInit[]): SocksOpts {
  return merge(socksOpts ?? {}, optsIn(protocols, 'socks')) as SocksOpts
}

function optsIn(protocols: readonly ProtocolInit[] | undefined, name: ProtocolName): object | undefined {
  for (const init of protocols ?? []) if (typeof init !== 'string' && init[0] === name) return init[1]
  return undefined
}

/** Returns the protocols that may be spoken, in order of preference, each alone or with its options. */
export function protocolsOr(
  protocols: readonly ProtocolInit[] | undefined,
  transport: 'tcp' | 'tls',
): readonly ProtocolInit[] {
  return protocols ?? (transport === 'tls' ? ['http2', 'http'] : ['http'])
}

/** Returns the names of the protocols that may be spoken, in order of preference. */
export function protocolsOf({ protocols }: Opts, transport: 'tcp' | 'tls'): readonly ProtocolName[] {
  return protocolsOr(protocols, transport).map(protocolName)
}

/** Returns the name of a protocol that is given alone or with its options. */
export function protocolName(init: ProtocolInit): ProtocolName {
  return typeof init === 'string' ? init : init[0]
}
