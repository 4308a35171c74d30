/** What can end: how its end is watched, and how an exit signal reaches it. */

import { inspect } from 'node:util'
import type { AnyActorRef } from 'xstate'
import type { ExitReason } from '../exit-reason.js'
import { stopActor, watchActor } from './actor-end.js'
import { isActorRef } from './actor-ref.js'
import type { Watch, Watchers, WatchOrder } from './watchers.js'

/** Carried by what can be monitored: calls `listener` once when it ends. `undefined`: it has ended already. */
export const onExit: unique symbol = Symbol.for('@holster/process.onExit')

/** Carried by what takes exit signals, as links and `exit` send them. */
export const exitSignal: unique symbol = Symbol.for('@holster/process.exitSignal')

/** Carried by what has its watchers ready to be added to; gives `undefined` once it has ended. */
export const watchersOf: unique symbol = Symbol('@holster/process.watchersOf')

/** How an exit signal came: through a link, where `'kill'` is a reason like any other, or from one who called `exit`. */
export type ExitRoute = 'link' | 'exit'

/** Something whose end can be watched. A Process is one, a connection is one. */
export interface Monitorable {
  /**
   * Calls `listener` once, with the reason, when it ends. Gives a function that stops watching; `undefined`: it has
   * ended already, and `listener` is never called. `order` is meant for `Watchers.add`.
   */
  [onExit](listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined
  /**
   * Takes an exit signal. `from` is the linked side that ended, or the process that called its `exit`; `undefined`: it came
   * from the function `exit`, which knows no sender. Absent where nothing can end it from outside.
   */
  [exitSignal]?(from: unknown, reason: ExitReason, route: ExitRoute): void
}

/** What `monitor` and `link` take: a process, a connection, or an xstate actor. */
export type MonitorTarget = Monitorable | AnyActorRef

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
 * Calls `listener` once with the reason when `target` ends. Gives a function that stops watching, or `undefined`
 * when `target` has ended already. Throws a TypeError that names `argument` when it is not something that ends.
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

/** As `watch`, without a function for each: most of what is watched are processes. `false`: it has ended already. */
export function watchBy(watcher: Watch, target: MonitorTarget, order: WatchOrder): boolean {
  const watchers = (target as { readonly [watchersOf]?: () => Watchers | undefined })[watchersOf]
  if (watchers !== undefined) return watchers.call(target)?.insert(watcher, order) !== undefined
  watcher.unwatch = watch(target, reason => watcher.told(reason), 'target', order)
  return watcher.unwatch !== undefined
}

/** Sends an exit signal to whatever can be ended. */
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
 * Sends an exit signal that names no sender. `'normal'` does nothing; another reason ends the process, or becomes an
 * `EXIT` message if it traps exits; `'kill'` always ends it, with reason `'killed'`. `self.exit(pid, reason)` does the
 * same in the name of a process. Source: `erlang:exit/2`.
 */
export function exit(pid: MonitorTarget, reason: ExitReason): void {
  sendExit(pid, undefined, reason, 'exit')
}
