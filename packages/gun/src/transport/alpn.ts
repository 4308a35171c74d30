/** Which protocol is spoken: what ALPN has chosen over tls (RFC 7301), else what was to be spoken anyway. */

import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ProtocolName } from '../words.js'

/** The names of ALPN (RFC 9113 section 3.2, RFC 9112 section 12.4). */
const NAMES: Record<ProtocolName, string> = { http: 'http/1.1', http2: 'h2' }

/** What is offered, the preferred one first. */
export function offer(protocols: readonly ProtocolName[]): string[] {
  return protocols.map(name => NAMES[name])
}

/** Why what the server has chosen cannot be spoken; `undefined` when it can, or when it has left it open. */
export function problemWith(
  chosen: string | false | null,
  protocols: readonly ProtocolName[],
): string | undefined {
  if (!chosen || offer(protocols).includes(chosen)) return undefined
  return `the server chose ${JSON.stringify(chosen)} by ALPN, which was not offered (${offer(protocols).join(', ')})`
}

/** What is spoken over a stream that is connected. A server that knows no ALPN speaks HTTP/1.1, unless only one thing may be. */
export function spokenOver(stream: Duplex, protocols: readonly ProtocolName[]): ProtocolName {
  const [first = 'http', second] = protocols
  if (second === undefined) return first
  const chosen = stream instanceof TLSSocket ? stream.alpnProtocol : false
  return protocols.find(name => NAMES[name] === chosen) ?? 'http'
}
