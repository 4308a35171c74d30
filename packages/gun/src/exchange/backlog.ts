/** What has come of responses: handed on in order, or kept while nobody wants it. Then nothing more is read. */

import { GunError } from '../errors.js'
import { Slice } from '../transport/slice.js'
import { Fifo } from './fifo.js'
import type { Parsed, ResponseEvent } from './response-event.js'

/** Where it comes from. */
export interface Tap {
  stopReading(): void
  startReading(): void
  /** Runs what goes on by itself, where a defect would end the program. */
  guard(run: () => void): void
  /** Does what callers have asked for within the event that was just handed on. */
  settle(): void
  /** More is about to be handed on: a mailbox that is over its mark says so now. */
  beforeReading(): void
  /** All that has come is handed on, and nothing more can come. */
  lost(reason: GunError): void
}

/** Who hands it on. */
export interface Responder {
  /** Whoever gets the response whose turn it is wants no more for now. */
  readonly isFull: boolean
  /** A content handler of the response whose turn it is is at work. */
  readonly isBusy: boolean
  respond(event: ResponseEvent): void
}

export class Backlog {
  readonly #tap: Tap
  readonly #responder: Responder
  readonly #events = new Fifo<ResponseEvent>()
  /** A mailbox is over its mark. */
  #isPaused = false
  /** Nothing more can come: only mailboxes hold anything up, and no credit does. */
  #isLifted = false
  #isResponding = false
  readonly #slice = new Slice()
  /** What has come waits for the next turn of the event loop. */
  #isYielding = false
  /** Why the connection ends once all that has come is handed on. */
  #end: GunError | undefined
  #isClosed = false
  #whenFree: (() => void)[] = []

  constructor(tap: Tap, responder: Responder) {
    this.#tap = tap
    this.#responder = responder
  }

  take({ events, error }: Parsed): void {
    this.#slice.begin()
    for (const event of events) {
      if (this.#isClosed) return
      if (this.#isHeld || this.#events.length > 0) {
        this.#events.push(event)
        continue
      }
      this.#run(event)
      if (this.#slice.isOver()) this.#yield()
    }
    if (error !== undefined) {
      this.#end ??= new GunError(error.code, 'connection_error', error.message, { cause: error })
    }
    this.advance()
  }

  add(event: ResponseEvent): void {
    if (this.#isClosed) return
    if (this.#isHeld || this.#events.length > 0) this.#events.push(event)
    else this.#run(event)
    this.advance()
  }

  /**
   * Nothing more can come, so that no credit holds back the rest. It may still be many messages: they come as the mailbox
   * has room, and the end behind them.
   */
  lift(): void {
    this.#isLifted = true
    this.advance()
  }

  /** All that has come is handed on. */
  get isEmpty(): boolean {
    return this.#events.length === 0 && !this.#responder.isBusy
  }

  /** The peer has sent its last byte, or, with a reason, the line broke. */
  end(reason: GunError | undefined): void {
    // Behind the peer's last byte the socket closes, which says nothing new.
    this.#end ??= reason ?? new GunError('closed', 'connection_error', 'the peer closed the connection')
    if (reason !== undefined) this.lift()
    this.advance()
  }

  /** A mailbox is over its mark. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    // Not within the receive that has made room: the mailbox is looked at between what is handed on.
    if (this.#isLifted && this.#events.length > 0) this.#yield()
    else this.advance()
  }

  /** When there is room again; `undefined`: there is now. */
  untilFree(): Promise<void> | undefined {
    return this.isFull ? new Promise(resolve => this.#whenFree.push(resolve)) : undefined
  }

  /** Nothing more is handed on. */
  close(): void {
    this.#isClosed = true
    this.#events.takeAll()
    this.#whenFree.length = 0
  }

  /** The receiver wants no more, or a mailbox is over its mark. */
  get isFull(): boolean {
    return this.#isPaused || (!this.#isLifted && this.#responder.isFull)
  }

  /** Asked each time: a reason that was remembered here could outlive the response that it was of. */
  get #isHeld(): boolean {
    return this.#isYielding || this.isFull || this.#responder.isBusy
  }

  #run(event: ResponseEvent): void {
    this.#isResponding = true
    try {
      this.#responder.respond(event)
      this.#tap.settle()
    } finally {
      this.#isResponding = false
    }
  }

  #yield(): void {
    if (this.#isYielding) return
    this.#isYielding = true
    setImmediate(() => {
      this.#isYielding = false
      if (!this.#isClosed) this.#tap.guard(() => this.advance())
    })
  }

  /** Goes on, if nothing holds it up: to be called whenever that may have changed. */
  advance(): void {
    if (this.#isClosed) return
    if (this.#whenFree.length > 0 && !this.isFull) for (const tell of this.#whenFree.splice(0)) tell()
    // Whoever calls within a response goes on when that has been handed on.
    if (this.#isResponding) return
    if (this.#events.length > 0) this.#slice.begin()
    while (!this.#isClosed && !this.#isHeld) {
      if (this.#isLifted && this.#events.length > 0) {
        this.#tap.beforeReading()
        if (this.#isHeld) break
      }
      const event = this.#events.shift()
      if (event === undefined) break
      this.#run(event)
      if (this.#slice.isOver()) this.#yield()
    }
    if (this.#isClosed) return
    // The end alone is one message, which no mailbox holds up.
    const isEmptied = this.#isLifted && this.isEmpty
    if (this.#isHeld && !isEmptied) this.#tap.stopReading()
    else if (this.#end !== undefined) this.#tap.lost(this.#end)
    else this.#tap.startReading()
  }
}
