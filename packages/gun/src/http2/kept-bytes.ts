/** Bytes that wait, in one buffer: its room is doubled when it is used up, so that a peer may send a byte at a time. */

const EMPTY = Buffer.alloc(0)

export class KeptBytes {
  #store = EMPTY
  /** The bytes that wait are those of the store from here on, and up to `#end`. */
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  /** Adds a copy of the bytes. */
  add(bytes: Buffer): void {
    const size = this.length + bytes.length
    if (this.#end + bytes.length > this.#store.length) {
      // Bytes that come alone are mostly taken before others come.
      const store = Buffer.allocUnsafe(this.length === 0 ? size : 2 * size)
      this.#store.copy(store, 0, this.#start, this.#end)
      this.#store = store
      this.#end = this.length
      this.#start = 0
    }
    bytes.copy(this.#store, this.#end)
    this.#end += bytes.length
  }

  /** Removes at most so many of the first bytes, and gives them. */
  take(most: number): Buffer {
    const bytes = this.#store.subarray(this.#start, Math.min(this.#end, this.#start + most))
    this.#start += bytes.length
    if (this.#start === this.#end) this.drop()
    return bytes
  }

  drop(): void {
    this.#store = EMPTY
    this.#start = 0
    this.#end = 0
  }
}
