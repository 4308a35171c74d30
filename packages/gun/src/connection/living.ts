/** The connections that have not ended, each held so weakly that one which nothing else holds is collected. */

import type { ConnPid } from '../handles.js'

/** The fewest entries at which those of connections that were collected are looked for. */
const LEAST = 64

class Living {
  /** The entry of each handle. It goes with the handle. */
  readonly #entries = new WeakMap<ConnPid, WeakRef<ConnPid>>()
  readonly #all = new Set<WeakRef<ConnPid>>()
  /** How many entries there are when they are next looked through. */
  #next = LEAST

  add(connPid: ConnPid): void {
    const entry = new WeakRef(connPid)
    this.#entries.set(connPid, entry)
    this.#all.add(entry)
    if (this.#all.size >= this.#next) this.#sweep()
  }

  delete(connPid: ConnPid): void {
    const entry = this.#entries.get(connPid)
    if (entry !== undefined) this.#all.delete(entry)
  }

  /** The handles, in the order in which the connections were opened. */
  get all(): readonly ConnPid[] {
    return [...this.#all].map(entry => entry.deref()).filter(connPid => connPid !== undefined)
  }

  /** Drops the entries of connections that were collected before they had ended. */
  #sweep(): void {
    for (const entry of this.#all) if (entry.deref() === undefined) this.#all.delete(entry)
    this.#next = Math.max(LEAST, 2 * this.#all.size)
  }
}

export const living = new Living()
