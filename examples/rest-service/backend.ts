/** The backend as the service sees it: requests through a pool, each with what is left of its deadline. */

import * as gun from '@holster/gun'
import { type Deadline, FIELD } from './deadline.ts'
import { retry } from './retry.ts'

export interface Call {
  readonly method: string
  readonly path: string
  readonly body: Uint8Array | string
  readonly deadline: Deadline
}

export class Backend {
  /** @param authority The host and the port of the pool. */
  constructor(readonly authority: string) {}

  /** Resolves to a whole response, of the first try that counts. */
  call({ method, path, body, deadline }: Call): Promise<gun.FullResponse & { readonly tries: number }> {
    const attempt = () => {
      const streamRef = gun.pool.request(method, path, this.#fields(deadline), body, {
        // A client that is gone, or has waited long enough, gives its place in the queue up.
        signal: deadline.signal,
      })
      return gun.pool.awaitResponse(streamRef, {
        signal: deadline.signal,
        timeout: Number.POSITIVE_INFINITY,
        maxBodySize: 1024 * 1024,
      })
    }
    return retry(attempt, { method, deadline })
  }

  /** Begins a request whose body follows. */
  begin(
    method: string,
    path: string,
    deadline: Deadline,
    options: Pick<gun.PoolReqOpts, 'flow' | 'sendHighWaterMark'>,
  ): gun.PoolStreamRef {
    return gun.pool.headers(method, path, this.#fields(deadline), { ...options, signal: deadline.signal })
  }

  #fields(deadline: Deadline): Record<string, string> {
    return { host: this.authority, [FIELD]: String(deadline.left) }
  }
}
