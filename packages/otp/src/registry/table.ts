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
  readonly registrations: Set<Registration<Key, Value>>
  /** Ends the watch for the end of the process. */
  readonly stop: () => void
}

/** Hears what is registered, and what is registered no more. Never throws. */
export interface Listener<Key, Value> {
  registered(key: Key, pid: Registrable, value: Value): void
  unregistered(key: Key, pid: Registrable): void
}

/** The data of one registry. */
export class Table<Key, Value> {
  readonly isUnique: boolean
  readonly #listener: Listener<Key, Value>
  readonly #rows = new KeyedMap<Key, Row<Key, Value>>()
  readonly #holders = new Map<Registrable, Holder<Key, Value>>()
  #count = 0

  constructor(isUnique: boolean, listener: Listener<Key, Value>) {
    this.isUnique = isUnique
    this.#listener = listener
  }

  /** The number of entries. */
  get count(): number {
    return this.#count
  }

  add(key: Key, pid: Registrable, value: Value): void {
    const [other] = this.under(key)
    if (this.isUnique && other !== undefined) throw new AlreadyRegistered(key, other.pid)
    const holder = this.#holderOf(pid)
    const row = this.#rows.getOrMake(key, kept => ({ key: kept, registrations: new Set() }))
    const registration: Registration<Key, Value> = { pid, value, row }
    row.registrations.add(registration)
    holder.registrations.add(registration)
    this.#count++
    this.#listener.registered(row.key, pid, value)
  }

  /** Removes the entries of `pid` under `key` whose value passes `test`, and says whether there was one. */
  remove(key: Key, pid: Registrable, test: (value: unknown) => boolean): boolean {
    const removed = this.of(key, pid).filter(({ value }) => test(value))
    for (const registration of removed) this.#delete(registration)
    const holder = this.#holders.get(pid)
    if (holder?.registrations.size === 0) {
      holder.stop()
      this.#holders.delete(pid)
    }
    const [first] = removed
    if (first === undefined) return false
    if (this.of(key, pid).length > 0) return true
    this.#listener.unregistered(first.row.key, pid)
    return true
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

  #holderOf(pid: Registrable): Holder<Key, Value> {
    const known = this.#holders.get(pid)
    if (known !== undefined) return known
    const stop = watch(pid, () => this.#forget(pid), 'pid', 'name')
    if (stop === undefined) throw new Error(`pid has exited: ${String(pid)}`)
    const holder: Holder<Key, Value> = { registrations: new Set(), stop }
    this.#holders.set(pid, holder)
    return holder
  }

  #forget(pid: Registrable): void {
    const holder = this.#holders.get(pid)
    if (holder === undefined) return
    this.#holders.delete(pid)
    const rows = new Set<Row<Key, Value>>()
    for (const registration of holder.registrations) {
      this.#delete(registration)
      rows.add(registration.row)
    }
    for (const { key } of rows) this.#listener.unregistered(key, pid)
  }

  #delete(registration: Registration<Key, Value>): void {
    const { pid, row } = registration
    if (!row.registrations.delete(registration)) return
    this.#count--
    this.#holders.get(pid)?.registrations.delete(registration)
    if (row.registrations.size === 0) this.#rows.delete(row.key)
  }
}
