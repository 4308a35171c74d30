/** What has happened to a connection, in time from left to right, with a lane for each stream. */

import { useState } from 'preact/hooks'
import type { Span } from '../../src/words.ts'
import { Button } from '../button.tsx'
import { duration, exactClock } from '../units.ts'
import { lanesOf, type TimeRange, ticksOf } from './lanes.ts'

/** How much of the past is shown, in milliseconds. */
const WINDOWS = [
  ['All', Number.POSITIVE_INFINITY],
  ['1 min', 60_000],
  ['10 s', 10_000],
] as const
/** How many spans are listed in words. */
const LISTED = 60

export function Timeline({ spans, now }: { readonly spans: readonly Span[]; readonly now: number }) {
  const [past, setPast] = useState<number>(WINDOWS[0][1])
  if (spans.length === 0) return <p class="quiet">Nothing has happened since you opened this page.</p>
  const to = Math.max(now, ...spans.map(({ from, to }) => to ?? from))
  const first = Math.min(...spans.map(({ from }) => from))
  const range: TimeRange = { from: Math.min(Math.max(first, to - past), to - 100), to }
  return (
    <div class="timeline">
      <fieldset class="choices">
        <legend class="unseen">How much of the past is shown</legend>
        {WINDOWS.map(([text, ms]) => (
          <Button key={text} isPressed={past === ms} onClick={() => setPast(ms)}>
            {text}
          </Button>
        ))}
      </fieldset>
      <div class="lanes" aria-hidden="true">
        <div class="axis">
          {ticksOf(range).map(({ part, text }) => (
            <span key={text} style={{ left: `${part * 100}%` }}>
              {text}
            </span>
          ))}
        </div>
        {lanesOf(spans, range).map(({ lane, bars }) => (
          <div class="lane" key={lane}>
            <span class="lane-name" title={lane}>
              {lane}
            </span>
            <div class="lane-bars">
              {bars.map(({ span, left, width }) => (
                <span
                  key={span.key}
                  class={`${width === 0 ? 'point' : 'bar'} ${kindOf(span)}`}
                  style={width === 0 ? { left: `${left}%` } : { left: `${left}%`, width: `${width}%` }}
                  title={`${span.name} ${span.text} (${lengthOf(span)})`}
                />
              ))}
            </div>
          </div>
        ))}
      </div>
      <SpanList spans={spans} />
    </div>
  )
}

function SpanList({ spans }: { readonly spans: readonly Span[] }) {
  const latest = [...spans].sort((a, b) => b.from - a.from).slice(0, LISTED)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard.
    <section class="spans" aria-label="Events in words" tabIndex={0}>
      <ol class="events">
        {latest.map(span => (
          <li key={span.key}>
            <time>{exactClock(span.from)}</time>
            <span class={`swatch ${kindOf(span)}`} aria-hidden="true" />
            <span class="event-name">{span.name}</span>
            <span class="quiet span-length">{lengthOf(span)}</span>
            <code class={span.failed ? 'problem' : undefined}>
              {span.lane === 'connection' ? span.text : `${span.lane} ${span.text}`}
            </code>
          </li>
        ))}
      </ol>
    </section>
  )
}

function lengthOf({ from, to }: Span): string {
  if (to === undefined) return 'goes on'
  return to === from ? '' : duration(to - from)
}

/** Gives the class that colours a span. */
function kindOf({ name, failed }: Span): string {
  if (failed) return 'failed'
  const [kind = ''] = /look-up|connect|TLS|request|response|frame in|frame out|state/.exec(name) ?? []
  return `span-${kind.toLowerCase().replace(' ', '-') || 'other'}`
}
