/** The table of pools. */

import { pools } from '@holster/gun/internal'
import { printShort } from '@holster/process/internal'
import { nodeHere, refOf } from '../naming/refs.js'
import { textOfError } from '../naming/texts.js'
import type { PoolRow } from '../words.js'
import { keepsNothing, type Looking } from './looking.js'

/** Opens the table. */
export function lookAtPools(): Looking<'pools'> {
  return { show: () => ({ pools: rows() }), close: keepsNothing }
}

function rows(): readonly PoolRow[] {
  return pools().map(({ pid, info: { authority, conns, lastError, scope, size, state, waiting } }) => {
    const all = [...conns.values()]
    return {
      node: nodeHere(),
      id: refOf(pid).id,
      authority,
      scope: typeof scope === 'string' ? scope : printShort(scope),
      state,
      size,
      up: all.filter(conn => conn.state === 'up').length,
      streams: all.reduce((sum, { streams }) => sum + streams, 0),
      waiting,
      lastError: textOfError(lastError),
    }
  })
}
