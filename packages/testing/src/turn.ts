/** Turns of the event loop, also while a fake clock stands still. */

// A fake clock replaces the globals and the properties of this module, but not what was imported by name.
import { setImmediate } from 'node:timers/promises'

/**
 * Resolves when the event loop has turned once: processes have taken what was sent to them, and what has arrived on sockets was read. The turn
 * is one of Node's own, also while a test has put a fake clock in the place of `setImmediate`. A test that can wait for a
 * message with `receive` does that instead.
 */
export function turn(): Promise<void> {
  return setImmediate()
}
