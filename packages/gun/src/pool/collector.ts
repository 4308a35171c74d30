/** Puts the response of a stream together as it comes, without a mailbox in between: nobody else reads the stream. */

import { nodesImmediate } from '@holster/process/internal'
import { type FullResponse, Parts, tooLarge } from '../await/await.js'
import { silent } from '../await/silence.js'
import { connectionOf } from '../connection/connection.js'
import { GunError } from '../errors.js'
import { redirectStream } from '../handles.js'
import type { GunMessage } from '../messages.js'
import { AWAIT_DEFAULTS } from '../options/await.js'
import type { PoolAwaitOpts } from '../options/pool.js'
import { Deadline } from '../transport/deadline.js'
import { isForPool, type PoolStreamRef, waiterOf } from './reference.js'

/** Whether nothing of the stream was posted by now, and no replyTo of the caller's waits for anything. */
export function isUntouched(streamRef: PoolStreamRef): boolean {
  if (!isForPool(streamRef)) return false
  const { connPid } = streamRef
  if (connPid === undefined) return waiterOf(streamRef) !== undefined
  return connectionOf(connPid).commands.streamInfo(streamRef)?.request?.response === 'due'
}

/** Implements `awaitResponse` for a stream that is untouched. */
export function collect(
  streamRef: PoolStreamRef,
  init: number | PoolAwaitOpts | undefined,
): Promise<FullResponse> {
  const {
    timeout = AWAIT_DEFAULTS.timeout,
    maxBodySize = AWAIT_DEFAULTS.maxBodySize,
    signal,
  } = typeof init === 'number' ? { timeout: init } : (init ?? {})
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const collector = new Collector(streamRef, timeout, maxBodySize, signal, resolve, reject)
    redirectStream(streamRef, message => collector.take(message))
  })
}

/** The responses that have come in this turn of the event loop, each with the function that settles the wait for it. */
let come: { readonly resolve: (response: FullResponse) => void; readonly response: FullResponse }[] = []

/**
 * Hands on all responses of this turn together, so that the next requests of their callers leave in one go: a server that is
 * woken once for eight requests costs both sides less than one that is woken eight times.
 */
function handOn(): void {
  const all = come
  come = []
  for (const { resolve, response } of all) resolve(response)
}

class Collector {
  readonly #streamRef: PoolStreamRef
  readonly #timeout: number
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (response: FullResponse) => void
  readonly #reject: (reason: unknown) => void
  readonly #deadline: Deadline
  readonly #parts: Parts
  readonly #most: number
  #head: Pick<FullResponse, 'status' | 'headers'> | undefined
  #isOver = false

  constructor(
    streamRef: PoolStreamRef,
    timeout: number,
    most: number,
    signal: AbortSignal | undefined,
    resolve: (response: FullResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#streamRef = streamRef
    this.#timeout = timeout
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    this.#most = most
    this.#parts = new Parts(most)
    this.#deadline = new Deadline(timeout, () => this.#giveUp(this.#late()))
    signal?.addEventListener('abort', this.#abort, { once: true })
  }

  take(message: GunMessage): void {
    if (this.#isOver) return
    // Nobody can read what the server pushes, which goes to the recipient of the request.
    if (message.type === 'gun_push') {
      connectionOf(message.connPid).commands.cancel(message.newStreamRef)
      return
    }
    if ('streamRef' in message && message.streamRef !== this.#streamRef) return
    switch (message.type) {
      case 'gun_response':
        this.#head = { status: message.status, headers: message.headers }
        if (message.isFin === 'fin') this.#finish({ ...this.#head, body: this.#parts.join() })
        return
      case 'gun_data':
        if (!this.#parts.add(message.data)) return this.#giveUp(tooLarge(this.#streamRef, this.#most))
        if (message.isFin === 'fin') return this.#finish({ ...this.#known, body: this.#parts.join() })
        connectionOf(message.connPid).commands.perform({
          type: 'flow',
          streamRef: this.#streamRef,
          increment: 1,
        })
        return
      case 'gun_trailers':
        return this.#finish({ ...this.#known, body: this.#parts.join(), trailers: message.headers })
      case 'gun_error':
        return this.#fail(message.reason)
      case 'gun_upgrade': {
        const text = `${this.#streamRef} has left HTTP and has no response: use a replyTo`
        return this.#giveUp(new GunError('badstate', 'badstate', text))
      }
    }
  }

  get #known(): Pick<FullResponse, 'status' | 'headers'> {
    if (this.#head === undefined) throw new Error('a body has come before its head')
    return this.#head
  }

  #finish(response: FullResponse): void {
    this.#settle()
    come.push({ resolve: this.#resolve, response })
    if (come.length === 1) nodesImmediate(handOn)
  }

  #fail(reason: unknown): void {
    this.#settle()
    // A request may have the same signal, and its stream may have ended first.
    this.#reject(this.#signal?.aborted === true ? this.#signal.reason : reason)
  }

  readonly #abort = (): void => this.#giveUp(this.#signal?.reason)

  /** Gives the stream up, or its place in the queue. */
  #giveUp(reason: unknown): void {
    this.#fail(reason)
    const streamRef = this.#streamRef
    const waiter = waiterOf(streamRef)
    if (waiter !== undefined) return waiter.giveUp()
    const connection = streamRef.connPid && connectionOf(streamRef.connPid)
    if (connection?.isOpen(streamRef)) connection.commands.cancel(streamRef)
  }

  #settle(): void {
    this.#isOver = true
    this.#deadline.clear()
    this.#signal?.removeEventListener('abort', this.#abort)
  }

  #late(): GunError {
    const streamRef = this.#streamRef
    const { connPid } = streamRef
    if (connPid === undefined) {
      const text = `${streamRef} had no connection within ${this.#timeout} ms: it waits for one of the pool to be free`
      return new GunError('timeout', 'timeout', text)
    }
    const size =
      this.#head === undefined ? '' : `; its head and ${this.#parts.size} bytes of its body had come`
    return silent(connPid, streamRef, `the response of ${streamRef} was not complete`, this.#timeout, size)
  }
}
