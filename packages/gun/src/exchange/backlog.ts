/** The events of responses: handed on in order, or left where they are while nobody wants more; then nothing is read either. */

import { nodesImmediate } from '@holster/process/internal'
import { GunError } from '../errors.js'
import { Slice } from '../transport/slice.js'
import { Fifo } from './fifo.js'
import type { EventSource, ResponseEvent } from './response-event.js'

/** In bytes. A part of a body of this size or less is joined with others that are kept: by itself it may cost a hundred times as much. */
const SMALL = 256
/** How many small parts in a row are kept apart. */
const MANY = 64

/** Where the events come from. */
export interface Tap {
  stopReading(): void
  startReading(): void
  /** Runs what the backlog does later, as a step: a defect of ours must not end the program. */
  guard(run: () => void): void
  /** Does what callers have asked for within the event that was just handed on. */
  settle(): void
  /** Says that more is about to be handed on: a mailbox that is over its mark pauses the backlog now. */
  beforeReading(): void
  /** Says that all events are handed on, and why no more can come. */
  lost(reason: GunError): void
}

/** Takes the events of the response whose turn it is. */
export interface Responder {
  /** Whether the receiver of that response wants no more for now. */
  readonly isFull: boolean
  /** Whether a content handler of that response is at work. */
  readonly isBusy: boolean
  respond(event: ResponseEvent): void
}

/** Hands events on as far as they are wanted: those that it is given, which it keeps, or those of a source, which waits. */
export class Backlog {
  readonly #tap: Tap
  readonly #responder: Responder
  readonly #source: EventSource | undefined
  readonly #events = new Fifo<ResponseEvent>()
  /** How many of the events that were kept last are small parts of a body. */
  #small = 0
  /** Whether a mailbox is over its mark. */
  #isPaused = false
  /** Whether nothing more can come, so that mailboxes alone hold back what has come. */
  #isLifted = false
  /** Whether an event is being handed on. */
  #isResponding = false
  readonly #slice = new Slice()
  /** Whether the events wait for the next turn of the event loop. */
  #isYielding = false
  /** Why the connection ends once all events are handed on. */
  #end: GunError | undefined
  #isDisposed = false
  #whenFree: (() => void)[] = []

  constructor(tap: Tap, responder: Responder, source?: EventSource) {
    this.#tap = tap
    this.#responder = responder
    this.#source = source
  }

  /** Takes one event. */
  add(event: ResponseEvent): void {
    if (this.#isDisposed) return
    if (this.#isHeld || this.#events.length > 0) this.#keep(event)
    else this.#run(event)
    this.advance()
  }

  #keep(event: ResponseEvent): void {
    const events = this.#events
    events.push(event)
    if (event.type !== 'data' || event.isFin || event.data.length > SMALL) this.#small = 0
    else if (++this.#small >= MANY && events.length >= MANY) {
      this.#small = 0
      const parts = events.takeLast(MANY).map(part => (part as typeof event).data)
      events.push({ type: 'data', data: Buffer.concat(parts), isFin: false })
    }
  }

  /**
   * Says that nothing more can come, so that no flow control holds back the rest. It may still be many messages: they come
   * as the mailbox has room, and the end behind them.
   */
  lift(): void {
    this.#isLifted = true
    this.advance()
  }

  /** Whether all events are handed on. */
  get isEmpty(): boolean {
    return !this.#hasMore() && !this.#responder.isBusy
  }

  /** The peer has sent its last byte, or, with a reason, the line broke. */
  end(reason: GunError | undefined): void {
    // The socket that closes behind the peer's last byte says nothing new.
    this.#end ??= reason ?? new GunError('closed', 'connection_error', 'the peer closed the connection')
    if (reason !== undefined) this.lift()
    this.advance()
  }

  /** Keeps what comes: a mailbox is over its mark. */
  pause(): void {
    this.#isPaused = true
  }

  /** Goes on: no mailbox is over its mark. */
  resume(): void {
    this.#isPaused = false
    // Not within the receive that has made room: the mailbox is looked at between what is handed on.
    if (this.#isLifted && this.#hasMore()) this.#yield()
    else this.advance()
  }

  /** Gives a promise for the moment when there is room again; `undefined` when there is. */
  untilFree(): Promise<void> | undefined {
    return this.isFull ? new Promise(resolve => this.#whenFree.push(resolve)) : undefined
  }

  /** Forgets all events, and asks the tap for nothing more. */
  dispose(): void {
    this.#isDisposed = true
    this.#events.takeAll()
    this.#whenFree.length = 0
  }

  /** Whether the receiver wants no more, or a mailbox is over its mark. */
  get isFull(): boolean {
    return this.#isPaused || (!this.#isLifted && this.#responder.isFull)
  }

  /** Asked each time: a reason that was remembered here could outlive the response that it was of. */
  get #isHeld(): boolean {
    return this.#isYielding || this.isFull || this.#responder.isBusy
  }

  /** Whether there is another event. Of the source, it is kept: only to take it shows whether it is there. */
  #hasMore(): boolean {
    if (this.#events.length > 0) return true
    const event = this.#isDisposed ? undefined : this.#source?.next()
    if (event === undefined) return false
    this.#events.push(event)
    return true
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
    nodesImmediate(() => {
      this.#isYielding = false
      this.#tap.guard(() => this.advance())
    })
  }

  /** Goes on, if nothing holds the events back: to be called whenever that may have changed, or the source has more. */
  advance(): void {
    if (this.#whenFree.length > 0 && !this.isFull) for (const tell of this.#whenFree.splice(0)) tell()
    // A call from within a response goes on when the event under way has been handed on.
    if (this.#isResponding) return
    this.#slice.begin()
    // An event may end the connection.
    while (!this.#isDisposed && !this.#isHeld) {
      if (this.#isLifted && this.#hasMore()) {
        this.#tap.beforeReading()
        if (this.#isHeld) break
      }
      const event = this.#events.shift() ?? this.#source?.next()
      if (event === undefined) break
      this.#run(event)
      if (this.#slice.isOver()) this.#yield()
    }
    if (this.#isDisposed) return
    // The end alone is one message, which no mailbox holds back.
    const isEmptied = this.#isLifted && this.isEmpty
    if (this.#isHeld && !isEmptied) return this.#tap.stopReading()
    const end = this.#source?.failure ?? this.#end
    if (end !== undefined) this.#tap.lost(end)
    else this.#tap.startReading()
  }
}
