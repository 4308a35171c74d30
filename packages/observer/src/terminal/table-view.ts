/** One table with what the user has chosen of it: the order, the filter, the marked row, and the rows that are seen. */

import type { NodeRow, Nodes, Range, Subject, Table, View } from '../words.js'
import type { TableName } from './arguments.js'
import { COLUMNS, type Column, FIRST_ORDER, lookOf, type Rows } from './columns.js'
import { moved, scrolled } from './cursor.js'
import { type Line, piece } from './line.js'
import { place, rowLine, titles } from './table.js'

type Row = Rows[TableName]

/** Rows beyond those that are seen, so that scrolling shows something at once. */
const MARGIN = 20

export class TableView {
  readonly name: TableName
  filter = ''
  #order: string
  #descending: boolean
  #marked = 0
  #first = 0
  #size = 10
  #rows: readonly Row[] = []
  #offset = 0
  #total = 0
  #matching = 0
  #note: string | undefined
  #hasNodes = false

  constructor(name: TableName) {
    this.name = name
    this.#order = FIRST_ORDER[name]
    this.#descending = this.#columns.find(({ order }) => order === this.#order)?.isDescending ?? false
  }

  get #columns(): readonly Column<Row>[] {
    const columns = COLUMNS[this.name] as readonly Column<Row>[]
    if (!this.#hasNodes || this.name === 'nodes') return columns
    const node = {
      order: undefined,
      title: 'NODE',
      key: '',
      width: 12,
      luxury: 6,
      textOf: ({ node }: Row) => node,
    }
    return [...columns.slice(0, 1), node, ...columns.slice(1)]
  }

  /** The keys that sort, with the columns that they sort by. */
  get sortKeys(): readonly (readonly [key: string, title: string])[] {
    return COLUMNS[this.name].filter(({ order }) => order !== undefined).map(({ key, title }) => [key, title])
  }

  /** How many rows there are, and how many match. */
  get counts(): string {
    const of = this.filter === '' ? '' : ` of ${this.#total}`
    return `${this.#matching}${of}${this.#note === undefined ? '' : ` (${this.#note})`}`
  }

  /** What is to be watched. */
  get view(): View {
    if (this.name === 'nodes') return { name: 'nodes' }
    const offset = Math.max(0, this.#first - MARGIN)
    const limit = Math.min(1000, this.#size + 2 * MARGIN)
    const range: Range = {
      filter: this.filter,
      order: this.#order,
      descending: this.#descending,
      offset,
      limit,
    }
    return { name: this.name, ...range }
  }

  /** The marked row as something to open. */
  get target(): Subject | undefined {
    const row = this.#rows[this.#marked - this.#offset]
    if (row === undefined || !('id' in row)) return undefined
    return { kind: 'isOverMark' in row ? 'process' : 'connection', node: row.node, id: row.id }
  }

  /** Takes what the observer shows. */
  take(value: Table<Row> | Nodes): void {
    if ('nodes' in value) {
      this.#rows = value.nodes.filter(row => matches(row, this.filter))
      this.#offset = 0
      this.#total = value.nodes.length
      this.#matching = this.#rows.length
    } else {
      this.#rows = value.rows
      this.#offset = value.offset
      this.#total = value.total
      this.#matching = value.matching
      this.#note = value.note
    }
    this.#hasNodes = new Set(this.#rows.map(({ node }) => node)).size > 1
    this.#move(this.#marked)
  }

  /** Gives a key to the table. Says whether it meant anything there. */
  press(key: string): boolean {
    const to = moved(this.#marked, key, this.#size, this.#matching)
    if (to !== undefined) {
      this.#move(to)
      return true
    }
    const sortable = this.#columns.filter(({ order }) => order !== undefined)
    const at = sortable.findIndex(({ order }) => order === this.#order)
    if (key === '<' && at > 0) return this.#sortBy(sortable[at - 1])
    if (key === '>') return this.#sortBy(sortable[at + 1])
    if (key === 'r' && at !== -1) {
      this.#descending = !this.#descending
      return true
    }
    return this.#sortBy(sortable.find(column => column.key === key))
  }

  /** Shows only what contains a text. */
  setFilter(filter: string): void {
    this.filter = filter
    this.#marked = 0
    this.#first = 0
  }

  /** The lines of the table, for so many rows of the screen. */
  lines(width: number, height: number, now: number): readonly Line[] {
    this.#size = Math.max(1, height - 1)
    this.#move(this.#marked)
    const placed = place(this.#columns, width)
    const lines = [titles(placed, this.#order, this.#descending, width)]
    for (let at = this.#first; at < Math.min(this.#matching, this.#first + this.#size); at++) {
      const row = this.#rows[at - this.#offset]
      const look = at === this.#marked ? 'inverse' : row === undefined ? 'dim' : lookOf(row)
      lines.push(row === undefined ? [piece('…', look)] : rowLine(placed, row, now, look, width))
    }
    if (this.#matching === 0)
      lines.push([piece(this.filter === '' ? 'none' : `nothing contains ${this.filter}`, 'dim')])
    return lines
  }

  #sortBy(column: Column<Row> | undefined): boolean {
    if (column?.order === undefined) return false
    if (column.order === this.#order) this.#descending = !this.#descending
    else this.#descending = column.isDescending ?? false
    this.#order = column.order
    return true
  }

  #move(to: number): void {
    this.#marked = Math.max(0, Math.min(to, this.#matching - 1))
    this.#first = scrolled(this.#first, this.#marked, this.#size, this.#matching)
  }
}

function matches({ node, problem }: NodeRow, filter: string): boolean {
  return `${node} ${problem ?? ''}`.toLowerCase().includes(filter.toLowerCase())
}
