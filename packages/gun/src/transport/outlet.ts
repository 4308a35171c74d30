/** Writes to a stream: all that is written within one tick leaves in one write. */

import type { Duplex } from 'node:stream'

/** Up to so many bytes are copied together; beyond, a copy costs more than a write of several pieces. */
const COPIED = 64 * 1024

/** Also what ws's Sender takes for a socket. */
export class Outlet {
  readonly #stream: Duplex
  #gathered: Uint8Array[] = []
  #bytes = 0

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  /** How many bytes wait to be sent. */
  get buffered(): number {
    return this.#bytes + this.#stream.writableLength
  }

  write(chunk: Uint8Array | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (this.#gathered.length === 0) process.nextTick(flush, this)
    this.#gathered.push(bytes)
    this.#bytes += bytes.length
  }

  /** Sender corks around the pieces of a frame; the end of the tick comes after them all. */
  cork(): void {}
  uncork(): void {}

  /** Sends what was gathered. */
  flush(): void {
    const gathered = this.#gathered
    const bytes = this.#bytes
    this.#gathered = []
    this.#bytes = 0
    const [first] = gathered
    if (first === undefined || this.#stream.destroyed) return
    if (gathered.length === 1) {
      this.#stream.write(first)
    } else if (bytes <= COPIED) {
      this.#stream.write(Buffer.concat(gathered, bytes))
    } else {
      this.#stream.cork()
      for (const chunk of gathered) this.#stream.write(chunk)
      this.#stream.uncork()
    }
  }
}

function flush(outlet: Outlet): void {
  outlet.flush()
}
