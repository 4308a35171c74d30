/** A connection that is lent to a caller for one stream: it counts until the stream ends, or until it is given back. */

import type { ConnPid, StreamRef } from '../handles.js'
import type { Owner } from '../messages.js'
import type { PoolMeta } from '../options/pool.js'

/**
 * A connection as `pool.checkout` gives it. The pool counts it as one stream: from here until the stream that the caller begins
 * on it ends, or until it is given back. Source: checkout of gun_pool, which gives `{ConnPid, Meta}`.
 */
export class Checkout implements Disposable {
  /** The connection. */
  readonly connPid: ConnPid
  /** The facts that the set-up has handed on. */
  readonly meta: PoolMeta
  /** @internal */
  readonly caller: Owner | undefined
  /** @internal The stream that was begun on it. */
  streamRef: StreamRef | undefined
  readonly #giveBack: (checkout: Checkout) => void

  /** @internal */
  constructor(
    connPid: ConnPid,
    meta: PoolMeta,
    caller: Owner | undefined,
    giveBack: (checkout: Checkout) => void,
  ) {
    this.connPid = connPid
    this.meta = meta
    this.caller = caller
    this.#giveBack = giveBack
  }

  /** Gives the connection back. A stream that was begun on it goes on, and is counted until its end. May be called twice. */
  giveBack(): void {
    this.#giveBack(this)
  }

  /** Gives the connection back, for `using`. */
  [Symbol.dispose](): void {
    this.giveBack()
  }
}
