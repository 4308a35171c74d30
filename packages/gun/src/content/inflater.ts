/** A zlib stream that is waited for: what goes in, and what comes out of it, piece by piece. */

import type { Transform } from 'node:stream'
import { GunError } from '../errors.js'

/** What node:zlib makes. */
export type ZlibStream = Transform & { readonly bytesWritten: number }

/** Takes what comes out; nothing more comes while its promise is pending. */
export type Emit = (piece: Buffer) => void | Promise<void>

const EMPTY = Buffer.alloc(0)

export class Inflater {
  readonly #coding: string
  readonly #stream: ZlibStream
  readonly #emit: Emit
  /** How many bytes went in. */
  #given = 0
  #isOver = false
  #isClosed = false
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

  /** What was encoded has come to its end. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves when all that comes of it was taken; gives the bytes that lie beyond the end. */
  async take(data: Buffer): Promise<Buffer> {
    let isTaken = false
    this.#given += data.length
    this.#stream.write(data, () => {
      isTaken = true
      this.#wake()
    })
    await this.#run(() => isTaken)
    // zlib leaves nothing but what lies beyond; the event that says so may be still to come.
    const beyond = this.#isClosed ? 0 : this.#given - this.#stream.bytesWritten
    if (beyond === 0) return EMPTY
    this.#isOver = true
    return data.subarray(data.length - beyond)
  }

  /** Nothing more will come. Rejects where more is needed. */
  async finish(): Promise<void> {
    if (this.#isOver) return
    this.#stream.end()
    await this.#run(() => false)
  }

  close(): void {
    this.#isClosed = true
    this.#stream.destroy()
    this.#wake()
  }

  async #run(isDone: () => boolean): Promise<void> {
    while (!this.#isClosed) {
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

/** What is wrong with a body, as the error that ends its stream. */
export function decodeError(coding: string, problem: string, cause?: Error): GunError {
  const text = `the body cannot be decoded (${coding}): ${problem}`
  return new GunError('protocol_error', 'stream_error', text, cause && { cause })
}
