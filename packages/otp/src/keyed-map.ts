/** Keys that are arrays or plain objects are equal if their parts are, as terms are in Erlang; all others are so as keys of a `Map`. */

import { isPlain } from '@holster/process/internal'

/** The deepest level of arrays and plain objects in a key: one that holds itself has no end. */
const DEEPEST = 100

/** Begins the text of a structure, and of a string that could be taken for one. */
const MARK = '\0'

/** The numbers of objects, functions and symbols that are parts of keys. */
const numbers = new WeakMap<WeakKey, number>()

let last = 0

function numberOf(value: WeakKey): number {
  let number = numbers.get(value)
  if (number === undefined) {
    number = ++last
    numbers.set(value, number)
  }
  return number
}

/** Whether a key is compared part by part. */
function isStructure(value: unknown): value is object {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value))
}

function describe(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `${value}n`
    case 'symbol': {
      const shared = Symbol.keyFor(value)
      return shared === undefined ? `#${numberOf(value)}` : `@${JSON.stringify(shared)}`
    }
    case 'function':
      return `#${numberOf(value)}`
    case 'object':
      if (value === null) return 'null'
      return isStructure(value) ? describeStructure(value, depth) : `#${numberOf(value)}`
    default:
      return String(value)
  }
}

function describeStructure(value: object, depth: number): string {
  if (depth === DEEPEST) throw new TypeError(`key must not be deeper than ${DEEPEST} levels`)
  if (Array.isArray(value)) return `[${Array.from(value, part => describe(part, depth + 1)).join()}]`
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, part]) => `${JSON.stringify(name)}:${describe(part, depth + 1)}`).join()}}`
}

/** Gives the value by which a `Map` finds the key. */
function identify(key: unknown): unknown {
  if (typeof key === 'string') return key.startsWith(MARK) ? MARK + JSON.stringify(key) : key
  return isStructure(key) ? MARK + describeStructure(key, 0) : key
}

/** Gives a key that no later change of the caller's array or object reaches. */
function keep<T>(key: T): T {
  if (!isStructure(key)) return key
  const parts: unknown = Array.isArray(key)
    ? Array.from(key, keep)
    : Object.fromEntries(Object.entries(key).map(([name, part]) => [name, keep(part)]))
  return Object.freeze(parts) as T
}

/** A map whose keys may be arrays and plain objects. Finding one costs as much as the key is large. */
export class KeyedMap<K, V> {
  readonly #entries = new Map<unknown, { readonly key: K; readonly value: V }>()

  /** Gives the value under `key`. Throws a TypeError if the key holds itself. */
  get(key: K): V | undefined {
    return this.#entries.get(identify(key))?.value
  }

  /** Gives the value under `key`, which `make` makes if there is none yet: from a copy of the key, if that has parts. */
  getOrMake(key: K, make: (key: K) => V): V {
    const identity = identify(key)
    const found = this.#entries.get(identity)
    if (found !== undefined) return found.value
    const kept = keep(key)
    const value = make(kept)
    this.#entries.set(identity, { key: kept, value })
    return value
  }

  delete(key: K): boolean {
    return this.#entries.delete(identify(key))
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Gives the values in the order in which their keys were added. */
  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value
  }
}
