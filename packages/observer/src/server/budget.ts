/** All looks of an observer share one budget: together they take at most a twenty-fifth of the time, however many look. */

/** Looking takes at most this part of the time. */
export const SHARE = 1 / 25
/** How long in milliseconds may be spent in advance, so that those who come, scroll or filter see something at once. */
const ADVANCE = 200

/** Says when the next look may begin. */
export class Budget {
  readonly #now: () => number
  /** When all that was spent will have been earned, by the clock. */
  #earnedAt = 0

  /** `now` is a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** The milliseconds until a look may begin; 0: at once. */
  get wait(): number {
    return Math.max(0, this.#earnedAt - ADVANCE / SHARE - this.#now())
  }

  /** Notes that a look took so many milliseconds. */
  spend(took: number): void {
    this.#earnedAt = Math.max(this.#earnedAt, this.#now()) + took / SHARE
  }
}
