/** The overview: how the program does, what stands out, and the last ten minutes. */

import { useState } from 'preact/hooks'
import type { Finding, Overview, Sample } from '../../src/words.ts'
import { Act } from '../act.tsx'
import { Button } from '../button.tsx'
import { NodeChoice, useNodes } from '../node-choice.tsx'
import { PageHead, Panel } from '../page-head.tsx'
import { PAST, Plot } from '../plot.tsx'
import { RefLink } from '../ref-link.tsx'
import { hrefOf } from '../route.ts'
import { fileName } from '../save.ts'
import { ViewNotice } from '../status.tsx'
import { bytes, count, duration, fileOf, percent, rate, span } from '../units.ts'
import { useProgramNow, useView } from '../use-connection.ts'

/** How many findings are shown at first. */
const SHOWN = 5

type Measure = Exclude<keyof Sample, 'at'>

const MEASURES: readonly (readonly [measure: Measure, title: string, print: (value: number) => string])[] = [
  ['processes', 'Processes', count],
  ['connections', 'Connections', count],
  ['messages', 'Messages a second', rate],
  ['backlog', 'Messages waiting', count],
  ['wait', 'Wait of 99% of messages', duration],
  ['heap', 'Heap', bytes],
  ['delay', 'Event-loop delay', duration],
  ['cpu', 'CPU of one core', percent],
]

const NOTES: { readonly [Of in Measure]?: string } = {
  messages: 'Counted only while somebody looks.',
  wait: 'Measured only while somebody looks.',
}

export function OverviewPage() {
  const [node, setNode] = useState('')
  // The samples of another node are none of this one's.
  return <NodeOverview key={node} node={node} onNode={setNode} />
}

interface NodeOverviewProps {
  readonly node: string
  readonly onNode: (node: string) => void
}

function NodeOverview({ node, onNode }: NodeOverviewProps) {
  const seen = useView('overview', node === '' ? {} : { node }, joined)
  const nodes = useNodes()
  const { value } = seen
  return (
    <>
      <PageHead title="Overview">
        <NodeChoice nodes={nodes} node={node} onChoose={onNode} none="This node" />
        {value !== undefined && (
          <Act
            text="Heap snapshot"
            action={{ type: 'heap_snapshot', node: value.node }}
            file={fileName('heap', String(value.pid), '.heapsnapshot')}
          />
        )}
      </PageHead>
      <ViewNotice {...seen} />
      {value === undefined ? <p class="quiet">Looking…</p> : <Shown value={value} />}
    </>
  )
}

function Shown({ value }: { readonly value: Overview }) {
  const now = useProgramNow()
  const { samples } = value
  const times = samples.map(({ at }) => at)
  return (
    <>
      <p class="lead quiet">
        <span title={value.program}>{fileOf(value.program)}</span>
        <span>
          {value.node}, pid {value.pid}
        </span>
        <span>Node {value.nodeVersion.replace(/^v/, '')}</span>
        <span>watched for {span(now - value.since)}</span>
      </p>
      <div class="figures">
        <Figure
          href={hrefOf('processes')}
          number={value.processes}
          text="processes"
          more={`${count(value.waiting)} wait`}
        />
        <Figure
          href={hrefOf('connections')}
          number={value.connections}
          text="connections"
          more={`${count(value.connectionsUp)} up`}
        />
        <Figure
          href={hrefOf('connections')}
          number={value.pools}
          text={value.pools === 1 ? 'pool' : 'pools'}
        />
        <Figure
          href={hrefOf('tree')}
          number={value.supervisors}
          text={value.supervisors === 1 ? 'supervisor' : 'supervisors'}
        />
      </div>
      <Panel title="What stands out">
        <Findings findings={value.findings} now={now} />
      </Panel>
      <Panel title="The last ten minutes">
        <div class="plots">
          {MEASURES.map(([measure, title, print], at) => (
            <Plot
              key={measure}
              title={title}
              times={times}
              values={samples.map(sample => sample[measure])}
              print={print}
              colour={`--plot-${at + 1}`}
              note={NOTES[measure]}
            />
          ))}
        </div>
      </Panel>
    </>
  )
}

interface FigureProps {
  readonly href: string
  readonly number: number
  readonly text: string
  readonly more?: string
}

function Figure({ href, number, text, more }: FigureProps) {
  return (
    <a class="figure" href={href}>
      <strong>{count(number)}</strong> <span>{text}</span>
      {more !== undefined && <small>{more}</small>}
    </a>
  )
}

function Findings({ findings, now }: { readonly findings: readonly Finding[]; readonly now: number }) {
  const [isWhole, setWhole] = useState(false)
  if (findings.length === 0) return <p class="calm">Nothing stands out.</p>
  const shown = isWhole ? findings : findings.slice(0, SHOWN)
  return (
    <>
      <ul class="findings">
        {shown.map(({ kind, level, text, since, about }) => (
          <li key={`${kind} ${about?.node} ${about?.id} ${text}`} class={level}>
            <span class={`mark ${level}`} />
            <div class="finding">
              <span class="unseen">{level}: </span>
              <span class="finding-text">
                <Sentence text={text} about={about} />
              </span>
              {since !== undefined && <span class="quiet since">for {span(now - since)}</span>}
            </div>
          </li>
        ))}
      </ul>
      {findings.length > shown.length && (
        <Button onClick={() => setWhole(true)}>Show {count(findings.length - shown.length)} more</Button>
      )}
    </>
  )
}

/** Joins the samples that are new to those of the last ten minutes. */
function joined(before: Overview | undefined, now: Overview): Overview {
  const last = before?.samples.at(-1)?.at ?? 0
  const samples = [...(before?.samples ?? []), ...now.samples.filter(({ at }) => at > last)]
  const newest = samples.at(-1)?.at ?? 0
  return { ...now, samples: samples.filter(({ at }) => at > newest - PAST) }
}

/** Gives a sentence in which the name of what it is about can be clicked on. */
function Sentence({ text, about }: Pick<Finding, 'text' | 'about'>) {
  const at = about === undefined ? -1 : text.indexOf(about.text)
  if (about === undefined) return <>{text}</>
  if (at === -1) {
    return (
      <>
        {text} <RefLink about={about} />
      </>
    )
  }
  return (
    <>
      {text.slice(0, at)}
      <RefLink about={about} />
      {text.slice(at + about.text.length)}
    </>
  )
}
