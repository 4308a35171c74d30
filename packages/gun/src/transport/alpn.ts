/** The choice of the protocol: by ALPN over tls (RFC 7301), otherwise by the options alone. */

import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ProtocolName } from '../words.js'

/** The protocol names of ALPN (RFC 9113 section 3.2, RFC 9112 section 12.4). */
const NAMES: Partial<Record<ProtocolName, string>> = { http: 'http/1.1', http2: 'h2' }

/** Returns the ALPN names to offer, in order of preference; none for protocols that have no such name. */
export function offer(protocols: readonly ProtocolName[]): string[] {
  return protocols.map(name => NAMES[name]).filter(name => name !== undefined)
}

/**
 * Describes why the server's choice cannot be spoken; `undefined` if it can, or if the server chose nothing.
 */
export function problemWith(
  chosen: string | false | null,
  protocols: readonly ProtocolName[],
): string | undefined {
  if (!chosen || offer(protocols).includes(chosen)) return undefined
  return `the server chose ${JSON.stringify(chosen)} by ALPN, which was not offered (${offer(protocols).join(', ')})`
}

/**
 * Returns the protocol spoken over a connected stream. A server without ALPN speaks HTTP/1.1, unless just one
 * protocol is allowed.
 */
export function spokenOver(stream: Duplex, protocols: readonly ProtocolName[]): ProtocolName {
  const [first = 'http', second] = protocols
  if (second === undefined) return first
  const chosen = stream instanceof TLSSocket ? stream.alpnProtocol : false
  return protocols.find(name => NAMES[name] === chosen) ?? 'http'
}
