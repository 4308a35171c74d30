/**
 * Answers pings: each ping gets a pong, unless many pongs still wait to be sent; then only the last ping does
 * (RFC 6455 section 5.5.3).
 */

import type { Outlet } from '../transport/outlet.js'
import type { WsFrame } from '../words.js'

/**
 * How many bytes of pongs may wait. A peer that reads the answers it has asked for gets an answer to each of
 * its pings.
 */
const MOST = 64 * 1024

/** Keeps the answer to the last ping while earlier pongs wait. */
export class Pongs {
  readonly #outlet: Outlet
  readonly #send: (pong: WsFrame) => void
  /** How many bytes of pongs were written since all earlier ones had left. */
  #bytes = 0
  /** The position of the last pong's end in all that was written to the outlet. */
  #end = 0
  /** The answer to the last ping, which is sent once the earlier pongs have left. */
  #last: WsFrame | undefined

  /** `send` writes a pong. */
  constructor(outlet: Outlet, send: (pong: WsFrame) => void) {
    this.#outlet = outlet
    this.#send = send
  }

  /**
   * Whether so many pongs wait that no more are written. The caller then has to call `sent` when bytes have
   * left.
   */
  get areMany(): boolean {
    return this.#bytes >= MOST && this.#end - this.#outlet.sent >= MOST
  }

  /** Answers a ping. */
  answer(payload: Uint8Array | undefined): void {
    const pong: WsFrame = payload === undefined ? 'pong' : ['pong', payload]
    if (this.areMany) this.#last = pong
    else this.#write(pong)
  }

  /** Takes note that bytes have left, and sends the answer that waits if there is room. */
  sent(): void {
    if (this.areMany) return
    const last = this.#last
    this.#last = undefined
    if (last !== undefined) this.#write(last)
  }

  #write(pong: WsFrame): void {
    if (this.#bytes > 0 && this.#outlet.sent >= this.#end) this.#bytes = 0
    const start = this.#outlet.written
    this.#send(pong)
    this.#end = this.#outlet.written
    this.#bytes += this.#end - start
  }
}
