/**
 * Processes of one name and one kind on all nodes find each other, and each keeps a replica of what the others hold.
 *
 * | message         | meaning                    | what is done                                                 |
 * | --------------- | -------------------------- | ------------------------------------------------------------ |
 * | `peer_discover` | a process asks who is there | answer with a snapshot; ask back if the process is new       |
 * | `peer_snapshot` | all that the sender holds  | take that in place of what was known of the sender before    |
 * | `peer_change`   | a change of what it holds  | make the change, if the sender's snapshot has come           |
 *
 * Only its holder changes what a process holds, and the changes arrive in order, so that replicas agree without asking anybody. When a
 * process ends, or its node cannot be reached any more, what it held is taken out. This is how the scopes of OTP's `pg` know each other.
 */

import { P, type Pid, type Process, type Registrable } from '@holster/process'
import { homeOf, onNodes, reportThrown } from '@holster/process/internal'

/** Another process of the same name and kind. */
export interface Peer extends Pid<PeerMessage> {
  /** The name of its node. */
  readonly node: string
}

/** The messages between the processes. */
export type PeerMessage =
  | { readonly type: 'peer_discover'; readonly kind: string; readonly from: Peer }
  | {
      readonly type: 'peer_snapshot'
      readonly kind: string
      readonly from: Peer
      readonly items: readonly unknown[]
    }
  | { readonly type: 'peer_change'; readonly from: Peer; readonly change: unknown }

/** The end of a process, as its monitor tells. */
interface PeerDown {
  readonly type: 'DOWN'
  readonly pid: unknown
}

/** The items that a process holds, and those of its peers, as it knows them. */
export interface Replica<Item, Change> {
  /** All that the process itself holds. */
  readonly own: readonly Item[]
  /** Takes `items` for all that `peer` holds, in place of what was known before: none if it is gone. */
  replace(peer: Peer, items: readonly Item[]): void
  /** Makes a change of what `peer` holds. */
  change(peer: Peer, change: Change): void
}

/** The process for which the others are known: messages to it are handed to `take`, also those of its monitors. */
export interface PeerSelf {
  /** Has the end of `peer` come as a message. */
  monitor(peer: Peer & Registrable): unknown
}

/** Knows the other processes, and carries the replica from and to them. */
export class Peers<Item, Change> {
  readonly #self: PeerSelf
  readonly #kind: string
  readonly #replica: Replica<Item, Change>
  /** The others, and whether their snapshots have come. */
  readonly #known = new Map<Peer, boolean>()
  readonly #strangers = new WeakSet<Peer>()

  /** `kind` says what the process is, for peers and for people: those of another kind are none. */
  constructor(self: PeerSelf, kind: string, replica: Replica<Item, Change>) {
    this.#self = self
    this.#kind = kind
    this.#replica = replica
  }

  /** Asks whoever has the name on another node for all that it holds. */
  greet(target: Pid<PeerMessage>): void {
    target.send({ type: 'peer_discover', kind: this.#kind, from: this.#from })
  }

  /** Takes a message of another process, or the news of its end. */
  take(message: PeerMessage | PeerDown): void {
    switch (message.type) {
      case 'peer_discover':
        if (!this.#isOfKind(message)) return
        this.#answer(message.from)
        if (this.#meet(message.from)) this.greet(message.from)
        return
      case 'peer_snapshot':
        if (!this.#isOfKind(message)) return
        this.#meet(message.from)
        this.#known.set(message.from, true)
        return this.#replica.replace(message.from, message.items as readonly Item[])
      case 'peer_change':
        // A snapshot that is on its way holds the change already.
        if (this.#known.get(message.from) !== true) return
        return this.#replica.change(message.from, message.change as Change)
      case 'DOWN':
        if (this.#known.delete(message.pid as Peer)) this.#replica.replace(message.pid as Peer, [])
        return
    }
  }

  /** Tells the others of a change of what the process holds. */
  tell(change: Change): void {
    for (const peer of this.#known.keys()) {
      try {
        peer.send({ type: 'peer_change', from: this.#from, change })
      } catch (error) {
        reportThrown(this.#self, error)
      }
    }
  }

  /** Forgets the others. */
  close(): void {
    this.#known.clear()
  }

  get #from(): Peer {
    return this.#self as unknown as Peer
  }

  #answer(peer: Peer): void {
    const send = (items: readonly Item[]) =>
      peer.send({ type: 'peer_snapshot', kind: this.#kind, from: this.#from, items })
    const items = this.#replica.own
    try {
      send(items)
    } catch {
      // The rest must be known all the same. Before this program was a node, nothing could say what cannot be sent.
      send(items.filter(item => this.#isSendable(item)))
    }
  }

  #isSendable(item: Item): boolean {
    try {
      homeOf()?.checkSendable(item, 'entry')
      return true
    } catch (error) {
      reportThrown(this.#self, error)
      return false
    }
  }

  /** Takes note of a process, and says whether it is new. */
  #meet(peer: Peer): boolean {
    if (this.#known.has(peer)) return false
    this.#known.set(peer, false)
    this.#self.monitor(peer as Peer & Registrable)
    return true
  }

  /** Whether a process is of the same kind; reports those that are not, once each. */
  #isOfKind({ kind, from }: { readonly kind: string; readonly from: Peer }): boolean {
    if (kind === this.#kind) return true
    if (!this.#strangers.has(from)) {
      this.#strangers.add(from)
      const why = `${from} has the same name and is a ${kind}: the two do not know each other's entries`
      reportThrown(this.#self, new Error(`this is a ${this.#kind}; ${why}`))
    }
    return false
  }
}

const peersOf = new WeakMap<object, { take(message: PeerMessage | PeerDown): void }>()

/** Hands the messages of others to the peers of `self`, and drops all else: the body of a process that has peers. */
export async function peerBody(self: Process<PeerMessage>): Promise<never> {
  for (;;) {
    const message = await self.receive([
      { type: P.union('peer_discover', 'peer_snapshot', 'peer_change', 'DOWN') },
      P._,
    ])
    peersOf.get(self)?.take(message as PeerMessage)
  }
}

/**
 * Has `self`, which runs `peerBody`, meet those that are registered as `name` on other nodes, now and whenever a node comes. Gives a
 * function that ends that.
 */
export function meetPeers<Item, Change>(
  self: Process<PeerMessage>,
  name: string,
  peers: Peers<Item, Change>,
): () => void {
  peersOf.set(self, peers)
  const greet = (node: string) => {
    const target = homeOf()?.named({ name, node })
    if (target !== undefined) peers.greet(target)
  }
  const stop = onNodes((type, node) => {
    if (type === 'nodeup') greet(node)
  })
  for (const node of homeOf()?.nodes ?? []) greet(node)
  return () => {
    stop()
    peers.close()
  }
}
