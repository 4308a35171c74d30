/** Receives wait in the order of their calls; any may leave, and others may join, while a walk is under way. */

import { coarseClock } from '../host/coarse-clock.js'
import type { Timer } from '../host/timer.js'
import { settle } from '../host/turns.js'
import type { Clause } from '../patterns/pattern.js'
import { printShort } from '../patterns/print.js'
import type { Taken } from './message-queue.js'

/** A receive that waits. */
export class Waiter {
  // `private` rather than `#`: native private fields make an object slow to create.
  /** Keeps one instance alive, for the reason that `Envelope.kept` gives. */
  static readonly kept = new Waiter([])

  readonly clauses: readonly Clause[]
  /** The promise that the caller of `receive` holds. */
  outcome: Promise<unknown>
  timer: Timer | undefined = undefined
  /** Takes its listener from the signal. */
  unlisten: (() => void) | undefined = undefined
  isWaiting = true
  /** When the wait began, by the coarse clock. */
  readonly since = coarseClock.second
  /** The call that waits; `undefined` for a receive. */
  subject: { describe(): string } | undefined = undefined
  /** The waiter before this one; after it has left, the one that was before it at that time. */
  previous: Waiter | undefined = undefined
  next: Waiter | undefined = undefined
  private readonly handled: boolean
  private settle!: (taken: unknown) => void
  private fail!: (reason: unknown) => void

  constructor(clauses: readonly Clause[]) {
    this.clauses = clauses
    this.handled = clauses.some(hasHandler)
    const taken = new Promise<unknown>((resolve, reject) => {
      this.settle = resolve
      this.fail = reject
    })
    this.outcome = this.handled ? taken.then(handle) : taken
  }

  /** Shows what is waited for. */
  describe(): string[] {
    return this.subject === undefined
      ? this.clauses.map(({ pattern }) => printShort(pattern))
      : [this.subject.describe()]
  }

  resolve(message: unknown, clause?: Clause): void {
    this.release()
    settle(this.settle, this.handled ? { message, clause } : message)
  }

  reject(reason: unknown): void {
    this.release()
    this.fail(reason)
  }

  /** Lets go of what would end the wait. */
  release(): void {
    this.timer?.cancel()
    this.unlisten?.()
  }
}

function hasHandler(clause: Clause): boolean {
  return clause.handle !== undefined
}

/** Gives the result of the handler, which runs in the continuation of the receiver. */
export function handle(taken: unknown): unknown {
  const { message, clause } = taken as Taken
  return clause.handle === undefined ? message : clause.handle(message as never)
}

/** A doubly linked list of waiters: a `Set` costs more than the rest of a receive that waits. */
export class Waiting {
  first: Waiter | undefined = undefined
  private last: Waiter | undefined = undefined

  add(waiter: Waiter): void {
    waiter.previous = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.next = waiter
    this.last = waiter
  }

  /** Removes `waiter`, and says whether it was still there. */
  remove(waiter: Waiter): boolean {
    if (!waiter.isWaiting) return false
    const { previous, next } = waiter
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    waiter.isWaiting = false
    // The tie would keep later waiters alive.
    waiter.next = undefined
    return true
  }

  /**
   * Gives the waiter after `waiter`. If that one has left meanwhile, gives the waiter after the nearest one before it that
   * has not.
   */
  after(waiter: Waiter): Waiter | undefined {
    let before: Waiter | undefined = waiter
    while (before !== undefined && !before.isWaiting) before = before.previous
    return before === undefined ? this.first : before.next
  }
}
