/** Pings at intervals; a peer that does not answer them is gone. */

import { GunError } from '../errors.js'
import { Deadline } from '../transport/deadline.js'

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
  /** When the next ping is due. */
  #due: number
  /** Too many are unanswered; their answers may have come and not been read. No tick begins it anew. */
  #lastChance: Deadline | undefined

  /** `period` in milliseconds; `tolerance` is how many pings in a row may go unanswered. */
  constructor(period: number, tolerance: number, line: Line) {
    this.#period = period
    this.#tolerance = tolerance
    this.#line = line
    this.#due = performance.now() + period
    this.#timer = setInterval(() => this.#tick(), period)
  }

  /** The peer has answered, or could not be heard until now. */
  forgive(): void {
    this.#unanswered = 0
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#lastChance?.clear()
  }

  #tick(): void {
    const now = performance.now()
    const late = Math.max(0, now - this.#due)
    this.#due = now + this.#period
    if (!this.#line.isRead()) this.forgive()
    if (this.#lastChance !== undefined) return
    if (this.#unanswered < this.#tolerance) return this.#ping()
    this.#lastChance = new Deadline(Math.min(late, this.#period), () => this.#conclude())
  }

  #ping(): void {
    this.#unanswered++
    this.#line.ping()
  }

  #conclude(): void {
    this.#lastChance = undefined
    if (!this.#line.isRead()) this.forgive()
    if (this.#unanswered < this.#tolerance) return this.#ping()
    this.stop()
    const text = `${this.#unanswered} pings in a row, one each ${this.#period} ms, were not answered`
    this.#line.lost(new GunError('keepalive_timeout', 'connection_error', text))
  }
}
