/** Time: which durations are accepted, and the timers of one process. */

import { TimerRef } from './ref.js'

/** The longest finite time in milliseconds (about 24.8 days): Node fires a longer timer after 1 ms. */
export const MAX_DURATION = 2147483647

/** Throws unless `ms` is a time that a timer can wait for. `Infinity` is one where `infinite` says so. */
export function checkDuration(name: string, ms: unknown, infinite: boolean): asserts ms is number {
  if (typeof ms !== 'number' || Number.isNaN(ms)) {
    throw new TypeError(`${name} must be a number of milliseconds, not ${String(ms)}`)
  }
  if (ms === Number.POSITIVE_INFINITY && infinite) return
  if (ms < 0 || ms > MAX_DURATION) {
    throw new RangeError(
      `${name} must be between 0 and ${MAX_DURATION} ms${infinite ? ' or Infinity' : ''}, not ${ms}`,
    )
  }
}

interface Timer {
  readonly handle: NodeJS.Timeout
  readonly due: number
}

/** The timers that one process has started and that have neither fired nor been cancelled. */
export class Timers {
  readonly #running = new Map<TimerRef, Timer>()

  start(ms: number, fire: () => void): TimerRef {
    const ref = new TimerRef()
    const handle = setTimeout(() => {
      this.#running.delete(ref)
      fire()
    }, ms)
    this.#running.set(ref, { handle, due: performance.now() + ms })
    return ref
  }

  /** The milliseconds that were left, or `false` when the timer has fired, was cancelled or is not ours. */
  cancel(ref: TimerRef): number | false {
    const timer = this.#running.get(ref)
    if (timer === undefined) return false
    clearTimeout(timer.handle)
    this.#running.delete(ref)
    return Math.max(0, Math.round(timer.due - performance.now()))
  }

  clear(): void {
    for (const { handle } of this.#running.values()) clearTimeout(handle)
    this.#running.clear()
  }
}
