/** The machine of a connection that a machine of the caller's has invoked: an actor of xstate's runs it. */

import type { AnyActorRef, AnyMachineSnapshot, StateValue } from 'xstate'
import type { ConnectionContext, ConnectionEvent, Machine } from './events.js'

/** The connection, as far as its actor needs it. */
export interface ActorMachineHome {
  readonly effects: { performNoted(): void }
  /** The actor was stopped from outside, or is done. */
  onStopped(): void
  /** The machine has failed, which it never should. */
  onBroken(cause: unknown): void
}

export class ActorMachine implements Machine {
  readonly #actor: AnyActorRef

  constructor(actor: AnyActorRef) {
    this.#actor = actor
  }

  /** Tells the connection of each transition, once that is over, and of the end of the actor. */
  tell(home: ActorMachineHome): void {
    this.#actor.subscribe({
      next: () => home.effects.performNoted(),
      complete: () => home.onStopped(),
      error: cause => home.onBroken(cause),
    })
  }

  get context(): ConnectionContext {
    return this.#snapshot.context
  }

  get stateName(): string {
    const { value } = this.#snapshot
    return nameOf(value.connected ?? value)
  }

  get states(): readonly string[] {
    return pathsOf(this.#snapshot.value, '')
  }

  get isAccepting(): boolean {
    return this.#snapshot.hasTag('accepting')
  }

  send(event: ConnectionEvent): void {
    this.#actor.send(event)
  }

  get #snapshot(): AnyMachineSnapshot {
    return this.#actor.getSnapshot()
  }
}

/** Gives the path of each state in a state value of xstate's, the outermost first. */
function pathsOf(value: StateValue, around: string): readonly string[] {
  if (typeof value === 'string') return [around + value]
  return Object.entries(value).flatMap(([name, below]) => {
    const path = around + name
    return [path, ...(below === undefined ? [] : pathsOf(below, `${path}.`))]
  })
}

/** Returns the name of the outermost state in a state value of xstate's. */
function nameOf(value: string | object): string {
  return typeof value === 'string' ? value : String(Object.keys(value)[0])
}
