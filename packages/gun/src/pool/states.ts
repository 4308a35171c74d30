/** The two states of a pool, as in Gun, and what decides between them. */

/** `'operational'`: every connection that the pool wants is up. `'degraded'`: at least one is not. Source: gun_pool. */
export type PoolState = 'degraded' | 'operational'

/** The facts that decide. */
export interface Census {
  /** How many connections the pool wants now. */
  readonly wanted: number
  /** How many of these are up. Over HTTP/2 a connection is up once the server has said how many streams may be open. */
  readonly up: number
  /** The most connections that the pool may have: with 0 it is never operational. */
  readonly sizeMax: number
}

export function stateOf({ wanted, up, sizeMax }: Census): PoolState {
  return sizeMax > 0 && up >= wanted ? 'operational' : 'degraded'
}
