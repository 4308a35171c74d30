/** The pools of this program, each under its scope and its authority. */

import { GunError } from '../errors.js'
import type { Pool } from './pool.js'
import type { PoolPid } from './process.js'

const scopes = new Map<unknown, Map<string, Pool>>()
const pools = new WeakMap<PoolPid, Pool>()

/** Gives all pools that have not ended. */
export function allPools(): readonly Pool[] {
  return [...scopes.values()].flatMap(ofScope => [...ofScope.values()])
}

/** Finds the pool of a scope and an authority; `undefined` if there is none. */
export function findPool(authority: string, scope: unknown = 'default'): Pool | undefined {
  const ofScope = scopes.get(scope)
  if (ofScope === undefined) return undefined
  return ofScope.get(authority) ?? ofScope.get(authority.toLowerCase())
}

/** Gives the pool behind a process. Throws a TypeError for any other process. */
export function poolOf(pid: PoolPid): Pool {
  const pool = typeof pid === 'object' && pid !== null ? pools.get(pid) : undefined
  if (pool === undefined) throw new TypeError('pool must be what startPool gave')
  return pool
}

export function checkFree(authority: string, scope: unknown): void {
  const other = findPool(authority, scope)
  if (other === undefined) return
  const text = `there is a pool for ${authority} in this scope already: ${other.pid}`
  throw new GunError('already_started', 'badstate', text)
}

export function addPool(pool: Pool): void {
  const { scope } = pool.settings
  const ofScope = scopes.get(scope) ?? new Map<string, Pool>()
  scopes.set(scope, ofScope)
  ofScope.set(pool.authority, pool)
  pools.set(pool.pid, pool)
}

/** Frees the name of a pool that takes nothing more. */
export function removePool(pool: Pool): void {
  const { scope } = pool.settings
  const ofScope = scopes.get(scope)
  if (ofScope?.get(pool.authority) !== pool) return
  ofScope.delete(pool.authority)
  if (ofScope.size === 0) scopes.delete(scope)
}

export function notFound(authority: string): GunError {
  const text = `no pool was found for the authority ${authority} in this scope: give the header host as the pool has it, or start one`
  return new GunError('pool_not_found', 'badstate', text)
}
