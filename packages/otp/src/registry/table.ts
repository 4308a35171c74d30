/** The entries of a registry go with their processes: at once when a process ends, as its name does. */

import type { Registrable } from '@holster/process'
import { watch } from '@holster/process/internal'
import { KeyedMap } from '../keyed-map.js'
import { AlreadyRegistered } from './already-registered.js'

/** The registration of a process under a key. */
export interface Registration<Key, Value> {
  readonly pid: Registrable
  value: Value
  readonly row: Row<Key, Value>
}

/** The registrations under one key, in the order in which they were made. */
interface Row<Key, Value> {
  readonly key: Key
  readonly registrations: Set<Registration<Key, Value>>
}

/** The registrations of one process. */
interface Holder<Key, Value> {
  readonly pid: Registrable
  readonly registrations: Set<Registration<Key, Value>>
  /** Ends the watch for the end of the process. */
  readonly stop: () => void
}

/** Hears what is registered, and what is registered no more. Never throws. */
export interface Listener<Key, Value> {
  registered(key: Key, pid: Registrable, value: Value): void
  unregistered(key: Key, pid: Registrable): void
}

/** Shares the entries of this node with others: is asked before they change, and told once they have. */
export interface Sharer<Key, Value> {
  /** Throws a TypeError unless `pid` may be given entries here, or may have them changed. */
  checkPid(pid: Registrable): void
  /** Throws a TypeError unless the others can be told of `key`. */
  checkKey(key: Key): void
  /** Throws a TypeError unless the others can be told of `value`. */
  checkValue(value: Value): void
  added(registration: Registration<Key, Value>): void
  updated(registration: Registration<Key, Value>): void
  removed(registrations: readonly Registration<Key, Value>[]): void
  /** Is told behind the listener that `key` may have become free. */
  freed(key: Key): void
}

/** The data of one registry. */
export class Table<Key, Value> {
  readonly isUnique: boolean
  readonly #listener: Listener<Key, Value>
  readonly #sharer: Sharer<Key, Value> | undefined
  readonly #rows = new KeyedMap<Key, Row<Key, Value>>()
  readonly #holders = new Map<Registrable, Holder<Key, Value>>()
  #count = 0

  constructor(isUnique: boolean, listener: Listener<Key, Value>, sharer?: Sharer<Key, Value>) {
    this.isUnique = isUnique
    this.#listener = listener
    this.#sharer = sharer
  }

  /** The number of entries. */
  get count(): number {
    return this.#count
  }

  add(key: Key, pid: Registrable, value: Value): void {
    // First, since this throws for a key that holds itself.
    const [other] = this.under(key)
    this.#sharer?.checkPid(pid)
    this.#sharer?.checkKey(key)
    this.#sharer?.checkValue(value)
    if (this.isUnique && other !== undefined) throw new AlreadyRegistered(key, other.pid)
    const registration = this.#enter(this.#holderOf(pid), key, value)
    this.#sharer?.added(registration)
    this.#listener.registered(registration.row.key, pid, value)
  }

  /** Removes the entries of `pid` under `key` whose value passes `test`, and says whether there was one. */
  remove(key: Key, pid: Registrable, test: (value: unknown) => boolean): boolean {
    this.#sharer?.checkPid(pid)
    const removed = this.of(key, pid).filter(({ value }) => test(value))
    const [first] = removed
    if (first === undefined) return false
    for (const registration of removed) this.strike(registration)
    this.#sharer?.removed(removed)
    if (this.of(key, pid).length > 0) return true
    this.#listener.unregistered(first.row.key, pid)
    this.#sharer?.freed(first.row.key)
    return true
  }

  /**
   * Puts what `update` makes of the value of `pid` under `key` in its place, and gives both, the old one last; `undefined` if `pid` has no
   * such entry.
   */
  update(key: Key, pid: Registrable, update: (value: Value) => Value): [Value, Value] | undefined {
    this.#sharer?.checkPid(pid)
    const [found] = this.of(key, pid)
    if (found === undefined) return undefined
    const old = found.value
    const value = update(old)
    this.#sharer?.checkValue(value)
    found.value = value
    this.#sharer?.updated(found)
    return [value, old]
  }

  /** Enters a process of another node, whose end its own registry tells. Nobody is told of that here. */
  enter(key: Key, pid: Registrable, value: Value): Registration<Key, Value> {
    return this.#enter(this.#holderOf(pid, true), key, value)
  }

  /** Strikes out an entry, and says whether that was the last one of its process under the key. Nobody is told of that here. */
  strike(registration: Registration<Key, Value>): boolean {
    const { pid, row } = registration
    if (!row.registrations.delete(registration)) return false
    this.#count--
    if (row.registrations.size === 0) this.#rows.delete(row.key)
    const holder = this.#holders.get(pid)
    holder?.registrations.delete(registration)
    if (holder?.registrations.size === 0) {
      holder.stop()
      this.#holders.delete(pid)
    }
    return this.of(row.key, pid).length === 0
  }

  /** Gives the entries under `key`, the oldest first. */
  under(key: Key): Iterable<Registration<Key, Value>> {
    return this.#rows.get(key)?.registrations ?? []
  }

  /** Gives the entries of `pid`, the oldest first. */
  held(pid: Registrable): Iterable<Registration<Key, Value>> {
    return this.#holders.get(pid)?.registrations ?? []
  }

  /** Gives the entries of `pid` under `key`, the oldest first. */
  of(key: Key, pid: Registrable): Registration<Key, Value>[] {
    const row = this.#rows.get(key)?.registrations
    const held = this.#holders.get(pid)?.registrations
    if (row === undefined || held === undefined) return []
    return row.size < held.size
      ? [...row].filter(registration => held.has(registration))
      : [...held].filter(registration => row.has(registration))
  }

  /** Gives all entries, key by key. */
  *all(): Generator<Registration<Key, Value>> {
    for (const { registrations } of this.#rows.values()) yield* registrations
  }

  /** Forgets everything. */
  clear(): void {
    for (const { stop } of this.#holders.values()) stop()
    this.#holders.clear()
    this.#rows.clear()
    this.#count = 0
  }

  #enter(holder: Holder<Key, Value>, key: Key, value: Value): Registration<Key, Value> {
    const row = this.#rows.getOrMake(key, kept => ({ key: kept, registrations: new Set() }))
    const registration: Registration<Key, Value> = { pid: holder.pid, value, row }
    row.registrations.add(registration)
    holder.registrations.add(registration)
    this.#count++
    return registration
  }

  #holderOf(pid: Registrable, isRemote = false): Holder<Key, Value> {
    const known = this.#holders.get(pid)
    if (known !== undefined) return known
    const stop = isRemote ? ignore : watch(pid, () => this.#forget(pid), 'pid', 'name')
    if (stop === undefined) throw new Error(`pid has exited: ${String(pid)}`)
    const holder: Holder<Key, Value> = { pid, registrations: new Set(), stop }
    this.#holders.set(pid, holder)
    return holder
  }

  #forget(pid: Registrable): void {
    const registrations = [...this.held(pid)]
    this.#holders.delete(pid)
    for (const registration of registrations) this.strike(registration)
    this.#sharer?.removed(registrations)
    for (const { key } of new Set(registrations.map(({ row }) => row))) {
      this.#listener.unregistered(key, pid)
      this.#sharer?.freed(key)
    }
  }
}

function ignore(): void {}
