/**
 * The carrier over NATS: nodes on any number of machines that use the same NATS server find each other.
 * @module
 */

import type { Carrier, CarrierHost } from './carrier.js'
import { checkNatsOptions, type NatsOptions } from './nats/options.js'
import { Stay } from './nats/stay.js'

export type { NatsOptions } from './nats/options.js'

/**
 * Gives a carrier for `startNode` that reaches all nodes which use the same NATS server, or cluster of such servers, the same account
 * there and the same `prefix`. The server is by default the one at 127.0.0.1:4222, the prefix `holster`. Each node needs a carrier of its
 * own. Throws a TypeError or RangeError that names the option which is wrong. `startNode` then rejects if the server cannot be reached or
 * refuses the client, if the client may not publish and subscribe to `prefix` and all below, and if the name of the node is taken: another
 * node answers by it, or holds it on the server without answering.
 *
 * No other program may subscribe to the prefix or to what is below it, not even to look on, as `nats sub 'holster.>'` would: the server
 * would take it for a node, and not say any more that a node is gone.
 *
 * A node whose program has ended, or has lost the server, counts as gone once something is sent to it, for the server says that nobody
 * is there: with the next beat, after a quarter of the `tickTime`, if not before. A node or server that hangs counts as gone after the
 * `tickTime` of the node. When the client loses the server all other nodes are gone at once, with `nodedown`. The client tries to come back
 * until it does, unless the options say otherwise, and the nodes then come again. Should it give up, or lose the permission that it needs,
 * the exit hook gets an Error and no other node is reached any more. Errors of the server that end nothing are warnings of the process with
 * the code `HOLSTER_NATS_ERROR`.
 *
 * The server must be of version 2.2 or later, with a `max_payload` of at least 1 KB; longer messages go in parts. A client that is slow
 * is cut off once more than `max_pending` waits for it in the server, 64 MB by default: the `window` of the nodes that send to one at the
 * same time should not exceed it. Source: the documentation of NATS, "Subject-Based Messaging", "Request-Reply" and "Reconnecting".
 *
 * ```ts
 * await startNode({ name: 'shop@eu', cookie: process.env.COOKIE, carrier: nats({ servers: 'nats.internal' }) })
 * ```
 */
export function nats(options: NatsOptions = {}): Carrier {
  checkNatsOptions(options)
  return new Nats(options)
}

class Nats implements Carrier {
  readonly name = 'nats'
  readonly isShared = true
  readonly #options: NatsOptions
  #stay: Stay | undefined

  constructor(options: NatsOptions) {
    this.#options = options
  }

  async start(host: CarrierHost): Promise<void> {
    if (this.#stay !== undefined)
      throw new Error('options.carrier is in use by a node: give each its own nats(…)')
    const stay = new Stay(this.#options, host)
    this.#stay = stay
    try {
      await stay.begin()
    } catch (error) {
      this.#stay = undefined
      throw error
    }
  }

  async stop(): Promise<void> {
    const stay = this.#stay
    this.#stay = undefined
    await stay?.end()
  }
}
