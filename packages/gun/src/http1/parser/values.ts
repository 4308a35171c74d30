/** The values that a parser of responses gives, in the order of the bytes, or the reason why it cannot go on. */

/** Header fields in wire order, with lower-case names; duplicates are kept. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** A part of a response. `isFin`: nothing more follows for that response. */
export type ResponseValue =
  /** The first byte of a response has come. */
  | { readonly type: 'start' }
  /** An interim response (RFC 9110 section 15.2); the final one is still to come. */
  | { readonly type: 'inform'; readonly status: number; readonly headers: Fields }
  /** The head of a final response. `keepAlive` tells whether the connection may go on (RFC 9112 section 9.3). */
  | {
      readonly type: 'response'
      readonly status: number
      readonly headers: Fields
      readonly isFin: boolean
      readonly keepAlive: boolean
      /** How many bytes the body has, where the head says so. */
      readonly length: number | undefined
    }
  /** A part of the body, without its transfer coding; a view of the bytes that were pushed. */
  | { readonly type: 'data'; readonly data: Buffer; readonly isFin: boolean }
  /** The trailer section (RFC 9112 section 7.1.2), which ends the response. */
  | { readonly type: 'trailers'; readonly headers: Fields }
  /** The connection has left HTTP/1.1 as the request asked (RFC 9110 section 7.8); `rest` is the new protocol's. */
  | { readonly type: 'upgrade'; readonly status: number; readonly headers: Fields; readonly rest: Buffer }

/** The sizes, in bytes and with line ends, of the status line with the header fields, and of the trailer fields. */
export interface ResponseLimits {
  readonly maxHeaderBlockSize: number
  readonly maxTrailerBlockSize: number
}

/** Says why the connection cannot be parsed any further: the peer broke the protocol, went over a limit, or left. */
export class ResponseParseError extends Error {
  override readonly name = 'ResponseParseError'
  readonly code: 'protocol_error' | 'limit_reached' | 'closed'

  constructor(code: ResponseParseError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Makes the error for a response that the grammar allows, and that must not be believed. */
export function refused(message: string): ResponseParseError {
  return new ResponseParseError('protocol_error', message)
}

/** Makes the error for bytes that are not in the grammar of HTTP/1.1. */
export function notValid(problem: string): ResponseParseError {
  return refused(`not valid HTTP/1.1: ${problem}`)
}
