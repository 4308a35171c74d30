/**
 * The words between an observer and whoever looks at it: JSON over one WebSocket. A viewer watches views; the observer shows each of them
 * at once, and again when it has changed. Times are milliseconds since 1970, durations milliseconds, sizes bytes.
 */

import type {
  ConnectionPage,
  ConnectionRow,
  Nodes,
  Overview,
  PoolRow,
  ProcessPage,
  ProcessRow,
  Table,
  TraceEvent,
  Tree,
} from './rows.js'

export type * from './rows.js'

/** The version of these words, which both sides must have in common. */
export const VERSION = 1

/** The path of the WebSocket. */
export const SOCKET_PATH = '/observe'

/** The path of the greeting: a `GET` gives a `Hello` as JSON, or the status 401 without the token. */
export const HELLO_PATH = '/hello'

/** The subprotocol of the WebSocket. A page, which cannot set headers, offers the token as a second one: `token.` and the token in base64url. */
export const SUBPROTOCOL = 'holster.observer'

// What a viewer says:

/** A message of a viewer. */
export type Asked =
  /** Shows a view from now on. The same `id` again replaces the view, so that a table scrolls. */
  | { readonly type: 'watch'; readonly id: number; readonly view: View }
  /** Shows it no more. */
  | { readonly type: 'unwatch'; readonly id: number }
  /** Asks for an action; the answer is a `confirm`, and nothing has happened yet. */
  | { readonly type: 'act'; readonly id: number; readonly action: Action }
  /** Says yes to a `confirm`; the answer is a `done`. */
  | { readonly type: 'confirm'; readonly id: number; readonly ticket: string }

/** The rows that a table is to show. */
export interface Range {
  /** The node whose rows are shown; `undefined`: those of all nodes. */
  readonly node?: string | undefined
  /** Text that a row must contain, whatever the case; empty: all rows. */
  readonly filter: string
  /** The name of the field by which the rows are sorted. */
  readonly order: string
  readonly descending: boolean
  /** How many rows come before the first that is shown. */
  readonly offset: number
  /** How many rows are shown at most. */
  readonly limit: number
}

/** One thing that is looked at: a process or a connection of a node. */
export interface Subject {
  readonly kind: 'process' | 'connection'
  readonly node: string
  /** As it prints: `#Process<12>`, `#Conn<3>`. */
  readonly id: string
}

/** A view, each with the value that shows it. */
export interface Views {
  overview: { readonly params: { readonly node?: string | undefined }; readonly value: Overview }
  processes: { readonly params: Range; readonly value: Table<ProcessRow> }
  process: { readonly params: Subject; readonly value: ProcessPage }
  tree: { readonly params: { readonly node?: string | undefined }; readonly value: Tree }
  connections: { readonly params: Range; readonly value: Table<ConnectionRow> }
  connection: { readonly params: Subject; readonly value: ConnectionPage }
  pools: {
    readonly params: { readonly node?: string | undefined }
    readonly value: { readonly pools: readonly PoolRow[] }
  }
  nodes: { readonly params: object; readonly value: Nodes }
  /** Shown once, with how it goes on; its events come as `Events`. */
  trace: { readonly params: TraceParams; readonly value: TraceState }
}

/** The name of a view. */
export type ViewName = keyof Views

/** A view with its parameters. */
export type View = { [Name in ViewName]: { readonly name: Name } & Views[Name]['params'] }[ViewName]

/** The choice of what is traced. */
export interface TraceParams {
  readonly subject: Subject
  /** A pattern as `receive` takes it, in JSON5; handles are written as they print. Empty: all messages. */
  readonly filter: string
  /** How many events are shown before the trace ends. */
  readonly limit: number
}

/** An action, which the program must have allowed. */
export type Action =
  /** Sends an exit signal; `reason` is text. */
  | { readonly type: 'exit'; readonly subject: Subject; readonly reason: string }
  /** Ends a connection, at once or in order. */
  | { readonly type: 'close' | 'shutdown'; readonly subject: Subject }
  /** Sends a message, in JSON5, to a process. */
  | { readonly type: 'send'; readonly subject: Subject; readonly message: string }
  /** Takes a heap snapshot of a node. */
  | { readonly type: 'heap_snapshot'; readonly node: string }

// What an observer says:

/** The first words. */
export interface Hello {
  readonly type: 'hello'
  readonly version: number
  /** The name of the observer's node; `nonode@nohost` if it is none. */
  readonly node: string
  /** The process of the operating system. */
  readonly pid: number
  /** The script that runs. */
  readonly program: string
  readonly allowActions: boolean
  /** When the observer was started. */
  readonly since: number
  /** The program's time, from which that of the viewer may differ. */
  readonly now: number
}

/** A message of an observer. */
export type Told =
  | Hello
  | Shown
  | Events
  /** Comes every two seconds: a program that is stopped, or blocked, says nothing. */
  | { readonly type: 'beat' }
  /** A view cannot be shown, or an action not be done; a view is tried again. */
  | { readonly type: 'failed'; readonly id: number; readonly text: string }
  /** Asks whether the action is meant; the ticket holds for a minute. */
  | { readonly type: 'confirm'; readonly id: number; readonly ticket: string; readonly question: string }
  /** The action is done. A heap snapshot waits at `download` to be fetched once, with the token as a bearer. */
  | { readonly type: 'done'; readonly id: number; readonly text: string; readonly download?: string }

/** The value of a view. */
export interface Shown<Name extends ViewName = ViewName> {
  readonly type: 'shown'
  readonly id: number
  readonly value: Views[Name]['value']
  /** How long passes until the view is looked at again; more than usual where looking takes long, so that the program is not slowed. */
  readonly every: number
}

/** Events of a trace, the oldest first. */
export interface Events {
  readonly type: 'events'
  readonly id: number
  readonly events: readonly TraceEvent[]
  readonly state: TraceState
}

/** How a trace goes. */
export interface TraceState {
  /** How many events were shown. */
  readonly shown: number
  /** Whether more came than could be heard without slowing the program, so that some are missing. */
  readonly isSampled: boolean
  /** Whether the trace has ended: its limit is reached, or what was traced has ended. */
  readonly isOver: boolean
  /** Why it has ended, in words. */
  readonly text: string | undefined
}
