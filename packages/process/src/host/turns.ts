/** A loop of receives that never have to wait still lets the event loop turn, so that sockets and timers run. */

import { nodesImmediate } from './nodes-clock.js'

/** The number of receives in a row between two looks at the clock. */
const LOOK = 1024
/** The longest time in milliseconds for which the event loop is kept from turning. */
const LONGEST = 5
/** The receives since the last look. The first of a program looks, so that V8 knows the way to `isDue` when it optimizes the callers. */
let settled = LOOK - 1
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
  if (++settled < LOOK) resolve(value)
  else settleInTime(resolve, value)
}

/** Gives a promise that resolves to `value`, by the same rule. */
export function resolved<T>(value: T): Promise<T> {
  return ++settled < LOOK ? Promise.resolve(value) : new Promise(resolve => settleInTime(resolve, value))
}

/** Gives a promise that rejects with `reason`, by the same rule, since its receiver may catch that and receive again. */
export function rejected(reason: unknown): Promise<never> {
  return ++settled < LOOK ? Promise.reject(reason) : new Promise((_, reject) => settleInTime(reject, reason))
}

/** To be called when data has come from outside, which shows that the event loop turns. */
export function turned(): void {
  settled = 0
  since = 0
}

function settleInTime<T>(settleNow: (value: T) => void, value: T): void {
  if (isDue()) nodesImmediate(settleNow, value)
  else settleNow(value)
}
