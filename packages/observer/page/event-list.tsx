/** Events of a process or a connection, the newest first. */

import type { TraceEvent } from '../src/words.ts'
import { exactClock } from './units.ts'

const ARROWS = { in: '→', out: '←', none: '·' } as const
const WORDS = { in: 'in', out: 'out', none: '' } as const

/** Shows which way an event went. */
export function Direction({ event: { direction } }: { readonly event: TraceEvent }) {
  return (
    <span class={`direction ${direction}`}>
      <span aria-hidden="true">{ARROWS[direction]}</span>
      <span class="unseen">{WORDS[direction]}</span>
    </span>
  )
}

export function EventList({ events }: { readonly events: readonly TraceEvent[] }) {
  return (
    <ol class="events">
      {[...events].reverse().map((event, at) => (
        <li key={at}>
          <time>{exactClock(event.at)}</time>
          <Direction event={event} />
          <span class="event-name">{event.event}</span>
          <code>{event.text}</code>
        </li>
      ))}
    </ol>
  )
}
