/** The view that lives: takes what the observer shows and what the user presses, and says what the screen shows. */

import type { Hello, Nodes, Overview, Shown, Subject, Table, Told } from '../words.js'
import { TABLES, type TableName } from './arguments.js'
import type { Rows } from './columns.js'
import { Head } from './header.js'
import type { Line } from './line.js'
import { piece } from './line.js'
import { PageView } from './page-view.js'
import { TableView } from './table-view.js'
import { harmless } from './text.js'

/** The link, as the view uses it. */
export interface Watching {
  watch(id: number, view: TableView['view']): void
  unwatch(id: number): void
}

/** The least room that shows anything of use. */
const LEAST = { width: 40, height: 10 }
/** Lines of the head, of the tabs and of the foot. */
const HEAD = 4
const FRAME = HEAD + 2
const OVERVIEW = 1

export class App {
  readonly #link: Watching
  readonly #quit: () => void
  readonly #head = new Head()
  readonly #tables: { readonly [Name in TableName]: TableView } = {
    processes: new TableView('processes'),
    connections: new TableView('connections'),
    nodes: new TableView('nodes'),
  }
  #table: TableView
  readonly #pages: PageView[] = []
  #hello: Hello | undefined
  /** How many milliseconds the program's clock is ahead of this one. */
  #skew = 0
  #lost: string | undefined
  /** The number of the view below the head; each that is opened has another, so that nothing late is taken for it. */
  #id = OVERVIEW
  /** The view as it was asked for last. */
  #asked = ''
  #isFiltering = false
  #problem: string | undefined

  constructor(link: Watching, first: TableName, quit: () => void) {
    this.#link = link
    this.#quit = quit
    this.#table = this.#tables[first]
    link.watch(OVERVIEW, { name: 'overview' })
    this.#open()
  }

  get #page(): PageView | undefined {
    return this.#pages.at(-1)
  }

  onHello(hello: Hello): void {
    // The samples of a program that was started anew begin anew.
    if (hello.since !== this.#hello?.since) this.#head.forget()
    this.#hello = hello
    this.#skew = hello.now - Date.now()
    this.#lost = undefined
  }

  onLost(why: string): void {
    this.#lost = why
  }

  onTold(told: Exclude<Told, Hello>): void {
    if (told.type === 'failed' && told.id === this.#id) this.#fail(told.text)
    if (told.type !== 'shown') return
    if (told.id === OVERVIEW) this.#head.take((told as Shown<'overview'>).value as Overview)
    else if (told.id === this.#id) this.#show(told.value)
  }

  #show(value: Shown['value']): void {
    this.#problem = undefined
    const page = this.#page
    if (page !== undefined) page.take(value as Parameters<PageView['take']>[0])
    else this.#table.take(value as Table<Rows[TableName]> | Nodes)
  }

  #fail(text: string): void {
    const page = this.#page
    if (page === undefined) this.#problem = text
    else page.problem = text
  }

  /** Takes a key. */
  press(key: string): void {
    if (key === 'ctrl-c' || key === 'ctrl-d') return this.#quit()
    if (this.#isFiltering) return this.#edit(key)
    if (key === 'q') return this.#quit()
    if (key === 'escape' || key === 'backspace' || key === 'left') return this.#back(key)
    if (key === 'enter' || key === 'right') return this.#enter((this.#page ?? this.#table).target)
    const tab = tabOf(key, this.#table.name)
    if (tab !== undefined) return this.#choose(tab)
    if (this.#page !== undefined) return void this.#page.press(key)
    if (key === '/') this.#isFiltering = true
    else this.#table.press(key)
    this.#renew()
  }

  #choose(name: TableName): void {
    this.#pages.length = 0
    this.#table = this.#tables[name]
    this.#open()
  }

  #enter(target: Subject | undefined): void {
    if (target === undefined) return
    this.#pages.push(new PageView(target))
    this.#open()
  }

  #back(key: string): void {
    if (this.#pages.pop() !== undefined) return this.#open()
    if (key === 'escape' && this.#table.filter !== '') this.#filter('')
  }

  #edit(key: string): void {
    const { filter } = this.#table
    if (key === 'enter') this.#isFiltering = false
    else if (key === 'escape') {
      this.#isFiltering = false
      this.#filter('')
    } else if (key === 'backspace') this.#filter([...filter].slice(0, -1).join(''))
    else if (key === 'ctrl-u') this.#filter('')
    else if ([...key].length === 1 && harmless(key) === key) this.#filter(filter + key)
    else if (this.#table.press(key)) this.#renew()
  }

  #filter(text: string): void {
    this.#table.setFilter(text)
    this.#renew()
  }

  /** Watches what is below the head now, in place of what was there. */
  #open(): void {
    if (this.#id !== OVERVIEW) this.#link.unwatch(this.#id)
    this.#id++
    this.#asked = ''
    this.#problem = undefined
    this.#renew()
  }

  /** Asks for other rows, if others are wanted. */
  #renew(): void {
    const { view } = this.#page ?? this.#table
    const asked = JSON.stringify(view)
    if (asked === this.#asked) return
    this.#asked = asked
    this.#link.watch(this.#id, view)
  }

  /** The lines of the screen. */
  lines(width: number, height: number): readonly Line[] {
    if (width < LEAST.width || height < LEAST.height) {
      return [[piece(`too small: needs ${LEAST.width}×${LEAST.height}`, 'bold')], [piece('q quits')]]
    }
    const now = Date.now() + this.#skew
    const body = (this.#page ?? this.#table).lines(width, height - FRAME, now)
    // A larger screen wants more rows.
    this.#renew()
    const blanks = Array.from({ length: Math.max(0, height - FRAME - body.length) }, () => [])
    return [
      ...this.#head.lines(this.#hello, this.#lost, width, now),
      this.#tabs(),
      ...body,
      ...blanks,
      this.#foot(),
    ]
  }

  #tabs(): Line {
    const tabs = TABLES.map((name, index) => {
      const isChosen = this.#page === undefined && name === this.#table.name
      return piece(` ${index + 1} ${name[0]?.toUpperCase()}${name.slice(1)} `, isChosen ? 'inverse' : 'plain')
    })
    if (this.#page !== undefined) return tabs
    const { filter, counts } = this.#table
    const text = this.#isFiltering ? `  /${filter}▏` : filter === '' ? '' : `  /${filter}`
    return [
      ...tabs,
      piece(text, 'accent'),
      piece(`  ${counts}`),
      piece(this.#problem === undefined ? '' : `  ${this.#problem}`, 'warning'),
    ]
  }

  #foot(): Line {
    if (this.#isFiltering) return [piece('type a text · Enter keeps it · Esc drops it', 'dim')]
    if (this.#page !== undefined)
      return [piece('q quit · Esc back · ↑↓ move · Enter opens what is marked', 'dim')]
    const { sortKeys } = this.#table
    const sort = sortKeys.flatMap(([key, title]) => [piece(' '), ...withKey(title.toLowerCase(), key)])
    const order = sortKeys.length === 0 ? [] : [piece(' · sort', 'dim'), ...sort, piece(' < > r', 'dim')]
    return [piece('q quit · Tab · / filter · Enter opens', 'dim'), ...order]
  }
}

/** Shows a title with the letter that is its key. */
function withKey(title: string, key: string): Line {
  const at = title.indexOf(key)
  return [piece(title.slice(0, at)), piece(key, 'key'), piece(title.slice(at + 1))]
}

/** Gives the table that a key chooses. */
function tabOf(key: string, present: TableName): TableName | undefined {
  const at = TABLES.indexOf(present)
  if (key === 'tab') return TABLES[(at + 1) % TABLES.length]
  if (key === 'back-tab') return TABLES[(at + TABLES.length - 1) % TABLES.length]
  return TABLES[Number(key) - 1]
}
