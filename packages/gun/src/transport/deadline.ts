/** Timers that draw a conclusion from silence: before they do, data that has already arrived is read. */

import { clearNodesImmediate, type Immediate, nodesImmediate } from '@holster/process/internal'

/**
 * A timer that fires so many milliseconds late shows that this program was busy or its machine asleep.
 * Silence in that time is not the peer's fault, because nothing was read.
 */
const LATE = 50

export class Deadline {
  /** How many milliseconds may still be granted once more. */
  #grace: number
  readonly #conclude: () => void
  #due = 0
  #isRef = true
  #timer: NodeJS.Timeout | undefined
  #look: Immediate | undefined

  /**
   * Calls `conclude` when so many milliseconds have passed without `clear`; never with `Infinity`. Time in
   * which nothing could be read is granted once more, up to the same amount again.
   */
  constructor(ms: number, conclude: () => void) {
    this.#grace = ms
    this.#conclude = conclude
    if (ms !== Number.POSITIVE_INFINITY) this.#wait(ms)
  }

  /** Lets Node exit while the timer runs. */
  unref(): this {
    this.#isRef = false
    this.#timer?.unref()
    return this
  }

  /** Stops the timer, because the expected event has come or no longer matters. May be called twice. */
  clear(): void {
    clearTimeout(this.#timer)
    clearNodesImmediate(this.#look)
  }

  #wait(ms: number): void {
    this.#due = performance.now() + ms
    this.#timer = setTimeout(() => this.#fired(), ms)
    if (!this.#isRef) this.#timer.unref()
  }

  /** After a pause of the program timers fire before sockets are read, and immediates fire afterwards. */
  #fired(): void {
    const late = performance.now() - this.#due
    this.#look = nodesImmediate(() => {
      if (late < LATE || this.#grace === 0) return this.#conclude()
      const granted = Math.min(late, this.#grace)
      this.#grace -= granted
      this.#wait(granted)
    })
  }
}
