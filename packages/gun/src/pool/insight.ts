/** All pools of this program, each with its process and the facts about it. */

import type { PoolInfo } from './info.js'
import type { PoolPid } from './process.js'
import { allPools } from './registry.js'

/** A pool that has not ended. */
export interface PoolInsight {
  readonly pid: PoolPid
  readonly info: PoolInfo
}

/** Gives the pools that have not ended. */
export function pools(): readonly PoolInsight[] {
  return allPools().map(({ pid, info }) => ({ pid, info }))
}
