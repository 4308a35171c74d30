/** The claims of a caller of a pool: a stream, or its place in the queue, and a checkout. */

import { GunError, messageOf } from '../errors.js'
import { type ConnPid, connPidOf } from '../handles.js'
import type { Claim } from './callers.js'
import type { Checkout } from './checkout.js'
import type { Member } from './member.js'
import { type PoolStreamRef, waiterOf } from './reference.js'

/** The pool, as far as claims need it. */
export interface ClaimHome {
  /** Gives the connection of that handle, if the connection is of the pool and lives. */
  memberWith(connPid: ConnPid): Member | undefined
}

/** A stream of a caller that may exit, or whose signal may abort. */
export class StreamClaim implements Claim {
  readonly #pool: ClaimHome
  readonly #streamRef: PoolStreamRef

  constructor(pool: ClaimHome, streamRef: PoolStreamRef) {
    this.#pool = pool
    this.#streamRef = streamRef
  }

  get isOver(): boolean {
    if (waiterOf(this.#streamRef) !== undefined) return false
    const connection = this.#pool.memberWith(connPidOf(this.#streamRef))?.connection
    return connection === undefined || !connection.isOpen(this.#streamRef)
  }

  giveUp(signal?: AbortSignal): void {
    const streamRef = this.#streamRef
    const waiter = waiterOf(streamRef)
    if (waiter !== undefined) {
      if (signal === undefined) waiter.giveUp()
      else waiter.abort(aborted(signal))
      return
    }
    const connection = this.#pool.memberWith(connPidOf(streamRef))?.connection
    if (!connection?.isOpen(streamRef)) return
    // The error is the last message of the stream: after the cancel no more of them are posted.
    if (signal !== undefined) connection.fail(streamRef, aborted(signal))
    connection.commands.cancel(streamRef)
  }
}

/** A place in the queue for a checkout. */
export class PlaceClaim implements Claim {
  /** Whether its turn has come. */
  isOver = false
  readonly giveUp: (signal?: AbortSignal) => void

  /** `giveUp` gives the place up. */
  constructor(giveUp: (signal?: AbortSignal) => void) {
    this.giveUp = giveUp
  }
}

/** A checkout of a caller that may exit. */
export class CheckoutClaim implements Claim {
  readonly #pool: ClaimHome
  readonly #checkout: Checkout

  constructor(pool: ClaimHome, checkout: Checkout) {
    this.#pool = pool
    this.#checkout = checkout
  }

  get isOver(): boolean {
    const { connPid, streamRef } = this.#checkout
    const connection = this.#pool.memberWith(connPid)?.connection
    return connection === undefined || (streamRef !== undefined && !connection.isOpen(streamRef))
  }

  giveUp(): void {
    const { streamRef } = this.#checkout
    if (streamRef === undefined) return this.#checkout.giveBack()
    const connection = this.#pool.memberWith(this.#checkout.connPid)?.connection
    if (connection?.isOpen(streamRef)) connection.commands.cancel(streamRef)
  }
}

/** Makes the error of a stream whose caller has aborted. */
export function aborted({ reason }: AbortSignal): GunError {
  return new GunError('cancelled', 'stream_error', `the caller has aborted: ${messageOf(reason)}`, {
    cause: reason,
  })
}
