/** Time: which durations are accepted, and the timers of one process. */

import { TimerRef } from '../ref.js'

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

/** What runs once its time has come. Timers that are due together, after a busy while, run in the order of their times. */
export class Timer {
  /** By the clock of `performance.now`. */
  readonly due: number
  /** Where it is in the heap; -1 once it has run or was cancelled. */
  place = -1
  private readonly number = ++last
  private readonly handle: NodeJS.Timeout
  private readonly run: () => void

  constructor(ms: number, run: () => void) {
    this.due = performance.now() + ms
    this.run = run
    this.handle = setTimeout(expire, ms, this)
    add(this)
  }

  /** `false`: it has run, or was cancelled before. */
  cancel(): boolean {
    if (this.place < 0) return false
    clearTimeout(this.handle)
    remove(this)
    return true
  }

  /** Those that were started together run in the order of their starts. */
  isBefore(other: Timer): boolean {
    return this.due === other.due ? this.number < other.number : this.due < other.due
  }

  fire(): void {
    if (this.cancel()) this.run()
  }
}

let last = 0

/** All that have neither run nor been cancelled; none is before the one at half its place. */
const heap: Timer[] = []

const nodesTimeout = setTimeout

/** Node runs all timers of one duration that are due before it looks at those of another. */
function expire(timer: Timer): void {
  // A clock that a test has put in its place keeps times of its own, and their order.
  if (setTimeout === nodesTimeout) while (heap[0]?.isBefore(timer)) heap[0].fire()
  timer.fire()
}

function add(timer: Timer): void {
  heap.push(timer)
  rise(timer, heap.length - 1)
}

function remove(timer: Timer): void {
  const { place } = timer
  const moved = heap.pop()
  timer.place = -1
  if (moved === undefined || moved === timer) return
  rise(moved, place)
  if (moved.place === place) sink(moved, place)
}

function rise(timer: Timer, from: number): void {
  let place = from
  while (place > 0) {
    const above = (place - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || parent.isBefore(timer)) break
    put(parent, place)
    place = above
  }
  put(timer, place)
}

function sink(timer: Timer, from: number): void {
  let place = from
  for (;;) {
    const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]]
    if (left === undefined) break
    const child = right?.isBefore(left) ? right : left
    if (timer.isBefore(child)) break
    const below = child.place
    put(child, place)
    place = below
  }
  put(timer, place)
}

function put(timer: Timer, place: number): void {
  heap[place] = timer
  timer.place = place
}

/** The timers that one process has started and that have neither fired nor been cancelled. */
export class Timers {
  readonly #running = new Map<TimerRef, Timer>()

  start(ms: number, fire: () => void): TimerRef {
    const ref = new TimerRef()
    const timer = new Timer(ms, () => {
      this.#running.delete(ref)
      fire()
    })
    this.#running.set(ref, timer)
    return ref
  }

  /** The milliseconds that were left, or `false` when the timer has fired, was cancelled or is not ours. */
  cancel(ref: TimerRef): number | false {
    const timer = this.#running.get(ref)
    if (timer === undefined) return false
    timer.cancel()
    this.#running.delete(ref)
    return Math.max(0, Math.round(timer.due - performance.now()))
  }

  clear(): void {
    for (const timer of this.#running.values()) timer.cancel()
    this.#running.clear()
  }
}
