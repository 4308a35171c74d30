/** The errors of streams and connections that the peer has ended, or that have broken its rules (RFC 9113 section 7). */

import { GunError } from '../errors.js'
import { codes, nameOf } from './engine/codes.js'

/** Returns the error of a stream that the peer has reset. */
export function resetError(code: number): GunError {
  if (code === codes.REFUSED_STREAM) return refused('the peer has refused the request')
  return new GunError('stream_reset', 'stream_error', `the peer reset the stream: ${nameOf(code)}`)
}

/** Returns the error of a stream that was reset for a fault of the peer. */
export function brokenError(code: number, text: string): GunError {
  if (code === codes.REFUSED_STREAM) return refused(text)
  if (code === codes.ENHANCE_YOUR_CALM) return new GunError('limit_reached', 'stream_error', text)
  const told = `the stream broke the rules of HTTP/2 and was reset (${nameOf(code)}): ${text}`
  return new GunError('protocol_error', 'stream_error', told)
}

/** Returns the error of a connection that was ended for a fault of the peer. */
export function failure(text: string, isLimit: boolean): GunError {
  return new GunError(isLimit ? 'limit_reached' : 'protocol_error', 'connection_error', text)
}

/** Returns the error of a connection that the peer has ended with an error. */
export function goawayError(code: number): GunError {
  return new GunError('goaway', 'connection_error', `the peer ended the connection: ${nameOf(code)}`)
}

/** Returns the error of a request for which the connection has no number left. */
export function usedUp(): GunError {
  return refused('the connection has carried as many requests as one can')
}

/** Returns the error of a request that the peer has not acted on. */
export function refused(what: string): GunError {
  return new GunError('refused_stream', 'stream_error', `${what}; it is safe to ask again`)
}

/** Returns the error of a request that the server had not looked at when it ended the connection. */
export function unseen(): GunError {
  return refused('the peer has ended the connection before this request')
}

/** Returns the error of a request that cannot be sent. */
export function unsendable(cause: unknown): GunError {
  const text = `the request cannot be sent over HTTP/2: ${cause instanceof Error ? cause.message : cause}`
  return new GunError('not_supported', 'stream_error', text, { cause })
}
