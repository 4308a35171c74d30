/**
 * Erlang's process model: mailboxes, selective receive, monitors, links, names, timers. Knows nothing about sockets.
 * @module
 */

export { type ActorScope, fromProcess, type ProcessActorLogic, type ProcessSnapshot } from './actor-logic.js'
export { isActorRef } from './actor-ref.js'
export { onRejection } from './callback.js'
export { ProcessExit, ReceiveTimeout } from './errors.js'
export {
  type ExitRoute,
  exit,
  exitSignal,
  type Monitorable,
  type MonitorTarget,
  onExit,
  watch,
} from './exit.js'
export {
  type ExitHook,
  type ExitReason,
  isOrderly,
  reportExit,
  reportRejection,
  reportThrown,
  setExitHook,
} from './exit-reason.js'
export type { HighWaterMark, Mark } from './high-water-mark.js'
export type { Exit } from './link.js'
export { type Down, MonitorRef } from './monitor.js'
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
export { P } from './pattern.js'
export type { Pid } from './pid.js'
export { type PrintLimits, print } from './print.js'
export { attach, deliver, type Incoming, Process } from './process.js'
export { compareByIdentity, makeRef, Ref, TimerRef } from './ref.js'
export { type Registrable, register, unregister, whereis } from './registry.js'
export { type Consumer, type Feed, Source, type Valve } from './source.js'
export { createProcess, spawn } from './spawn.js'
export { didYouMean, type Synonyms } from './suggestion.js'
export { Watchers, type WatchOrder } from './watchers.js'
