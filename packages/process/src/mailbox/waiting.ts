/** The receives that wait, the earliest first. Any may leave, and others may join, while they are walked. */

import type { Timer } from '../host/timer.js'
import { settle } from '../host/turns.js'
import type { Clause } from '../patterns/pattern.js'
import type { Taken } from './message-queue.js'

/** A receive that waits. Made often, and native private fields are slow to make: hence `private`. */
export class Waiter {
  /** Keeps V8 from forgetting the shape, as `Envelope.kept` does. */
  static readonly kept = new Waiter([])

  readonly clauses: readonly Clause[]
  /** What the caller of receive holds. */
  outcome: Promise<unknown>
  timer: Timer | undefined = undefined
  unlisten: (() => void) | undefined = undefined
  isWaiting = true
  /** The one before it in the list of those that wait; of one that has left, the one that was then. */
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

  resolve(message: unknown, clause: Clause): void {
    this.release()
    settle(this.settle, this.handled ? { message, clause } : message)
  }

  reject(reason: unknown): void {
    this.release()
    this.fail(reason)
  }

  private release(): void {
    this.timer?.cancel()
    this.unlisten?.()
  }
}

function hasHandler(clause: Clause): boolean {
  return clause.handle !== undefined
}

/** Runs the handler in the receiver's own continuation. */
export function handle(taken: unknown): unknown {
  const { message, clause } = taken as Taken
  return clause.handle === undefined ? message : clause.handle(message as never)
}

/** A list rather than a `Set`, which costs more than all the rest of a receive that waits. */
export class Waiting {
  first: Waiter | undefined = undefined
  private last: Waiter | undefined = undefined

  add(waiter: Waiter): void {
    waiter.previous = this.last
    if (this.last === undefined) this.first = waiter
    else this.last.next = waiter
    this.last = waiter
  }

  /** `false`: it had left already. */
  remove(waiter: Waiter): boolean {
    if (!waiter.isWaiting) return false
    const { previous, next } = waiter
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    waiter.isWaiting = false
    // The tie would keep later receives alive.
    waiter.next = undefined
    return true
  }

  /** The one after `waiter`, which may have left meanwhile: then the one after the last before it that has not. */
  after(waiter: Waiter): Waiter | undefined {
    let before: Waiter | undefined = waiter
    while (before !== undefined && !before.isWaiting) before = before.previous
    return before === undefined ? this.first : before.next
  }
}
