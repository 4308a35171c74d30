/**
 * The decision whether and when a refused upgrade, which had succeeded on an earlier connection, is requested
 * again.
 */

import { headerValue } from '../headers.js'
import { ask } from '../options/function.js'
import { LONGEST } from '../options/values.js'
import { REUPGRADE_DEFAULTS, type ReupgradeOpts } from '../options/websocket.js'
import type { Headers } from '../words.js'

/**
 * Matches an HTTP date (RFC 9110 section 5.6.7), including the two obsolete forms that recipients must
 * accept.
 */
const httpDate = /^[A-Z][a-z]{2,8},? [\w :-]+$/

/** Enough doublings to exceed the longest delay from the shortest, which is 1 ms or less. */
const MOST_DOUBLINGS = 100

/**
 * Returns how many milliseconds to wait after so many refusals in a row, including this one; `undefined` if
 * this one is final. Throws a GunError `bad_option` if the caller's function fails.
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
  if (refusals > attempts || !isTemporary(opts, status, headers)) return undefined
  // The exponent is limited because too large a power is Infinity, and Infinity times 0 is NaN.
  const grown = Math.min(maxDelay, minDelay * 2 ** Math.min(refusals - 1, MOST_DOUBLINGS))
  const wanted = retryAfter(headers)
  // The delay is not shorter than the server wants, and differs between clients.
  const delay =
    wanted === undefined ? grown * (0.5 + Math.random()) : Math.min(wanted, maxDelay) + grown * Math.random()
  return Math.min(Math.round(delay), LONGEST)
}

function isTemporary(opts: ReupgradeOpts, status: number, headers: Headers): boolean {
  const { statuses = REUPGRADE_DEFAULTS.statuses } = opts
  if (typeof statuses !== 'function') return statuses.includes(status)
  const option = 'wsOpts.reupgrade.statuses'
  return ask(
    option,
    () => statuses(status, headers),
    result => (typeof result === 'boolean' ? result : undefined),
    'a boolean',
  )
}

/**
 * Returns the value of a retry-after header in milliseconds (RFC 9110 section 10.2.3); `undefined` if there
 * is no valid one.
 */
export function retryAfter(headers: Headers): number | undefined {
  const value = headerValue(headers, 'retry-after')
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = httpDate.test(value) ? Date.parse(asUtc(value)) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** Appends the time zone to the oldest date form, which does not state that it is in UTC. */
function asUtc(date: string): string {
  return date.endsWith('GMT') ? date : `${date} GMT`
}
