/**
 * A registry finds processes by keys of any kind, with a value for each, until they end: those of this node, or of all. Elixir's `Registry`,
 * without partitions: here one thread runs everything, so that there is nothing to share out.
 * @module
 */

import { inspect } from 'node:util'
import type { P, Registrable } from '@holster/process'
import { compile } from '@holster/process/internal'
import type { Registered } from './options.js'
import { type RegistryRef, tableOf } from './running.js'
import type { Registration } from './table.js'

export { AlreadyRegistered } from './already-registered.js'
export type { ListenerMessage } from './listeners.js'
export type { Conflict, Options, Registered } from './options.js'
export {
  childSpec,
  type Registry,
  type RegistryRef,
  start,
  startLink,
} from './running.js'

/** An entry that is found under a key. */
export interface Entry<Value, Message = unknown> {
  /** The process, connection or actor that is registered. */
  readonly pid: Registered<Message>
  /** The value that it was registered with. */
  readonly value: Value
}

/** An entry that `select` finds, with its key. */
export interface KeyedEntry<Key, Value, Message = unknown> extends Entry<Value, Message> {
  /** The key; an array or plain object is a frozen copy of the one that was registered. */
  readonly key: Key
}

/**
 * Registers `pid` under `key`, with `value`, until it is unregistered or ends. With duplicate keys one process may be registered under a
 * key several times. Throws `AlreadyRegistered` if the keys are unique and the key is taken, an Error if `pid` has ended, a TypeError
 * unless it is something that ends. A registry with `nodes: 'all'` counts a key as taken if this node knows of an entry on any; it also
 * throws a TypeError for a process of another node, for a key that is not the same on all nodes, such as a `Date`, and on a node for a
 * value that cannot be sent. Source: `Registry.register/3`, which registers the caller.
 */
export function register<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pid: Registered<NoInfer<Message>>,
  ...[value]: undefined extends Value ? [value?: NoInfer<Value>] : [value: NoInfer<Value>]
): void {
  tableOf(registry).add(key, pid, value as Value)
}

/**
 * Removes all entries of `pid` under `key`, and says whether there was one. With `nodes: 'all'` throws a TypeError for a process of another
 * node. Source: `Registry.unregister/2`.
 */
export function unregister<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pid: Registrable,
): boolean {
  return tableOf(registry).remove(key, pid, () => true)
}

/**
 * Removes the entries of `pid` under `key` whose value matches `pattern`, as `receive` compares, and says whether there was one. Throws as
 * `unregister` does. Source: `Registry.unregister_match/4`.
 */
export function unregisterMatch<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pid: Registrable,
  pattern: P.Pattern<NoInfer<Value>>,
): boolean {
  return tableOf(registry).remove(key, pid, compile(pattern))
}

/**
 * Gives the entries under `key`, the oldest first, and those of other nodes in the order in which this one has heard of them; none if there
 * are none. Source: `Registry.lookup/2`.
 */
export function lookup<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
): Entry<Value, Message>[] {
  return Array.from(tableOf(registry).under(key), entryOf)
}

/**
 * Gives the process under `key`; `undefined` if there is none. Throws an Error if the keys are not unique. Source: the `:via` names of
 * Elixir's `Registry`.
 */
export function whereis<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
): Registered<Message> | undefined {
  const table = tableOf(registry)
  checkUnique(table.isUnique, 'whereis')
  for (const { pid } of table.under(key)) return pid as Registered<Message>
  return undefined
}

/**
 * Calls `run` with the entries under `key`, the oldest first, and gives its result. Does not call it, and gives `undefined`, if there are
 * none. Source: `Registry.dispatch/4`.
 */
export function dispatch<Key, Value, Message, R>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  run: (entries: Entry<Value, Message>[]) => R,
): R | undefined {
  checkFunction('run', run)
  const entries = lookup<Key, Value, Message>(registry, key)
  return entries.length === 0 ? undefined : run(entries)
}

/**
 * Gives the keys of `pid`, in the order of registration, each as often as it is registered under it. Source: `Registry.keys/2`.
 */
export function keys<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  pid: Registrable,
): Key[] {
  return Array.from(tableOf(registry).held(pid), ({ row }) => row.key)
}

/** Gives the values of `pid` under `key`, in the order of registration. Source: `Registry.values/3`. */
export function values<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pid: Registrable,
): Value[] {
  return tableOf(registry)
    .of(key, pid)
    .map(({ value }) => value)
}

/** Gives the number of entries. Source: `Registry.count/1`. */
export function count<Key, Value, Message>(registry: RegistryRef<Key, Value, Message>): number {
  return tableOf(registry).count
}

/** Gives the entries under `key` whose value matches `pattern`, as `receive` compares. Source: `Registry.match/4`. */
export function match<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pattern: P.Pattern<NoInfer<Value>>,
): Entry<Value, Message>[] {
  const test = compile(pattern)
  return lookup<Key, Value, Message>(registry, key).filter(({ value }) => test(value))
}

/** Gives the number of entries that `match` would give. Source: `Registry.count_match/4`. */
export function countMatch<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pattern: P.Pattern<NoInfer<Value>>,
): number {
  return match<Key, Value, Message>(registry, key, pattern).length
}

/** The criteria of `select`: patterns, as `receive` compares them, and a process. */
export interface Selection<Key, Value> {
  /** Matches the key. Default: any. */
  readonly key?: P.Pattern<Key>
  /** The process that is registered. Default: any. */
  readonly pid?: Registrable
  /** Matches the value. Default: any. */
  readonly value?: P.Pattern<Value>
}

/**
 * Gives the entries of all keys that match `selection`, or all entries without one. Looks at each entry, unlike all other functions here.
 * Source: `Registry.select/2`.
 */
export function select<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  selection: Selection<NoInfer<Key>, NoInfer<Value>> = {},
): KeyedEntry<Key, Value, Message>[] {
  const entries = Array.from(tableOf(registry).all(), ({ pid, value, row: { key } }) => ({ key, pid, value }))
  return entries.filter(compile(selection))
}

/**
 * Puts what `update` makes of the value of `pid` under `key` in its place, and gives the new value and the old one; `undefined`, without
 * a call, if `pid` does not have the key. Throws an Error if the keys are not unique; with `nodes: 'all'` also a TypeError for a process of
 * another node, and on a node for a value that cannot be sent, which changes nothing. Source: `Registry.update_value/3`.
 */
export function updateValue<Key, Value, Message>(
  registry: RegistryRef<Key, Value, Message>,
  key: NoInfer<Key>,
  pid: Registrable,
  update: (value: Value) => NoInfer<Value>,
): [value: Value, old: Value] | undefined {
  checkFunction('update', update)
  const table = tableOf(registry)
  checkUnique(table.isUnique, 'updateValue')
  return table.update(key, pid, update)
}

function entryOf<Key, Value, Message>({ pid, value }: Registration<Key, Value>): Entry<Value, Message> {
  return { pid: pid as Registered<Message>, value }
}

function checkUnique(isUnique: boolean, name: string): void {
  if (!isUnique) throw new Error(`${name} needs a registry with unique keys`)
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value === 'function') return
  throw new TypeError(`${name} must be a function, not ${inspect(value, { depth: 0 })}`)
}
