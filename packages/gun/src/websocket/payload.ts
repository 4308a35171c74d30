/** A payload that comes in parts, in one buffer that grows with what has come, not with what was announced. */

/** Up to so many bytes an announced length is believed. */
const BELIEVED = 1024 * 1024

export class Payload {
  #bytes: Buffer
  length = 0

  /** `announced` is how many bytes the first part, or the whole, says it has. */
  constructor(announced: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(announced, BELIEVED))
  }

  /** Takes a part. `most` is how long the whole can become at the most. */
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

  /** What has come; valid until the next part is appended. */
  take(): Buffer {
    return this.#bytes.length === this.length ? this.#bytes : this.#bytes.subarray(0, this.length)
  }
}
