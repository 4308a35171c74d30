/**
 * The first module of a thread that `workers` has started: it makes the thread a node, which knows the threads that were there before.
 * @module
 */

import { workerData } from 'node:worker_threads'
import { joinFamily, type Membership } from './node.js'

const { holster } = workerData as { readonly holster: Membership }
await joinFamily(holster)
