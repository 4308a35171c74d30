/** A pid is anything that messages can be sent to. */

/** Anything that takes messages of type `M`. A process is one, and so is an ActorRef of xstate. */
export interface Pid<M> {
  /** Sends a message. A process takes any message without an error; an actor may throw at an event. */
  send(message: M): void
}
