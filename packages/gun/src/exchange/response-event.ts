/** The parts of a response, whatever carries it. */

import type { GunError } from '../errors.js'
import type { Headers } from '../words.js'

/** A part, in the order of the bytes. `isFin`: nothing more follows for that response. */
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
  /** A part of the body, without its transfer coding. */
  | { readonly type: 'data'; readonly data: Buffer; readonly isFin: boolean }
  /** The trailer section (RFC 9112 section 7.1.2), which ends the response. */
  | { readonly type: 'trailers'; readonly headers: Headers }
  /** The connection has left HTTP/1.1 as the request asked (RFC 9110 section 7.8); `rest` is the new protocol's. */
  | { readonly type: 'upgrade'; readonly status: number; readonly headers: Headers; readonly rest: Buffer }

/** Gives events one at a time, so that their taker can stop between two. */
export interface EventSource {
  /** Gives the next event; `undefined` if there is none, for now or for good. */
  next(): ResponseEvent | undefined
  /** Why no other event can come, once `next` has given the last. */
  readonly failure: GunError | undefined
}
