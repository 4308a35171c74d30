/** Bytes stay where they are until they are read; those that are left can be moved to memory of their own. */

/** Gives a part of bytes that were pushed. */
export type Part = (bytes: Buffer, start: number, end: number) => Buffer

/** The bytes of one push. */
interface Read {
  bytes: Buffer
  /** How many requests were announced before them. */
  readonly announced: number
}

const EMPTY = Buffer.alloc(0)

/** The bytes that were pushed and not read yet. */
export class Input {
  bytes: Buffer = EMPTY
  /** How many of these bytes were read. */
  at = 0
  /** How many requests were announced before these bytes came: they cannot answer any other. */
  announced = 0
  isEnded = false
  /** The bytes that were pushed while some of these were not read yet. */
  readonly #later: Read[] = []
  readonly #partOf: Part

  constructor(partOf: Part) {
    this.#partOf = partOf
  }

  push(bytes: Buffer, announced: number): void {
    if (this.at < this.bytes.length) {
      this.#later.push({ bytes, announced })
      return
    }
    this.bytes = bytes
    this.at = 0
    this.announced = announced
  }

  /** Moves what is left of the last push. */
  keep(): void {
    const last = this.#later.at(-1)
    if (last !== undefined) {
      last.bytes = this.#partOf(last.bytes, 0, last.bytes.length)
      return
    }
    const { bytes, at } = this
    this.bytes = at < bytes.length ? this.#partOf(bytes, at, bytes.length) : EMPTY
    this.at = 0
  }

  /** Whether there is a byte to read. */
  hasMore(): boolean {
    if (this.at < this.bytes.length) return true
    const read = this.#later.shift()
    if (read === undefined) return false
    this.bytes = read.bytes
    this.at = 0
    this.announced = read.announced
    return read.bytes.length > 0 || this.hasMore()
  }

  /** Takes so many bytes, or as many as one push has left. */
  take(most: number): Buffer {
    const { bytes, at } = this
    this.at = Math.min(bytes.length, at + most)
    return this.#partOf(bytes, at, this.at)
  }

  /** Takes all bytes. */
  takeAll(): Buffer {
    const first = this.take(Number.POSITIVE_INFINITY)
    const later = this.#later.splice(0)
    return later.length === 0 ? first : Buffer.concat([first, ...later.map(({ bytes }) => bytes)])
  }
}
