/** The options of sockets: those of Node's options that a connection of this package supports. */

import type { BlockList, LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/** Options of a tcp socket; each has the meaning that it has for `net.connect`. Times are milliseconds. */
export interface TcpOpts {
  /** Whether data that the peer sent before it ended its side is still read and answered. Default `true`. */
  readonly allowHalfOpen?: boolean
  /**
   * Whether all addresses of the host are tried, alternating between the families, until one answers
   * (RFC 8305). Default `true`; with `false` only the first address is tried.
   */
  readonly autoSelectFamily?: boolean
  /**
   * How long an address may take to answer before the next one is tried as well, in milliseconds. The earlier
   * attempt continues and may still be the first to succeed. At least 10. Default 250 (RFC 8305 section 5:
   * Connection Attempt Delay).
   */
  readonly autoSelectFamilyAttemptTimeout?: number
  /** Addresses that are never connected to, even if the host itself is such an address. Default: none. */
  readonly blockList?: BlockList
  /** 4 or 6: connects only to addresses of that family. Default 0: either. */
  readonly family?: 0 | 4 | 6
  /** Flags of `dns.lookup`. Default 0. */
  readonly hints?: number
  /** Whether the system sends TCP keep-alive probes on an idle connection. Default `false`. */
  readonly keepAlive?: boolean
  /**
   * How long the connection must be idle before the first probe, in milliseconds. Default 0: the system's
   * setting.
   */
  readonly keepAliveInitialDelay?: number
  /**
   * The local address to connect from; only addresses of its family are connected to. Default: the system's
   * choice.
   */
  readonly localAddress?: string
  /** The local port to connect from. Default: the system's choice. */
  readonly localPort?: number
  /**
   * Looks names up in place of `dns.lookup`, and may refuse them. A host that is an address is not looked up.
   * The function gets `all: true`, and may return a single address all the same. If it throws or rejects, the
   * attempt fails with `domain_lookup_error`.
   */
  readonly lookup?: LookupFunction
  /** Whether small packets are sent without delay (TCP_NODELAY). Default `true`. */
  readonly noDelay?: boolean
}

/**
 * Options of TLS, each with the meaning that it has for `tls.connect`. `servername` is sent by SNI and is the
 * name that the certificate must match, in place of the host; `''` sends no SNI. `host` sets only the name
 * that the certificate must match.
 */
export type TlsOpts = Readonly<
  Omit<
    ConnectionOptions,
    // `open` sets these options, or they belong to servers, or no side can use them here.
    | 'ALPNCallback'
    | 'ALPNProtocols'
    | 'SNICallback'
    | 'dhparam'
    | 'honorCipherOrder'
    | 'lookup'
    | 'path'
    | 'port'
    | 'requestCert'
    | 'sessionIdContext'
    | 'sessionTimeout'
    | 'socket'
    | 'ticketKeys'
    | 'timeout'
  >
>
