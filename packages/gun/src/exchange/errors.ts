/** What a stream is told where a command comes too late for it, or its connection ends too early. */

import { GunError } from '../errors.js'

export function ended(): GunError {
  const text = 'the connection was closed before the response was complete'
  return new GunError('closed', 'connection_error', text)
}

export function nothingToCancel(): GunError {
  const text = 'there is nothing to cancel: the stream has ended, or was cancelled before'
  return new GunError('badstate', 'badstate', text)
}

/** `cause`: why it has ended. */
export function takesNoData(cause?: GunError): GunError {
  const text = 'this stream takes no data: its body is complete, or it has ended'
  return new GunError('badstate', 'badstate', text, cause === undefined ? undefined : { cause })
}

/** The connection has ended before anything of it was sent. */
export function neverSent(cause: GunError): GunError {
  // Whoever has ended it himself does not mean to ask again.
  if (cause.code === 'shutdown') return cause
  const text = 'the connection ended before the request was sent; it is safe to ask again'
  return new GunError('refused_stream', 'connection_error', text, { cause })
}

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** The request was sent behind a cancelled stream, for whose sake this side has closed the connection. */
export function behindCancelled(method: string, cause: GunError): GunError {
  const text = IDEMPOTENT.has(method)
    ? `it is safe to ask again, since ${method} is idempotent`
    : `the peer may have acted on the ${method} of this stream already`
  return new GunError('cancelled', 'connection_error', `${cause.message}; ${text}`, { cause })
}

/** A response said that it is the last: the peer looks at nothing behind it (RFC 9112 section 9.6). */
export function notSeen(): GunError {
  const text =
    'a response before this one said connection: close, so the peer ignores the request; it is safe to ask again'
  return new GunError('refused_stream', 'connection_error', text)
}

/** A response lasts as long as the connection, or is of a peer that keeps none open. */
export function notAnswered(): GunError {
  const text = 'the connection ends with a response before this one; the peer may have acted on the request'
  return new GunError('closed', 'connection_error', text)
}

/** The connection is closing, and what was asked for is not sent any more. */
export function unsent(): GunError {
  const text = 'the connection is closing; the request was not sent'
  return new GunError('closing', 'stream_error', text)
}
