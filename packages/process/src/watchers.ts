/** Those who want to know when something ends: the other side of `[onExit]`. */

import { type ExitReason, reportExit, reportRejection } from './exit.js'

/** The listeners of one thing that ends. */
export class Watchers {
  readonly #listeners = new Set<(reason: ExitReason) => void>()

  /** Adds a listener, and gives a function that takes it away. The same function may be added more than once. */
  add(listener: (reason: ExitReason) => void): () => void {
    // Each call is an entry of its own, also when the same function is given twice.
    const entry = (reason: ExitReason) => listener(reason)
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** Whether nobody wants to know. */
  get isEmpty(): boolean {
    return this.#listeners.size === 0
  }

  /** Calls each listener once. One that throws, or rejects, keeps nothing from the others: its error goes to the exit hook. */
  tell(reason: ExitReason): void {
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const listener of listeners) {
      try {
        reportRejection(listener, listener(reason))
      } catch (error) {
        reportExit(listener, error)
      }
    }
  }
}
