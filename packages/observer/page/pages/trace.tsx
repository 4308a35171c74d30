/** The trace of one process or connection: its messages as they come. */

import { useRef, useState } from 'preact/hooks'
import type { Subject, TraceEvent, TraceParams } from '../../src/words.ts'
import { Button } from '../button.tsx'
import { Direction } from '../event-list.tsx'
import { type Column, Grid } from '../grid.tsx'
import { PageHead } from '../page-head.tsx'
import { hrefOf, hrefOfSubject } from '../route.ts'
import { fileName, save } from '../save.ts'
import { count, counted, exactClock } from '../units.ts'
import { useNarrow } from '../use-media.ts'
import { type Traced, useTrace } from '../use-trace.ts'

const MOST = 1_000_000

/** Says how to choose what is traced. */
export function TracePage() {
  return (
    <>
      <PageHead title="Trace" />
      <div class="empty">
        <p>
          A trace shows the messages of one process or connection as they come. Choose one, and press Trace on
          its page.
        </p>
        <p>
          <a class="button plain" href={hrefOf('processes')}>
            Processes
          </a>{' '}
          <a class="button plain" href={hrefOf('connections')}>
            Connections
          </a>
        </p>
      </div>
    </>
  )
}

export function TracedPage({ subject }: { readonly subject: Subject }) {
  const [filter, setFilter] = useState('')
  const [limit, setLimit] = useState('1000')
  const [params, setParams] = useState<TraceParams | undefined>(undefined)
  const [isPaused, setPaused] = useState(false)
  const traced = useTrace(params)
  const isOver = traced.state?.isOver === true
  const isRunning = params !== undefined && !isOver
  const start = () => {
    setPaused(false)
    setParams({ subject, filter, limit: Math.max(1, Math.min(MOST, Number.parseInt(limit, 10) || 1000)) })
  }
  return (
    <div class="filling">
      <PageHead title={`Trace of ${subject.id}`} above={{ href: hrefOfSubject(subject), text: subject.id }} />
      <form
        class="tools"
        onSubmit={event => {
          event.preventDefault()
          start()
        }}
      >
        <label class="inline">
          <span>Pattern</span>
          <input
            class="code"
            placeholder="all messages, or JSON5: { type: 'tick' }"
            spellcheck={false}
            value={filter}
            onInput={event => setFilter(event.currentTarget.value)}
          />
        </label>
        <label class="inline short">
          <span>At most</span>
          <input
            type="number"
            min={1}
            max={MOST}
            value={limit}
            onInput={event => setLimit(event.currentTarget.value)}
          />
        </label>
        <Button type="submit" look="main">
          {params === undefined ? 'Start' : 'Start anew'}
        </Button>
        <Button isDisabled={!isRunning} isPressed={isPaused} onClick={() => setPaused(!isPaused)}>
          Pause
        </Button>
        <Button isDisabled={!isRunning} onClick={() => setParams(undefined)}>
          Stop
        </Button>
        <Button isDisabled={traced.events.length === 0} onClick={() => exportLines(subject, traced.events)}>
          Export
        </Button>
      </form>
      <TraceWords traced={traced} isRunning={isRunning} />
      <TraceList traced={traced} isPaused={isPaused} isRunning={isRunning} />
    </div>
  )
}

function TraceWords({ traced, isRunning }: { readonly traced: Traced; readonly isRunning: boolean }) {
  const { events, dropped, state, problem } = traced
  return (
    <div class="trace-words" role="status">
      {problem !== undefined && <p class="notice bad">{problem}</p>}
      {state?.isSampled === true && (
        <p class="notice">
          More came than could be heard without slowing the program, so that some events are missing. A
          pattern makes them fewer.
        </p>
      )}
      {dropped > 0 && (
        <p class="notice">
          The page keeps the latest {count(events.length)}; {count(dropped)} before them are gone.
        </p>
      )}
      {state?.isOver === true && (
        <p class="notice ended">The trace has ended{state.text === undefined ? '.' : `: ${state.text}`}</p>
      )}
      {isRunning && (
        <p class="quiet">
          {state === undefined ? (
            'The trace begins…'
          ) : (
            <>
              <span class="dot good" /> Tracing: {counted(state.shown, 'event')} so far
            </>
          )}
        </p>
      )}
    </div>
  )
}

interface TraceListProps {
  readonly traced: Traced
  readonly isPaused: boolean
  readonly isRunning: boolean
}

function TraceList({ traced, isPaused, isRunning }: TraceListProps) {
  const isNarrow = useNarrow()
  const held = useRef<readonly TraceEvent[]>([])
  const [at, setAt] = useState(-1)
  if (!isPaused) held.current = traced.events
  const events = held.current
  const columns = COLUMNS.filter(({ field }) => !isNarrow || field !== 'event')
  const chosen = events[at]
  return (
    <>
      <Grid
        label="Events"
        onChoose={setAt}
        columns={columns}
        total={events.length}
        rowAt={index => {
          const event = events[index]
          return event === undefined ? undefined : { event, index: traced.dropped + index }
        }}
        keyOf={({ index }) => String(index)}
        sticksToEnd={isRunning && !isPaused}
        empty={isRunning ? 'No event has come yet.' : 'Press Start to trace.'}
      />
      {chosen !== undefined && <Chosen event={chosen} />}
    </>
  )
}

/** The whole of one event. */
function Chosen({ event }: { readonly event: TraceEvent }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard.
    <section class="chosen" aria-label="Chosen event" tabIndex={0}>
      <p class="quiet">
        {exactClock(event.at)} · {event.event}
      </p>
      <pre>{event.text}</pre>
    </section>
  )
}

interface Numbered {
  readonly event: TraceEvent
  readonly index: number
}

const COLUMNS: readonly Column<Numbered>[] = [
  { field: 'at', title: 'At', width: '8rem', cell: ({ event }) => <time>{exactClock(event.at)}</time> },
  { field: 'direction', title: 'Way', width: '3rem', cell: ({ event }) => <Direction event={event} /> },
  { field: 'event', title: 'Event', width: '9rem', cell: ({ event }) => event.event },
  {
    field: 'text',
    title: 'Message',
    width: 'minmax(12rem, 1fr)',
    cell: ({ event }) => <code title={event.text}>{event.text}</code>,
  },
]

/** Saves events as one line of JSON each. */
function exportLines(subject: Subject, events: readonly TraceEvent[]): void {
  const lines = events.map(event => `${JSON.stringify(event)}\n`)
  save(new Blob(lines, { type: 'application/x-ndjson' }), fileName('trace', subject.id, '.jsonl'))
}
