/** The options of sockets: those of Node that a connection of this package carries out. */

import type { BlockList, LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'

/** Options of a socket over tcp; they mean what those of `net.connect` do. Times are milliseconds. */
export interface TcpOpts {
  /** Whether what the peer sent before it ended its side is still read, and answered. Default `true`. */
  readonly allowHalfOpen?: boolean
  /**
   * Whether all addresses of the host are tried, the families in turn, the first one to answer being connected to
   * (RFC 8305). Default `true`; `false`: only the first address.
   */
  readonly autoSelectFamily?: boolean
  /**
   * How long an address may take to answer before the next one is tried as well; it goes on, and may still be the first.
   * At least 10. Default 250 (RFC 8305 section 5: Connection Attempt Delay).
   */
  readonly autoSelectFamilyAttemptTimeout?: number
  /** Addresses that are never connected to, also where the host is one. Default: none. */
  readonly blockList?: BlockList
  /** 4 or 6: only such addresses of a name are connected to. Default 0: any. */
  readonly family?: 0 | 4 | 6
  /** Flags of `dns.lookup`. Default 0. */
  readonly hints?: number
  /** Whether the system probes a connection on which nothing happens. Default `false`. */
  readonly keepAlive?: boolean
  /** How long nothing happens before it does. Default 0: as long as the system says. */
  readonly keepAliveInitialDelay?: number
  /** The address to connect from; only addresses of its family are connected to. Default: the system's choice. */
  readonly localAddress?: string
  /** The port to connect from. Default: the system's choice. */
  readonly localPort?: number
  /**
   * Looks names up, in place of `dns.lookup`, and may refuse them; an address that is given as the host is not looked up.
   * Gets `all: true`, and may give one address all the same. What it throws, or rejects with, is a `domain_lookup_error`.
   */
  readonly lookup?: LookupFunction
  /** Whether small packets leave at once. Default `true`. */
  readonly noDelay?: boolean
}

/**
 * Options of TLS, as those of `tls.connect`. `servername` is asked for by SNI and is whom the certificate has to be for, in
 * place of the host; `''`: nothing is asked for. `host` is only the latter.
 */
export type TlsOpts = Readonly<
  Omit<
    ConnectionOptions,
    // Of these open decides, a server, or nobody.
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
