/** A report becomes lines that a person can read: who, why with all causes, and what was left in the mailbox. */

import { inspect } from 'node:util'
import { Process, processInfo } from '@holster/process'
import { type PrintLimits, print } from '@holster/process/internal'
import type { Report } from '../reports.js'

const LIMITS: PrintLimits = { text: 200, message: 300, entries: 20, depth: 4, absent: false }

/**
 * Gives the lines in which `application.run` logs a report; `undefined` for one that it does not log, which are those of progress. A crash
 * has the id of the child, its pid with its name and label, the reason with the chain of its causes, and the messages that were left.
 * Values whose names mark them as secret are left out.
 */
export function format(report: Report): string | undefined {
  switch (report.type) {
    case 'progress':
      return undefined
    case 'crash':
      return [
        `${shown(report.pid)} crashed: ${reasonOf(report.reason)}`,
        `  last message: ${printed(report.lastMessage)}`,
        `  state: ${printed(report.state)}`,
        ...mailboxOf(report.pid),
      ].join('\n')
    case 'child_terminated':
      return [
        `child '${report.id}' of ${shown(report.supervisor)}, ${shown(report.pid)}, ended: ${reasonOf(report.reason)}`,
        ...mailboxOf(report.pid),
      ].join('\n')
    case 'start_error':
      return `child '${report.id}' of ${shown(report.supervisor)} could not be started: ${reasonOf(report.reason)}`
    case 'shutdown_error':
      return `child '${report.id}' of ${shown(report.supervisor)}, ${shown(report.pid)}, did not shut down in order: ${reasonOf(report.reason)}`
    case 'unexpected':
      return `${shown(report.pid)} has dropped a message that it does not know: ${printed(report.message)}`
    case 'shutdown':
      return `${shown(report.supervisor)} ends because of its child '${report.id}': ${printed(report.reason)}`
  }
}

/** Gives the lines for a process that ended for `reason`, which no report of a server or a supervisor tells of. */
export function formatExit(pid: unknown, reason: unknown): string {
  return [`${shown(pid)} ended: ${reasonOf(reason)}`, ...mailboxOf(pid)].join('\n')
}

function printed(value: unknown): string {
  try {
    return print(value, LIMITS)
  } catch {
    // A getter has thrown.
    return 'a value that cannot be shown'
  }
}

function shown(pid: unknown): string {
  const label = pid instanceof Process ? pid.label : undefined
  return label === undefined ? printed(pid) : `${printed(pid)} (${label})`
}

/** Shows a reason; of an error its stack and those of its causes, as Node does. */
function reasonOf(reason: unknown): string {
  if (!(reason instanceof Error)) return printed(reason)
  try {
    return inspect(reason)
  } catch {
    return `${reason.name}: ${reason.message}`
  }
}

function mailboxOf(pid: unknown): string[] {
  if (!(pid instanceof Process)) return []
  const { messages } = processInfo(pid)
  return messages.length === 0 ? [] : ['  left in its mailbox:', ...messages.map(message => `    ${message}`)]
}
