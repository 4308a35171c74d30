/** Findings say in words what stands out: who is over a mark, who has waited longest, what keeps failing. */

import { connections } from '@holster/gun'
import { type ConnectionInsight, lookInto } from '@holster/gun/internal'
import { lookAt } from '@holster/process/internal'
import { refOf } from '../naming/refs.js'
import { originOf, textOfError, textOfWait } from '../naming/texts.js'
import type { Finding, Ref, Sample } from '../words.js'
import type { Census, Standout } from './census.js'
import type { Journal } from './journal.js'

/** The most findings of one kind. */
const MOST = 5
/** The number of failed attempts in a row that is no accident. */
const FAILURES = 2
/** A delay of the event loop, in milliseconds, that stands out. */
const DELAY = 200
/** A minute ago still counts as now. */
const RECENT = 60_000
/** The number of restarts within that time that stands out. */
const RESTARTS = 3

/** Gives what stands out now. */
export function findingsOf(census: Census, journal: Journal, samples: readonly Sample[]): readonly Finding[] {
  return [
    ...crowded(census),
    ...stuck(census),
    ...slow(census),
    ...failing(),
    ...ends(journal),
    ...delays(samples),
    ...longestWait(census),
  ]
}

function* crowded({ crowded }: Census): Iterable<Finding> {
  const most = [...crowded].sort((a, b) => b.messages - a.messages)
  for (const standout of most.slice(0, MOST)) {
    const about = aboutOf(standout)
    if (about === undefined) continue
    const bytes = standout.bytes === 0 ? '' : `, ${count(standout.bytes, 'byte')}`
    const text = `The mailbox of ${about.text} is over its mark: ${count(standout.messages, 'message')}${bytes}.`
    yield { kind: 'over_mark', level: 'warning', text, since: standout.since, about }
  }
  if (most.length > MOST) {
    const text = `${count(most.length - MOST, 'more mailbox', 'more mailboxes')} over the mark.`
    yield { kind: 'over_mark', level: 'warning', text, since: undefined, about: undefined }
  }
}

/** Tells of processes that wait for one message while others lie in their mailboxes. */
function* stuck({ stuck }: Census): Iterable<Finding> {
  for (const standout of stuck) {
    const process = standout.process.deref()
    const about = aboutOf(standout)
    if (process === undefined || about === undefined) continue
    const what = textOfWait(lookAt(process).wait)
    const lie =
      standout.messages === 1 ? 'message that does not match lies' : 'messages that do not match lie'
    const text = `${about.text} waits for ${what}, while ${standout.messages.toLocaleString('en')} ${lie} in its mailbox.`
    yield { kind: 'long_wait', level: 'warning', text, since: standout.since, about }
  }
}

/** Tells of processes whose messages wait long. */
function* slow({ slow }: Census): Iterable<Finding> {
  for (const standout of slow) {
    const about = aboutOf(standout)
    if (about === undefined) continue
    const which = standout.messages === 1 ? 'one' : `the oldest of ${standout.messages.toLocaleString('en')}`
    const text = `${about.text} takes its messages late: ${which} is still in its mailbox.`
    yield { kind: 'slow_mailbox', level: 'warning', text, since: standout.since, about }
  }
}

/** Names a process that stands out; `undefined` if it was collected. */
function aboutOf({ process }: Standout): Ref | undefined {
  const found = process.deref()
  return found === undefined ? undefined : refOf(found)
}

function* failing(): Iterable<Finding> {
  const insights = connections().map(info => ({ info, insight: lookInto(info.connPid) }))
  const failed = insights.filter(({ insight }) => insight.failures >= FAILURES)
  const groups = groupBy(failed, ({ info }) => originOf(info))
  const largest = [...groups].sort(([, a], [, b]) => b.length - a.length)
  for (const [origin, group] of largest.slice(0, MOST))
    yield failure(
      origin,
      group.map(({ insight }) => insight),
    )
  if (largest.length > MOST) {
    const text = `Connections to ${count(largest.length - MOST, 'more origin')} keep failing.`
    yield { kind: 'failing', level: 'warning', text, since: undefined, about: undefined }
  }
  for (const { insight } of insights.filter(each => each.insight.isPaused).slice(0, MOST))
    yield pause(insight)
}

/** Tells of the connections to one origin that keep failing, by the one that has failed most. */
function failure(origin: string, insights: readonly ConnectionInsight[]): Finding {
  const worst = insights.reduce((most, each) => (each.failures > most.failures ? each : most))
  const { connPid, failures, lastError } = worst
  const about = refOf(connPid)
  const times = `${count(failures, 'time')} in a row`
  const why = lastError === undefined ? '' : ` Last: ${textOfError(lastError)}.`
  const text =
    insights.length === 1
      ? `${about.text} to ${origin} has failed ${times}.${why}`
      : `${count(insights.length, 'connection')} to ${origin} keep failing, ${about.text} ${times}.${why}`
  return { kind: 'failing', level: 'warning', text, since: undefined, about }
}

function pause({ connPid, pressedBy }: ConnectionInsight): Finding {
  const about = refOf(connPid)
  const by = pressedBy.map(pid => refOf(pid).text).join(', ')
  const text = `${about.text} is not read: too much waits in the mailbox of ${by || 'its owner'}.`
  return { kind: 'paused', level: 'warning', text, since: undefined, about }
}

/** Tells of children that end again and again; of crashes only where it is not these that crash. */
function ends(journal: Journal): readonly Finding[] {
  const ofChildren = [...restarts(journal)]
  return ofChildren.length > 0 ? ofChildren : [...crashes(journal)]
}

function* restarts(journal: Journal): Iterable<Finding> {
  const recent = journal.entries.filter(
    ({ at, type }) => type === 'child_terminated' && at > Date.now() - RECENT,
  )
  const first = recent.at(-1)
  if (first === undefined || recent.length < RESTARTS) return
  const text = `${count(recent.length, 'child', 'children')} of supervisors ended within the last minute. The latest: ${recent[0]?.text}.`
  yield { kind: 'restarts', level: 'warning', text, since: first.at, about: recent[0]?.about }
}

function* crashes(journal: Journal): Iterable<Finding> {
  const recent = journal.entries.filter(({ at, type }) => type === 'exit' && at > Date.now() - RECENT)
  const [latest] = recent
  if (latest === undefined) return
  const text =
    recent.length === 1
      ? `Crashed: ${latest.text}.`
      : `${count(recent.length, 'crash', 'crashes')} within the last minute. The latest: ${latest.text}.`
  yield { kind: 'crash', level: 'warning', text, since: recent.at(-1)?.at, about: latest.about }
}

function* delays(samples: readonly Sample[]): Iterable<Finding> {
  const worst = samples
    .slice(-10)
    .reduce<Sample | undefined>(
      (most, sample) => (sample.delay > (most?.delay ?? DELAY) ? sample : most),
      undefined,
    )
  if (worst === undefined) return
  const text = `The event loop was blocked for ${Math.round(worst.delay)} ms.`
  yield { kind: 'event_loop', level: 'warning', text, since: worst.at, about: undefined }
}

function* longestWait({ longest }: Census): Iterable<Finding> {
  const process = longest?.process.deref()
  if (longest === undefined || process === undefined) return
  const about = refOf(process)
  const text = `${about.text} has waited longest of all, for ${textOfWait(lookAt(process).wait)}.`
  yield { kind: 'long_wait', level: 'note', text, since: longest.since, about }
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
