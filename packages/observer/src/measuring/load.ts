/** The load of this thread: its heap, the delay of its event loop, and its part of a core. */

import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { clearInterval, setInterval } from 'node:timers'
import { getHeapStatistics } from 'node:v8'
import { isMainThread } from 'node:worker_threads'

/** How often in milliseconds the delay is looked at. */
const RESOLUTION = 50
const MICROSECONDS = 1000

/** The load since the measure before. */
export interface Measured {
  /** The bytes in use of the heap of this thread. */
  readonly heap: number
  /** The longest delay of the event loop, in milliseconds. */
  readonly delay: number
  /** The part of one core: that of the program in the main thread, otherwise how much of the time the event loop was busy. */
  readonly cpu: number
}

/** Measures the load from its making to `stop`. */
export class Load {
  #cpu = process.cpuUsage()
  #utilization: EventLoopUtilization = performance.eventLoopUtilization()
  #at = performance.now()
  /** When the timer has last fired, and its longest delay since the last measure. */
  #firedAt = performance.now()
  #delay = 0
  // Not `monitorEventLoopDelay`: after a `reset` it misses all up to the next time that its timer fires.
  readonly #timer = setInterval(() => this.#fire(), RESOLUTION).unref()

  /** Gives the load since the last time. */
  measure(): Measured {
    this.#fire()
    const passed = Math.max(1, performance.now() - this.#at)
    this.#at = performance.now()
    const delay = this.#delay
    this.#delay = 0
    return { heap: getHeapStatistics().used_heap_size, delay, cpu: this.#used(passed) }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #fire(): void {
    const now = performance.now()
    this.#delay = Math.max(this.#delay, now - this.#firedAt - RESOLUTION)
    this.#firedAt = now
  }

  #used(passed: number): number {
    if (isMainThread) {
      const { user, system } = process.cpuUsage(this.#cpu)
      this.#cpu = process.cpuUsage()
      return (user + system) / MICROSECONDS / passed
    }
    const { utilization } = performance.eventLoopUtilization(this.#utilization)
    this.#utilization = performance.eventLoopUtilization()
    return utilization
  }
}
