/** How long one connection may keep the event loop from everything else: then what it has read waits for the next turn. */

/** In milliseconds: of one read, and of the reads of one turn. */
const LONGEST = 5

/** How many items, a few microseconds each, go by between two looks at the clock. */
const LOOK = 32

/** A run over many items of what has come, such as frames. */
export class Slice {
  readonly #look: number
  #items = 0
  /** When it is over, by the clock of `performance.now`; 0: not looked yet. */
  #end = 0

  /** `look`: how many items go by between two looks at the clock. */
  constructor(look = LOOK) {
    this.#look = look
  }

  /** A run begins. */
  begin(): void {
    this.#items = 0
    this.#end = 0
  }

  /** One more item was handled. Says whether the others are to wait for the next turn. */
  isOver(): boolean {
    if (++this.#items < this.#look) return false
    this.#items = 0
    const now = performance.now()
    if (this.#end === 0) this.#end = now + LONGEST
    return now >= this.#end
  }
}

/** Less than this is not worth a look at the clock: it holds few items, however small they are. */
const SMALL = 256

/** What a connection takes for its reads, of which there may be many in a turn. */
export class Share {
  #taken = 0

  /** A read of so many bytes begins to be handled. Gives when, for `end`. */
  begin(bytes: number): number {
    return bytes <= SMALL ? 0 : performance.now()
  }

  /** It has been handled. Says whether the next read is to wait for the next turn. */
  end(start: number): boolean {
    if (start === 0) return false
    this.#taken += performance.now() - start
    if (this.#taken < LONGEST) return false
    this.#taken = 0
    return true
  }
}
