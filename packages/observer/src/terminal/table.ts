/** A table as lines: as many of its columns as there is room for, and one row marked. */

import type { Column } from './columns.js'
import { type Line, type Look, piece } from './line.js'
import { fit } from './text.js'

/** A column with the width that it has on this screen. */
export interface Placed<Row> {
  readonly column: Column<Row>
  readonly width: number
}

/** Chooses the columns that fit, and shares what is left among those that want it. */
export function place<Row>(columns: readonly Column<Row>[], width: number): readonly Placed<Row>[] {
  let chosen = columns
  while (chosen.length > 1 && leastOf(chosen) > width) {
    const most = Math.max(...chosen.map(({ luxury = 0 }) => luxury))
    if (most === 0) break
    const last = chosen.findLast(({ luxury = 0 }) => luxury === most)
    chosen = chosen.filter(column => column !== last)
  }
  const left = Math.max(0, width - leastOf(chosen))
  const shares = chosen.reduce((sum, { share = 0 }) => sum + share, 0)
  return chosen.map(column => ({
    column,
    width: column.width + (shares === 0 ? 0 : Math.floor((left * (column.share ?? 0)) / shares)),
  }))
}

function leastOf(columns: readonly Column<never>[]): number {
  return columns.reduce((sum, { width }) => sum + width + 1, -1)
}

/** The titles; the column by which the rows are sorted has an arrow. */
export function titles<Row>(
  placed: readonly Placed<Row>[],
  order: string,
  descending: boolean,
  width: number,
): Line {
  const cells = placed.map(({ column, width }) => {
    const isSorted = column.order !== undefined && column.order === order
    return fit(`${column.title}${isSorted ? (descending ? '↓' : '↑') : ''}`, width, column.align)
  })
  return [piece(fit(cells.join(' '), width), 'inverse')]
}

/** A row. */
export function rowLine<Row>(
  placed: readonly Placed<Row>[],
  row: Row,
  now: number,
  look: Look,
  width: number,
): Line {
  const cells = placed.map(({ column, width }) => fit(column.textOf(row, now), width, column.align))
  return [piece(fit(cells.join(' '), width), look)]
}
