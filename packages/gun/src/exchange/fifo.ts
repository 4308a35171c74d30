/** A queue whose first item is taken in constant time; an array moves all others, which takes seconds with 30,000 of them. */

/** So many places that were taken are given back only once they are half of all. */
const LEAST = 1024

export class Fifo<T> {
  #items: (T | undefined)[] = []
  /** Where the first one is. */
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Takes the first one. */
  shift(): T | undefined {
    const items = this.#items
    if (this.#head === items.length) return undefined
    const item = items[this.#head]
    items[this.#head++] = undefined
    if (this.#head === items.length) {
      items.length = 0
      this.#head = 0
    } else if (this.#head >= LEAST && this.#head * 2 > items.length) {
      this.#items = items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Takes all of them. */
  takeAll(): T[] {
    const taken = this.#items.slice(this.#head) as T[]
    this.#items = []
    this.#head = 0
    return taken
  }

  /** Takes one out, wherever it is, and says whether it was there. */
  remove(item: T): boolean {
    if (item === this.first && this.length > 0) {
      this.shift()
      return true
    }
    const at = this.#items.indexOf(item, this.#head)
    if (at !== -1) this.#items.splice(at, 1)
    return at !== -1
  }

  includes(item: T): boolean {
    return this.#items.includes(item, this.#head)
  }

  find(isIt: (item: T) => boolean): T | undefined {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at] as T
      if (isIt(item)) return item
    }
    return undefined
  }

  /** All that are there when it is asked for, whatever is taken or added meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return (this.#items.slice(this.#head) as T[]).values()
  }
}
