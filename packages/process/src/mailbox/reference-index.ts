/** Finds messages by a reference that they carry, without walking the others. */

import type { Clause } from '../patterns/pattern.js'
import { isPlain, isReference } from '../ref.js'
import type { Feed } from './source.js'

/** Longer arrays are data rather than tuples: they are not listed by what they hold, and so are always tried. */
const LONGEST_TUPLE = 16

/**
 * Which messages of a mailbox carry a reference as one of their own fields or elements. It lists nothing until it is
 * asked: most messages are taken in order, and must not pay for those that are not.
 */
export class ReferenceIndex {
  private readonly carrying = new Map<object, Placements>()
  /** Messages that are neither plain objects nor tuples: their fields may come from a getter. */
  private readonly others = new Placements(undefined)
  /** The order of the last message that was listed. */
  private listed = -1

  /** Lists what has arrived since the last time. `last` is the newest envelope. */
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
      // A getter threw. It does so again for whoever asks for its field, and for nobody else.
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

  /** After the envelope was taken. `walked`: an outer walk may stand on it and has to find its way on. */
  remove(envelope: Envelope, walked: boolean): void {
    for (let place = envelope.placement; place !== undefined; place = place.sibling) {
      const { list } = place
      list.remove(place, walked)
      if (list.length === 0 && list.reference !== undefined) this.carrying.delete(list.reference)
    }
    envelope.placement = undefined
  }

  /** Where a message can be that carries, for one of the clauses, all the references that it pins. Each pins one. */
  candidates(clauses: readonly Clause[]): Placements[] {
    const lists: Placements[] = this.others.length > 0 ? [this.others] : []
    for (const clause of clauses) {
      const shortest = this.shortest(clause)
      if (shortest !== undefined && !lists.includes(shortest)) lists.push(shortest)
    }
    return lists
  }

  /** The shortest list of a reference that the clause pins. `undefined`: nothing carries one of them. */
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
  /** Of a class without instances V8 forgets the shape at the next collection, and all code that was made for it. */
  static readonly kept = new Envelope(undefined, 0, 0, undefined, undefined)

  message: unknown
  /** How many bytes the source of the message said it holds. */
  readonly bytes: number
  /** Where it is counted what of its source waits; `undefined`: it has none. */
  readonly feed: Feed | undefined
  /** Counts up with each message sent to the mailbox. */
  readonly order: number
  previous: Envelope | undefined
  next: Envelope | undefined = undefined
  taken = false
  /** The first of the places at which the index, if it has come so far, lists this envelope. */
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

/** One envelope's place in one list. */
export class Placement {
  readonly envelope: Envelope
  readonly list: Placements
  /** The same envelope's place in another list. */
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

/** The envelopes with one reference, oldest first. */
export class Placements {
  /** What they carry; `undefined` for the messages that cannot be listed by what they carry. */
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

  /** The first place of an envelope whose order is at least `order`. */
  firstAt(order: number): Placement | undefined {
    let place = this.first
    while (place !== undefined && place.envelope.order < order) place = place.next
    return place
  }

  remove(place: Placement, walked: boolean): void {
    const { previous, next } = place
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    place.previous = undefined
    if (!walked) place.next = undefined
    this.length--
  }
}

/**
 * The first result that `visit` gives for an envelope, oldest first across all the lists, beginning at the order `from`.
 * It may take what it visits.
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
