/** Plans the next attempt: by Gun's rule, or by the caller's. */

import { GunError } from '../errors.js'
import { isRetry } from '../options/checks.js'
import type { Retry } from '../options/connection.js'
import { ask } from '../options/function.js'
import { type Opts, RETRY_DEFAULTS } from '../options/options.js'
import type { ConnectionContext, ConnectionEvent, Setback } from './events.js'

/** Whether the next attempt would fail as the last one did. A Unix socket that was there comes back with its server. */
export function isHopeless(life: Pick<ConnectionContext, 'lastError' | 'hasBeenUp' | 'isUnix'>): boolean {
  const { lastError, hasBeenUp, isUnix } = life
  if (lastError?.isPermanent) return true
  return isUnix && !hasBeenUp && codeOf(lastError?.cause) === 'ENOENT'
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}

/** Milliseconds within which the first retry follows the loss of a connection. */
const FIRST_WITHIN = 1000

/**
 * Plans the next retry without a `retryFun`; each retry leaves one less. All clients of a server lose it in one instant, so
 * chance spreads their return. A first attempt that failed is repeated at once, since each client has made it in its own time;
 * of infinitely many retries none is the first.
 */
function defaultRetry(retriesLeft: number, opts: Opts, setback: Setback): Retry {
  const { retry = RETRY_DEFAULTS.retry, retryTimeout = RETRY_DEFAULTS.retryTimeout } = opts
  const isFirst = setback === 'loss' || (retriesLeft === retry && retry !== Number.POSITIVE_INFINITY)
  const retries = retriesLeft - 1
  if (setback === 'attempt' && isFirst) return { retries, timeout: 0 }
  const most = Math.min(FIRST_WITHIN, retryTimeout)
  const timeout = isFirst ? most * Math.random() : retryTimeout * (0.5 + Math.random())
  return { retries, timeout: Math.round(timeout) }
}

/**
 * Plans the next attempt, or none. A connection that was of use, but has lost an upgrade that came back too early to count,
 * counts as one that was not.
 */
export function planNext(
  { setback, retry, retriesLeft, lastError }: ConnectionContext,
  opts: Opts,
  hasComebackFailed: boolean,
): ConnectionEvent {
  const follows = setback === 'loss' && hasComebackFailed ? 'hang-up' : setback
  const left = follows === 'loss' ? retry : retriesLeft
  if (left <= 0) return { type: 'spent', reason: undefined }
  const next = nextRetry(left, opts, lastError ?? 'normal', follows)
  return next instanceof GunError ? { type: 'spent', reason: next } : { type: 'planned', ...next }
}

/** Gives the next retry, or the error that ends the connection because `retryFun` is wrong. Never throws. */
export function nextRetry(
  retriesLeft: number,
  opts: Opts,
  lost: GunError | 'normal',
  setback: Setback = 'attempt',
): Retry | GunError {
  const { retryFun } = opts
  if (retryFun === undefined) return defaultRetry(retriesLeft, opts, setback)
  try {
    const wanted = '{ retries, timeout }, two numbers of at least 0'
    return ask('retryFun', () => retryFun(retriesLeft, opts), copyOf, wanted)
  } catch (error) {
    if (!(error instanceof GunError)) throw error
    // No other message says why a retry was due.
    const why = lost === 'normal' ? '' : `; it was called because ${lost.message}`
    return new GunError(error.code, error.kind, `${error.message}${why}`, { cause: error.cause ?? lost })
  }
}

/** Reads each field once, since the caller's object may have getters. */
function copyOf(given: unknown): Retry | undefined {
  const { retries, timeout } = Object(given)
  const retry = { retries, timeout }
  return isRetry(retry) ? retry : undefined
}
