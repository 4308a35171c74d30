/**
 * A roll lists what lives without keeping it alive: an entry is held strongly until the turn of the event loop in which it was made is
 * over, and weakly from then on, since a weak reference costs as much as the rest of a process that returns at once.
 */

/** One entry of a roll, in which its owner strikes itself out when it ends. */
export class Entry<T extends object> {
  /** The entry's owner while it is young. */
  young: T | undefined
  old: WeakRef<T> | undefined = undefined
  previous: Entry<T> | undefined = undefined
  next: Entry<T> | undefined = undefined

  constructor(owner: T) {
    this.young = owner
  }

  /** The owner; `undefined` if it was collected. */
  get owner(): T | undefined {
    return this.young ?? this.old?.deref()
  }
}

/** The fewest entries between two sweeps for owners that were collected without having ended. */
const SWEEP = 1024

/** A list of entries in the order in which they were made. */
export class Roll<T extends object> {
  private first: Entry<T> | undefined = undefined
  private last: Entry<T> | undefined = undefined
  /** The first entry that is young, as are all behind it. */
  private firstYoung: Entry<T> | undefined = undefined
  private isAging = false
  private length = 0
  /** The length at which the next sweep is due. */
  private limit = SWEEP

  /** Lists `owner`, at the end. */
  add(owner: T): Entry<T> {
    const entry = new Entry(owner)
    entry.previous = this.last
    if (this.last === undefined) this.first = entry
    else this.last.next = entry
    this.last = entry
    this.firstYoung ??= entry
    this.length++
    if (!this.isAging) {
      this.isAging = true
      setImmediate(age, this)
    }
    return entry
  }

  /** Strikes out an entry, once. */
  remove(entry: Entry<T>): void {
    const { previous, next } = entry
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    if (this.firstYoung === entry) this.firstYoung = next
    entry.previous = undefined
    entry.next = undefined
    entry.young = undefined
    entry.old = undefined
    this.length--
  }

  /** Gives the owners that live, oldest first. */
  list(): T[] {
    const owners: T[] = []
    for (let entry = this.first; entry !== undefined; entry = entry.next) {
      const { owner } = entry
      if (owner !== undefined) owners.push(owner)
    }
    return owners
  }

  /** Holds all entries weakly from now on. */
  age(): void {
    this.isAging = false
    for (let entry = this.firstYoung; entry !== undefined; entry = entry.next) {
      if (entry.young !== undefined) entry.old = new WeakRef(entry.young)
      entry.young = undefined
    }
    this.firstYoung = undefined
    if (this.length >= this.limit) this.sweep()
  }

  /** Strikes out the entries whose owners were collected. */
  private sweep(): void {
    let entry = this.first
    while (entry !== undefined) {
      const { next }: Entry<T> = entry
      if (entry.owner === undefined) this.remove(entry)
      entry = next
    }
    this.limit = Math.max(SWEEP, 2 * this.length)
  }
}

function age(roll: { age(): void }): void {
  roll.age()
}
