// Nodes within this program, joined by wires that the test holds in its hands: it says when messages arrive and when they are looked at,
// and when a connection breaks, a node is gone, or comes back. Messages of one node to another arrive in order, or not at all.

import type { Pid } from '@holster/process'
import { type Peer, type PeerMessage, Peers, type Replica } from '../../src/peers/peers.ts'

type Down = { readonly type: 'DOWN'; readonly pid: unknown }

/** Makes what a node holds. `tell` tells its peers of a change. */
export type Make<R, Change> = (name: string, tell: (change: Change) => void) => R

/** A life of a node. */
export class ClusterNode<R extends Replica<Item, Change>, Item, Change> {
  readonly name: string
  readonly replica: R
  readonly peers: Peers<Item, Change>
  /** The messages that have arrived, and were not looked at yet. */
  readonly mailbox: (PeerMessage | Down)[] = []
  isGone = false
  readonly #handles = new Map<object, Peer>()
  readonly #monitored = new Set<unknown>()
  readonly #cluster: Cluster<R, Item, Change>

  constructor(name: string, cluster: Cluster<R, Item, Change>, make: Make<R, Change>) {
    this.name = name
    this.#cluster = cluster
    this.replica = make(name, change => this.peers.tell(change))
    this.peers = new Peers<Item, Change>(this, 'thing', this.replica)
  }

  monitor(peer: unknown): void {
    this.#monitored.add(peer)
    const node = [...this.#handles].find(([, handle]) => handle === peer)?.[0] as this
    if (!this.#cluster.isConnected(this, node)) this.disconnect(node)
  }

  /** Gives what stands here for another node. */
  handleOf(node: this): Peer {
    const known = this.#handles.get(node)
    if (known !== undefined) return known
    const handle = {
      node: node.name,
      send: (message: PeerMessage) => this.#cluster.send(this, node, message),
    }
    this.#handles.set(node, handle)
    return handle
  }

  /** Hears that a node cannot be reached any more, whatever has ended there without word of it. */
  disconnectFrom(name: string): void {
    for (const node of this.#handles.keys()) if ((node as this).name === name) this.disconnect(node as this)
  }

  /** Hears of an end. */
  disconnect(node: this): void {
    const peer = this.#handles.get(node)
    if (peer !== undefined && this.#monitored.delete(peer)) this.mailbox.push({ type: 'DOWN', pid: peer })
  }

  /** Looks at the oldest message that has arrived, and says whether there was one. */
  look(): boolean {
    const message = this.mailbox.shift()
    if (message === undefined) return false
    if (!this.isGone) this.peers.take(message)
    return true
  }
}

/** A message on its way, or the news that its sender has ended. */
interface Parcel<N> {
  readonly from: N
  readonly to: N
  readonly message: PeerMessage | undefined
}

export class Cluster<R extends Replica<Item, Change>, Item, Change> {
  readonly nodes: ClusterNode<R, Item, Change>[]
  readonly #make: Make<R, Change>
  /** The messages on the way, by the names of sender and receiver, of the connections that are up. */
  readonly #wires = new Map<string, Parcel<ClusterNode<R, Item, Change>>[]>()

  constructor(size: number, make: Make<R, Change>) {
    this.#make = make
    this.nodes = Array.from({ length: size }, (_, i) => new ClusterNode(`node.${i}`, this, make))
  }

  isConnected(from: ClusterNode<R, Item, Change>, to: ClusterNode<R, Item, Change>): boolean {
    return !from.isGone && !to.isGone && this.#wires.has(wireOf(from, to))
  }

  connect(one: number, two: number): void {
    const [a, b] = [this.#node(one), this.#node(two)]
    if (a === b || this.isConnected(a, b)) return
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#wires.set(wireOf(from, to), [])
    }
    a.peers.greet(a.handleOf(b) as Pid<PeerMessage>)
    b.peers.greet(b.handleOf(a) as Pid<PeerMessage>)
  }

  /** Breaks a connection: what is on the way is lost. */
  cut(one: number, two: number): void {
    const [a, b] = [this.#node(one), this.#node(two)]
    if (!this.isConnected(a, b)) return
    this.#wires.delete(wireOf(a, b))
    this.#wires.delete(wireOf(b, a))
    a.disconnectFrom(b.name)
    b.disconnectFrom(a.name)
  }

  /** Ends a node, and begins another of the same name, which knows nothing and is not connected. */
  restart(index: number): void {
    for (const other of this.nodes.keys()) this.cut(index, other)
    this.renew(index)
  }

  /** Ends what a node holds, as a process ends on a node that goes on, and begins anew. */
  renew(index: number): void {
    const old = this.#node(index)
    const others = this.nodes.filter(other => other !== old && this.isConnected(old, other))
    old.isGone = true
    old.peers.close()
    const next = new ClusterNode(old.name, this, this.#make)
    this.nodes[index] = next
    for (const other of others) {
      this.#wires.get(wireOf(old, other))?.push({ from: old, to: other, message: undefined })
      next.peers.greet(next.handleOf(other) as Pid<PeerMessage>)
    }
  }

  send(from: ClusterNode<R, Item, Change>, to: ClusterNode<R, Item, Change>, message: PeerMessage): void {
    if (this.isConnected(from, to)) this.#wires.get(wireOf(from, to))?.push({ from, to, message })
  }

  /** Has the oldest message from one node to another arrive, and says whether there was one. */
  arrive(one: number, two: number): boolean {
    const parcel = this.#wires.get(wireOf(this.#node(one), this.#node(two)))?.shift()
    if (parcel === undefined) return false
    const { from, to, message } = parcel
    if (message === undefined) to.disconnect(from)
    else to.mailbox.push({ ...message, from: to.handleOf(from) })
    return true
  }

  look(index: number): boolean {
    return this.#node(index).look()
  }

  /** Connects all nodes, and has everything arrive and be looked at, also what that brings about. */
  settle(): void {
    const all = [...this.nodes.keys()]
    for (const one of all) for (const two of all) this.connect(one, two)
    const step = () =>
      all.some(one => this.look(one) || all.some(two => one !== two && this.arrive(one, two)))
    for (let left = 10_000; step(); left--) if (left === 0) throw new Error('the nodes never come to rest')
  }

  #node(index: number): ClusterNode<R, Item, Change> {
    return this.nodes[index] as ClusterNode<R, Item, Change>
  }
}

function wireOf(from: { readonly name: string }, to: { readonly name: string }): string {
  return `${from.name} > ${to.name}`
}
