/** A deadline holds for a whole request with all its retries; the backend is told how much is left of it. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Problem } from './problem.ts'

/** The header field with which a client says how many milliseconds it waits, and the service how many are left. */
export const FIELD = 'x-timeout-ms'
const DEFAULT = 10_000
const LONGEST = 600_000

export class Deadline {
  /** Aborts when the time is over, or the client is gone; the reason is a Problem. */
  readonly signal: AbortSignal
  readonly #end: number

  constructor(ms: number, response: ServerResponse) {
    this.#end = performance.now() + ms
    const controller = new AbortController()
    this.signal = controller.signal
    const timer = setTimeout(() => controller.abort(new Problem(504, 'the deadline has passed')), ms)
    response.once('close', () => {
      clearTimeout(timer)
      // Nobody reads this; the backend need not go on.
      if (!response.writableFinished) controller.abort(new Problem(499, 'the client is gone'))
    })
  }

  /** The milliseconds that are left. */
  get left(): number {
    return Math.max(0, Math.ceil(this.#end - performance.now()))
  }

  /** Settles as the promise does, or rejects with the reason of the signal if that aborts before. */
  within<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(this.signal.reason)
      this.signal.addEventListener('abort', giveUp)
      promise.then(resolve, reject).finally(() => this.signal.removeEventListener('abort', giveUp))
    })
  }
}

/** Throws a Problem if the client asks for a time that is none. */
export function deadlineOf(request: IncomingMessage, response: ServerResponse): Deadline {
  const ms = Number(request.headers[FIELD] ?? DEFAULT)
  if (!(ms > 0)) throw new Problem(400, `${FIELD} must be a number of milliseconds`)
  return new Deadline(Math.min(ms, LONGEST), response)
}
