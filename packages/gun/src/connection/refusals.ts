/** Answers commands that cannot be carried out: never before the caller has got the ref of the stream that is refused. */

import { nodesImmediate } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'
import { hasMailbox } from '../layer/mail.js'
import { replyToOf } from '../messages.js'

/** The connection, as far as refusals need it. */
export interface RefusalsHome {
  /** Posts the error of a stream. */
  fail(streamRef: StreamRef, reason: GunError): void
}

export class Refusals {
  readonly #home: RefusalsHome
  /** The refusals of functions and actors, which act on a message at once; most connections never have any. */
  #due: { readonly streamRef: StreamRef; readonly reason: GunError }[] | undefined

  constructor(home: RefusalsHome) {
    this.#home = home
  }

  add(streamRef: StreamRef, reason: GunError): void {
    if (hasMailbox(replyToOf(streamRef))) return this.#home.fail(streamRef, reason)
    // A function that asks again would call itself; in a microtask it could keep the program from everything else.
    if (this.#due === undefined) nodesImmediate(() => this.tell())
    this.#due ??= []
    this.#due.push({ streamRef, reason })
  }

  /** Tells of all that are due. */
  tell(): void {
    const due = this.#due ?? []
    this.#due = undefined
    for (const { streamRef, reason } of due) this.#home.fail(streamRef, reason)
  }
}
