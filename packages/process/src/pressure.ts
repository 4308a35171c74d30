/**
 * Back-pressure: a source that can pause does so while a mailbox it feeds is over its high-water mark and nobody
 * waits for what the source may still bring. Sending itself never fails and never drops.
 */

import { turned } from './fairness.js'
import type { Mailbox } from './mailbox.js'
import type { Clause } from './pattern.js'
import { didYouMean } from './suggestion.js'

/** How much may wait in a mailbox before its sources are paused. They go on at half. `Infinity` switches one off. */
export interface HighWaterMark {
  /** In messages; 16,384 by default. */
  readonly messages?: number
  /** In bytes, as far as sources say how many they deliver; 16 MiB by default. */
  readonly bytes?: number
}

export const DEFAULT_MARK: Required<HighWaterMark> = { messages: 16384, bytes: 16 * 1024 * 1024 }

const MEASURES: readonly (keyof HighWaterMark)[] = ['messages', 'bytes']

export function checkHighWaterMark(mark: HighWaterMark | undefined): Required<HighWaterMark> {
  if (mark === undefined) return DEFAULT_MARK
  if (typeof mark !== 'object' || mark === null) throw new TypeError('highWaterMark must be an object')
  for (const key of Object.keys(mark)) {
    if (MEASURES.some(name => name === key)) continue
    throw new TypeError(`highWaterMark.${key} is not an option${didYouMean(key, MEASURES)}`)
  }
  for (const key of MEASURES) {
    const value = mark[key]
    if (value !== undefined && !(typeof value === 'number' && value >= 1)) {
      throw new RangeError(`highWaterMark.${key} must be a number of at least 1, or Infinity, not ${value}`)
    }
  }
  return { ...DEFAULT_MARK, ...mark }
}

/** The side of a process that sources talk to. */
export interface Consumer {
  /** `source` will deliver here. Says whether the consumer still takes anything. */
  feed(source: Source): boolean
  /** Puts a message of so many bytes into the mailbox. */
  accept(message: unknown, bytes: number, source: Source): void
  /** Whether a receive is waiting that only goes on when this source, maybe among others, is read. */
  isWaitingFor(source: Source): boolean
  /** `source` has closed: nothing more will come from it. */
  forget(source: Source): void
  /** Looks at the mark now, if it has been passed. */
  assess(): void
}

/** What a source does to what it reads from. */
export interface Valve {
  /** Stops reading. Not called again before `resume`. */
  pause(): void
  /** Reads on. Only called after `pause`. */
  resume(): void
  /** Whether messages of this source carry that reference, so that a receive which pins it waits for this source. */
  feeds(reference: object): boolean
}

/** How many sources of the program are paused; while none is, a receive that has to wait need not look. */
let pausedSources = 0

/** Something that delivers messages to mailboxes and can be paused, such as a socket. */
export class Source {
  readonly #valve: Valve
  readonly #fed = new Set<Consumer>()
  readonly #pressing = new Set<Consumer>()
  /** The consumer fed last, which is most often the next one too. */
  #last: Consumer | undefined
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

  /** From now on a receive of `consumer` that waits keeps this source going, also before the first message. */
  attach(consumer: Consumer): void {
    // What comes after the end is delivered, but must not tie the consumer to what has ended.
    if (consumer === this.#last || this.#closed) return
    if (!this.#fed.has(consumer)) {
      if (!consumer.feed(this)) return
      this.#fed.add(consumer)
    }
    this.#last = consumer
  }

  /**
   * To be called before more is read and delivered. Whoever was fed by the last read has run since; who is over its
   * mark even so need not be fed for the rest of this turn, in which a socket may be read many times.
   */
  beforeReading(): void {
    for (const consumer of this.#fed) consumer.assess()
  }

  /** Delivers a message that holds so many bytes. */
  deliver(consumer: Consumer, message: unknown, bytes: number): void {
    turned()
    this.attach(consumer)
    consumer.accept(message, bytes, this)
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

  /** One socket may feed several mailboxes: it is read while any of them waits for it. */
  decide(): void {
    const pause = this.#pressing.size > 0 && ![...this.#fed].some(consumer => consumer.isWaitingFor(this))
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

  /** Nothing more will come: forgets everybody it fed. */
  close(): void {
    this.#closed = true
    this.#last = undefined
    for (const consumer of this.#fed) consumer.forget(this)
    this.#fed.clear()
    this.#pressing.clear()
    if (this.#paused) pausedSources--
    this.#paused = false
  }

  /** `consumer` takes nothing more. */
  drop(consumer: Consumer): void {
    if (consumer === this.#last) this.#last = undefined
    this.#fed.delete(consumer)
    this.release(consumer)
  }
}

/** Whether the clause pins a reference that only messages of this source carry. */
export function isFedBy(source: Source, clause: Clause): boolean {
  for (let field = clause.fields; field !== undefined; field = field.next) {
    if (field.pin !== undefined && source.feeds(field.pin)) return true
  }
  return false
}

/** One mailbox's side: notices the mark being passed, and tells the sources, once a turn. */
export class Pressure {
  readonly #consumer: Consumer
  readonly #mailbox: Mailbox
  readonly #mark: Required<HighWaterMark>
  readonly #sources = new Set<Source>()
  /** What `hasSourceOf` has found, since with many sources it is asked for each of them. */
  #pinned = new WeakMap<Clause, boolean>()
  #pressing = false
  #assessing: NodeJS.Immediate | undefined

  constructor(consumer: Consumer, mailbox: Mailbox, mark: Required<HighWaterMark>) {
    this.#consumer = consumer
    this.#mailbox = mailbox
    this.#mark = mark
  }

  /** Whether any source of this mailbox feeds the clause. */
  hasSourceOf(clause: Clause): boolean {
    let has = this.#pinned.get(clause)
    if (has === undefined) {
      has = [...this.#sources].some(source => isFedBy(source, clause))
      this.#pinned.set(clause, has)
    }
    return has
  }

  /** `source` will deliver into the mailbox. */
  feed(source: Source): void {
    this.#sources.add(source)
    this.#pinned = new WeakMap()
    if (this.#pressing) source.press(this.#consumer)
  }

  /** After a source delivered into the mailbox. */
  delivered(): void {
    if (this.#assessing === undefined && this.#isAbove(1)) {
      this.#assessing = setImmediate(() => this.#assess())
    }
  }

  /** Not later than at the end of the turn, if the mark was passed in it. */
  assess(): void {
    if (this.#assessing === undefined) return
    clearImmediate(this.#assessing)
    this.#assess()
  }

  /** After messages were taken. */
  taken(): void {
    if (!this.#pressing || this.#isAbove(0.5)) return
    this.#pressing = false
    for (const source of this.#sources) source.release(this.#consumer)
  }

  /** When a receive begins to wait: what it waits for may be on a wire that is not being read. */
  waiting(): void {
    if (pausedSources === 0) return
    for (const source of this.#sources) source.decide()
  }

  forget(source: Source): void {
    this.#sources.delete(source)
    this.#pinned = new WeakMap()
  }

  clear(): void {
    if (this.#assessing !== undefined) clearImmediate(this.#assessing)
    for (const source of this.#sources) source.drop(this.#consumer)
    this.#sources.clear()
  }

  #assess(): void {
    this.#assessing = undefined
    if (!this.#isAbove(1)) return
    this.#pressing = true
    for (const source of this.#sources) source.press(this.#consumer)
  }

  #isAbove(share: number): boolean {
    const { length, bytes } = this.#mailbox
    return length > this.#mark.messages * share || bytes > this.#mark.bytes * share
  }
}
