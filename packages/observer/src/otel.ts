/**
 * OpenTelemetry for Holster: spans of requests and upgrades, their context in header fields, and metrics of connections, mailboxes and
 * pools.
 * @module
 */

export { HolsterInstrumentation, instrument } from './telemetry/instrumentation.js'
export type { InstrumentationOptions } from './telemetry/options.js'
