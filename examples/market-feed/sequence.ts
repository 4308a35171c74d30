/** A sequence lets ticks through in the order of their numbers, each once, and tells of the gaps that it has seen. */

import type { Tick } from './tick.ts'

export interface Gap {
  readonly from: number
  readonly to: number
}

/** How many ticks may wait behind a gap. */
export const MOST = 1000

export class Sequence {
  #next: number
  /** The highest number that was seen, with all below it told as gaps or let through. */
  #highest: number
  /** The ticks behind a gap, by their numbers. */
  readonly #early = new Map<number, Tick>()

  constructor(next: number) {
    this.#next = next
    this.#highest = next - 1
  }

  /** The number of the tick whose turn it is. */
  get next(): number {
    return this.#next
  }

  /** Takes a tick, and gives those whose turn has come. Throws an Error if too many wait for a repair that does not come. */
  take(tick: Tick): readonly Tick[] {
    if (tick.seq >= this.#next) this.#early.set(tick.seq, tick)
    const ready: Tick[] = []
    for (let found = this.#early.get(this.#next); found !== undefined; found = this.#early.get(this.#next)) {
      this.#early.delete(this.#next++)
      ready.push(found)
    }
    if (this.#early.size > MOST) throw new Error(`the gap before ${tick.seq} is not repaired`)
    return ready
  }

  /** Notes that the number `seq` has been reached, and gives what was left out on the way, once. */
  reach(seq: number): Gap | undefined {
    const from = this.#highest + 1
    this.#highest = Math.max(this.#highest, seq)
    return from < seq ? { from, to: seq - 1 } : undefined
  }

  /** Begins anew behind the last tick that was let through: what was asked for is lost with its connection. */
  restart(): void {
    this.#highest = this.#next - 1
    this.#early.clear()
  }
}
