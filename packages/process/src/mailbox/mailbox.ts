/** A mailbox gives each message to the earliest waiting receive that matches, and keeps it for a later one otherwise. */

import { onAbort } from '../host/abort.js'
import { coarseClock } from '../host/coarse-clock.js'
import { nodesImmediate, nodesTimeout } from '../host/nodes-clock.js'
import { Timer } from '../host/timer.js'
import { rejected, resolved } from '../host/turns.js'
import { areLiteral, compileClause, compileClauses, keep } from '../patterns/clauses.js'
import type { Clause } from '../patterns/pattern.js'
import { describeMiss, type ProcessExit, ReceiveTimeout } from './errors.js'
import type { Mark, Marks } from './high-water-mark.js'
import { common, type Listening } from './listening.js'
import { firstMatch, MessageQueue, type Taken } from './message-queue.js'
import { Pressure } from './pressure.js'
import type { Feed, Sink, Source } from './source.js'
import { handle, Waiter, Waiting } from './waiting.js'

/** The ways in which a receive can end beside its message and an error. */
export interface Limits {
  readonly onTimeout?: () => unknown
  readonly signal?: AbortSignal
}

/** The patterns and the timeout with which a receive or a call waits. */
export interface Wait {
  /** The patterns, each in one line. A call has the request whose reply it waits for. */
  readonly patterns: readonly string[]
  /** The milliseconds until the receive gives up; `Infinity` if it never does. */
  readonly timeout: number
  /**
   * When the wait began, in milliseconds since 1970 and to the second; `undefined` if no observer ran then: without one nobody looks at a
   * clock.
   */
  readonly since: number | undefined
}

const NO_LIMITS: Limits = {}

/** Ends a receive that has `onTimeout`. */
const EXPIRED = Symbol('expired')

function ignore(): void {}

/** How many receives of a process that has exited are rejected in the next turn of the event loop; later ones take longer. */
const PROMPT_REFUSALS = 64
/** The longest time in milliseconds that a receive of a process that has exited waits to be rejected. */
const LONGEST_REFUSAL = 1000

/** The mailbox of one process: the messages, and the receives that wait for others. */
export class Mailbox implements Sink {
  /** Set while somebody traces the process, counts messages, or measures how long they wait. */
  tracer: Listening | undefined
  /** Made when the first message has to wait. */
  #queue: MessageQueue | undefined
  readonly #marks: Marks
  readonly #waiting = new Waiting()
  /** The clauses of the last receive, if they can be used again: a loop that drains a mailbox asks for the same each time. */
  #clauses: readonly Clause[] | undefined
  /** Made when the first source is attached. */
  #pressure: Pressure | undefined
  /** How many calls that run guards are under way. The guards' messages are put off until behind the message being tried. */
  #matching = 0
  #putOff: (() => void)[] | undefined
  #catchingUp = false
  /** Set once the process has exited: makes the error of a receive. An error costs more than the rest of an exit. */
  #closed: (() => ProcessExit) | undefined
  /** How many receives were called after the exit. */
  #refusals = 0
  /** The aliases that other nodes know. */
  #kept: Set<object> | undefined

  /** Makes the mailbox of `owner`. */
  constructor(marks: Marks, owner: object) {
    this.#marks = marks
    this.tracer = common.listenerOf?.(owner)
  }

  /** How many messages wait. */
  get length(): number {
    return this.#queue?.length ?? 0
  }

  /** Whether guards are running, so that messages and signals have to be put off. */
  get isMatching(): boolean {
    return this.#matching > 0
  }

  /** Calls `run` after the guards that are running; never if the process exits first. */
  putOff(run: () => void): void {
    this.#putOff ??= []
    this.#putOff.push(run)
  }

  accept(message: unknown, bytes = 0, feed?: Feed): void {
    if (this.#closed !== undefined) return
    if (this.isMatching) return this.putOff(() => this.accept(message, bytes, feed))
    const { tracer } = this
    tracer?.sent(message)
    const isTaken = this.#waiting.first !== undefined && this.#offer(message)
    if (!isTaken && this.#closed === undefined) {
      const queue = this.#queueOf()
      queue.push(message, bytes, feed)
      tracer?.queued(queue)
      if (feed !== undefined) this.#pressure?.delivered()
    }
    this.#catchUp()
  }

  /** Receives as `Process.receive` says. `timeout` is in milliseconds. */
  receive(
    patterns: readonly unknown[],
    timeout: number,
    { onTimeout, signal }: Limits = NO_LIMITS,
  ): Promise<unknown> {
    if (this.#closed !== undefined) return this.#refuse(this.#closed())
    if (signal?.aborted) return rejected(signal.reason)
    const clauses = this.#compile(patterns)
    this.#matching++
    try {
      const taken = this.#queue?.take(clauses, clauses === this.#clauses)
      if (taken === undefined) return this.#miss(clauses, timeout, onTimeout, signal)
      this.#pressure?.taken()
      this.tracer?.received(taken.message)
      return taken.clause.handle === undefined ? resolved(taken.message) : resolved(taken).then(handle)
    } catch (error) {
      return rejected(error)
    } finally {
      // Behind `#miss`, so that a message of one of its guards reaches this receive as a new arrival.
      this.#matched()
    }
  }

  /** Takes the oldest message that waits and matches any of the patterns; `undefined`: there is none. A guard may throw. */
  take(patterns: readonly unknown[]): Taken | undefined {
    if (this.length === 0) return undefined
    const clauses = this.#compile(patterns)
    this.#matching++
    try {
      const taken = this.#queue?.take(clauses, clauses === this.#clauses)
      if (taken === undefined) return undefined
      this.#pressure?.taken()
      this.tracer?.received(taken.message)
      return taken
    } finally {
      this.#matched()
    }
  }

  /** Drops the messages that match any pattern, and gives their number. */
  flush(patterns: readonly unknown[]): number {
    const clauses = patterns.map(compileClause)
    this.#matching++
    try {
      const messages = this.#queue?.flush(clauses) ?? 0
      if (messages > 0) this.tracer?.tell({ event: 'flush', messages })
      return messages
    } finally {
      this.#pressure?.taken()
      this.#matched()
    }
  }

  /** Drops all messages, rejects the receives that wait, and rejects later ones. `exit` makes the error. */
  close(exit: () => ProcessExit): void {
    this.#closed = exit
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.first) {
      waiter.outcome.catch(ignore)
      this.#giveUp(waiter, exit())
    }
    this.#queue?.clear()
    this.#clauses = undefined
    this.#putOff = undefined
    this.#kept = undefined
    this.#pressure?.clear()
    this.#pressure = undefined
  }

  /** Keeps `alias` alive until `letGo`, or until the process exits. */
  keep(alias: object): void {
    if (this.#closed !== undefined) return
    this.#kept ??= new Set()
    this.#kept.add(alias)
  }

  letGo(alias: object): void {
    this.#kept?.delete(alias)
  }

  /** Has `waiter`, whose answer does not come through the mailbox, wait among the receives. */
  expect(waiter: Waiter): void {
    this.#waiting.add(waiter)
    this.#pressure?.waiting()
  }

  /** Takes `waiter` from among the receives that wait, and says whether it was there. */
  leave(waiter: Waiter): boolean {
    return this.#waiting.remove(waiter)
  }

  /** The earliest receive or call that waits. */
  get firstWaiter(): Waiter | undefined {
    return this.#waiting.first
  }

  /** How much may wait before sources are paused. */
  get mark(): Mark {
    return this.#marks.first
  }

  /** Whether more waits than the mark says. */
  get isOverMark(): boolean {
    return this.#queue?.exceeds(this.#marks.first) ?? false
  }

  /** The waits of the receives and calls, the earliest first. */
  get waits(): Wait[] {
    const waits: Wait[] = []
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = waiter.next) {
      const { since, timer } = waiter
      const timeout = timer?.left ?? Number.POSITIVE_INFINITY
      waits.push({ patterns: waiter.describe(), timeout, since: coarseClock.timeOf(since) })
    }
    return waits
  }

  /** How many bytes the waiting messages hold, as the sources count them. */
  get bytes(): number {
    return this.#queue?.bytes ?? 0
  }

  /** The number of messages that waited before the oldest of those that wait now did; `undefined`: none waits. */
  get oldest(): number | undefined {
    return this.#queue?.first?.order
  }

  /** Shows the oldest `most` of the messages that wait. */
  show(most: number): string[] {
    return this.#queue?.show(most) ?? []
  }

  /** The sources that are paused since too much waits here. */
  get paused(): Source[] {
    return this.#pressure?.paused ?? []
  }

  attach(source: Source): Feed | undefined {
    if (this.#closed !== undefined) return undefined
    this.#pressure ??= new Pressure(this, this.#queueOf(), this.#waiting, this.#marks)
    return this.#pressure.attach(source)
  }

  detach(source: Source): void {
    this.#pressure?.detach(source)
  }

  wants(source: Source): boolean {
    return this.#pressure?.wants(source) ?? false
  }

  checkMark(): boolean {
    return this.#pressure?.checkMark() ?? false
  }

  /**
   * Rejects with `reason` in the next turn of the event loop at the earliest, so that a body which catches every error and
   * receives again does not block the program. The more often it does so, the longer each receive takes, and none of them
   * keeps the program alive.
   */
  #refuse(reason: ProcessExit): Promise<never> {
    const delay = Math.min(this.#refusals++ - PROMPT_REFUSALS, LONGEST_REFUSAL)
    const refused = new Promise<never>((_, reject) => {
      if (delay < 0) nodesImmediate(reject, reason)
      else nodesTimeout(reject, delay, reason).unref()
    })
    // An exit is intended, so a receive that nobody awaits must not become an unhandled rejection.
    refused.catch(ignore)
    return refused
  }

  #miss(
    clauses: readonly Clause[],
    timeout: number,
    onTimeout: (() => unknown) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    // A guard may have ended the process, or aborted the signal.
    if (this.#closed !== undefined) return this.#refuse(this.#closed())
    if (signal?.aborted) return rejected(signal.reason)
    return timeout === 0 ? this.#expire(clauses, onTimeout) : this.#wait(clauses, timeout, onTimeout, signal)
  }

  async #expire(clauses: readonly Clause[], onTimeout: (() => unknown) | undefined): Promise<unknown> {
    await resolved(undefined)
    if (onTimeout === undefined) throw this.#expired(0, clauses)
    return onTimeout()
  }

  #expired(timeout: number, clauses: readonly Clause[]): ReceiveTimeout {
    return new ReceiveTimeout(timeout, describeMiss(clauses, this.#queueOf().snapshot()))
  }

  #wait(
    clauses: readonly Clause[],
    timeout: number,
    onTimeout: (() => unknown) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const waiter = new Waiter(clauses)
    this.#waiting.add(waiter)
    if (timeout !== Number.POSITIVE_INFINITY) {
      // The error is made in time only, since it costs as much as the rest of a receive.
      const expired = onTimeout === undefined ? () => this.#expired(timeout, clauses) : () => EXPIRED
      waiter.timer = new Timer(timeout, () => this.#giveUp(waiter, expired()))
      if (onTimeout !== undefined) {
        waiter.outcome = waiter.outcome.catch(error => {
          if (error !== EXPIRED) throw error
          return onTimeout()
        })
      }
    }
    if (signal !== undefined) waiter.unlisten = onAbort(signal, () => this.#giveUp(waiter, signal.reason))
    this.#pressure?.waiting()
    return waiter.outcome
  }

  #giveUp(waiter: Waiter, reason: unknown): void {
    this.#waiting.remove(waiter)
    waiter.reject(reason)
  }

  /** Gives a new message to the earliest receive that matches, and says whether there was one. */
  #offer(message: unknown): boolean {
    this.#matching++
    try {
      for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.after(waiter)) {
        let clause: Clause | undefined
        try {
          clause = firstMatch(waiter.clauses, message)
        } catch (error) {
          this.#giveUp(waiter, error)
          continue
        }
        // A guard may have ended its own receive.
        if (clause === undefined || !this.#waiting.remove(waiter)) continue
        this.tracer?.handed(message)
        waiter.resolve(message, clause)
        return true
      }
      return false
    } finally {
      this.#matching--
    }
  }

  #queueOf(): MessageQueue {
    this.#queue ??= new MessageQueue()
    return this.#queue
  }

  #compile(patterns: readonly unknown[]): readonly Clause[] {
    const clauses = compileClauses(patterns, this.#clauses)
    if (clauses !== this.#clauses) this.#clauses = keep(clauses)
    return clauses
  }

  /** To be called after patterns were tried on the messages that wait. */
  #matched(): void {
    this.#matching--
    // A process with nothing left to drain must not keep alive the references that it once asked for.
    const clauses = this.#clauses
    if (clauses !== undefined && this.length === 0 && !areLiteral(clauses)) this.#clauses = undefined
    this.#catchUp()
  }

  /** Runs what was put off while guards ran. */
  #catchUp(): void {
    if (this.#putOff === undefined || this.#matching > 0 || this.#catchingUp) return
    this.#catchingUp = true
    try {
      // The list grows while guards send more; the exit of the process takes it away.
      for (const run of this.#putOff) run()
    } finally {
      this.#putOff = undefined
      this.#catchingUp = false
    }
  }
}
