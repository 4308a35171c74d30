/**
 * A roll lists what lives without keeping it alive: what is new is held strongly until the turn of the event loop is over, and weakly
 * from then on, since a weak reference costs as much as the rest of a process that returns at once.
 */

import { nodesImmediate } from '../host/nodes-clock.js'

/** The method by which a roll tells an owner its new place. */
export const placed: unique symbol = Symbol('@holster/process.placed')

/** An owner that a roll lists, and that keeps its place, by which it strikes itself out when it ends. */
export interface Listed {
  [placed](place: Place): void
}

/** The place of an owner: an index among the young, or an entry. */
export type Place = number | Entry<never>

/** The place of an owner that is held weakly. */
export class Entry<T extends object> {
  /** Keeps an instance alive, as V8 forgets a class without any at a full collection, with the code made for it. */
  static readonly kept = new Entry({})

  readonly reference: WeakRef<T>
  previous: Entry<T> | undefined = undefined
  next: Entry<T> | undefined = undefined

  constructor(owner: T) {
    this.reference = new WeakRef(owner)
  }
}

/** The fewest owners between two searches for owners that need not be listed any more. */
const SWEEP = 1024

/** Lists owners in the order in which they were made. */
export class Roll<T extends Listed> {
  /** The owners that were made in this turn; `undefined` stands for one that has ended. */
  private readonly young: (T | undefined)[] = []
  /** How many of the young have not ended. */
  private count = 0
  /** The length of the young at which those that have ended are forgotten. */
  private youngLimit = SWEEP
  private isAging = false
  private first: Entry<T> | undefined = undefined
  private last: Entry<T> | undefined = undefined
  private length = 0
  /** The length at which owners are forgotten that were collected without having ended. */
  private limit = SWEEP

  /** Lists `owner`, at the end, and gives its place. */
  add(owner: T): Place {
    if (!this.isAging) {
      this.isAging = true
      nodesImmediate(age, this)
    }
    // A program may make any number of them before the event loop turns.
    if (this.young.length >= this.youngLimit) this.forgetEnded()
    this.count++
    return this.young.push(owner) - 1
  }

  /** Strikes out the owner at `place`, once. */
  remove(place: Place): void {
    if (typeof place === 'number') {
      this.young[place] = undefined
      if (--this.count === 0) this.young.length = 0
    } else this.leave(place as unknown as Entry<T>)
  }

  /** Gives the owners that live, oldest first. */
  list(): T[] {
    const owners: T[] = []
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      const owner = entry.reference.deref()
      if (owner !== undefined) owners.push(owner)
    }
    for (const owner of this.young) if (owner !== undefined) owners.push(owner)
    return owners
  }

  /** Holds all owners weakly from now on. */
  age(): void {
    this.isAging = false
    for (const owner of this.young) if (owner !== undefined) this.enter(owner)
    this.young.length = 0
    this.count = 0
    this.youngLimit = SWEEP
    if (this.length >= this.limit) this.sweep()
  }

  private enter(owner: T): void {
    const entry = new Entry(owner)
    entry.previous = this.last
    if (this.last === undefined) this.first = entry
    else this.last.next = entry
    this.last = entry
    this.length++
    owner[placed](entry as unknown as Entry<never>)
  }

  private leave(entry: Entry<T>): void {
    const { previous, next } = entry
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    entry.previous = undefined
    entry.next = undefined
    this.length--
  }

  private forgetEnded(): void {
    const { young } = this
    let length = 0
    for (const owner of young) {
      if (owner === undefined) continue
      owner[placed](length)
      young[length++] = owner
    }
    young.length = length
    this.youngLimit = Math.max(SWEEP, 2 * length)
  }

  /** Strikes out the entries whose owners were collected. */
  private sweep(): void {
    let entry = this.first
    while (entry !== undefined) {
      const { next }: Entry<T> = entry
      if (entry.reference.deref() === undefined) this.leave(entry)
      entry = next
    }
    this.limit = Math.max(SWEEP, 2 * this.length)
  }
}

function age(roll: { age(): void }): void {
  roll.age()
}
