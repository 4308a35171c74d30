/** Writes to a stream: all that is written within one tick leaves together, gathered in pages that are used again. */

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Octets } from '../octets.js'

/** Bytes of a page. What is larger gets one of its own. */
const PAGE = 16 * 1024
/** Up to so many bytes are copied into the page; beyond, a copy costs more than a write of several pieces. */
const COPIED = 4 * 1024
/** How many pages are kept for later, by all outlets together. */
const KEPT = 64

const free: Buffer[] = []
/** What is left of pages that are not free. */
const rests: Buffer[] = []
/** Less is not worth keeping. */
const LEAST = 256
const NO_PAGE = Buffer.alloc(0)

export class Outlet {
  readonly #stream: Duplex
  /** Where `room` lets the caller write. */
  page: Buffer = NO_PAGE
  /** From where on the page holds what is not in `#pieces` yet, and up to where. */
  #start = 0
  #used = 0
  #pieces: Uint8Array[] = []
  /** Pages of this tick that are full. */
  #full: Buffer[] = []
  #bytes = 0
  /** How many bytes were handed to the stream. */
  #handed = 0
  #isCorked = false
  /** Called when what was sent has been taken over by the system, which may have left less to be sent. */
  onSent: (() => void) | undefined
  /** The stream takes over what is written to it before `write` returns, as a socket does that is not full. */
  #isPrompt = false
  /** Nothing is sent any more. */
  #isStopped = false

  /** Another Duplex may pass on what it was given, and still refer to it when it says that it is done. */
  readonly #givesBack: boolean

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#givesBack = stream instanceof Socket
  }

  /** How many bytes wait to be sent. */
  get buffered(): number {
    return this.#isStopped ? 0 : this.#bytes + this.#stream.writableLength
  }

  /** How many bytes were ever given to be sent. */
  get given(): number {
    return this.#handed + this.#bytes
  }

  /** How many of these have left, as far as the stream says. */
  get sent(): number {
    return this.#handed - this.#stream.writableLength
  }

  /** Makes room for so many bytes in `page`, and gives where they begin. What is written there counts with `commit`. */
  room(size: number): number {
    if (this.#used + size > this.page.length) this.#turn(size)
    return this.#used
  }

  /** So many bytes were written at the place that `room` gave. */
  commit(size: number): void {
    if (this.#bytes === 0 && !this.#isCorked) process.nextTick(flush, this)
    this.#used += size
    this.#bytes += size
  }

  /** A character is a byte. */
  writeText(text: Octets): void {
    const size = text.length
    if (size > COPIED) return this.write(Buffer.from(text, 'latin1'))
    const at = this.room(size)
    this.page.write(text, at, 'latin1')
    this.commit(size)
  }

  write(bytes: Uint8Array): void {
    const size = bytes.length
    if (size === 0) return
    if (size <= COPIED) {
      const at = this.room(size)
      this.page.set(bytes, at)
      this.commit(size)
      return
    }
    if (this.#bytes === 0 && !this.#isCorked) process.nextTick(flush, this)
    this.#seal()
    this.#pieces.push(bytes)
    this.#bytes += size
  }

  /** What is written from here on leaves with `uncork`. */
  cork(): void {
    this.#isCorked = true
  }

  uncork(): void {
    this.#isCorked = false
    this.flush()
  }

  /** Whether what is written goes nowhere. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** What is written from here on goes nowhere. */
  stop(): void {
    this.#isStopped = true
    this.onSent = undefined
  }

  /** Sends what was gathered. */
  flush(): void {
    if (this.#bytes === 0) return
    this.#seal()
    const pieces = this.#pieces
    const pages = this.#full
    if (!this.#givesBack) this.#keepRest()
    else if (this.page.length === PAGE) pages.push(this.page)
    this.page = NO_PAGE
    this.#start = 0
    this.#used = 0
    this.#pieces = []
    this.#full = []
    this.#handed += this.#bytes
    this.#bytes = 0
    const stream = this.#stream
    if (stream.destroyed || this.#isStopped) return
    // A callback costs a small frame more than its page is worth.
    const isWatched = !this.#isPrompt || this.onSent !== undefined
    this.#send(pieces, isWatched ? error => this.#sent(error, pages) : undefined)
    this.#isPrompt = stream.writableLength === 0
    // Without a callback nothing tells when the pages are free, unless they are now.
    if (!isWatched && this.#isPrompt) this.#giveBack(pages)
  }

  #send(pieces: readonly Uint8Array[], done: ((error?: Error | null) => void) | undefined): void {
    const stream = this.#stream
    if (pieces.length > 1) stream.cork()
    for (let i = 0; i < pieces.length - 1; i++) stream.write(pieces[i])
    stream.write(pieces[pieces.length - 1], done)
    if (pieces.length > 1) stream.uncork()
  }

  #sent(error: Error | null | undefined, pages: readonly Buffer[]): void {
    // The system may still read from the pages of a write that has failed.
    if (error) return
    this.#giveBack(pages)
    this.onSent?.()
  }

  #keepRest(): void {
    if (rests.length < KEPT && this.page.length - this.#used >= LEAST) {
      rests.push(this.page.subarray(this.#used))
    }
  }

  #giveBack(pages: readonly Buffer[]): void {
    for (const page of pages) if (free.length < KEPT) free.push(page)
  }

  /** What the page holds becomes a piece, since another one comes between it and what follows. */
  #seal(): void {
    if (this.#used > this.#start) this.#pieces.push(this.page.subarray(this.#start, this.#used))
    this.#start = this.#used
  }

  #freePage(size: number): Buffer | undefined {
    if (this.#givesBack) return size <= PAGE ? free.pop() : undefined
    const rest = rests.pop()
    return rest !== undefined && rest.length >= size ? rest : undefined
  }

  #turn(size: number): void {
    this.#seal()
    if (this.#givesBack && this.page.length === PAGE) this.#full.push(this.page)
    this.page = this.#freePage(size) ?? Buffer.allocUnsafeSlow(Math.max(size, PAGE))
    this.#start = 0
    this.#used = 0
  }
}

function flush(outlet: Outlet): void {
  outlet.flush()
}
