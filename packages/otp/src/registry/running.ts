/** A registry is a process, and what it holds lives as long as that does. */

import { inspect } from 'node:util'
import {
  type MonitorTarget,
  type Pid,
  type Process,
  type Registrable,
  spawn,
  whereis,
} from '@holster/process'
import { checkChoice, checkNames, reportThrown, watch } from '@holster/process/internal'
import type { ChildSpec } from '../child-spec.js'
import { silentBody } from '../silent-body.js'
import { type Listener, Table } from './table.js'

declare const holds: unique symbol

/** A process, connection or actor that is registered, and understands messages of type `Message`. */
export type Registered<Message = unknown> = Pid<Message> & MonitorTarget

/**
 * A registry of processes that understand messages of type `Message`. The registry is itself a process that can be linked,
 * monitored, named and supervised, and takes no messages.
 */
export interface Registry<Key, Value = undefined, Message = unknown> extends Process<never> {
  /** @internal Holds the types; there is no such property at run time. */
  readonly [holds]: (key: Key, value: Value, message: Message) => readonly [Value, Message]
}

/** A registry, or the name under which one is registered, which stands for the next one after a restart. */
export type RegistryRef<Key, Value, Message> = Registry<Key, Value, Message> | string

/** The message that a listener of a registry is sent. Source: `t:Registry.listener_message/0`. */
export type ListenerMessage<Key = unknown, Value = unknown> =
  | {
      /** The tag by which patterns and a `switch` tell messages apart. */
      readonly type: 'registry_register'
      /** The registry. */
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
      /** The registry. */
      readonly registry: Process<never>
      /** The key under which it was. */
      readonly key: Key
      /** The process that was unregistered, or has ended. */
      readonly pid: Registrable
    }

/** Options of a registry. `start` throws a TypeError that names a wrong one. */
export interface Options {
  /** Whether a key stands for one process at most, or for any number of them. */
  readonly keys: 'unique' | 'duplicate'
  /** The name under which the registry is registered, with the errors of `register` of `@holster/process`. Default: none. */
  readonly name?: string
  /** Gets a `ListenerMessage` for each change: processes, or their names. Default: none. */
  readonly listeners?: readonly (Pid<ListenerMessage> | string)[]
}

const KNOWN = ['keys', 'name', 'listeners']

const tables = new WeakMap<object, Table<unknown, unknown>>()

/**
 * Starts a registry, which lives until it is ended, and then forgets everything; the registered processes live on. Throws a
 * TypeError that names a wrong option, and an Error if the name is taken.
 */
export function start<Key, Value = undefined, Message = unknown>(
  options: Options,
): Registry<Key, Value, Message> {
  checkOptions(options)
  return open(spawn(silentBody, nameOf(options)), options)
}

/** Does as `start`, and links the registry to `self`. Source: `Registry.start_link/1`. */
export function startLink<Key, Value = undefined, Message = unknown, M = unknown>(
  self: Process<M>,
  options: Options,
): Registry<Key, Value, Message> {
  checkOptions(options)
  return open(self.spawnLink(silentBody, nameOf(options)), options)
}

/** Gives the spec of a registry under a supervisor. `id` is the name, or `'registry'`. Source: `Registry.child_spec/1`. */
export function childSpec(options: Options & { readonly id?: string }): ChildSpec {
  const { id, ...own } = options
  checkOptions(own)
  return { id: id ?? own.name ?? 'registry', start: parent => startLink(parent, own) }
}

/** Gives the table of a registry. Throws a TypeError unless it is one, and an Error if it has ended. */
export function tableOf<Key, Value, Message>(registry: RegistryRef<Key, Value, Message>): Table<Key, Value> {
  const process = typeof registry === 'string' ? whereis(registry) : registry
  if (process === undefined) throw new Error(`no registry is registered as '${registry}'`)
  const table = typeof process === 'object' && process !== null ? tables.get(process) : undefined
  if (table === undefined) {
    throw new TypeError(
      `registry must be what start gave, or its name, not ${inspect(registry, { depth: 0 })}`,
    )
  }
  if (!(process as Process<never>).isAlive) throw new Error(`registry has exited: ${process}`)
  return table as Table<unknown, unknown> as Table<Key, Value>
}

function open<Key, Value, Message>(process: Process, options: Options): Registry<Key, Value, Message> {
  process.label = `registry of ${options.keys} keys`
  const table = new Table(options.keys === 'unique', new Listeners(process, options.listeners ?? []))
  tables.set(process, table)
  watch(process, () => table.clear(), 'registry', 'name')
  return process as unknown as Registry<Key, Value, Message>
}

/** Sends each change to the listeners. */
class Listeners implements Listener<unknown, unknown> {
  readonly #registry: Process<never>
  readonly #listeners: readonly (Pid<ListenerMessage> | string)[]

  constructor(registry: Process, listeners: readonly (Pid<ListenerMessage> | string)[]) {
    this.#registry = registry as unknown as Process<never>
    this.#listeners = [...listeners]
  }

  registered(key: unknown, pid: Registrable, value: unknown): void {
    this.#send({ type: 'registry_register', registry: this.#registry, key, pid, value })
  }

  unregistered(key: unknown, pid: Registrable): void {
    this.#send({ type: 'registry_unregister', registry: this.#registry, key, pid })
  }

  #send(message: ListenerMessage): void {
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

function nameOf({ name }: Options): { readonly name?: string } {
  return name === undefined ? {} : { name }
}

function checkOptions(options: Options): void {
  checkNames(options, KNOWN, 'a registry')
  checkChoice('options.keys', options.keys, ['unique', 'duplicate'])
  const { listeners } = options
  if (listeners === undefined) return
  if (!Array.isArray(listeners)) throw new TypeError('options.listeners must be an array')
  for (const listener of listeners) {
    if (typeof listener === 'string' || typeof listener?.send === 'function') continue
    throw new TypeError(`options.listeners must hold pids or names, not ${inspect(listener, { depth: 0 })}`)
  }
}
