/**
 * Back-pressure, one mailbox's side: its sources pause while it is over a mark. Sending itself never fails and never drops.
 *
 * | how much waits                          | nobody waits in a receive | a receive waits that the source may answer         |
 * | --------------------------------------- | ------------------------- | -------------------------------------------------- |
 * | not more than the first mark            | the source is read        | it is read                                         |
 * | more than that                          | it is paused              | it is read                                         |
 * | more than the second, and too much of it | it is paused              | it is paused, and ended if nothing else can answer |
 *
 * A source has brought too much when more than the second mark of its own messages waits, or more than its share of the
 * second mark where several may answer. Whoever takes what comes never gets there, and no source is ended for another's.
 */

import type { Clause } from '../patterns/pattern.js'
import type { Mark, Marks } from './high-water-mark.js'
import type { Mailbox } from './message-queue.js'
import { type Consumer, Feed, isAnyPaused, isFedBy, type Source } from './source.js'
import type { Waiter, Waiting } from './waiting.js'

/** What a receive that waits may get its message from. */
interface Reach {
  readonly feeds: readonly Feed[]
  /** Of what they have brought, too much waits to read on. */
  readonly isExhausted: (feed: Feed) => boolean
  /** It may come from anywhere: from another process, or a timer. */
  readonly isOpen: boolean
}

/** Notices the marks being passed, and tells the sources, once a turn. */
export class Pressure {
  readonly #consumer: Consumer
  readonly #mailbox: Mailbox
  readonly #waiting: Waiting
  readonly #marks: Marks
  /** At which sources go on again. */
  readonly #half: Mark
  readonly #feeds = new Map<Source, Feed>()
  /** Those that are over the second mark. */
  readonly #over = new Set<Feed>()
  /** What `hasSourceOf` has found, since with many sources it is asked for each of them. */
  #pinned = new WeakMap<Clause, boolean>()
  #isPressing = false
  /** More than the second mark waits, of whatever. */
  #isCrowded = false
  #assessing: NodeJS.Immediate | undefined

  constructor(consumer: Consumer, mailbox: Mailbox, waiting: Waiting, marks: Marks) {
    this.#consumer = consumer
    this.#mailbox = mailbox
    this.#waiting = waiting
    this.#marks = marks
    this.#half = halfOf(marks.first)
  }

  /** `source` will deliver into the mailbox. */
  feed(source: Source): Feed {
    const feed = new Feed(source)
    this.#feeds.set(source, feed)
    this.#pinned = new WeakMap()
    if (this.#isPressing) source.press(this.#consumer)
    return feed
  }

  /** After a source delivered into the mailbox. */
  delivered(): void {
    if (this.#assessing === undefined && this.#mailbox.exceeds(this.#marks.first)) this.#assessLater()
  }

  /** Not later than at the end of the turn, if the mark was passed in it. */
  assess(): void {
    if (this.#assessing === undefined) return
    clearImmediate(this.#assessing)
    this.#assess()
  }

  /** After messages were taken. */
  taken(): void {
    if (!this.#isPressing) return
    if (!this.#mailbox.exceeds(this.#half)) {
      this.#isPressing = false
      this.#isCrowded = false
      for (const feed of this.#over) this.#recover(feed)
      for (const source of this.#feeds.keys()) source.release(this.#consumer)
      return
    }
    const { second } = this.#marks
    if (this.#over.size > 0) {
      const half = halfOf(second)
      for (const feed of this.#over) if (!feed.exceeds(half) && this.#recover(feed)) feed.source.decide()
    }
    if (this.#isCrowded && !this.#mailbox.exceeds(second)) {
      this.#isCrowded = false
      for (const source of this.#feeds.keys()) source.decide()
    }
  }

  /** When a receive begins to wait: what it waits for may be on a wire that is not being read. */
  waiting(): void {
    if (!isAnyPaused()) return
    const { second } = this.#marks
    for (const feed of this.#over) if (!feed.exceeds(second)) this.#recover(feed)
    for (const source of this.#feeds.keys()) source.decide()
    // Not here, where the receive is being asked for: to end a source runs much else.
    if (this.#assessing === undefined && this.#mailbox.exceeds(second)) this.#assessLater()
  }

  /** Whether a receive waits for whose sake the source is read. */
  isWaitingFor(source: Source): boolean {
    const feed = this.#feeds.get(source)
    if (feed === undefined) return false
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.after(waiter)) {
      if (!waiter.clauses.some(clause => isFedBy(source, clause) || !this.#hasSourceOf(clause))) continue
      if (!this.#mailbox.exceeds(this.#marks.second) || !this.#reachOf(waiter).isExhausted(feed)) return true
    }
    return false
  }

  forget(source: Source): void {
    const feed = this.#feeds.get(source)
    if (feed !== undefined) this.#recover(feed)
    this.#feeds.delete(source)
    this.#pinned = new WeakMap()
  }

  clear(): void {
    if (this.#assessing !== undefined) clearImmediate(this.#assessing)
    for (const source of this.#feeds.keys()) source.drop(this.#consumer)
    this.#feeds.clear()
    this.#over.clear()
  }

  #assessLater(): void {
    this.#assessing = setImmediate(() => this.#assess())
  }

  #assess(): void {
    this.#assessing = undefined
    const { first, second } = this.#marks
    if (!this.#mailbox.exceeds(first)) return
    this.#isPressing = true
    this.#isCrowded = this.#mailbox.exceeds(second)
    if (this.#isCrowded) for (const feed of this.#feeds.values()) if (feed.exceeds(second)) this.#pass(feed)
    for (const source of this.#feeds.keys()) source.press(this.#consumer)
    if (this.#isCrowded) this.#endWhatStarves()
  }

  #pass(feed: Feed): void {
    feed.isOver = true
    this.#over.add(feed)
  }

  /** Says whether it was over. */
  #recover(feed: Feed): boolean {
    feed.isOver = false
    return this.#over.delete(feed)
  }

  /** Whether any source of this mailbox feeds the clause. */
  #hasSourceOf(clause: Clause): boolean {
    let has = this.#pinned.get(clause)
    if (has === undefined) {
      has = [...this.#feeds.keys()].some(source => isFedBy(source, clause))
      this.#pinned.set(clause, has)
    }
    return has
  }

  #reachOf({ clauses }: Waiter): Reach {
    const isOpen = clauses.some(clause => !this.#hasSourceOf(clause))
    const all = [...this.#feeds.values()]
    const feeds = isOpen ? all : all.filter(({ source }) => clauses.some(clause => isFedBy(source, clause)))
    const { first, second } = this.#marks
    const messages = feeds.reduce((sum, feed) => sum + feed.messages, 0)
    const bytes = feeds.reduce((sum, feed) => sum + feed.bytes, 0)
    const share = (of: keyof Mark) => Math.max(first[of], second[of] / feeds.length)
    const most = {
      messages: messages > second.messages ? share('messages') : Number.POSITIVE_INFINITY,
      bytes: bytes > second.bytes ? share('bytes') : Number.POSITIVE_INFINITY,
    }
    return { feeds, isOpen, isExhausted: feed => feed.exceeds(most) }
  }

  /** One source at the most: with the message that tells of its end nobody may be waiting any more. */
  #endWhatStarves(): void {
    for (const feed of this.#over)
      if (!feed.source.isPausable) return feed.source.overflow(this.#marks.second)
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.after(waiter)) {
      const { feeds, isOpen, isExhausted } = this.#reachOf(waiter)
      if (isOpen) continue
      const exhausted = feeds.filter(isExhausted)
      const wholes = new Set(exhausted.map(({ source }) => source.whole))
      if (exhausted.length === 0 || !feeds.every(({ source }) => wholes.has(source.whole))) continue
      const { second } = this.#marks
      const weight = (feed: Feed) => feed.messages / second.messages + feed.bytes / second.bytes
      const guilty = exhausted.reduce((most, feed) => (weight(feed) > weight(most) ? feed : most))
      return guilty.source.overflow(second)
    }
  }
}

function halfOf({ messages, bytes }: Mark): Mark {
  return { messages: messages / 2, bytes: bytes / 2 }
}
