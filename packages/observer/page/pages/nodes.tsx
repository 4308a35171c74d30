/** The nodes of the program and the links between them. */

import type { LinkRow, NodeRow, Nodes } from '../../src/words.ts'
import { NodesDrawing } from '../nodes-drawing.tsx'
import { PageHead, Panel } from '../page-head.tsx'
import { SimpleTable } from '../simple-table.tsx'
import { ViewNotice } from '../status.tsx'
import { bytes, count, duration, percent, rate, span } from '../units.ts'
import { useProgramNow, useView } from '../use-connection.ts'

export function NodesPage() {
  const seen = useView('nodes', {})
  return (
    <>
      <PageHead title="Nodes" />
      <ViewNotice {...seen} />
      {seen.value === undefined ? <p class="quiet">Looking…</p> : <Shown value={seen.value} />}
    </>
  )
}

function Shown({ value }: { readonly value: Nodes }) {
  return (
    <>
      {value.nodes.length > 1 && (
        <section class="panel bare" aria-label="Drawing">
          <NodesDrawing nodes={value.nodes} links={value.links} />
        </section>
      )}
      <Panel title="Load">
        <Load nodes={value.nodes} />
      </Panel>
      <Panel title="Links">
        {value.links.length === 0 ? (
          <p class="quiet">This node is linked to no other.</p>
        ) : (
          <Links links={value.links} />
        )}
      </Panel>
    </>
  )
}

function Load({ nodes }: { readonly nodes: readonly NodeRow[] }) {
  const known = (print: (value: number) => string, value: number | null | undefined) =>
    value === undefined || value === null ? '–' : print(value)
  return (
    <SimpleTable
      label="Load of nodes"
      rows={nodes}
      keyOf={({ node }) => node}
      columns={[
        {
          title: 'Node',
          cell: ({ node, isHere, problem }) => (
            <span class="with-dot">
              <span class={`dot ${problem === undefined ? 'good' : 'warn'}`} />
              {node}
              {isHere && <span class="tag">here</span>}
            </span>
          ),
        },
        { title: 'Process', cell: ({ pid, threadId }) => runsIn(pid, threadId) },
        { title: 'Processes', isNumber: true, cell: ({ sample }) => known(count, sample?.processes) },
        { title: 'Connections', isNumber: true, cell: ({ sample }) => known(count, sample?.connections) },
        { title: 'Messages a second', isNumber: true, cell: ({ sample }) => known(rate, sample?.messages) },
        { title: 'Waiting', isNumber: true, cell: ({ sample }) => known(count, sample?.backlog) },
        { title: 'Heap', isNumber: true, cell: ({ sample }) => known(bytes, sample?.heap) },
        { title: 'Delay', isNumber: true, cell: ({ sample }) => known(duration, sample?.delay) },
        { title: 'CPU', isNumber: true, cell: ({ sample }) => known(percent, sample?.cpu) },
        { title: 'Remark', cell: ({ problem }) => problem ?? '' },
      ]}
    />
  )
}

function runsIn(pid: number | undefined, threadId: number | undefined): string {
  if (pid === undefined) return '–'
  return threadId === undefined || threadId === 0 ? `pid ${pid}` : `pid ${pid}, thread ${threadId}`
}

function Links({ links }: { readonly links: readonly LinkRow[] }) {
  const now = useProgramNow()
  return (
    <SimpleTable
      label="Links"
      rows={links}
      keyOf={({ from, to }) => `${from} ${to}`}
      columns={[
        { title: 'From', cell: ({ from }) => from },
        { title: 'To', cell: ({ to }) => to },
        { title: 'Carrier', cell: ({ carrier }) => carrier },
        { title: 'For', isNumber: true, cell: ({ since }) => span(now - since) },
        { title: 'Packets out', isNumber: true, cell: ({ sent }) => count(sent) },
        { title: 'Packets in', isNumber: true, cell: ({ received }) => count(received) },
        { title: 'Bytes out', isNumber: true, cell: ({ bytesSent }) => bytes(bytesSent) },
        { title: 'Bytes in', isNumber: true, cell: ({ bytesReceived }) => bytes(bytesReceived) },
        { title: 'Credit used', isNumber: true, cell: link => <Credit link={link} /> },
        { title: 'Waiting', isNumber: true, cell: ({ waiting }) => bytes(waiting) },
      ]}
    />
  )
}

function Credit({ link: { underWay, window } }: { readonly link: LinkRow }) {
  const part = window === 0 ? 0 : Math.min(1, underWay / window)
  return (
    <span class="credit">
      <span class="meter" aria-hidden="true">
        <span style={{ width: `${part * 100}%` }} />
      </span>
      {bytes(underWay)} of {bytes(window)}
    </span>
  )
}
