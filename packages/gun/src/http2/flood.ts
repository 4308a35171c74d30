/** Counts frames that cost a peer little and bring nothing: pings, settings, priorities, empty or unknown ones, and the like. */

/** How many cheap frames may come within a period. */
export const MOST_CHEAP_FRAMES = 1000
/** In milliseconds. */
const PERIOD = 10_000

export class CheapFrames {
  #count = 0
  #since = performance.now()

  /** Counts one more. Gives whether there are too many by now. */
  areTooMany(): boolean {
    this.#count++
    if (this.#count <= MOST_CHEAP_FRAMES) return false
    const now = performance.now()
    if (now - this.#since < PERIOD) return true
    this.#since = now
    this.#count = 1
    return false
  }
}
