/** A table that the program sorts and filters, and of which only the rows that are seen are asked for. */

import { useEffect, useRef, useState } from 'preact/hooks'
import type { Range, Table as TablePart } from '../src/words.ts'
import { Button } from './button.tsx'
import { type Column, Grid } from './grid.tsx'
import { NodeChoice } from './node-choice.tsx'
import { useKept } from './route.ts'
import { ViewNotice } from './status.tsx'
import { count } from './units.ts'
import { useView } from './use-connection.ts'

/** The time between two requests for rows while the table is scrolled, in milliseconds. */
const STEP = 80
/** How many rows are asked for beyond those in the page, on either side. */
const AHEAD = 10

interface Kept {
  readonly filter: string
  readonly node: string
  readonly order: string
  readonly descending: boolean
  readonly offset: number
}

interface Rows {
  processes: TablePart<never>
  connections: TablePart<never>
}

interface TableProps<Row> {
  readonly view: keyof Rows
  readonly nodes: readonly string[]
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly order: string
  readonly descending: boolean
  readonly keyOf: (row: Row) => string
  readonly hrefOf: (row: Row) => string
  readonly empty: string
}

export function Table<Row>({
  view,
  nodes,
  label,
  columns,
  order,
  descending,
  keyOf,
  hrefOf,
  empty,
}: TableProps<Row>) {
  const [kept, keep, keepSoon] = useKept<Kept>('table', {
    filter: '',
    node: '',
    order,
    descending,
    offset: 0,
  })
  const [asked, setAsked] = useState({ offset: Math.max(0, kept.offset - AHEAD), limit: 60 })
  const [isHeld, setHeld] = useState(false)
  const latest = useRef(kept)
  latest.current = kept
  const range: Range = {
    ...(kept.node === '' ? {} : { node: kept.node }),
    filter: kept.filter,
    order: kept.order,
    descending: kept.descending,
    ...asked,
  }
  const seen = useView(view, range)
  const part = seen.value as TablePart<Row> | undefined
  const held = useRef(part)
  // What is held still scrolls.
  if (!isHeld || part?.offset !== held.current?.offset) held.current = part
  const shown = held.current
  const ask = useThrottled(STEP, (offset: number, limit: number) => {
    const from = Math.max(0, offset - AHEAD)
    setAsked({ offset: from, limit: offset - from + limit + AHEAD })
    keepSoon({ ...latest.current, offset })
  })
  return (
    <div class="table">
      <ViewNotice {...seen} />
      <div class="tools">
        <input
          type="search"
          aria-label={`Filter ${label.toLowerCase()}`}
          placeholder="Filter"
          value={kept.filter}
          onInput={event => keep({ ...kept, filter: event.currentTarget.value, offset: 0 })}
        />
        <NodeChoice nodes={nodes} node={kept.node} onChoose={node => keep({ ...kept, node, offset: 0 })} />
        <Button isPressed={isHeld} onClick={() => setHeld(!isHeld)}>
          Hold
        </Button>
        <span class="tools-end quiet" aria-live="polite">
          {shown !== undefined && wordsOf(shown)}
        </span>
      </div>
      {shown?.note !== undefined && <p class="notice">{shown.note}</p>}
      <Grid
        label={label}
        columns={columns}
        total={shown?.matching ?? 0}
        rowAt={index => shown?.rows[index - shown.offset]}
        keyOf={keyOf}
        hrefOf={hrefOf}
        order={{ field: kept.order, descending: kept.descending }}
        onOrder={(field, descending) => keep({ ...kept, order: field, descending })}
        onWindow={ask}
        firstOffset={kept.offset}
        beginsWith={`${kept.node} ${kept.order} ${kept.descending} ${kept.filter}`}
        empty={shown === undefined ? 'Looking…' : kept.filter === '' ? empty : 'Nothing contains the filter.'}
      />
    </div>
  )
}

function wordsOf({ matching, total }: TablePart<unknown>): string {
  return matching === total ? count(total) : `${count(matching)} of ${count(total)}`
}

/** Gives a function that calls another at once, and then at most once in a time, with what it was called with last. */
function useThrottled<Args extends unknown[]>(
  ms: number,
  call: (...args: Args) => void,
): (...args: Args) => void {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const waiting = useRef<Args | undefined>(undefined)
  const target = useRef(call)
  target.current = call
  useEffect(() => () => clearTimeout(timer.current), [])
  const pass = () => {
    const args = waiting.current
    waiting.current = undefined
    timer.current = undefined
    if (args === undefined) return
    target.current(...args)
    timer.current = setTimeout(pass, ms)
  }
  return (...args) => {
    waiting.current = args
    if (timer.current === undefined) pass()
  }
}
