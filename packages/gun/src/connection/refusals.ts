/** Answers commands that cannot be carried out: never before the caller has got the ref of the stream that is refused. */

import type { GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'
import { hasMailbox } from '../layer/mail.js'
import { replyToOf } from '../messages.js'

export class Refusals {
  readonly #fail: (streamRef: StreamRef, reason: GunError) => void
  /** The refusals of functions and actors, which act on a message at once. */
  readonly #due: { readonly streamRef: StreamRef; readonly reason: GunError }[] = []

  /** `fail` posts the error of a stream. */
  constructor(fail: (streamRef: StreamRef, reason: GunError) => void) {
    this.#fail = fail
  }

  add(streamRef: StreamRef, reason: GunError): void {
    if (hasMailbox(replyToOf(streamRef))) return this.#fail(streamRef, reason)
    // A function that asks again would call itself; in a microtask it could keep the program from everything else.
    this.#due.push({ streamRef, reason })
    if (this.#due.length === 1) setImmediate(() => this.tell())
  }

  /** Tells of all that are due. */
  tell(): void {
    for (const { streamRef, reason } of this.#due.splice(0)) this.#fail(streamRef, reason)
  }
}
