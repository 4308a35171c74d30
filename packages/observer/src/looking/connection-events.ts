/** The events, messages and states of a connection, as they are heard, and each in one line. */

import type { ConnPid } from '@holster/gun'
import { tap } from '@holster/gun/internal'
import { type PrintLimits, print } from '@holster/process/internal'
import type { TraceEvent } from '../words.js'
import type { Listen } from './ear.js'

/** Something that has happened on a connection. */
export interface Happening {
  readonly at: number
  readonly kind: 'event' | 'message' | 'state'
  /** The name of the event, the type of the message, or `state`. */
  readonly name: string
  readonly what: object
}

/** Listens to a connection. */
export function listenTo(connPid: ConnPid): Listen<Happening> {
  return hear =>
    tap(connPid, {
      event: (name, what) => hear({ at: Date.now(), kind: 'event', name, what }),
      message: what => hear({ at: Date.now(), kind: 'message', name: what.type, what }),
      state: state => hear({ at: Date.now(), kind: 'state', name: 'state', what: { state } }),
    })
}

const LIMITS: PrintLimits = {
  text: 100,
  message: 200,
  entries: 12,
  depth: 3,
  absent: false,
  // Options that contain keys, names and passwords, or may be anything.
  opaque: /^(opts|tlsOpts|userOpts|tcpOpts|pfx|cert|ca|ticketKeys|proxy|username)$/,
}

/** The events that tell of something going out, once for each request and frame. */
const OUT: ReadonlySet<string> = new Set(['requestStart', 'wsSendFrameEnd'])
/** The events that tell of something coming in. */
const IN: ReadonlySet<string> = new Set([
  'responseInform',
  'responseHeaders',
  'responseTrailers',
  'responseEnd',
  'pushPromiseEnd',
  'wsRecvFrameEnd',
])

/** Whether an event tells of something that came in or went out. */
export function directionOf(name: string): TraceEvent['direction'] {
  if (OUT.has(name)) return 'out'
  return IN.has(name) || name.startsWith('gun_') ? 'in' : 'none'
}

/** Prints an event or a message without the fields that are the same for all of a connection, secrets left out. */
export function printEvent(event: object): string {
  const { connPid: _, type: __, replyTo: ___, owner: ____, ...rest } = event as Record<string, unknown>
  try {
    return print(rest, LIMITS)
  } catch {
    // A getter has thrown.
    return '…'
  }
}

/** Prints what has happened in one line. */
export function printHappening({ at, name, what }: Happening): TraceEvent {
  return { at, event: name, direction: directionOf(name), text: printEvent(what) }
}
