/** A table of very many items is sorted and filtered by keys, and only the rows that are seen are made. */

import type { Range, Table } from '../words.js'
import { keepsNothing } from './looking.js'

/** The value by which rows are sorted. */
export type Key = string | number | boolean | undefined

/** The items of a table. */
export interface Items<T, Row> {
  /** Gives all items, in the order of their beginning. */
  list(): readonly T[]
  /** How to sort by a column without making rows. The column `id` stands for the order of `list`. */
  readonly keys: { readonly [column: string]: (item: T) => Key }
  /** Gives the text in which a filter is looked for. */
  textOf(item: T): string
  rowOf(item: T): Row
}

/** How long in milliseconds an order holds while somebody scrolls, and how many times as long as it took to make. */
const FRESH = 900
const TIMES = 25

interface Order<T> {
  /** Says how the items were filtered and sorted. */
  readonly key: string
  /** Until when it holds, by the clock of `performance.now`. */
  readonly until: number
  readonly total: number
  readonly items: readonly T[]
}

/** The items of a table in the order that was asked for last. */
export class Sorted<T, Row> {
  readonly #items: Items<T, Row>
  #order: Order<T> | undefined

  constructor(items: Items<T, Row>) {
    this.#items = items
  }

  /** Gives the rows of a range. Throws an Error that names the columns if there is none of that name. */
  show(range: Range): Table<Row> {
    const { offset, limit } = range
    const { total, items } = this.#orderOf(range)
    const rows = items.slice(offset, offset + limit).map(item => this.#items.rowOf(item))
    return { total, matching: items.length, offset, rows, note: undefined }
  }

  #orderOf({ filter, order, descending }: Range): { readonly total: number; readonly items: readonly T[] } {
    const key = JSON.stringify([filter, order, descending])
    const now = performance.now()
    if (this.#order?.key === key && now < this.#order.until) return this.#order
    const all = this.#items.list()
    const wanted = filter.toLowerCase()
    const matching =
      wanted === '' ? all : all.filter(item => this.#items.textOf(item).toLowerCase().includes(wanted))
    const sorted = this.#sort(matching, order, descending)
    const took = performance.now() - now
    this.#order = { key, until: now + Math.max(FRESH, TIMES * took), total: all.length, items: sorted }
    return this.#order
  }

  #sort(items: readonly T[], order: string, descending: boolean): readonly T[] {
    if (order === 'id') return descending ? items.toReversed() : items
    const { keys: known } = this.#items
    // Every object has a `constructor`, which is no column.
    const keyOf = Object.hasOwn(known, order) ? known[order] : undefined
    if (keyOf === undefined) {
      throw new Error(`order must be one of id, ${Object.keys(known).join(', ')}, not ${order}`)
    }
    const keys = items.map(keyOf)
    const places = items.map((_, index) => index)
    places.sort((a, b) => compareKeys(keys[a], keys[b], descending) || a - b)
    return places.map(place => items[place] as T)
  }
}

/** Compares two keys. Those that are absent come last in either direction. */
export function compareKeys(a: Key, b: Key, descending: boolean): number {
  if (a === b) return 0
  if (a === undefined || a === '') return b === undefined || b === '' ? 0 : 1
  if (b === undefined || b === '') return -1
  return a < b === descending ? 1 : -1
}

/** Looks at a table, which turns to any other rows of it. */
export function lookAtTable<T, Row>(
  items: Items<T, Row>,
  view: Range,
): { show(): Table<Row>; turn(next: Range): boolean; close(): void } {
  const sorted = new Sorted(items)
  let range = view
  return {
    show: () => sorted.show(range),
    turn(next) {
      range = next
      return true
    },
    close: keepsNothing,
  }
}
