/** The socket that Node's session is given: what has come is handed to it, and what it writes leaves through the outlet. */

import { Duplex } from 'node:stream'
import type { Outlet } from '../transport/outlet.js'

/** With more bytes than this waiting to be sent, the session waits. */
const MARK = 256 * 1024

type Done = (error?: Error | null) => void

export class Pipe extends Duplex {
  readonly #outlet: Outlet
  readonly #onWrite: (bytes: Buffer) => void
  /** The callbacks of the writes that wait: a write of many pieces is only over with all of them. */
  #waiting: Done[] = []
  #hasBegun = false
  /** What runs once the first piece has been written. */
  #behindFirst: (() => void)[] = []
  #isDisposed = false

  /** `onWrite` sees what leaves. */
  constructor(outlet: Outlet, onWrite: (bytes: Buffer) => void) {
    super({ decodeStrings: false })
    this.#outlet = outlet
    this.#onWrite = onWrite
  }

  /** Hands over bytes of the peer, which are only valid during the call and so must not wait in the buffer of a stream. */
  receive(bytes: Buffer): void {
    this.emit('data', bytes)
  }

  /** Calls `run` once the first piece has been written. */
  afterFirst(run: () => void): void {
    if (this.#hasBegun) run()
    else this.#behindFirst.push(run)
  }

  override _read(): void {}

  /** Lets nothing more leave; what is written from now on is over at once. */
  dispose(): void {
    this.#isDisposed = true
    this.#outlet.onSent = undefined
    this.#behindFirst.length = 0
    this.#goOn()
  }

  /** Writes past the buffer of a stream, which would only take time: the outlet has one of its own. */
  override write(bytes: Buffer, encoding?: BufferEncoding | Done, done?: Done): boolean {
    if (!this.#isDisposed) {
      this.#outlet.write(bytes)
      this.#onWrite(bytes)
    }
    const settled = typeof encoding === 'function' ? encoding : done
    if (settled !== undefined) this.#settle(settled)
    return true
  }

  override cork(): void {
    if (!this.#isDisposed) this.#outlet.cork()
  }

  override uncork(): void {
    this.#outlet.uncork()
    if (this.#hasBegun) return
    this.#hasBegun = true
    for (const run of this.#behindFirst.splice(0)) run()
  }

  override _write(_bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.dispose()
    done(error)
  }

  #settle(done: Done): void {
    if (this.#isDisposed || this.#outlet.buffered <= MARK) return done()
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
