/** A registry is a process, and what it holds lives as long as that does. */

import { inspect } from 'node:util'
import { type Process, spawn, whereis } from '@holster/process'
import { reportRejection, reportThrown, sendExit, watch } from '@holster/process/internal'
import type { ChildSpec } from '../child-spec.js'
import { hereName } from '../peers/local.js'
import { meetPeers, type PeerMessage, Peers, peerBody } from '../peers/peers.js'
import { silentBody } from '../silent-body.js'
import { Listeners } from './listeners.js'
import { type Conflict, checkOptions, type Options, type Registered } from './options.js'
import { Replica } from './replica.js'
import { Table } from './table.js'

declare const holds: unique symbol

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

const tables = new WeakMap<object, Table<unknown, unknown>>()

/**
 * Starts a registry, which lives until it is ended, and then forgets everything; the registered processes live on. Throws a
 * TypeError that names a wrong option, and an Error if the name is taken.
 */
export function start<Key, Value = undefined, Message = unknown>(
  options: Options,
): Registry<Key, Value, Message> {
  checkOptions(options)
  return open(spawn(bodyOf(options), nameOf(options)), options)
}

/** Does as `start`, and links the registry to `self`. Source: `Registry.start_link/1`. */
export function startLink<Key, Value = undefined, Message = unknown, M = unknown>(
  self: Process<M>,
  options: Options,
): Registry<Key, Value, Message> {
  checkOptions(options)
  return open(self.spawnLink(bodyOf(options), nameOf(options)), options)
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
  const registry = process as unknown as Process<never>
  const listeners = new Listeners(registry, options.listeners ?? [])
  const { table, close } =
    options.nodes === 'all' ? share(process, listeners, options) : hold(listeners, options)
  tables.set(process, table)
  watch(process, close, 'registry', 'name')
  return registry as Registry<Key, Value, Message>
}

/** The data of a registry, and what ends with it. */
interface Held {
  readonly table: Table<unknown, unknown>
  close(): void
}

/** Holds the entries of this node. */
function hold(listeners: Listeners, { keys }: Options): Held {
  const table = new Table(keys === 'unique', listeners)
  return { table, close: () => table.clear() }
}

/** Holds the entries of all nodes. */
function share(process: Process, listeners: Listeners, { keys, name = '', onConflict }: Options): Held {
  const registry = process as unknown as Process<never>
  const settle = onConflict ?? exitLoser
  const replica = new Replica(keys === 'unique', listeners, {
    node: hereName,
    now: Date.now,
    tell: change => peers.tell(change),
    onLoss({ key, pid, value }, winner) {
      const conflict = { registry, key, pid: pid as Registered, value, winner: winner as Registered }
      try {
        reportRejection(registry, settle(conflict))
      } catch (error) {
        reportThrown(registry, error)
      }
    },
  })
  const peers = new Peers(process, `registry of ${keys} keys`, replica)
  const leave = meetPeers(process as unknown as Process<PeerMessage>, name, peers)
  const close = () => {
    leave()
    replica.clear()
  }
  return { table: replica.table, close }
}

function exitLoser({ registry, key, pid, winner }: Conflict): void {
  sendExit(pid, registry, ['name_conflict', key, winner], 'exit')
}

/** Gives the body of a registry's process. */
function bodyOf({ nodes }: Options): typeof silentBody {
  return nodes === 'all' ? (peerBody as unknown as typeof silentBody) : silentBody
}

function nameOf({ name }: Options): { readonly name?: string } {
  return name === undefined ? {} : { name }
}
