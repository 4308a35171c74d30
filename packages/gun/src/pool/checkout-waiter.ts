/** Waits to check a connection out. */

import type { GunError } from '../errors.js'
import type { Member } from './member.js'
import { Waiter } from './waiting.js'

export class CheckoutWaiter extends Waiter<Member> {
  readonly #lend: (member: Member) => void
  readonly #fail: (reason: GunError) => void
  readonly #settle: () => void

  /** `settle` is called before either of the others. */
  constructor(lend: (member: Member) => void, fail: (reason: GunError) => void, settle: () => void) {
    super()
    this.#lend = lend
    this.#fail = fail
    this.#settle = settle
  }

  take(member: Member): void {
    this.#settle()
    this.#lend(member)
  }

  fail(reason: GunError): void {
    this.#settle()
    this.#fail(reason)
  }
}
