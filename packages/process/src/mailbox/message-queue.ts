/** Messages in the order in which they arrived; any of them may be taken, and the others keep their place. */

import type { Clause } from '../patterns/pattern.js'
import { LEFT_OUT, printShort } from '../patterns/print.js'
import type { Mark } from './high-water-mark.js'
import { Envelope, findInOrder, ReferenceIndex } from './reference-index.js'
import type { Feed } from './source.js'

/** Passing so many messages costs about as much as listing one. */
const LONG_WALK = 10

/** So many messages are shown to whoever waits in vain. */
const SHOWN = 3

/** A message that was taken, and the clause that it matched. */
export interface Taken {
  readonly message: unknown
  readonly clause: Clause
}

/** The first clause that `message` matches. A guard may throw. */
export function firstMatch(clauses: readonly Clause[], message: unknown): Clause | undefined {
  for (const clause of clauses) if (clause.matches(message)) return clause
  return undefined
}

function isPinned(clause: Clause): boolean {
  return clause.isPinned
}

/** A list of envelopes, linked both ways: removal is by place, since the same object may have been sent twice. */
export class Mailbox {
  #first: Envelope | undefined
  #last: Envelope | undefined
  #length = 0
  #bytes = 0
  #sent = 0
  #index: ReferenceIndex | undefined
  /** How many messages a walk passes before it goes on by the index: one, after a walk that had to. */
  #reach = LONG_WALK
  /** How many walks are under way: more than one when a guard itself takes messages. */
  #walks = 0
  /** The clauses of the last walk, if they are kept to be asked for again: they do nothing but compare by identity. */
  #tried: readonly Clause[] | undefined
  /** The last message that those did not match: neither do those before it. */
  #missed: Envelope | undefined

  /** How many messages wait. */
  get length(): number {
    return this.#length
  }

  /** Whether more than this waits. */
  exceeds({ messages, bytes }: Mark): boolean {
    return this.#length > messages || this.#bytes > bytes
  }

  push(message: unknown, bytes: number, feed: Feed | undefined): void {
    const envelope = new Envelope(message, bytes, this.#sent++, this.#last, feed)
    if (this.#last === undefined) this.#first = envelope
    else this.#last.next = envelope
    this.#last = envelope
    this.#bytes += bytes
    this.#length++
    if (feed === undefined) return
    feed.messages++
    feed.bytes += bytes
  }

  /**
   * Takes the oldest message that matches any clause. A guard that throws leaves everything in its place. `isKept`: the same
   * clauses may be given again, and do nothing but compare by identity.
   */
  take(clauses: readonly Clause[], isKept: boolean): Taken | undefined {
    let missed = this.#tried === clauses ? this.#missed : undefined
    let envelope = missed === undefined ? this.#first : missed.next
    if (envelope === undefined) return undefined
    const reach = this.#reach
    // Mostly so, and the only way that is quick in a long backlog.
    const only = isKept && clauses.length === 1 ? clauses[0] : undefined
    this.#walks++
    try {
      for (let passed = 0; envelope !== undefined; passed++, envelope = envelope.next) {
        if (passed === reach && clauses.every(isPinned)) return this.#takeIndexed(clauses, envelope.order)
        const taken = only === undefined ? this.#open(envelope, clauses) : this.#openIf(envelope, only)
        if (taken === undefined) {
          missed = envelope
          continue
        }
        this.#reach = LONG_WALK
        return taken
      }
      return undefined
    } finally {
      this.#walks--
      if (isKept && missed !== undefined) {
        this.#tried = clauses
        this.#missed = missed
      }
    }
  }

  /** Drops the messages that match, and says how many they were. */
  flush(clauses: readonly Clause[]): number {
    let dropped = 0
    this.#walks++
    try {
      let envelope = this.#first
      while (envelope !== undefined) {
        const { next }: Envelope = envelope
        if (this.#open(envelope, clauses) !== undefined) dropped++
        envelope = envelope.next ?? next
      }
      return dropped
    } finally {
      this.#walks--
    }
  }

  /** Gives a function that says what waits now, but for what has been taken meanwhile: it holds on to no message. */
  snapshot(): () => string {
    const length = this.#length
    const sent = this.#sent
    return () => {
      if (length === 0) return 'empty'
      const lines: string[] = []
      let envelope = this.#first
      while (envelope !== undefined && envelope.order < sent && lines.length < SHOWN) {
        lines.push(printShort(envelope.message))
        envelope = envelope.next
      }
      if (lines.length === 0) lines.push('all taken since')
      else if (lines.length < Math.min(length, SHOWN)) lines.push('the others taken since')
      else if (length > SHOWN) lines.push(LEFT_OUT)
      return [`${length} ${length === 1 ? 'message' : 'messages'}`, ...lines].join('\n    ')
    }
  }

  clear(): void {
    for (let envelope = this.#first; envelope !== undefined; envelope = envelope.next) envelope.taken = true
    this.#first = undefined
    this.#last = undefined
    this.#length = 0
    this.#bytes = 0
    this.#index = undefined
    this.#tried = undefined
    this.#missed = undefined
  }

  /** Every message is listed once, however often it is passed over. */
  #takeIndexed(clauses: readonly Clause[], from: number): Taken | undefined {
    this.#reach = 1
    this.#index ??= new ReferenceIndex()
    this.#index.catchUp(this.#last)
    return findInOrder(this.#index.candidates(clauses), from, envelope => this.#open(envelope, clauses))
  }

  /** As `#open`, for one clause that calls no guard. */
  #openIf(envelope: Envelope, clause: Clause): Taken | undefined {
    const { message } = envelope
    if (!clause.matches(message)) return undefined
    this.#remove(envelope)
    return { message, clause }
  }

  #open(envelope: Envelope, clauses: readonly Clause[]): Taken | undefined {
    if (envelope.taken) return undefined
    const { message } = envelope
    const clause = firstMatch(clauses, message)
    // The guard of a clause may have taken this very message.
    if (clause === undefined || envelope.taken) return undefined
    this.#remove(envelope)
    return { message, clause }
  }

  #remove(envelope: Envelope): void {
    const { previous, next, feed, bytes } = envelope
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    if (envelope === this.#missed) {
      this.#missed = previous
      if (previous === undefined) this.#tried = undefined
    }
    this.#bytes -= bytes
    this.#length--
    if (feed !== undefined) {
      feed.messages--
      feed.bytes -= bytes
    }
    envelope.taken = true
    envelope.message = undefined
    envelope.previous = undefined
    // An outer walk may stand here and has to find its way on. Otherwise the tie would keep later messages alive.
    if (this.#walks <= 1) envelope.next = undefined
    this.#index?.remove(envelope, this.#walks > 1)
  }
}
