/** The members of the groups of one scope: an end takes a process out of all its groups, at once, as its name goes. */

import { makeRef, type Pid, type Ref, type Registrable } from '@holster/process'
import { reportThrown, watch } from '@holster/process/internal'
import { KeyedMap } from '../keyed-map.js'
import type { Replica } from '../peers/peers.js'

/**
 * The message that tells of a change in a group. Source: `{Ref, join | leave, Group, Pids}` of `pg`.
 *
 * @to The process that has called `monitor` or `monitorScope`.
 * @order Once for each change and monitor, from the call of `monitor` until `demonitor`, in the order of the changes. A member that ends leaves
 * before its `DOWN` and its `EXIT` are sent.
 */
export interface Change<Group = unknown> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'pg_join' | 'pg_leave'
  /** The reference that `monitor` or `monitorScope` gave. */
  readonly ref: Ref
  /** The group; an array or plain object is a frozen copy. */
  readonly group: Group
  /** The processes that have joined or left: one as often as it did. */
  readonly pids: readonly Registrable[]
}

/** Another scope of the same name, on another node, to which members belong. */
export type Owner = object

/** A group, and its members on one node. */
export type LocalGroup = readonly [name: unknown, pids: readonly Registrable[]]

/** A change on one node, of which its scope tells the others. */
export interface LocalChange {
  readonly type: 'joined' | 'left'
  readonly group: unknown
  readonly pids: readonly Registrable[]
}

/** A group: it is there while it has members or monitors. */
interface Group {
  readonly name: unknown
  /** The memberships in the order of joining, one for each time that a process has joined. */
  readonly members: Set<Membership>
  readonly monitors: Set<Monitor>
}

interface Membership {
  readonly pid: Registrable
  readonly group: Group
  /** The scope that the process has joined; `undefined`: this one. */
  readonly owner: Owner | undefined
}

/** A call of `monitor`, which has a group, or of `monitorScope`. */
interface Monitor {
  readonly ref: Ref
  readonly to: Pid<Change>
  readonly group: Group | undefined
  readonly stop: () => void
}

/** All memberships of one process, the oldest first. */
interface Member {
  readonly memberships: Membership[]
  readonly stop: () => void
}

/** The groups of one scope. */
export class Scope implements Replica<LocalGroup, LocalChange> {
  readonly #groups = new KeyedMap<unknown, Group>()
  readonly #members = new Map<Registrable, Member>()
  readonly #monitors = new Map<Ref, Monitor>()
  /** The monitors of the whole scope. */
  readonly #whole = new Set<Monitor>()
  readonly #onChange: (change: LocalChange) => void

  /** `onChange` is told of what joins and leaves on this node. */
  constructor(onChange: (change: LocalChange) => void) {
    this.#onChange = onChange
  }

  /**
   * Has `pids`, which may name a process more than once, join. A process that has ended leaves at once. `owner` is the scope of another
   * node that tells so.
   */
  join(name: unknown, pids: readonly Registrable[], owner?: Owner): void {
    if (pids.length === 0) return
    const group = this.#groupOf(name)
    const ended: Membership[] = []
    for (const pid of pids) {
      const membership: Membership = { pid, group, owner }
      const member = this.#memberOf(pid, owner)
      if (member === undefined) ended.push(membership)
      member?.memberships.push(membership)
      group.members.add(membership)
    }
    this.#tell('pg_join', group, pids, owner)
    for (const membership of ended) this.#end(membership)
  }

  /** Has each of `pids` leave once, and says whether one of them was a member. `owner` as in `join`. */
  leave(name: unknown, pids: readonly Registrable[], owner?: Owner): boolean {
    const group = this.#groups.get(name)
    if (group === undefined) return false
    const left = pids.filter(pid => this.#leave(group, pid))
    if (left.length === 0) return false
    this.#tell('pg_leave', group, left, owner)
    this.#tidy(group)
    return true
  }

  /** Has the scope of another node tell that processes have joined or left there. */
  change(owner: Owner, { type, group, pids }: LocalChange): void {
    if (type === 'joined') this.join(group, pids, owner)
    else this.leave(group, pids, owner)
  }

  /** Takes `groups` for all that is so on the node of `owner`, and tells of what differs from what was known before. */
  replace(owner: Owner, groups: readonly LocalGroup[]): void {
    const wanted = new KeyedMap<unknown, readonly Registrable[]>()
    for (const [name, pids] of groups) wanted.getOrMake(name, () => pids)
    for (const group of [...this.#groups.values()]) {
      const known = [...group.members].filter(membership => membership.owner === owner).map(({ pid }) => pid)
      const pids = wanted.get(group.name) ?? []
      wanted.delete(group.name)
      this.leave(group.name, without(known, pids), owner)
      this.join(group.name, without(pids, known), owner)
    }
    for (const [name, pids] of groups) if (wanted.get(name) !== undefined) this.join(name, pids, owner)
  }

  /** The members of this node in each group that has some. */
  get own(): readonly LocalGroup[] {
    return Array.from(this.#groups.values(), ({ name, members }) => [name, localOf(members)] as const).filter(
      ([, pids]) => pids.length > 0,
    )
  }

  /** The members of this node. */
  localMembers(name: unknown): Registrable[] {
    return localOf(this.#groups.get(name)?.members ?? [])
  }

  members(name: unknown): Registrable[] {
    return membersOf(this.#groups.get(name))
  }

  /** The names of the groups that have members. */
  get groups(): unknown[] {
    return [...this.#populated()].map(({ name }) => name)
  }

  /** The members of each group that has some. */
  get all(): Map<unknown, Registrable[]> {
    return new Map(Array.from(this.#populated(), group => [group.name, membersOf(group)]))
  }

  /** Sends `self` each change from now on, of one group or, without a name, of all. */
  monitor(self: Pid<Change> & Registrable, name?: { readonly group: unknown }): Ref {
    const ref = makeRef()
    const group = name === undefined ? undefined : this.#groupOf(name.group)
    const stop = watch(self, () => this.demonitor(ref))
    if (stop !== undefined) {
      const monitor: Monitor = { ref, to: self, group, stop }
      this.#monitors.set(ref, monitor)
      const monitors = group?.monitors ?? this.#whole
      monitors.add(monitor)
    } else if (group !== undefined) {
      this.#tidy(group)
    }
    return ref
  }

  /** Takes a monitor back, and says whether it was set. */
  demonitor(ref: Ref): boolean {
    const monitor = this.#monitors.get(ref)
    if (monitor === undefined) return false
    this.#monitors.delete(ref)
    monitor.stop()
    if (monitor.group === undefined) return this.#whole.delete(monitor)
    monitor.group.monitors.delete(monitor)
    this.#tidy(monitor.group)
    return true
  }

  /** Forgets all members and all monitors. */
  clear(): void {
    for (const { stop } of this.#members.values()) stop()
    for (const { stop } of this.#monitors.values()) stop()
    this.#members.clear()
    this.#monitors.clear()
    this.#whole.clear()
    this.#groups.clear()
  }

  *#populated(): Generator<Group> {
    for (const group of this.#groups.values()) if (group.members.size > 0) yield group
  }

  #groupOf(name: unknown): Group {
    return this.#groups.getOrMake(name, name => ({ name, members: new Set(), monitors: new Set() }))
  }

  /** Gives the memberships of `pid`; `undefined` if it has ended. Of those on other nodes their scope tells the end. */
  #memberOf(pid: Registrable, owner: Owner | undefined): Member | undefined {
    const known = this.#members.get(pid)
    if (known !== undefined) return known
    const stop = owner !== undefined ? ignore : watch(pid, () => this.#forget(pid), 'pid', 'name')
    if (stop === undefined) return undefined
    const member: Member = { memberships: [], stop }
    this.#members.set(pid, member)
    return member
  }

  /** Takes the newest membership of `pid` back, without a word to the monitors, and says whether there was one. */
  #leave(group: Group, pid: Registrable): boolean {
    const member = this.#members.get(pid)
    const index = member?.memberships.findLastIndex(membership => membership.group === group) ?? -1
    if (member === undefined || index === -1) return false
    for (const membership of member.memberships.splice(index, 1)) group.members.delete(membership)
    if (member.memberships.length === 0) {
      member.stop()
      this.#members.delete(pid)
    }
    return true
  }

  #forget(pid: Registrable): void {
    const member = this.#members.get(pid)
    if (member === undefined) return
    this.#members.delete(pid)
    // The newest first, as in OTP.
    for (const membership of member.memberships.reverse()) this.#end(membership)
  }

  #end(membership: Membership): void {
    const { pid, group } = membership
    if (!group.members.delete(membership)) return
    this.#tell('pg_leave', group, [pid], membership.owner)
    this.#tidy(group)
  }

  #tidy(group: Group): void {
    if (group.members.size === 0 && group.monitors.size === 0) this.#groups.delete(group.name)
  }

  #tell(type: Change['type'], group: Group, pids: readonly Registrable[], owner: Owner | undefined): void {
    if (owner === undefined) {
      this.#onChange({ type: type === 'pg_join' ? 'joined' : 'left', group: group.name, pids })
    }
    // Copies, since whoever is told may monitor and demonitor.
    for (const { ref, to } of [...this.#whole, ...group.monitors]) {
      if (!this.#monitors.has(ref)) continue
      try {
        to.send({ type, ref, group: group.name, pids })
      } catch (error) {
        // An actor may throw at an event, and the others are to be told all the same.
        reportThrown(to, error)
      }
    }
  }
}

/** Gives what is in `pids` more often than in `others`. */
function without(pids: readonly Registrable[], others: readonly Registrable[]): Registrable[] {
  const left = [...others]
  return pids.filter(pid => {
    const index = left.indexOf(pid)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

function localOf(members: Iterable<Membership>): Registrable[] {
  return [...members].filter(({ owner }) => owner === undefined).map(({ pid }) => pid)
}

function ignore(): void {}

function membersOf(group: Group | undefined): Registrable[] {
  return Array.from(group?.members ?? [], ({ pid }) => pid)
}
