/**
 * A registry on all nodes knows the entries of each: every entry belongs to the registry of its process's node, which alone changes it.
 *
 * Two nodes may take a unique key at the same time, or while they cannot reach each other. The older entry then stays, by the clocks of the
 * nodes, and of two of one millisecond that of the node whose name comes first. Every node can tell so much from the two entries alone,
 * so that all decide alike without asking. Older, since that is the one which `register` would have let stand; and wrong clocks make the
 * choice less fair, but no node chooses otherwise. A registry shows the entry that stays as soon as it knows of both. It takes back its own
 * if that is the one that goes, and keeps those of others aside until their registries do so, or the entry that stays is gone.
 */

import type { Registrable } from '@holster/process'
import { homeOf } from '@holster/process/internal'
import { KeyedMap } from '../keyed-map.js'
import { checkLocal } from '../peers/local.js'
import type { Replica as PeerReplica } from '../peers/peers.js'
import { checkSharedKey } from './shared-key.js'
import { type Listener, type Registration, type Sharer, Table } from './table.js'

/** An entry, as registries tell each other of it. */
export interface Claim {
  /** Tells it from the other entries of its registry, also from those before. */
  readonly id: number
  readonly key: unknown
  readonly pid: Registrable
  readonly value: unknown
  /** When it was registered, in milliseconds since 1970 by the clock of its node. */
  readonly time: number
}

/** A change of the entries of one registry, of which it tells the others. */
export type ClaimChange =
  | { readonly type: 'registered'; readonly claim: Claim }
  | { readonly type: 'updated'; readonly id: number; readonly value: unknown }
  | { readonly type: 'unregistered'; readonly ids: readonly number[] }

/** The registry to which an entry belongs. */
export interface Owner {
  /** The name of its node. */
  readonly node: string
}

/** The registry of a replica, which is asked and told. */
export interface ReplicaHost {
  /** Gives the name of this node. */
  node(): string
  /** Gives the time in milliseconds since 1970. */
  now(): number
  /** Tells the other registries. */
  tell(change: ClaimChange): void
  /** Is told behind all others that an entry of this node has lost its key to `winner`. Never throws. */
  onLoss(lost: Claim, winner: Registrable): void
}

/** An entry that is known here. */
interface Known {
  readonly claim: Claim
  readonly owner: Owner
  /** The place in the table; `undefined` while another entry has the unique key. */
  registration: Registration<unknown, unknown> | undefined
  value: unknown
}

/** The entries of the registries of one name on all nodes. */
export class Replica implements PeerReplica<Claim, ClaimChange>, Sharer<unknown, unknown> {
  /** The entries that can be found. */
  readonly table: Table<unknown, unknown>
  readonly #listener: Listener<unknown, unknown>
  readonly #host: ReplicaHost
  /** The registry itself as an owner. */
  readonly #here: Owner
  #lastId = 0
  readonly #own = new Map<number, Known>()
  readonly #others = new Map<Owner, Map<number, Known>>()
  readonly #shown = new Map<Registration<unknown, unknown>, Known>()
  /** The entries of others whose unique keys others have. */
  readonly #aside = new KeyedMap<unknown, Set<Known>>()

  constructor(isUnique: boolean, listener: Listener<unknown, unknown>, host: ReplicaHost) {
    this.#listener = listener
    this.#host = host
    this.#here = {
      get node() {
        return host.node()
      },
    }
    this.table = new Table(isUnique, listener, this)
  }

  /** Forgets everything. */
  clear(): void {
    this.table.clear()
    for (const map of [this.#own, this.#others, this.#shown, this.#aside]) map.clear()
  }

  // The table asks and tells:

  checkPid(pid: Registrable): void {
    checkLocal(pid, 'pid')
  }

  checkKey(key: unknown): void {
    checkSharedKey(key)
  }

  checkValue(value: unknown): void {
    homeOf()?.checkSendable(value, 'value')
  }

  added(registration: Registration<unknown, unknown>): void {
    const { pid, value, row } = registration
    const claim: Claim = { id: ++this.#lastId, key: row.key, pid, value, time: this.#host.now() }
    const known: Known = { claim, owner: this.#here, registration, value }
    this.#own.set(claim.id, known)
    this.#shown.set(registration, known)
    this.#host.tell({ type: 'registered', claim })
  }

  updated(registration: Registration<unknown, unknown>): void {
    const known = this.#shown.get(registration)
    if (known === undefined) return
    known.value = registration.value
    this.#host.tell({ type: 'updated', id: known.claim.id, value: known.value })
  }

  removed(registrations: readonly Registration<unknown, unknown>[]): void {
    const ids: number[] = []
    for (const registration of registrations) {
      const known = this.#shown.get(registration)
      if (known === undefined) continue
      this.#shown.delete(registration)
      this.#own.delete(known.claim.id)
      ids.push(known.claim.id)
    }
    if (ids.length > 0) this.#host.tell({ type: 'unregistered', ids })
  }

  freed(key: unknown): void {
    this.#settle(key)
  }

  // The peers ask and tell:

  get own(): readonly Claim[] {
    return Array.from(this.#own.values(), ({ claim, value }) => ({ ...claim, value }))
  }

  replace(owner: Owner, claims: readonly Claim[]): void {
    const known = this.#of(owner)
    const ids = new Set(claims.map(({ id }) => id))
    for (const [id, entry] of [...known]) if (!ids.has(id)) this.#drop(entry)
    for (const claim of claims) this.#take(owner, claim)
    if (known.size === 0) this.#others.delete(owner)
  }

  change(owner: Owner, change: ClaimChange): void {
    switch (change.type) {
      case 'registered':
        return this.#take(owner, change.claim)
      case 'updated': {
        const known = this.#of(owner).get(change.id)
        if (known !== undefined) this.#update(known, change.value)
        return
      }
      case 'unregistered':
        for (const id of change.ids) {
          const known = this.#of(owner).get(id)
          if (known !== undefined) this.#drop(known)
        }
    }
  }

  #of(owner: Owner): Map<number, Known> {
    let known = this.#others.get(owner)
    if (known === undefined) {
      known = new Map()
      this.#others.set(owner, known)
    }
    return known
  }

  /** Takes an entry of another node, which may be known already. */
  #take(owner: Owner, claim: Claim): void {
    const before = this.#of(owner).get(claim.id)
    if (before !== undefined) return this.#update(before, claim.value)
    const known: Known = { claim, owner, registration: undefined, value: claim.value }
    this.#of(owner).set(claim.id, known)
    if (!this.table.isUnique) return this.#show(known)
    this.#setAside(known)
    this.#settle(claim.key)
  }

  #update(known: Known, value: unknown): void {
    known.value = value
    if (known.registration !== undefined) known.registration.value = value
  }

  /** Removes an entry of another node. */
  #drop(known: Known): void {
    const { claim, owner, registration } = known
    this.#others.get(owner)?.delete(claim.id)
    if (registration === undefined) return this.#takeFromAside(known)
    if (this.#hide(registration)) this.#listener.unregistered(registration.row.key, claim.pid)
    this.#settle(claim.key)
  }

  /** Has the oldest entry of those that are known have a unique key. */
  #settle(key: unknown): void {
    const best = oldest(this.#aside.get(key))
    if (best === undefined) return
    const [registration] = this.table.under(key)
    const shown = registration && this.#shown.get(registration)
    if (registration === undefined || shown === undefined) {
      this.#takeFromAside(best)
      return this.#show(best)
    }
    if (isOlder(shown, best)) return
    this.#takeFromAside(best)
    this.#hide(registration)
    if (shown.owner === this.#here) this.#withdraw(shown)
    else this.#setAside(shown)
    this.#show(best, shown)
    if (shown.owner === this.#here) this.#host.onLoss({ ...shown.claim, value: shown.value }, best.claim.pid)
  }

  /** Puts an entry of another node into the table, in place of one that had its key. */
  #show(known: Known, instead?: Known): void {
    const { key, pid } = known.claim
    const registration = this.table.enter(key, pid, known.value)
    known.registration = registration
    this.#shown.set(registration, known)
    // Once all is as it will be, since a listener may look.
    if (instead !== undefined) this.#listener.unregistered(registration.row.key, instead.claim.pid)
    this.#listener.registered(registration.row.key, pid, known.value)
  }

  /** Takes an entry out of the table, and says whether that was the last one of its process under the key. */
  #hide(registration: Registration<unknown, unknown>): boolean {
    const known = this.#shown.get(registration)
    if (known !== undefined) known.registration = undefined
    this.#shown.delete(registration)
    return this.table.strike(registration)
  }

  /** Takes back an entry of this node. */
  #withdraw({ claim }: Known): void {
    this.#own.delete(claim.id)
    this.#host.tell({ type: 'unregistered', ids: [claim.id] })
  }

  #setAside(known: Known): void {
    this.#aside.getOrMake(known.claim.key, () => new Set()).add(known)
  }

  #takeFromAside(known: Known): void {
    const entries = this.#aside.get(known.claim.key)
    entries?.delete(known)
    if (entries?.size === 0) this.#aside.delete(known.claim.key)
  }
}

function oldest(entries: Iterable<Known> | undefined): Known | undefined {
  let found: Known | undefined
  for (const entry of entries ?? []) if (found === undefined || isOlder(entry, found)) found = entry
  return found
}

/** Whether the first of two entries under one key stays. */
function isOlder({ claim, owner }: Known, other: Known): boolean {
  if (claim.time !== other.claim.time) return claim.time < other.claim.time
  if (owner.node !== other.owner.node) return owner.node < other.owner.node
  return claim.id < other.claim.id
}
