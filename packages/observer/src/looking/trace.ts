/** A trace shows the messages of one process or connection as they come, up to a limit. */

import { type TraceEvent as Happened, isAlive, trace } from '@holster/process'
import { processOf } from '../naming/refs.js'
import type { TraceEvent, TraceState } from '../words.js'
import { listenTo, printHappening } from './connection-events.js'
import { connectionOf } from './connections.js'
import { Ear } from './ear.js'
import { type Filter, filterOf } from './filter.js'
import type { Looking, ViewOf } from './looking.js'
import { printHappened } from './process-events.js'

/** The most events between two looks that are shown, and that the filter looks at. */
const LIMITS = { kept: 250, heard: 5000 }

/** A trace, with the events that have come since they were last taken. */
export interface Tracing extends Looking<'trace'> {
  /** Prints the events since the last time, the oldest first. */
  take(): readonly TraceEvent[]
}

/** Begins a trace. Throws an Error if the subject is not there, or the filter is none. */
export function startTrace({ subject, filter, limit }: ViewOf<'trace'>): Tracing {
  const passes = filterOf(filter)
  return subject.kind === 'process'
    ? traceProcess(subject.id, passes, limit)
    : traceConnection(subject.id, passes, limit)
}

function traceProcess(id: string, passes: Filter, limit: number): Tracing {
  const process = processOf({ id })
  const ear = new Ear<Happened>(
    hear => trace(process, hear),
    LIMITS,
    event => passes(messageOf(event)),
  )
  return new Running(limit, ear, printHappened, () => (isAlive(process) ? undefined : `${process} has ended`))
}

/** Gives the part of an event that the filter looks at. */
function messageOf(event: Happened): unknown {
  switch (event.event) {
    case 'send':
    case 'receive':
      return event.message
    case 'call':
      return event.request
    case 'reply':
      return event.value
    default:
      return event
  }
}

function traceConnection(id: string, passes: Filter, limit: number): Tracing {
  const { connPid } = connectionOf(id)
  const ear = new Ear(listenTo(connPid), LIMITS, ({ name, what }) => passes({ ...what, type: name }))
  return new Running(limit, ear, printHappening, () =>
    isAlive(connPid) ? undefined : `${connPid} has ended`,
  )
}

/** A trace that runs until its limit is reached, its subject has ended, or nobody looks any more. */
class Running<T> implements Tracing {
  readonly #limit: number
  readonly #ear: Ear<T>
  readonly #print: (item: T) => TraceEvent
  readonly #endOf: () => string | undefined
  #shown = 0
  #isSampled = false
  #why: string | undefined

  constructor(limit: number, ear: Ear<T>, print: (item: T) => TraceEvent, endOf: () => string | undefined) {
    this.#limit = limit
    this.#ear = ear
    this.#print = print
    this.#endOf = endOf
  }

  take(): readonly TraceEvent[] {
    if (this.#why !== undefined) return []
    const why = this.#endOf()
    const { items, isSampled } = this.#ear.take()
    const shown = items.slice(0, this.#limit - this.#shown)
    this.#shown += shown.length
    this.#isSampled ||= isSampled
    if (this.#shown >= this.#limit) this.#end(`the limit of ${this.#limit} events is reached`)
    else if (why !== undefined) this.#end(why)
    return shown.map(this.#print)
  }

  show(): TraceState {
    const text = this.#why
    return { shown: this.#shown, isSampled: this.#isSampled, isOver: text !== undefined, text }
  }

  close(): void {
    this.#ear.close()
  }

  #end(why: string): void {
    this.#why = why
    this.close()
  }
}
