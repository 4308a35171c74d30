/** How anything ends: exit reasons, who gets to know them, and what happens to one that nobody handles. */

import { inspect } from 'node:util'
import type { AnyActorRef } from 'xstate'
import { onRejection } from './callback.js'
import { Watchers } from './watchers.js'

/**
 * Why something ended: `'normal'`, `'shutdown'`, `['shutdown', cause]`, `'killed'`, `'noproc'` (it had ended
 * before anybody asked), an Error that was thrown, or whatever was given to `exit`.
 */
export type ExitReason = unknown

/** Carried by what can be monitored: calls `listener` once when it ends. `undefined`: it has ended already. */
export const onExit: unique symbol = Symbol.for('@holster/process.onExit')

/** Carried by what takes exit signals, as links and `exit` send them. `from` is the linked process, if it was one. */
export const exitSignal: unique symbol = Symbol.for('@holster/process.exitSignal')

/** Something whose end can be watched. A Process is one, a connection is one. */
export interface Monitorable {
  /**
   * Calls `listener` once, with the reason, when it ends. Gives a function that stops watching; `undefined`: it has
   * ended already, and `listener` is never called.
   */
  [onExit](listener: (reason: ExitReason) => void): (() => void) | undefined
  /**
   * Takes an exit signal. `from` is the linked side that ended; `undefined`: the signal came from `exit`. Absent
   * where nothing can end it from outside.
   */
  [exitSignal]?(from: unknown, reason: ExitReason): void
}

/** What `monitor` and `link` take: a process, a connection, or an xstate actor. */
export type MonitorTarget = Monitorable | AnyActorRef

export function isMonitorable(value: unknown): value is Monitorable {
  return typeof value === 'object' && value !== null && onExit in value
}

/** Whether it is an xstate actor, told by `send`, `subscribe` and `getSnapshot`. Never throws. */
export function isActorRef(value: unknown): value is AnyActorRef {
  return (
    typeof value === 'object' &&
    value !== null &&
    'send' in value &&
    typeof value.send === 'function' &&
    'subscribe' in value &&
    typeof value.subscribe === 'function' &&
    'getSnapshot' in value &&
    typeof value.getSnapshot === 'function'
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
): (() => void) | undefined {
  checkTarget(target, argument)
  return isMonitorable(target) ? target[onExit](listener) : watchActor(target, listener)
}

/** Throws a TypeError that names the argument, unless `target` is something that ends. */
export function checkTarget(target: unknown, argument = 'target'): asserts target is MonitorTarget {
  if (isMonitorable(target) || isActorRef(target)) return
  throw new TypeError(
    `${argument} must be a process, a connection or an xstate actor, not ${inspect(target, { depth: 0 })}`,
  )
}

interface WatchedActor {
  readonly watchers: Watchers
  readonly unsubscribe: () => void
}

/** One subscription for all who watch an actor, so that its error is reported once. */
const watchedActors = new WeakMap<AnyActorRef, WatchedActor>()

function watchActor(actor: AnyActorRef, listener: (reason: ExitReason) => void): (() => void) | undefined {
  // A stopped actor accepts a subscription and never calls it.
  // One that invokes us has no snapshot yet: it is being started.
  if ((actor.getSnapshot() ?? { status: 'active' }).status !== 'active') return undefined
  const watched = watchedActors.get(actor) ?? subscribe(actor)
  const stop = watched.watchers.add(listener)
  return () => {
    stop()
    if (watched.watchers.isEmpty) watched.unsubscribe()
  }
}

function subscribe(actor: AnyActorRef): WatchedActor {
  const watchers = new Watchers()
  const subscription = actor.subscribe({
    complete: () => watchers.tell(actor.getSnapshot().status === 'done' ? 'normal' : 'shutdown'),
    error: error => {
      // With an error listener, ours, xstate no longer reports the error by itself. A child's goes to its parent.
      if (actor._parent === undefined && isOnlyObserver(actor)) reportExit(actor, error)
      watchers.tell(error)
    },
  })
  const unsubscribe = () => {
    subscription.unsubscribe()
    if (watchedActors.get(actor) === watched) watchedActors.delete(actor)
  }
  const watched = { watchers, unsubscribe }
  watchedActors.set(actor, watched)
  return watched
}

/** Whether nobody but us gets to know the error. Not public in xstate: a test fails if the field moves. */
function isOnlyObserver(actor: object): boolean {
  return !('observers' in actor && actor.observers instanceof Set) || actor.observers.size === 1
}

/** Gets each exit reason that nobody is known to have handled: who ended, and why. */
export type ExitHook = (pid: unknown, reason: ExitReason) => void

/** A reason in one line, if its author did not put more into it. Never throws, whatever the reason is. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason
  try {
    return reason instanceof Error ? `${reason.name}: ${reason.message}` : inspect(reason)
  } catch {
    return 'a value that cannot be shown'
  }
}

/** All that can be shown of a reason. */
function detailsOf(reason: ExitReason): string {
  try {
    return inspect(reason)
  } catch {
    return ''
  }
}

function warn(pid: unknown, reason: ExitReason): void {
  const id = isActorRef(pid) ? pid.id : pid
  const name = typeof id === 'string' ? id : inspect(id, { depth: 0 })
  process.emitWarning(`${name} exited: ${describeReason(reason)}`, {
    type: 'UncaughtExit',
    code: 'HOLSTER_UNCAUGHT_EXIT',
    detail: detailsOf(reason),
  })
}

let hook: ExitHook = warn

/**
 * Sets what happens to uncaught exit reasons, and gives the hook that was set before. `undefined` restores the
 * default, which is `process.emitWarning` with the code `HOLSTER_UNCAUGHT_EXIT`. A hook that throws, or gives a promise
 * that rejects, is replaced by the default for that one call.
 *
 * Every reason is reported once, except `'normal'`, `'shutdown'` and `['shutdown', cause]`; a reason that reached a
 * process through a link was reported where it arose. Source: the crash reports of Erlang's logger.
 */
export function setExitHook(next: ExitHook | undefined): ExitHook {
  if (next !== undefined && typeof next !== 'function') throw new TypeError('hook must be a function')
  const previous = hook
  hook = next ?? warn
  return previous
}

export function isOrderly(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || (Array.isArray(reason) && reason[0] === 'shutdown')
}

/** Hands a reason to the exit hook, unless it is an orderly one. Never throws. */
export function reportExit(pid: unknown, reason: ExitReason): void {
  if (isOrderly(reason)) return
  const failed = (error: unknown) => {
    warn(pid, reason)
    warn(pid, error)
  }
  try {
    onRejection(hook(pid, reason), failed)
  } catch (error) {
    failed(error)
  }
}

/**
 * To be given what a function of the caller's has returned where nobody waits for it: if that is a promise that rejects,
 * the reason goes to the exit hook, as an error that the function throws does.
 */
export function reportRejection(pid: unknown, result: unknown): void {
  if (result !== undefined) onRejection(result, reason => reportExit(pid, reason))
}
