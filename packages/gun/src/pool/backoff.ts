/** How long a place of the pool stays empty before a connection is made again. */

import type { PoolSettings } from '../options/pool.js'

/** The longest pause behind a connection that was of use, in milliseconds: chance spreads the return of a server's clients. */
const FIRST_WITHIN = 1000

/**
 * Gives the pause, in milliseconds, behind so many failures in a row. `isOrderly`: the last connection ended without an error.
 */
export function pauseOf(
  { backoff, maxBackoff }: Pick<PoolSettings, 'backoff' | 'maxBackoff'>,
  failures: number,
  isOrderly: boolean,
): number {
  if (failures > 0) {
    const pause = Math.min(maxBackoff, backoff * 2 ** (failures - 1))
    return Math.min(maxBackoff, Math.round(pause * (0.5 + Math.random())))
  }
  return isOrderly ? 0 : Math.round(Math.min(FIRST_WITHIN, backoff) * Math.random())
}
