/** The events whose way is counted, and the counts. */

export const EVENTS = [
  'WebSocket: a frame comes',
  'WebSocket: wsSend',
  'HTTP/1.1: a whole GET',
  'HTTP/1.1: a chunk of a body comes',
  'HTTP/1.1: data',
  'HTTP/2: a whole GET',
  'HTTP/2: a chunk of a body comes',
  'HTTP/2: data',
] as const
export type Event = (typeof EVENTS)[number]

/** Of all packages, and of the client's alone. */
export const COUNTED = ['files', 'functions', 'files of gun', 'functions of gun'] as const
export type Counts = Readonly<Record<(typeof COUNTED)[number], number>>

export type Answer = Readonly<Record<Event, Counts>>
