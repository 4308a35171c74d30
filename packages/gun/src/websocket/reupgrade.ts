/** Whether an upgrade that had succeeded before, and is refused now, is asked for again, and when. */

import { headerValue } from '../headers.js'
import { ask } from '../options/function.js'
import { LONGEST } from '../options/values.js'
import { REUPGRADE_DEFAULTS, type ReupgradeOpts } from '../options/websocket.js'
import type { Headers } from '../words.js'

/** RFC 9110 section 5.6.7: its date, which recipients also take in two older forms. */
const httpDate = /^[A-Z][a-z]{2,8},? [\w :-]+$/

/** From the shortest delay, 1 ms or a part of one, to more than the longest. */
const MOST_DOUBLINGS = 100

/**
 * How many milliseconds to wait after so many refusals in a row, this one included; `undefined`: it is the last. Throws a
 * GunError `bad_option` where the caller's function fails.
 */
export function delayAfter(
  opts: ReupgradeOpts,
  status: number,
  headers: Headers,
  refusals: number,
): number | undefined {
  const {
    attempts = REUPGRADE_DEFAULTS.attempts,
    minDelay = REUPGRADE_DEFAULTS.minDelay,
    maxDelay = REUPGRADE_DEFAULTS.maxDelay,
  } = opts
  if (refusals > attempts || !isAmong(opts, status, headers)) return undefined
  // A power too large is Infinity, of which there is no product with 0.
  const grown = Math.min(maxDelay, minDelay * 2 ** Math.min(refusals - 1, MOST_DOUBLINGS))
  const wanted = retryAfter(headers)
  // Not sooner than the server wants, nor all clients in the same instant.
  const delay =
    wanted === undefined ? grown * (0.5 + Math.random()) : Math.min(wanted, maxDelay) + grown * Math.random()
  return Math.min(Math.round(delay), LONGEST)
}

function isAmong(opts: ReupgradeOpts, status: number, headers: Headers): boolean {
  const { statuses = REUPGRADE_DEFAULTS.statuses } = opts
  if (typeof statuses !== 'function') return statuses.includes(status)
  const option = 'wsOpts.reupgrade.statuses'
  return ask(
    option,
    () => statuses(status, headers),
    given => (typeof given === 'boolean' ? given : undefined),
    'a boolean',
  )
}

/** The milliseconds of a retry-after header (RFC 9110 section 10.2.3); `undefined` where there is none that says something. */
export function retryAfter(headers: Headers): number | undefined {
  const value = headerValue(headers, 'retry-after')
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = httpDate.test(value) ? Date.parse(asUtc(value)) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** The oldest form does not say that it is in UTC. */
function asUtc(date: string): string {
  return date.endsWith('GMT') ? date : `${date} GMT`
}
