/** The errors of callers that get no connection of a pool. */

import type { ExitReason } from '@holster/process'
import { GunError } from '../errors.js'
import type { Places } from './places.js'

/**
 * Makes the error of a caller that gets no connection. While fewer connections are up than the pool wants, the last error of one
 * is the cause.
 */
export function unavailable(what: string, authority: string, { census, lastError }: Places): GunError {
  const isWhy = census.up < census.wanted && lastError !== undefined
  const text = `${what} (${authority})${isWhy ? `: ${lastError.message}` : ''}`
  return new GunError('no_connection_available', 'stream_error', text, isWhy ? { cause: lastError } : {})
}

export function ended(reason: ExitReason): GunError {
  return new GunError('shutdown', 'connection_error', 'the pool has ended', { cause: reason })
}

export function gaveUp(): GunError {
  return new GunError('cancelled', 'stream_error', 'the caller has exited')
}
