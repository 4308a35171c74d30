/** The guards and the notes of the machine as plain functions: no guard looks at anything but the context. */

import type { ConnectionContext, ConnectionEvent } from './events.js'
import { isHopeless } from './reconnect.js'

/** Whether a transition is open, as the context says. */
export type Guard = (context: ConnectionContext) => boolean

/** Gives the parts of the context that an event changes. */
export type Note = (context: ConnectionContext, event: ConnectionEvent) => Partial<ConnectionContext>

const NOTHING: Partial<ConnectionContext> = {}

export const guards = {
  isTls: ({ isTls }) => isTls,
  isProxied: ({ isProxied }) => isProxied,
  isRaw: ({ protocol }) => protocol === 'raw',
  isSocks: ({ protocol }) => protocol === 'socks',
  /** A later `shutdown`, or the owner's exit, outranks a close frame that the caller has sent. */
  mayEnd: ({ ending }) => ending === undefined || ending.by === 'protocol',
  isOver: context => {
    const { ending, retriesLeft, retry, setback } = context
    return ending !== undefined || (setback === 'loss' ? retry : retriesLeft) <= 0 || isHopeless(context)
  },
} as const satisfies Record<string, Guard>

export const notes = {
  noteEnding: (_, event) => {
    if (event.type === 'close') return { ending: { by: 'close' } }
    return event.type === 'shutdown' ? { ending: event.ending } : NOTHING
  },
  noteFailure: (_, event) =>
    event.type === 'failed' ? { lastError: event.reason, setback: 'attempt' } : NOTHING,
  noteUp: (_, event) => ({
    hasBeenUp: true,
    lastError: undefined,
    protocol: event.type === 'connected' || event.type === 'arrived' ? event.protocol : undefined,
  }),
  noteClosing: ({ ending }, event) =>
    event.type === 'closing'
      ? {
          closingTimeout: event.timeout,
          ending: ending ?? (event.isFinal ? { by: 'protocol' } : undefined),
        }
      : NOTHING,
  noteLoss: (_, event) =>
    event.type === 'lost'
      ? {
          lastError: event.reason === 'normal' ? undefined : event.reason,
          setback: event.isFruitless ? 'hang-up' : 'loss',
        }
      : NOTHING,
  notePlan: (_, event) =>
    event.type === 'planned' ? { retriesLeft: event.retries, retryDelay: event.timeout } : NOTHING,
  noteSpent: ({ lastError }, event) =>
    event.type === 'spent' ? { lastError: event.reason ?? lastError } : NOTHING,
} as const satisfies Record<string, Note>
