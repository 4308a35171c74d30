/**
 * What Holster itself asks of the event loop goes by Node's own functions, also while a test has put a fake clock in the place of the
 * global ones: such a clock stands still, or is taken away before it comes to what it was asked.
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
