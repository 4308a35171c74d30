/** The faults of a peer's frames: each is an error for the caller and a close code for the peer (RFC 6455 section 7.4.1). */

import { GunError } from '../errors.js'

/** The error that ends the WebSocket, and the close code that answers it. */
export type Failure = readonly [error: GunError, code: number]

/** The limits of a message: bytes of the payload, and number of fragments. */
export interface InboundLimits {
  readonly maxPayload: number
  readonly maxFragments: number
}

/** Returns the failure for a frame against RFC 6455. */
export function badFrame(problem: string): Failure {
  return [new GunError('badframe', 'connection_error', `the peer sent a bad frame: ${problem}`), 1002]
}

/** Returns the failure for text that is not UTF-8; `where` names the text. */
export function badEncoding(where: string): Failure {
  const text = `the peer sent ${where} that is not valid UTF-8`
  return [new GunError('badencoding', 'connection_error', text), 1007]
}

/** Returns the failure for a text message that is not UTF-8. */
export function badText(): Failure {
  return badEncoding('a text message')
}

/** Returns the failure for a message over `maxPayload`. */
export function tooLong(maxPayload: number): Failure {
  const text = `a message from the peer exceeds wsOpts.maxPayload (${maxPayload} bytes)`
  return [new GunError('limit_reached', 'connection_error', text), 1009]
}

/** Returns the failure for a message over `maxFragments`. */
export function tooMany({ maxFragments }: InboundLimits): Failure {
  const text = `a message from the peer has more fragments than wsOpts.maxFragments (${maxFragments})`
  return [new GunError('limit_reached', 'connection_error', text), 1008]
}

/** Returns the failure for a compressed message that is not inflated, from zlib's error. */
export function notInflated(cause: Error): Failure {
  const text = `the peer sent a compressed message that cannot be inflated: ${cause.message}`
  return [new GunError('badframe', 'connection_error', text, { cause }), 1007]
}
