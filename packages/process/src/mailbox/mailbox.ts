/** Selective receive: a mailbox, and the receives that wait for what is not in it yet. */

import { onAbort } from '../host/abort.js'
import { Timer } from '../host/timer.js'
import { rejected, resolved } from '../host/turns.js'
import { Clause, type Handle } from '../patterns/pattern.js'
import { LEFT_OUT, printShort } from '../patterns/print.js'
import { type ProcessExit, ReceiveTimeout } from './errors.js'
import type { Marks } from './high-water-mark.js'
import { firstMatch, Mailbox } from './message-queue.js'
import { Pressure } from './pressure.js'
import type { Consumer, Feed, Source } from './source.js'
import { handle, Waiter, Waiting } from './waiting.js'

/** What `on` makes: known by its class, so that no pattern can be mistaken for it. */
export class Handler {
  readonly pattern: unknown
  readonly handle: Handle

  constructor(pattern: unknown, handle: Handle) {
    this.pattern = pattern
    this.handle = handle
  }
}

const NO_CLAUSES: readonly Clause[] = []

/**
 * The clauses of the last receive of any process, if they name nothing but primitives: many processes with one body ask for
 * the same, each once.
 */
let sharedClauses = NO_CLAUSES

/** Whether the clauses are those of the patterns. One may be written anew, and one that is the same object may have changed. */
function fit(clauses: readonly Clause[], patterns: readonly unknown[]): boolean {
  if (patterns.length !== clauses.length) return false
  for (let i = 0; i < clauses.length; i++) if (!clauses[i]?.isMadeFrom(patterns[i])) return false
  return true
}

function isFixed(clause: Clause): boolean {
  return clause.isFixed
}

function isLiteral(clause: Clause): boolean {
  return clause.isLiteral
}

function compileClause(element: unknown): Clause {
  return element instanceof Handler ? new Clause(element.pattern, element.handle) : new Clause(element)
}

/** So many patterns are shown to whoever waits in vain. */
const SHOWN = 5

/** A function, as it is costly and mostly in vain. */
function describeMiss(clauses: readonly Clause[], mailbox: () => string): () => string {
  return () => {
    const wanted = clauses.slice(0, SHOWN).map(({ pattern }) => printShort(pattern))
    if (clauses.length > SHOWN) wanted.push(LEFT_OUT)
    return `\n  wanted: ${wanted.join('\n      or: ')}\n  mailbox: ${mailbox()}`
  }
}

/** What ends a receive beside its message and its timeout, and how. */
export interface Limits {
  readonly onTimeout?: () => unknown
  readonly signal?: AbortSignal
}

const NO_LIMITS: Limits = {}

/** Ends a receive that has a value for its timeout. */
const EXPIRED = Symbol('expired')

function ignore(): void {}

/** So many receives of a process that has exited are rejected in the next turn of the event loop. */
const PROMPT_REFUSALS = 64
/** In milliseconds: how long one of those behind them waits at most. */
const LONGEST_REFUSAL = 1000

/** The mailbox of one process with the receives that wait on it. */
export class Inbox implements Consumer {
  /** Made when the first message has to wait. */
  #mailbox: Mailbox | undefined
  readonly #marks: Marks
  readonly #waiting = new Waiting()
  /**
   * The clauses of the last receive, for the next one that asks for the same, if they only compare by identity. A loop that
   * drains a mailbox asks for the same each time, mostly with a literal written anew.
   */
  #clauses = NO_CLAUSES
  #pressure: Pressure | undefined
  /** More than 0 while guards run: what they send is put off, so that it comes after the message being tried. */
  #matching = 0
  #putOff: (() => void)[] | undefined
  #catchingUp = false
  /** Gives the error of what is asked after the end. Made when it is asked for: an error costs more than the end does. */
  #closed: (() => ProcessExit) | undefined
  /** How many receives were asked for after the end. */
  #refusals = 0

  constructor(marks: Marks) {
    this.#marks = marks
  }

  get length(): number {
    return this.#mailbox?.length ?? 0
  }

  /** Whether guards are running: what reaches the process meanwhile has to be put off. */
  get isMatching(): boolean {
    return this.#matching > 0
  }

  /** Calls `run` once the guards that are running have run; never if the process exits first. */
  putOff(run: () => void): void {
    this.#putOff ??= []
    this.#putOff.push(run)
  }

  accept(message: unknown, bytes = 0, feed?: Feed): void {
    if (this.#closed !== undefined) return
    if (this.isMatching) return this.putOff(() => this.accept(message, bytes, feed))
    const taken = this.#waiting.first !== undefined && this.#offer(message)
    if (!taken && this.#closed === undefined) {
      this.#mailboxOf().push(message, bytes, feed)
      if (feed !== undefined) this.#pressure?.delivered()
    }
    this.#catchUp()
  }

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
      const taken = this.#mailbox?.take(clauses, clauses === this.#clauses)
      if (taken === undefined) return this.#miss(clauses, timeout, onTimeout, signal)
      this.#pressure?.taken()
      return taken.clause.handle === undefined ? resolved(taken.message) : resolved(taken).then(handle)
    } catch (error) {
      return rejected(error)
    } finally {
      // Not before the receive waits, if it has to: what its guards have sent is a new arrival for it.
      this.#matched()
    }
  }

  flush(patterns: readonly unknown[]): number {
    const clauses = patterns.map(compileClause)
    this.#matching++
    try {
      return this.#mailbox?.flush(clauses) ?? 0
    } finally {
      this.#pressure?.taken()
      this.#matched()
    }
  }

  /** Rejects what waits and what will be asked; messages are gone. */
  close(exit: () => ProcessExit): void {
    this.#closed = exit
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.first) {
      waiter.outcome.catch(ignore)
      this.#giveUp(waiter, exit())
    }
    this.#mailbox?.clear()
    this.#clauses = NO_CLAUSES
    this.#putOff = undefined
    this.#pressure?.clear()
    this.#pressure = undefined
  }

  feed(source: Source): Feed | undefined {
    if (this.#closed !== undefined) return undefined
    this.#pressure ??= new Pressure(this, this.#mailboxOf(), this.#waiting, this.#marks)
    return this.#pressure.feed(source)
  }

  isWaitingFor(source: Source): boolean {
    return this.#pressure?.isWaitingFor(source) ?? false
  }

  assess(): void {
    this.#pressure?.assess()
  }

  forget(source: Source): void {
    this.#pressure?.forget(source)
  }

  /**
   * Rejects not before the next turn of the event loop, so that a body that catches everything and receives again keeps
   * nobody from running. One that never stops gets slower, until it costs nothing, and does not keep the program alive.
   */
  #refuse(reason: ProcessExit): Promise<never> {
    const delay = Math.min(this.#refusals++ - PROMPT_REFUSALS, LONGEST_REFUSAL)
    const refused = new Promise<never>((_, reject) => {
      if (delay < 0) setImmediate(reject, reason)
      else setTimeout(reject, delay, reason).unref()
    })
    // An exit is intended: a receive that nobody awaits any more must not become an unhandled rejection.
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
    return new ReceiveTimeout(timeout, describeMiss(clauses, this.#mailboxOf().snapshot()))
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
      // An error is made only when it is needed: it costs as much as the rest of a receive.
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

  /** Gives a new message to the earliest receive that takes it. */
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
        // A guard may have ended the very receive that it belongs to.
        if (clause === undefined || !this.#waiting.remove(waiter)) continue
        waiter.resolve(message, clause)
        return true
      }
      return false
    } finally {
      this.#matching--
    }
  }

  #mailboxOf(): Mailbox {
    this.#mailbox ??= new Mailbox()
    return this.#mailbox
  }

  #compile(patterns: readonly unknown[]): readonly Clause[] {
    if (fit(this.#clauses, patterns)) return this.#clauses
    if (fit(sharedClauses, patterns)) {
      this.#clauses = sharedClauses
      return sharedClauses
    }
    const clauses = patterns.map(compileClause)
    this.#clauses = clauses.every(isFixed) ? clauses : NO_CLAUSES
    if (this.#clauses === clauses && clauses.every(isLiteral)) sharedClauses = clauses
    return clauses
  }

  /** After patterns were tried on what waits. */
  #matched(): void {
    this.#matching--
    // Whom it asked for once, a process that has nothing left to drain must not keep alive.
    if (this.length === 0 && !this.#clauses.every(isLiteral)) this.#clauses = NO_CLAUSES
    this.#catchUp()
  }

  /** Accepts what guards have sent while they ran. */
  #catchUp(): void {
    if (this.#putOff === undefined || this.#matching > 0 || this.#catchingUp) return
    this.#catchingUp = true
    try {
      // The list grows while what was put off makes guards send more; the end of the process takes it away.
      for (const run of this.#putOff) run()
    } finally {
      this.#putOff = undefined
      this.#catchingUp = false
    }
  }
}
