/** The errors of a supervisor's functions have the words of OTP as their codes. */

import { CallError, type ExitReason, type MonitorTarget } from '@holster/process'
import { makeErrorPortable } from '@holster/process/internal'

/**
 * Why a function of a supervisor has failed.
 *
 * | code | tells |
 * | --- | --- |
 * | `'not_found'` | no child has that id, or is that pid |
 * | `'running'` | the child is running |
 * | `'restarting'` | the supervisor is about to start the child anew |
 * | `'already_present'` | there is a child of that id, which does not run |
 * | `'already_started'` | there is a child of that id, or a process of that name: `pid` |
 * | `'max_children'` | there are as many children as `maxChildren` allows |
 * | `'simple_one_for_one'` | a supervisor of that strategy knows its children by their pids, and starts none of them on demand |
 * | `'bad_combination'` | the child is significant, and `autoShutdown` is `'never'` |
 * | `'failed_to_start_child'` | a child could not be started, for `reason` |
 * | `'ended'` | the supervisor has ended, for `reason`, before all its children had started |
 */
export type SupervisorErrorCode =
  | 'not_found'
  | 'running'
  | 'restarting'
  | 'already_present'
  | 'already_started'
  | 'max_children'
  | 'simple_one_for_one'
  | 'bad_combination'
  | 'failed_to_start_child'
  | 'ended'

/** The answer of a supervisor to a request that it cannot fulfil. */
export interface Failure {
  readonly code: SupervisorErrorCode
  readonly id?: string | undefined
  readonly pid?: MonitorTarget | undefined
  readonly reason?: ExitReason
}

const TELLS: Readonly<Record<SupervisorErrorCode, (id: string) => string>> = {
  not_found: id => `there is no child ${id}`,
  running: id => `the child ${id} is running`,
  restarting: id => `the child ${id} is about to be started anew`,
  already_present: id =>
    `there is a child ${id} already, which does not run: call restartChild or deleteChild`,
  already_started: id => `${id} has been started already`,
  max_children: () => 'there are as many children as maxChildren allows',
  simple_one_for_one: () =>
    "a supervisor of the strategy 'simple_one_for_one' knows its children by their pids, and starts none on demand",
  bad_combination: id => `the child ${id} must not be significant where autoShutdown is 'never'`,
  failed_to_start_child: id => `the child ${id} could not be started`,
  ended: () => 'the supervisor has ended before all its children had started',
}

/** The error of a function of a supervisor. Source: the `{error, …}` of the functions of `supervisor`. */
export class SupervisorError extends Error {
  /** `'SupervisorError'`. */
  override readonly name = 'SupervisorError'
  /** Why the function has failed. */
  readonly code: SupervisorErrorCode
  /** The id of the child. */
  readonly id: string | undefined
  /** The child, or the process, that has been started already. */
  readonly pid: MonitorTarget | undefined
  /**
   * The reason as OTP gives it: where a child could not be started, that of `startChild` and `restartChild` is what its `start` threw,
   * and that of `startLink` is `['shutdown', ['failed_to_start_child', id, reason]]`; `['already_started', pid]`; the exit reason of a
   * supervisor that has ended; otherwise the code.
   */
  readonly reason: ExitReason

  /** @internal */
  constructor({ code, id, pid, reason }: Failure) {
    const why = code === 'failed_to_start_child' || code === 'ended' ? `: ${describe(reason)}` : ''
    const cause = causeOf(reason)
    super(
      `${TELLS[code](id === undefined ? String(pid) : `'${id}'`)}${why}`,
      cause === undefined ? {} : { cause },
    )
    this.code = code
    this.id = id
    this.pid = pid
    this.reason = reason ?? (code === 'already_started' ? [code, pid] : code)
  }
}

makeErrorPortable(SupervisorError, 'SupervisorError')

/** Gives the reason why a child could not be started, from the error that its `start` has thrown. */
export function reasonOf(error: unknown): ExitReason {
  return error instanceof SupervisorError ? error.reason : error
}

/** Gives the error within a reason, if there is one. */
function causeOf(reason: ExitReason): Error | undefined {
  if (reason instanceof Error) return reason
  return Array.isArray(reason) ? causeOf(reason.at(-1)) : undefined
}

function describe(reason: ExitReason): string {
  if (Array.isArray(reason)) return reason.map(describe).join(' ')
  if (reason instanceof Error) return reason.message
  return String(reason)
}

/** Whether a call has failed since its callee has ended for `reason`. */
export function isEndFor(error: unknown, reason: ExitReason): boolean {
  return error instanceof CallError && Object.is(error.reason, reason) && reason !== 'timeout'
}

/** Whether `reason` tells of a process that has been started already. */
export function isAlreadyStarted(reason: ExitReason): reason is ['already_started', MonitorTarget] {
  return Array.isArray(reason) && reason[0] === 'already_started'
}
