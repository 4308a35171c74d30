/**
 * OTP on processes: servers, supervisors, tasks, registries, groups, applications. Knows nothing about sockets.
 * @module
 */

export * as application from './application/application.js'
export type { AutoShutdown, Backoff, ChildSpec, Restart, Shutdown, Started } from './child-spec.js'
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
export type { CheckedChildSpec } from './supervisor/checked-spec.js'
export { SupervisorError, type SupervisorErrorCode } from './supervisor/errors.js'
export type { NestedOptions, Strategy, SupervisorOptions } from './supervisor/options.js'
export type { ChildCounts, RunningChild } from './supervisor/requests.js'
export * as supervisor from './supervisor/supervisor.js'
export * as task from './task/task.js'
