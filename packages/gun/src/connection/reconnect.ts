/** When to try again: Gun's rule, or the caller's. */

import { GunError } from '../errors.js'
import { isRetry } from '../option-checks.js'
import { type Opts, RETRY_DEFAULTS, type Retry } from '../options.js'

/**
 * What a `retryFun` left out does: one less each time; at once when none was used, then every `retryTimeout`. Of
 * infinitely many none is ever used, so that none of them is immediate.
 */
function defaultRetryFun(retriesLeft: number, opts: Opts): Retry {
  const { retry = RETRY_DEFAULTS.retry, retryTimeout = RETRY_DEFAULTS.retryTimeout } = opts
  return {
    retries: retriesLeft - 1,
    timeout: retriesLeft === retry && retry !== Number.POSITIVE_INFINITY ? 0 : retryTimeout,
  }
}

/** The next retry, or the error that ends the connection because `retryFun` is wrong. Never throws. */
export function nextRetry(retriesLeft: number, opts: Opts, lost: GunError | 'normal'): Retry | GunError {
  const retryFun = opts.retryFun ?? defaultRetryFun
  let retry: unknown
  try {
    retry = retryFun(retriesLeft, opts)
  } catch (cause) {
    return mistake('threw', lost, cause)
  }
  return isRetry(retry) ? retry : mistake('must give { retries, timeout }, two numbers of at least 0', lost)
}

/** Says also why a retry was due, since nobody will hear of that otherwise. */
function mistake(what: string, lost: GunError | 'normal', cause?: unknown): GunError {
  const why = lost === 'normal' ? '' : `; it was called because ${lost.message}`
  return new GunError('bad_option', 'options', `retryFun ${what}${why}`, { cause: cause ?? lost })
}
