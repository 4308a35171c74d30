/** A grid of any number of rows, of which only those that are seen are in the page. */

import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { type Column, GridHead, GridRow } from './grid-row.tsx'
import { type RowWindow, useWindow } from './use-window.ts'

export type { Column } from './grid-row.tsx'

/** Gives some of the columns, with widths of their own. */
export function narrowed<Row>(
  columns: readonly Column<Row>[],
  widths: Readonly<Record<string, string>>,
): readonly Column<Row>[] {
  return columns.flatMap(column => {
    const width = widths[column.field]
    return width === undefined ? [] : [{ ...column, width }]
  })
}

interface GridProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly total: number
  /** Gives a row, or `undefined` while it has not come yet. */
  readonly rowAt: (index: number) => Row | undefined
  readonly keyOf: (row: Row) => string
  /** Where a row leads to. */
  readonly hrefOf?: (row: Row) => string | undefined
  readonly order?: { readonly field: string; readonly descending: boolean }
  readonly onOrder?: (field: string, descending: boolean) => void
  /** Is told which rows are seen. */
  readonly onWindow?: (offset: number, limit: number) => void
  /** The row that is on top at first. */
  readonly firstOffset?: number
  /** The grid goes back to its first row when this changes. */
  readonly beginsWith?: string
  /** Is told which row is chosen, by a click or by the keys. */
  readonly onChoose?: (index: number) => void
  /** Whether the last row stays in sight as rows come. */
  readonly sticksToEnd?: boolean
  readonly empty: string
}

export function Grid<Row>(props: GridProps<Row>) {
  const { label, columns, total, rowAt, keyOf, order, onOrder, onWindow, empty } = props
  const id = useId()
  const seen = useWindow(total)
  const { from, to } = seen
  const [active, setActive] = useState(0)
  useScrolling(props, seen, () => setActive(0))
  useEffect(() => onWindow?.(from, to - from), [from, to])

  const choose = (index: number) => {
    setActive(index)
    props.onChoose?.(index)
  }
  const hrefAt = (index: number) => {
    const row = rowAt(index)
    return row === undefined ? undefined : props.hrefOf?.(row)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return
    const next = stepOf(event.key, active, seen.page, total)
    if (next !== undefined) {
      event.preventDefault()
      choose(next)
      seen.reveal(next)
    } else if (event.key === 'Enter') {
      const href = hrefAt(active)
      if (href !== undefined) location.hash = href
    }
  }

  const indices = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at)
  return (
    <div
      class="grid"
      ref={seen.box}
      tabIndex={0}
      role="grid"
      aria-label={label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length}
      aria-activedescendant={active >= from && active < to ? `${id}-${active}` : undefined}
      onKeyDown={onKeyDown}
      onScroll={seen.onScroll}
    >
      <div class="grid-in" style={widthsOf(columns)}>
        <GridHead columns={columns} order={order} onOrder={onOrder} />
        <div class="grid-body" role="rowgroup" style={{ height: `${seen.height}px` }}>
          {indices.map(index => {
            const row = rowAt(index)
            return (
              <GridRow
                key={row === undefined ? index : keyOf(row)}
                id={`${id}-${index}`}
                index={index}
                top={seen.placeOf(index)}
                row={row}
                columns={columns}
                href={hrefAt(index)}
                isActive={index === active}
                onActive={() => choose(index)}
              />
            )
          })}
        </div>
      </div>
      {total === 0 && <p class="grid-empty quiet">{empty}</p>}
    </div>
  )
}

/** Scrolls a grid by itself: to where it was, to its beginning when its rows become others, and to the end as rows come. */
function useScrolling<Row>(props: GridProps<Row>, seen: RowWindow, onBegin: () => void): void {
  const { total, firstOffset = 0, beginsWith, sticksToEnd = false } = props
  const hasRows = total > 0
  useLayoutEffect(() => {
    if (hasRows) seen.showFrom(firstOffset)
  }, [hasRows])

  const began = useRef(beginsWith)
  useLayoutEffect(() => {
    if (began.current === beginsWith) return
    began.current = beginsWith
    seen.showFrom(0)
    onBegin()
  }, [beginsWith])

  useLayoutEffect(() => {
    // Who has scrolled back reads there.
    if (sticksToEnd && seen.isAtEnd()) seen.showFrom(total)
  }, [sticksToEnd, total])
}

/** Gives the row to which a key leads; `undefined`: it leads to none. */
function stepOf(key: string, active: number, page: number, total: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: active + page,
    PageUp: active - page,
    Home: 0,
    End: total - 1,
  }
  const next = steps[key]
  return next === undefined ? undefined : Math.max(0, Math.min(next, total - 1))
}

/** Gives the widths of all columns, and the least that they take together. */
function widthsOf<Row>(columns: readonly Column<Row>[]): Record<string, string> {
  const least = columns.reduce(
    (sum, { width }) => sum + Number.parseFloat(/[\d.]+/.exec(width)?.[0] ?? '0'),
    1,
  )
  return { '--columns': columns.map(({ width }) => width).join(' '), '--least': `${least}rem` }
}
