/**
 * A clock with a hand for seconds, which stands at zero until somebody winds it: noting when something began costs one load, and nothing is
 * asked of the system.
 */

import { clearInterval as clearNodesInterval, setInterval as nodesInterval } from 'node:timers'
import { nodesTime } from './nodes-clock.js'

const SECOND = 1000

class CoarseClock {
  /** The seconds since the clock was first wound, from 1; 0 while it stands. A small integer, so that keeping it needs no memory of its own. */
  second = 0
  #winders = 0
  #timer: NodeJS.Timeout | undefined
  /** The time at which the clock was first wound, by the clock of `performance.now`, and in milliseconds since 1970. */
  #start: { readonly time: number; readonly date: number } | undefined

  /** Has the clock run until the function is called that this one gives; it runs while anybody has wound it. */
  wind(): () => void {
    if (++this.#winders === 1) this.#begin()
    let isWound = true
    return () => {
      if (!isWound) return
      isWound = false
      if (--this.#winders === 0) this.#stop()
    }
  }

  /** Gives the time of a noted second in milliseconds since 1970; `undefined` for one that was noted while the clock stood. */
  timeOf(second: number): number | undefined {
    return second === 0 || this.#start === undefined ? undefined : this.#start.date + (second - 1) * SECOND
  }

  #begin(): void {
    this.#start ??= { time: nodesTime(), date: Date.now() }
    this.tick()
    this.#timer = nodesInterval(() => this.tick(), SECOND).unref()
  }

  /** Sets the hand by the system's clock; to be called while the clock is wound. */
  tick(): void {
    if (this.#start !== undefined) this.second = 1 + Math.floor((nodesTime() - this.#start.time) / SECOND)
  }

  #stop(): void {
    clearNodesInterval(this.#timer)
    this.second = 0
  }
}

/** The clock by which receives and calls note when they began to wait. */
export const coarseClock = new CoarseClock()
