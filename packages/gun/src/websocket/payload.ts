/**
 * A payload that arrives in parts, held in one buffer that grows with the bytes received rather than with the
 * announced length.
 */

/** The most bytes allocated on the strength of an announced length alone. */
const BELIEVED = 1024 * 1024

/** Collects the parts of one payload. */
export class Payload {
  #bytes: Buffer
  length = 0

  /** `announced` is the stated length in bytes of the first part or of the whole. */
  constructor(announced: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(announced, BELIEVED))
  }

  /** Appends a part. `most` is the greatest possible length of the whole, in bytes. */
  append(chunk: Buffer, start: number, end: number, most: number): void {
    const length = this.length + end - start
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, Math.min(this.#bytes.length * 2, most)))
      this.#bytes.copy(grown, 0, 0, this.length)
      this.#bytes = grown
    }
    chunk.copy(this.#bytes, this.length, start, end)
    this.length = length
  }

  /** Returns the bytes received; they are valid until the next part is appended. */
  take(): Buffer {
    return this.#bytes.length === this.length ? this.#bytes : this.#bytes.subarray(0, this.length)
  }
}
