/** Finds messages by a reference that they carry, without walking the others. */

import type { Clause, Field } from '../patterns/pattern.js'
import { isPlain, isReference } from '../ref.js'
import type { Feed } from './source.js'

/**
 * Knows which messages of a mailbox carry a reference in one of their own fields or elements. Lists a message by a field when
 * a receive first pins that field, since most messages are taken in order and must not pay for the others.
 */
export class ReferenceIndex {
  private readonly fields = new Map<string | number, FieldIndex>()

  /**
   * Gives the lists in which a message can be that matches any of the clauses, each of which pins at least one reference.
   * `last` is the newest envelope.
   */
  candidates(clauses: readonly Clause[], last: Envelope | undefined): Placements[] {
    const lists: Placements[] = []
    for (const clause of clauses) this.collect(clause, last, lists)
    return lists
  }

  /** Removes an envelope that was taken. `isWalked` says that an outer walk may stand on it, and needs the way on. */
  remove(envelope: Envelope, isWalked: boolean): void {
    for (let place = envelope.placement; place !== undefined; place = place.sibling) {
      place.list.remove(place, isWalked)
      place.list.forgetIfEmpty()
    }
    envelope.placement = undefined
  }

  private collect(clause: Clause, last: Envelope | undefined, lists: Placements[]): void {
    const field = this.shortest(clause.fields, last)
    if (field?.pin === undefined) return
    const { carrying, others } = this.listBy(field.name, last)
    const list = carrying.get(field.pin)
    if (list !== undefined && !lists.includes(list)) lists.push(list)
    if (others.length > 0) lists.push(others)
  }

  /**
   * Gives the pinned field whose list is the shortest: a message that matches is listed by each of them. Begins at the last
   * one, since patterns mostly go from the whole to the part, and leaves the others unlisted if that list is short enough.
   */
  private shortest(field: Field | undefined, last: Envelope | undefined): Field | undefined {
    if (field === undefined) return undefined
    const later = this.shortest(field.next, last)
    if (field.pin === undefined || later === undefined) return field.pin === undefined ? later : field
    const length = this.lengthBy(later, last)
    return length > 1 && this.lengthBy(field, last) < length ? field : later
  }

  private lengthBy({ name, pin }: Field, last: Envelope | undefined): number {
    return pin === undefined ? 0 : (this.listBy(name, last).carrying.get(pin)?.length ?? 0)
  }

  private listBy(name: string | number, last: Envelope | undefined): FieldIndex {
    let index = this.fields.get(name)
    if (index === undefined) {
      index = new FieldIndex(name)
      this.fields.set(name, index)
    }
    index.catchUp(last)
    return index
  }
}

/** The messages of a mailbox by the reference that they carry in one field. */
class FieldIndex {
  readonly carrying = new Map<object, Placements>()
  /** Messages that are neither plain objects nor arrays, so that a getter may make the field, or whose getter threw. */
  readonly others = new Placements(undefined, undefined)
  private readonly name: string | number
  /** The order of the last listed message. */
  private listed = -1

  constructor(name: string | number) {
    this.name = name
  }

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
    const { message } = envelope
    // No pattern that pins a reference matches a primitive.
    if ((typeof message !== 'object' && typeof message !== 'function') || message === null) return
    try {
      if (!Array.isArray(message) && !isPlain(message)) return this.others.add(envelope)
      this.place(envelope, (message as Readonly<Record<string | number, unknown>>)[this.name])
    } catch {
      // The getter will throw again for a pattern that asks for its field, and must not for any other.
      this.others.add(envelope)
    }
  }

  private place(envelope: Envelope, value: unknown): void {
    if (!isReference(value)) return
    let list = this.carrying.get(value)
    if (list === undefined) {
      list = new Placements(value, this.carrying)
      this.carrying.set(value, list)
    }
    list.add(envelope)
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

/** The envelopes whose messages carry one reference in one field, oldest first. */
export class Placements {
  first: Placement | undefined = undefined
  length = 0
  private last: Placement | undefined = undefined
  /** The reference; `undefined` for the messages that cannot be listed by one. */
  private readonly reference: object | undefined
  /** The map that holds this list under its reference. */
  private readonly holder: Map<object, Placements> | undefined

  constructor(reference: object | undefined, holder: Map<object, Placements> | undefined) {
    this.reference = reference
    this.holder = holder
  }

  add(envelope: Envelope): void {
    const { last } = this
    const place = new Placement(envelope, this, last)
    if (last === undefined) this.first = place
    else last.next = place
    this.last = place
    this.length++
    envelope.placement = place
  }

  /** Lets go of the reference once no message carries it. */
  forgetIfEmpty(): void {
    if (this.length === 0 && this.reference !== undefined) this.holder?.delete(this.reference)
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
