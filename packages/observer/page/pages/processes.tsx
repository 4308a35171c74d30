/** All processes, as a table. */

import type { ProcessRow } from '../../src/words.ts'
import { type Column, narrowed } from '../grid.tsx'
import { useNodes } from '../node-choice.tsx'
import { PageHead } from '../page-head.tsx'
import { keyOf } from '../ref-link.tsx'
import { hrefOfSubject } from '../route.ts'
import { Table } from '../table.tsx'
import { bytes, count, duration, oldestOf, span } from '../units.ts'
import { useHello, useProgramNow } from '../use-connection.ts'
import { useNarrow } from '../use-media.ts'

/** The columns that a telephone has room for. */
const NARROW = { id: '9.8rem', name: 'minmax(4rem, 1fr)', messages: '6rem' }

export function ProcessesPage() {
  const now = useProgramNow()
  const isNarrow = useNarrow()
  const nodes = useNodes()
  const columns = columnsOf(now, useHello()?.since).filter(
    ({ field }) => field !== 'node' || nodes.length > 1,
  )
  return (
    <div class="filling">
      <PageHead title="Processes" />
      <Table
        nodes={nodes}
        view="processes"
        label="Processes"
        columns={isNarrow ? narrowed(columns, NARROW) : columns}
        order="messages"
        descending
        keyOf={keyOf}
        hrefOf={({ node, id }) => hrefOfSubject({ kind: 'process', node, id })}
        empty="There are no processes."
      />
    </div>
  )
}

function columnsOf(now: number, observedSince: number | undefined): readonly Column<ProcessRow>[] {
  return [
    { field: 'id', title: 'Id', width: '9.8rem', cell: row => <ProcessLink row={row} /> },
    { field: 'name', title: 'Name', width: 'minmax(6.5rem, 1.4fr)', cell: row => <ProcessName row={row} /> },
    { field: 'node', title: 'Node', width: 'minmax(6rem, 1fr)', cell: ({ node }) => node },
    {
      field: 'messages',
      title: 'Messages',
      width: '6.2rem',
      isNumber: true,
      isDescendingFirst: true,
      cell: ({ messages, isOverMark }) => (
        <span class={isOverMark ? 'over' : undefined} title={isOverMark ? 'over its mark' : undefined}>
          {count(messages)}
        </span>
      ),
    },
    {
      field: 'oldestSince',
      title: 'Oldest',
      width: '6.2rem',
      isNumber: true,
      cell: row => oldestOf(row, now),
    },
    {
      field: 'waited',
      title: 'Waited',
      width: '5.6rem',
      isNumber: true,
      isDescendingFirst: true,
      cell: ({ waited }) => waited !== undefined && duration(waited),
    },
    {
      field: 'waitsSince',
      title: 'Since',
      width: '7.2rem',
      isNumber: true,
      cell: row => waitingOf(row, now, observedSince),
    },
    {
      field: 'waitsFor',
      title: 'Waits for',
      width: 'minmax(7.5rem, 2.2fr)',
      cell: ({ waitsFor }) => <code title={waitsFor}>{waitsFor}</code>,
    },
    {
      field: 'status',
      title: 'Status',
      width: '5.6rem',
      cell: ({ status }) => <span class={`state ${status}`}>{status}</span>,
    },
    {
      field: 'bytes',
      title: 'Bytes',
      width: '5.6rem',
      isNumber: true,
      isDescendingFirst: true,
      cell: row => bytes(row.bytes),
    },
    {
      field: 'links',
      title: 'Links',
      width: '4.8rem',
      isNumber: true,
      isDescendingFirst: true,
      cell: ({ links }) => count(links),
    },
  ]
}

function ProcessLink({ row: { node, id } }: { readonly row: ProcessRow }) {
  return (
    <a class="row-link" tabIndex={-1} href={hrefOfSubject({ kind: 'process', node, id })}>
      <code>{id}</code>
    </a>
  )
}

function ProcessName({ row: { name, label } }: { readonly row: ProcessRow }) {
  if (name === undefined) return <span class="label">{label}</span>
  return <strong title={name}>{name}</strong>
}

function waitingOf(
  { status, waitsFor, waitsSince }: ProcessRow,
  now: number,
  observedSince: number | undefined,
): string {
  if (status !== 'waiting') return ''
  if (waitsSince !== undefined) return span(now - waitsSince)
  // The message has waited since before the observer was started.
  return waitsFor === '' || observedSince === undefined ? '' : `> ${span(now - observedSince)}`
}
