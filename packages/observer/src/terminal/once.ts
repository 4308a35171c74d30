/** Looks once: prints one table, or the overview as JSON, and is done. */

import type { Hello, Nodes, Overview, Shown, Table, Told } from '../words.js'
import type { Arguments, TableName } from './arguments.js'
import type { Rows } from './columns.js'
import { Head } from './header.js'
import type { Line } from './line.js'
import { Link } from './link.js'
import { TableView } from './table-view.js'

const OVERVIEW = 1
const TABLE = 2
/** The most rows that are printed. */
const ROWS = 950

/** Resolves to the lines to print: those of the head and of the table. Rejects if the observer cannot be looked at. */
export function lookOnce({ url, token, view }: Arguments, width: number): Promise<readonly Line[]> {
  const head = new Head()
  const table = new TableView(view)
  // The size is known to the table once it was drawn.
  table.lines(width, ROWS, Date.now())
  let hello: Hello | undefined
  let hasTable = false
  return looking(url, token, (link, told) => {
    if (told === undefined) {
      link.watch(OVERVIEW, { name: 'overview' })
      link.watch(TABLE, table.view)
    } else if (told.type === 'hello') hello = told
    else if (told.type === 'failed') throw new Error(told.text)
    else if (told.type === 'shown' && told.id === OVERVIEW)
      head.take((told as Shown<'overview'>).value as Overview)
    else if (told.type === 'shown' && told.id === TABLE) {
      table.take(told.value as Table<Rows[TableName]> | Nodes)
      hasTable = true
    }
    if (!hasTable || head.overview === undefined) return undefined
    // The hello has come first, from a program whose clock may be another one.
    const now = hello?.now ?? Date.now()
    return [...head.lines(hello, undefined, width, now), [], ...table.lines(width, ROWS, now)]
  })
}

/** Resolves to the overview as it was told. */
export function overviewOnce({ url, token }: Arguments): Promise<Overview> {
  return looking(url, token, (link, told) => {
    if (told === undefined) link.watch(OVERVIEW, { name: 'overview' })
    else if (told.type === 'failed') throw new Error(told.text)
    else if (told.type === 'shown') return told.value as Overview
    return undefined
  })
}

/** Opens a link and tells of it until `take` gives a result; it is called without a message first. */
async function looking<T>(
  url: URL,
  token: string | undefined,
  take: (link: Link, told: Told | undefined) => T | undefined,
): Promise<T> {
  let link: Link | undefined
  try {
    return await new Promise<T>((resolve, reject) => {
      const hand = (told: Told) => {
        try {
          const result = take(link as Link, told)
          if (result !== undefined) resolve(result)
        } catch (error) {
          reject(error)
        }
      }
      const onLost = (why: string) => reject(new Error(why))
      link = new Link(url, token, { onHello: hand, onTold: hand, onLost, onFailed: reject })
      take(link, undefined)
    })
  } finally {
    link?.stop()
  }
}
