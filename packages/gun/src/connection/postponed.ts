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

/** A command that waits. */
interface Entry {
  readonly command: Waiting
  readonly job: Job
  /** Whether the command was taken out before its turn. */
  isTaken: boolean
}

/** How many entries that were taken out may stay in the queue, unless more than that wait. */
const MOST_TAKEN = 1024

/** The queue class of p-queue's that knows which command each job is for. */
export class CommandQueue {
  /** The entries in order, among them some that were taken out. */
  #entries = new Fifo<Entry>()
  /** Those of each stream, so that a caller may cancel thousands. */
  readonly #streams = new Map<StreamRef, Fifo<Entry>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The commands that wait, oldest first. */
  get commands(): readonly Waiting[] {
    return this.#waiting.map(({ command }) => command)
  }

  /** Whether a command of the stream waits. */
  has(streamRef: StreamRef): boolean {
    return this.#streams.has(streamRef)
  }

  /** The commands of the stream that wait, oldest first. */
  of(streamRef: StreamRef): readonly Waiting[] {
    return [...(this.#streams.get(streamRef) ?? [])].map(({ command }) => command)
  }

  enqueue(job: Job, options?: Partial<JobOptions>): void {
    if (options?.command === undefined) throw new TypeError('a job must say which command it is for')
    const { command } = options
    const entry = { command, job, isTaken: false }
    const stream = this.#streams.get(command.streamRef) ?? new Fifo<Entry>()
    this.#streams.set(command.streamRef, stream)
    stream.push(entry)
    this.#entries.push(entry)
    this.#size++
  }

  dequeue(): Job | undefined {
    let entry = this.#entries.shift()
    while (entry?.isTaken) entry = this.#entries.shift()
    if (entry === undefined) return undefined
    const { streamRef } = entry.command
    const stream = this.#streams.get(streamRef)
    stream?.shift()
    if (stream?.length === 0) this.#streams.delete(streamRef)
    this.#size--
    return entry.job
  }

  /** All jobs, since none has a priority. */
  filter(): Job[] {
    return this.#waiting.map(({ job }) => job)
  }

  /** Commands are carried out in the order in which they were given, and in no other. */
  setPriority(): void {}

  /** Takes out the commands of a stream, and gives them. */
  take(streamRef: StreamRef): readonly Waiting[] {
    const taken = this.#streams.get(streamRef)?.takeAll() ?? []
    this.#streams.delete(streamRef)
    this.#size -= taken.length
    for (const entry of taken) entry.isTaken = true
    if (this.#entries.length > MOST_TAKEN + 2 * this.#size) this.#sweep()
    return taken.map(({ command }) => command)
  }

  /** Takes out the commands of streams that have begun, in order, and gives them. */
  takeBegun(): readonly Waiting[] {
    const begun = [...this.#streams.values()].filter(({ first }) => first && !begins(first.command))
    if (begun.length === 0) return []
    const taken = new Set(begun.flatMap(stream => stream.takeAll()))
    for (const { command } of taken) this.#streams.delete(command.streamRef)
    const inOrder = [...this.#entries].filter(entry => taken.has(entry))
    for (const entry of inOrder) entry.isTaken = true
    this.#size -= inOrder.length
    this.#sweep()
    return inOrder.map(({ command }) => command)
  }

  /** Takes out everything, and gives the streams. */
  takeAll(): readonly StreamRef[] {
    const streamRefs = [...this.#streams.keys()]
    this.#streams.clear()
    this.#entries.takeAll()
    this.#size = 0
    return streamRefs
  }

  get #waiting(): readonly Entry[] {
    return [...this.#entries].filter(({ isTaken }) => !isTaken)
  }

  /** Forgets the entries that were taken out. */
  #sweep(): void {
    const left = new Fifo<Entry>()
    for (const entry of this.#waiting) left.push(entry)
    this.#entries = left
  }
}

/** Carries out the commands whose turn has come. */
export interface Performer {
  performLate(command: Waiting): void
}

export class Postponed {
  readonly #performer: Performer
  // Made when there is something to keep: most connections never have anything.
  #queue: PQueue<CommandQueue, JobOptions> | undefined
  #book: CommandQueue | undefined
  #isPaused = true

  constructor(performer: Performer) {
    this.#performer = performer
  }

  /** Whether no command waits. Each has a turn of its own, so that one given meanwhile must wait behind the others. */
  get isEmpty(): boolean {
    return this.#book === undefined || this.#book.size === 0
  }

  /** Whether a command of the stream waits. */
  has(streamRef: StreamRef): boolean {
    return this.#book?.has(streamRef) ?? false
  }

  /** The commands of the stream that wait, oldest first. */
  of(streamRef: StreamRef): readonly Waiting[] {
    return this.#book?.of(streamRef) ?? []
  }

  /** The streams that wait to begin, in order. */
  get streams(): readonly StreamRef[] {
    const commands = this.#book?.commands ?? []
    return commands.filter(each => begins(each) && each.type !== 'ping').map(({ streamRef }) => streamRef)
  }

  add(command: Waiting): void {
    this.#queue ??= this.#makeQueue()
    void this.#queue.add(() => this.#performer.performLate(command), { command })
  }

  /** Forgets what waits of the stream, and gives whether that was all of it. */
  remove(streamRef: StreamRef): boolean {
    return this.#book?.take(streamRef).some(begins) ?? false
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
    return this.#book?.takeBegun() ?? []
  }

  /** The connection will never be made: fails each stream that waits once, however much of it waits. */
  fail(fail: (streamRef: StreamRef, reason: GunError) => void, reason: GunError): void {
    for (const streamRef of this.#book?.takeAll() ?? []) fail(streamRef, reason)
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
