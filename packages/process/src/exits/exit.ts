/** Processes, connections and xstate actors end alike: each can be watched, and takes exit signals. */

import { inspect } from 'node:util'
import type { ExitReason } from '../exit-reason.js'
import { stopActor, watchActor } from './actor-end.js'
import { isActorRef, type XstateActor } from './actor-ref.js'
import type { ExitRoute } from './exit-route.js'
import type { Watch, Watchers, WatchOrder } from './watchers.js'

/** The method by which anything that ends can be watched. */
export const onExit: unique symbol = Symbol.for('@holster/process.onExit')

/** The method that takes exit signals, as links and `exit` send them. */
export const exitSignal: unique symbol = Symbol.for('@holster/process.exitSignal')

/** The method that gives the watchers of a process; `undefined` once it has exited. */
export const watchersOf: unique symbol = Symbol('@holster/process.watchersOf')

/** Anything that tells of its end, such as a process or a connection. */
export interface Monitorable {
  /**
   * @internal Calls `listener` once, with the reason, at the end. Gives a function that stops watching; `undefined`, without
   * ever calling `listener`, after the end. `order` is meant for `Watchers.add`.
   */
  [onExit](listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined
  /**
   * @internal Takes an exit signal. `from` is the linked side that ended, or the process whose `exit` was called; it is
   * `undefined` for the function `exit`, which has no sender. The method is absent if nothing can end it from outside.
   */
  [exitSignal]?(from: unknown, reason: ExitReason, route: ExitRoute): void
}

/** The target of `monitor` and `link`: a process, a connection, or an xstate actor. */
export type MonitorTarget = Monitorable | XstateActor

export function isMonitorable(value: unknown): value is Monitorable {
  return typeof value === 'object' && value !== null && onExit in value
}

/** Throws a TypeError that names the argument, unless `target` is something that ends. */
export function checkTarget(target: unknown, argument = 'target'): asserts target is MonitorTarget {
  if (isMonitorable(target) || isActorRef(target)) return
  throw new TypeError(
    `${argument} must be a process, a connection or an xstate actor, not ${inspect(target, { depth: 0 })}`,
  )
}

/**
 * Calls `listener` once, with the reason, when `target` ends. Gives a function that stops watching; `undefined` if `target`
 * has ended already. Throws a TypeError that names `argument` unless `target` is something that ends.
 */
export function watch(
  target: MonitorTarget,
  listener: (reason: ExitReason) => void,
  argument = 'target',
  order: WatchOrder = 'monitor',
): (() => void) | undefined {
  checkTarget(target, argument)
  return isMonitorable(target) ? target[onExit](listener, order) : watchActor(target, listener, order)
}

/** Has `watcher` told of the end of `target`, without a function for each process; `false` if `target` has ended already. */
export function watchBy(watcher: Watch, target: MonitorTarget, order: WatchOrder): boolean {
  const watchers = (target as { readonly [watchersOf]?: () => Watchers | undefined })[watchersOf]
  if (watchers !== undefined) return watchers.call(target)?.insert(watcher, order) !== undefined
  watcher.unwatch = watch(target, reason => watcher.told(reason), 'target', order)
  return watcher.unwatch !== undefined
}

/** Sends an exit signal to `target`, if it can be ended from outside. */
export function sendExit(
  target: MonitorTarget,
  from: MonitorTarget | undefined,
  reason: ExitReason,
  route: ExitRoute,
): void {
  checkTarget(target, 'pid')
  if (isMonitorable(target)) target[exitSignal]?.(from, reason, route)
  else stopActor(target, from, reason, route)
}

/**
 * Sends an exit signal without a sender. `'normal'` does nothing. Any other reason ends the process, or becomes an `EXIT`
 * message if it traps exits; `'kill'` always ends it, with the reason `'killed'`. A connection shuts down, and closes at once
 * for `'kill'`; of xstate actors only a root can be stopped. `self.exit(pid, reason)` sends the signal in the name of a
 * process. Throws a TypeError unless `pid` is something that ends. Source: `erlang:exit/2`.
 */
export function exit(pid: MonitorTarget, reason: ExitReason): void {
  sendExit(pid, undefined, reason, 'exit')
}
