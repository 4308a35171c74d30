/** The one error type of this package, and its codes. */

import { inspect } from 'node:util'
import { type Mark, makeErrorPortable } from '@holster/process/internal'
import type { WsFrame } from './words.js'

/**
 * Every error code, keyed by its own name. A fault of the peer and a mistake of the caller never share a
 * code.
 */
export interface GunErrorCodes {
  /**
   * An option is unknown or has a wrong value; the message names the option's path. Thrown at once by `open`
   * and by every function that takes options.
   *
   * The same code is reported later where a function among the options threw (the error thrown is the
   * `cause`) or returned a wrong value: the connection then ends for `retryFun`, `proxyAuth` and
   * `tlsOpts.checkServerIdentity`, and the stream for `httpOpts.transformHeaderName`.
   */
  readonly bad_option: 'bad_option'
  /**
   * The connection or the stream cannot do this now: a request on a WebSocket, a frame before the upgrade,
   * data for a stream that has ended. Source: `badstate` in the manual page gun_error.
   */
  readonly badstate: 'badstate'
  /**
   * The peer or the protocol does not support the command: an upgrade over HTTP/1.0, or over HTTP/2 to a
   * server without RFC 8441.
   */
  readonly not_supported: 'not_supported'
  /**
   * The connection is closing and will not be made again, so the command was refused; nothing of it was sent.
   */
  readonly closing: 'closing'
  /**
   * The peer closed the connection, or the command came after the connection had ended (its last error is the
   * `cause`).
   */
  readonly closed: 'closed'
  /**
   * This side closed the connection rather than read the rest of a cancelled response or send the rest of a
   * cancelled request. A request behind the cancelled one that was already sent may be repeated if its method
   * is idempotent (RFC 9110 section 9.2.2); the message says whether it is. A request that was not sent gets
   * `refused_stream` instead.
   */
  readonly cancelled: 'cancelled'
  /** The connection broke; `cause` is the system's error, such as `ECONNRESET`. */
  readonly socket_error: 'socket_error'
  /** The host name did not resolve; `cause` is the system's error, such as `ENOTFOUND`. */
  readonly domain_lookup_error: 'domain_lookup_error'
  /** The look-up of the host name took longer than `domainLookupTimeout`. */
  readonly domain_lookup_timeout: 'domain_lookup_timeout'
  /** No connection could be made; `cause` is the system's error, such as `ECONNREFUSED`. */
  readonly connect_error: 'connect_error'
  /** An attempt to connect took longer than `connectTimeout`. */
  readonly connect_timeout: 'connect_timeout'
  /** The TLS handshake failed; `cause` gives the reason, for example a certificate that was not accepted. */
  readonly tls_error: 'tls_error'
  /** The TLS handshake took longer than `tlsHandshakeTimeout`. */
  readonly tls_handshake_timeout: 'tls_handshake_timeout'
  /**
   * A proxy of the option `proxy` refused a tunnel with a status other than 407; the message names the proxy and the
   * status. Source: RFC 9110 section 9.3.6.
   */
  readonly proxy_error: 'proxy_error'
  /**
   * A proxy of the option `proxy` asks for credentials and got none that it accepts: the proxy answered 407, or refused the
   * method, the name or the password of SOCKS5. The message names the proxy, and the error is permanent. Source: RFC 9110
   * section 15.5.8, RFC 1928 section 3, RFC 1929 section 2.
   */
  readonly proxy_auth: 'proxy_auth'
  /**
   * The SOCKS server failed and gave no reason, or one that RFC 1928 does not know. Source:
   * RFC 1928 section 6.
   */
  readonly socks_general_failure: 'socks_general_failure'
  /** The rules of the SOCKS server do not allow the connection. */
  readonly socks_connection_not_allowed_by_ruleset: 'socks_connection_not_allowed_by_ruleset'
  /** The SOCKS server could not reach the network of the host. */
  readonly socks_network_unreachable: 'socks_network_unreachable'
  /** The SOCKS server could not reach the host. */
  readonly socks_host_unreachable: 'socks_host_unreachable'
  /** The host refused the connection of the SOCKS server. */
  readonly socks_connection_refused: 'socks_connection_refused'
  /** The packets of the SOCKS server did not reach the host within their time to live. */
  readonly socks_ttl_expired: 'socks_ttl_expired'
  /** The SOCKS server does not support the command CONNECT. */
  readonly socks_command_not_supported: 'socks_command_not_supported'
  /** The SOCKS server does not support the type of the address: a name, IPv4 or IPv6. */
  readonly socks_address_type_not_supported: 'socks_address_type_not_supported'
  /** The SOCKS server accepts none of the methods in `auth`. Source: RFC 1928 section 3. */
  readonly socks_no_acceptable_methods: 'socks_no_acceptable_methods'
  /** The SOCKS server refused the user's name and password. Source: RFC 1929 section 2. */
  readonly socks_username_password_auth_failure: 'socks_username_password_auth_failure'
  /**
   * The peer sent bytes that are not valid HTTP (RFC 9112, RFC 9113) or SOCKS5 (RFC 1928), a response without a
   * request, or a body that does not match its content-encoding.
   */
  readonly protocol_error: 'protocol_error'
  /**
   * The peer ended an HTTP/2 stream before it was complete; the message names the reason
   * (RFC 9113 section 7).
   */
  readonly stream_reset: 'stream_reset'
  /**
   * The peer has not processed the request, or the request was never sent, so it is safe to repeat whatever
   * its method (RFC 9113 section 8.7).
   */
  readonly refused_stream: 'refused_stream'
  /** The peer ended the connection with an HTTP/2 error, which the message names (RFC 9113 section 6.8). */
  readonly goaway: 'goaway'
  /** The peer's SETTINGS did not arrive within `http2Opts.prefaceTimeout`. */
  readonly preface_timeout: 'preface_timeout'
  /** The peer did not acknowledge our SETTINGS within `http2Opts.settingsTimeout`. */
  readonly settings_timeout: 'settings_timeout'
  /**
   * The peer accepted an upgrade with a wrong key, header, subprotocol or extension (RFC 6455 section 4.1).
   */
  readonly bad_upgrade: 'bad_upgrade'
  /**
   * The peer sent a WebSocket frame that RFC 6455 forbids (closed with 1002), or a compressed message that
   * cannot be inflated (closed with 1007).
   */
  readonly badframe: 'badframe'
  /**
   * The peer sent text that is not UTF-8; the WebSocket was closed with 1007. Source: RFC 6455 section 8.1.
   */
  readonly badencoding: 'badencoding'
  /** The peer exceeded a limit; the message names the option. */
  readonly limit_reached: 'limit_reached'
  /** A compressed body grew, when decoded, by more than the factor that `maxRatio` of `decode` allows. */
  readonly ratio_exceeded: 'ratio_exceeded'
  /** The peer left `keepaliveTolerance` pings unanswered. */
  readonly keepalive_timeout: 'keepalive_timeout'
  /**
   * The handler of a subprotocol or of content threw, or its promise rejected, or the set-up of a pool threw; `cause` is the error thrown.
   * If the method was `handle` of a subprotocol, the peer's WebSocket was closed with 1011.
   */
  readonly handler_error: 'handler_error'
  /** The peer did not finish closing within `closingTimeout`. */
  readonly closing_timeout: 'closing_timeout'
  /** This side ended the connection with `close` or `shutdown` while the stream was open. */
  readonly shutdown: 'shutdown'
  /** The owner of the connection exited; `cause` is its exit reason. */
  readonly owner_down: 'owner_down'
  /** The connection ended during `await` or a function like it; `cause` is the reason. */
  readonly down: 'down'
  /**
   * `await` or a function like it waited in vain; `cause` is why the last attempt failed or the connection
   * was lost, if either happened.
   */
  readonly timeout: 'timeout'
  /** There is no pool for the scope and the authority, which the message names. Source: `pool_not_found` of gun_pool. */
  readonly pool_not_found: 'pool_not_found'
  /**
   * No connection of the pool was free in time, or all of them fail; `cause` is why the last of them failed, if any has. No part
   * of the request was sent. Source: `no_connection_available` of gun_pool.
   */
  readonly no_connection_available: 'no_connection_available'
  /** There is a pool for the scope and the authority already. Source: `already_started` of supervisor:start_child. */
  readonly already_started: 'already_started'
  /** A defect of this package; `cause` is the error thrown. */
  readonly internal_error: 'internal_error'
}

/** The code of an error: one of the names in `GunErrorCodes`. */
export type GunErrorCode = keyof GunErrorCodes

/**
 * The scope of an error: one stream, the whole connection, a connection that has ended (`down`), a timeout of
 * `await`, a command given in the wrong state, or an option.
 */
export type GunErrorKind = 'stream_error' | 'connection_error' | 'down' | 'timeout' | 'badstate' | 'options'

/** The optional parts of a `GunError`; `cause` is the error of the system or of a library underneath. */
interface Details {
  readonly cause?: unknown
  readonly frames?: readonly WsFrame[]
  readonly isPermanent?: boolean
}

/** The codes whose cause lies on this side and would be the same in the next attempt. */
const PERMANENT: ReadonlySet<GunErrorCode> = new Set(['bad_option', 'internal_error'])

/**
 * Every error of this package: thrown for wrong options, carried by messages for everything the network does,
 * and the reason with which `await` and functions like it reject.
 */
export class GunError extends Error {
  /** `'GunError'`, the first word of the stack. */
  override readonly name = 'GunError'
  /** The code. */
  readonly code: GunErrorCode
  /** The scope of the error. */
  readonly kind: GunErrorKind
  /**
   * Whether trying again cannot help, because the fault is on this side: an option that Node or OpenSSL
   * refuses, credentials that a proxy does not accept, or a defect of this package. Such an error ends the connection at once, whatever `retry` says. An
   * error of kind `down` is permanent if its cause is.
   */
  readonly isPermanent: boolean
  readonly #frames: readonly WsFrame[] | undefined

  /** @internal */
  constructor(code: GunErrorCode, kind: GunErrorKind, message: string, details: Details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.kind = kind
    this.isPermanent = details.isPermanent ?? PERMANENT.has(code)
    this.#frames = details.frames
  }

  /**
   * The frames that `wsSend` could not send; `undefined` for every other error. Printing the error leaves
   * them out.
   */
  get frames(): readonly WsFrame[] | undefined {
    return this.#frames
  }
}

/** The fields of an error that come from another node. */
type SentFields = {
  readonly code: GunErrorCode
  readonly kind: GunErrorKind
  readonly isPermanent: boolean
  readonly cause?: unknown
}

makeErrorPortable(GunError, 'GunError', {
  extraOf: ({ frames }) => frames,
  make(message, fields, frames) {
    const { code, kind, ...details } = fields as SentFields
    return new GunError(code, kind, message, { ...details, frames: frames as readonly WsFrame[] })
  },
})

/** Returns the message of a value thrown by foreign code. Never throws, whatever the value is. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : inspect(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

/**
 * Returns the error for a connection or stream that fills a waiting process's mailbox beyond
 * `waitingHighWaterMark`.
 */
export function overflowError(kind: GunErrorKind, { messages, bytes }: Mark): GunError {
  const text = `more than ${messages} messages or ${bytes} bytes wait in the mailbox of a process that waits for another message from the peer (waitingHighWaterMark)`
  return new GunError('limit_reached', kind, text)
}

/** Returns the same error with another scope, for example for a stream that ended with its connection. */
export function asKind(kind: GunErrorKind, error: GunError): GunError {
  if (error.kind === kind) return error
  const { code, message, cause, isPermanent } = error
  return new GunError(code, kind, message, { cause, isPermanent })
}

/** Returns the error for a stream in a tunnel that the caller has cancelled. */
export function cancelledTunnel(): GunError {
  return new GunError('cancelled', 'stream_error', 'the tunnel was cancelled')
}
