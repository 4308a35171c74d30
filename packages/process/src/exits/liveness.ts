/** Whether something that ends has not ended yet. */

import { type MonitorTarget, watch } from './exit.js'

/**
 * Whether a process, a connection or an xstate actor has not ended yet. Throws a TypeError unless `pid` is something that ends. Source:
 * `is_process_alive/1`.
 */
export function isAlive(pid: MonitorTarget): boolean {
  const stop = watch(pid, ignore, 'pid')
  stop?.()
  return stop !== undefined
}

function ignore(): void {}
