/** A process: a mailbox, a selective receive, and a life that others can watch and end. */

import { inspect } from 'node:util'
import { P } from 'ts-pattern'
import type { ExitReason } from './exit-reason.js'
import {
  checkTarget,
  type ExitRoute,
  exitSignal,
  type Monitorable,
  type MonitorTarget,
  onExit,
  sendExit,
  watchersOf,
} from './exits/exit.js'
import { type ExitHook, reportExit } from './exits/exit-hook.js'
import { type Exit, Links } from './exits/link.js'
import { type Down, MonitorRef, Monitors } from './exits/monitor.js'
import { tellAll, Watchers, type WatchOrder } from './exits/watchers.js'
import { onAbort } from './host/abort.js'
import { checkDuration, Timers } from './host/timer.js'
import { ProcessExit, settleReason } from './mailbox/errors.js'
import { marksOf } from './mailbox/high-water-mark.js'
import { Handler, Inbox } from './mailbox/mailbox.js'
import type { Source } from './mailbox/source.js'
import type { Checked, CheckedList, Narrowed, On, PatternList, Received } from './narrowing.js'
import { checkOptions, checkReceiveOptions, type ProcessOptions, type ReceiveOptions } from './options.js'
import type { Pid } from './pid.js'
import { compareByIdentity, TimerRef } from './ref.js'
import { register, withName } from './registry.js'

/** What a process that expects `M` may find in its mailbox. */
export type Incoming<M> = M | Down | Exit

/** Delivers a message together with its source, which the mailbox's high-water mark may then pause. */
export const deliver: unique symbol = Symbol.for('@holster/process.deliver')

/** Says that a source will deliver here, so that it is read while this process waits for its first message. */
export const attach: unique symbol = Symbol.for('@holster/process.attach')

let last = 0

/** A process. `spawn` and `createProcess` make one. */
export class Process<M = unknown> implements Pid<M>, Monitorable, AsyncDisposable {
  /** As `Ref.ref`. */
  private readonly process: number = ++last
  readonly #inbox: Inbox
  #watchers: Watchers | undefined
  #disobey: (() => void) | undefined
  readonly #report: ExitHook
  #monitors: Monitors | undefined
  #links: Links | undefined
  #timers: Timers | undefined
  #controller: AbortController | undefined
  #isAlive = true
  #reason: ExitReason
  #exit: ProcessExit | undefined
  #ended:
    | { readonly promise: Promise<ExitReason>; readonly resolve: (reason: ExitReason) => void }
    | undefined
  #trapExit = false

  /** @internal Use `spawn` or `createProcess`. `report` gets the reason of an exit that nobody else knows of. */
  constructor(options: ProcessOptions | undefined, report: ExitHook = reportExit) {
    this.#report = report
    if (options !== undefined) checkOptions(options)
    this.#inbox = new Inbox(marksOf(options?.highWaterMark, options?.waitingHighWaterMark))
    if (options === undefined) return
    this.#trapExit = options.trapExit ?? false
    if (options.name !== undefined) register(options.name, this)
    if (options.signal !== undefined) this.#obey(options.signal)
  }

  /** To be called when a source gets to know that it will deliver here; `[deliver]` does so by itself. */
  [attach](source: Source): void {
    source.attach(this.#inbox)
  }

  /** Puts `message` at the end of the mailbox. Never fails; to a process that has exited it does nothing. */
  send(message: M): void {
    this.#inbox.accept(message)
  }

  /** As `send`, for a source that can be paused and says how many bytes the message holds. */
  [deliver](source: Source, message: M, bytes: number): void {
    source.deliver(this.#inbox, message, bytes)
  }

  /**
   * Takes the oldest message that matches any of the patterns; the others keep their place. If there is none it
   * waits, and while it waits only new arrivals are tried. Several receives may wait at once: a message goes to the
   * earliest that matches.
   *
   * Resolves to the message, narrowed to the patterns, or to the result of the handler that `on` gave the pattern.
   * Rejects with `ReceiveTimeout` after `timeout` milliseconds (`Infinity` by default; `0` looks once), with
   * `ProcessExit` when the process exits (in the next turn of the event loop where it has before), with what a guard or a handler threw (a message whose guard threw
   * stays, one whose handler threw is gone), or with the signal's reason.
   *
   * Throws a TypeError or RangeError at once if an argument is wrong: a guard that is not `P.when(guard)`, for one. Source: Erlang's `receive … after … end`.
   */
  receive<const Ps extends PatternList<Incoming<M>>, R = never>(
    patterns: Ps & CheckedList<Incoming<M>, Ps>,
    timeout: number | ReceiveOptions<R> = Number.POSITIVE_INFINITY,
  ): Promise<Received<Incoming<M>, Ps> | Awaited<R>> {
    if (!Array.isArray(patterns)) throw new TypeError(`patterns must be an array, not ${inspect(patterns)}`)
    const limits = typeof timeout === 'object' && timeout !== null ? checkReceiveOptions(timeout) : undefined
    const ms = limits === undefined ? timeout : (limits.timeout ?? Number.POSITIVE_INFINITY)
    checkDuration('timeout', ms, true)
    const received = this.#inbox.receive(patterns, ms, limits)
    return received as Promise<Received<Incoming<M>, Ps> | Awaited<R>>
  }

  /** A clause for `receive`: the receive resolves to what `handler` makes of the message. */
  on<const Q extends P.Pattern<Incoming<M>>, R>(
    pattern: Q & Checked<Incoming<M>, Q>,
    handler: (message: Narrowed<Incoming<M>, Q>) => R,
  ): On<R> {
    if (typeof handler !== 'function') throw new TypeError('handler must be a function')
    const on: unknown = new Handler(pattern, handler as (message: never) => unknown)
    return on as On<R>
  }

  /** Drops the waiting messages that match, or all of them, and says how many they were. */
  flush<const Q extends P.Pattern<Incoming<M>>>(pattern?: Q & Checked<Incoming<M>, Q>): number {
    return this.#inbox.flush([pattern === undefined ? P._ : pattern])
  }

  /**
   * Asks for one `DOWN` message when `target` ends; at once, with reason `'noproc'`, if it has already.
   * Each call is a monitor of its own. Source: `erlang:monitor/2`.
   */
  monitor(target: MonitorTarget): MonitorRef {
    if (!this.#isAlive) {
      checkTarget(target)
      return new MonitorRef()
    }
    this.#monitors ??= new Monitors(this.#inbox)
    return this.#monitors.add(target)
  }

  /**
   * Ends a monitor, and drops its `DOWN` if that has arrived already (Erlang's `[flush]`).
   * Says whether the monitor was still set. Source: `erlang:demonitor/2`.
   */
  demonitor(ref: MonitorRef): boolean {
    if (!(ref instanceof MonitorRef)) throw new TypeError('ref must be what monitor gave')
    const active = this.#monitors?.remove(ref) ?? false
    if (!active) this.#inbox.flush([{ type: 'DOWN', ref }])
    return active
  }

  /**
   * Ties two lives together: when one side ends, the other gets an exit signal with its reason. A target that has
   * ended signals `'noproc'`. A connection shuts down; of xstate actors only a root can be stopped.
   * Source: `erlang:link/1`.
   */
  link(target: MonitorTarget): void {
    checkTarget(target)
    if (!this.#isAlive || target === this) return
    const isMutual = target instanceof Process && target.isAlive
    this.#linksOf().add(target, isMutual ? target.#linksOf() : undefined)
  }

  /** Undoes `link`, on both sides. Source: `erlang:unlink/1`. */
  unlink(target: MonitorTarget): void {
    checkTarget(target)
    this.#links?.remove(target)
  }

  /** Whether exit signals arrive as `EXIT` messages. `'kill'` cannot be trapped. */
  get trapExit(): boolean {
    return this.#trapExit
  }

  /**
   * Applies to the signals that come from now on. Throws a TypeError unless it is a boolean. Source:
   * `process_flag(trap_exit, …)`.
   */
  set trapExit(trap: boolean) {
    if (typeof trap !== 'boolean') throw new TypeError('trapExit must be a boolean')
    this.#trapExit = trap
  }

  /**
   * Ends this process: `exited` resolves, `signal` aborts, receives reject with `ProcessExit`, links and monitors
   * are told, timers are gone. It returns to its caller: a body goes on until its next receive. Nothing happens if the
   * process has exited already. Source: `erlang:exit/1`.
   */
  exit(reason?: ExitReason): void
  /**
   * Sends an exit signal in the name of this process, which fills the `from` of an EXIT message. As the function `exit`,
   * but `'normal'` ends the process that sends it to itself. Nothing happens if this process has exited. Source:
   * `erlang:exit/2`.
   */
  exit(pid: MonitorTarget, reason: ExitReason): void
  exit(...args: [reason?: ExitReason] | [pid: MonitorTarget, reason: ExitReason]): void {
    if (args.length === 2) return this.#signal(...args)
    const [reason = 'normal'] = args
    if (this.#isAlive) this.#report(this, reason)
    this.#end(reason)
  }

  /**
   * Sends `message` to this process after so many milliseconds, unless it is cancelled. What is due together, after the
   * event loop was busy, arrives in the order of the times, also among processes, and before the timeout of a receive that
   * is due later. Source: `erlang:send_after/3`.
   */
  sendAfter(ms: number, message: M): TimerRef {
    checkDuration('ms', ms, false)
    if (!this.#isAlive) return new TimerRef()
    this.#timers ??= new Timers()
    return this.#timers.start(ms, () => this.send(message))
  }

  /** The milliseconds that were left, or `false` if the timer has fired or was cancelled. Source: `erlang:cancel_timer/1`. */
  cancelTimer(ref: TimerRef): number | false {
    if (!(ref instanceof TimerRef)) throw new TypeError('ref must be what sendAfter gave')
    return this.#timers?.cancel(ref) ?? false
  }

  /** Aborted, with a `ProcessExit`, when the process exits. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (!this.#isAlive) this.#controller.abort(this.#exitError())
    }
    return this.#controller.signal
  }

  /** Resolves to the reason when the process exits. It does not wait for the body to return. */
  get exited(): Promise<ExitReason> {
    if (!this.#isAlive) return Promise.resolve(this.#reason)
    if (this.#ended === undefined) {
      let resolve!: (reason: ExitReason) => void
      const promise = new Promise<ExitReason>(settle => {
        resolve = settle
      })
      this.#ended = { promise, resolve }
    }
    return this.#ended.promise
  }

  /** Whether the process has not exited. Source: `is_process_alive/1`. */
  get isAlive(): boolean {
    return this.#isAlive
  }

  /** How many messages wait in the mailbox. Source: `process_info(Pid, message_queue_len)`. */
  get messageQueueLength(): number {
    return this.#inbox.length
  }

  /**
   * Lets a process or a connection watch this one: calls `listener` once with the reason. `undefined`: it has
   * exited.
   */
  [onExit](listener: (reason: ExitReason) => void, order: WatchOrder = 'monitor'): (() => void) | undefined {
    return this[watchersOf]()?.add(listener, order)
  }

  /** @internal */
  [watchersOf](): Watchers | undefined {
    if (!this.#isAlive) return undefined
    this.#watchers ??= new Watchers()
    return this.#watchers
  }

  /**
   * Takes an exit signal, as links and `exit` send them; `from` is `undefined` where it comes from the function `exit`.
   * Source: `erlang:exit/2`.
   */
  [exitSignal](from: MonitorTarget | undefined, reason: ExitReason, route: ExitRoute): void {
    if (!this.#isAlive) return
    if (reason === 'kill' && route === 'exit') return this.exit('killed')
    if (this.#trapExit) return this.#inbox.accept({ type: 'EXIT', from, reason })
    if (reason === 'normal' && !(from === this && route === 'exit')) return
    // What came through a link was reported where it arose.
    if (route === 'exit') this.#report(this, reason)
    this.#end(reason)
  }

  /** `exit()`, and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.exit()
    await this.exited
  }

  /** `#Process<12>`; unique within this program. */
  get id(): string {
    return `#Process<${this.process}>`
  }

  /** As `id`, with the name under which the process is registered, or was when it exited: `#Process<12 worker>`. */
  toString(): string {
    return withName(this.id, this)
  }

  /** As `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #linksOf(): Links {
    this.#links ??= new Links(this, this.#inbox)
    return this.#links
  }

  #signal(pid: MonitorTarget, reason: ExitReason): void {
    checkTarget(pid, 'pid')
    if (this.#isAlive) sendExit(pid, this, reason, 'exit')
  }

  #obey(signal: AbortSignal): void {
    const abort = () => this.exit(['shutdown', signal.reason])
    if (signal.aborted) return abort()
    this.#disobey = onAbort(signal, abort)
  }

  #end(reason: ExitReason): void {
    if (!this.#isAlive) return
    settleReason(reason)
    this.#isAlive = false
    this.#reason = reason
    // Before anything that may bring about other ends.
    this.#watchers?.announce(reason)
    this.#disobey?.()
    this.#timers?.clear()
    this.#monitors?.clear()
    this.#inbox.close(() => this.#exitError())
    this.#controller?.abort(this.#exitError())
    this.#ended?.resolve(reason)
    tellAll()
  }

  /** What rejects whoever waits for a process that has exited. Made when it is needed: it costs more than the rest of an exit. */
  #exitError(): ProcessExit {
    this.#exit ??= new ProcessExit(this.toString(), this.#reason)
    return this.#exit
  }
}

compareByIdentity(Process)
