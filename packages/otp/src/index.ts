/**
 * OTP on processes: servers, supervisors, tasks, registries, groups, applications. Knows nothing about sockets.
 * @module
 */

export type { ChildSpec, Restart, Shutdown, Started } from './child-spec.js'
export * as genServer from './gen-server/gen-server.js'
export * as pg from './pg/pg.js'
export * as registry from './registry/registry.js'
export {
  type ChildReport,
  type CrashReport,
  type ProgressReport,
  type Report,
  type ReportHook,
  type ShutdownReport,
  setReportHook,
  type UnexpectedReport,
} from './reports.js'
export * as task from './task/task.js'
