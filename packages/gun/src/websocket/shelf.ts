/**
 * Where a context is between two messages: each direction of a connection keeps its own, or, if no message
 * refers to another, all directions alike of the program share one.
 */

import type { Context } from './context.js'

export class Shelf {
  readonly #make: () => Context
  readonly #isShared: boolean
  #idle: Context | undefined
  #isDisposed = false

  constructor(make: () => Context, isShared: boolean) {
    this.#make = make
    this.#isShared = isShared
  }

  /** Returns a context for one message. Contexts are made when they are first needed. */
  take(): Context {
    const context = this.#idle ?? this.#make()
    this.#idle = undefined
    return context
  }

  /** Takes a context back when its message is done. */
  put(context: Context): void {
    if (this.#isDisposed || this.#idle !== undefined) return context.close()
    if (this.#isShared) context.reset()
    this.#idle = context
  }

  /** Gives back the memory, unless others share it. */
  dispose(): void {
    if (this.#isShared) return
    this.#isDisposed = true
    this.#idle?.close()
    this.#idle = undefined
  }
}

const shared = new Map<string, Shelf>()

/** Returns the shelf of all who give the same name. */
export function sharedShelf(name: string, make: () => Context): Shelf {
  let shelf = shared.get(name)
  if (shelf === undefined) {
    shelf = new Shelf(make, true)
    shared.set(name, shelf)
  }
  return shelf
}
