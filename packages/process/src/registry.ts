/** A name stands for one process until that exits. */

import { isActorRef } from './exits/actor-ref.js'
import { type MonitorTarget, watch } from './exits/exit.js'
import type { Pid } from './pid.js'

/** Anything that can have a name: it takes messages, and ends. */
export type Registrable = Pid<never> & MonitorTarget

interface Entry {
  readonly pid: Registrable
  readonly stop: () => void
}

const entries = new Map<string, Entry>()

/** The name of each pid, which is kept after the exit so that the pid still prints with it. */
const names = new WeakMap<Registrable, string>()

/**
 * Gives `pid` a name, until it exits. Throws a TypeError unless the name is a non-empty string, and an Error if the name is
 * taken, if the pid has a name already, or if it has exited. Source: `erlang:register/2`.
 */
export function register(name: string, pid: Registrable): void {
  if (typeof name !== 'string' || name === '') throw new TypeError('name must be a non-empty string')
  if (entries.has(name)) throw new Error(`name '${name}' is taken by ${shown(entries.get(name)?.pid)}`)
  const other = names.get(pid)
  if (other !== undefined && entries.get(other)?.pid === pid) {
    throw new Error(`${shown(pid)} is registered already, as '${other}'`)
  }
  const stop = watch(pid, () => entries.delete(name), 'pid', 'name')
  if (stop === undefined) throw new Error(`${shown(pid)} has exited`)
  entries.set(name, { pid, stop })
  names.set(pid, name)
}

/** Names a pid in an error. An actor has no print of its own, so its id stands for it. */
function shown(pid: unknown): string {
  return isActorRef(pid) ? `the actor '${pid.id}'` : String(pid)
}

/** Frees a name. Throws an Error if no process has it. Source: `erlang:unregister/1`. */
export function unregister(name: string): void {
  const entry = entries.get(name)
  if (entry === undefined) throw new Error(`no process is registered as '${name}'`)
  entry.stop()
  entries.delete(name)
  names.delete(entry.pid)
}

/** Adds the name of a pid to its id: `#Process<12>` becomes `#Process<12 worker>`. */
export function withName(id: string, pid: Registrable): string {
  const name = nameOf(pid)
  return name === undefined ? id : `${id.slice(0, -1)} ${name}>`
}

/** Gives the name of a pid, or the one that it had at its exit; `undefined` if it never had one. */
export function nameOf(pid: Registrable): string | undefined {
  return names.get(pid)
}

/** Gives the pid that has the name; `undefined` if none has. Source: `erlang:whereis/1`. */
export function whereis<M = unknown>(name: string): Pid<M> | undefined {
  return entries.get(name)?.pid as Pid<M> | undefined
}

/** Gives the names that are taken, in the order in which they were. Source: `erlang:registered/0`. */
export function registered(): string[] {
  return [...entries.keys()]
}
