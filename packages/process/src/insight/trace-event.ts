/** An event of a trace says when what happened to which process. */

import type { MonitorTarget } from '../exits/exit.js'
import type {
  TracedCall,
  TracedExit,
  TracedFlush,
  TracedLink,
  TracedMessage,
  TracedMonitor,
  TracedReply,
} from '../mailbox/happening.js'

/** The facts that every event of a trace tells. */
export interface Traced {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'trace'
  /** The process that is traced. */
  readonly pid: MonitorTarget
  /** The time in milliseconds since 1970, with fractions. */
  readonly at: number
}

/** An event of a traced process; `event` says which. Source: the trace messages of `erlang:trace/3`. */
export type TraceEvent = Traced &
  (
    | TracedMessage
    | TracedFlush
    | TracedCall
    | TracedReply
    | TracedMonitor<MonitorTarget>
    | TracedLink<MonitorTarget>
    | TracedExit
  )
