/** The handle of a stream: one request with its response, or one WebSocket. */

import { compareByIdentity } from '@holster/process'
import type { ConnPid, handle } from './conn-pid.js'
import type { ReplyTo } from './reply-to.js'

let last = 0

/** Whose stream it is. */
export let connPidOf: (streamRef: StreamRef) => ConnPid

/** Whom the stream replies to. */
export let replyToOf: (streamRef: StreamRef) => ReplyTo

/** A stream. Opaque; it remembers for good which connection it belongs to and to whom it replies. */
export class StreamRef {
  /** @internal For the type checker, which would take one handle for another. There is no such property. */
  declare readonly [handle]: 'StreamRef'
  readonly #number = ++last
  readonly #connPid: ConnPid
  readonly #replyTo: ReplyTo

  /** @internal */
  constructor(connPid: ConnPid, replyTo: ReplyTo) {
    this.#connPid = connPid
    this.#replyTo = replyTo
  }

  static {
    connPidOf = streamRef => streamRef.#connPid
    replyToOf = streamRef => streamRef.#replyTo
  }

  /** `#Stream<7>`; the number is unique within this program. */
  toString(): string {
    return `#Stream<${this.#number}>`
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(StreamRef)
