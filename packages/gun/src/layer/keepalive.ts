/** Pings at intervals, and loses a peer that does not answer. */

import { GunError } from '../errors.js'
import { Deadline } from '../transport/deadline.js'

/** Has the line that is kept alive. */
export interface KeepaliveUser {
  ping(): void
  /** Whether an answer could be seen: while nothing is read, none can be missed. */
  isRead(): boolean
  lost(error: GunError): void
}

export class Keepalive {
  readonly #timer: NodeJS.Timeout
  readonly #period: number
  readonly #tolerance: number
  readonly #user: KeepaliveUser
  #unanswered = 0
  /** When the next ping is due. */
  #due: number
  /** Runs while too many pings are unanswered, since answers may have come that are not read yet. */
  #lastChance: Deadline | undefined

  /** `period` is in milliseconds; `tolerance` is how many pings may be unanswered. */
  constructor(period: number, tolerance: number, user: KeepaliveUser) {
    this.#period = period
    this.#tolerance = tolerance
    this.#user = user
    this.#due = performance.now() + period
    this.#timer = setInterval(() => this.#tick(), period)
  }

  /** Counts from zero again: the peer has answered, or could not be heard until now. */
  forgive(): void {
    this.#unanswered = 0
  }

  /** Counts one less: the peer has answered one of the pings. */
  answered(): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1)
  }

  /** Pings no more. */
  dispose(): void {
    clearInterval(this.#timer)
    this.#lastChance?.clear()
  }

  #tick(): void {
    const now = performance.now()
    const late = Math.max(0, now - this.#due)
    this.#due = now + this.#period
    if (!this.#user.isRead()) this.forgive()
    if (this.#lastChance !== undefined) return
    if (this.#unanswered < this.#tolerance) return this.#ping()
    this.#lastChance = new Deadline(Math.min(late, this.#period), () => this.#conclude())
  }

  #ping(): void {
    this.#unanswered++
    this.#user.ping()
  }

  #conclude(): void {
    this.#lastChance = undefined
    if (!this.#user.isRead()) this.forgive()
    if (this.#unanswered < this.#tolerance) return this.#ping()
    this.dispose()
    const text = `${this.#unanswered} pings, one each ${this.#period} ms, were not answered`
    this.#user.lost(new GunError('keepalive_timeout', 'connection_error', text))
  }
}
