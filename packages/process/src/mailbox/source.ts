/**
 * A source delivers messages to mailboxes and can be paused, so that a mailbox which is too full can press back on it.
 *
 * | word            | meaning                                                                                |
 * | --------------- | -------------------------------------------------------------------------------------- |
 * | sink            | a mailbox, as the sources know it that deliver to it                                   |
 * | attach, detach  | make a source and a sink known to each other, and undo that                            |
 * | feed            | counts the messages of one source that wait in one sink                                |
 * | press, release  | ask a source to pause because a sink is over its mark, and take that back              |
 * | want            | a sink wants a source while a receive waits there that the source may answer           |
 * | carry           | a source carries a reference if its messages do, so that a receive may pin it          |
 * | valve           | pauses and resumes the reading behind a source                                         |
 */

import { turned } from '../host/turns.js'
import type { Clause } from '../patterns/pattern.js'
import { printShort } from '../patterns/print.js'
import type { Mark } from './high-water-mark.js'

/** A mailbox, as the sources know it that deliver to it. */
export interface Sink {
  /** Makes `source` known here, and gives its feed; `undefined` if the mailbox is closed. */
  attach(source: Source): Feed | undefined
  /** Forgets `source`, which has closed. */
  detach(source: Source): void
  /** Puts a message that holds so many bytes into the mailbox. */
  accept(message: unknown, bytes: number, feed: Feed | undefined): void
  /** Whether a receive waits here that `source` may answer, so that the source is read even under pressure. */
  wants(source: Source): boolean
  /**
   * Presses on the sources now, rather than at the end of the turn, if the mark has been passed. Gives whether the process lags, so that
   * a source which has read should wait for the next turn of the event loop.
   */
  checkMark(): boolean
}

/** Pauses and resumes the reading behind a source. Whoever makes a source implements it. */
export interface Valve {
  /**
   * The whole of which the source is a part, as a stream is of a connection: a receive that several parts of one whole may
   * answer depends on that whole. Default: none.
   */
  readonly whole?: object
  /**
   * Whether a paused source brings no more messages. It is `false` where other sources share the wire and must not be held
   * up; such a source is ended at the second mark, whether a receive waits or not. Default `true`.
   */
  readonly isPausable?: boolean
  /** Stops the reading. Not called again before `resume`. */
  pause(): void
  /** Resumes the reading. Only called after `pause`. */
  resume(): void
  /** Whether the messages of the source carry `reference`, so that a receive which pins it waits for this source. */
  carries(reference: object): boolean
  /** The one part of the whole of which messages come, as a stream is of a connection. Default: messages of all parts come. */
  readonly part?: object
  /**
   * Ends the source. More than `mark` of its messages wait in the mailbox of a process that waits for something else, which
   * only this source can bring: further reading would take memory without bound, and no reading would leave the process
   * waiting for ever.
   */
  overflow(mark: Mark): void
}

/** How many sources of the program are paused. While none is, a receive that has to wait need not look for any. */
let pausedSources = 0

/** Whether any source of the program is paused. */
export function isAnyPaused(): boolean {
  return pausedSources > 0
}

/** Counts the messages of one source that wait in one mailbox. */
export class Feed {
  // No private fields: the counts change with each message.
  /** The source that delivers the messages. */
  readonly source: Source
  /** How many messages of the source wait. */
  messages = 0
  /** How many bytes the waiting messages hold, as the source said. */
  bytes = 0
  /** Whether the feed has passed the second mark, and has not been back at half of it since. */
  isOver = false

  constructor(source: Source) {
    this.source = source
  }

  /** Whether more than `mark` waits. */
  exceeds({ messages, bytes }: Mark): boolean {
    return this.messages > messages || this.bytes > bytes
  }
}

/** Delivers messages to mailboxes, and pauses a valve while the mailboxes press. */
export class Source {
  readonly #valve: Valve
  readonly #feeds = new Map<Sink, Feed>()
  /** The sinks that press; most sources are never pressed. */
  #pressing: Set<Sink> | undefined
  /** The sink of the last message, which mostly gets the next one too. */
  #last: Sink | undefined
  #lastFeed: Feed | undefined
  #paused = false
  #closed = false

  /** Makes a source that pauses and resumes `valve`. */
  constructor(valve: Valve) {
    this.#valve = valve
  }

  /** Whether the messages of this source carry `reference`, as the valve says. */
  carries(reference: object): boolean {
    return this.#valve.carries(reference)
  }

  /** The whole of which this source is a part, as the valve says; the source itself by default. */
  get whole(): object {
    return this.#valve.whole ?? this
  }

  /** The one part of the whole of which messages come, as the valve says; `undefined`: all parts. */
  get part(): object | undefined {
    return this.#valve.part
  }

  /** Whether a paused source brings no more messages, as the valve says. */
  get isPausable(): boolean {
    return this.#valve.isPausable ?? true
  }

  /** Whether the reading behind the source is paused. */
  get isPaused(): boolean {
    return this.#paused
  }

  /** Whether no message will come any more, but for those that tell so. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Shows the whole of which the source is a part. */
  toString(): string {
    return this.#valve.whole === undefined ? 'a source' : printShort(this.#valve.whole)
  }

  /** Makes the source and `sink` known to each other: from now on a receive that waits there keeps the source going. */
  attach(sink: Sink): void {
    // A message behind the end is delivered, but must not tie the sink to a source that has closed.
    if (sink === this.#last || this.#closed) return
    let feed = this.#feeds.get(sink)
    if (feed === undefined) {
      feed = sink.attach(this)
      if (feed === undefined) return
      this.#feeds.set(sink, feed)
    }
    this.#last = sink
    this.#lastFeed = feed
  }

  /** Forgets `sink`, which has closed. */
  detach(sink: Sink): void {
    if (sink === this.#last) this.#last = undefined
    this.#feeds.delete(sink)
    this.release(sink)
  }

  /**
   * To be called before more is read and delivered: a sink that is over its mark presses now. Its process has run since the
   * last read, and a socket may be read many times in one turn of the event loop. Gives whether a process lags, so that the next read
   * should wait for the next turn.
   */
  beforeReading(): boolean {
    let lags = false
    for (const sink of this.#feeds.keys()) if (sink.checkMark()) lags = true
    return lags
  }

  /** Delivers a message that holds so many bytes. */
  deliver(sink: Sink, message: unknown, bytes: number): void {
    turned()
    this.attach(sink)
    sink.accept(message, bytes, sink === this.#last ? this.#lastFeed : undefined)
  }

  /** Asks the source to pause, for the sake of `sink`, which is over its mark. */
  press(sink: Sink): void {
    this.#pressing ??= new Set()
    this.#pressing.add(sink)
    this.decide()
  }

  /** Whether `sink` is among those that have it pause. */
  isPressedBy(sink: Sink): boolean {
    return this.#pressing?.has(sink) ?? false
  }

  /** Takes `press` back: `sink` is down to half its mark, or has closed. */
  release(sink: Sink): void {
    this.#pressing?.delete(sink)
    this.decide()
  }

  /** Pauses or resumes. A pressed source is read while any sink wants it, unless it has passed the second mark of one. */
  decide(): void {
    const pause = this.#pressing !== undefined && this.#pressing.size > 0 && !this.#isWanted()
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) {
      pausedSources++
      this.#valve.pause()
    } else {
      pausedSources--
      this.#valve.resume()
    }
  }

  /** Ends the source, as the valve does, unless it has closed. */
  overflow(mark: Mark): void {
    if (!this.#closed) this.#valve.overflow(mark)
  }

  /** Forgets all sinks, as no message will come any more. */
  close(): void {
    this.#closed = true
    this.#last = undefined
    this.#lastFeed = undefined
    for (const sink of this.#feeds.keys()) sink.detach(this)
    this.#feeds.clear()
    this.#pressing = undefined
    if (this.#paused) pausedSources--
    this.#paused = false
  }

  #isWanted(): boolean {
    for (const feed of this.#feeds.values()) if (feed.isOver) return false
    for (const sink of this.#feeds.keys()) if (sink.wants(this)) return true
    return false
  }
}

/** Whether `clause` pins a reference that `source` carries. */
export function pinsSource(clause: Clause, source: Source): boolean {
  for (let field = clause.fields; field !== undefined; field = field.next) {
    if (field.pin !== undefined && source.carries(field.pin)) return true
  }
  return false
}
