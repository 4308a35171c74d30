/**
 * Node's own timers, immediates, ticks and microtasks, which Holster uses for its own purposes, also while a test has put a fake clock in
 * the place of the global ones: such a clock stands still, or is taken away before its timers fire.
 */

// A fake clock replaces the globals, and the properties of these modules, but not what was imported by name.
import { nextTick } from 'node:process'
import { clearImmediate, clearTimeout, setTimeout as ownTimeout, setImmediate } from 'node:timers'

/** A callback that an immediate will call. The types of Node's own would be asked of whoever imports the types of this package. */
export interface Immediate {
  hasRef(): boolean
}

/** A callback that a timer will call. */
export interface Timeout {
  ref(): unknown
  unref(): unknown
}

type Later<Result> = <Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args) => Result

export const nodesTick: Later<void> = nextTick
export const nodesImmediate: Later<Immediate> = setImmediate
export const nodesTimeout: <Args extends unknown[]>(
  callback: (...args: Args) => void,
  delay: number,
  ...args: Args
) => Timeout = ownTimeout
export const clearNodesTimeout = clearTimeout as (timeout: Timeout | undefined) => void
export const clearNodesImmediate = clearImmediate as (immediate: Immediate | undefined) => void

/** The `queueMicrotask` that was there when the program loaded this file. */
export const nodesMicrotask = queueMicrotask

const nodesNow = performance.now.bind(performance)

/** Whether a fake clock has taken the place of Node's. */
export function isClockFake(): boolean {
  return setTimeout !== ownTimeout
}

/** Gives the time by the clock of `performance.now`, and by Node's own one while a fake clock is in place. */
export function nodesTime(): number {
  return isClockFake() ? nodesNow() : performance.now()
}
