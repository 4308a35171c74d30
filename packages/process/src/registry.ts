/** Names for processes. A name goes when its process exits. */

import { isActorRef } from './exits/actor-ref.js'
import { type MonitorTarget, watch } from './exits/exit.js'
import type { Pid } from './pid.js'

/** What can have a name: something to send to that also ends. */
export type Registrable = Pid<never> & MonitorTarget

interface Entry {
  readonly pid: Registrable
  readonly stop: () => void
}

const entries = new Map<string, Entry>()

/** The name that a pid has, or had when it exited: for prints. */
const names = new WeakMap<Registrable, string>()

/**
 * Gives `pid` a name. Throws a TypeError for a name that is not a non-empty string, and an Error if the name is
 * taken, the pid has a name already, or it has exited. Source: `erlang:register/2`.
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

/** A pid in an error: of an xstate actor its id, since an actor itself prints as any object. */
function shown(pid: unknown): string {
  return isActorRef(pid) ? `the actor '${pid.id}'` : String(pid)
}

/** Takes the name back. Throws an Error if nobody has it. Source: `erlang:unregister/1`. */
export function unregister(name: string): void {
  const entry = entries.get(name)
  if (entry === undefined) throw new Error(`no process is registered as '${name}'`)
  entry.stop()
  entries.delete(name)
  names.delete(entry.pid)
}

/** The id of a pid, `#Process<12>`, with its name: `#Process<12 worker>`. */
export function withName(id: string, pid: Registrable): string {
  const name = names.get(pid)
  return name === undefined ? id : `${id.slice(0, -1)} ${name}>`
}

/** Who has the name; `undefined` if nobody does. Source: `erlang:whereis/1`. */
export function whereis<M = unknown>(name: string): Pid<M> | undefined {
  return entries.get(name)?.pid as Pid<M> | undefined
}
