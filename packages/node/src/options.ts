/** The options of `startNode`. */

import { inspect } from 'node:util'
import { checkDuration, checkNames } from '@holster/process/internal'
import type { Carrier } from './carrier.js'
import { checkNodeName } from './identity.js'

/** A node that was refused, or has refused this one. */
export interface Refusal {
  /** The name of the other node, or that of its channel if the node has not said its own. */
  readonly node: string
  /** Why, with both names: different versions, different cookies, or a name that is taken. */
  readonly reason: string
}

/** The options of `startNode`. */
export interface NodeOptions {
  /** The name, which no other node of the cluster has: 1 to 128 of `A` to `Z`, `a` to `z`, `0` to `9`, `_`, `@`, `.` and `-`. */
  readonly name: string
  /** How other programs are reached. Default: not at all; the threads that `workers` starts are reached in any case. */
  readonly carrier?: Carrier
  /**
   * A secret that all nodes of the cluster share, at least 16 characters long. It is not sent: each side shows by an HMAC that it knows
   * the cookie. Needed with a carrier that reaches other programs. Source: `erlang:set_cookie/1`.
   */
  readonly cookie?: string | undefined
  /**
   * The longest silence in milliseconds after which another node counts as gone; 60,000 by default, at least 100. Each node says
   * something four times as often. A program whose event loop is busy for longer loses its connections. Source: `net_ticktime` of kernel.
   */
  readonly tickTime?: number
  /**
   * The most bytes that may be under way to one node and not yet be acknowledged; 4 MiB by default, at least 64 KiB. What is sent
   * beyond waits in this program, and connections whose owners are there are not read meanwhile.
   */
  readonly window?: number
  /** Is told of each node that is refused, or refuses this one. Default: a warning of the process, `HOLSTER_NODE_REFUSED`. */
  readonly onRefused?: (refusal: Refusal) => void
}

const KNOWN: readonly (keyof NodeOptions)[] = ['name', 'carrier', 'cookie', 'tickTime', 'window', 'onRefused']
const SHORTEST_COOKIE = 16
const SHORTEST_TICK = 100
const SMALLEST_WINDOW = 64 * 1024

/** Throws a TypeError or RangeError that names the option which is wrong. */
export function checkNodeOptions(options: NodeOptions): void {
  checkNames(options, KNOWN, 'startNode', {
    cookies: ['cookie'],
    secret: ['cookie'],
    ticktime: ['tickTime'],
    netticktime: ['tickTime'],
  })
  const { name, carrier, cookie, tickTime = 60_000, window = SMALLEST_WINDOW, onRefused } = options
  checkNodeName(name, 'options.name')
  if (carrier !== undefined && typeof carrier?.start !== 'function') {
    throw new TypeError(
      `options.carrier must be a carrier, such as nats(…), not ${inspect(carrier, { depth: 0 })}`,
    )
  }
  if (cookie !== undefined && (typeof cookie !== 'string' || cookie.length < SHORTEST_COOKIE)) {
    throw new TypeError(`options.cookie must be a string of at least ${SHORTEST_COOKIE} characters`)
  }
  if (cookie === undefined && carrier?.isShared) {
    throw new TypeError(
      `options.cookie is needed with the carrier '${carrier.name}': a secret that all nodes share`,
    )
  }
  checkDuration('options.tickTime', tickTime, false)
  if (tickTime < SHORTEST_TICK)
    throw new RangeError(`options.tickTime must be at least ${SHORTEST_TICK} ms, not ${tickTime}`)
  if (!(Number.isInteger(window) && window >= SMALLEST_WINDOW)) {
    throw new RangeError(
      `options.window must be a whole number of at least ${SMALLEST_WINDOW} bytes, not ${inspect(window)}`,
    )
  }
  if (onRefused !== undefined && typeof onRefused !== 'function') {
    throw new TypeError('options.onRefused must be a function')
  }
}
