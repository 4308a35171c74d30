/** The page of one process. */

import { connections } from '@holster/gun'
import { supervisors } from '@holster/otp/internal'
import {
  type TraceEvent as Happened,
  type MessageWaits,
  type Process,
  processInfo,
  trace,
} from '@holster/process'
import { showMailbox } from '@holster/process/internal'
import type { Censuses } from '../measuring/census.js'
import { processOf, refOf } from '../naming/refs.js'
import { textOfReason } from '../naming/texts.js'
import type { ProcessPage, Ref, TraceEvent } from '../words.js'
import { printHappening } from './connection-events.js'
import { Ear } from './ear.js'
import { finite } from './finite.js'
import type { Looking, ViewOf } from './looking.js'
import { Commands } from './process-commands.js'
import { printHappened } from './process-events.js'
import { rowOf } from './processes.js'

/** The most messages of the mailbox that are shown. */
const MESSAGES = 50
/** The most events that are shown. */
const EVENTS = 100
/** The most events between two looks. */
const LIMITS = { kept: EVENTS, heard: EVENTS }
/** The most links, monitors, connections, waits and timers that are shown. */
const REFS = 200

/** Opens the page. Throws an Error if there is no such process. */
export function lookAtProcess({ id }: ViewOf<'process'>, censuses: Censuses): Looking<'process'> {
  const process = processOf({ id })
  const ear = new Ear<Happened>(hear => trace(process, hear), LIMITS)
  const commands = new Commands(process)
  let recent: readonly TraceEvent[] = []
  return {
    show() {
      const owned = connections().flatMap(({ connPid, owner }) => (owner === process ? [connPid] : []))
      commands.follow(owned)
      const messages = ear.take()
      const sent = commands.take()
      const news = [...messages.items.map(printHappened), ...sent.items.map(printHappening)]
      if (news.length > 0) recent = [...recent, ...news].sort((a, b) => a.at - b.at).slice(-EVENTS)
      const isSampled = messages.isSampled || sent.isSampled
      return { ...pageOf(process, censuses), owns: owned.slice(0, REFS).map(refOf), recent, isSampled }
    },
    close() {
      ear.close()
      commands.close()
    },
  }
}

function pageOf(
  process: Process<never>,
  censuses: Censuses,
): Omit<ProcessPage, 'owns' | 'recent' | 'isSampled'> {
  const info = processInfo(process)
  const { exitReason, highWaterMark, status, trapExit, waitsFor, timers, spawnedAt } = info
  return {
    ...rowOf(process, censuses),
    exitReason: status === 'exited' ? textOfReason(exitReason) : undefined,
    messageWaits: info.messageWaits && figuresOf(info.messageWaits),
    trapExit,
    waits: waitsFor
      .slice(0, REFS)
      .map(({ patterns, timeout, since }) => ({ patterns, timeout: finite(timeout), since })),
    mailbox: showMailbox(process, MESSAGES),
    mark: { messages: finite(highWaterMark.messages), bytes: finite(highWaterMark.bytes) },
    pressesOn: info.pressesOn.map(refOf).map(asConnection),
    linksTo: refsOf(info.links),
    monitors: refsOf(info.monitors),
    monitoredBy: refsOf(info.monitoredBy),
    supervisor: supervisorOf(process, new Set(info.links)),
    timers: timers.slice(0, REFS),
    spawnedAt,
  }
}

function figuresOf({ messages, last, median, p99, longest }: MessageWaits): ProcessPage['messageWaits'] {
  return messages === 0 ? undefined : { last, median, p99, longest }
}

function refsOf(targets: readonly unknown[]): readonly Ref[] {
  return targets.slice(0, REFS).map(refOf)
}

/** Connections that are pressed on come as text. */
function asConnection(ref: Ref): Ref {
  const [id] = /^#Conn<\d+/.exec(ref.id) ?? []
  return id === undefined ? ref : { ...ref, kind: 'connection', id: `${id}>` }
}

function supervisorOf(process: Process<never>, links: ReadonlySet<unknown>): Ref | undefined {
  for (const { pid, children } of supervisors()) {
    if (!links.has(pid)) continue
    for (const child of children) if (child.pid === process) return refOf(pid)
  }
  return undefined
}
