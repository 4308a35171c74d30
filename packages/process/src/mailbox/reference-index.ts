/** Finds messages by a reference that they carry, without walking the others. */

import type { Clause } from '../patterns/pattern.js'
import { isPlain, isReference } from '../ref.js'
import type { Feed } from './source.js'

/** The most elements of a tuple. A longer array is data: it is not listed by its elements, and so is always tried. */
const LONGEST_TUPLE = 16

/**
 * Knows which messages of a mailbox carry a reference as one of their own fields or elements. Lists a message when it is
 * first needed, since most messages are taken in order and must not pay for the others.
 */
export class ReferenceIndex {
  private readonly carrying = new Map<object, Placements>()
  /** Messages that are neither plain objects nor tuples, so that a getter may make their fields. */
  private readonly others = new Placements(undefined)
  /** The order of the last listed message. */
  private listed = -1

  /** Lists the messages that have arrived since the last call. `last` is the newest envelope. */
  catchUp(last: Envelope | undefined): void {
    if (last === undefined || last.order <= this.listed) return
    let envelope: Envelope | undefined = last
    while (envelope.previous !== undefined && envelope.previous.order > this.listed)
      envelope = envelope.previous
    for (; envelope !== undefined; envelope = envelope.next) this.list(envelope)
    this.listed = last.order
  }

  private list(envelope: Envelope): void {
    try {
      this.add(envelope)
    } catch {
      // A getter threw. It will throw again for a pattern that asks for its field, and must not for any other.
      this.others.add(envelope)
    }
  }

  private add(envelope: Envelope): void {
    const { message } = envelope
    // No pattern that pins a reference matches a primitive.
    if ((typeof message !== 'object' && typeof message !== 'function') || message === null) return
    if (Array.isArray(message) && message.length <= LONGEST_TUPLE) {
      for (const value of message) this.place(envelope, value)
    } else if (isPlain(message)) {
      for (const name in message) this.place(envelope, (message as Record<string, unknown>)[name])
    } else {
      this.others.add(envelope)
    }
  }

  /**
   * Removes an envelope that was taken. `isWalked` says that an outer walk may stand on the envelope, and needs the way on.
   */
  remove(envelope: Envelope, isWalked: boolean): void {
    for (let place = envelope.placement; place !== undefined; place = place.sibling) {
      const { list } = place
      list.remove(place, isWalked)
      if (list.length === 0 && list.reference !== undefined) this.carrying.delete(list.reference)
    }
    envelope.placement = undefined
  }

  /**
   * Gives the lists in which a message can be that matches any of the clauses, each of which pins at least one reference.
   */
  candidates(clauses: readonly Clause[]): Placements[] {
    const lists: Placements[] = this.others.length > 0 ? [this.others] : []
    for (const clause of clauses) {
      const shortest = this.shortest(clause)
      if (shortest !== undefined && !lists.includes(shortest)) lists.push(shortest)
    }
    return lists
  }

  /** Gives the shortest list among the references that the clause pins; `undefined` if no message carries one of them. */
  private shortest(clause: Clause): Placements | undefined {
    let shortest: Placements | undefined
    for (let field = clause.fields; field !== undefined; field = field.next) {
      const { pin } = field
      if (pin === undefined) continue
      const list = this.carrying.get(pin)
      if (list === undefined) return undefined
      if (shortest === undefined || list.length < shortest.length) shortest = list
    }
    return shortest
  }

  private place(envelope: Envelope, value: unknown): void {
    if (!isReference(value)) return
    const list = this.carrying.get(value)
    if (list !== undefined) return list.add(envelope)
    const started = new Placements(value)
    this.carrying.set(value, started)
    started.add(envelope)
  }
}

/** One message in a mailbox, with its place among the others. */
export class Envelope {
  /** Keeps one instance alive: V8 forgets a class without any at the next full collection, with the code made for it. */
  static readonly kept = new Envelope(undefined, 0, 0, undefined, undefined)

  message: unknown
  /** How many bytes the message holds, as its source said. */
  readonly bytes: number
  /** The feed that counts the message; `undefined` if no source delivered it. */
  readonly feed: Feed | undefined
  /** The number of messages that came to the mailbox before this one. */
  readonly order: number
  previous: Envelope | undefined
  next: Envelope | undefined = undefined
  taken = false
  /** The latest of its places in the index, from which the others can be reached. */
  placement: Placement | undefined = undefined

  constructor(
    message: unknown,
    bytes: number,
    order: number,
    previous: Envelope | undefined,
    feed: Feed | undefined,
  ) {
    this.message = message
    this.bytes = bytes
    this.feed = feed
    this.order = order
    this.previous = previous
  }
}

/** The place of one envelope in one list. */
export class Placement {
  readonly envelope: Envelope
  readonly list: Placements
  /** The place of the same envelope in another list. */
  readonly sibling: Placement | undefined
  previous: Placement | undefined
  next: Placement | undefined = undefined

  constructor(envelope: Envelope, list: Placements, previous: Placement | undefined) {
    this.envelope = envelope
    this.list = list
    this.sibling = envelope.placement
    this.previous = previous
  }
}

/** The envelopes whose messages carry one reference, oldest first. */
export class Placements {
  /** The reference; `undefined` for the list of messages that cannot be listed by one. */
  readonly reference: object | undefined
  first: Placement | undefined = undefined
  length = 0
  private last: Placement | undefined = undefined

  constructor(reference: object | undefined) {
    this.reference = reference
  }

  add(envelope: Envelope): void {
    const { last } = this
    // Two fields of a message may carry the same reference.
    if (last?.envelope === envelope) return
    const place = new Placement(envelope, this, last)
    if (last === undefined) this.first = place
    else last.next = place
    this.last = place
    this.length++
    envelope.placement = place
  }

  /** Gives the first place of an envelope whose order is at least `order`. */
  firstAt(order: number): Placement | undefined {
    let place = this.first
    while (place !== undefined && place.envelope.order < order) place = place.next
    return place
  }

  remove(place: Placement, isWalked: boolean): void {
    const { previous, next } = place
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    place.previous = undefined
    if (!isWalked) place.next = undefined
    this.length--
  }
}

/**
 * Visits the envelopes of all the lists, oldest first, from the order `from` on, and gives the first result that is not
 * `undefined`. `visit` may take the message that it visits.
 */
export function findInOrder<T>(
  lists: readonly Placements[],
  from: number,
  visit: (envelope: Envelope) => T | undefined,
): T | undefined {
  const heads = lists.map(list => list.firstAt(from))
  for (;;) {
    let oldest: Envelope | undefined
    for (const head of heads) {
      if (head !== undefined && (oldest === undefined || head.envelope.order < oldest.order)) {
        oldest = head.envelope
      }
    }
    if (oldest === undefined) return undefined
    const found = visit(oldest)
    if (found !== undefined) return found
    for (const [i, head] of heads.entries()) if (head?.envelope === oldest) heads[i] = head.next
  }
}
