/** Things on other nodes: they take messages and exit signals, and can be watched, linked and monitored as if they were here. */

import type { ExitReason, Monitorable, Pid } from '@holster/process'
import {
  attach,
  compareByIdentity,
  deliver,
  type ExitRoute,
  exitSignal,
  kindNamed,
  linked,
  onExit,
  portable,
  type Remote,
  type Source,
  Watchers,
  type WatchOrder,
} from '@holster/process/internal'
import { type Key, keyOf } from '../signal.js'

/** A process of this node or of another one, with the name of its node. */
export interface PidAt<M = unknown> extends Pid<M>, Monitorable {
  /** The name of the node on which the process lives. */
  readonly node: string
}

/** The node of a target, as long as it is the one that the target was on. */
export interface Post {
  /** Whether it can be reached. */
  readonly isUp: boolean
  send(target: RemoteTarget, message: unknown, transfer?: ReadonlySet<ArrayBufferLike>): void
  deliver(target: RemoteTarget, source: Source, message: unknown, bytes: number): void
  attach(target: RemoteTarget, source: Source): void
  watch(target: RemoteTarget): void
  unwatch(target: RemoteTarget): void
  exit(target: RemoteTarget, from: unknown, reason: ExitReason): void
  /** Tells that `from`, to which the target is linked, has ended. */
  ended(from: object, reason: ExitReason): void
  link(target: RemoteTarget, process: object, isTied: boolean): void
}

let lastWatch = 0

/** Something on another node. */
export class RemoteTarget<M = unknown> implements Pid<M>, Monitorable, Remote {
  /** The name of the node. */
  readonly node: string
  /** @internal */
  readonly kind: string
  /** @internal */
  readonly number: Key
  /** @internal The number of the watch, if this stands for whoever has a name as one watcher sees it; else 0. */
  readonly watch: number
  readonly #post: () => Post | undefined
  #watchers: Watchers | undefined
  #hasEnded = false

  /** @internal `post` gives the node; `undefined` if it cannot be reached, or is another one of the same name. */
  constructor(node: string, kind: string, number: Key, post: () => Post | undefined, watch = 0) {
    this.node = node
    this.kind = kind
    this.number = number
    this.watch = watch
    this.#post = post
  }

  /** `#Process<12@worker.1>`; unique in the cluster while the node lives. */
  get id(): string {
    return `#${this.kind}<${this.number}@${this.node}>`
  }

  /** @internal */
  get key(): string {
    return keyOf(this.kind, this.number, this.watch)
  }

  /**
   * Sends a message there. Messages from one process to another arrive in order, once, or not at all if the connection between the nodes
   * ends; whoever monitors or links the target hears of that. Does nothing if the node cannot be reached. Throws a TypeError that names
   * the place of a value which cannot be sent, and then sends nothing.
   */
  send(message: M): void {
    this.#post()?.send(this, message)
  }

  /** @internal Does as `send`, and moves the buffers. */
  sendMoving(message: M, transfer: ReadonlySet<ArrayBufferLike>): void {
    this.#post()?.send(this, message, transfer)
  }

  /** @internal */
  [deliver](source: Source, message: M, bytes: number): void {
    this.#post()?.deliver(this, source, message, bytes)
  }

  /** @internal */
  [attach](source: Source): void {
    this.#post()?.attach(this, source)
  }

  /** @internal */
  [onExit](listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    if (this.#isName) return this.#watchName(listener, order)
    if (this.#hasEnded) return undefined
    const watchers = this.#watchers ?? new Watchers()
    this.#watchers = watchers
    const isFirst = watchers.isEmpty
    const remove = watchers.add(listener, order)
    const post = this.#post()
    // Later, as whoever watches is about to note the function that this gives.
    if (post?.isUp !== true) queueMicrotask(() => watchers.tell('noconnection'))
    else if (isFirst) post.watch(this)
    return () => {
      const isToldAlready = watchers.isEmpty
      remove()
      if (isToldAlready) return
      if (watchers.isEmpty && !this.#hasEnded) this.#post()?.unwatch(this)
    }
  }

  /** @internal */
  [exitSignal](from: unknown, reason: ExitReason, route: ExitRoute): void {
    if (route === 'exit') this.#post()?.exit(this, from, reason)
    // The other half of the link acts on the end itself.
    else if (typeof from === 'object' && from !== null) this.#post()?.ended(from, reason)
  }

  /** @internal */
  [linked](process: object, isTied: boolean): void {
    if (typeof this.number === 'string') {
      throw new TypeError(
        `target must be a pid: a name such as ${this} cannot be linked; whereis gives its pid`,
      )
    }
    this.#post()?.link(this, process, isTied)
  }

  /** @internal The target has ended. */
  end(reason: ExitReason): void {
    this.#hasEnded = true
    this.#watchers?.tell(reason)
  }

  /** @internal The connection to the node has ended. */
  disconnect(): void {
    this.#watchers?.tell('noconnection')
  }

  /** Whether this stands for whoever has a name at the time. */
  get #isName(): boolean {
    return typeof this.number === 'string' && this.watch === 0
  }

  /** Watches for itself, since another process may have the name by now than the one which others watch. */
  #watchName(listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    const seen = new RemoteTarget(this.node, this.kind, this.number, this.#post, ++lastWatch)
    return seen[onExit](listener, order)
  }

  /** Gives the id. */
  toString(): string {
    return this.id
  }

  /** Gives the id. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/** A process, or an xstate actor, on another node. */
export class RemotePid<M = unknown> extends RemoteTarget<M> {}

compareByIdentity(RemotePid)
Object.defineProperty(RemotePid.prototype, portable, { get: () => kindNamed('Process') })
