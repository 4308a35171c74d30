/** A pool of connections to one host: gives each request the connection with least to do, or has it wait for one. */

import { type ExitReason, isOrderly, type MonitorTarget, P, spawn } from '@holster/process'
import { nodesImmediate, onExit } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import { tellCreated } from '../events/request-create.js'
import { wsSend } from '../functions.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { RequestCommand } from '../layer/commands.js'
import type { GunMessage, Owner, ReplyTo } from '../messages.js'
import { authorityOf, type HostForms } from '../options/host.js'
import {
  CHECKOUT_TIMEOUT,
  type CheckoutLimits,
  type CheckoutOpts,
  type PoolOpts,
  type PoolReqOpts,
  type PoolSettings,
  poolSettingsOf,
} from '../options/pool.js'
import { isOwner } from '../options/values.js'
import type { WsFrame } from '../words.js'
import { Callers } from './callers.js'
import { Checkout } from './checkout.js'
import { CheckoutWaiter } from './checkout-waiter.js'
import { CheckoutClaim, type ClaimHome, PlaceClaim, StreamClaim } from './claims.js'
import { ended, gaveUp, unavailable } from './failures.js'
import { hear } from './hearing.js'
import { infoOf, type PoolInfo } from './info.js'
import type { Member } from './member.js'
import { Places, type PlacesHome } from './places.js'
import type { PoolPid } from './process.js'
import { PoolStreamRef, setWaiter } from './reference.js'
import { RequestWaiter, type WaiterHome } from './request-waiter.js'
import { type PoolState, stateOf } from './states.js'
import { type Waiter, Waiting } from './waiting.js'

/** A request without its stream. */
export type Draft = Omit<RequestCommand, 'type' | 'streamRef'>

/** A listener that is told when the pool is operational, or has ended. */
export interface UpListener {
  up(): void
  ended(reason: ExitReason): void
}

export class Pool implements PlacesHome, ClaimHome, WaiterHome {
  readonly pid: PoolPid
  readonly host: string
  readonly port: number
  readonly opts: PoolOpts
  readonly settings: PoolSettings
  readonly authority: string
  readonly #places: Places
  readonly #waiting: Waiting<Member>
  readonly #callers = new Callers()
  readonly upListeners = new Set<UpListener>()
  readonly #onOver: (pool: Pool) => void
  /** The supervisor under which the pool stands. */
  #parent: object | undefined
  /** Whether the callers that wait are served at the end of this turn of the event loop. */
  #isServing = false
  /**
   * Serves all callers at once that wait, so that their requests leave in one go, as do those of callers that have their
   * responses.
   */
  readonly #serve = () => {
    this.#isServing = false
    this.#waiting.serve()
  }
  /** Why the pool ends, once its connections have ended. */
  #ending: { readonly reason: ExitReason } | undefined

  /** `onOver` is called once the pool takes nothing more; perhaps twice. */
  constructor(host: HostForms, port: number, opts: PoolOpts, onOver: (pool: Pool) => void) {
    this.#onOver = onOver
    this.host = host.given
    this.port = port
    this.opts = opts
    this.settings = poolSettingsOf(opts)
    const { transport = port === 443 ? 'tls' : 'tcp' } = this.settings.connOpts
    this.authority = authorityOf({ host, port }, transport)
    this.#places = new Places(this)
    this.#waiting = new Waiting<Member>(() => this.#places.first)
    this.pid = spawn<GunMessage>(self => this.#live(self), { trapExit: true })
    this.pid[onExit](reason => this.#dispose(reason), 'name')
    try {
      while (this.#places.census.wanted < this.settings.sizeMin) this.#places.grow()
    } catch (error) {
      this.pid.exit()
      throw error
    }
  }

  get state(): PoolState {
    return stateOf(this.#places.census)
  }

  get isOver(): boolean {
    return this.#ending !== undefined || !this.pid.isAlive
  }

  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** The supervisor whose exit signal, whatever its reason, ends the pool. */
  set parent(parent: object) {
    this.#parent = parent
  }

  // Callers ask:

  /** Begins a request on the connection with least to do, or has it wait. */
  begin(draft: Draft, opts: PoolReqOpts): PoolStreamRef {
    const { replyTo, sendHighWaterMark, signal } = opts
    signal?.throwIfAborted()
    // Callers that wait come first.
    const member = this.#waiting.size === 0 ? this.#places.first : undefined
    if (member === undefined) return this.#beginLater(draft, opts)
    const streamRef = new PoolStreamRef(
      member.connPid,
      replyTo ?? member.inbox,
      sendHighWaterMark,
      replyTo === undefined,
    )
    tellAsked(streamRef, draft)
    member.begin(commandOf(streamRef, draft))
    if (replyTo !== undefined || signal !== undefined) this.#charge(streamRef, replyTo, signal)
    return streamRef
  }

  /** Checks out a connection: the one with least to do, or one that takes frames. */
  checkout({ caller, signal, ...limits }: CheckoutOpts): Promise<Checkout> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const lend = (member: Member, isCounted: boolean) => {
        const checkout = new Checkout(member.connPid, member.meta, caller, each => this.#giveBack(each))
        if (isCounted) {
          member.addCheckout(checkout)
          this.#places.onSettled(member)
        }
        if (caller !== undefined) {
          this.#callers.add(caller as MonitorTarget, new CheckoutClaim(this, checkout))
        }
        resolve(checkout)
      }
      const other =
        this.#waiting.size === 0 && this.#places.first === undefined
          ? this.#places.other(() => true)
          : undefined
      if (other !== undefined) return lend(other, false)
      const member = this.#waiting.size === 0 ? this.#places.first : undefined
      if (member !== undefined) return lend(member, true)
      const claim = new PlaceClaim(signal => {
        if (this.#waiting.remove(waiter)) reject(signal?.reason ?? gaveUp())
      })
      const waiter = new CheckoutWaiter(
        each => lend(each, true),
        reject,
        () => {
          claim.isOver = true
        },
      )
      this.#wait(waiter, limits)
      if (caller !== undefined) this.#callers.add(caller as MonitorTarget, claim)
      if (signal !== undefined) this.#callers.addSignal(signal, claim)
    })
  }

  /** Sends frames on the WebSocket of a connection, another each time. */
  send(frames: WsFrame | readonly WsFrame[]): boolean {
    const member = this.#places.other(({ meta }) => meta.ws !== undefined)
    if (member?.meta.ws === undefined)
      throw this.#unavailable('no connection of the pool has a WebSocket to send on')
    return wsSend(member.connPid, member.meta.ws, frames)
  }

  get info(): PoolInfo {
    return infoOf(this, this.#places, this.#waiting.size)
  }

  // The places of the pool call:

  onChange(): void {
    if (this.#waiting.size > 0 && !this.#isServing) {
      this.#isServing = true
      nodesImmediate(this.#serve)
    }
    if (this.upListeners.size > 0 && this.state === 'operational') {
      for (const listener of [...this.upListeners]) listener.up()
    }
  }

  onFailure(): void {
    if (this.#places.allFail) this.#waiting.fail(this.#unavailable('all connections of the pool fail'))
  }

  onCheckedOutStream(checkout: Checkout, streamRef: StreamRef): void {
    checkout.streamRef = streamRef
  }

  /** The connection that posts the error of a request which gets none. */
  get spokesman(): Member {
    const member = this.#places.latest
    if (member === undefined) throw new Error('a request waits in a pool that has tried no connection')
    return member
  }

  // The life of the pool's process:

  /** Ends the pool in order: nothing waits or begins any more, and the connections end with their streams. */
  stop(reason: ExitReason): void {
    if (this.isOver) return
    this.#ending = { reason: isOrderly(reason) ? reason : ['shutdown', reason] }
    this.#onOver(this)
    this.#waiting.fail(ended(reason))
    // Callers may still exit or abort while their streams finish.
    this.#places.close(false)
    if (this.#places.members.size === 0) this.pid.exit(this.#ending.reason)
  }

  async #live(self: PoolPid): Promise<void> {
    for (;;) this.#take(await self.receive([P.any]))
  }

  #take(message: unknown): void {
    const told = message as
      | GunMessage
      | { type: 'DOWN'; pid: never; reason: unknown }
      | { type: 'EXIT'; from: unknown; reason: unknown }
    if (told?.type === 'DOWN') {
      this.#places.lost(told.pid, told.reason)
      if (this.#ending !== undefined && this.#places.members.size === 0) this.pid.exit(this.#ending.reason)
    } else if (told?.type === 'EXIT') {
      if (told.reason !== 'normal' || told.from === this.#parent) this.stop(told.reason)
    } else if (told?.connPid !== undefined) hear(told, this.#places, this.settings.setupFun, this.pid)
  }

  #dispose(reason: ExitReason): void {
    this.#ending ??= { reason }
    this.#onOver(this)
    this.#waiting.fail(ended(reason))
    this.#callers.dispose()
    // After an orderly end no connection is left, unless the end took too long for somebody who then killed the pool.
    this.#places.close(true)
    for (const listener of [...this.upListeners]) listener.ended(reason)
  }

  #beginLater(draft: Draft, opts: PoolReqOpts): PoolStreamRef {
    const { replyTo, sendHighWaterMark, signal } = opts
    const streamRef = new PoolStreamRef(undefined, replyTo, sendHighWaterMark, replyTo === undefined)
    const waiter = new RequestWaiter(this, streamRef, commandOf(streamRef, draft))
    setWaiter(streamRef, waiter)
    this.#wait(waiter, opts)
    tellAsked(streamRef, draft)
    this.#charge(streamRef, replyTo, signal)
    return streamRef
  }

  /** Has a caller wait, and makes another connection if the pool may grow, and more callers wait than connections are coming. */
  #wait(waiter: Waiter<Member>, { checkoutRetry, checkoutTimeout }: CheckoutLimits): void {
    if (this.isOver) throw ended(this.#ending?.reason ?? 'noproc')
    const none = 'no connection of the pool is free'
    const timeout =
      checkoutTimeout ?? checkoutRetry?.reduce((sum, pause) => sum + pause, 0) ?? CHECKOUT_TIMEOUT
    if (this.#places.isHopeless) throw this.#unavailable('no connection of the pool can be made')
    if (this.settings.sizeMax === 0 || timeout === 0) {
      if (this.settings.sizeMax > 0 && this.#places.coming === 0) this.#places.grow()
      throw this.#unavailable(none)
    }
    if (this.#waiting.size >= this.#places.coming) this.#places.grow()
    this.#waiting.add(waiter, timeout, () => this.#unavailable(`${none} within ${timeout} ms`))
  }

  /** Has the stream given up when its caller exits, or the signal aborts. */
  #charge(streamRef: PoolStreamRef, replyTo: ReplyTo | undefined, signal: AbortSignal | undefined): void {
    const isCaller = replyTo !== undefined && isOwner(replyTo)
    if (!isCaller && signal === undefined) return
    const claim = new StreamClaim(this, streamRef)
    if (isCaller) this.#callers.add(replyTo as Owner as MonitorTarget, claim)
    if (signal !== undefined) this.#callers.addSignal(signal, claim)
  }

  memberWith(connPid: ConnPid): Member | undefined {
    return this.#places.members.get(connPid)
  }

  giveUp(waiter: Waiter<Member>): boolean {
    return this.#waiting.remove(waiter)
  }

  #giveBack(checkout: Checkout): void {
    const member = this.#places.members.get(checkout.connPid)
    if (member?.removeCheckout(checkout)) this.#places.onSettled(member)
  }

  #unavailable(what: string): GunError {
    return unavailable(what, this.authority, this.#places)
  }
}

/** Tells of a request, whose command has the same list of header fields. */
function tellAsked(streamRef: PoolStreamRef, { body, method, path, headers }: Draft): void {
  tellCreated(streamRef, body === undefined ? 'headers' : 'request', method, path, headers)
}

/** Makes the command of a request. To spread the draft would take longer than all else here. */
function commandOf(streamRef: PoolStreamRef, draft: Draft): RequestCommand {
  const { method, path, headers, isChecked, body, flow } = draft
  return { type: 'request', streamRef, method, path, headers, isChecked, body, flow }
}
