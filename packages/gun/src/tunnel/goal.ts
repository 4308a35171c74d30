/** The end of a tunnel as the caller gives it, brought into one form. */

import { headerValue } from '../headers.js'
import type { Goal } from '../layer/commands.js'
import { parseHost } from '../options/host.js'
import { protocolsOr } from '../options/options.js'
import type { ConnectDestination, TunnelEnd } from '../options/tunnel.js'
import type { Headers } from '../words.js'

/** Returns the goal of a tunnel; what is left open gets its default. Throws a TypeError for a wrong host. */
export function goalOf(end: TunnelEnd & { readonly address?: string }): Goal {
  const { address, host, port, transport = 'tcp', protocols, tlsOpts, tlsHandshakeTimeout } = end
  return {
    host: parseHost(host, port),
    address: address === undefined ? undefined : parseHost(address),
    port,
    transport,
    protocols: protocolsOr(protocols, transport),
    tlsOpts,
    tlsHandshakeTimeout: tlsHandshakeTimeout ?? Number.POSITIVE_INFINITY,
  }
}

/** Returns the header fields with the credentials for the proxy behind them, where both are given and the caller has set none. */
export function withCredentials(headers: Headers, { username, password }: ConnectDestination): Headers {
  if (username === undefined || password === undefined) return headers
  if (headerValue(headers, 'proxy-authorization') !== undefined) return headers
  return [...headers, ['proxy-authorization', basic(username, password)]]
}

/** Returns the value of `proxy-authorization` for a name and a password (RFC 7617). */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
