/** The one error type of this package, and the list of its codes. */

import type { WsFrame } from './messages.js'

/**
 * What went wrong. What the peer did and what the caller did never share a code.
 *
 * | code | meaning |
 * | --- | --- |
 * | `bad_option` | thrown: an option is unknown or has a wrong value; the message names its path |
 * | `badstate` | the connection cannot do this now: a request on a WebSocket, a frame before the upgrade |
 * | `not_supported` | what was asked for cannot be had with these options: an upgrade over HTTP/1.0 |
 * | `closing` | the connection is closing and will not be made again, so the command was refused |
 * | `closed` | the peer closed the connection, or a command came after the connection had ended |
 * | `socket_error` | the connection broke; `cause` is the system's error |
 * | `domain_lookup_error`, `domain_lookup_timeout` | the host name did not resolve, or not in time |
 * | `connect_error`, `connect_timeout` | no connection could be made, or not in time |
 * | `tls_error`, `tls_handshake_timeout` | the TLS handshake failed (`cause` says why), or took too long |
 * | `protocol_error` | the peer sent something that is not HTTP, or an answer that nobody asked for |
 * | `bad_upgrade` | the peer agreed to an upgrade with a wrong key, header, subprotocol or extension |
 * | `badframe` | the peer sent a WebSocket frame that RFC 6455 forbids (it was closed with 1002), or a compressed message that cannot be inflated (1007) |
 * | `badencoding` | the peer sent text that is not UTF-8; it was closed with 1007 |
 * | `limit_reached` | the peer exceeded a limit; the message names the option |
 * | `keepalive_timeout` | the peer left `wsOpts.keepaliveTolerance` pings in a row unanswered |
 * | `handler_error` | the handler of a subprotocol threw; `cause` is what. The peer was told with 1011 if it was `handle` |
 * | `closing_timeout` | the peer did not finish closing within `closingTimeout` |
 * | `shutdown` | this side ended the connection with `close` or `shutdown` while the stream was open |
 * | `owner_down` | the owner of the connection exited; `cause` is its reason |
 * | `down` | `await` saw the connection end; `cause` is the reason |
 * | `timeout` | `await` waited in vain |
 * | `internal_error` | a defect of this package; `cause` is what was thrown |
 */
export type GunErrorCode =
  | 'bad_option'
  | 'badstate'
  | 'not_supported'
  | 'closing'
  | 'closed'
  | 'socket_error'
  | 'domain_lookup_error'
  | 'domain_lookup_timeout'
  | 'connect_error'
  | 'connect_timeout'
  | 'tls_error'
  | 'tls_handshake_timeout'
  | 'protocol_error'
  | 'bad_upgrade'
  | 'badframe'
  | 'badencoding'
  | 'limit_reached'
  | 'keepalive_timeout'
  | 'handler_error'
  | 'closing_timeout'
  | 'shutdown'
  | 'owner_down'
  | 'down'
  | 'timeout'
  | 'internal_error'

/**
 * What an error concerns: one stream, the whole connection, a connection that has ended (`down`), a time that ran
 * out in `await`, a command given in the wrong state, or an option.
 */
export type GunErrorKind = 'stream_error' | 'connection_error' | 'down' | 'timeout' | 'badstate' | 'options'

/** How `GunError` is made; `cause` is the error of the system or of a library underneath. */
interface Details {
  readonly cause?: unknown
  readonly frames?: readonly WsFrame[]
}

/** Every error of this package: thrown for wrong options, in messages for what the network does, in rejections of `await`. */
export class GunError extends Error {
  override readonly name = 'GunError'
  readonly code: GunErrorCode
  readonly kind: GunErrorKind
  /** The frames that were not sent, when `wsSend` could not send them. */
  readonly frames: readonly WsFrame[] | undefined

  constructor(code: GunErrorCode, kind: GunErrorKind, message: string, details: Details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.kind = kind
    this.frames = details.frames
  }
}

/** `error` as the reason of a stream that ended with its connection. */
export function asConnectionError(error: GunError): GunError {
  if (error.kind === 'connection_error') return error
  return new GunError(error.code, 'connection_error', error.message, { cause: error.cause })
}
