/** The trees of supervisors, drawn and as an outline, and the latest reports. */

import { useState } from 'preact/hooks'
import type { Tree } from '../../src/words.ts'
import { NodeChoice, useNodes } from '../node-choice.tsx'
import { PageHead, Panel } from '../page-head.tsx'
import { RefLink } from '../ref-link.tsx'
import { ViewNotice } from '../status.tsx'
import { itemsOf } from '../tree/placed-tree.ts'
import { TreeDrawing } from '../tree/tree-drawing.tsx'
import { TreeOutline } from '../tree/tree-outline.tsx'
import { clock } from '../units.ts'
import { useProgramNow, useView } from '../use-connection.ts'

export function TreePage() {
  const [node, setNode] = useState('')
  const seen = useView('tree', node === '' ? {} : { node })
  return (
    <>
      <PageHead title="Tree">
        <NodeChoice nodes={useNodes()} node={node} onChoose={setNode} none="This node" />
      </PageHead>
      <ViewNotice {...seen} />
      {seen.value === undefined ? <p class="quiet">Looking…</p> : <Shown key={node} tree={seen.value} />}
    </>
  )
}

function Shown({ tree: { roots, reports } }: { readonly tree: Tree }) {
  const now = useProgramNow()
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const toggle = (key: string) => {
    const next = new Set(closed)
    if (!next.delete(key)) next.add(key)
    setClosed(next)
  }
  const items = itemsOf(roots, closed)
  if (roots.length === 0) return <p class="calm">No supervisor lives on this node.</p>
  return (
    <>
      <section class="panel bare" aria-label="Drawing">
        <TreeDrawing items={items} now={now} onToggle={toggle} />
      </section>
      <Panel title="Outline" note="arrow keys walk and fold, Enter opens">
        <TreeOutline items={items} now={now} onToggle={toggle} />
      </Panel>
      <Panel title="Reports" note="the newest first">
        {reports.length === 0 ? <p class="quiet">There are none yet.</p> : <Reports reports={reports} />}
      </Panel>
    </>
  )
}

function Reports({ reports }: Pick<Tree, 'reports'>) {
  return (
    <ol class="events reports">
      {reports.map(({ at, type, text, about }) => (
        <li key={`${at} ${type} ${text}`}>
          <time>{clock(at)}</time>
          <span class="event-name">{type}</span>
          {about !== undefined && <RefLink about={about} />}
          <span>{text}</span>
        </li>
      ))}
    </ol>
  )
}
