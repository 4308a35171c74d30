/** A process stands between the owner of a stream and its tasks, so that nothing of them reaches the owner's mailbox. */

import {
  type Call,
  type Down,
  type Exit,
  type ExitReason,
  type From,
  P,
  type Process,
  reply,
  type Timeout,
  type TimerRef,
} from '@holster/process'
import { reportRejection } from '@holster/process/internal'
import { endQuietly, type Outcome, startTask, type Task, type TaskReply } from './handle.js'
import { TaskError } from './task-error.js'

/** The work of a stream. */
export interface Job<Item, T> {
  readonly items: Iterable<Item> | AsyncIterable<Item>
  readonly run: (item: Item, self: Process) => T | PromiseLike<T>
  /** Whether a crash of a task ends the owner. */
  readonly isLinked: boolean
  readonly maxConcurrency: number
  readonly ordered: boolean
  readonly timeout: number
  readonly onTimeout: 'exit' | 'kill_task'
}

/** The answer to whoever asks for a result. */
export type Step<T> =
  | { readonly type: 'result'; readonly result: Outcome<T> }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: unknown }

/** An item that has come, or the end of the items, or the error in its place. */
type Pulled<Item> =
  | { readonly type: 'item'; readonly result: IteratorResult<Item, unknown> }
  | { readonly type: 'broken'; readonly error: unknown }

/** The messages to the process in between. */
export type StreamerMessage<Item, T> = Call<'next' | 'stop', Step<T>> | TaskReply<T> | Timeout | Pulled<Item>

/** A task whose result was not given yet. */
interface Run<T> {
  readonly task: Task<T>
  readonly timer: TimerRef | undefined
  reply: readonly ['ok', T] | undefined
  isLate: boolean
  outcome: Outcome<T> | undefined
}

/** Starts the process that runs a stream of `owner`, to which it is linked. */
export function startStreamer<Item, T>(owner: Process, job: Job<Item, T>): Process<StreamerMessage<Item, T>> {
  const { items } = job
  const isAsync = Symbol.asyncIterator in Object(items)
  // Here, so that the owner gets the error of items that cannot be iterated.
  const iterator = isAsync
    ? (items as AsyncIterable<Item>)[Symbol.asyncIterator]()
    : (items as Iterable<Item>)[Symbol.iterator]()
  return owner.spawnLink<StreamerMessage<Item, T>>(
    self => new Streamer(self, owner, job, iterator, isAsync).run(),
    { trapExit: true },
  )
}

class Streamer<Item, T> {
  readonly #self: Process<StreamerMessage<Item, T>>
  readonly #owner: Process
  readonly #job: Job<Item, T>
  readonly #items: Iterator<Item, unknown> | AsyncIterator<Item, unknown>
  readonly #isAsync: boolean
  /** The callers that ask for a result, the first one first. */
  readonly #asking: From<Step<T>>[] = []
  /** The tasks whose results were not given, in the order of their items. */
  readonly #runs = new Map<unknown, Run<T>>()
  /** The tasks among these that have ended, in the order of their ends. */
  readonly #ended: Run<T>[] = []
  readonly #timers = new Map<unknown, Run<T>>()
  #isPulling = false
  #isExhausted = false
  #failure: { readonly error: unknown } | undefined

  constructor(
    self: Process<StreamerMessage<Item, T>>,
    owner: Process,
    job: Job<Item, T>,
    items: Iterator<Item, unknown> | AsyncIterator<Item, unknown>,
    isAsync: boolean,
  ) {
    this.#self = self
    this.#owner = owner
    this.#job = job
    this.#items = items
    this.#isAsync = isAsync
    self.label = 'stream of tasks'
  }

  async run(): Promise<void> {
    while (this.#self.isAlive) await this.#take(await this.#self.receive([P._]))
  }

  async #take(message: StreamerMessage<Item, T> | Down | Exit): Promise<void> {
    switch (message.type) {
      case 'call':
        if (message.request === 'stop') return this.#stop(message.from)
        this.#asking.push(message.from)
        return this.#advance()
      case 'item':
        this.#isPulling = false
        this.#begin(message.result)
        return this.#advance()
      case 'broken':
        return this.#break(message.error)
      case 'task_reply': {
        const run = this.#runs.get(message.ref)
        if (run !== undefined) run.reply = ['ok', message.value]
        return
      }
      case 'timeout': {
        const run = this.#timers.get(message.ref)
        if (run === undefined) return
        run.isLate = true
        return endQuietly(run.task.pid, 'killed')
      }
      case 'DOWN':
        return this.#down(message)
      case 'EXIT':
        // The end of a task is told by its monitor; that of the owner comes through the link, whatever its reason.
        return message.from === this.#owner ? this.#abandon() : undefined
    }
  }

  /** Gives results to those who ask, and begins tasks for those who are left. */
  #advance(): void {
    if (this.#failure !== undefined) return this.#fail(this.#failure.error)
    for (let run = this.#ready(); run !== undefined && this.#asking.length > 0; run = this.#ready()) {
      this.#runs.delete(run.task.ref)
      this.#ended.splice(this.#ended.indexOf(run), 1)
      this.#answer({ type: 'result', result: run.outcome as Outcome<T> })
    }
    const { maxConcurrency } = this.#job
    while (this.#asking.length > 0 && this.#runs.size < maxConcurrency && this.#isPullable) this.#pull()
    if (this.#isExhausted && this.#runs.size === 0)
      while (this.#asking.length > 0) this.#answer({ type: 'done' })
  }

  get #isPullable(): boolean {
    return !this.#isPulling && !this.#isExhausted
  }

  /** Gives the task whose result is the next to be given; `undefined` if there is none yet. */
  #ready(): Run<T> | undefined {
    if (!this.#job.ordered) return this.#ended[0]
    for (const run of this.#runs.values()) return run.outcome === undefined ? undefined : run
    return undefined
  }

  #pull(): void {
    try {
      const result = this.#items.next()
      if (!this.#isAsync) return this.#begin(result as IteratorResult<Item, unknown>)
      this.#isPulling = true
      Promise.resolve(result).then(
        result => this.#self.send({ type: 'item', result }),
        error => this.#self.send({ type: 'broken', error }),
      )
    } catch (error) {
      this.#break(error)
    }
  }

  #begin(result: IteratorResult<Item, unknown>): void {
    if (result.done === true) {
      this.#isExhausted = true
      return
    }
    const { value } = result
    const { run: fn, timeout } = this.#job
    const task = startTask(this.#self, self => fn(value, self), true) as Task<T>
    const timer = timeout === Number.POSITIVE_INFINITY ? undefined : this.#startTimer(timeout)
    const run: Run<T> = { task, timer, reply: undefined, isLate: false, outcome: undefined }
    this.#runs.set(task.ref, run)
    if (timer !== undefined) this.#timers.set(timer, run)
  }

  #startTimer(timeout: number): TimerRef {
    return (this.#self as unknown as Process).startTimer(timeout, undefined)
  }

  #down({ ref, reason }: Down): void {
    const run = this.#runs.get(ref)
    if (run === undefined) return
    this.#forgetTimer(run)
    const { timeout, onTimeout, isLinked } = this.#job
    if (run.reply === undefined && run.isLate && onTimeout === 'exit') {
      return this.#fail(new TaskError(run.task.pid, 'timeout', timeout))
    }
    const isCrash = run.reply === undefined && !run.isLate && reason !== 'normal'
    if (isCrash && isLinked && !this.#owner.trapExit) return this.#crash(reason)
    run.outcome = run.reply ?? ['exit', run.isLate ? 'timeout' : reason]
    this.#ended.push(run)
    this.#advance()
  }

  #forgetTimer(run: Run<T>): void {
    if (run.timer === undefined) return
    this.#timers.delete(run.timer)
    this.#self.cancelTimer(run.timer)
  }

  #answer(step: Step<T>): void {
    const from = this.#asking.shift()
    if (from !== undefined) reply(from, step)
    if (step.type !== 'result' && this.#asking.length === 0) this.#finish()
  }

  /** Exits, before the owner goes on. An owner that traps exits need not hear of this end. */
  #finish(): void {
    this.#self.unlink(this.#owner)
    this.#self.exit()
  }

  /** Ends the stream with an error of the items, which have nothing more to close. */
  #break(error: unknown): void {
    this.#isExhausted = true
    this.#fail(error)
  }

  /** Ends all tasks, and gives the error to the first who asks. */
  #fail(error: unknown): void {
    this.#closeAll()
    this.#failure = { error }
    if (this.#asking.length > 0) this.#answer({ type: 'failed', error })
    while (this.#asking.length > 0) this.#answer({ type: 'done' })
  }

  /** Ends the owner through the link, as the task would have done, which has reported its reason. */
  #crash(reason: ExitReason): void {
    this.#closeAll()
    endQuietly(this.#self as unknown as Process<never>, reason)
  }

  /** Ends for an owner that has exited. */
  #abandon(): void {
    this.#closeAll()
    this.#finish()
  }

  /** Ends all tasks and closes the items, whose errors nobody waits for. */
  #closeAll(): void {
    this.#endTasks()
    if (!this.#isExhausted) reportRejection(this.#self, this.#closeItems())
    this.#isExhausted = true
  }

  async #stop(from: From<Step<T>>): Promise<void> {
    this.#endTasks()
    let step: Step<T> = { type: 'done' }
    try {
      if (!this.#isExhausted) await this.#closeItems()
    } catch (error) {
      step = { type: 'failed', error }
    }
    while (this.#asking.length > 0) this.#answer({ type: 'done' })
    this.#asking.push(from)
    this.#answer(step)
  }

  #endTasks(): void {
    for (const run of this.#runs.values()) {
      this.#forgetTimer(run)
      this.#self.unlink(run.task.pid)
      endQuietly(run.task.pid, 'killed')
    }
    this.#runs.clear()
    this.#ended.length = 0
  }

  /** Tells the items that no more are wanted. Items that have not come yet may never come, and are not waited for. */
  async #closeItems(): Promise<void> {
    const closing = this.#items.return?.()
    if (!this.#isPulling) await closing
    else if (closing !== undefined) reportRejection(this.#self, closing)
  }
}
