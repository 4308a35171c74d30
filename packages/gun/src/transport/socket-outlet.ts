/**
 * The outlet of a socket: all bytes written within one tick leave together, gathered in pages that are used
 * again.
 */

import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { nodesTick } from '@holster/process/internal'
import type { Octets } from '../octets.js'
import type { Outlet } from './outlet.js'

/** The size of a page in bytes; larger data gets a page of its own. */
const PAGE = 16 * 1024
/** Up to so many bytes are copied into the page; beyond, a copy costs more than a write of several pieces. */
const COPIED = 4 * 1024
/** How many pages are kept for later, by all outlets together. */
const KEPT = 64

const free: Buffer[] = []
/** The unused ends of pages that are still referred to. */
const rests: Buffer[] = []
/** The smallest end of a page worth keeping, in bytes. */
const LEAST = 256
const NO_PAGE = Buffer.alloc(0)

/** Gathers the bytes of a tick and hands them to the stream at its end. */
export class SocketOutlet implements Outlet {
  readonly #stream: Duplex
  /** The page in which `room` lets the caller write. */
  page: Buffer = NO_PAGE
  /** Where on the page the bytes begin that are not in `#pieces` yet. */
  #start = 0
  /** Where on the page the bytes end. */
  #used = 0
  #pieces: Uint8Array[] = []
  /** The pages filled within this tick. */
  #full: Buffer[] = []
  #bytes = 0
  /** How many bytes were handed to the stream. */
  #handed = 0
  /** Called when the system has taken over data, so that less may wait to be sent. */
  onSent: (() => void) | undefined
  /** Whether the stream takes over data before `write` returns, as a socket with room does. */
  #isPrompt = false
  /** Whether bytes are discarded instead of sent. */
  #isAborted = false

  /**
   * Whether pages are used again. Only a socket allows that: another Duplex may pass the bytes on, and still
   * refer to them when it reports them as written.
   */
  readonly #reusesPages: boolean

  constructor(stream: Duplex) {
    this.#stream = stream
    this.#reusesPages = stream instanceof Socket
  }

  /** How many bytes wait to be sent. */
  get buffered(): number {
    return this.#isAborted ? 0 : this.#bytes + this.#stream.writableLength
  }

  /** How many bytes were ever written to this outlet. */
  get written(): number {
    return this.#handed + this.#bytes
  }

  /** How many of the bytes written have left, as far as the stream knows. */
  get sent(): number {
    return this.#handed - this.#stream.writableLength
  }

  /**
   * Makes room for so many bytes in `page` and returns their position. Bytes written there count once
   * `commit` is called.
   */
  room(size: number): number {
    if (this.#used + size > this.page.length) this.#turn(size)
    return this.#used
  }

  /** Counts so many bytes as written at the position that `room` returned. */
  commit(size: number): void {
    if (this.#bytes === 0) nodesTick(flush, this)
    this.#used += size
    this.#bytes += size
  }

  /** Writes text; each character is one byte. */
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
    if (this.#bytes === 0) nodesTick(flush, this)
    this.#seal()
    this.#pieces.push(bytes)
    this.#bytes += size
  }

  /** Whether everything written is discarded. */
  get isAborted(): boolean {
    return this.#isAborted
  }

  /** Discards everything written from now on. */
  abort(): void {
    this.#isAborted = true
    this.onSent = undefined
  }

  /** Hands the gathered bytes to the stream. */
  flush(): void {
    if (this.#bytes === 0) return
    this.#seal()
    const pieces = this.#pieces
    const pages = this.#full
    if (!this.#reusesPages) this.#keepRest()
    else if (this.page.length === PAGE) pages.push(this.page)
    this.page = NO_PAGE
    this.#start = 0
    this.#used = 0
    this.#pieces = []
    this.#full = []
    const size = this.#bytes
    this.#handed += size
    this.#bytes = 0
    const stream = this.#stream
    if (stream.destroyed || this.#isAborted) return
    // For a small frame a callback costs more than its page is worth. Of many bytes that do not leave at once somebody may
    // want to know later that they have left, without writing more.
    const isWatched = !this.#isPrompt || this.onSent !== undefined || size > PAGE
    this.#send(pieces, isWatched ? error => this.#sent(error, pages) : undefined)
    this.#isPrompt = stream.writableLength === 0
    // Without a callback no event tells when the pages are free, unless they are free now.
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
    // The system may still read from the pages of a failed write.
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

  /**
   * Turns the unsealed bytes of the page into a piece, since another piece comes between them and the bytes
   * that follow.
   */
  #seal(): void {
    if (this.#used > this.#start) this.#pieces.push(this.page.subarray(this.#start, this.#used))
    this.#start = this.#used
  }

  #freePage(size: number): Buffer | undefined {
    if (this.#reusesPages) return size <= PAGE ? free.pop() : undefined
    const rest = rests.pop()
    return rest !== undefined && rest.length >= size ? rest : undefined
  }

  #turn(size: number): void {
    this.#seal()
    if (this.#reusesPages && this.page.length === PAGE) this.#full.push(this.page)
    this.page = this.#freePage(size) ?? Buffer.allocUnsafeSlow(Math.max(size, PAGE))
    this.#start = 0
    this.#used = 0
  }
}

function flush(outlet: SocketOutlet): void {
  outlet.flush()
}
