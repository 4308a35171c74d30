/** The commands that wait for the connection, in order, in one book: a queue of p-queue that can be looked into. */

import PQueue, { type QueueAddOptions } from 'p-queue'
import type { GunError } from '../errors.js'
import { Fifo } from '../exchange/fifo.js'
import type { StreamRef } from '../handles.js'
import { type BeginCommand, begins, type StreamCommand } from '../layer/commands.js'

type Waiting = BeginCommand | StreamCommand
type Job = () => Promise<unknown>

interface JobOptions extends QueueAddOptions {
  readonly command: Waiting
}

/** The queue class of p-queue's that knows which command each job is for. */
export class CommandQueue {
  readonly #entries = new Fifo<{ readonly command: Waiting; readonly job: Job }>()

  get size(): number {
    return this.#entries.length
  }

  /** The commands that wait, oldest first. */
  get commands(): readonly Waiting[] {
    return [...this.#entries].map(({ command }) => command)
  }

  /** Whether a command of the stream waits. */
  has(streamRef: StreamRef): boolean {
    return this.#entries.find(({ command }) => command.streamRef === streamRef) !== undefined
  }

  enqueue(job: Job, options?: Partial<JobOptions>): void {
    if (options?.command === undefined) throw new TypeError('a job must say which command it is for')
    this.#entries.push({ command: options.command, job })
  }

  dequeue(): Job | undefined {
    return this.#entries.shift()?.job
  }

  /** All jobs, since none has a priority. */
  filter(): Job[] {
    return [...this.#entries].map(({ job }) => job)
  }

  /** Commands are carried out in the order in which they were given, and in no other. */
  setPriority(): void {}

  /** Takes out the commands that `isIt` picks, and gives them. */
  take(isIt: (command: Waiting) => boolean): readonly Waiting[] {
    const taken: Waiting[] = []
    for (const entry of this.#entries.takeAll()) {
      if (isIt(entry.command)) taken.push(entry.command)
      else this.#entries.push(entry)
    }
    return taken
  }
}

export class Postponed {
  readonly #perform: (command: Waiting) => void
  // Made when there is something to keep: most connections never have anything.
  #queue: PQueue<CommandQueue, JobOptions> | undefined
  #book: CommandQueue | undefined
  #isPaused = true

  /** `perform` carries out a command whose turn has come. */
  constructor(perform: (command: Waiting) => void) {
    this.#perform = perform
  }

  /** Whether no command waits. Each has a turn of its own, so that one given meanwhile must wait behind the others. */
  get isEmpty(): boolean {
    return this.#book === undefined || this.#book.size === 0
  }

  /** Whether a command of the stream waits. */
  has(streamRef: StreamRef): boolean {
    return this.#book?.has(streamRef) ?? false
  }

  add(command: Waiting): void {
    this.#queue ??= this.#makeQueue()
    void this.#queue.add(() => this.#perform(command), { command })
  }

  /** Forgets what waits of the stream, and gives whether that was all of it. */
  remove(streamRef: StreamRef): boolean {
    return this.#book?.take(command => command.streamRef === streamRef).some(begins) ?? false
  }

  /** The connection is up. */
  start(): void {
    this.#isPaused = false
    this.#queue?.start()
  }

  pause(): void {
    this.#isPaused = true
    this.#queue?.pause()
  }

  /** Takes out the commands of streams that have begun, which need not wait for the next connection as those that begin do. */
  takeBegun(): readonly Waiting[] {
    const unbegun = new Set(this.#book?.commands.filter(begins).map(({ streamRef }) => streamRef))
    return this.#book?.take(({ streamRef }) => !unbegun.has(streamRef)) ?? []
  }

  /** The connection will never be made: fails each stream that waits once, however much of it waits. */
  fail(fail: (streamRef: StreamRef, reason: GunError) => void, reason: GunError): void {
    const failed = new Set(this.#book?.take(() => true).map(({ streamRef }) => streamRef))
    for (const streamRef of failed) fail(streamRef, reason)
  }

  #makeQueue(): PQueue<CommandQueue, JobOptions> {
    const keep = (book: CommandQueue) => {
      this.#book = book
    }
    // p-queue makes its queue by itself.
    class Book extends CommandQueue {
      constructor() {
        super()
        keep(this)
      }
    }
    return new PQueue({ concurrency: 1, autoStart: !this.#isPaused, queueClass: Book })
  }
}
