/** The facts about a process, for people who look for one that is stuck. */

import type { ExitReason } from '../exit-reason.js'
import type { MonitorTarget } from '../exits/exit.js'
import type { HighWaterMark } from '../mailbox/high-water-mark.js'
import type { Wait } from '../mailbox/mailbox.js'
import { inside, living, Process, SHOWN } from '../process.js'
import { nameOf, type Registrable } from '../registry.js'
import { type MessageWaits, messageWaitsOf, oldestOf } from './message-waits.js'

/** The facts that `processInfo` gives about a process. Source: `erlang:process_info/2`. */
export interface ProcessInfo {
  /** `#Process<12>`; unique within this program. */
  readonly id: string
  /** The name under which the process is registered, or was at its exit. */
  readonly name: string | undefined
  /** The label that the process has set. */
  readonly label: string | undefined
  /** `'waiting'` while a receive or a call waits, `'exited'` after the exit, otherwise `'running'`. */
  readonly status: 'running' | 'waiting' | 'exited'
  /** Why the process exited; `undefined` while it lives. */
  readonly exitReason: ExitReason
  /** The patterns and timeouts of the receives and calls that wait, the earliest first. */
  readonly waitsFor: readonly Wait[]
  /** How many messages wait in the mailbox. */
  readonly messageQueueLength: number
  /** How many bytes the waiting messages hold, as the connections count them that delivered them. */
  readonly messageQueueBytes: number
  /** How long messages have waited in the mailbox; `undefined` unless they are measured: see `measureMessageWaits`. */
  readonly messageWaits: MessageWaits | undefined
  /**
   * Since when the oldest message waits, in milliseconds since 1970, to a second, or where many wait to a small part of its age; `undefined` if
   * none waits, if nobody measures, and if it came before anybody did.
   */
  readonly oldestMessageSince: number | undefined
  /**
   * The oldest five of the waiting messages, each in one line, shortened, and without values whose names mark them as secret. A process
   * that has exited for a reason that is not orderly shows those that were left then.
   */
  readonly messages: readonly string[]
  /** How much may wait before the connections are paused that deliver here. */
  readonly highWaterMark: Required<HighWaterMark>
  /** The connections that are paused since too much waits in the mailbox, each in one line. */
  readonly pressesOn: readonly string[]
  /** The targets to which the process is linked. */
  readonly links: readonly MonitorTarget[]
  /** The targets that the process monitors, or the names by which it does; a target as often as it is monitored. */
  readonly monitors: readonly (MonitorTarget | string)[]
  /** The processes that monitor this one, or wait for a reply; one of them as often as it does. */
  readonly monitoredBy: readonly unknown[]
  /** Whether exit signals arrive as messages. */
  readonly trapExit: boolean
  /** The milliseconds that the timers of the process have left. */
  readonly timers: readonly number[]
  /** The stack of the process's birth; `undefined` unless `recordSpawns` was on. */
  readonly spawnedAt: string | undefined
}

/**
 * Gives the processes of this program that have not exited, oldest first. Being listed keeps no process alive: one that nothing can
 * reach, and that waits for what nobody can send, is collected as if it were not listed. Source: `erlang:processes/0`.
 */
export function processes(): Process<never>[] {
  return living.list()
}

/**
 * Describes a process, also one that has exited. No record is kept for this while nobody asks. Throws a TypeError unless `pid` is
 * a process. Source: `erlang:process_info/1`.
 */
export function processInfo(pid: Registrable): ProcessInfo {
  if (!(pid instanceof Process)) throw new TypeError('pid must be a process')
  const { mailbox, links, monitors, watchers, timers, reason, stack, left } = pid[inside]()
  const { waits } = mailbox
  const oldest = oldestOf(pid)
  return {
    id: pid.id,
    name: nameOf(pid),
    label: pid.label,
    status: pid.isAlive ? (waits.length > 0 ? 'waiting' : 'running') : 'exited',
    exitReason: reason,
    waitsFor: waits,
    messageQueueLength: mailbox.length,
    messageQueueBytes: mailbox.bytes,
    messageWaits: messageWaitsOf(pid),
    oldestMessageSince: oldest?.isEarlier === false ? oldest.since : undefined,
    messages: left ?? mailbox.show(SHOWN),
    highWaterMark: mailbox.mark,
    pressesOn: mailbox.paused.map(String),
    links: [...(links?.keys() ?? [])],
    monitors: monitors?.targets ?? [],
    monitoredBy: watchers?.monitoredBy ?? [],
    trapExit: pid.trapExit,
    timers: [...(timers?.running ?? [])].map(({ left }) => left),
    spawnedAt: stack,
  }
}
