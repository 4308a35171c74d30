/** Waits until a pool is operational. */

import type { ExitReason } from '@holster/process'
import { GunError } from '../errors.js'
import { CHECKOUT_TIMEOUT, type PoolAwaitUpOpts } from '../options/pool.js'
import type { Pool, UpListener } from './pool.js'

export function untilUp(pool: Pool, { timeout = CHECKOUT_TIMEOUT, signal }: PoolAwaitUpOpts): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    if (pool.state === 'operational') return resolve()
    const settle = (run: () => void) => {
      pool.upListeners.delete(listener)
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      run()
    }
    const listener: UpListener = {
      up: () => settle(resolve),
      ended: reason => settle(() => reject(down(pool, reason))),
    }
    const abort = () => settle(() => reject(signal?.reason))
    const timer = Number.isFinite(timeout)
      ? setTimeout(() => settle(() => reject(late(pool, timeout))), timeout)
      : undefined
    pool.upListeners.add(listener)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

function late({ info }: Pool, timeout: number): GunError {
  const up = [...info.conns.values()].filter(({ state }) => state === 'up').length
  const { lastError } = info
  const text = `the pool for ${info.authority} was not operational within ${timeout} ms: ${up} of ${info.size} connections are up`
  const why = lastError === undefined ? '' : `; the last error was: ${lastError.message}`
  return new GunError('timeout', 'timeout', text + why, { cause: lastError })
}

function down({ authority }: Pool, cause: ExitReason): GunError {
  return new GunError('down', 'down', `the pool for ${authority} has ended`, { cause })
}
