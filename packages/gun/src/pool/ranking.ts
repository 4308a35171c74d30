/** The connections with room, by how much there is to do on them: the first has least, and of several like it was used last. */

/** Stands in a ranking. The fields belong to the ranking. */
export interface Ranked {
  /** How much the item has to do; -1 while it stands in no ranking. */
  level: number
  previous: Ranked | undefined
  next: Ranked | undefined
}

export class Ranking<T extends Ranked> {
  /** The first of each level. */
  readonly #levels: (T | undefined)[] = []
  /** The level below which there is no item. */
  #lowest = 0
  #size = 0

  /** The item with least to do; `undefined` if there is none. Takes constant time, as levels change by one at a time. */
  get first(): T | undefined {
    if (this.#size === 0) return undefined
    while (this.#levels[this.#lowest] === undefined) this.#lowest++
    return this.#levels[this.#lowest]
  }

  /** Puts an item at a level, before the others there; with `undefined` takes it out of the ranking. */
  place(item: T, level: number | undefined): void {
    if (item.level === (level ?? -1)) return
    if (item.level !== -1) this.#remove(item)
    if (level === undefined) return
    const head = this.#levels[level]
    item.level = level
    item.next = head
    if (head !== undefined) head.previous = item
    this.#levels[level] = item
    this.#size++
    if (level < this.#lowest) this.#lowest = level
  }

  #remove(item: T): void {
    const { previous, next, level } = item
    if (previous === undefined) this.#levels[level] = next as T | undefined
    else previous.next = next
    if (next !== undefined) next.previous = previous
    item.previous = undefined
    item.next = undefined
    item.level = -1
    this.#size--
  }
}
