/** The errors of a stream whose command comes too late, or whose connection ends too early. */

import { GunError } from '../errors.js'

/** Returns the error for a connection that ended before the response was complete. */
export function closedEarly(): GunError {
  const text = 'the connection was closed before the response was complete'
  return new GunError('closed', 'connection_error', text)
}

/** Returns the error for a cancel of a stream that has ended. */
export function nothingToCancel(): GunError {
  const text = 'there is nothing to cancel: the stream has ended, or was cancelled before'
  return new GunError('badstate', 'badstate', text)
}

/**
 * Returns the error for data on a stream that takes none. `cause` is the error that ended the stream, if any.
 */
export function takesNoData(cause?: GunError): GunError {
  const text = 'this stream takes no data: its body is complete, or it has ended'
  return new GunError('badstate', 'badstate', text, cause === undefined ? undefined : { cause })
}

/** Returns the error for a request of which nothing was sent before the connection ended. */
export function neverSent(cause: GunError): GunError {
  // A caller that ended the connection does not mean to repeat the request.
  if (cause.code === 'shutdown') return cause
  const text = 'the connection ended before the request was sent; it is safe to ask again'
  return new GunError('refused_stream', 'connection_error', text, { cause })
}

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/**
 * Returns the error for a request sent behind a cancelled stream, for whose sake this side has closed the
 * connection.
 */
export function behindCancelled(method: string, cause: GunError): GunError {
  const text = IDEMPOTENT.has(method)
    ? `it is safe to ask again, since ${method} is idempotent`
    : `the peer may have acted on the ${method} of this stream already`
  return new GunError('cancelled', 'connection_error', `${cause.message}; ${text}`, { cause })
}

/**
 * Returns the error for a request behind the last response of the connection: the peer ignores it
 * (RFC 9112 section 9.6).
 */
export function notSeen(): GunError {
  const text =
    'a response before this one said connection: close, so the peer ignores the request; it is safe to ask again'
  return new GunError('refused_stream', 'connection_error', text)
}

/**
 * Returns the error for a request behind a response that lasts as long as the connection, or that comes from
 * a peer without persistent connections.
 */
export function notAnswered(): GunError {
  const text = 'the connection ends with a response before this one; the peer may have acted on the request'
  return new GunError('closed', 'connection_error', text)
}

/** Returns the error for a request that is not sent any more because the connection is closing. */
export function unsent(): GunError {
  const text = 'the connection is closing; the request was not sent'
  return new GunError('closing', 'stream_error', text)
}

/** Returns the error for a stream whose connection the caller has ended. */
export function closedHere(): GunError {
  return new GunError('shutdown', 'connection_error', 'the connection was ended on this side')
}
