/** A supervisor gives up once it has made more restarts within a period than its intensity allows. */

/** The restarts of the last period. Source: `add_restart` of `supervisor`. */
export class Intensity {
  readonly #most: number
  readonly #period: number
  /** The times of restarts in milliseconds, the earliest first. */
  readonly #restarts: number[] = []

  /** Allows `most` restarts within any `period` milliseconds. */
  constructor(most: number, period: number) {
    this.#most = most
    this.#period = period
  }

  /** Counts a restart, and says whether it is one too many. A restart that lies exactly one period back still counts. */
  isExceededBy(now: number): boolean {
    if (this.#most === Number.POSITIVE_INFINITY) return false
    const restarts = this.#restarts
    while (restarts[0] !== undefined && restarts[0] < now - this.#period) restarts.shift()
    restarts.push(now)
    return restarts.length > this.#most
  }
}
