/** The head of a grid, and its rows. */

import type { ComponentChildren } from 'preact'
import { Icon } from './icon.tsx'

/** One column of a grid. */
export interface Column<Row> {
  /** The field by which the column is sorted, if it can be. */
  readonly field: string
  readonly title: string
  /** As CSS has it for the columns of a grid, in rem: `6rem`, `minmax(8rem, 2fr)`. */
  readonly width: string
  readonly isNumber?: boolean
  /** Whether more is better known first, as with sizes. */
  readonly isDescendingFirst?: boolean
  readonly cell: (row: Row) => ComponentChildren
}

interface GridHeadProps<Row> {
  readonly columns: readonly Column<Row>[]
  readonly order?: { readonly field: string; readonly descending: boolean } | undefined
  readonly onOrder?: ((field: string, descending: boolean) => void) | undefined
}

export function GridHead<Row>({ columns, order, onOrder }: GridHeadProps<Row>) {
  return (
    <div class="grid-head" role="rowgroup">
      <div class="grid-row" role="row" aria-rowindex={1}>
        {columns.map(({ field, title, isNumber, isDescendingFirst = false }) => {
          const isSorted = order?.field === field
          const sorted = order?.descending === true ? 'descending' : 'ascending'
          return (
            <div
              key={field}
              class={isNumber === true ? 'cell number' : 'cell'}
              role="columnheader"
              aria-sort={isSorted ? sorted : undefined}
            >
              {onOrder === undefined ? (
                title
              ) : (
                <button
                  type="button"
                  onClick={() => onOrder(field, isSorted ? order?.descending !== true : isDescendingFirst)}
                >
                  {title}
                  {isSorted && <Icon name={order?.descending === true ? 'down' : 'up'} />}
                </button>
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface GridRowProps<Row> {
  readonly id: string
  readonly index: number
  readonly top: number
  readonly row: Row | undefined
  readonly columns: readonly Column<Row>[]
  readonly href: string | undefined
  readonly isActive: boolean
  readonly onActive: () => void
}

export function GridRow<Row>({ id, index, top, row, columns, href, isActive, onActive }: GridRowProps<Row>) {
  return (
    <div
      id={id}
      class={`grid-row${isActive ? ' active' : ''}${href === undefined ? '' : ' leads'}`}
      role="row"
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)` }}
      onMouseDown={event => {
        // The keys go on from here, and the grid keeps the focus.
        if (event.button === 0) onActive()
      }}
      onClick={event => {
        const isLink = event.target instanceof Element && event.target.closest('a') !== null
        const isSelecting = getSelection()?.isCollapsed === false
        if (href !== undefined && !isLink && !isSelecting) location.hash = href
      }}
    >
      {columns.map(({ field, isNumber, cell }) => (
        <div key={field} class={isNumber === true ? 'cell number' : 'cell'} role="gridcell">
          {row === undefined ? <span class="coming" /> : cell(row)}
        </div>
      ))}
    </div>
  )
}
