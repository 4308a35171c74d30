/** Each option of a registry must be known, of the right type, and fit the others. */

import { inspect } from 'node:util'
import type { MonitorTarget, Pid, Process } from '@holster/process'
import { checkChoice, checkNames } from '@holster/process/internal'
import type { ListenerMessage } from './listeners.js'

/** A process, connection or actor that is registered, and understands messages of type `Message`. */
export type Registered<Message = unknown> = Pid<Message> & MonitorTarget

/** A process of this node that has lost its key to one of another node: `onConflict` is called with it. */
export interface Conflict {
  /** The registry of this node. */
  readonly registry: Process<never>
  /** The key; an array or plain object is a frozen copy. */
  readonly key: unknown
  /** The process that had it, and is registered under it no more. */
  readonly pid: Registered
  /** The value with which it was. */
  readonly value: unknown
  /** The process that has the key now. */
  readonly winner: Registered
}

/** Options of a registry. `start` throws a TypeError that names a wrong one. */
export interface Options {
  /** Whether a key stands for one process at most, or for any number of them. */
  readonly keys: 'unique' | 'duplicate'
  /**
   * The name under which the registry is registered, with the errors of `register` of `@holster/process`. Needed if `nodes` is `'all'`.
   * Default: none.
   */
  readonly name?: string
  /**
   * Whose entries the registry has. With `'all'` the registries of one name have the same entries on all nodes where there is one: each
   * registers processes of its own node, and all hear of that. Default: `'this'`, as in Elixir.
   */
  readonly nodes?: 'this' | 'all'
  /** Gets a `ListenerMessage` for each change: processes, or their names. Default: none. */
  readonly listeners?: readonly (Pid<ListenerMessage> | string)[]
  /**
   * Is called when a process of this node has lost its unique key, since another node had taken the same one earlier and neither had heard
   * of the other; for registries with `nodes: 'all'`. What it throws goes to the exit hook. Default: the registry sends the process an exit
   * signal with the reason `['name_conflict', key, winner]`.
   */
  readonly onConflict?: (conflict: Conflict) => void
}

const KNOWN = ['keys', 'name', 'nodes', 'listeners', 'onConflict']

/** Throws a TypeError that names a wrong option. */
export function checkOptions(options: Options): void {
  checkNames(options, KNOWN, 'a registry')
  const { keys, name, nodes = 'this', listeners, onConflict } = options
  checkChoice('options.keys', keys, ['unique', 'duplicate'])
  checkChoice('options.nodes', nodes, ['this', 'all'])
  if (nodes === 'all' && name === undefined) {
    throw new TypeError(
      "options.name must be given if options.nodes is 'all': the registries find each other by it",
    )
  }
  checkListeners(listeners)
  if (onConflict === undefined) return
  if (typeof onConflict !== 'function') {
    throw new TypeError(`options.onConflict must be a function, not ${inspect(onConflict, { depth: 0 })}`)
  }
  if (nodes === 'all' && keys === 'unique') return
  throw new TypeError(
    "options.onConflict needs unique keys, and 'all' as options.nodes: otherwise there is none",
  )
}

function checkListeners(listeners: Options['listeners']): void {
  if (listeners === undefined) return
  if (!Array.isArray(listeners)) throw new TypeError('options.listeners must be an array')
  for (const listener of listeners) {
    if (typeof listener === 'string' || typeof listener?.send === 'function') continue
    throw new TypeError(`options.listeners must hold pids or names, not ${inspect(listener, { depth: 0 })}`)
  }
}
