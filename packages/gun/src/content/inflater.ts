/** A zlib stream with promises: bytes go in, and pieces of output come out one by one. */

import type { Transform } from 'node:stream'
import { GunError } from '../errors.js'

/** A stream made by node:zlib. */
export type ZlibStream = Transform & { readonly bytesWritten: number }

/** Takes a piece of output. No further piece comes while its promise is pending. */
export type Emit = (piece: Buffer) => void | Promise<void>

const EMPTY = Buffer.alloc(0)

/** Feeds one zlib stream and emits its output. */
export class Inflater {
  readonly #coding: string
  readonly #stream: ZlibStream
  readonly #emit: Emit
  /** How many bytes went in. */
  #received = 0
  #isOver = false
  #isDisposed = false
  #wake = () => {}

  constructor(coding: string, stream: ZlibStream, emit: Emit) {
    this.#coding = coding
    this.#stream = stream
    this.#emit = emit
    const wake = () => this.#wake()
    stream
      .on('readable', wake)
      .on('error', wake)
      .on('end', () => {
        this.#isOver = true
        wake()
      })
  }

  /** Whether the encoded data has reached its end. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves, when all output of `data` was emitted, to the bytes beyond the end of the encoded data. */
  async take(data: Buffer): Promise<Buffer> {
    let isTaken = false
    this.#received += data.length
    this.#stream.write(data, () => {
      isTaken = true
      this.#wake()
    })
    await this.#run(() => isTaken)
    // zlib consumes all but the bytes beyond the end; the event for the end may still be to come.
    const beyond = this.#isDisposed ? 0 : this.#received - this.#stream.bytesWritten
    if (beyond === 0) return EMPTY
    this.#isOver = true
    return data.subarray(data.length - beyond)
  }

  /** Takes the end of the input. Rejects if the encoded data is incomplete. */
  async end(): Promise<void> {
    if (this.#isOver) return
    this.#stream.end()
    await this.#run(() => false)
  }

  dispose(): void {
    this.#isDisposed = true
    this.#stream.destroy()
    this.#wake()
  }

  async #run(isDone: () => boolean): Promise<void> {
    while (!this.#isDisposed) {
      const piece: Buffer | null = this.#stream.read()
      if (piece !== null) {
        await this.#emit(piece)
        continue
      }
      if (this.#stream.errored)
        throw decodeError(this.#coding, this.#stream.errored.message, this.#stream.errored)
      if (isDone() || this.#isOver) return
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

/** Returns the error that ends the stream of a body that cannot be decoded. */
export function decodeError(coding: string, problem: string, cause?: Error): GunError {
  const text = `the body cannot be decoded (${coding}): ${problem}`
  return new GunError('protocol_error', 'stream_error', text, cause && { cause })
}
