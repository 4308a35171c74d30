/** Values that wait for their turn to be handed out. */

export class Queue<T> {
  #items: T[] = []
  /** How many of the items were taken. */
  #taken = 0

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Takes the oldest. To shift the array would move all others. */
  shift(): T | undefined {
    const item = this.#items[this.#taken++]
    if (this.#taken >= this.#items.length) this.clear()
    return item
  }

  clear(): void {
    this.#items = []
    this.#taken = 0
  }
}
