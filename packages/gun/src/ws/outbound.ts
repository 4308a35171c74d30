/** Frames out, masked as a client's must be (RFC 6455 section 5.3), on ws's Sender. */

import { Sender } from 'ws'
import type { WsFrame } from '../messages.js'
import type { Outlet } from '../transport/outlet.js'

const MASKED = true
const TEXT = { binary: false, compress: false, fin: true, mask: MASKED }
const BINARY = { ...TEXT, binary: true }

/** Writes frames that were checked before. */
export class Outbound {
  readonly #sender: Sender

  constructor(outlet: Outlet) {
    this.#sender = new Sender(outlet, {})
  }

  send(frame: WsFrame): void {
    if (typeof frame === 'string') {
      if (frame === 'ping') this.#sender.ping('', MASKED)
      else if (frame === 'pong') this.#sender.pong('', MASKED)
      else this.#sender.close(undefined, '', MASKED)
      return
    }
    switch (frame[0]) {
      case 'text':
        return this.#sender.send(frame[1], TEXT)
      case 'binary':
        return this.#sender.send(frame[1], BINARY)
      case 'ping':
        return this.#sender.ping(frame[1], MASKED)
      case 'pong':
        return this.#sender.pong(frame[1], MASKED)
      case 'close':
        if (frame.length === 2) return this.#sender.close(1000, frame[1], MASKED)
        return this.#sender.close(frame[1], frame[2], MASKED)
    }
  }
}
