/** Xstate actors are known by their methods, so that this package needs no xstate. */

/** An xstate actor, by the parts that this package uses. Every ActorRef of xstate is one. */
export interface XstateActor {
  /** Names the actor within its parent. */
  readonly id: string
  /** @internal The parent; `undefined` for a root actor. */
  readonly _parent?: XstateActor | undefined
  /** Sends an event to the actor. */
  send(event: never): void
  /** Gives the actor's snapshot. */
  getSnapshot(): unknown
  /** Calls the observer at the end of the actor. */
  subscribe(observer: ActorObserver): ActorSubscription
}

/** Gets the end of an actor. */
export interface ActorObserver {
  /** Called when the actor is done, or was stopped. */
  readonly complete: () => void
  /** Called when the actor has failed. */
  readonly error: (error: unknown) => void
}

/** A subscription to an actor. */
export interface ActorSubscription {
  /** Ends the calls of the observer. */
  unsubscribe(): void
}

/** Whether `value` is an xstate actor, known by `send`, `subscribe` and `getSnapshot`. Never throws. */
export function isActorRef(value: unknown): value is XstateActor {
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
