/** Where a message can be sent. */

/** Anything that messages can be sent to. An xstate ActorRef is one as it is. */
export interface Pid<M> {
  /** Takes a message. A process never fails at it; what an actor does with an event is its own affair. */
  send(message: M): void
}
