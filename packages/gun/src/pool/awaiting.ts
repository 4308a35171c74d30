/** Waits until a pooled stream has its connection, as part of a wait for its messages. */

import { GunError } from '../errors.js'
import { type ConnPid, connPidOf } from '../handles.js'
import { AWAIT_DEFAULTS } from '../options/await.js'
import type { PoolAwaitOpts } from '../options/pool.js'
import { type PoolStreamRef, waiterOf } from './reference.js'

/** The connection of a stream, and the time that is left of the wait, in milliseconds. */
export interface Bound {
  readonly connPid: ConnPid
  readonly timeout: number
}

/** Waits for the stream's connection. Rejects with a GunError of kind `timeout`, or with the signal's reason. */
export function bound(streamRef: PoolStreamRef, init: number | PoolAwaitOpts | undefined): Promise<Bound> {
  const { timeout = AWAIT_DEFAULTS.timeout, signal } =
    typeof init === 'number' ? { timeout: init } : (init ?? {})
  const waiter = waiterOf(streamRef)
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    if (waiter === undefined) {
      const connPid = connPidOf(streamRef) as ConnPid | undefined
      if (connPid !== undefined) return resolve({ connPid, timeout })
      throw new GunError('badstate', 'badstate', `${streamRef} was given up before it had a connection`)
    }
    const since = performance.now()
    const settle = () => {
      forget()
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    const forget = waiter.onBound(connPid => {
      settle()
      resolve({ connPid, timeout: Math.max(0, timeout - (performance.now() - since)) })
    })
    const abort = () => {
      settle()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    const late = () => {
      settle()
      const text = `${streamRef} had no connection within ${timeout} ms: it waits for one of the pool to be free`
      reject(new GunError('timeout', 'timeout', text))
    }
    const timer = Number.isFinite(timeout) ? setTimeout(late, timeout) : undefined
  })
}

/** Gives the options of an await with the time that is left. */
export function withTimeout<T extends PoolAwaitOpts>(
  init: number | T | undefined,
  timeout: number,
): number | (T & { timeout: number }) {
  return typeof init === 'object' ? { ...init, timeout } : timeout
}
