/** The callers that wait for something free, first come, first served: a queue of p-queue whose places can be given up. */

import PQueue from 'p-queue'
import type { GunError } from '../errors.js'
import { Deadline } from '../transport/deadline.js'

type Job = () => Promise<unknown>

/**
 * A caller that waits for something free. Exactly one of the methods is called, and only once, unless the place is given up. The
 * fields belong to the queue.
 */
export abstract class Waiter<T> {
  /** @internal */
  job: Job | undefined
  /** @internal */
  deadline: Deadline | undefined
  /** @internal */
  before: Waiter<T> | undefined
  /** @internal */
  after: Waiter<T> | undefined

  /** Takes the thing that is free. */
  abstract take(free: T): void
  /** Takes the reason why there is nothing to take. */
  abstract fail(reason: GunError): void
}

/**
 * The queue class of p-queue's, which is a linked list: a place in the middle is given up in constant time. A `Map` would do as
 * well, but its tables, of which the old ones refer to the new, outlive many collections.
 */
class Book<T> {
  #first: Waiter<T> | undefined
  #last: Waiter<T> | undefined
  size = 0

  /** Adds a place. Nobody waits for the end of its job, which is done when it returns. */
  add(waiter: Waiter<T>, run: () => void): void {
    waiter.job = run as () => Promise<never>
    waiter.before = this.#last
    if (this.#last === undefined) this.#first = waiter
    else this.#last.after = waiter
    this.#last = waiter
    this.size++
  }

  /** Is for `add` of p-queue, whose promise for each job nobody needs. */
  enqueue(): never {
    throw new Error('a place is added to the book itself')
  }

  dequeue(): Job | undefined {
    const job = this.#first?.job
    if (this.#first !== undefined) this.giveUp(this.#first)
    return job
  }

  /** Gives all jobs, since none has a priority. */
  filter(): Job[] {
    const jobs: Job[] = []
    for (let each = this.#first; each?.job !== undefined; each = each.after) jobs.push(each.job)
    return jobs
  }

  /** Does nothing, since the queue is fair. */
  setPriority(): void {}

  /** Gives up a place. Returns whether there was one. */
  giveUp(waiter: Waiter<T>): boolean {
    if (waiter.job === undefined) return false
    const { before, after } = waiter
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    waiter.deadline?.clear()
    waiter.deadline = undefined
    waiter.job = undefined
    waiter.before = undefined
    waiter.after = undefined
    this.size--
    return true
  }

  /** Gives up all places, and returns their waiters in order. */
  takeAll(): Waiter<T>[] {
    const waiters: Waiter<T>[] = []
    for (let first = this.#first; first !== undefined; first = this.#first) {
      this.giveUp(first)
      waiters.push(first)
    }
    return waiters
  }
}

export class Waiting<T> {
  readonly #free: () => T | undefined
  // Made when somebody waits: most pools have room.
  #queue: PQueue<Book<T>> | undefined
  #book: Book<T> | undefined
  #isServing = false

  /** `free` gives what is next, without taking it; `undefined`: nothing is free. */
  constructor(free: () => T | undefined) {
    this.#free = free
  }

  get size(): number {
    return this.#book === undefined ? 0 : this.#book.size
  }

  /** Puts a waiter behind the others. `late` makes the error with which the waiter fails after `timeout` milliseconds. */
  add(waiter: Waiter<T>, timeout: number, late: () => GunError): void {
    this.#queue ??= this.#makeQueue()
    if (Number.isFinite(timeout)) {
      waiter.deadline = new Deadline(timeout, () => {
        if (this.remove(waiter)) waiter.fail(late())
      })
    }
    this.#book?.add(waiter, () => this.#take(waiter))
  }

  /** Gives what is free to the waiters, in their order. */
  serve(): void {
    // A waiter that is served may call this method again, as its connection settles.
    if (this.#isServing || this.size === 0 || this.#free() === undefined) return
    this.#isServing = true
    try {
      this.#queue?.start()
    } finally {
      this.#queue?.pause()
      this.#isServing = false
    }
  }

  /** Gives up a place. Returns whether there was one. */
  remove(waiter: Waiter<T>): boolean {
    return this.#book?.giveUp(waiter) ?? false
  }

  /** Tells all waiters of this moment why they wait in vain. */
  fail(reason: GunError): void {
    for (const waiter of this.#book?.takeAll() ?? []) waiter.fail(reason)
  }

  #take(waiter: Waiter<T>): void {
    const free = this.#free()
    if (free === undefined) throw new Error('the queue goes on only while something is free')
    waiter.take(free)
    // The round ends when nothing is free any more, as the next waiter would get nothing.
    if (this.#free() === undefined) this.#queue?.pause()
  }

  #makeQueue(): PQueue<Book<T>> {
    const keep = (book: Book<T>) => {
      this.#book = book
    }
    // p-queue makes its queue by itself.
    class Kept extends Book<T> {
      constructor() {
        super()
        keep(this)
      }
    }
    return new PQueue({ autoStart: false, queueClass: Kept })
  }
}
