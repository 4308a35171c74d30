/**
 * The parts of this package that the other packages of Holster are built with, and that may change in any version.
 * @module
 * @internal
 */

export { type ChildInsight, type SupervisorInsight, supervisors } from './supervisor/insight.js'
