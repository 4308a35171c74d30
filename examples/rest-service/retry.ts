/** A request is repeated only where that is safe, after a pause that is left to chance, and never beyond its deadline. */

import { setTimeout as passed } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Deadline } from './deadline.ts'

/** The methods that do the same however often they are asked for (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
/** The statuses of a backend that may do better the next time. */
const PASSING: ReadonlySet<number> = new Set([502, 503, 504])

export interface RetryOptions {
  readonly method: string
  readonly deadline: Pick<Deadline, 'signal'>
  /** How often the request is tried in all. Default 4. */
  readonly tries?: number
  /** The longest first pause, in milliseconds, which doubles with each try. Default 50. */
  readonly pause?: number
}

/** Whether a request that has failed may be sent again. */
export function isSafe(method: string, error: unknown): boolean {
  if (!(error instanceof gun.GunError)) return false
  // The server says that it has not begun, or the request was never sent (RFC 9113 section 8.7).
  if (error.code === 'refused_stream') return true
  if (error.code === 'no_connection_available' || error.code === 'limit_reached') return false
  return IDEMPOTENT.has(method) && error.kind !== 'options'
}

/** Tries until there is a response that counts, and throws the last error where there is none. */
export async function retry(
  attempt: () => Promise<gun.FullResponse>,
  { method, deadline, tries = 4, pause = 50 }: RetryOptions,
): Promise<gun.FullResponse & { readonly tries: number }> {
  for (let n = 1; ; n++) {
    const isLast = n === tries
    try {
      const response = await attempt()
      const isFinal = !(IDEMPOTENT.has(method) && PASSING.has(response.status))
      if (isFinal || isLast) return { ...response, tries: n }
    } catch (error) {
      // The reason of the signal says more than the stream that was cancelled for it.
      deadline.signal.throwIfAborted()
      if (isLast || !isSafe(method, error)) throw error
    }
    // Clients that have failed together do not come back together.
    const ms = Math.random() * pause * 2 ** (n - 1)
    await passed(ms, undefined, { signal: deadline.signal }).catch(() => deadline.signal.throwIfAborted())
  }
}
