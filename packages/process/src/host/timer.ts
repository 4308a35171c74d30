/** Timers run in the order of their times, also those that are due together after the event loop was busy. */

import { type RunningTimer, runningTimer, setRunningTimer, TimerRef } from '../ref.js'
import {
  clearNodesTimeout,
  isClockFake,
  nodesImmediate,
  nodesTime,
  nodesTimeout,
  type Timeout,
} from './nodes-clock.js'

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
  /** The index in the heap; -1 if the timer is not there. */
  place = -1
  /** Tells how many timers were started before this one. */
  readonly number = ++last
  private readonly run: () => void
  /** The timer of a test's fake clock, which has times of its own. */
  private fake: NodeJS.Timeout | undefined = undefined

  constructor(ms: number, run: () => void) {
    this.due = performance.now() + ms
    this.run = run
    if (isClockFake()) this.fake = setTimeout(() => this.fire(), ms)
    else start(this)
  }

  /** Cancels the timer, and says whether it was still running. */
  cancel(): boolean {
    if (this.fake !== undefined) {
      clearTimeout(this.fake)
      this.fake = undefined
      return true
    }
    if (this.place < 0) return false
    remove(this)
    return true
  }

  /** The milliseconds until the timer is due. */
  get left(): number {
    return Math.max(0, Math.round(this.due - (this.fake === undefined ? nodesTime() : performance.now())))
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

/**
 * The one timer of Node's for all: one each would cost several times the rest of a receive, and Node runs all due timers of one duration
 * before those of another.
 */
let alarm: Timeout | undefined
/** The time for which the alarm is set. */
let alarmAt = Number.POSITIVE_INFINITY
let isCheckDue = false

function start(timer: Timer): void {
  add(timer)
  if (timer.due < alarmAt) setAlarm(timer)
}

function setAlarm({ due }: Timer): void {
  clearNodesTimeout(alarm)
  // Sums of large and small numbers are rounded, and Node fires a timer that is longer than the longest at once.
  alarm = nodesTimeout(ring, Math.min(MAX_DURATION, Math.max(1, Math.ceil(due - nodesTime()))))
  alarmAt = due
}

function dropAlarm(): void {
  clearNodesTimeout(alarm)
  alarm = undefined
  alarmAt = Number.POSITIVE_INFINITY
}

/** Fires the timers that are due. */
function ring(): void {
  // The alarm may ring a part of a millisecond before its time.
  const now = Math.max(nodesTime(), alarmAt)
  // A timer of 0 ms that starts another one must not keep the event loop from turning.
  const newest = last
  dropAlarm()
  try {
    for (let timer = heap[0]; timer !== undefined && timer.due <= now; timer = heap[0]) {
      if (timer.number > newest) break
      timer.fire()
    }
  } finally {
    if (heap[0] !== undefined) setAlarm(heap[0])
  }
}

/** Lets the program end if no timer runs. Once a turn, as a loop of calls starts and cancels one timer after the other. */
function check(): void {
  isCheckDue = false
  if (heap.length === 0) dropAlarm()
}

function add(timer: Timer): void {
  heap.push(timer)
  rise(timer, heap.length - 1)
}

function remove(timer: Timer): void {
  const { place } = timer
  const moved = heap.pop()
  timer.place = -1
  if (heap.length === 0 && !isCheckDue) {
    isCheckDue = true
    nodesImmediate(check)
  }
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

/** A timer that sends something, for as long as the process lives to which it belongs. */
class SendTimer implements RunningTimer {
  readonly ref = new TimerRef()
  private readonly timers: Timers
  private readonly timer: Timer

  constructor(timers: Timers, ms: number, fire: (ref: TimerRef) => void) {
    this.timers = timers
    this.timer = new Timer(ms, () => {
      this.forget()
      fire(this.ref)
    })
    setRunningTimer(this.ref, this)
  }

  get left(): number {
    return this.timer.left
  }

  stop(): void {
    this.timer.cancel()
    this.forget()
  }

  private forget(): void {
    this.timers.running.delete(this)
    setRunningTimer(this.ref, undefined)
  }
}

/** The timers that end with one process, and have neither fired nor been cancelled. */
export class Timers {
  readonly running = new Set<SendTimer>()

  /** Calls `fire` after `ms` milliseconds. */
  start(ms: number, fire: (ref: TimerRef) => void): TimerRef {
    const timer = new SendTimer(this, ms, fire)
    this.running.add(timer)
    return timer.ref
  }

  /** Cancels all timers. */
  clear(): void {
    for (const timer of this.running) timer.stop()
  }
}

/** Gives the milliseconds until the timer fires; `false` if it has fired or was cancelled. */
export function readTimer(ref: TimerRef): number | false {
  return runningTimer(ref)?.left ?? false
}

/** Cancels a timer, and gives the milliseconds that were left; `false` if it has fired or was cancelled. */
export function cancelTimer(ref: TimerRef): number | false {
  const left = readTimer(ref)
  runningTimer(ref)?.stop()
  return left
}
