/** The handle of a pooled stream: a StreamRef that may have to wait for its connection. */

import type { GunError } from '../errors.js'
import { type ConnPid, connPidOf, StreamRef } from '../handles.js'
import type { StreamCommand } from '../layer/commands.js'
import type { ReplyTo } from '../messages.js'

/** A stream that waits. */
export interface Pending {
  /** Keeps a command of the stream until its request has begun. */
  add(command: StreamCommand): void
  /** Calls `listener` once when the stream has its connection. Returns a function that removes the listener. */
  onBound(listener: (connPid: ConnPid) => void): () => void
  /** Gives up the place in the queue: nothing is sent, and nobody is told. */
  giveUp(): void
  /** Gives up the place, and ends the stream with an error. */
  abort(reason: GunError): void
}

/** Returns what the stream waits as; `undefined` once it has a connection, or has been given up. */
export let waiterOf: (streamRef: PoolStreamRef) => Pending | undefined

/** Whether the caller has named no replyTo, so that the messages of the stream wait in a mailbox of the pool's. */
export let isForPool: (streamRef: PoolStreamRef) => boolean

/** Records what the stream waits as. */
export let setWaiter: (streamRef: PoolStreamRef, waiter: Pending | undefined) => void

/**
 * The handle of a stream that a pool has begun, or will begin once a connection is free. All messages of the stream carry it as
 * their `streamRef`. Source: pool_stream_ref() of gun_pool.
 */
export class PoolStreamRef extends StreamRef {
  #waiter: Pending | undefined
  readonly #isForPool: boolean

  /** @internal */
  constructor(
    connPid: ConnPid | undefined,
    replyTo: ReplyTo | undefined,
    sendMark: number | undefined,
    isForPool: boolean,
  ) {
    // A stream that waits gets both before anything asks for them.
    super(connPid as ConnPid, replyTo as ReplyTo, sendMark)
    this.#isForPool = isForPool
  }

  static {
    waiterOf = streamRef => streamRef.#waiter
    isForPool = streamRef => streamRef.#isForPool
    setWaiter = (streamRef, waiter) => {
      streamRef.#waiter = waiter
    }
  }

  /** The connection that the stream is on; `undefined` while the stream waits for one. */
  get connPid(): ConnPid | undefined {
    return connPidOf(this) as ConnPid | undefined
  }
}
