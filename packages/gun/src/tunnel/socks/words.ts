/** The words of SOCKS5 (RFC 1928, RFC 1929): what a client is given, what it gives, and the bytes that stand for them. */

/** The other end that the server is asked to connect to: a name, or the bytes of an address in network order. */
export type SocksAddress =
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'ipv4'; readonly bytes: Uint8Array }
  | { readonly type: 'ipv6'; readonly bytes: Uint8Array }

/** A method by which the client may say who it is. */
export type SocksMethod = 'none' | readonly ['username_password', username: string, password: string]

/** Why there is no connection. */
export type SocksFailure =
  | 'general_socks_server_failure'
  | 'connection_not_allowed_by_ruleset'
  | 'network_unreachable'
  | 'host_unreachable'
  | 'connection_refused'
  | 'ttl_expired'
  | 'command_not_supported'
  | 'address_type_not_supported'
  | 'no_acceptable_methods'
  | 'username_password_auth_failure'
  | 'protocol_error'

/** A failure, and part of a sentence that says what has happened. */
export interface SocksFailed {
  readonly type: 'failed'
  readonly failure: SocksFailure
  readonly text: string
}

/** A value of the client: bytes for the server, or the outcome, behind which there is nothing more. */
export type SocksValue =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** The bytes of `rest` came behind the reply: the first ones of the other end. */
  | { readonly type: 'connected'; readonly rest: Buffer }
  | SocksFailed

/** The version of the protocol. */
export const VERSION = 5
/** The version of the negotiation by name and password (RFC 1929 section 2). */
export const CREDENTIALS_VERSION = 1
/** The command CONNECT (RFC 1928 section 4). */
export const CONNECT = 1

/** The numbers of the methods (RFC 1928 section 3). */
export const METHODS = { none: 0, username_password: 2 } as const
/** The number by which the server refuses every method. */
export const NO_METHOD = 255

/** The numbers of the types of addresses (RFC 1928 section 5). */
export const ADDRESS_TYPES = { ipv4: 1, name: 3, ipv6: 4 } as const

/** The meaning of each number of a reply (RFC 1928 section 6), in its order from 1. */
const REFUSALS: readonly (readonly [SocksFailure, text: string])[] = [
  ['general_socks_server_failure', 'the SOCKS server failed, and does not say why'],
  ['connection_not_allowed_by_ruleset', 'the rules of the SOCKS server do not allow this connection'],
  ['network_unreachable', 'the SOCKS server could not reach the network'],
  ['host_unreachable', 'the SOCKS server could not reach the host'],
  ['connection_refused', 'the host refused the connection of the SOCKS server'],
  ['ttl_expired', 'the packets of the SOCKS server did not reach the host within their time to live'],
  ['command_not_supported', 'the SOCKS server does not support the command CONNECT'],
  ['address_type_not_supported', 'the SOCKS server does not support this type of address'],
]

/** Returns the failure that a reply other than 0 stands for. */
export function refusalOf(reply: number): SocksFailed {
  const [failure, text] = REFUSALS[reply - 1] ?? [
    'general_socks_server_failure',
    `the SOCKS server refused for a reason that RFC 1928 does not know (${reply})`,
  ]
  return { type: 'failed', failure, text }
}

/** Returns the failure of a server that breaks the protocol. */
export function breach(text: string): SocksFailed {
  return { type: 'failed', failure: 'protocol_error', text }
}
