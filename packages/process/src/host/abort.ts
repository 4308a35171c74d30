/** The waiters for one abort signal share one listener on it, since Node warns of a leak at the eleventh listener. */

type Listener = () => void

class Waiters {
  readonly #listeners = new Set<Listener>()
  readonly #abort = (): void => {
    // A set passes over listeners that are removed during the walk.
    for (const listener of this.#listeners) listener()
  }

  add(signal: AbortSignal, listener: Listener): void {
    if (this.#listeners.size === 0) signal.addEventListener('abort', this.#abort)
    this.#listeners.add(listener)
  }

  remove(signal: AbortSignal, listener: Listener): void {
    this.#listeners.delete(listener)
    // Node keeps a signal with a listener alive if it depends on other signals or on a timeout.
    if (this.#listeners.size === 0) signal.removeEventListener('abort', this.#abort)
  }
}

const waiters = new WeakMap<AbortSignal, Waiters>()

/**
 * Calls `listener` when `signal`, which has not aborted yet, aborts. Gives a function that removes the listener. It must not
 * throw, and must not be waiting for this signal already.
 */
export function onAbort(signal: AbortSignal, listener: Listener): () => void {
  let waiting = waiters.get(signal)
  if (waiting === undefined) {
    waiting = new Waiters()
    waiters.set(signal, waiting)
  }
  const mine = waiting
  mine.add(signal, listener)
  return () => mine.remove(signal, listener)
}
