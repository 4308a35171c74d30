/** The values that a response parser makes of the peer's bytes. */

import type { Headers } from '../words.js'

/** A value that the parser gives, in the order of the bytes. `isFin`: nothing more follows for that response. */
export type ResponseEvent =
  /** The first byte of a response has come. */
  | { readonly type: 'start' }
  /** An interim response (RFC 9110 section 15.2); the final one is still to come. */
  | { readonly type: 'inform'; readonly status: number; readonly headers: Headers }
  /** The head of a final response. `keepAlive` tells whether the connection may go on (RFC 9112 section 9.3). */
  | {
      readonly type: 'response'
      readonly status: number
      readonly headers: Headers
      readonly isFin: boolean
      readonly keepAlive: boolean
      /** How many bytes the body has, where the head says so. */
      readonly length: number | undefined
    }
  /** A part of the body, without its transfer coding; a view of the chunk that was given to `execute`. */
  | { readonly type: 'data'; data: Buffer; readonly isFin: boolean }
  /** The trailer section (RFC 9112 section 7.1.2), which ends the response. */
  | { readonly type: 'trailers'; readonly headers: Headers }
  /** The connection has left HTTP/1.1 as the request asked (RFC 9110 section 7.8); `rest` is the new protocol's. */
  | { readonly type: 'upgrade'; readonly status: number; readonly headers: Headers; rest: Buffer }

/** Says why the connection cannot be parsed any further: the peer broke the protocol, went over a limit, or left. */
export class ResponseParseError extends Error {
  override readonly name = 'ResponseParseError'
  readonly code: 'protocol_error' | 'limit_reached' | 'closed'
  constructor(code: ResponseParseError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The values of one read; those before an error are valid. */
export interface Parsed {
  readonly events: ResponseEvent[]
  readonly error: ResponseParseError | undefined
}

/** The sizes, in bytes and with line ends, of the status line with the header fields, and of the trailer fields. */
export interface ResponseLimits {
  readonly maxHeaderBlockSize: number
  readonly maxTrailerBlockSize: number
}
