/** Timers run in the order of their times, also those that are due together after the event loop was busy. */

import { TimerRef } from '../ref.js'

/** The longest finite duration in milliseconds, about 24.8 days. Node fires a longer timer after 1 ms. */
export const MAX_DURATION = 2147483647

/** Throws a TypeError or RangeError that names the argument unless `ms` is a duration for a timer, or the allowed `Infinity`. */
export function checkDuration(name: string, ms: unknown, isInfiniteAllowed: boolean): asserts ms is number {
  if (typeof ms !== 'number' || Number.isNaN(ms)) {
    throw new TypeError(`${name} must be a number of milliseconds, not ${String(ms)}`)
  }
  if (ms === Number.POSITIVE_INFINITY && isInfiniteAllowed) return
  if (ms < 0 || ms > MAX_DURATION) {
    throw new RangeError(
      `${name} must be between 0 and ${MAX_DURATION} ms${isInfiniteAllowed ? ' or Infinity' : ''}, not ${ms}`,
    )
  }
}

/** Calls a function once its time has come. */
export class Timer {
  /** The time at which it is due, in milliseconds by the clock of `performance.now`. */
  readonly due: number
  /** The index in the heap; -1 once the timer has run or was cancelled. */
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

  /** Cancels the timer, and says whether it was still running. */
  cancel(): boolean {
    if (this.place < 0) return false
    clearTimeout(this.handle)
    remove(this)
    return true
  }

  /** Whether this timer runs before `other`: timers that are due at the same time run in the order of their starts. */
  isBefore(other: Timer): boolean {
    return this.due === other.due ? this.number < other.number : this.due < other.due
  }

  /** Runs the function now, unless it has run or was cancelled. */
  fire(): void {
    if (this.cancel()) this.run()
  }
}

let last = 0

/** A binary heap of the timers that have neither run nor been cancelled, with the one that is due first on top. */
const heap: Timer[] = []

const nodesTimeout = setTimeout

/** Fires the timers before `timer` first: Node runs all due timers of one duration before those of another. */
function expire(timer: Timer): void {
  // A test's fake clock has times of its own, and keeps their order.
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

/** The timers of one process that have neither fired nor been cancelled. */
export class Timers {
  readonly #running = new Map<TimerRef, Timer>()

  /** Calls `fire` after `ms` milliseconds. */
  start(ms: number, fire: () => void): TimerRef {
    const ref = new TimerRef()
    const timer = new Timer(ms, () => {
      this.#running.delete(ref)
      fire()
    })
    this.#running.set(ref, timer)
    return ref
  }

  /** Cancels a timer, and gives the milliseconds that were left; `false` if it has fired, was cancelled, or is unknown here. */
  cancel(ref: TimerRef): number | false {
    const timer = this.#running.get(ref)
    if (timer === undefined) return false
    timer.cancel()
    this.#running.delete(ref)
    return Math.max(0, Math.round(timer.due - performance.now()))
  }

  /** Cancels all timers. */
  clear(): void {
    for (const timer of this.#running.values()) timer.cancel()
    this.#running.clear()
  }
}
