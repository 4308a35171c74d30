/** The errors of streams and sessions that have ended, from the error codes of HTTP/2 (RFC 9113 section 7). */

import { constants } from 'node:http2'
import { GunError, type GunErrorCode } from '../errors.js'
import type { Fault } from './frames.js'

const NAMES = new Map(
  Object.entries(constants)
    .filter(([name]) =>
      /^NGHTTP2_(NO_ERROR|[A-Z0-9_]+_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/.test(
        name,
      ),
    )
    .map(([name, code]) => [code as number, name.slice('NGHTTP2_'.length)]),
)

/** Gives the name of a code in RFC 9113 section 7. */
export function nameOf(code: number): string {
  return NAMES.get(code) ?? `code ${code}`
}

/** Gives the error of a stream that has ended before it was complete; `isReset`: the peer has reset it. */
export function streamError(code: number, isReset: boolean, cause: unknown): GunError {
  const details = cause === undefined ? {} : { cause }
  if (code === constants.NGHTTP2_REFUSED_STREAM) return refused('the peer has refused the request', details)
  if (isReset) {
    return new GunError('stream_reset', 'stream_error', `the peer reset the stream: ${nameOf(code)}`, details)
  }
  if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM) {
    const text = 'the headers of the response exceed maxHeaderListSize'
    return new GunError('limit_reached', 'stream_error', text, details)
  }
  const text = `the stream broke the rules of HTTP/2 and was reset: ${nameOf(code)}`
  return new GunError('protocol_error', 'stream_error', text, details)
}

/** Gives the error of a request that the peer has not acted on. */
export function refused(what: string, details: { cause?: unknown } = {}): GunError {
  return new GunError('refused_stream', 'stream_error', `${what}; it is safe to ask again`, details)
}

/** Gives the error of a request, or of trailers, that cannot be sent. */
export function unsendable(cause: unknown): GunError {
  const text = `the request cannot be sent over HTTP/2: ${cause instanceof Error ? cause.message : cause}`
  return new GunError('not_supported', 'stream_error', text, { cause })
}

/** The error of each fault of the peer, and the code that the peer is told. */
export const FAULTS: Record<Fault, { readonly code: number; readonly error: () => GunError }> = {
  preface: fault(
    'PROTOCOL_ERROR',
    'protocol_error',
    'the peer does not speak HTTP/2: it did not begin with SETTINGS',
  ),
  http1: fault(
    'PROTOCOL_ERROR',
    'protocol_error',
    "the peer answered HTTP/2's preface with HTTP/1.1, so it does not speak HTTP/2 here",
  ),
  interrupted: fault(
    'PROTOCOL_ERROR',
    'protocol_error',
    'the peer broke the rules of HTTP/2: it sent another frame within a header block',
  ),
  block: fault(
    'ENHANCE_YOUR_CALM',
    'limit_reached',
    'a header block of the peer exceeds by far what maxHeaderListSize allows',
  ),
  flood: fault('ENHANCE_YOUR_CALM', 'limit_reached', 'the peer sends too many frames that bring nothing'),
}

function fault(name: 'PROTOCOL_ERROR' | 'ENHANCE_YOUR_CALM', code: GunErrorCode, text: string) {
  return {
    code: constants[`NGHTTP2_${name}`],
    error: () => new GunError(code, 'connection_error', text),
  }
}

/** Gives the error of a session that Node has ended. */
export function sessionError(cause: unknown): GunError {
  const why = cause instanceof Error ? cause.message : 'it was closed'
  return new GunError('protocol_error', 'connection_error', `the peer broke the rules of HTTP/2: ${why}`, {
    cause,
  })
}
