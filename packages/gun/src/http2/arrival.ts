/**
 * Whether all of a response has come over HTTP/2. Node alone does not tell: a reset hides what it has found wrong, and it
 * ends a stream that was reset without an error like one that is complete. So what it tells is held against the frames.
 *
 * | the stream was reset | the peer has ended it                     | is it whole?                                      |
 * | -------------------- | ----------------------------------------- | ------------------------------------------------- |
 * | no                   | yes                                       | yes, unless Node has closed it with an error      |
 * | no                   | no                                        | no                                                |
 * | by the peer          | yes, and wants no more of the request     | yes, if Node has told of all that the frames have |
 * | without an error     | no, as Node's server does now and then    | the same                                          |
 * | with an error        | no                                        | no                                                |
 *
 * RFC 9113 section 8.1.
 */

import { constants } from 'node:http2'
import { headerValue } from '../headers.js'
import type { Headers } from '../words.js'
import type { PeerSide } from './frames.js'

export class Arrival {
  readonly peer: PeerSide
  /** The response has begun. */
  hasHead = false
  /** How many header blocks Node has told of. */
  #headers = 0
  /** How many bytes of the body Node has given. */
  #bytes = 0
  /** How many there are to be, where the head says so. */
  #length: number | undefined

  constructor(peer: PeerSide) {
    this.peer = peer
  }

  /** An interim response, or the trailers. */
  block(): void {
    this.#headers++
  }

  head(method: string, status: number, headers: Headers): void {
    this.#headers++
    this.hasHead = true
    const length = headerValue(headers, 'content-length')
    // RFC 9110 section 8.6: in these it is that of another response.
    if (length !== undefined && method !== 'HEAD' && status !== 304) this.#length = Number(length)
  }

  data(size: number): void {
    this.#bytes += size
  }

  /** The bytes that have come last end the response, or those will that are still to come. */
  get endsWithData(): boolean {
    return this.peer.endsWithData && this.peer.bytes > 0
  }

  /** They have. */
  get hasLast(): boolean {
    return this.endsWithData && this.#bytes === this.peer.bytes && this.#hasLength
  }

  /** Node has told of less than there is: it has found something wrong with the rest. */
  get isWrong(): boolean {
    const { headers, bytes, isEnded } = this.peer
    return this.#headers !== headers || this.#bytes !== bytes || (isEnded && !this.#hasLength)
  }

  /** `code`: with which the stream was closed. All that Node has kept back must be taken before. */
  isWhole(code: number | undefined): boolean {
    const isFine = code === constants.NGHTTP2_NO_ERROR
    const { isReset, isEnded } = this.peer
    if (!isReset) return isEnded && isFine
    return this.hasHead && !this.isWrong && this.#hasLength && (isEnded || isFine)
  }

  get #hasLength(): boolean {
    return this.#length === undefined || this.#length === this.#bytes
  }
}
