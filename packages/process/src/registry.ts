/** Names for processes. A name goes when its process exits. */

import { type MonitorTarget, watch } from './exit.js'
import type { Pid } from './process.js'

/** What can have a name: something to send to that also ends. */
export type Registrable = Pid<never> & MonitorTarget

interface Entry {
  readonly pid: Registrable
  readonly stop: () => void
}

const entries = new Map<string, Entry>()

/**
 * Gives `pid` a name. Throws a TypeError for a name that is not a non-empty string, and an Error if the name is
 * taken, the pid has a name already, or it has exited. Source: `erlang:register/2`.
 */
export function register(name: string, pid: Registrable): void {
  if (typeof name !== 'string' || name === '') throw new TypeError('name must be a non-empty string')
  if (entries.has(name)) throw new Error(`name '${name}' is taken by ${entries.get(name)?.pid}`)
  for (const [other, entry] of entries) {
    if (entry.pid === pid) throw new Error(`${pid} is registered already, as '${other}'`)
  }
  const stop = watch(pid, () => entries.delete(name), 'pid')
  if (stop === undefined) throw new Error(`${pid} has exited`)
  entries.set(name, { pid, stop })
}

/** Takes the name back. Throws an Error if nobody has it. Source: `erlang:unregister/1`. */
export function unregister(name: string): void {
  const entry = entries.get(name)
  if (entry === undefined) throw new Error(`no process is registered as '${name}'`)
  entry.stop()
  entries.delete(name)
}

/** Who has the name; `undefined` if nobody does. Source: `erlang:whereis/1`. */
export function whereis<M = unknown>(name: string): Pid<M> | undefined {
  return entries.get(name)?.pid as Pid<M> | undefined
}
