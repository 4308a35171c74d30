/**
 * Process groups: any number of processes under one name, on this node and on all others, and news of who joins and leaves. OTP's `pg`.
 * @module
 */

import { inspect } from 'node:util'
import {
  type MonitorTarget,
  P,
  type Pid,
  type Process,
  Ref,
  type Registrable,
  spawn,
  whereis,
} from '@holster/process'
import { homeOf, watch } from '@holster/process/internal'
import type { ChildSpec } from '../child-spec.js'
import { checkLocal } from '../peers/local.js'
import { meetPeers, type PeerMessage, Peers, peerBody } from '../peers/peers.js'
import { type Change, Scope } from './scope.js'

export type { Change } from './scope.js'

/** A member of a group, which is taken to understand messages of type `M`, as `whereis` takes a name to. */
export type Member<M = never> = Pid<M> & MonitorTarget

/** The result of `monitor`. */
export interface GroupMonitor {
  /** The reference that each `Change` carries, and that `demonitor` takes. */
  readonly ref: Ref
  /** The members at the time of the call. */
  readonly members: Member[]
}

/** The result of `monitorScope`. */
export interface ScopeMonitor {
  /** The reference that each `Change` carries, and that `demonitor` takes. */
  readonly ref: Ref
  /** The members of each group at the time of the call. */
  readonly groups: Map<unknown, Member[]>
}

/** The scope that needs no start. */
const DEFAULT = 'pg'

/** The label of a scope's process, and the kind of its peers. */
const KIND = 'scope of process groups'

const scopes = new WeakMap<object, Scope>()

/**
 * Starts a scope: a process with that name, whose groups are its own. The scope `'pg'`, which all functions use by default, starts by
 * itself where it is needed. When the process ends, all its groups and monitors are forgotten, and nobody is told but those who monitor
 * or link it. Throws a TypeError unless the name is a non-empty string, and an Error if it is taken. Source: `pg:start/1`.
 */
export function start(scope: string): Process<never> {
  checkScope(scope)
  return open(scope, spawn<PeerMessage>(peerBody, { name: scope }))
}

/** Does as `start`, and links the scope to `self`. Source: `pg:start_link/0,1`. */
export function startLink<M>(self: Process<M>, scope: string = DEFAULT): Process<never> {
  checkScope(scope)
  return open(scope, self.spawnLink<PeerMessage>(peerBody, { name: scope }))
}

/** Gives the spec of a scope under a supervisor; its `id` is the name of the scope. */
export function childSpec(scope: string = DEFAULT): ChildSpec {
  checkScope(scope)
  return { id: scope, start: parent => startLink(parent, scope) }
}

/**
 * Has a process, or each of a list, join a group, as often as it is named: it must leave as often. A process that has ended joins
 * and leaves at once. Arrays and plain objects name one group if their parts are equal. Throws a TypeError unless all of `pids`
 * are things that end and live on this node, and on a node also if `group` cannot be sent to others; an Error if there is no such
 * scope. Source: `pg:join/2,3`.
 */
export function join(
  group: unknown,
  pids: Registrable | readonly Registrable[],
  scope: string = DEFAULT,
): void {
  const list = listOf(pids)
  homeOf()?.checkSendable(group, 'group')
  needed(scope).join(group, list)
}

/**
 * Has a process, or each of a list, leave a group once, and says whether one of them was a member. Throws as `join` does. Source:
 * `pg:leave/2,3`.
 */
export function leave(
  group: unknown,
  pids: Registrable | readonly Registrable[],
  scope: string = DEFAULT,
): boolean {
  const list = listOf(pids)
  return needed(scope).leave(group, list)
}

/**
 * Gives the members of a group on all nodes in the order of joining, a process as often as it has joined; none if there is no such group or scope.
 * Source: `pg:get_members/1,2`.
 */
export function members<M = never>(group: unknown, scope: string = DEFAULT): Member<M>[] {
  return (found(scope)?.members(group) ?? []) as Member<M>[]
}

/**
 * Gives the members of a group that have joined on this node, as all have if this program is no node. Source:
 * `pg:get_local_members/1,2`.
 */
export function localMembers<M = never>(group: unknown, scope: string = DEFAULT): Member<M>[] {
  return (found(scope)?.localMembers(group) ?? []) as Member<M>[]
}

/**
 * Gives the groups that have members. A group whose name is an array or a plain object comes as a frozen copy of the name.
 * Source: `pg:which_groups/0,1`.
 */
export function whichGroups(scope: string = DEFAULT): unknown[] {
  return found(scope)?.groups ?? []
}

/**
 * Sends `self` a `Change` for each time that processes join or leave the group, until `demonitor`, and gives the members of this moment.
 * Several monitors of one process are told each. Throws an Error if there is no such scope. Source: `pg:monitor/1,2`.
 */
export function monitor<M>(self: Process<M>, group: unknown, scope: string = DEFAULT): GroupMonitor {
  const groups = needed(scope)
  const ref = groups.monitor(asMonitor(self), { group })
  return { ref, members: groups.members(group) }
}

/**
 * Does as `monitor` for all groups of a scope, and gives their members. Source: `pg:monitor_scope/0,1`.
 */
export function monitorScope<M>(self: Process<M>, scope: string = DEFAULT): ScopeMonitor {
  const groups = needed(scope)
  return { ref: groups.monitor(asMonitor(self)), groups: groups.all }
}

/**
 * Takes a monitor of `self` back, drops its messages that wait in the mailbox, and says whether it was set. Throws a TypeError unless
 * `ref` is a reference. Source: `pg:demonitor/1,2`.
 */
export function demonitor<M>(self: Process<M>, ref: Ref, scope: string = DEFAULT): boolean {
  if (!(ref instanceof Ref)) throw new TypeError('ref must be what monitor or monitorScope gave')
  const wasSet = found(scope)?.demonitor(ref) ?? false
  const changes = P.union('pg_join', 'pg_leave')
  ;(self as unknown as Process).flush({ type: changes, ref })
  return wasSet
}

function asMonitor<M>(self: Process<M>): Pid<Change> & Registrable {
  return self as unknown as Process<Change>
}

/** Gives a scope that runs. */
function found(scope: string): Scope | undefined {
  const process = whereis(checkScope(scope))
  if (process !== undefined) return scopes.get(process)
  // Else a node that only looks would never hear of the members on others.
  if (scope !== DEFAULT || homeOf() === undefined) return undefined
  start(scope)
  return found(scope)
}

/** Gives a scope that runs, or starts it if it is the default one. */
function needed(scope: string): Scope {
  const running = found(scope)
  if (running !== undefined) return running
  if (scope === DEFAULT) start(scope)
  return found(scope) ?? missing(scope)
}

function missing(scope: string): never {
  throw new Error(`scope '${scope}' does not run: start it with pg.start or pg.startLink`)
}

function open(name: string, process: Process<PeerMessage>): Process<never> {
  process.label = KIND
  const scope = new Scope(change => peers.tell(change))
  const peers = new Peers(process, KIND, scope)
  const leave = meetPeers(process, name, peers)
  scopes.set(process, scope)
  const close = () => {
    // First, since nobody is told of what leaves with the scope.
    leave()
    scope.clear()
  }
  watch(process, close, 'scope', 'name')
  return process as unknown as Process<never>
}

function checkScope(scope: string): string {
  if (typeof scope === 'string' && scope !== '') return scope
  throw new TypeError(`scope must be a non-empty string, not ${inspect(scope, { depth: 0 })}`)
}

function listOf(pids: Registrable | readonly Registrable[]): readonly Registrable[] {
  const list = Array.isArray(pids) ? [...pids] : [pids as Registrable]
  for (const pid of list) checkLocal(pid, 'pids')
  return list
}
