/** What has come of responses: handed on in order, or kept while nobody wants it. Then nothing more is read. */

import { GunError } from '../errors.js'
import type { Parsed, ResponseEvent } from './response-event.js'

/** Why nothing is handed on: the receiver wants no more, a mailbox is over its mark, or a content handler is at work. */
export const CREDIT = 1
export const MAILBOX = 2
export const BUSY = 4

/** Where it comes from. */
export interface Tap {
  stopReading(): void
  startReading(): void
  /** All that has come is handed on, and nothing more can come. */
  lost(reason: GunError): void
}

/** Who hands it on. */
export interface Responder {
  /** May end the connection. */
  respond(event: ResponseEvent): void
}

export class Backlog {
  readonly #tap: Tap
  readonly #responder: Responder
  readonly #events: ResponseEvent[] = []
  #held = 0
  /** What may hold it up. */
  #holders = CREDIT | MAILBOX | BUSY
  #isResponding = false
  /** Why the connection ends once all that has come is handed on. */
  #end: GunError | undefined
  #isClosed = false
  #whenFree: (() => void)[] = []

  constructor(tap: Tap, responder: Responder) {
    this.#tap = tap
    this.#responder = responder
  }

  take({ events, error }: Parsed): void {
    for (const event of events) {
      // Whoever got the one before may have closed the connection.
      if (this.#isClosed) return
      if (this.#held !== 0 || this.#events.length > 0) this.#events.push(event)
      else this.#run(event)
    }
    if (error !== undefined) {
      this.#end ??= new GunError(error.code, 'connection_error', error.message, { cause: error })
    }
    this.#advance()
  }

  add(event: ResponseEvent): void {
    if (this.#isClosed) return
    if (this.#held !== 0 || this.#events.length > 0) this.#events.push(event)
    else this.#run(event)
    this.#advance()
  }

  /** Nothing more can come, so there is nothing to hold the rest back for. */
  lift(): void {
    this.#holders = BUSY
    this.release(CREDIT | MAILBOX)
  }

  /** All that has come is handed on. */
  get isEmpty(): boolean {
    return this.#events.length === 0 && (this.#held & BUSY) === 0
  }

  /** The peer has sent its last byte, or, with a reason, the line broke. */
  end(reason: GunError | undefined): void {
    // Behind the peer's last byte the socket closes, which says nothing new.
    this.#end ??= reason ?? new GunError('closed', 'connection_error', 'the peer closed the connection')
    if (reason !== undefined) this.lift()
    this.#advance()
  }

  hold(reason: number): void {
    this.#held |= reason & this.#holders
  }

  release(reason: number): void {
    if ((this.#held & reason) === 0) return
    this.#held &= ~reason
    if (this.isFull) return
    for (const tell of this.#whenFree.splice(0)) tell()
    this.#advance()
  }

  /** When there is room again; `undefined`: there is now. */
  untilFree(): Promise<void> | undefined {
    return this.isFull ? new Promise(resolve => this.#whenFree.push(resolve)) : undefined
  }

  /** Nothing more is handed on. */
  close(): void {
    this.#isClosed = true
    this.#events.length = 0
    this.#whenFree.length = 0
  }

  /** The receiver wants no more, or a mailbox is over its mark. */
  get isFull(): boolean {
    return (this.#held & (CREDIT | MAILBOX)) !== 0
  }

  #run(event: ResponseEvent): void {
    this.#isResponding = true
    try {
      this.#responder.respond(event)
    } finally {
      this.#isResponding = false
    }
  }

  #advance(): void {
    // Whoever calls within a response goes on when that has been handed on.
    if (this.#isResponding) return
    while (!this.#isClosed && this.#held === 0) {
      const event = this.#events.shift()
      if (event === undefined) break
      this.#run(event)
    }
    if (this.#isClosed) return
    if (this.#held !== 0) this.#tap.stopReading()
    else if (this.#end !== undefined) this.#tap.lost(this.#end)
    else this.#tap.startReading()
  }
}
