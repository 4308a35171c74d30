/** A connection of a pool: how much there is to do on it, and how much more it takes. */

import { createProcess } from '@holster/process'
import { type Connection, connectionOf } from '../connection/connection.js'
import type { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { BeginCommand } from '../layer/commands.js'
import type { Protocol } from '../layer/contract.js'
import { type GunMessage, replyToOf } from '../messages.js'
import type { PoolMeta } from '../options/pool.js'
import type { Deadline } from '../transport/deadline.js'
import type { ProtocolName } from '../words.js'
import type { Checkout } from './checkout.js'
import type { Ranked } from './ranking.js'

/** The pool, as far as its connections need it. */
export interface MemberHome {
  readonly pipelining: number
  /** Hears that something has happened on the connection. */
  onSettled(member: Member): void
  /** Hears that the holder of a checkout has begun a stream. */
  onCheckedOutStream(checkout: Checkout, streamRef: StreamRef): void
}

export class Member implements Ranked {
  readonly connPid: ConnPid
  readonly connection: Connection
  /** Reads the messages of streams whose caller has named no replyTo. */
  readonly inbox = createProcess<GunMessage>()
  readonly #home: MemberHome
  /** The phase of the connection's life; the pool moves it on. */
  phase: 'connecting' | 'setup' | 'up' | 'leaving' = 'connecting'
  /** The state of the caller's set-up. */
  setupState: unknown
  /** Why the set-up came to nothing. */
  fault: GunError | undefined
  protocol: ProtocolName | 'ws' | undefined
  meta: PoolMeta = {}
  /** When the connection came up, as `performance.now` says. */
  upSince = 0
  /** When the connection was last idle, as `performance.now` says; kept only in a pool with an `idleTimeout`. */
  idleSince = 0
  /** The `idleSince` at which the present watch began. */
  watchedSince = 0
  /** Whether a report was made of messages of the connection that have come to the pool, which has no use for them. */
  isRefused = false
  /** Whether the pool counts the connection among those that are up. */
  isCounted = false
  idle: Deadline | undefined
  lifetime: Deadline | undefined
  /** The streams that the pool has asked for within a step of the connection, which begins them after the step. */
  readonly #due = new Set<StreamRef>()
  /** The stream that the pool has asked for last, outside of any step. */
  #own: StreamRef | undefined
  /** The checkouts on which no stream has begun. */
  readonly #checkouts: Checkout[] = []
  /** The protocol that the connection speaks, or has spoken last. */
  #protocol: Protocol | undefined
  #isShutDown = false
  level = -1
  previous: Ranked | undefined
  next: Ranked | undefined

  constructor(connPid: ConnPid, home: MemberHome) {
    this.connPid = connPid
    this.connection = connectionOf(connPid)
    this.#home = home
    this.connection.onBegun = streamRef => this.#onBegun(streamRef)
    this.connection.steps.onIdle = () => {
      if (this.#due.size > 0) this.#due.clear()
      this.#home.onSettled(this)
    }
  }

  /** How many streams are under way, or will be. */
  get load(): number {
    return (this.connection.protocol?.load ?? 0) + this.#due.size + this.#checkouts.length
  }

  /** How many more streams the connection takes. */
  get room(): number {
    if (this.phase !== 'up' || !this.connection.isAccepting) return 0
    const { protocol } = this.connection
    if (protocol?.load === undefined) return 0
    const most = protocol.name === 'http2' ? (protocol.most ?? 0) : this.#home.pipelining
    return Math.max(0, most - this.load)
  }

  /** Whether requests, or what the set-up has made of the connection, can go on. */
  get isReady(): boolean {
    const { isAccepting, protocol } = this.connection
    if (this.phase !== 'up' || protocol === undefined) return false
    return protocol.load === undefined || (isAccepting && protocol.most !== 0)
  }

  /** Whether the connection takes no more requests, and ends with those that are under way. */
  get isDeparting(): boolean {
    const { isAccepting, protocol } = this.connection
    return this.phase === 'up' && !isAccepting && protocol?.load !== undefined && this.load > 0
  }

  /** Whether a whole response has come on the connection, perhaps the one after which the connection ended. */
  get hasAnswered(): boolean {
    return this.#protocol?.hasAnswered ?? false
  }

  /** Remembers the protocol, which the connection forgets when it ends. */
  look(): void {
    this.#protocol = this.connection.protocol ?? this.#protocol
  }

  /** Ends the connection in order. May be called behind each of its steps. */
  shutdown(): void {
    if (this.#isShutDown) return
    this.#isShutDown = true
    this.connection.shutdown()
  }

  /** Begins a stream of the pool's. */
  begin(command: BeginCommand): void {
    const { commands, steps } = this.connection
    if (!steps.isBusy) {
      this.#own = command.streamRef
      commands.perform(command)
      return
    }
    this.#due.add(command.streamRef)
    commands.perform(command)
    this.#home.onSettled(this)
  }

  addCheckout(checkout: Checkout): void {
    this.#checkouts.push(checkout)
  }

  /** Takes a checkout back on which no stream has begun. Returns whether there was such a checkout. */
  removeCheckout(checkout: Checkout): boolean {
    const at = this.#checkouts.indexOf(checkout)
    if (at !== -1) this.#checkouts.splice(at, 1)
    return at !== -1
  }

  /** Lets go of the connection, which goes on or has ended. */
  dispose(): void {
    this.connection.onBegun = undefined
    this.connection.steps.onIdle = undefined
    this.idle?.clear()
    this.lifetime?.clear()
    this.#checkouts.length = 0
  }

  #onBegun(streamRef: StreamRef): void {
    if (streamRef === this.#own || this.#due.delete(streamRef) || this.#checkouts.length === 0) return
    const replyTo = replyToOf(streamRef)
    const holder = this.#checkouts.find(({ caller }) => caller !== undefined && caller === replyTo)
    const checkout = holder ?? (this.#checkouts[0] as Checkout)
    this.removeCheckout(checkout)
    this.#home.onCheckedOutStream(checkout, streamRef)
  }
}
