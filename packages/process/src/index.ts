/**
 * Erlang's process model: mailboxes, selective receive, monitors, links, names, timers. Knows nothing about sockets.
 * @module
 */

export { type ExitReason, isOrderly } from './exit-reason.js'
export type { ActorObserver, ActorSubscription, XstateActor } from './exits/actor-ref.js'
export { exit, type Monitorable, type MonitorTarget } from './exits/exit.js'
export { type ExitHook, setExitHook } from './exits/exit-hook.js'
export type { Exit } from './exits/link.js'
export { isAlive } from './exits/liveness.js'
export { type Down, MonitorRef } from './exits/monitor.js'
export { ProcessExit, ReceiveTimeout } from './mailbox/errors.js'
export type { HighWaterMark } from './mailbox/high-water-mark.js'
export type {
  Checked,
  CheckedList,
  Narrowed,
  NoMessageMatches,
  On,
  PatternList,
  PatternOrOn,
  PatternsAreNoList,
  PatternsAreNotConst,
  Received,
} from './narrowing.js'
export type { ProcessOptions, ReceiveOptions } from './options.js'
export { P } from './patterns/pattern.js'
export type { Pid } from './pid.js'
export { type Incoming, Process } from './process.js'
export { compareByIdentity, makeRef, Ref, TimerRef } from './ref.js'
export { type Registrable, register, unregister, whereis } from './registry.js'
export { createProcess, spawn } from './spawn.js'
export type { Timeout, TimeoutOf } from './timeout.js'
