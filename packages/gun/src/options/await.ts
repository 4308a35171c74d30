/** The options of `await` and its like. */

import type { MonitorRef } from '@holster/process'

/** Options of `await` and `awaitUp`. */
export interface AwaitOpts {
  /** Milliseconds; `0` looks once, `Infinity` waits for ever. Default 5000. */
  readonly timeout?: number
  /** A monitor of the connection that was set before. Default: one is made for the call, and gone afterwards. */
  readonly monitorRef?: MonitorRef
  /** Gives up when it aborts: rejects with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of `awaitBody` and `awaitResponse`. */
export interface AwaitBodyOpts extends AwaitOpts {
  /**
   * How many bytes the body may have, as they are posted: behind content handlers. Beyond: `limit_reached`, and the stream is
   * cancelled and flushed. Default 268435456: 256 MiB.
   */
  readonly maxBodySize?: number
}

export const AWAIT_DEFAULTS = { timeout: 5000, maxBodySize: 256 * 1024 * 1024 } as const
