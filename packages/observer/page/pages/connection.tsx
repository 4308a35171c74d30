/** One connection: its state in its statechart, its streams, and its events in time. */

import { useState } from 'preact/hooks'
import type { ConnectionPage as Connection, StreamRow, Subject } from '../../src/words.ts'
import { Act } from '../act.tsx'
import { Button } from '../button.tsx'
import { Facts, PageHead, Panel } from '../page-head.tsx'
import { RefLink, RefList } from '../ref-link.tsx'
import { hrefOf, hrefOfTrace } from '../route.ts'
import { SimpleTable } from '../simple-table.tsx'
import { Statechart } from '../statechart/statechart.tsx'
import { SampledNotice, ViewNotice } from '../status.tsx'
import { Timeline } from '../timeline/timeline.tsx'
import { bytes, count, span } from '../units.ts'
import { useProgramNow, useView } from '../use-connection.ts'
import { lookOf } from './connections.tsx'

export function ConnectionPage({ subject }: { readonly subject: Subject }) {
  const seen = useView('connection', subject)
  const { value } = seen
  return (
    <>
      <PageHead
        title={value?.origin ?? subject.id}
        id={subject.id}
        above={{ href: hrefOf('connections'), text: 'Connections' }}
        badges={
          value !== undefined && (
            <span class="state with-dot">
              <span class={`dot ${lookOf(value.state, value.failures)}`} />
              {value.isPaused ? `${value.state}, paused` : value.state}
            </span>
          )
        }
      >
        <a class="button plain" href={hrefOfTrace(subject)}>
          Trace
        </a>
        {value !== undefined && value.state !== 'terminated' && (
          <>
            <Act text="Shut down" action={{ type: 'shutdown', subject }} />
            <Act text="Close" isDangerous action={{ type: 'close', subject }} />
          </>
        )}
      </PageHead>
      <ViewNotice {...seen} />
      {value?.state === 'terminated' && (
        <p class="notice ended" role="status">
          This connection has ended
          {value.lastError === undefined ? (
            ''
          ) : (
            <>
              : <code>{value.lastError}</code>
            </>
          )}
          . Its last state is shown.
        </p>
      )}
      {value === undefined ? <p class="quiet">Looking…</p> : <Shown value={value} />}
    </>
  )
}

function Shown({ value }: { readonly value: Connection }) {
  const now = useProgramNow()
  return (
    <>
      <Facts
        facts={[
          ['Protocol', value.protocol || 'none yet'],
          ['Address', value.address ?? 'none'],
          ['Via', value.via.length === 0 ? 'directly' : value.via.join(', then ')],
          ['Age', span(now - value.openedAt)],
          ['Attempts', count(value.attempts)],
          [
            'Failures in a row',
            <span class={value.failures > 0 ? 'over' : undefined}>{count(value.failures)}</span>,
          ],
          ['Retries left', value.retriesLeft === null ? 'any number' : count(value.retriesLeft)],
          ['In', `${bytes(value.bytesIn)}, ${count(value.framesIn)} frames`],
          ['Out', `${bytes(value.bytesOut)}, ${count(value.framesOut)} frames`],
          ['Unsent', bytes(value.unsent)],
          ['Owner', <RefLink about={value.owner} />],
          ['Pressed back by', <RefList refs={value.pressedBy} none="nobody" />],
          ['Last error', value.lastError ?? 'none'],
        ]}
      />
      <div class="beside-chart">
        <ChartPanel states={value.states} />
        <div>
          <Panel title="Timeline" note="since you opened this page">
            <SampledNotice isSampled={value.isSampled} />
            <Timeline spans={value.timeline} now={now} />
          </Panel>
          <Panel
            title="Streams"
            note={value.streams > value.streamList.length ? `of ${count(value.streams)}` : undefined}
          >
            <Streams streams={value.streamList} />
          </Panel>
        </div>
      </div>
    </>
  )
}

function ChartPanel({ states }: { readonly states: readonly string[] }) {
  const [isWhole, setWhole] = useState(false)
  return (
    <Panel
      title="Statechart"
      note={
        <Button isPressed={isWhole} onClick={() => setWhole(!isWhole)}>
          Show all of it
        </Button>
      }
    >
      <Statechart states={states} isWhole={isWhole} />
    </Panel>
  )
}

function Streams({ streams }: { readonly streams: readonly StreamRow[] }) {
  if (streams.length === 0) return <p class="quiet">There are none now.</p>
  return (
    <SimpleTable
      label="Streams"
      rows={streams}
      keyOf={({ id }) => id}
      columns={[
        { title: 'Id', cell: ({ id }) => <code>{id}</code> },
        { title: 'Kind', cell: ({ kind }) => kind },
        { title: 'Stream', cell: ({ text }) => <code>{text}</code> },
        { title: 'State', cell: ({ state }) => state },
        { title: 'Wanted', isNumber: true, cell: ({ flow }) => (flow === null ? 'any number' : count(flow)) },
        { title: 'Unsent', isNumber: true, cell: ({ unsent }) => bytes(unsent) },
        { title: 'Goes to', cell: ({ replyTo }) => <RefLink about={replyTo} /> },
      ]}
    />
  )
}
