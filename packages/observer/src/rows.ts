/** The contents of the views: rows of tables, pages of one, and their parts, as JSON carries them. Times, durations and sizes are those of `words`. */

/** Names something that can be clicked on, if it is a process or a connection. */
export interface Ref {
  readonly kind: 'process' | 'connection' | 'actor' | 'name' | 'other'
  readonly node: string
  readonly id: string
  /** The id with its name or label, as in `#Process<12> (feed)`. */
  readonly text: string
}

/** A part of a long list. */
export interface Table<Row> {
  /** How many rows there are. */
  readonly total: number
  /** How many of them contain the filter. */
  readonly matching: number
  readonly offset: number
  readonly rows: readonly Row[]
  /** Says in words where not all that matches can be reached, as with very many rows of several nodes. */
  readonly note: string | undefined
}

/** The measures of one moment. */
export interface Sample {
  readonly at: number
  readonly processes: number
  readonly connections: number
  /** Messages sent to processes, a second; `null` while nobody looked, since they are counted only then. */
  readonly messages: number | null
  /**
   * The wait that 99 of 100 messages did not exceed that were taken since the sample before; `null` while nobody looked, since it is
   * measured only then, and where none was taken.
   */
  readonly wait: number | null
  /** Messages that wait in all mailboxes. */
  readonly backlog: number
  readonly heap: number
  /** The longest delay of the event loop since the sample before. */
  readonly delay: number
  /** The part of one core that the program has used, 0 to 1 or more. */
  readonly cpu: number
}

/** Something that stands out, in words. */
export interface Finding {
  readonly kind:
    | 'over_mark'
    | 'long_wait'
    | 'slow_mailbox'
    | 'failing'
    | 'paused'
    | 'restarts'
    | 'crash'
    | 'event_loop'
  readonly level: 'warning' | 'note'
  readonly text: string
  /** Since when. */
  readonly since: number | undefined
  readonly about: Ref | undefined
}

export interface Overview {
  readonly node: string
  readonly pid: number
  readonly nodeVersion: string
  readonly program: string
  readonly since: number
  readonly processes: number
  readonly waiting: number
  readonly connections: number
  readonly connectionsUp: number
  readonly pools: number
  readonly supervisors: number
  /** The samples that are new to the viewer, the oldest first: at first those of the last ten minutes, then those since. */
  readonly samples: readonly Sample[]
  readonly findings: readonly Finding[]
}

export interface ProcessRow {
  readonly node: string
  readonly id: string
  readonly name: string | undefined
  readonly label: string | undefined
  readonly status: 'running' | 'waiting' | 'exited'
  /** The patterns of the earliest receive that waits, in one line. */
  readonly waitsFor: string
  /** Since when it waits, to the second; `undefined`: since before the observer was started. */
  readonly waitsSince: number | undefined
  readonly messages: number
  readonly bytes: number
  readonly isOverMark: boolean
  /** Since when the oldest message waits, to a second; `undefined`: none does. */
  readonly oldestSince: number | undefined
  /** Whether it may have waited for longer than that, as nobody looked when it came. */
  readonly isOlder: boolean
  /** The wait that 99 of 100 messages did not exceed that were taken since somebody looks; `undefined`: none was. */
  readonly waited: number | undefined
  readonly links: number
}

export interface ProcessPage extends ProcessRow {
  readonly exitReason: string | undefined
  /** How long the messages have waited that were taken since somebody looks; `undefined`: none was. */
  readonly messageWaits:
    | {
        readonly last: number
        readonly median: number
        readonly p99: number
        readonly longest: number
      }
    | undefined
  readonly trapExit: boolean
  /** The receives and calls that wait, the earliest first. */
  readonly waits: readonly {
    readonly patterns: readonly string[]
    /** Until it gives up; `null`: never. */
    readonly timeout: number | null
    readonly since: number | undefined
  }[]
  /** The oldest messages in the mailbox, each in one line, secrets left out. */
  readonly mailbox: readonly string[]
  /** `null` stands for no limit. */
  readonly mark: { readonly messages: number | null; readonly bytes: number | null }
  readonly pressesOn: readonly Ref[]
  readonly linksTo: readonly Ref[]
  readonly monitors: readonly Ref[]
  readonly monitoredBy: readonly Ref[]
  /** The connections that it owns. */
  readonly owns: readonly Ref[]
  /** The supervisor of which it is a child. */
  readonly supervisor: Ref | undefined
  /** The time that the timers have left. */
  readonly timers: readonly number[]
  /** The stack of its birth; `undefined` unless `recordSpawns` was on. */
  readonly spawnedAt: string | undefined
  /** The events since the viewer looks, the newest last, at most 100. */
  readonly recent: readonly TraceEvent[]
  /** Whether more has happened since the last look than could be heard without slowing the program. */
  readonly isSampled: boolean
}

/** A message or another event of a process or a connection. */
export interface TraceEvent {
  readonly at: number
  /** Such as `send` (a message came in), `receive` (it was taken), `call`, `reply`, `link`, `exit`, `gun_ws`, `wsSendFrameEnd`. */
  readonly event: string
  /** Whether something came to it or went out from it. */
  readonly direction: 'in' | 'out' | 'none'
  /** The message in one line, secrets left out. */
  readonly text: string
}

export interface TreeNode {
  /** The id of the child spec; a root has its name, or its pid. */
  readonly id: string
  readonly ref: Ref | undefined
  readonly type: 'supervisor' | 'worker'
  readonly state: 'running' | 'restarting' | 'stopped'
  /** Such as `one_for_one`; only of a supervisor. */
  readonly strategy: string | undefined
  /** How often it was started anew since the observer looks. */
  readonly restarts: number
  readonly restartedAt: number | undefined
  /** Why it ended last. */
  readonly lastReason: string | undefined
  readonly children: readonly TreeNode[]
  /** How many children are left out, as there are very many. */
  readonly omitted: number
}

export interface Tree {
  readonly node: string
  readonly roots: readonly TreeNode[]
  /** The latest reports of supervisors and servers, the newest first. */
  readonly reports: readonly {
    readonly at: number
    readonly type: string
    readonly text: string
    readonly about: Ref | undefined
  }[]
}

export interface ConnectionRow {
  readonly node: string
  readonly id: string
  readonly state: string
  /** Such as `wss://host:443`, `http://host`, or the path of a Unix socket. */
  readonly origin: string
  readonly protocol: string
  readonly openedAt: number
  /** How many attempts to connect have been made. */
  readonly attempts: number
  /** How many attempts have failed in a row. */
  readonly failures: number
  readonly streams: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly framesIn: number
  readonly framesOut: number
  /** Bytes that wait to be sent. */
  readonly unsent: number
  readonly isPaused: boolean
  readonly owner: Ref
  readonly lastError: string | undefined
}

export interface ConnectionPage extends ConnectionRow {
  /** The states of the machine that it is in, each as a path: `connected`, `connected.connected`, … */
  readonly states: readonly string[]
  /** The proxies in between, the nearest first. */
  readonly via: readonly string[]
  readonly address: string | undefined
  /** How many attempts may still follow; `null`: any number. */
  readonly retriesLeft: number | null
  /** The processes whose mailboxes press back on it. */
  readonly pressedBy: readonly Ref[]
  readonly streamList: readonly StreamRow[]
  /** The events since the viewer looks, the oldest first. */
  readonly timeline: readonly Span[]
  /** Whether more has happened since the last look than could be heard without slowing the program. */
  readonly isSampled: boolean
}

export interface StreamRow {
  readonly id: string
  readonly kind: 'request' | 'websocket' | 'tunnel'
  readonly text: string
  readonly state: string
  /** Messages still wanted; `null`: any number. */
  readonly flow: number | null
  readonly unsent: number
  readonly replyTo: Ref
}

/** A bar, or a point, of a timeline. */
export interface Span {
  /** Different for each span of the page, and the same when a span is told again with its end. */
  readonly key: number
  /** `connection`, or the stream's id. */
  readonly lane: string
  /** Such as `look-up`, `connect`, `TLS`, `request`, `response`, `frame in`, `frame out`, `state`. */
  readonly name: string
  readonly from: number
  /** `undefined`: it goes on. The same as `from` for a point. */
  readonly to: number | undefined
  readonly text: string
  readonly failed: boolean
}

export interface PoolRow {
  readonly node: string
  readonly id: string
  readonly authority: string
  readonly scope: string
  readonly state: string
  readonly size: number
  readonly up: number
  readonly streams: number
  /** Callers that wait. */
  readonly waiting: number
  readonly lastError: string | undefined
}

export interface Nodes {
  readonly nodes: readonly NodeRow[]
  readonly links: readonly LinkRow[]
}

export interface NodeRow {
  readonly node: string
  /** Whether it is the observer's own. */
  readonly isHere: boolean
  /** `undefined` once it can be looked into; otherwise why not. */
  readonly problem: string | undefined
  readonly pid: number | undefined
  readonly threadId: number | undefined
  /** The last sample. */
  readonly sample: Sample | undefined
}

/** The link from one node to another, as the first sees it. */
export interface LinkRow {
  readonly from: string
  readonly to: string
  /** `threads`, `nats`, or the carrier's own name. */
  readonly carrier: string
  readonly since: number
  /** Packets sent and received. */
  readonly sent: number
  readonly received: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Bytes that are under way, out of `window`; what is over the window waits. */
  readonly underWay: number
  readonly waiting: number
  readonly window: number
}
