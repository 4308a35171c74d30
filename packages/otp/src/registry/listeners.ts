/** The listeners of a registry are told of each change, for as long as it lives. */

import { type Pid, type Process, type Registrable, whereis } from '@holster/process'
import { reportThrown } from '@holster/process/internal'
import type { Listener } from './table.js'

/** The message that a listener of a registry is sent. Source: `t:Registry.listener_message/0`. */
export type ListenerMessage<Key = unknown, Value = unknown> =
  | {
      /** The tag by which patterns and a `switch` tell messages apart. */
      readonly type: 'registry_register'
      /** The registry of this node. */
      readonly registry: Process<never>
      /** The key under which it is. */
      readonly key: Key
      /** The process that is registered. */
      readonly pid: Registrable
      /** The value with which it is. */
      readonly value: Value
    }
  | {
      /** The tag by which patterns and a `switch` tell messages apart. */
      readonly type: 'registry_unregister'
      /** The registry of this node. */
      readonly registry: Process<never>
      /** The key under which it was. */
      readonly key: Key
      /** The process that was unregistered, or has ended. */
      readonly pid: Registrable
    }

/** Sends each change to the listeners. */
export class Listeners implements Listener<unknown, unknown> {
  readonly #registry: Process<never>
  readonly #listeners: readonly (Pid<ListenerMessage> | string)[]

  constructor(registry: Process<never>, listeners: readonly (Pid<ListenerMessage> | string)[]) {
    this.#registry = registry
    this.#listeners = [...listeners]
  }

  registered(key: unknown, pid: Registrable, value: unknown): void {
    this.#send({ type: 'registry_register', registry: this.#registry, key, pid, value })
  }

  unregistered(key: unknown, pid: Registrable): void {
    this.#send({ type: 'registry_unregister', registry: this.#registry, key, pid })
  }

  #send(message: ListenerMessage): void {
    // A listener that was told before may have ended it.
    if (!this.#registry.isAlive) return
    for (const listener of this.#listeners) {
      const to = typeof listener === 'string' ? whereis<ListenerMessage>(listener) : listener
      try {
        to?.send(message)
      } catch (error) {
        // An actor may throw at an event, and the other listeners are to hear all the same.
        reportThrown(to, error)
      }
    }
  }
}
