/** The protocols of a connection or a tunnel, and the options of CONNECT, SOCKS5 and raw. */

import type { ProtocolName } from '../words.js'
import type { Http2Opts, HttpOpts } from './http.js'
import type { TlsOpts } from './socket.js'

/** The name of a protocol, alone or with options for this protocol. */
export type ProtocolInit =
  | ProtocolName
  | readonly ['http', HttpOpts]
  | readonly ['http2', Http2Opts]
  | readonly ['raw', RawOpts]
  | readonly ['socks', SocksOpts]

/** The other end of a tunnel, and how it is spoken to. */
export interface TunnelEnd {
  /** The host's name, which the proxy looks up, or its address, without brackets. */
  readonly host: string
  /** The port, 1 to 65535. */
  readonly port: number
  /**
   * The protocols to speak through the tunnel, as in `open`. Default: `['http']` over tcp, `['http2', 'http']` over tls.
   */
  readonly protocols?: readonly ProtocolInit[]
  /** The transport within the tunnel. Default `'tcp'`, whatever the port. */
  readonly transport?: 'tcp' | 'tls'
  /** Options of the TLS within the tunnel. Default: those of Node; the `tlsOpts` of `open` do not count. */
  readonly tlsOpts?: TlsOpts
  /** How long the TLS handshake within the tunnel may take, in milliseconds. Default `Infinity`. */
  readonly tlsHandshakeTimeout?: number
}

/** The destination of `connect`. Source: `connect_destination()` in the manual page gun. */
export interface ConnectDestination extends TunnelEnd {
  /** The user's name for the proxy (`proxy-authorization: Basic`), sent only together with a password. */
  readonly username?: string
  /** The user's password for the proxy. */
  readonly password?: string
}

/** A way to say to a SOCKS5 server who the caller is (RFC 1928 section 3, RFC 1929). */
export type SocksAuth = 'none' | readonly ['username_password', username: string, password: string]

/** Options of SOCKS5: the destination, and how to tell the server who the caller is. Source: `socks_opts()` in the manual page gun. */
export interface SocksOpts extends TunnelEnd {
  /** The methods that are offered to the server, each once. Default `['none']`. */
  readonly auth?: readonly SocksAuth[]
  /** The version of SOCKS: 5, and no other. */
  readonly version?: 5
}

/** Options of the protocol raw. Source: `raw_opts()` in the manual page gun. */
export interface RawOpts {
  /**
   * How many `gun_data` may be posted before `updateFlow` asks for more; until then no more is read from the peer. Default
   * `Infinity`: no limit.
   */
  readonly flow?: number
  /**
   * How many bytes may wait to be sent before `data` returns `false`. A `gun_notify` `'drain'` follows when no more than half
   * of that waits. Default: no limit.
   */
  readonly sendHighWaterMark?: number
}
