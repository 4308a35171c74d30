/** All options of `open`, and the functions that fill in the defaults for each protocol. */

import type { ProtocolName } from '../words.js'
import type { ConnectionOpts } from './connection.js'
import type { EventHandler } from './events.js'
import { HTTP_DEFAULTS, HTTP2_DEFAULTS, type HttpOpts } from './http.js'
import { merge } from './merge.js'

/** Options of `open` and `openUnix`. Times are milliseconds. */
export interface Opts extends ConnectionOpts {
  /**
   * Its methods are called for everything that happens on the connection, at the moment it happens. Default:
   * none.
   */
  readonly eventHandler?: EventHandler
}

export const RETRY_DEFAULTS = { retry: 5, retryTimeout: 5000 } as const

/**
 * Returns the HTTP/1.1 options of a connection, with defaults. Options in `protocols` win over `httpOpts`.
 */
export function httpOptsOf(opts: Opts): Required<HttpOpts> {
  return merge(merge(HTTP_DEFAULTS, opts.httpOpts), optsInProtocols(opts, 'http'))
}

/** Returns the HTTP/2 options of a connection, with defaults. Options in `protocols` win over `http2Opts`. */
export function http2OptsOf(opts: Opts): typeof HTTP2_DEFAULTS {
  return merge(merge(HTTP2_DEFAULTS, opts.http2Opts), optsInProtocols(opts, 'http2'))
}

function optsInProtocols({ protocols = [] }: Opts, protocol: ProtocolName): object | undefined {
  for (const init of protocols) if (typeof init !== 'string' && init[0] === protocol) return init[1]
  return undefined
}

/** Returns the names of the protocols that may be spoken, in order of preference. */
export function protocolsOf({ protocols }: Opts, transport: 'tcp' | 'tls'): readonly ProtocolName[] {
  if (protocols === undefined) return transport === 'tls' ? ['http2', 'http'] : ['http']
  return protocols.map(init => (typeof init === 'string' ? init : init[0]))
}
