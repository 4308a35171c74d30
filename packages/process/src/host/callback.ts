/** A promise that a function of the caller's gives, where nobody waits for one, must not end the program when it rejects. */

/**
 * Whether `result` is a promise, or can be awaited like one; if so `onRejected` is called with the reason if it rejects,
 * never before this function has returned. For anything else, and for what cannot even be read, nothing happens.
 */
export function onRejection(result: unknown, onRejected: (reason: unknown) => void): boolean {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return false
  try {
    if (typeof (result as { readonly then?: unknown }).then !== 'function') return false
  } catch {
    return false
  }
  Promise.resolve(result).then(undefined, onRejected)
  return true
}
