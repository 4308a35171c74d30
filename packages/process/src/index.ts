/**
 * Erlang's process model: mailboxes, selective receive, monitors, links, names, timers. Knows nothing about sockets.
 * @module
 */

export { type ExitReason, isOrderly } from './exit-reason.js'
export { isActorRef } from './exits/actor-ref.js'
export {
  type ExitRoute,
  exit,
  exitSignal,
  type Monitorable,
  type MonitorTarget,
  onExit,
  watch,
} from './exits/exit.js'
export { type ExitHook, reportExit, reportRejection, reportThrown, setExitHook } from './exits/exit-hook.js'
export type { Exit } from './exits/link.js'
export { type Down, MonitorRef } from './exits/monitor.js'
export { Watchers, type WatchOrder } from './exits/watchers.js'
export { onRejection } from './host/callback.js'
export { ProcessExit, ReceiveTimeout } from './mailbox/errors.js'
export type { HighWaterMark, Mark } from './mailbox/high-water-mark.js'
export { type Consumer, type Feed, Source, type Valve } from './mailbox/source.js'
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
export { type PrintLimits, print } from './patterns/print.js'
export type { Pid } from './pid.js'
export { attach, deliver, type Incoming, Process } from './process.js'
export { compareByIdentity, makeRef, Ref, TimerRef } from './ref.js'
export { type Registrable, register, unregister, whereis } from './registry.js'
export { createProcess, spawn } from './spawn.js'
export { didYouMean, type Synonyms } from './suggestion.js'
export { type ActorScope, fromProcess, type ProcessActorLogic, type ProcessSnapshot } from './xstate.js'
