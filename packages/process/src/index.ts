/**
 * Erlang's process model: mailboxes, selective receive, monitors, links, names, timers. Knows nothing about sockets.
 * @module
 */

export { call } from './borrowed-call.js'
export { type Call, type From, type Reply, type ReplyTo, type RequestOf, reply } from './calls/call.js'
export { CallError } from './calls/call-error.js'
export { type ExitReason, isOrderly } from './exit-reason.js'
export type { ActorObserver, ActorSubscription, XstateActor } from './exits/actor-ref.js'
export { Alias, type AliasMode } from './exits/alias.js'
export { exit, type Monitorable, type MonitorTarget } from './exits/exit.js'
export { type ExitHook, setExitHook } from './exits/exit-hook.js'
export type { Exit } from './exits/link.js'
export { isAlive } from './exits/liveness.js'
export { type Down, MonitorAlias, type MonitorAliasMode, MonitorRef } from './exits/monitor.js'
export type { WaitBucket } from './insight/distribution.js'
export { type MessageWaitMeasure, type MessageWaits, measureMessageWaits } from './insight/message-waits.js'
export { type ProcessInfo, processes, processInfo } from './insight/process-info.js'
export { trace } from './insight/trace.js'
export type { Traced, TraceEvent } from './insight/trace-event.js'
export { recordSpawns } from './lives/birthplace.js'
export { ProcessExit, ReceiveTimeout } from './mailbox/errors.js'
export type {
  TracedCall,
  TracedExit,
  TracedFlush,
  TracedLink,
  TracedMessage,
  TracedMonitor,
  TracedReply,
} from './mailbox/happening.js'
export type { HighWaterMark } from './mailbox/high-water-mark.js'
export type { Wait } from './mailbox/mailbox.js'
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
export type { MonitorOptions, ProcessOptions, ReceiveOptions } from './options.js'
export { P } from './patterns/pattern.js'
export type { Pid } from './pid.js'
export { type Incoming, Process, type SpawnedMonitor } from './process.js'
export { compareByIdentity, makeRef, Ref, TimerRef } from './ref.js'
export { type Registrable, register, registered, unregister, whereis } from './registry.js'
export { createProcess, spawn } from './spawn.js'
export type { Timeout, TimeoutOf } from './timeout.js'
