/** What a library takes for a socket: it is given the bytes that have come, and what it writes leaves through the outlet. */

import { Duplex } from 'node:stream'
import type { Outlet } from './outlet.js'

/** With so many bytes waiting to be sent, what writes has to wait. */
const MARK = 256 * 1024

type Done = (error?: Error | null) => void

export class Pipe extends Duplex {
  readonly #outlet: Outlet
  /** Go on writing: one for each piece, and a write of many is only over with all of them. */
  #waiting: Done[] = []
  #hasBegun = false
  #isLetGo = false
  /** What waits for that. */
  #behind: (() => void)[] = []

  readonly #onWrite: (bytes: Buffer) => void

  /** `onWrite` sees what leaves. */
  constructor(outlet: Outlet, onWrite: (bytes: Buffer) => void) {
    super({ decodeStrings: false })
    this.#outlet = outlet
    this.#onWrite = onWrite
  }

  /** Bytes have come. They are only valid during the call, so they must not wait in the buffer of a stream. */
  receive(bytes: Buffer): void {
    this.emit('data', bytes)
  }

  /** Runs it once the first piece has been written. */
  afterFirst(run: () => void): void {
    if (this.#hasBegun) run()
    else this.#behind.push(run)
  }

  override _read(): void {}

  /** Nothing more leaves, and what is written is over at once. */
  letGo(): void {
    this.#isLetGo = true
    this.#outlet.onSent = undefined
    this.#behind.length = 0
    this.#goOn()
  }

  /** Past the buffer of a stream, which would only take time: the outlet has one of its own. */
  override write(bytes: Buffer, encoding?: BufferEncoding | Done, done?: Done): boolean {
    if (!this.#isLetGo) {
      this.#outlet.write(bytes)
      this.#onWrite(bytes)
    }
    const settled = typeof encoding === 'function' ? encoding : done
    if (settled !== undefined) this.#settle(settled)
    return true
  }

  override cork(): void {
    if (!this.#isLetGo) this.#outlet.cork()
  }

  override uncork(): void {
    this.#outlet.uncork()
    if (this.#hasBegun) return
    this.#hasBegun = true
    for (const run of this.#behind.splice(0)) run()
  }

  override _write(_bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.letGo()
    done(error)
  }

  #settle(done: Done): void {
    if (this.#isLetGo || this.#outlet.buffered <= MARK) return done()
    this.#waiting.push(done)
    this.#outlet.onSent = () => {
      if (this.#outlet.buffered > MARK) return
      this.#outlet.onSent = undefined
      this.#goOn()
    }
  }

  #goOn(): void {
    for (const waiting of this.#waiting.splice(0)) waiting()
  }
}
