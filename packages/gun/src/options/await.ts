/** The options of `await` and of the functions like it. */

import type { MonitorRef } from '@holster/process'

/** Options of `await` and `awaitUp`. */
export interface AwaitOpts {
  /** How long to wait, in milliseconds; `0` looks once, `Infinity` waits for ever. Default 5000. */
  readonly timeout?: number
  /**
   * A monitor of the connection that the caller already holds. Default: the call makes a monitor of its own
   * and removes it afterwards.
   */
  readonly monitorRef?: MonitorRef
  /** Aborting this signal rejects the promise with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of `awaitBody` and `awaitResponse`. */
export interface AwaitBodyOpts extends AwaitOpts {
  /**
   * The most bytes the body may have, counted as posted, that is, after content handlers. A larger body
   * rejects with `limit_reached`, and its stream is cancelled and flushed. Default 268435456 (256 MiB).
   */
  readonly maxBodySize?: number
}

export const AWAIT_DEFAULTS = { timeout: 5000, maxBodySize: 256 * 1024 * 1024 } as const
