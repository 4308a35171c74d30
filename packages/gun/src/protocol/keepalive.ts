/** Pings at intervals; a peer that does not answer them is gone. */

import { GunError } from '../errors.js'

interface Line {
  ping(): void
  /** Whether an answer could be seen: while nothing is read, none can be missed. */
  isRead(): boolean
  lost(error: GunError): void
}

export class Keepalive {
  readonly #timer: NodeJS.Timeout
  readonly #period: number
  readonly #tolerance: number
  readonly #line: Line
  #unanswered = 0

  /** `period` in milliseconds; `tolerance` is how many pings in a row may go unanswered. */
  constructor(period: number, tolerance: number, line: Line) {
    this.#period = period
    this.#tolerance = tolerance
    this.#line = line
    this.#timer = setInterval(() => this.#tick(), period)
  }

  /** The peer has answered, or could not be heard until now. */
  forgive(): void {
    this.#unanswered = 0
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    if (!this.#line.isRead()) this.forgive()
    if (this.#unanswered >= this.#tolerance) {
      this.stop()
      const text = `${this.#unanswered} pings in a row, one each ${this.#period} ms, were not answered`
      return this.#line.lost(new GunError('keepalive_timeout', 'connection_error', text))
    }
    this.#unanswered++
    this.#line.ping()
  }
}
