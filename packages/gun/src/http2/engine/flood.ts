/**
 * Weighs what the peer's frames cost against what was asked of it. A frame that brings nothing costs a point; requests, bytes
 * sent and time earn points. A peer with no points left is a flood.
 */

/** The points at the start, which is how many a silent connection may hold. */
export const FIRST = 1000
/** The most points. */
const MOST = 16 * FIRST
/** The points that a second earns. */
const PER_SECOND = 100

/** The points that are earned by what is asked of the peer. */
export const earned = {
  /** A response may come with interim ones, and with pushes. */
  request: 16,
  /** Each frame of DATA is answered by one or two updates of windows, and some servers send a PING with them. */
  frame: 4,
} as const

/** The points that the peer's frames cost. */
export const costs = {
  /** Any frame that brings nothing, or that only repeats. */
  frame: 1,
  /** Each stream that a frame of the connection goes through. */
  stream: 1 / 64,
} as const

export class Budget {
  #points = FIRST
  /** When time last earned points, in milliseconds. */
  #since: number

  /** All times are in milliseconds by one clock, such as `performance.now`. */
  constructor(now: number) {
    this.#since = now
  }

  earn(points: number): void {
    this.#points = Math.min(MOST, this.#points + points)
  }

  /** Spends points. Returns whether there were so many. */
  spend(points: number, now: number): boolean {
    this.#points -= points
    if (this.#points >= 0) return true
    const gained = Math.min(FIRST, ((now - this.#since) * PER_SECOND) / 1000)
    this.#since = now
    this.#points += gained
    return this.#points >= 0
  }
}
