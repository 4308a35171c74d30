/**
 * A payload that arrives in parts, held in one buffer that grows with the bytes received rather than with the
 * announced length.
 */

import { isUtf8 } from 'node:buffer'
import { brokenOff, canBegin, decode } from './text.js'

/** The most bytes allocated on the strength of an announced length alone. */
const BELIEVED = 1024 * 1024

/** Collects the parts of one payload. */
export class Payload {
  #bytes: Buffer
  length = 0
  /** How many of the first bytes are known to be whole characters of UTF-8. */
  #valid = 0

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

  /** Whether the bytes received can be the beginning of a text. Each of them is looked at once, however often this is asked. */
  isText(): boolean {
    const { length } = this
    const bytes = this.#bytes
    const whole = brokenOff(bytes, this.#valid, length)
    if (!isUtf8(bytes.subarray(this.#valid, whole))) return false
    this.#valid = whole
    return whole === length || canBegin(bytes, whole, length)
  }

  /** Returns the text, of which `isText` has seen all bytes; `undefined` if it breaks off within a character. */
  text(): string | undefined {
    return this.#valid === this.length ? decode(this.take()) : undefined
  }

  /** Returns the bytes received; they are valid until the next part is appended. */
  take(): Buffer {
    return this.#bytes.length === this.length ? this.#bytes : this.#bytes.subarray(0, this.length)
  }
}
