/** The reports of all that goes wrong in a tree of processes, which go to one hook, and to the subscribers of one channel. */

import { channel } from 'node:diagnostics_channel'
import { reportRejection, reportThrown } from '@holster/process/internal'

/** Tells that a server ends for a reason that is not orderly. */
export interface CrashReport {
  /** The tag by which a `switch` tells reports apart. */
  readonly type: 'crash'
  /** The process of the server. */
  readonly pid: unknown
  /** Why the server ends. */
  readonly reason: unknown
  /** The message that the server was handling; `undefined` if it was handling none. */
  readonly lastMessage: unknown
  /** The state of the server at that moment; `undefined` before `init` has made it. */
  readonly state: unknown
}

/** Tells that a child of a supervisor has ended, or could not be started, or was not ended as it was to be. */
export interface ChildReport {
  /** The tag by which a `switch` tells reports apart. */
  readonly type: 'child_terminated' | 'start_error' | 'shutdown_error'
  /** The process of the supervisor. */
  readonly supervisor: unknown
  /** The id of the child's spec. */
  readonly id: string
  /** The child; `undefined` if it was not started. */
  readonly pid: unknown
  /** Why the child ended, or could not be started. */
  readonly reason: unknown
}

/** Tells that a supervisor ends by itself. */
export interface ShutdownReport {
  /** The tag by which a `switch` tells reports apart. */
  readonly type: 'shutdown'
  /** The process of the supervisor. */
  readonly supervisor: unknown
  /** The id of the child whose end brought it about. */
  readonly id: string
  /** `'reached_max_restart_intensity'`, or `'significant_child'`. */
  readonly reason: unknown
}

/** Tells that a message was dropped. */
export interface UnexpectedReport {
  /** The tag by which a `switch` tells reports apart. */
  readonly type: 'unexpected'
  /** The process that was sent the message. */
  readonly pid: unknown
  /** The message. */
  readonly message: unknown
}

/** Tells that a child was started. */
export interface ProgressReport {
  /** The tag by which a `switch` tells reports apart. */
  readonly type: 'progress'
  /** The process of the supervisor. */
  readonly supervisor: unknown
  /** The id of the child's spec. */
  readonly id: string
  /** The child. */
  readonly pid: unknown
}

/**
 * A report of a server or a supervisor.
 *
 * | type | tells |
 * | --- | --- |
 * | `'crash'` | a server ends for a reason that is not orderly; `lastMessage` and `state` are those of that moment |
 * | `'child_terminated'` | a child of a supervisor has ended, and the supervisor had not asked it to |
 * | `'start_error'` | a child could not be started, for that reason |
 * | `'shutdown_error'` | a child has ended otherwise than its supervisor had asked it to |
 * | `'shutdown'` | a supervisor ends: `reason` is `'reached_max_restart_intensity'`, or `'significant_child'` |
 * | `'progress'` | a child was started |
 * | `'unexpected'` | a supervisor, or a server without `handleInfo`, was sent a message that it does not know, and has dropped it |
 *
 * Source: the reports of `supervisor`, `gen_server` and `proc_lib` to Erlang's logger.
 */
export type Report = CrashReport | ChildReport | ShutdownReport | UnexpectedReport | ProgressReport

/** Gets each report as it is made, before anything else happens to the process that it is about. */
export type ReportHook = (report: Report) => void

let hook: ReportHook | undefined

/** The channel for those who look on without a claim to the hook. */
const reports = channel('holster:otp:report')

/**
 * Sets the hook that gets all reports, and gives the one that was set before. While it is `undefined`, which is the default,
 * reports are dropped: a reason that nobody handles still goes to the exit hook of `@holster/process`. An error that the hook
 * throws, or rejects with, goes to the exit hook. Throws a TypeError unless `next` is a function or `undefined`. Source: handlers
 * of Erlang's `logger`.
 *
 * Whether or not there is a hook, the channel `holster:otp:report` of `node:diagnostics_channel` gets each report before the hook does.
 * An error that a subscriber throws is handled by Node, as an uncaught exception in a later tick.
 */
export function setReportHook(next: ReportHook | undefined): ReportHook | undefined {
  if (next !== undefined && typeof next !== 'function') throw new TypeError('hook must be a function')
  const previous = hook
  hook = next
  return previous
}

/** Hands a report to the subscribers of the channel, and to the hook. Never throws. */
export function tell(report: Report): void {
  if (reports.hasSubscribers) reports.publish(report)
  if (hook === undefined) return
  try {
    reportRejection(hook, hook(report))
  } catch (error) {
    reportThrown(hook, error)
  }
}

/** Whether the program has set a hook. */
export function hasReportHook(): boolean {
  return hook !== undefined
}
