/** Our PINGs that wait for their answers (RFC 9113 section 6.7). */

/** How many may wait. */
export const MOST_PINGS = 1000
/** The first four bytes of each, so that the answer to another's is not taken for one of ours. */
const OURS = 0x686f6c73

export class Pings {
  readonly #waiting = new Set<number>()
  #last = 0
  readonly #opaque = Buffer.alloc(8)

  /** Gives the number of a new one; `undefined`: too many wait. */
  begin(): number | undefined {
    if (this.#waiting.size >= MOST_PINGS) return undefined
    this.#last = (this.#last + 1) >>> 0
    this.#waiting.add(this.#last)
    return this.#last
  }

  /** Gives the bytes that one carries, valid until the next call. */
  opaque(ping: number): Buffer {
    this.#opaque.writeUInt32BE(OURS)
    this.#opaque.writeUInt32BE(ping, 4)
    return this.#opaque
  }

  /** Gives the number of the one that the eight bytes at `start` answer; `undefined`: none that waits. */
  end(bytes: Buffer, start: number): number | undefined {
    const ping = bytes.readUInt32BE(start + 4)
    return bytes.readUInt32BE(start) === OURS && this.#waiting.delete(ping) ? ping : undefined
  }
}
