/** The process that a pool is: it owns the connections, reads what they tell, and ends with them. */

import type { Process } from '@holster/process'
import type { GunMessage } from '../messages.js'

/** A pool, as `pool.startPool` gives it: a process that can be monitored, linked, registered and ended like any other. */
export type PoolPid = Process<GunMessage>
