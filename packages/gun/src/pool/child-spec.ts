/** A pool as the child of a supervisor. */

import type { ChildSpecOf, PoolChildSpecOpts } from '../options/child-spec.js'
import { poolOptsIn } from '../options/pool-checks.js'
import { authorityAt, start } from './lookup.js'
import type { PoolPid } from './process.js'

/** How long an orderly end may take unless the caller says otherwise, in milliseconds. Source: child_spec() of supervisor. */
const SHUTDOWN = 5000

/**
 * Returns a child spec for a supervisor of @holster/otp: each start begins a pool that is linked to the supervisor and ends in
 * order with it. Throws as `startPool` does, except for `already_started`, which a start throws. Gun's pools stand under a
 * supervisor of its own.
 */
export function childSpec(host: string, port: number, opts: PoolChildSpecOpts = {}): ChildSpecOf<PoolPid> {
  const authority = authorityAt(host, port, opts.connOpts?.transport)
  const rest = poolOptsIn(opts, port)
  const scope = typeof rest.scope === 'string' ? ` ${rest.scope}` : ''
  const { id = `gun_pool:${authority}${scope}`, shutdown = SHUTDOWN } = opts
  return {
    id,
    start(parent) {
      const pool = start(host, port, rest)
      pool.parent = parent
      parent.link(pool.pid)
      return pool.pid
    },
    restart: 'permanent',
    shutdown,
    type: 'worker',
  }
}
