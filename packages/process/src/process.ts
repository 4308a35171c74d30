/** A process has a mailbox, a selective receive, and a life that others can watch and end. */

import { inspect } from 'node:util'
import { P } from 'ts-pattern'
import type { ReplyTo, RequestOf } from './calls/call.js'
import { CallError } from './calls/call-error.js'
import { type Callee, checkCallee } from './calls/callee.js'
import { startCall } from './calls/pending-call.js'
import { type ExitReason, isOrderly } from './exit-reason.js'
import { Alias, type AliasMode, checkAlias } from './exits/alias.js'
import {
  checkTarget,
  exitSignal,
  type Monitorable,
  type MonitorTarget,
  onExit,
  sendExit,
  watchersOf,
} from './exits/exit.js'
import { type ExitHook, reportExit } from './exits/exit-hook.js'
import type { ExitRoute } from './exits/exit-route.js'
import { type Exit, Links } from './exits/link.js'
import { type Down, MonitorAlias, MonitorRef, Monitors } from './exits/monitor.js'
import { tellAll, Watchers, type WatchOrder } from './exits/watchers.js'
import { homeOf, NO_NODE, needHome } from './home.js'
import { onAbort } from './host/abort.js'
import { cancelTimer, checkDuration, readTimer, Timers } from './host/timer.js'
import { rejected } from './host/turns.js'
import { sendLate } from './late.js'
import { birthplace } from './lives/birthplace.js'
import { checkBody, startBody } from './lives/body.js'
import { type Place, placed, Roll } from './lives/roll.js'
import { ProcessExit, settleReason } from './mailbox/errors.js'
import { marksOf } from './mailbox/high-water-mark.js'
import { Mailbox } from './mailbox/mailbox.js'
import type { Source } from './mailbox/source.js'
import type { Checked, CheckedList, Narrowed, On, PatternList, Received } from './narrowing.js'
import {
  checkAliasMode,
  checkMonitorOptions,
  checkOptions,
  checkReceiveOptions,
  type MonitorOptions,
  type ProcessOptions,
  type ReceiveOptions,
} from './options.js'
import { Handler } from './patterns/clauses.js'
import type { Pid } from './pid.js'
import { linked, linkHalf, makePortable } from './portable.js'
import { compareByIdentity, TimerRef } from './ref.js'
import { register, whereis, withName } from './registry.js'
import type { TimeoutOf } from './timeout.js'

function checkTimer(ref: unknown): void {
  if (!(ref instanceof TimerRef)) throw new TypeError('ref must be what sendAfter or startTimer gave')
}

/** Tells a target on another node that `process` was linked to it, or is no more. */
function tellLinked(target: MonitorTarget, process: object, isTied: boolean): void {
  ;(target as { [linked]?(process: object, isTied: boolean): void })[linked]?.(process, isTied)
}

/** The messages in the mailbox of a process that expects `M`. */
export type Incoming<M> = M | Down | Exit

/** The method by which a source delivers a message, so that the mailbox can pause the source. */
export const deliver: unique symbol = Symbol.for('@holster/process.deliver')

/** The method that makes a source known to a process, so that the source is read while the process waits for it. */
export const attach: unique symbol = Symbol.for('@holster/process.attach')

/** The method that takes a message which waits already, without a promise. */
export const take: unique symbol = Symbol.for('@holster/process.take')

/** The method by which `processInfo` and `trace` look into a process. */
export const inside: unique symbol = Symbol('@holster/process.inside')

/** The parts of a process that `processInfo` and `trace` look at. */
export interface Inside {
  readonly mailbox: Mailbox
  readonly links: ReadonlyMap<MonitorTarget, unknown> | undefined
  readonly monitors: Monitors | undefined
  readonly watchers: Watchers | undefined
  readonly timers: Timers | undefined
  readonly reason: ExitReason
  readonly stack: string | undefined
  /** The oldest messages that were left when the process crashed. */
  readonly left: readonly string[] | undefined
}

/** The processes that have not exited. */
export const living = new Roll<Process<never>>()

/** A process with its monitor, as `spawnMonitor` gives them. */
export interface SpawnedMonitor<M> {
  /** The process. */
  readonly pid: Process<M>
  /** The monitor, whose `DOWN` carries this reference. */
  readonly ref: MonitorRef
}

/** The most messages that are shown by default. */
export const SHOWN = 5

/** The longest wait for a reply in milliseconds, unless a call says otherwise. */
const DEFAULT_CALL_TIMEOUT = 5000

/** The timers for names, actors and other pids that have no `Timers`. */
const otherTimers = new Timers()

let last = 0

/** A process, as `spawn` and `createProcess` make one. */
export class Process<M = unknown> implements Pid<M>, Monitorable, AsyncDisposable {
  /** Tells processes apart in a test of deep equality, as `Ref.ref` does. */
  private readonly process: number = ++last

  static {
    makePortable(Process as { readonly prototype: Process }, {
      name: 'Process',
      numberOf: ({ process }) => process,
    })
  }

  readonly #mailbox: Mailbox
  #watchers: Watchers | undefined
  #disobey: (() => void) | undefined
  readonly #report: ExitHook
  /** The place among the living. */
  #place: Place
  #label: string | undefined
  readonly #stack: string | undefined
  /** The oldest messages that were left when the process crashed. */
  #left: readonly string[] | undefined
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

  /** @internal Use `spawn` or `createProcess`. `report` gets the reason of an exit that arises in this process. */
  constructor(options: ProcessOptions | undefined, report: ExitHook = reportExit) {
    this.#report = report
    if (options !== undefined) checkOptions(options)
    this.#mailbox = new Mailbox(marksOf(options?.highWaterMark, options?.waitingHighWaterMark), this)
    this.#stack = birthplace(Process)
    if (options?.name !== undefined) register(options.name, this)
    // Behind all that may throw: who gets no process must not find one among the living.
    this.#place = living.add(this as unknown as Process<never>)
    if (options === undefined) return
    this.#trapExit = options.trapExit ?? false
    if (options.signal !== undefined) this.#obey(options.signal)
  }

  /** @internal Attaches a source that will deliver here; the first `[deliver]` does so too. */
  [attach](source: Source): void {
    source.attach(this.#mailbox)
  }

  /** Puts `message` at the end of the mailbox. Never fails, and does nothing after the process has exited. */
  send(message: M): void {
    this.#mailbox.accept(message)
  }

  /** @internal Does as `send` for a source that can be paused. `bytes` is how many the message holds. */
  [deliver](source: Source, message: M, bytes: number): void {
    source.deliver(this.#mailbox, message, bytes)
  }

  /**
   * Takes the oldest message that matches any of the patterns; the others keep their place. If no message matches, the
   * receive waits, and tries each new arrival. Several receives may wait at once; a message goes to the earliest one that
   * matches.
   *
   * Resolves to the message, narrowed to the patterns, or to the result of the handler that `on` gave the pattern. Rejects
   * with `ReceiveTimeout` after `timeout` milliseconds (`Infinity` by default; `0` looks once), with `ProcessExit` when the
   * process exits (not before the next turn of the event loop if it has exited already), with the reason of the signal, or
   * with the error of a guard or a handler. A message whose guard threw stays in the mailbox; one whose handler threw is gone.
   *
   * Throws a TypeError or RangeError at once if an argument is wrong, such as a guard without `P.when`. Source: Erlang's
   * `receive … after … end`.
   *
   * @param timeout How long to wait, in milliseconds, or the options. Default `Infinity`.
   */
  receive<const Ps extends PatternList<Incoming<M>>, R = never>(
    patterns: Ps & CheckedList<Incoming<M>, Ps>,
    timeout: number | ReceiveOptions<R> = Number.POSITIVE_INFINITY,
  ): Promise<Received<Incoming<M>, Ps> | Awaited<R>> {
    if (!Array.isArray(patterns)) throw new TypeError(`patterns must be an array, not ${inspect(patterns)}`)
    const limits = typeof timeout === 'object' && timeout !== null ? checkReceiveOptions(timeout) : undefined
    const ms = limits === undefined ? timeout : (limits.timeout ?? Number.POSITIVE_INFINITY)
    checkDuration('timeout', ms, true)
    const received = this.#mailbox.receive(patterns, ms, limits)
    return received as Promise<Received<Incoming<M>, Ps> | Awaited<R>>
  }

  /** @internal Takes the oldest message that waits and matches any of the patterns; `undefined`: there is none. */
  [take]<const Ps extends PatternList<Incoming<M>>>(
    patterns: Ps & CheckedList<Incoming<M>, Ps>,
  ): Received<Incoming<M>, Ps> | undefined {
    const taken = this.#mailbox.take(patterns as readonly unknown[])
    return taken?.message as Received<Incoming<M>, Ps> | undefined
  }

  /**
   * Makes an element of the list that `receive` takes: the receive resolves to the result of `handler`, which is awaited.
   * Throws a TypeError unless `handler` is a function.
   */
  on<const Q extends P.Pattern<Incoming<M>>, R>(
    pattern: Q & Checked<Incoming<M>, Q>,
    handler: (message: Narrowed<Incoming<M>, Q>) => R,
  ): On<R> {
    if (typeof handler !== 'function') throw new TypeError('handler must be a function')
    const on: unknown = new Handler(pattern, handler as (message: never) => unknown)
    return on as On<R>
  }

  /** Drops the waiting messages that match, or all of them without a pattern, and gives their number. */
  flush<const Q extends P.Pattern<Incoming<M>>>(pattern?: Q & Checked<Incoming<M>, Q>): number {
    return this.#mailbox.flush([pattern === undefined ? P._ : pattern])
  }

  /**
   * Sends `request` to `pid`, a process or the name of one, as a message `{ type: 'call', from, request }`, and resolves to what
   * `reply(from, …)` answers; other messages keep their place. Rejects with a `CallError` whose `reason` says why: `'timeout'` after
   * `timeout` milliseconds (5000 by default, or `Infinity`), `'noproc'` if there is no such process, or the reason for which it ends
   * before it replies. Rejects with `ProcessExit` when this process exits. A reply that comes later is dropped.
   *
   * Throws a TypeError or RangeError at once if an argument is wrong, and an Error if the process calls itself, as no reply could come.
   * Source: `gen_server:call/2,3`.
   */
  call<T, const Q extends RequestOf<T>>(
    pid: Pid<T> | string,
    request: Q,
    timeout: number = DEFAULT_CALL_TIMEOUT,
  ): Promise<ReplyTo<T, Q>> {
    checkDuration('timeout', timeout, true)
    const target: unknown = typeof pid === 'string' ? whereis(pid) : checkCallee(pid)
    if (target === this) throw new Error(`pid is the process itself: ${this} cannot call itself`)
    // The mailbox of a process that has exited refuses.
    if (!this.#isAlive) return this.#mailbox.receive([], 0) as Promise<never>
    if (target === undefined) return rejected(new CallError(pid, request, 'noproc'))
    return startCall(this, this.#mailbox, target as Callee, pid, request, timeout) as Promise<ReplyTo<T, Q>>
  }

  /**
   * Makes a reference that stands for this process until `unalias`, or, with `'reply'`, until the first message that is sent to it:
   * later ones are dropped. Throws a TypeError if `mode` is neither. Source: `erlang:alias/0,1`.
   *
   * ```ts
   * const alias = self.alias<{ type: 'answer'; ok: boolean }>()
   * worker.send({ type: 'ask', replyTo: alias })
   * const answer = await self.receive([{ type: 'answer' }], { timeout: 100, onTimeout: () => undefined })
   * self.unalias(alias)
   * ```
   */
  alias<A = M>(mode: AliasMode = 'explicit_unalias'): Alias<A> {
    checkAliasMode(mode)
    return new Alias<A>(this.#isAlive ? this.#mailbox : undefined, mode)
  }

  /**
   * Takes an alias of this process back, and says whether it was active; messages that came through it stay in the mailbox. Throws a
   * TypeError unless `alias` is one. Source: `erlang:unalias/1`.
   */
  unalias(alias: Alias<never> | MonitorAlias<never>): boolean {
    checkAlias(alias)
    return alias.deactivate(this.#mailbox)
  }

  /**
   * Starts a process as `spawn` does, and links this process to it before its body begins. If this process has exited already, the new
   * one gets its exit signal. Throws as `spawn` does. Source: `erlang:spawn_link/1`.
   */
  spawnLink<C = unknown>(body: (self: Process<C>) => unknown, options?: ProcessOptions): Process<C> {
    const child = this.#begin(body, options)
    // A signal that was aborted has ended the child at its birth.
    if (!child.isAlive) this[exitSignal](child, child.#reason, 'link')
    else if (this.#isAlive) this.link(child)
    else child[exitSignal](this, this.#reason, 'link')
    startBody(child, body)
    return child
  }

  /**
   * Starts a process as `spawn` does, and monitors it before its body begins. Throws as `spawn` does. Source:
   * `erlang:spawn_monitor/1`.
   */
  spawnMonitor<C = unknown>(
    body: (self: Process<C>) => unknown,
    options?: ProcessOptions,
  ): SpawnedMonitor<C> {
    const pid = this.#begin(body, options)
    const ref = new MonitorRef()
    // A signal that was aborted has ended the process at its birth.
    if (this.#isAlive) this.#monitorsOf().add(pid, ref, undefined, pid.#reason)
    startBody(pid, body)
    return { pid, ref }
  }

  /**
   * Monitors `target` as below, and makes the reference an alias of this process too, to which others may send messages. `alias` says how
   * long it stays active. Throws a TypeError that names a wrong argument. Source: `erlang:monitor/3`.
   */
  monitor<A = M>(target: MonitorTarget | string, options: MonitorOptions): MonitorAlias<A>
  /**
   * Asks for one `DOWN` message when `target` ends, or at once, with the reason `'noproc'`, if it has ended already. Each call
   * makes a monitor of its own. A registered name stands for the process that has it now, and the `DOWN` has the name as its `pid`.
   * Throws a TypeError unless `target` is something that ends, or a name. Source: `erlang:monitor/2`.
   */
  monitor(target: MonitorTarget | string): MonitorRef
  monitor(target: MonitorTarget | string, options?: MonitorOptions): MonitorRef {
    const found = typeof target === 'string' ? (whereis(target) as MonitorTarget | undefined) : target
    if (typeof target !== 'string') checkTarget(target)
    const mode = options === undefined ? undefined : checkMonitorOptions(options).alias
    const mailbox = this.#isAlive ? this.#mailbox : undefined
    const ref = mode === undefined ? new MonitorRef() : new MonitorAlias(mailbox, mode)
    if (!this.#isAlive) return ref
    this.#monitorsOf().add(found, ref, typeof target === 'string' ? target : undefined)
    return ref
  }

  /**
   * Takes a monitor back, drops its `DOWN` if that has arrived already (Erlang's `[flush]`), and says whether the monitor was
   * still set. Throws a TypeError unless `ref` is what `monitor` gave. Source: `erlang:demonitor/2`.
   */
  demonitor(ref: MonitorRef): boolean {
    if (!(ref instanceof MonitorRef)) throw new TypeError('ref must be what monitor gave')
    const active = this.#monitors?.remove(ref) ?? false
    if (!active) this.#mailbox.flush([{ type: 'DOWN', ref }])
    return active
  }

  /**
   * Ties two lives together: when one side ends, the other gets an exit signal with the reason. A target that has ended
   * already sends `'noproc'`. The signal shuts a connection down; of xstate actors only a root can be stopped. A second link
   * to the same target does nothing. Throws a TypeError unless `target` is something that ends. Source: `erlang:link/1`.
   */
  link(target: MonitorTarget): void {
    checkTarget(target)
    if (!this.#isAlive || target === this) return
    const links = this.#linksOf()
    if (links.of.has(target)) return
    const isMutual = target instanceof Process && target.isAlive
    tellLinked(target, this, true)
    links.add(target, isMutual ? target.#linksOf() : undefined)
  }

  /** @internal Takes one half of a link to `target`, which is on another node, as is the other half; or gives it up. */
  [linkHalf](target: MonitorTarget, isTied: boolean): void {
    if (!isTied) this.#links?.remove(target, undefined)
    else if (this.#isAlive) this.#linksOf().add(target, undefined)
  }

  /** Undoes `link` on both sides. Throws a TypeError unless `target` is something that ends. Source: `erlang:unlink/1`. */
  unlink(target: MonitorTarget): void {
    checkTarget(target)
    const wasTied = this.#links?.remove(target, target instanceof Process ? target.#links : undefined)
    if (wasTied) tellLinked(target, this, false)
  }

  /**
   * Has this process told when the node `name` comes and goes, as `{ type: 'nodeup', node }` and `{ type: 'nodedown', node }`, or with
   * `isOn` `false` once less: two calls bring two messages. `nodedown` comes at once if there is no such node now. Throws a TypeError
   * unless `name` is a string, and an Error if this program is no node. Source: `erlang:monitor_node/2`.
   */
  monitorNode(name: string, isOn = true): void {
    if (typeof name !== 'string')
      throw new TypeError(`name must be a string, not ${inspect(name, { depth: 0 })}`)
    needHome().monitorNode(this, name, isOn)
  }

  /** The node on which the process lives, which is this program; `'nonode@nohost'` if that is no node. Source: `erlang:node/1`. */
  get node(): string {
    return homeOf()?.name ?? NO_NODE
  }

  /** Whether exit signals arrive as `EXIT` messages. `'kill'` from `exit` cannot be trapped. */
  get trapExit(): boolean {
    return this.#trapExit
  }

  /**
   * Applies to the signals that come from now on. Throws a TypeError unless `trap` is a boolean. Source:
   * `process_flag(trap_exit, …)`.
   */
  set trapExit(trap: boolean) {
    if (typeof trap !== 'boolean') throw new TypeError('trapExit must be a boolean')
    this.#trapExit = trap
  }

  /**
   * Ends this process for `reason`, `'normal'` by default: `exited` resolves, `signal` aborts, receives reject with
   * `ProcessExit`, links and monitors are told, and timers are cancelled. The call returns, so that a body goes on until its
   * next receive. Does nothing if the process has exited already. Source: `erlang:exit/1`.
   */
  exit(reason?: ExitReason): void
  /**
   * Sends an exit signal as the function `exit` does, but in the name of this process, which is the `from` of an `EXIT`
   * message. `'normal'` ends a process that sends it to itself. Does nothing if this process has exited. Throws a TypeError
   * unless `pid` is something that ends. Source: `erlang:exit/2`.
   */
  exit(pid: MonitorTarget, reason: ExitReason): void
  exit(...args: [reason?: ExitReason] | [pid: MonitorTarget, reason: ExitReason]): void {
    if (args.length === 2) return this.#signal(...args)
    const [reason = 'normal'] = args
    if (this.#isAlive) this.#report(this, reason)
    this.#end(reason)
  }

  /**
   * Sends `message` to this process after `ms` milliseconds, unless the timer is cancelled. Messages and receive timeouts of
   * all processes that are due together, after the event loop was busy, come in the order of their times. Throws a TypeError
   * or RangeError unless `ms` is a number from 0 to 2147483647. Source: `erlang:send_after/3`.
   */
  sendAfter(ms: number, message: M): TimerRef
  /**
   * Sends `message` to `to`, a process or anything else that takes messages, or to the process that is registered under that name when
   * the time has come, if there is one. The timer ends with the process that it is for, not with this one.
   */
  sendAfter<T>(ms: number, to: Pid<T> | string, message: T): TimerRef
  sendAfter(...args: [number, unknown] | [number, Pid<unknown> | string, unknown]): TimerRef {
    const [ms, to, message] = args.length > 2 ? args : [args[0], this, args[1]]
    return this.#startTimer(ms, to as Pid<unknown> | string, () => message)
  }

  /**
   * Does as `sendAfter`, but sends `{ type: 'timeout', ref, message }`, whose `ref` is the one that this call gives. Source:
   * `erlang:start_timer/3`.
   */
  startTimer(ms: number, message: TimeoutOf<M>): TimerRef
  /** Does so for `to`, a process or the name of one. */
  startTimer<T>(ms: number, to: Pid<T> | string, message: TimeoutOf<T>): TimerRef
  startTimer(...args: [number, unknown] | [number, Pid<unknown> | string, unknown]): TimerRef {
    const [ms, to, message] = args.length > 2 ? args : [args[0], this, args[1]]
    return this.#startTimer(ms, to as Pid<unknown> | string, ref => ({ type: 'timeout', ref, message }))
  }

  /**
   * Gives the milliseconds that a timer has left; `false` if it has fired or was cancelled. Throws a TypeError unless `ref` is what
   * `sendAfter` or `startTimer` gave. Source: `erlang:read_timer/1`.
   */
  readTimer(ref: TimerRef): number | false {
    checkTimer(ref)
    return readTimer(ref)
  }

  /**
   * Cancels a timer, also one that another process has started, and gives the milliseconds that were left; `false` if it has fired or
   * was cancelled. Throws a TypeError unless `ref` is what `sendAfter` or `startTimer` gave. Source: `erlang:cancel_timer/1`.
   */
  cancelTimer(ref: TimerRef): number | false {
    checkTimer(ref)
    return cancelTimer(ref)
  }

  /** Describes the process for people, in `processInfo` and in reports; `undefined` by default. Source: `proc_lib:get_label/1`. */
  get label(): string | undefined {
    return this.#label
  }

  /** Throws a TypeError unless the label is a string or `undefined`. Source: `proc_lib:set_label/1`. */
  set label(label: string | undefined) {
    if (label !== undefined && typeof label !== 'string')
      throw new TypeError('label must be a string or undefined')
    this.#label = label
  }

  /** Aborts with a `ProcessExit` when the process exits. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (!this.#isAlive) this.#controller.abort(this.#exitError())
    }
    return this.#controller.signal
  }

  /** Resolves to the reason when the process exits, without waiting for the body to return. Never rejects. */
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

  /** Whether the process has not exited yet. Source: `is_process_alive/1`. */
  get isAlive(): boolean {
    return this.#isAlive
  }

  /** How many messages wait in the mailbox. Source: `process_info(Pid, message_queue_len)`. */
  get messageQueueLength(): number {
    return this.#mailbox.length
  }

  /** @internal Calls `listener` once, with the reason, when the process exits; gives `undefined` if it has exited. */
  [onExit](listener: (reason: ExitReason) => void, order: WatchOrder = 'monitor'): (() => void) | undefined {
    return this[watchersOf]()?.add(listener, order)
  }

  /** @internal Gives the watchers of this process; `undefined` if it has exited. */
  [watchersOf](): Watchers | undefined {
    if (!this.#isAlive) return undefined
    this.#watchers ??= new Watchers()
    return this.#watchers
  }

  /** @internal Takes an exit signal, as links and `exit` send them; the function `exit` has no `from`. */
  [exitSignal](from: MonitorTarget | undefined, reason: ExitReason, route: ExitRoute): void {
    if (!this.#isAlive) return
    if (reason === 'kill' && route === 'exit') return this.exit('killed')
    if (this.#trapExit) return this.#mailbox.accept({ type: 'EXIT', from, reason })
    if (reason === 'normal' && !(from === this && route === 'exit')) return
    // A reason that came through a link was reported at its origin.
    if (route !== 'link') this.#report(this, reason)
    this.#end(reason)
  }

  /** Exits `'normal'`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.exit()
    await this.exited
  }

  /** `#Process<12>`; unique within this program. */
  get id(): string {
    return `#Process<${this.process}>`
  }

  /** Gives the id with the name under which the process is registered, or was at its exit: `#Process<12 worker>`. */
  toString(): string {
    return withName(this.id, this)
  }

  /** Gives the id. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  #linksOf(): Links {
    this.#links ??= new Links(this, this.#mailbox)
    return this.#links
  }

  /** @internal Takes a new place among the living. */
  [placed](place: Place): void {
    this.#place = place
  }

  /** @internal Gives the parts that `processInfo` and `trace` look at. */
  [inside](): Inside {
    return {
      mailbox: this.#mailbox,
      links: this.#links?.of,
      monitors: this.#monitors,
      watchers: this.#watchers,
      timers: this.#timers,
      reason: this.#reason,
      stack: this.#stack,
      left: this.#left,
    }
  }

  #begin<C>(body: (self: Process<C>) => unknown, options: ProcessOptions | undefined): Process<C> {
    checkBody(body)
    return new Process<C>(options)
  }

  #monitorsOf(): Monitors {
    this.#monitors ??= new Monitors(this, this.#mailbox)
    return this.#monitors
  }

  #timersOf(): Timers {
    this.#timers ??= new Timers()
    return this.#timers
  }

  #startTimer(ms: number, to: Pid<unknown> | string, make: (ref: TimerRef) => unknown): TimerRef {
    checkDuration('ms', ms, false)
    if (typeof to !== 'string' && typeof to?.send !== 'function') {
      throw new TypeError(
        `to must be a process, the name of one, or another pid, not ${inspect(to, { depth: 0 })}`,
      )
    }
    if (!this.#isAlive) return new TimerRef()
    if (to instanceof Process) {
      return to.isAlive ? to.#timersOf().start(ms, ref => to.send(make(ref))) : new TimerRef()
    }
    return otherTimers.start(ms, ref => sendLate(to, make(ref)))
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
    // The mailbox is about to be emptied, and a report may show what was left.
    if (!isOrderly(reason) && this.#mailbox.length > 0) this.#left = this.#mailbox.show(SHOWN)
    this.#isAlive = false
    this.#reason = reason
    living.remove(this.#place)
    // First, since the lines below may bring about other ends.
    this.#watchers?.announce(reason)
    this.#mailbox.tracer?.tell({ event: 'exit', reason })
    this.#disobey?.()
    this.#timers?.clear()
    this.#monitors?.clear()
    this.#mailbox.close(() => this.#exitError())
    this.#controller?.abort(this.#exitError())
    this.#ended?.resolve(reason)
    tellAll()
  }

  /** Makes the error of receives after the exit when one is needed: it costs more than the rest of an exit. */
  #exitError(): ProcessExit {
    this.#exit ??= new ProcessExit(this.toString(), this.#reason)
    return this.#exit
  }
}

compareByIdentity(Process)
