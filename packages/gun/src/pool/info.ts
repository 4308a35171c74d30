/** The facts about a pool that `pool.info` tells. */

import type { GunError } from '../errors.js'
import type { ConnPid } from '../handles.js'
import type { PoolMeta, PoolOpts } from '../options/pool.js'
import type { ProtocolName } from '../words.js'
import type { Member } from './member.js'
import type { Places } from './places.js'
import type { PoolState } from './states.js'

/** A connection of a pool, as it is now. */
export interface PoolConnInfo {
  /**
   * `'connecting'`, `'setup'` (the caller's set-up is under way), `'up'`, `'down'` (the connection takes nothing more, and will
   * end), or `'leaving'` (the connection ends with its streams).
   */
  readonly state: 'connecting' | 'setup' | 'up' | 'down' | 'leaving'
  /** The protocol with which the connection came up; `undefined` before that. */
  readonly protocol: ProtocolName | 'ws' | undefined
  /** How many streams the pool counts: those under way, and checkouts on which none has begun. */
  readonly streams: number
  /** The state of the connection, as `info` of the connection names it. */
  readonly stateName: string
  /** The facts that the set-up has handed on. */
  readonly meta: PoolMeta
}

/** A pool as it is now. Source: info of gun_pool. */
export interface PoolInfo {
  /** `'operational'`: every connection that the pool wants is up. */
  readonly state: PoolState
  /** The scope, as `startPool` was given it. */
  readonly scope: unknown
  /** The host and port as in the `host` header of a request. */
  readonly authority: string
  /** As `startPool` was given it. */
  readonly host: string
  /** As `startPool` was given it. */
  readonly port: number
  /** As `startPool` was given them. */
  readonly opts: PoolOpts
  /** How many connections the pool wants now. */
  readonly size: number
  /** The connections, those that leave among them. */
  readonly conns: ReadonlyMap<ConnPid, PoolConnInfo>
  /** How many callers wait for a connection. */
  readonly waiting: number
  /** The error with which a connection ended last; `undefined`: none has. */
  readonly lastError: GunError | undefined
}

/** The parts of a pool that are told as they are. */
type Facts = Pick<PoolInfo, 'state' | 'authority' | 'host' | 'port' | 'opts'> & {
  readonly settings: { readonly scope: unknown }
}

export function infoOf(pool: Facts, places: Places, waiting: number): PoolInfo {
  const { host, port, opts, authority, state, settings } = pool
  const conns = new Map([...places.members.values()].map(member => [member.connPid, connInfoOf(member)]))
  const { census, lastError } = places
  const { scope } = settings
  return { state, scope, authority, host, port, opts, conns, size: census.wanted, waiting, lastError }
}

function connInfoOf({ phase, protocol, load, isCounted, meta, connection }: Member): PoolConnInfo {
  const state = phase === 'up' && !isCounted ? 'down' : phase
  return { state, protocol, streams: load, stateName: connection.stateName, meta }
}
