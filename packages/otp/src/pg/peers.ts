/**
 * A scope knows the members on other nodes: the scopes of one name tell each other of theirs, as those of OTP do.
 *
 * | message       | meaning                                                     | what is done                                  |
 * | ------------- | ----------------------------------------------------------- | --------------------------------------------- |
 * | `pg_discover` | a scope asks who is there                                   | answer with all members here; ask back if new |
 * | `pg_sync`     | all members of the groups of a scope                        | take them in place of those known before      |
 * | `pg_joined`   | processes there have joined                                 | add them                                      |
 * | `pg_left`     | processes there have left                                   | remove them                                   |
 *
 * When a scope there ends, or its node cannot be reached any more, its members leave.
 */

import { P, type Pid, type Process, type Registrable } from '@holster/process'
import { homeOf, onNodes } from '@holster/process/internal'
import type { Scope } from './scope.js'

/** Another scope of the same name. */
type Peer = Pid<PeerMessage> & Registrable

/** What scopes tell each other. */
export type PeerMessage =
  | { readonly type: 'pg_discover'; readonly from: Peer }
  | {
      readonly type: 'pg_sync'
      readonly from: Peer
      readonly groups: readonly (readonly [unknown, readonly Registrable[]])[]
    }
  | {
      readonly type: 'pg_joined' | 'pg_left'
      readonly from: Peer
      readonly group: unknown
      readonly pids: readonly Registrable[]
    }

/** Keeps the members on other nodes. */
export class Peers {
  readonly #scope: Scope
  readonly #self: Process<PeerMessage>
  readonly #known = new Set<Peer>()
  readonly #stop: () => void

  /** `name` is that of the scope, and `self` its process. */
  constructor(name: string, scope: Scope, self: Process<PeerMessage>) {
    this.#scope = scope
    this.#self = self
    this.#stop = onNodes((type, node) => {
      if (type === 'nodeup') this.#discover(name, node)
    })
    for (const node of homeOf()?.nodes ?? []) this.#discover(name, node)
  }

  /** Takes a message of another scope, or the news of its end. */
  take(message: PeerMessage | { readonly type: 'DOWN'; readonly pid: unknown }): void {
    switch (message.type) {
      case 'pg_discover':
        message.from.send({
          type: 'pg_sync',
          from: this.#self as unknown as Peer,
          groups: this.#scope.localGroups,
        })
        if (this.#meet(message.from))
          message.from.send({ type: 'pg_discover', from: this.#self as unknown as Peer })
        return
      case 'pg_sync':
        this.#meet(message.from)
        return this.#scope.sync(message.from, message.groups)
      case 'pg_joined':
        return this.#scope.join(message.group, message.pids, message.from)
      case 'pg_left':
        return void this.#scope.leave(message.group, message.pids, message.from)
      case 'DOWN':
        if (!this.#known.delete(message.pid as Peer)) return
        return this.#scope.sync(message.pid as Peer, [])
    }
  }

  /** Tells the others that processes here have joined or left. */
  tell(type: 'pg_joined' | 'pg_left', group: unknown, pids: readonly Registrable[]): void {
    for (const peer of this.#known) peer.send({ type, from: this.#self as unknown as Peer, group, pids })
  }

  close(): void {
    this.#stop()
    this.#known.clear()
  }

  #discover(name: string, node: string): void {
    homeOf()?.named({ name, node }).send({ type: 'pg_discover', from: this.#self })
  }

  /** Takes note of a scope, and says whether it is new. */
  #meet(peer: Peer): boolean {
    if (this.#known.has(peer)) return false
    this.#known.add(peer)
    this.#self.monitor(peer)
    return true
  }
}

/** Takes what other scopes send; drops all else. The body of a scope's process. */
export async function listen(self: Process<PeerMessage>, peersOf: () => Peers | undefined): Promise<never> {
  for (;;) {
    const message = await self.receive([
      { type: P.union('pg_discover', 'pg_sync', 'pg_joined', 'pg_left', 'DOWN') },
      P._,
    ])
    peersOf()?.take(message as PeerMessage)
  }
}
