/**
 * Erlang's process model: mailboxes, selective receive, monitors, links, names, timers. Knows nothing about sockets.
 * @module
 */

export { type ActorScope, fromProcess, type ProcessActorLogic, type ProcessSnapshot } from './actor-logic.js'
export { onRejection } from './callback.js'
export { ProcessExit, ReceiveTimeout } from './errors.js'
export {
  type ExitHook,
  type ExitReason,
  exitSignal,
  isActorRef,
  type Monitorable,
  type MonitorTarget,
  onExit,
  reportExit,
  reportRejection,
  setExitHook,
  watch,
} from './exit.js'
export { type Exit, exit } from './link.js'
export type { Down } from './monitor.js'
export type { Checked, Narrowed, NoMessageMatches, On, PatternOrOn, Received } from './narrowing.js'
export type { ProcessOptions, ReceiveOptions } from './options.js'
export { P } from './pattern.js'
export { type Consumer, type HighWaterMark, Source, type Valve } from './pressure.js'
export { type PrintLimits, print } from './print.js'
export { attach, deliver, type Incoming, type Pid, Process } from './process.js'
export { compareByIdentity, MonitorRef, makeRef, Ref, TimerRef } from './ref.js'
export { type Registrable, register, unregister, whereis } from './registry.js'
export { createProcess, spawn } from './spawn.js'
export { Watchers } from './watchers.js'
