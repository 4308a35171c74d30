/**
 * A queue that takes its first item in constant time. An array moves all others, which takes seconds for
 * 30,000 of them.
 */

/** The number of empty places at the front from which they are released, once they are half of all. */
const LEAST = 1024

/** A first-in-first-out queue. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  /** The index of the first item. */
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

  /** Removes the first item and returns it. */
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

  /** Removes so many of the last items, of which there must be as many, and returns them in order. */
  takeLast(count: number): T[] {
    return this.#items.splice(this.#items.length - count) as T[]
  }

  /** Removes all items and returns them. */
  takeAll(): T[] {
    const taken = this.#items.slice(this.#head) as T[]
    this.#items = []
    this.#head = 0
    return taken
  }

  /** Removes an item from anywhere in the queue. Returns whether the item was there. */
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

  find(matches: (item: T) => boolean): T | undefined {
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at] as T
      if (matches(item)) return item
    }
    return undefined
  }

  /** Iterates over the items present at the start, whatever is removed or added meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return (this.#items.slice(this.#head) as T[]).values()
  }
}
