/** The page of one process or connection as lines, some of which lead to another page. */

import type { ConnectionPage, ProcessPage, Ref, StreamRow, Subject, TraceEvent } from '../words.js'
import { type Line, type Look, type Piece, piece } from './line.js'
import { duration, short, size } from './numbers.js'

/** A line, with what it leads to. */
export interface PageLine {
  readonly line: Line
  readonly target?: Subject
}

/** How many messages of a mailbox are shown. */
const MAILBOX = 10
/** How many spans of a connection's past are shown, and how wide their bars are. */
const SPANS = 100
const NAMES = 16

/** The lines of a process. */
export function processLines(page: ProcessPage, now: number): readonly PageLine[] {
  const { id, name, label, status, exitReason, messages, bytes, isOverMark, mark, waits, mailbox } = page
  const title = [id, name, label].filter(Boolean).join('  ')
  const limits = [
    ...(mark.messages === null ? [] : [`${mark.messages} messages`]),
    ...(mark.bytes === null ? [] : [size(mark.bytes)]),
  ]
  const most = limits.length === 0 ? 'no mark' : `mark ${limits.join(', ')}`
  return [
    {
      line: [piece(title, 'bold'), piece(`  ${status}${exitReason === undefined ? '' : `: ${exitReason}`}`)],
    },
    fact('Node', page.node),
    ...waits.flatMap(({ patterns, timeout, since }) => [
      fact('Waits for', waitText(timeout, since, now)),
      ...patterns.map(pattern => item(pattern)),
    ]),
    fact(
      'Mailbox',
      `${short(messages)} messages, ${size(bytes)}; ${most}${isOverMark ? '; over its mark' : ''}`,
      isOverMark ? 'warning' : 'plain',
    ),
    ...(page.oldestSince === undefined
      ? []
      : [fact('Oldest', `${page.isOlder ? 'more than ' : ''}${duration(now - page.oldestSince)} old`)]),
    ...(page.messageWaits === undefined ? [] : [fact('Waited', waitedText(page.messageWaits))]),
    ...mailbox.slice(0, MAILBOX).map(message => item(message)),
    ...(mailbox.length > MAILBOX ? [item(`and ${short(messages - MAILBOX)} more`)] : []),
    ...refs('Supervisor', page.supervisor === undefined ? [] : [page.supervisor]),
    ...refs('Links', page.linksTo),
    ...refs('Monitors', page.monitors),
    ...refs('Monitored by', page.monitoredBy),
    ...refs('Owns', page.owns),
    ...refs('Presses on', page.pressesOn),
    ...(page.trapExit ? [fact('Traps exits', 'yes')] : []),
    ...(page.timers.length === 0 ? [] : [fact('Timers', page.timers.map(duration).join(', '))]),
    ...(page.spawnedAt === undefined ? [] : [fact('Spawned at', '')]),
    ...(page.spawnedAt?.split('\\n').map(line => item(line.trim())) ?? []),
    fact('Recent', page.recent.length === 0 ? 'nothing since you look' : ''),
    ...page.recent.toReversed().map(eventLine),
  ]
}

/** The lines of a connection. */
export function connectionLines(page: ConnectionPage, now: number): readonly PageLine[] {
  const { id, origin, state, states, protocol, address, via, attempts, failures, retriesLeft } = page
  const retries = retriesLeft === null ? 'any number may follow' : `${retriesLeft} may follow`
  return [
    { line: [piece(`${id}  ${origin}`, 'bold'), piece(`  ${state}`)] },
    fact('Node', page.node),
    fact('State', states.join(' › ') || state),
    fact('Protocol', [protocol, address].filter(Boolean).join(' to ')),
    ...(via.length === 0 ? [] : [fact('Through', via.join(' › '))]),
    fact('Age', duration(now - page.openedAt)),
    fact(
      'Attempts',
      `${attempts}, ${failures} failed in a row; ${retries}`,
      failures > 0 ? 'warning' : 'plain',
    ),
    ...(page.lastError === undefined ? [] : [fact('Last error', page.lastError, 'warning')]),
    fact('In', `${size(page.bytesIn)}, ${short(page.framesIn)} frames`),
    fact(
      'Out',
      `${size(page.bytesOut)}, ${short(page.framesOut)} frames; ${size(page.unsent)} wait to be sent`,
    ),
    ...refs('Owner', [page.owner]),
    ...refs(page.isPaused ? 'Paused by' : 'Pressed by', page.pressedBy),
    ...(page.streamList.length === 0 ? [] : [fact('Streams', '')]),
    ...page.streamList.map(streamLine),
    fact('Timeline', page.timeline.length === 0 ? 'nothing since you look' : ''),
    ...page.timeline
      .slice(-SPANS)
      .toReversed()
      .map(({ lane, name, from, to, text, failed }) => {
        const took = to === undefined ? '…' : to === from ? '' : duration(to - from)
        const look: Look = failed ? 'warning' : 'plain'
        return {
          line: [piece(`  ${clock(from)} ${name.padEnd(NAMES)} ${took.padStart(6)} ${lane}  ${text}`, look)],
        }
      }),
  ]
}

function waitText(timeout: number | null, since: number | undefined, now: number): string {
  const begun = since === undefined ? '' : `for ${duration(now - since)}`
  const end = timeout === null ? '' : `gives up after ${duration(timeout)}`
  return [begun, end].filter(Boolean).join(', ')
}

function waitedText({ last, median, p99, longest }: NonNullable<ProcessPage['messageWaits']>): string {
  return `last ${duration(last)}, half at most ${duration(median)}, 99% ${duration(p99)}, longest ${duration(longest)}`
}

function fact(name: string, text: string, look?: Look): PageLine {
  const value: Piece = piece(text, look)
  return { line: [piece(name.padEnd(13), 'dim'), value] }
}

function item(text: string): PageLine {
  return { line: [piece(`  ${text}`)] }
}

function refs(name: string, list: readonly Ref[]): readonly PageLine[] {
  return list.map((ref, index) => {
    const { kind, node, id, text } = ref
    const line = [
      piece((index === 0 ? name : '').padEnd(13), 'dim'),
      piece(text, isPage(kind) ? 'accent' : 'plain'),
    ]
    return isPage(kind) ? { line, target: { kind, node, id } } : { line }
  })
}

function isPage(kind: Ref['kind']): kind is Subject['kind'] {
  return kind === 'process' || kind === 'connection'
}

function streamLine({ id, kind, text, state, flow, unsent, replyTo }: StreamRow): PageLine {
  const wanted = flow === null ? '' : `  ${flow} wanted`
  const waits = unsent === 0 ? '' : `  ${size(unsent)} unsent`
  const line = [
    piece(`  ${id} ${kind} ${text}  ${state}${wanted}${waits}  → `),
    piece(replyTo.text, 'accent'),
  ]
  return isPage(replyTo.kind)
    ? { line, target: { kind: replyTo.kind, node: replyTo.node, id: replyTo.id } }
    : { line }
}

const ARROWS = { in: '←', out: '→', none: '·' } as const

function eventLine({ at, event, direction, text }: TraceEvent): PageLine {
  return { line: [piece(`  ${clock(at)} ${ARROWS[direction]} ${event.padEnd(10)} ${text}`)] }
}

/** The time of day, to the millisecond. */
function clock(time: number): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}
