/**
 * Node's own timers and immediates, which Holster uses for its own purposes, also while a test has put a fake clock in the place
 * of the global ones: such a clock stands still, or is taken away before its timers fire.
 */

// A fake clock replaces the globals, and the properties of this module, but not what was imported by name.
export {
  clearImmediate as clearNodesImmediate,
  clearTimeout as clearNodesTimeout,
  setImmediate as nodesImmediate,
  setTimeout as nodesTimeout,
} from 'node:timers'

import { setTimeout as nodesTimeout } from 'node:timers'

const nodesNow = performance.now.bind(performance)

/** Whether a fake clock has taken the place of Node's. */
export function isClockFake(): boolean {
  return setTimeout !== nodesTimeout
}

/** Gives the time by the clock of `performance.now`, and by Node's own one while a fake clock is in place. */
export function nodesTime(): number {
  return isClockFake() ? nodesNow() : performance.now()
}
