/** A stream of tasks is pulled by its consumer: what nobody asks for is not begun. */

import { availableParallelism } from 'node:os'
import { inspect } from 'node:util'
import { CallError, type Process } from '@holster/process'
import { checkChoice, checkDuration, checkNames } from '@holster/process/internal'
import { checkFunction, type Outcome } from './handle.js'
import { type Job, type Step, type StreamerMessage, startStreamer } from './streamer.js'
import { forgivingExit, TaskError } from './task-error.js'

/** Makes the result of one item, in a process of its own, which is `self`. */
export type StreamFunction<Item, T> = (item: Item, self: Process) => T | PromiseLike<T>

/** Options of `asyncStream`, which throws a TypeError or RangeError that names a wrong one. */
export interface StreamOptions {
  /** How many items at most are taken beyond those whose results were given. Default: the number of processors. */
  readonly maxConcurrency?: number
  /** Whether results come in the order of their items, or else as the tasks end. Default `true`. */
  readonly ordered?: boolean
  /** The longest time of one task in milliseconds, or `Infinity`. Default 5000. */
  readonly timeout?: number
  /** Whether a task that takes longer ends the stream with a `TaskError`, or only itself: `['exit', 'timeout']`. Default `'exit'`. */
  readonly onTimeout?: 'exit' | 'kill_task'
}

const KNOWN = ['maxConcurrency', 'ordered', 'timeout', 'onTimeout']

/**
 * Runs `fn` for each item in a task of its own, and gives `['ok', result]` or `['exit', reason]` for each. Items are taken while
 * the consumer waits for a result, one after the other, and never more than `maxConcurrency` beyond the results that it has been
 * given. When the consumer leaves its loop, or the owner exits, all tasks of the stream are ended; so they are if the items
 * throw, with whose error the loop then rejects. No message passes through the owner's mailbox.
 *
 * A task that crashes ends the owner with its reason, as a link does, unless the owner traps exits. Each loop runs the stream
 * anew. Throws a TypeError or RangeError if an argument is wrong. Source: `Task.async_stream/3`.
 */
export function asyncStream<Item, T, M>(
  self: Process<M>,
  items: Iterable<Item> | AsyncIterable<Item>,
  fn: StreamFunction<Item, T>,
  options: StreamOptions = {},
): AsyncIterable<Outcome<T>> {
  return streamOf(self, items, fn, options, true)
}

/**
 * Does as `asyncStream`, but a task that crashes never ends the owner. Source: `Task.Supervisor.async_stream_nolink/4`.
 */
export function asyncStreamNoLink<Item, T, M>(
  self: Process<M>,
  items: Iterable<Item> | AsyncIterable<Item>,
  fn: StreamFunction<Item, T>,
  options: StreamOptions = {},
): AsyncIterable<Outcome<T>> {
  return streamOf(self, items, fn, options, false)
}

function streamOf<Item, T, M>(
  self: Process<M>,
  items: Iterable<Item> | AsyncIterable<Item>,
  fn: StreamFunction<Item, T>,
  options: StreamOptions,
  isLinked: boolean,
): AsyncIterable<Outcome<T>> {
  checkFunction(fn)
  const object: object = Object(items)
  if (!(Symbol.asyncIterator in object || Symbol.iterator in object))
    throw new TypeError(`items must be iterable, not ${inspect(items, { depth: 0 })}`)
  const job: Job<Item, T> = { items, run: fn, isLinked, ...checkOptions(options) }
  const owner = self as unknown as Process
  return { [Symbol.asyncIterator]: () => new Stream(owner, job) }
}

/** A loop over a stream. */
class Stream<Item, T> implements AsyncIterableIterator<Outcome<T>, undefined, unknown> {
  readonly #owner: Process
  readonly #job: Job<Item, T>
  #streamer: Process<StreamerMessage<Item, T>> | undefined
  #isOver = false

  constructor(owner: Process, job: Job<Item, T>) {
    this.#owner = owner
    this.#job = job
  }

  next(): Promise<IteratorResult<Outcome<T>, undefined>> {
    return forgivingExit(this.#next())
  }

  return(): Promise<IteratorResult<Outcome<T>, undefined>> {
    return forgivingExit(this.#stop())
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #next(): Promise<IteratorResult<Outcome<T>, undefined>> {
    if (this.#isOver) return { done: true, value: undefined }
    if (this.#streamer === undefined) this.#start()
    const step = await this.#ask('next')
    if (step.type === 'result') return { done: false, value: step.result }
    this.#isOver = true
    if (step.type === 'failed') throw step.error
    return { done: true, value: undefined }
  }

  #start(): void {
    try {
      this.#streamer = startStreamer(this.#owner, this.#job)
    } catch (error) {
      this.#isOver = true
      throw error
    }
  }

  async #stop(): Promise<IteratorResult<Outcome<T>, undefined>> {
    const isRunning = this.#streamer !== undefined && !this.#isOver
    this.#isOver = true
    // An owner that has exited has ended the stream.
    const step = isRunning && this.#owner.isAlive ? await this.#ask('stop') : undefined
    if (step?.type === 'failed') throw step.error
    return { done: true, value: undefined }
  }

  async #ask(request: 'next' | 'stop'): Promise<Step<T>> {
    const streamer = this.#streamer as Process<StreamerMessage<Item, T>>
    try {
      return (await this.#owner.call(streamer, request, Number.POSITIVE_INFINITY)) as Step<T>
    } catch (error) {
      this.#isOver = true
      if (!(error instanceof CallError)) throw error
      this.#owner.flush({ type: 'EXIT', from: streamer })
      // The stream has come to its end while the owner asked for more than one result.
      if (error.reason === 'normal' || error.reason === 'noproc') return { type: 'done' }
      throw new TaskError(streamer, error.reason)
    }
  }
}

function checkOptions(options: StreamOptions): Required<StreamOptions> {
  checkNames(options, KNOWN, 'asyncStream', {
    concurrency: ['maxConcurrency'],
    limit: ['maxConcurrency'],
    ms: ['timeout'],
  })
  const {
    maxConcurrency = availableParallelism(),
    ordered = true,
    timeout = 5000,
    onTimeout = 'exit',
  } = options
  if (!(Number.isInteger(maxConcurrency) && maxConcurrency > 0)) {
    throw new RangeError(
      `options.maxConcurrency must be a whole number from 1 on, not ${inspect(maxConcurrency, { depth: 0 })}`,
    )
  }
  if (typeof ordered !== 'boolean') throw new TypeError('options.ordered must be a boolean')
  checkDuration('options.timeout', timeout, true)
  checkChoice('options.onTimeout', onTimeout, ['exit', 'kill_task'])
  return { maxConcurrency, ordered, timeout, onTimeout }
}
