/** Those who wait for a signal to abort share one listener on it: Node warns of a leak at the eleventh. */

type Listener = () => void

class Waiters {
  readonly #listeners = new Set<Listener>()
  readonly #abort = (): void => {
    // One that has gone meanwhile is passed over.
    for (const listener of this.#listeners) listener()
  }

  add(signal: AbortSignal, listener: Listener): void {
    if (this.#listeners.size === 0) signal.addEventListener('abort', this.#abort)
    this.#listeners.add(listener)
  }

  remove(signal: AbortSignal, listener: Listener): void {
    this.#listeners.delete(listener)
    // Node keeps a signal that is listened to alive, if it depends on others or on time.
    if (this.#listeners.size === 0) signal.removeEventListener('abort', this.#abort)
  }
}

const waiters = new WeakMap<AbortSignal, Waiters>()

/**
 * Calls `listener`, which must not throw and is none that was given before, when a signal aborts that has not yet. Gives a
 * function that takes the listener away again.
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
