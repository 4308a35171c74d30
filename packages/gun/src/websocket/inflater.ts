/** Inflates the messages of one WebSocket, one at a time and in pieces (RFC 7692 section 7.2.2). */

import { constants as sizes } from 'node:buffer'
import { constants } from 'node:zlib'
import type { Context } from './context.js'
import { badText, type Failure, notInflated, tooLong } from './failures.js'
import { Payload } from './payload.js'
import type { Shelf } from './shelf.js'
import { textOf } from './text.js'
import { add, begin, cancel, type Job } from './turn.js'

const { Z_SYNC_FLUSH } = constants

/** How many bytes are inflated at once. */
const PIECE = 16 * 1024
/** The bytes that a sender leaves out at the end of each message. */
const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff)

const EMPTY: Buffer = Buffer.alloc(0)
/** The output of a piece; in use only within a call. */
const output = Buffer.allocUnsafeSlow(128 * 1024)

/** A text, a binary, or the reason why there is neither. */
export type Inflated = string | Buffer | Failure

export class Inflater implements Job {
  readonly #shelf: Shelf
  readonly #maxPayload: number
  /** How many bytes the last message has. */
  size = 0
  #context: Context | undefined
  #input: Buffer = EMPTY
  #at = 0
  #end = 0
  #isText = false
  /** Whether the message has had a block with BFINAL, behind which zlib has to begin anew. */
  #hasEnded = false
  /** The output of earlier pieces. */
  #parts: Payload | undefined
  #result: Inflated = EMPTY
  #later: ((message: Inflated) => void) | undefined

  /** `maxPayload` is the most bytes that a message may have. */
  constructor(shelf: Shelf, maxPayload: number) {
    this.#shelf = shelf
    this.#maxPayload = maxPayload
  }

  /**
   * Returns the message in the bytes from `start` to `end`, or why there is none; `undefined` if this turn has no
   * time for all of it: then `later` gets it in a later turn.
   */
  inflate(
    bytes: Buffer,
    start: number,
    end: number,
    isText: boolean,
    later: (message: Inflated) => void,
  ): Inflated | undefined {
    this.#input = bytes
    this.#at = start
    this.#end = end
    this.#isText = isText
    if (begin(this)) return this.#handOver()
    // The caller's bytes are valid only within the call.
    if (this.#input !== TAIL) this.#feed(Buffer.from(this.#input.subarray(this.#at, this.#end)))
    this.#later = later
    return undefined
  }

  step(): boolean {
    try {
      this.#context ??= this.#shelf.take()
      return this.#inflate(this.#context)
    } catch (error) {
      // zlib has closed the context.
      this.#context = undefined
      this.#finish(notInflated(error as Error))
      return true
    }
  }

  report(): void {
    this.#later?.(this.#handOver())
  }

  /** Lets go of the memory, and forgets the message that is being inflated. */
  dispose(): void {
    cancel(this)
    this.#shelf.dispose()
    this.#finish(EMPTY)
  }

  /** Returns the result, which may be large and is not kept. */
  #handOver(): Inflated {
    const result = this.#result
    this.#result = EMPTY
    return result
  }

  #feed(input: Buffer): void {
    this.#input = input
    this.#at = 0
    this.#end = input.length
  }

  /** Inflates a piece. Returns whether the message is done. */
  #inflate(context: Context): boolean {
    let used = 0
    for (;;) {
      const to = Math.min(this.#at + PIECE, this.#end)
      context.run(Z_SYNC_FLUSH, this.#input, this.#at, to, output, used)
      this.#at += context.taken
      used += context.given
      add(context.given)
      const isFull = used === output.length
      if (!isFull && this.#at < to) {
        this.#hasEnded = true
        context.reset()
      }
      if (isFull || this.#at < this.#end) return !this.#keep(used)
      if (this.#input === TAIL) return this.#complete(used)
      this.#feed(TAIL)
    }
  }

  /** Keeps a piece of the output. Returns whether the message may go on; if not, inflating has failed. */
  #keep(used: number): boolean {
    if (this.#exceeds(used)) return false
    this.#parts ??= new Payload(used)
    this.#parts.append(output, 0, used, this.#maxPayload)
    if (!this.#isText || this.#parts.isText()) return true
    this.#finish(badText())
    return false
  }

  /** Whether the message becomes too long with so many bytes more; then inflating has failed. */
  #exceeds(used: number): boolean {
    this.size = (this.#parts?.length ?? 0) + used
    const most = this.#isText ? sizes.MAX_STRING_LENGTH : sizes.MAX_LENGTH
    if (this.size <= Math.min(this.#maxPayload, most)) return false
    this.#finish(tooLong(this.#maxPayload))
    return true
  }

  #complete(used: number): true {
    if (this.#hasEnded) this.#context?.reset()
    if (this.#isText && this.#parts === undefined) {
      if (!this.#exceeds(used)) this.#finish(textOf(output, 0, used) ?? badText())
    } else if (this.#keep(used)) {
      this.#finish((this.#isText ? this.#parts?.text() : this.#parts?.take()) ?? badText())
    }
    return true
  }

  #finish(result: Inflated): void {
    if (this.#context !== undefined) this.#shelf.put(this.#context)
    this.#context = undefined
    this.#input = EMPTY
    this.#parts = undefined
    this.#hasEnded = false
    this.#result = result
  }
}
