/** Answers to pings: each gets one, unless many wait to be sent already; then only the last does (RFC 6455 section 5.5.3). */

import type { Outlet } from '../transport/outlet.js'
import type { WsFrame } from '../words.js'

/** So many bytes of them may wait. A peer that reads what it has asked for gets an answer to each of its pings. */
const MOST = 64 * 1024

export class Pongs {
  readonly #outlet: Outlet
  readonly #send: (pong: WsFrame) => void
  /** How many bytes of them were written since all had left, and where in what the outlet was given the last one ends. */
  #bytes = 0
  #end = 0
  /** The answer to the last ping, which goes once the others have left. */
  #last: WsFrame | undefined

  /** `send` writes one. */
  constructor(outlet: Outlet, send: (pong: WsFrame) => void) {
    this.#outlet = outlet
    this.#send = send
  }

  /** So many wait that no more are written: `sent` is to be called when something has left. */
  get areMany(): boolean {
    return this.#bytes >= MOST && this.#end - this.#outlet.sent >= MOST
  }

  /** A ping has come. */
  answer(payload: Uint8Array | undefined): void {
    const pong: WsFrame = payload === undefined ? 'pong' : ['pong', payload]
    if (this.areMany) this.#last = pong
    else this.#write(pong)
  }

  /** Something has left. */
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
