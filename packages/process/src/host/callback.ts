/** A promise that a user's function returns to no awaiter must not end the program when it rejects. */

/**
 * Whether `result` is a promise, or has a `then` like one. If it rejects, `onRejected` is called with the reason, and never
 * before this function has returned. A value whose `then` cannot be read counts as no promise.
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
