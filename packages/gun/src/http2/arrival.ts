/**
 * Whether all of a response has come over HTTP/2. Node alone does not tell: a reset hides what Node has found wrong, and Node
 * ends a stream that was reset without an error like one that is complete. So the values of Node are held against the frames.
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
  /** Whether the final response has begun. */
  hasHead = false
  /** How many header blocks Node has told of. */
  #headers = 0
  /** How many bytes of the body Node has given. */
  #bytes = 0
  /** How many bytes the body is to have, where the head says so. */
  #length: number | undefined

  constructor(peer: PeerSide) {
    this.peer = peer
  }

  /** Counts the header block of an interim response, or of trailers. */
  block(): void {
    this.#headers++
  }

  /** Counts the head of the final response. */
  head(method: string, status: number, headers: Headers): void {
    this.#headers++
    this.hasHead = true
    const length = headerValue(headers, 'content-length')
    // RFC 9110 section 8.6: these state the length of another response.
    if (length !== undefined && method !== 'HEAD' && status !== 304) this.#length = Number(length)
  }

  /** Counts bytes of the body. */
  data(size: number): void {
    this.#bytes += size
  }

  /** Whether the frame of the last bytes ends the stream, though Node may not have told of them yet. */
  get endsWithData(): boolean {
    return this.peer.endsWithData && this.peer.bytes > 0
  }

  /** Whether Node has told of those last bytes. */
  get hasLast(): boolean {
    return this.endsWithData && this.#bytes === this.peer.bytes && this.#hasLength
  }

  /** Whether Node has told of less than has come, because Node has found the rest wrong. */
  get isWrong(): boolean {
    const { headers, bytes, isEnded } = this.peer
    return this.#headers !== headers || this.#bytes !== bytes || (isEnded && !this.#hasLength)
  }

  /** Whether all of the response has come; `code` is the stream's at its close. All that Node keeps back must be taken before. */
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
