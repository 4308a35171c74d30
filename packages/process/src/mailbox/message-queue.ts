/** Messages wait in the order of their arrival; any of them may be taken, and the others keep their place. */

import type { Clause } from '../patterns/pattern.js'
import { LEFT_OUT, printShort } from '../patterns/print.js'
import type { Mark } from './high-water-mark.js'
import { Envelope, findInOrder, ReferenceIndex } from './reference-index.js'
import type { Feed } from './source.js'

/** The number of messages that can be passed for about the cost of listing one. */
const LONG_WALK = 10

/** The most messages that a snapshot shows. */
const SHOWN = 3

/** A message that was taken, and the clause that it matched. */
export interface Taken {
  readonly message: unknown
  readonly clause: Clause
}

/** Gives the first clause that `message` matches. A guard may throw. */
export function firstMatch(clauses: readonly Clause[], message: unknown): Clause | undefined {
  for (const clause of clauses) if (clause.matches(message)) return clause
  return undefined
}

function isPinned(clause: Clause): boolean {
  return clause.isPinned
}

/** A doubly linked list of envelopes, from which any may be removed; the same message may have been sent twice. */
export class MessageQueue {
  #first: Envelope | undefined
  #last: Envelope | undefined
  #length = 0
  #bytes = 0
  #sent = 0
  #index: ReferenceIndex | undefined
  /** How many messages a walk passes before it goes on by the index: 1 after a walk that has used it. */
  #reach = LONG_WALK
  /** How many walks are under way: more than 1 while a guard takes messages itself. */
  #walks = 0
  /** The clauses of the last walk, if they were kept. */
  #tried: readonly Clause[] | undefined
  /** The last message that the walk has passed: neither this one nor any before it matches those clauses. */
  #missed: Envelope | undefined

  /** How many messages wait. */
  get length(): number {
    return this.#length
  }

  /** The oldest message. */
  get first(): Envelope | undefined {
    return this.#first
  }

  /** The newest message. */
  get last(): Envelope | undefined {
    return this.#last
  }

  /** How many bytes the waiting messages hold, as the sources count them. */
  get bytes(): number {
    return this.#bytes
  }

  /** Shows the oldest `most` messages, each in one line. */
  show(most: number): string[] {
    const lines: string[] = []
    for (
      let envelope = this.#first;
      envelope !== undefined && lines.length < most;
      envelope = envelope.next
    ) {
      lines.push(printShort(envelope.message))
    }
    return lines
  }

  /** Whether more than the given mark waits. */
  exceeds({ messages, bytes }: Mark): boolean {
    return this.#length > messages || this.#bytes > bytes
  }

  /** Appends a message that holds so many bytes. */
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
   * Takes the oldest message that matches any clause. If a guard throws, all messages stay. `isKept` says that the same list
   * of clauses may be given again, and that its clauses only compare by identity.
   */
  take(clauses: readonly Clause[], isKept: boolean): Taken | undefined {
    let missed = this.#tried === clauses ? this.#missed : undefined
    let envelope = missed === undefined ? this.#first : missed.next
    if (envelope === undefined) return undefined
    const reach = this.#reach
    // One clause that calls no guard is the common case, and this way the only quick one in a long queue.
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

  /** Drops the messages that match any clause, and gives their number. */
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

  /**
   * Gives a function that describes the messages that wait now. It keeps no message alive, and leaves out those that have
   * been taken by the time of its call.
   */
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

  /** Drops all messages. */
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

  /** Takes by the index, which lists each message once by a field, however many walks pass it. */
  #takeIndexed(clauses: readonly Clause[], from: number): Taken | undefined {
    this.#reach = 1
    this.#index ??= new ReferenceIndex()
    const lists = this.#index.candidates(clauses, this.#last)
    return findInOrder(lists, from, envelope => this.#open(envelope, clauses))
  }

  /** Takes the message if it matches `clause`, which calls no guard. */
  #openIf(envelope: Envelope, clause: Clause): Taken | undefined {
    const { message } = envelope
    if (!clause.matches(message)) return undefined
    this.#remove(envelope)
    return { message, clause }
  }

  /** Takes the message if it matches any clause. */
  #open(envelope: Envelope, clauses: readonly Clause[]): Taken | undefined {
    if (envelope.taken) return undefined
    const { message } = envelope
    const clause = firstMatch(clauses, message)
    // A guard may have taken this message itself.
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
    // An outer walk may stand here and needs the way on. Without one, the tie would keep later messages alive.
    if (this.#walks <= 1) envelope.next = undefined
    this.#index?.remove(envelope, this.#walks > 1)
  }
}
