/** All options of `open`, and the ones that hold for each protocol once defaults are filled in. */

import type { ProtocolName } from '../words.js'
import type { ConnectionOpts } from './connection.js'
import type { EventHandler } from './events.js'
import { HTTP_DEFAULTS, HTTP2_DEFAULTS, type HttpOpts } from './http.js'
import { merge } from './merge.js'

/** Options of `open` and `openUnix`. Times are milliseconds. */
export interface Opts extends ConnectionOpts {
  /** Is told what happens on the connection, as it happens. Default: none. */
  readonly eventHandler?: EventHandler
}

export const RETRY_DEFAULTS = { retry: 5, retryTimeout: 5000 } as const

/** The options of HTTP/1.1 for a connection: what `protocols` says wins over `httpOpts`. */
export function httpOptsOf(given: Opts): Required<HttpOpts> {
  return merge(merge(HTTP_DEFAULTS, given.httpOpts), ownOpts(given, 'http'))
}

/** The options of HTTP/2 for a connection: what `protocols` says wins over `http2Opts`. */
export function http2OptsOf(given: Opts): typeof HTTP2_DEFAULTS {
  return merge(merge(HTTP2_DEFAULTS, given.http2Opts), ownOpts(given, 'http2'))
}

function ownOpts(given: Opts, protocol: ProtocolName): object | undefined {
  for (const one of given.protocols ?? []) if (typeof one !== 'string' && one[0] === protocol) return one[1]
  return undefined
}

/** What may be spoken, the preferred one first. */
export function protocolsOf(given: Opts, transport: 'tcp' | 'tls'): readonly ProtocolName[] {
  if (given.protocols === undefined) return transport === 'tls' ? ['http2', 'http'] : ['http']
  return given.protocols.map(one => (typeof one === 'string' ? one : one[0]))
}
