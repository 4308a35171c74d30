/** Sources: what delivers messages to mailboxes and can be paused, and what of each waits where. */

import { turned } from '../host/turns.js'
import type { Clause } from '../patterns/pattern.js'
import type { Mark } from './high-water-mark.js'

/** The side of a process that sources talk to. */
export interface Consumer {
  /** `source` will deliver here. Gives where it is counted what of it waits; `undefined`: the consumer takes nothing more. */
  feed(source: Source): Feed | undefined
  /** Puts a message of so many bytes into the mailbox. */
  accept(message: unknown, bytes: number, feed: Feed | undefined): void
  /** Whether a receive is waiting for whose sake this source is read. */
  isWaitingFor(source: Source): boolean
  /** `source` has closed: nothing more will come from it. */
  forget(source: Source): void
  /** Looks at the mark now, if it has been passed. */
  assess(): void
}

/** What a source does to what it reads from. */
export interface Valve {
  /** What the source is a part of, as a stream is of a connection: a receive that may get its message from several parts of one whole depends on that whole. Default: nothing. */
  readonly whole?: object
  /**
   * Whether pausing keeps what the source itself says from coming, which it does not where other sources share the wire and
   * must not be held up. Such a source is ended at the second mark, whoever waits. Default `true`.
   */
  readonly isPausable?: boolean
  /** Stops reading. Not called again before `resume`. */
  pause(): void
  /** Reads on. Only called after `pause`. */
  resume(): void
  /** Whether messages of this source carry that reference, so that a receive which pins it waits for this source. */
  feeds(reference: object): boolean
  /**
   * Ends what is read from. More than `mark` of it waits in a mailbox whose process waits for something else that can
   * only come from here: to read on would take memory without end, not to would leave the process waiting for ever.
   */
  overflow(mark: Mark): void
}

/** How many sources of the program are paused; while none is, a receive that has to wait need not look. */
let pausedSources = 0

/** Whether any source of the program is paused. */
export function isAnyPaused(): boolean {
  return pausedSources > 0
}

/** What of one source waits in one mailbox. Made rarely, but counted for each message: hence no private fields. */
export class Feed {
  /** What has brought it. */
  readonly source: Source
  /** How many messages. */
  messages = 0
  /** How many bytes these hold, as far as the source said. */
  bytes = 0
  /** More than the second mark waits, or did and not half of it was taken since. */
  isOver = false

  constructor(source: Source) {
    this.source = source
  }

  /** Whether more than this waits. */
  exceeds({ messages, bytes }: Mark): boolean {
    return this.messages > messages || this.bytes > bytes
  }
}

/** Something that delivers messages to mailboxes and can be paused, such as a socket. */
export class Source {
  readonly #valve: Valve
  readonly #feeds = new Map<Consumer, Feed>()
  readonly #pressing = new Set<Consumer>()
  /** The consumer fed last, which is most often the next one too. */
  #last: Consumer | undefined
  #lastFeed: Feed | undefined
  #paused = false
  #closed = false

  /** `valve` is what pauses and resumes that which is read from. */
  constructor(valve: Valve) {
    this.#valve = valve
  }

  /** Whether its messages carry that reference, as the valve says. */
  feeds(reference: object): boolean {
    return this.#valve.feeds(reference)
  }

  /** What it is a part of, as the valve says; itself where it is a part of nothing. */
  get whole(): object {
    return this.#valve.whole ?? this
  }

  /** Whether it stops when it is paused, as the valve says. */
  get isPausable(): boolean {
    return this.#valve.isPausable ?? true
  }

  /** From now on a receive of `consumer` that waits keeps this source going, also before the first message. */
  attach(consumer: Consumer): void {
    // What comes after the end is delivered, but must not tie the consumer to what has ended.
    if (consumer === this.#last || this.#closed) return
    let feed = this.#feeds.get(consumer)
    if (feed === undefined) {
      feed = consumer.feed(this)
      if (feed === undefined) return
      this.#feeds.set(consumer, feed)
    }
    this.#last = consumer
    this.#lastFeed = feed
  }

  /**
   * To be called before more is read and delivered. Whoever was fed by the last read has run since; who is over its
   * mark even so need not be fed for the rest of this turn, in which a socket may be read many times.
   */
  beforeReading(): void {
    for (const consumer of this.#feeds.keys()) consumer.assess()
  }

  /** Delivers a message that holds so many bytes. */
  deliver(consumer: Consumer, message: unknown, bytes: number): void {
    turned()
    this.attach(consumer)
    consumer.accept(message, bytes, consumer === this.#last ? this.#lastFeed : undefined)
  }

  /** `consumer` is over its mark. */
  press(consumer: Consumer): void {
    this.#pressing.add(consumer)
    this.decide()
  }

  /** `consumer` is back at half its mark, or is gone. */
  release(consumer: Consumer): void {
    this.#pressing.delete(consumer)
    this.decide()
  }

  /** One socket may feed several mailboxes: it is read while any of them waits for it, unless one is over its second mark. */
  decide(): void {
    const pause = this.#pressing.size > 0 && !this.#isWanted()
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

  /** Somebody waits for what more of it than `mark` keeps from being read. */
  overflow(mark: Mark): void {
    if (!this.#closed) this.#valve.overflow(mark)
  }

  /** Nothing more will come: forgets everybody it fed. */
  close(): void {
    this.#closed = true
    this.#last = undefined
    this.#lastFeed = undefined
    for (const consumer of this.#feeds.keys()) consumer.forget(this)
    this.#feeds.clear()
    this.#pressing.clear()
    if (this.#paused) pausedSources--
    this.#paused = false
  }

  /** `consumer` takes nothing more. */
  drop(consumer: Consumer): void {
    if (consumer === this.#last) this.#last = undefined
    this.#feeds.delete(consumer)
    this.release(consumer)
  }

  #isWanted(): boolean {
    for (const feed of this.#feeds.values()) if (feed.isOver) return false
    for (const consumer of this.#feeds.keys()) if (consumer.isWaitingFor(this)) return true
    return false
  }
}

/** Whether the clause pins a reference that only messages of this source carry. */
export function isFedBy(source: Source, clause: Clause): boolean {
  for (let field = clause.fields; field !== undefined; field = field.next) {
    if (field.pin !== undefined && source.feeds(field.pin)) return true
  }
  return false
}
