/** When to try again: Gun's rule, or the caller's. */

import { GunError } from '../errors.js'
import { isRetry } from '../option-checks.js'
import { ask } from '../option-function.js'
import { type Opts, RETRY_DEFAULTS, type Retry } from '../options.js'

/**
 * What a `retryFun` left out does: one less each time; at once when none was used, then every `retryTimeout`. Of
 * infinitely many none is ever used, so that none of them is immediate.
 */
function defaultRetry(retriesLeft: number, opts: Opts): Retry {
  const { retry = RETRY_DEFAULTS.retry, retryTimeout = RETRY_DEFAULTS.retryTimeout } = opts
  return {
    retries: retriesLeft - 1,
    timeout: retriesLeft === retry && retry !== Number.POSITIVE_INFINITY ? 0 : retryTimeout,
  }
}

/** The next retry, or the error that ends the connection because `retryFun` is wrong. Never throws. */
export function nextRetry(retriesLeft: number, opts: Opts, lost: GunError | 'normal'): Retry | GunError {
  const { retryFun } = opts
  if (retryFun === undefined) return defaultRetry(retriesLeft, opts)
  try {
    const wanted = '{ retries, timeout }, two numbers of at least 0'
    return ask('retryFun', () => retryFun(retriesLeft, opts), copyOf, wanted)
  } catch (error) {
    if (!(error instanceof GunError)) throw error
    // Nobody will hear otherwise why a retry was due.
    const why = lost === 'normal' ? '' : `; it was called because ${lost.message}`
    return new GunError(error.code, error.kind, `${error.message}${why}`, { cause: error.cause ?? lost })
  }
}

/** Read once: what the caller gives may have getters. */
function copyOf(given: unknown): Retry | undefined {
  const { retries, timeout } = Object(given)
  const retry = { retries, timeout }
  return isRetry(retry) ? retry : undefined
}
