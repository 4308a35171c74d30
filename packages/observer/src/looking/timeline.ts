/** A timeline makes spans of what happens on one connection: a start and its end are one bar, everything else is a point. */

import { textOfError } from '../naming/texts.js'
import type { Span } from '../words.js'
import { type Happening, printEvent } from './connection-events.js'

/** The most spans that are kept; the oldest go first. */
const MOST = 300
/** The longest text of a span. */
const LONGEST = 300

const CONNECTION = 'connection'

/** The events that begin or end a bar. */
const BARS: { readonly [event: string]: { readonly name: string; readonly isStart: boolean } } = {
  domainLookupStart: { name: 'look-up', isStart: true },
  domainLookupEnd: { name: 'look-up', isStart: false },
  connectStart: { name: 'connect', isStart: true },
  connectEnd: { name: 'connect', isStart: false },
  tlsHandshakeStart: { name: 'TLS', isStart: true },
  tlsHandshakeEnd: { name: 'TLS', isStart: false },
  requestStart: { name: 'request', isStart: true },
  requestEnd: { name: 'request', isStart: false },
  responseStart: { name: 'response', isStart: true },
  responseEnd: { name: 'response', isStart: false },
}

/** The events that are points. */
const POINTS: { readonly [event: string]: string } = {
  requestPostponed: 'postponed',
  responseInform: 'informational response',
  responseHeaders: 'headers',
  responseTrailers: 'trailers',
  pushPromiseEnd: 'push',
  wsUpgrade: 'upgrade',
  wsSendFrameEnd: 'frame out',
  protocolChanged: 'protocol',
  originChanged: 'origin',
  cancel: 'cancel',
  disconnect: 'disconnect',
  terminate: 'terminate',
}

/** The messages that are points: the others say what an event has said. */
const MESSAGES: { readonly [type: string]: string } = {
  gun_up: 'up',
  gun_down: 'down',
  gun_error: 'error',
  gun_ws: 'frame in',
}

interface Open extends Omit<Span, 'text'> {
  /** Printed when somebody looks. */
  event: object
  to: number | undefined
  failed: boolean
}

/** The spans of one connection since somebody looks. */
export class Timeline {
  #spans: Open[] = []
  #last = 0
  /** The bars that go on, by their lane and name. */
  readonly #open = new Map<string, Open>()
  readonly #texts = new WeakMap<Open, { readonly event: object; readonly text: string }>()

  /** Adds what has happened behind all that was added before. */
  add({ at, kind, name, what }: Happening): void {
    const lane = laneOf(what)
    if (kind === 'state') this.#enter(at, what)
    else if (kind === 'message') this.#addMessage(at, lane, name, what)
    else this.#addEvent(at, lane, name, what)
  }

  /** Takes note that something may have happened meanwhile that nobody has heard: the bars may have ended since. */
  lapse(at: number, state: string): void {
    this.#endAll(at, false)
    this.#enter(at, { state })
  }

  /** The spans, the oldest first. */
  get spans(): readonly Span[] {
    return this.#spans.map(({ event, ...span }, index) => ({
      ...span,
      text: this.#textOf(this.#spans[index] as Open),
    }))
  }

  #addEvent(at: number, lane: string, name: string, event: object): void {
    const bar = BARS[name]
    if (bar?.isStart) this.#open.set(`${lane} ${bar.name}`, this.#push(at, lane, bar.name, event))
    else if (bar !== undefined) this.#end(at, lane, bar.name, event)
    const point = POINTS[name]
    if (point !== undefined) this.#point(at, lane, point, event, hasFailed(event))
    if (name === 'disconnect' || name === 'terminate') this.#endAll(at, true)
    if (name === 'cancel') this.#endAll(at, true, lane)
  }

  #addMessage(at: number, lane: string, type: string, message: object): void {
    const name = MESSAGES[type]
    if (name === undefined) return
    const failed = type === 'gun_error'
    this.#point(at, lane, name, message, failed)
    if (failed) this.#endAll(at, true, lane)
  }

  /** Begins the bar of a state, unless the connection is in it already. */
  #enter(at: number, what: object): void {
    const key = `${CONNECTION} state`
    const open = this.#open.get(key)
    if (open !== undefined && stateOf(open.event) === stateOf(what)) return
    if (open !== undefined) open.to = at
    this.#open.set(key, this.#push(at, CONNECTION, 'state', what))
  }

  #end(at: number, lane: string, name: string, event: object): void {
    const key = `${lane} ${name}`
    const open = this.#open.get(key)
    if (open === undefined) return this.#point(at, lane, name, event, hasFailed(event))
    this.#open.delete(key)
    open.to = at
    open.failed = hasFailed(event)
    open.event = { ...open.event, ...event }
  }

  #point(at: number, lane: string, name: string, event: object, failed: boolean): void {
    const span = this.#push(at, lane, name, event)
    span.to = at
    span.failed = failed
  }

  /** Ends the bars of a lane, or of all lanes: what they stand for does not go on. */
  #endAll(at: number, failed: boolean, lane?: string): void {
    for (const [key, open] of this.#open) {
      if (open.name === 'state' || (lane !== undefined && open.lane !== lane)) continue
      open.to = at
      open.failed = failed
      this.#open.delete(key)
    }
  }

  #push(at: number, lane: string, name: string, event: object): Open {
    const span: Open = { key: ++this.#last, lane, name, from: at, to: undefined, failed: false, event }
    this.#spans.push(span)
    if (this.#spans.length > 2 * MOST) this.#spans = this.#spans.slice(-MOST)
    return span
  }

  #textOf(span: Open): string {
    const known = this.#texts.get(span)
    if (known?.event === span.event) return known.text
    const printed = printEvent(span.event)
    const text = printed.length > LONGEST ? `${printed.slice(0, LONGEST)}…` : printed
    this.#texts.set(span, { event: span.event, text })
    return text
  }
}

function laneOf(event: object): string {
  const { streamRef } = event as { readonly streamRef?: unknown }
  return streamRef === undefined ? CONNECTION : String(streamRef)
}

function hasFailed(event: object): boolean {
  const { error, reason } = event as { readonly error?: unknown; readonly reason?: unknown }
  return error !== undefined || textOfError(reason instanceof Error ? reason : undefined) !== undefined
}

function stateOf(what: object): unknown {
  return (what as { readonly state?: unknown }).state
}
