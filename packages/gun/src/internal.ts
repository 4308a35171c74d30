/**
 * The parts of this package that the other packages of Holster are built with, and that may change in any version.
 * @module
 * @internal
 */

export { type ConnectionInsight, lookInto } from './connection/insight.js'
export { tap } from './connection/tapping.js'
export type { TapListener } from './events/tap.js'
export { recipientOf } from './handles.js'
export { type PoolInsight, pools } from './pool/insight.js'
