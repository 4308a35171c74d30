/** A loop of receives that never have to wait still lets sockets and timers run. */

/** How many receives in a row go by between two looks at the clock. */
const LOOK = 1024
/** For so many milliseconds the event loop may be kept from turning. */
const LONGEST = 5
let settled = 0
/** When the event loop was last known to turn; 0: not looked yet. */
let since = 0

function isDue(): boolean {
  settled = 0
  const now = performance.now()
  if (since === 0) since = now
  if (now - since < LONGEST) return false
  since = 0
  return true
}

/** Calls `resolve`; now and then not before the event loop has turned. */
export function settle<T>(resolve: (value: T) => void, value: T): void {
  if (++settled < LOOK || !isDue()) return resolve(value)
  setImmediate(resolve, value)
}

/** A promise of `value`, settled by the same rule. */
export function resolved<T>(value: T): Promise<T> {
  if (++settled < LOOK || !isDue()) return Promise.resolve(value)
  return new Promise(resolve => setImmediate(resolve, value))
}

/** A promise that is rejected with `reason`, by the same rule: whoever catches it may receive again. */
export function rejected(reason: unknown): Promise<never> {
  if (++settled < LOOK || !isDue()) return Promise.reject(reason)
  return new Promise((_, reject) => setImmediate(reject, reason))
}

/** Something has come from outside, so the event loop turns. */
export function turned(): void {
  settled = 0
  since = 0
}
