/** A loop of receives that never have to wait still lets sockets and timers run. */

/** After so many receives in a row the next one settles in a later turn. */
const FAIR = 1024
let settled = 0

/** Calls `resolve`; now and then not before the event loop has turned. */
export function settle<T>(resolve: (value: T) => void, value: T): void {
  if (++settled < FAIR) return resolve(value)
  settled = 0
  setImmediate(resolve, value)
}

/** A promise of `value`, settled by the same rule. */
export function resolved<T>(value: T): Promise<T> {
  if (++settled < FAIR) return Promise.resolve(value)
  settled = 0
  return new Promise(resolve => setImmediate(resolve, value))
}
