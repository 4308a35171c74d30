/**
 * A mailbox presses on its sources while too much waits in it. Sending never fails and never drops a message.
 *
 * | how much waits                                | no receive waits | a receive waits that the source may answer              |
 * | --------------------------------------------- | ---------------- | ------------------------------------------------------- |
 * | at most the first mark                        | source is read   | source is read                                          |
 * | more than the first mark                      | source is paused | source is read                                          |
 * | more than the second, too much of this source | source is paused | source is paused, and ended if no other one can answer  |
 *
 * A source has brought too much when more than the second mark of its own messages waits, or more than its share of the
 * second mark where several sources may answer. A process that takes each message as it comes never gets there, and no
 * source is ended on account of another one.
 */

import { clearNodesImmediate, type Immediate, nodesImmediate } from '../host/nodes-clock.js'
import type { Clause } from '../patterns/pattern.js'
import { halfOf, type Mark, type Marks } from './high-water-mark.js'
import type { MessageQueue } from './message-queue.js'
import { Feed, isAnyPaused, pinsSource, type Sink, type Source } from './source.js'
import type { Waiter, Waiting } from './waiting.js'

/**
 * More messages than this, left of earlier reads, say that the process does not keep up: then a source reads once a turn of the event
 * loop. Messages that wait for long cost more, since the garbage collector has to copy them.
 */
const LAG = 1024

const NONE: ReadonlySet<Feed> = new Set()

/** The sources that may answer one waiting receive. */
interface Reach {
  readonly feeds: readonly Feed[]
  /** Whether a source has brought too much to be read on. */
  readonly isExhausted: (feed: Feed) => boolean
  /** Whether the answer may come from elsewhere too, such as another process or a timer. */
  readonly isOpen: boolean
}

/** The pressure of one mailbox: looks at the marks once a turn of the event loop, and presses on the sources. */
export class Pressure {
  readonly #sink: Sink
  readonly #queue: MessageQueue
  readonly #waiting: Waiting
  readonly #marks: Marks
  readonly #feeds = new Map<Source, Feed>()
  // Both are made when they are needed: most mailboxes are never over a mark.
  /** The feeds that are over the second mark. */
  #over: Set<Feed> | undefined
  /** The answers of `#isAnsweredBySource`, which is asked once for each source. */
  #answered: WeakMap<Clause, boolean> | undefined
  #isPressing = false
  /** Whether more than the second mark waits, whatever brought it. */
  #isCrowded = false
  #check: Immediate | undefined

  constructor(sink: Sink, queue: MessageQueue, waiting: Waiting, marks: Marks) {
    this.#sink = sink
    this.#queue = queue
    this.#waiting = waiting
    this.#marks = marks
  }

  /** The sources that this mailbox presses on, and that are paused. */
  get paused(): Source[] {
    return this.#isPressing ? [...this.#feeds.keys()].filter(source => source.isPaused) : []
  }

  attach(source: Source): Feed {
    const feed = new Feed(source)
    this.#feeds.set(source, feed)
    this.#answered = undefined
    if (this.#isPressing) source.press(this.#sink)
    return feed
  }

  detach(source: Source): void {
    const feed = this.#feeds.get(source)
    if (feed !== undefined) this.#recover(feed)
    this.#feeds.delete(source)
    this.#answered = undefined
  }

  /** To be called after a source has delivered a message into the queue. */
  delivered(): void {
    if (this.#check === undefined && this.#queue.exceeds(this.#marks.first)) this.#checkLater()
  }

  /**
   * Presses at once, rather than at the end of the turn, if the mark was passed in this turn. Gives whether the process lags behind
   * the messages of earlier reads.
   */
  checkMark(): boolean {
    if (this.#check !== undefined) {
      clearNodesImmediate(this.#check)
      this.#checkMark()
    }
    return this.#queue.length > LAG
  }

  /** To be called after messages were taken. */
  taken(): void {
    if (!this.#isPressing) return
    if (!this.#queue.exceeds(this.#marks.half)) {
      this.#isPressing = false
      this.#isCrowded = false
      for (const feed of this.#over ?? NONE) this.#recover(feed)
      for (const source of this.#feeds.keys()) source.release(this.#sink)
      return
    }
    const { second } = this.#marks
    if (this.#over !== undefined && this.#over.size > 0) {
      const half = halfOf(second)
      for (const feed of this.#over) if (!feed.exceeds(half) && this.#recover(feed)) feed.source.decide()
    }
    if (this.#isCrowded && !this.#queue.exceeds(second)) {
      this.#isCrowded = false
      for (const source of this.#feeds.keys()) source.decide()
    }
  }

  /** To be called when a receive begins to wait: its message may be on a wire that is not being read. */
  waiting(): void {
    if (!isAnyPaused()) return
    const { second } = this.#marks
    for (const feed of this.#over ?? NONE) if (!feed.exceeds(second)) this.#recover(feed)
    for (const source of this.#feeds.keys()) source.decide()
    // Later, since the call of receive is still under way, and the end of a source runs much other code.
    if (this.#check === undefined && this.#queue.exceeds(second)) this.#checkLater()
  }

  /** Whether a receive waits that `source` may answer, and the source has not brought too much. */
  wants(source: Source): boolean {
    const feed = this.#feeds.get(source)
    if (feed === undefined) return false
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.after(waiter)) {
      if (!waiter.clauses.some(clause => pinsSource(clause, source) || !this.#isAnsweredBySource(clause))) {
        continue
      }
      if (!this.#queue.exceeds(this.#marks.second) || !this.#reachOf(waiter).isExhausted(feed)) return true
    }
    return false
  }

  /** Detaches all sources. */
  clear(): void {
    if (this.#check !== undefined) clearNodesImmediate(this.#check)
    for (const source of this.#feeds.keys()) source.detach(this.#sink)
    this.#feeds.clear()
    this.#over = undefined
  }

  #checkLater(): void {
    this.#check = nodesImmediate(() => this.#checkMark())
  }

  #checkMark(): void {
    this.#check = undefined
    const { first, second } = this.#marks
    if (!this.#queue.exceeds(first)) return
    this.#isPressing = true
    this.#isCrowded = this.#queue.exceeds(second)
    if (this.#isCrowded) for (const feed of this.#feeds.values()) if (feed.exceeds(second)) this.#pass(feed)
    for (const source of this.#feeds.keys()) source.press(this.#sink)
    if (this.#isCrowded) this.#overflow()
  }

  /** Notes that `feed` has passed the second mark. */
  #pass(feed: Feed): void {
    feed.isOver = true
    this.#over ??= new Set()
    this.#over.add(feed)
  }

  /** Notes that `feed` is no longer over the second mark, and says whether it was. */
  #recover(feed: Feed): boolean {
    feed.isOver = false
    return this.#over?.delete(feed) ?? false
  }

  /** Whether `clause` pins any source of this mailbox; otherwise its message may come from anywhere. */
  #isAnsweredBySource(clause: Clause): boolean {
    let isAnswered = this.#answered?.get(clause)
    if (isAnswered === undefined) {
      isAnswered = [...this.#feeds.keys()].some(source => pinsSource(clause, source))
      this.#answered ??= new WeakMap()
      this.#answered.set(clause, isAnswered)
    }
    return isAnswered
  }

  #reachOf({ clauses }: Waiter): Reach {
    const isOpen = clauses.some(clause => !this.#isAnsweredBySource(clause))
    const all = [...this.#feeds.values()]
    const feeds = isOpen
      ? all
      : all.filter(({ source }) => clauses.some(clause => pinsSource(clause, source)))
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

  /** Ends one source that keeps a receive from its answer; one only, as the news of its end may be that answer. */
  #overflow(): void {
    const { second } = this.#marks
    for (const { source } of this.#over ?? NONE) if (!source.isPausable) return source.overflow(second)
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.after(waiter)) {
      const { feeds, isOpen, isExhausted } = this.#reachOf(waiter)
      if (isOpen) continue
      const exhausted = feeds.filter(isExhausted)
      const wholes = new Set(exhausted.map(({ source }) => source.whole))
      if (exhausted.length === 0 || !feeds.every(({ source }) => wholes.has(source.whole))) continue
      const weight = (feed: Feed) => feed.messages / second.messages + feed.bytes / second.bytes
      const heaviest = exhausted.reduce((most, feed) => (weight(feed) > weight(most) ? feed : most))
      return heaviest.source.overflow(second)
    }
  }
}
