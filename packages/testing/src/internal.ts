/**
 * The parts of this package that Holster's own tests are built with, and that may change in any version.
 * @module
 * @internal
 */

export { certificates } from './certificates.js'
export { createPeer } from './peer.js'
export { closer, listen } from './place.js'
