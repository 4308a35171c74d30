/** A loop of receives that never have to wait still lets the event loop turn, so that sockets and timers run. */

import { nodesImmediate } from './nodes-clock.js'

/** The number of receives in a row between two looks at the clock. */
const LOOK = 1024
/** The longest time in milliseconds for which the event loop is kept from turning. */
const LONGEST = 5
let settled = 0
/** The time of the first look at the clock since the event loop was last known to turn; 0 if there was none. */
let since = 0

function isDue(): boolean {
  settled = 0
  const now = performance.now()
  if (since === 0) since = now
  if (now - since < LONGEST) return false
  since = 0
  return true
}

/** Calls `resolve` at once, or after a turn of the event loop where one is due. */
export function settle<T>(resolve: (value: T) => void, value: T): void {
  if (++settled < LOOK || !isDue()) return resolve(value)
  nodesImmediate(resolve, value)
}

/** Gives a promise that resolves to `value`, by the same rule. */
export function resolved<T>(value: T): Promise<T> {
  if (++settled < LOOK || !isDue()) return Promise.resolve(value)
  return new Promise(resolve => nodesImmediate(resolve, value))
}

/** Gives a promise that rejects with `reason`, by the same rule, since its receiver may catch that and receive again. */
export function rejected(reason: unknown): Promise<never> {
  if (++settled < LOOK || !isDue()) return Promise.reject(reason)
  return new Promise((_, reject) => nodesImmediate(reject, reason))
}

/** To be called when data has come from outside, which shows that the event loop turns. */
export function turned(): void {
  settled = 0
  since = 0
}
