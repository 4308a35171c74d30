/** The ends of xstate actors: how they are watched, how they are brought about, and the reasons, which xstate does not know. */

import type { AnyActorRef } from 'xstate'
import { type ExitReason, thrown } from '../exit-reason.js'
import { reportExit } from './exit-hook.js'
import { Watchers, type WatchOrder } from './watchers.js'

/** What runs within an actor that `fromProcess` made: it takes the exit signals of its actor. */
export type TakeExit = (from: unknown, reason: ExitReason, route: 'link' | 'exit') => void

interface WatchedActor {
  readonly watchers: Watchers
  readonly unsubscribe: () => void
}

/** One subscription for all who watch an actor, so that its error is reported once. */
const watchedActors = new WeakMap<object, WatchedActor>()

const signalled = new WeakMap<object, TakeExit>()

const reasons = new WeakMap<object, ExitReason>()

const reported = new WeakSet<object>()

/** Exit signals to `actor` go to `take` from now on, instead of stopping it. */
export function takeExits(actor: AnyActorRef, take: TakeExit): void {
  signalled.set(actor, take)
}

/** Why `actor` is about to end, for those who watch it. `isReported`: the exit hook knows already. */
export function endsFor(actor: AnyActorRef, reason: ExitReason, isReported: boolean): void {
  reasons.set(actor, reason)
  if (isReported) reported.add(actor)
}

/** Why an actor was stopped, or the one to which it belongs; `'shutdown'` where nobody gave a reason. */
export function stopReasonOf(actor: AnyActorRef): ExitReason {
  for (let stopped: AnyActorRef | undefined = actor; stopped !== undefined; stopped = stopped._parent) {
    if (reasons.has(stopped)) return reasons.get(stopped)
  }
  return 'shutdown'
}

/** Calls `listener` once with the reason when the actor ends. `undefined`: it has ended already. */
export function watchActor(
  actor: AnyActorRef,
  listener: (reason: ExitReason) => void,
  order: WatchOrder,
): (() => void) | undefined {
  // A stopped actor accepts a subscription and never calls it.
  // One that invokes us has no snapshot yet: it is being started.
  if ((actor.getSnapshot() ?? { status: 'active' }).status !== 'active') return undefined
  const watched = watchedActors.get(actor) ?? subscribe(actor)
  const stop = watched.watchers.add(listener, order)
  return () => {
    stop()
    if (watched.watchers.isEmpty) watched.unsubscribe()
  }
}

function subscribe(actor: AnyActorRef): WatchedActor {
  const watchers = new Watchers()
  const subscription = actor.subscribe({
    complete: () => watchers.tell(completionOf(actor)),
    error: error => {
      const reason = thrown(error)
      // With an error listener, ours, xstate no longer reports the error by itself. A child's goes to its parent.
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

function completionOf(actor: AnyActorRef): ExitReason {
  if (reasons.has(actor)) return reasons.get(actor)
  return actor.getSnapshot().status === 'done' ? 'normal' : stopReasonOf(actor)
}

/** Whether nobody but us gets to know the error. Not public in xstate: a test fails if the field moves. */
function isOnlyObserver(actor: object): boolean {
  return !('observers' in actor && actor.observers instanceof Set) || actor.observers.size === 1
}

/** Only a root actor can be stopped from outside; a child lives and dies with its parent. */
export function stopActor(
  actor: AnyActorRef,
  from: unknown,
  reason: ExitReason,
  route: 'link' | 'exit',
): void {
  const take = signalled.get(actor)
  if (take !== undefined) return take(from, reason, route)
  if (reason === 'normal' || actor._parent !== undefined || !isStoppable(actor)) return
  if (actor.getSnapshot().status !== 'active') return
  endsFor(actor, route === 'exit' && reason === 'kill' ? 'killed' : reason, true)
  actor.stop()
}

function isStoppable(actor: object): actor is { stop(): unknown } {
  return 'stop' in actor && typeof actor.stop === 'function'
}
