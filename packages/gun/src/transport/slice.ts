/**
 * Limits how long one connection may occupy the event loop; beyond that, the rest of what it has read waits
 * for the next turn.
 */

/** The limit, in milliseconds, for handling one read and for handling the reads of one turn. */
const LONGEST = 5

/** How many items, of a few microseconds each, are handled between two looks at the clock. */
const LOOK = 32

/** A run over many received items, such as frames. */
export class Slice {
  readonly #look: number
  #items = 0
  /** When the run is over, by the clock of `performance.now`; 0 before the first look. */
  #over = 0

  /** `look` is how many items are handled between two looks at the clock. */
  constructor(look = LOOK) {
    this.#look = look
  }

  /** Begins a run. */
  begin(): void {
    this.#items = 0
    this.#over = 0
  }

  /** Counts one more handled item. Returns whether the remaining items should wait for the next turn. */
  isOver(): boolean {
    if (++this.#items < this.#look) return false
    this.#items = 0
    const now = performance.now()
    if (this.#over === 0) this.#over = now + LONGEST
    return now >= this.#over
  }
}

/** Reads of fewer bytes are not timed: however small their items are, they hold few. */
const SMALL = 256

/** The time that a connection spends on its reads, of which there may be many in one turn. */
export class Share {
  #taken = 0

  /** Begins the handling of a read of so many bytes. Returns the start time for `spend`. */
  begin(bytes: number): number {
    return bytes <= SMALL ? 0 : performance.now()
  }

  /**
   * Adds the time since `start` to the time spent. Returns whether the next read should wait for the next
   * turn.
   */
  spend(start: number): boolean {
    if (start === 0) return false
    this.#taken += performance.now() - start
    if (this.#taken < LONGEST) return false
    this.#taken = 0
    return true
  }
}
