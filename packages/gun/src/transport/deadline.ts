/** Timers that conclude something from silence: before they do, what has come already is read. */

/**
 * So many milliseconds late a timer says that this program was busy, or its machine asleep. The peer is not to blame for
 * what was not read in that time.
 */
const LATE = 50

export class Deadline {
  /** How many milliseconds may still be given once more. */
  #grace: number
  readonly #conclude: () => void
  #due = 0
  #isRef = true
  #timer: NodeJS.Timeout | undefined
  #look: NodeJS.Immediate | undefined

  /**
   * Calls `conclude` once so many milliseconds have passed without `clear`; with `Infinity` never. Time in which nothing
   * could be read is given once more, though at most as much again.
   */
  constructor(ms: number, conclude: () => void) {
    this.#grace = ms
    this.#conclude = conclude
    if (ms !== Number.POSITIVE_INFINITY) this.#wait(ms)
  }

  /** This program need not go on for its sake. */
  unref(): this {
    this.#isRef = false
    this.#timer?.unref()
    return this
  }

  /** What was waited for has come, or does not matter any more. May be called twice. */
  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#look)
  }

  #wait(ms: number): void {
    this.#due = performance.now() + ms
    this.#timer = setTimeout(() => this.#fired(), ms)
    if (!this.#isRef) this.#timer.unref()
  }

  /** Behind a pause timers fire before sockets are read, and immediates afterwards. */
  #fired(): void {
    const late = performance.now() - this.#due
    this.#look = setImmediate(() => {
      if (late < LATE || this.#grace === 0) return this.#conclude()
      const given = Math.min(late, this.#grace)
      this.#grace -= given
      this.#wait(given)
    })
  }
}
