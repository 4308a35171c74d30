/** A table of all nodes merges those of each of them. */

import { compareKeys, type Key } from '../looking/window.js'
import type { PoolRow, Range, Table, View } from '../words.js'
import type { Sight } from './here.js'
import type { Nodes, Outlook } from './outlook.js'

/** The most rows of each node that are fetched to find those of all. */
const MOST = 2000

type MergedView = Extract<View, { readonly name: 'processes' | 'connections' | 'pools' }>
type Row = { readonly [column: string]: Key | { readonly text: string } }

/** Looks at the same view of all nodes, which come and go. */
export class Merged implements Outlook {
  readonly #all: Nodes
  #view: MergedView
  /** Whether there is one node alone, so that no more rows are asked for than are shown. */
  #isAlone: boolean
  readonly #outlooks = new Map<string, Outlook>()

  constructor(all: Nodes, view: MergedView) {
    this.#all = all
    this.#view = view
    this.#isAlone = all.nodes.length === 1
  }

  /** Looks at all nodes that can be looked into. Rejects with the Error of one of them if none can. */
  async see(): Promise<Sight> {
    await this.#follow()
    const seen = await Promise.allSettled(this.#all.nodes.map(node => this.#seeOne(node)))
    const sights = seen.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const failed = seen.find(outcome => outcome.status === 'rejected')
    if (sights.length === 0 && failed !== undefined) throw failed.reason
    const took = sights.reduce((sum, sight) => sum + sight.took, 0)
    return { value: this.#merge(sights.map(({ value }) => value)), took }
  }

  async turn(view: View): Promise<boolean> {
    if (view.name !== this.#view.name) return false
    const next = view as MergedView
    if (next.node !== undefined) return false
    this.#view = next
    await this.#turnAll()
    return true
  }

  close(): void {
    for (const node of this.#outlooks.keys()) this.#forget(node)
  }

  #merge(values: readonly unknown[]): unknown {
    if (this.#view.name !== 'pools') {
      return this.#isAlone ? values[0] : merge(this.#view, values as readonly Table<Row>[])
    }
    return { pools: values.flatMap(value => (value as { readonly pools: readonly PoolRow[] }).pools) }
  }

  /** Lets go of the nodes that have gone, and asks the others for what has to be known of them now. */
  async #follow(): Promise<void> {
    const { nodes } = this.#all
    for (const node of this.#outlooks.keys()) if (!nodes.includes(node)) this.#forget(node)
    if (this.#isAlone === (nodes.length === 1)) return
    this.#isAlone = !this.#isAlone
    await this.#turnAll()
  }

  async #seeOne(node: string): Promise<Sight> {
    try {
      const outlook = this.#outlooks.get(node) ?? (await this.#all.openAt(node, this.#viewAt(node)))
      this.#outlooks.set(node, outlook)
      return await outlook.see()
    } catch (error) {
      // The view is opened anew at the next look.
      this.#forget(node)
      throw error
    }
  }

  async #turnAll(): Promise<void> {
    const turned = [...this.#outlooks].map(async ([node, outlook]) => {
      if (!(await outlook.turn(this.#viewAt(node)).catch(() => false))) this.#forget(node)
    })
    await Promise.all(turned)
  }

  #forget(node: string): void {
    this.#outlooks.get(node)?.close()
    this.#outlooks.delete(node)
  }

  /** Asks one node for all rows that may be among those of all nodes. */
  #viewAt(node: string): MergedView {
    const view = { ...this.#view, node }
    if (view.name === 'pools' || this.#isAlone) return view
    return { ...view, offset: 0, limit: Math.min(MOST, view.offset + view.limit) }
  }
}

function merge({ offset, limit, order, descending }: Range, tables: readonly Table<Row>[]): Table<Row> {
  const rows = tables.flatMap(table => table.rows)
  // By age the rows of each node stay together.
  if (order !== 'id') rows.sort((a, b) => compareKeys(keyOf(a[order]), keyOf(b[order]), descending))
  const sum = (count: (table: Table<Row>) => number) => tables.reduce((all, table) => all + count(table), 0)
  const isCut = tables.some(
    ({ matching, rows: fetched }) => matching > fetched.length && fetched.length >= MOST,
  )
  return {
    total: sum(({ total }) => total),
    matching: isCut ? rows.length : sum(({ matching }) => matching),
    offset,
    rows: rows.slice(offset, offset + limit),
    note: isCut
      ? `Only the first ${MOST} rows of each node can be reached here: choose a node, or filter.`
      : undefined,
  }
}

/** Gives the key of a field; a ref is sorted by its text. */
function keyOf(field: Row[string]): Key {
  return typeof field === 'object' ? field.text : field
}
