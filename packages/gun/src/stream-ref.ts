/** The handle of a stream: one request with its response, or one WebSocket. */

import { compareByIdentity } from '@holster/process'
import type { ConnPid, handle } from './conn-pid.js'
import type { ReplyTo } from './reply-to.js'

let last = 0

/** Whose stream it is. */
export let connPidOf: (streamRef: StreamRef) => ConnPid

/** Whom the stream replies to. */
export let replyToOf: (streamRef: StreamRef) => ReplyTo

/** How many bytes of the request's body may wait to be sent before the caller is told; `undefined`: he never is. */
export let sendMarkOf: (streamRef: StreamRef) => number | undefined

/** Remembers that the caller wants nothing more of a stream that was open. */
export let noteCancelled: (streamRef: StreamRef) => void

/** Whether it was cancelled while it was open. */
export let wasCancelled: (streamRef: StreamRef) => boolean

/** A stream. Opaque; it remembers for good which connection it belongs to and to whom it replies. */
export class StreamRef {
  /** @internal For the type checker, which would take one handle for another. There is no such property. */
  declare readonly [handle]: 'StreamRef'
  /** As `Ref.ref` of `@holster/process`. */
  private readonly stream: number = ++last
  readonly #connPid: ConnPid
  readonly #replyTo: ReplyTo
  readonly #sendMark: number | undefined
  #isCancelled = false

  /** @internal */
  constructor(connPid: ConnPid, replyTo: ReplyTo, sendMark?: number) {
    this.#connPid = connPid
    this.#replyTo = replyTo
    this.#sendMark = sendMark
  }

  static {
    connPidOf = streamRef => streamRef.#connPid
    replyToOf = streamRef => streamRef.#replyTo
    sendMarkOf = streamRef => streamRef.#sendMark
    noteCancelled = streamRef => {
      streamRef.#isCancelled = true
    }
    wasCancelled = streamRef => streamRef.#isCancelled
  }

  /** `#Stream<7>`; the number is unique within this program. */
  get id(): string {
    return `#Stream<${this.stream}>`
  }

  /** As `id`. */
  toString(): string {
    return this.id
  }

  /** As `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(StreamRef)
