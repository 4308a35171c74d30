/** The one error type of this package, and its codes. */

import { inspect } from 'node:util'
import type { Mark } from '@holster/process/internal'
import type { WsFrame } from './words.js'

/** Every error code, by its name: what went wrong. What the peer did and what the caller did never share a code. */
export interface GunErrorCodes {
  /**
   * Thrown, by `open` and by what takes options: an option is unknown or has a wrong value; the message names its
   * path. Also told later, where a function among the options threw (`cause` is what), or gave what it must not:
   * `retryFun` and `tlsOpts.checkServerIdentity` end the connection, `httpOpts.transformHeaderName` the stream.
   */
  readonly bad_option: 'bad_option'
  /**
   * The connection or the stream cannot do this now: a request on a WebSocket, a frame before the upgrade, data for a
   * stream that has ended. Source: `badstate` in the manual page gun_error.
   */
  readonly badstate: 'badstate'
  /** What was asked for cannot be had here: an upgrade over HTTP/1.0, or over HTTP/2 from a server without RFC 8441. */
  readonly not_supported: 'not_supported'
  /** The connection is closing and will not be made again, so the command was refused; nothing of it was sent. */
  readonly closing: 'closing'
  /** The peer closed the connection; or a command came after the connection had ended: `cause` is its last error. */
  readonly closed: 'closed'
  /**
   * This side closed the connection rather than read the rest of a cancelled response, or send the rest of a cancelled
   * request. A request behind it that was sent may be asked again if its method is idempotent (RFC 9110 section 9.2.2): the
   * message says so. One that was not sent is told with `refused_stream`.
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
  /** The TLS handshake failed; `cause` says why, for example a certificate that was not accepted. */
  readonly tls_error: 'tls_error'
  /** The TLS handshake took longer than `tlsHandshakeTimeout`. */
  readonly tls_handshake_timeout: 'tls_handshake_timeout'
  /**
   * The peer sent something that is not HTTP (RFC 9112, RFC 9113), an answer that nobody asked for, or a body that is not what its
   * content-encoding says.
   */
  readonly protocol_error: 'protocol_error'
  /** The peer ended a stream of HTTP/2 before it was complete; the message names its reason (RFC 9113 section 7). */
  readonly stream_reset: 'stream_reset'
  /**
   * The peer has not looked at the request, or it was never sent, so it is safe to ask again, whatever its method
   * (RFC 9113 section 8.7).
   */
  readonly refused_stream: 'refused_stream'
  /** The peer ended the connection with an error of HTTP/2, which the message names (RFC 9113 section 6.8). */
  readonly goaway: 'goaway'
  /** The peer's SETTINGS did not come within `http2Opts.prefaceTimeout`. */
  readonly preface_timeout: 'preface_timeout'
  /** The peer did not acknowledge our SETTINGS within `http2Opts.settingsTimeout`. */
  readonly settings_timeout: 'settings_timeout'
  /** The peer agreed to an upgrade with a wrong key, header, subprotocol or extension (RFC 6455 section 4.1). */
  readonly bad_upgrade: 'bad_upgrade'
  /**
   * The peer sent a WebSocket frame that RFC 6455 forbids (it was closed with 1002), or a compressed message that
   * cannot be inflated (1007).
   */
  readonly badframe: 'badframe'
  /** The peer sent text that is not UTF-8; it was closed with 1007. Source: RFC 6455 section 8.1. */
  readonly badencoding: 'badencoding'
  /** The peer exceeded a limit; the message names the option. */
  readonly limit_reached: 'limit_reached'
  /** A compressed body became more than `maxRatio` of `decode` allows times as large as it had come. */
  readonly ratio_exceeded: 'ratio_exceeded'
  /** The peer left `keepaliveTolerance` pings in a row unanswered. */
  readonly keepalive_timeout: 'keepalive_timeout'
  /**
   * The handler of a subprotocol or of content threw, or a promise of it rejected; `cause` is what. The peer of a
   * WebSocket was told with 1011 if it was `handle`.
   */
  readonly handler_error: 'handler_error'
  /** The peer did not finish closing within `closingTimeout`. */
  readonly closing_timeout: 'closing_timeout'
  /** This side ended the connection with `close` or `shutdown` while the stream was open. */
  readonly shutdown: 'shutdown'
  /** The owner of the connection exited; `cause` is its reason. */
  readonly owner_down: 'owner_down'
  /** `await` and its like saw the connection end; `cause` is the reason. */
  readonly down: 'down'
  /** `await` and its like waited in vain; `cause` is why the last attempt failed or the connection was lost. */
  readonly timeout: 'timeout'
  /** A defect of this package; `cause` is what was thrown. */
  readonly internal_error: 'internal_error'
}

/** What went wrong, one of the names in `GunErrorCodes`. */
export type GunErrorCode = keyof GunErrorCodes

/**
 * What an error concerns: one stream, the whole connection, a connection that has ended (`down`), a time that ran
 * out in `await`, a command given in the wrong state, or an option.
 */
export type GunErrorKind = 'stream_error' | 'connection_error' | 'down' | 'timeout' | 'badstate' | 'options'

/** How `GunError` is made; `cause` is the error of the system or of a library underneath. */
interface Details {
  readonly cause?: unknown
  readonly frames?: readonly WsFrame[]
  readonly isPermanent?: boolean
}

/** What is wrong on this side, and will be so again. */
const PERMANENT: ReadonlySet<GunErrorCode> = new Set(['bad_option', 'internal_error'])

/** Every error of this package: thrown for wrong options, in messages for what the network does, in rejections of `await`. */
export class GunError extends Error {
  /** `'GunError'`, as it starts the stack. */
  override readonly name = 'GunError'
  /** What went wrong. */
  readonly code: GunErrorCode
  /** What it concerns. */
  readonly kind: GunErrorKind
  /**
   * Whether trying again cannot help, since what is wrong is on this side: an option that Node or OpenSSL refuses, or a defect
   * of this package. The connection then ends at once, whatever `retry` says.
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

  /** The frames that were not sent, when `wsSend` could not send them. They are not printed with the error. */
  get frames(): readonly WsFrame[] | undefined {
    return this.#frames
  }
}

/** What somebody else's code has thrown, in words. Never throws, whatever that is. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : inspect(thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

/** Why a connection or a stream is ended that keeps a process waiting for what is behind more than it has room for. */
export function overflowError(kind: GunErrorKind, { messages, bytes }: Mark): GunError {
  const text = `more than ${messages} messages or ${bytes} bytes wait in the mailbox of a process that waits for something else from the peer (waitingHighWaterMark)`
  return new GunError('limit_reached', kind, text)
}

/** The same error, concerning something else: of a stream that ended with its connection, for one. */
export function asKind(kind: GunErrorKind, error: GunError): GunError {
  if (error.kind === kind) return error
  const { code, message, cause, isPermanent } = error
  return new GunError(code, kind, message, { cause, isPermanent })
}
