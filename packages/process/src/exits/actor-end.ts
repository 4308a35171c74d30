/** Xstate actors end as processes do: watched, brought about by exit signals, and for reasons that xstate does not keep. */

import { type ExitReason, thrown } from '../exit-reason.js'
import type { XstateActor } from './actor-ref.js'
import { reportExit } from './exit-hook.js'
import type { ExitRoute } from './exit-route.js'
import { Watchers, type WatchOrder } from './watchers.js'

/** Takes the exit signals of an actor that `fromProcess` made. */
export type TakeExit = (from: unknown, reason: ExitReason, route: ExitRoute) => void

interface WatchedActor {
  readonly watchers: Watchers
  readonly unsubscribe: () => void
}

/** The watchers of an actor share one subscription, so that its error is reported once. */
const watchedActors = new WeakMap<object, WatchedActor>()

const takers = new WeakMap<object, TakeExit>()

const reasons = new WeakMap<object, ExitReason>()

const reported = new WeakSet<object>()

/** Hands exit signals to `actor` over to `take` from now on, instead of stopping the actor. */
export function takeExits(actor: XstateActor, take: TakeExit): void {
  takers.set(actor, take)
}

/** Sets the reason for which `actor` is about to end. `isReported` says that the exit hook has been given it. */
export function endsFor(actor: XstateActor, reason: ExitReason, isReported: boolean): void {
  reasons.set(actor, reason)
  if (isReported) reported.add(actor)
}

/** Gives the reason for which an actor, or the nearest parent that has one, was stopped; `'shutdown'` if there is none. */
export function stopReasonOf(actor: XstateActor): ExitReason {
  for (let stopped: XstateActor | undefined = actor; stopped !== undefined; stopped = stopped._parent) {
    if (reasons.has(stopped)) return reasons.get(stopped)
  }
  return 'shutdown'
}

/**
 * Calls `listener` once, with the reason, when the actor ends. Gives a function that stops watching; `undefined` if the
 * actor has ended already.
 */
export function watchActor(
  actor: XstateActor,
  listener: (reason: ExitReason) => void,
  order: WatchOrder,
): (() => void) | undefined {
  // A stopped actor accepts a subscription and never calls it.
  if (statusOf(actor) !== 'active') return undefined
  const watched = watchedActors.get(actor) ?? subscribe(actor)
  const stop = watched.watchers.add(listener, order)
  return () => {
    stop()
    if (watched.watchers.isEmpty) watched.unsubscribe()
  }
}

function statusOf(actor: XstateActor): unknown {
  const snapshot = actor.getSnapshot() as { readonly status: unknown } | undefined
  // An actor that is being started has none yet.
  return snapshot === undefined ? 'active' : snapshot.status
}

function subscribe(actor: XstateActor): WatchedActor {
  const watchers = new Watchers()
  const subscription = actor.subscribe({
    complete: () => watchers.tell(completionOf(actor)),
    error: error => {
      const reason = thrown(error)
      // Xstate reports an error that has no listener, and here is one now. The error of a child goes to its parent.
      const isOurs = actor._parent === undefined && isOnlyObserver(actor)
      if (isOurs && !reported.has(actor)) reportExit(actor, reason)
      watchers.tell(reasons.has(actor) ? reasons.get(actor) : reason)
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

function completionOf(actor: XstateActor): ExitReason {
  if (reasons.has(actor)) return reasons.get(actor)
  return statusOf(actor) === 'done' ? 'normal' : stopReasonOf(actor)
}

/** Whether the actor has no observer but ours. The field is not public in xstate; a test fails if it moves. */
function isOnlyObserver(actor: object): boolean {
  return !('observers' in actor && actor.observers instanceof Set) || actor.observers.size === 1
}

/** Sends an exit signal to an actor. Only a root actor can be stopped from outside; a child lives and dies with its parent. */
export function stopActor(actor: XstateActor, from: unknown, reason: ExitReason, route: ExitRoute): void {
  const take = takers.get(actor)
  if (take !== undefined) return take(from, reason, route)
  if (reason === 'normal' || actor._parent !== undefined || !isStoppable(actor)) return
  if (statusOf(actor) !== 'active') return
  endsFor(actor, route === 'exit' && reason === 'kill' ? 'killed' : reason, true)
  actor.stop()
}

function isStoppable(actor: object): actor is { stop(): unknown } {
  return 'stop' in actor && typeof actor.stop === 'function'
}
