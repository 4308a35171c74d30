/** All connections as a table, and the pools below it. */

import type { ConnectionRow, PoolRow } from '../../src/words.ts'
import { type Column, narrowed } from '../grid.tsx'
import { useNodes } from '../node-choice.tsx'
import { PageHead, Panel } from '../page-head.tsx'
import { keyOf, RefLink } from '../ref-link.tsx'
import { hrefOfSubject } from '../route.ts'
import { SimpleTable } from '../simple-table.tsx'
import { Table } from '../table.tsx'
import { bytes, count, span } from '../units.ts'
import { useProgramNow, useView } from '../use-connection.ts'
import { useNarrow } from '../use-media.ts'

/** The columns that a telephone has room for. */
const NARROW = { origin: 'minmax(6rem, 1fr)', state: '9rem' }

export function ConnectionsPage() {
  const now = useProgramNow()
  const isNarrow = useNarrow()
  const nodes = useNodes()
  const pools = useView('pools', {}).value?.pools ?? []
  const columns = columnsOf(now).filter(({ field }) => field !== 'node' || nodes.length > 1)
  return (
    <div class={pools.length === 0 ? 'filling' : undefined}>
      <PageHead title="Connections" />
      <Table
        nodes={nodes}
        view="connections"
        label="Connections"
        columns={isNarrow ? narrowed(columns, NARROW) : columns}
        order="openedAt"
        descending={false}
        keyOf={keyOf}
        hrefOf={({ node, id }) => hrefOfSubject({ kind: 'connection', node, id })}
        empty="There are no connections."
      />
      {pools.length > 0 && <Pools pools={pools} />}
    </div>
  )
}

/** Gives the look of a state: a connection that is up is well, one that is down is not. */
export function lookOf(state: string, failures: number): string {
  if (state.startsWith('connected')) return 'good'
  if (failures > 0) return 'bad'
  return state === 'terminated' ? '' : 'warn'
}

function columnsOf(now: number): readonly Column<ConnectionRow>[] {
  const number = { width: '5.6rem', isNumber: true, isDescendingFirst: true }
  return [
    { field: 'id', title: 'Id', width: '7.6rem', cell: ({ id }) => <code>{id}</code> },
    {
      field: 'origin',
      title: 'Origin',
      width: 'minmax(11.6rem, 2fr)',
      cell: ({ node, id, origin }) => (
        <a
          class="row-link"
          tabIndex={-1}
          href={hrefOfSubject({ kind: 'connection', node, id })}
          title={origin}
        >
          {origin}
        </a>
      ),
    },
    { field: 'node', title: 'Node', width: 'minmax(4.8rem, 0.6fr)', cell: ({ node }) => node },
    {
      field: 'state',
      title: 'State',
      width: '12.8rem',
      cell: ({ state, failures, isPaused, lastError }) => (
        <span class="with-dot" title={lastError}>
          <span class={`dot ${lookOf(state, failures)}`} />
          {isPaused ? `${state}, paused` : state}
        </span>
      ),
    },
    { field: 'protocol', title: 'Protocol', width: '5.6rem', cell: ({ protocol }) => protocol },
    {
      field: 'owner',
      title: 'Owner',
      width: 'minmax(10rem, 1fr)',
      cell: ({ owner }) => <RefLink about={owner} />,
    },
    {
      ...number,
      field: 'openedAt',
      title: 'Age',
      width: '6.8rem',
      isDescendingFirst: false,
      cell: ({ openedAt }) => span(now - openedAt),
    },
    {
      ...number,
      field: 'failures',
      title: 'Failures',
      cell: ({ failures }) => <Failures failures={failures} />,
    },
    { ...number, field: 'streams', title: 'Streams', cell: ({ streams }) => count(streams) },
    { ...number, field: 'bytesIn', title: 'In', cell: ({ bytesIn }) => bytes(bytesIn) },
    { ...number, field: 'bytesOut', title: 'Out', cell: ({ bytesOut }) => bytes(bytesOut) },
    { ...number, field: 'unsent', title: 'Unsent', cell: ({ unsent }) => bytes(unsent) },
    { ...number, field: 'attempts', title: 'Attempts', cell: ({ attempts }) => count(attempts) },
    {
      ...number,
      field: 'framesIn',
      title: 'Frames in',
      width: '6.6rem',
      cell: ({ framesIn }) => count(framesIn),
    },
    {
      ...number,
      field: 'framesOut',
      title: 'Frames out',
      width: '6.6rem',
      cell: ({ framesOut }) => count(framesOut),
    },
  ]
}

function Failures({ failures }: { readonly failures: number }) {
  return <span class={failures > 0 ? 'over' : undefined}>{count(failures)}</span>
}

function Pools({ pools }: { readonly pools: readonly PoolRow[] }) {
  return (
    <Panel title="Pools">
      <SimpleTable
        label="Pools"
        rows={pools}
        keyOf={keyOf}
        columns={[
          { title: 'Authority', cell: ({ authority }) => authority },
          { title: 'Scope', cell: ({ scope }) => scope },
          { title: 'State', cell: ({ state }) => state },
          { title: 'Up', isNumber: true, cell: ({ up, size }) => `${count(up)} of ${count(size)}` },
          { title: 'Streams', isNumber: true, cell: ({ streams }) => count(streams) },
          {
            title: 'Callers waiting',
            isNumber: true,
            cell: ({ waiting }) => <Failures failures={waiting} />,
          },
          { title: 'Last error', cell: ({ lastError }) => lastError ?? '' },
        ]}
      />
    </Panel>
  )
}
