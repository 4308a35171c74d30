/** The options of a pool, of its requests, and of the calls that look for a pool. */

import type { MonitorRef } from '@holster/process'
import type { ConnPid, StreamRef } from '../handles.js'
import type { GunDown, GunMessage, Owner } from '../messages.js'
import type { ProtocolName } from '../words.js'
import type { ConnectionOpts } from './connection.js'
import type { ReqOpts } from './http.js'
import type { Opts } from './options.js'

/**
 * The facts about a connection that its set-up hands on to the callers that check the connection out. Source: `conns_meta` of
 * gun_pool.
 */
export interface PoolMeta {
  /** The WebSocket on which `wsSend` sends. */
  readonly ws?: StreamRef
  /** Anything else. */
  readonly [name: string]: unknown
}

/** The messages that a set-up is called with: everything that the connection posts to its owner until it is up. */
export type SetupMessage = Exclude<GunMessage, GunDown>

/** The answer of a set-up: wait for the next message, with a new state; or the connection is up, and speaks that protocol. */
export type SetupResult<State = unknown> =
  | readonly ['setup', state: State]
  | readonly ['up', protocol: ProtocolName | 'ws', meta: PoolMeta]

/**
 * Sets a connection up before the pool uses it, for example with `wsUpgrade`: called with `gun_up`, and with each message after
 * it, until the answer is `'up'`. A set-up that throws ends the connection, which the pool makes anew later. Source: `setup_fun`
 * in the type opts of gun_pool.
 */
export type SetupFun<State = unknown> = (
  connPid: ConnPid,
  message: SetupMessage,
  state: State,
) => SetupResult<State>

/**
 * Options of `open` that a pool takes: all but `owner`, `retry` and `retryFun`, with which the pool would work against itself.
 */
export type PoolConnOpts = Omit<Opts, 'owner' | 'retry' | 'retryFun'>

/** Options of `pool.startPool`. Times are milliseconds. Source: the type opts of gun_pool. */
export interface PoolOpts {
  /**
   * The pause before a connection is made again that has failed without being of use: 0.5 to 1.5 times as long, and twice as
   * long with each failure in a row, up to `maxBackoff`. Each connection pauses by itself. Default 1000.
   */
  readonly backoff?: number
  /**
   * The options of each connection, `proxy` among them. The pool owns its connections and makes them again, so `owner`, `retry`
   * and `retryFun` are refused.
   */
  readonly connOpts?: PoolConnOpts
  /**
   * How long a connection beyond `sizeMin` may be idle before it is ended. Default `Infinity`. Refused where there can be no
   * such connection.
   */
  readonly idleTimeout?: number
  /** The longest pause that `backoff` grows to. Default 30000. */
  readonly maxBackoff?: number
  /**
   * How long a connection is used, less a random part of up to a tenth, so that not all are made anew at once. Then another one
   * takes its place, and the old one ends with the last of its streams, never in the middle of one. Default `Infinity`.
   */
  readonly maxLifetime?: number
  /** How many requests may be under way at once on a connection of HTTP/1.1. Default 1. Over HTTP/2 the server says how many. */
  readonly pipelining?: number
  /**
   * A name of the caller's, so that there can be several pools for one authority: any value, compared as a key of a `Map`.
   * Default `'default'`.
   */
  readonly scope?: unknown
  /** Sets each connection up before it is used: a function and its first state. Default: a connection is used once it is up. */
  readonly setupFun?: readonly [
    fun: (connPid: ConnPid, message: SetupMessage, state: never) => SetupResult,
    state: unknown,
  ]
  /** How many connections there are. Default 8. Refused beside `sizeMin` or `sizeMax`. */
  readonly size?: number
  /**
   * How many connections there are at most; more than `sizeMin` are made while a caller finds none free. Default: `sizeMin`, at
   * least 8.
   */
  readonly sizeMax?: number
  /** How many connections there are at least. 0 opens the first with the first request. Default: `sizeMax`, at most 1. */
  readonly sizeMin?: number
}

/** Options of a call that looks for a pool. */
export interface PoolLookupOpts {
  /** The scope of the pool, as `startPool` was given it. Default `'default'`. */
  readonly scope?: unknown
}

/** Options of `pool.stopPool`. Source: the type stop_opts of gun_pool. */
export interface StopPoolOpts extends PoolLookupOpts {
  /** The transport of the pool's connections. Default: `'tls'` for port 443, otherwise `'tcp'`. */
  readonly transport?: 'tcp' | 'tls'
}

/** Options of `pool.awaitUp`. */
export interface PoolAwaitUpOpts extends PoolLookupOpts {
  /** How long to wait, in milliseconds. Default 5000. */
  readonly timeout?: number
  /** Aborting this signal rejects the promise with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal
}

/** How a caller waits while no connection is free. */
export interface CheckoutLimits {
  /**
   * The pauses after which the caller would look again, in milliseconds: the caller waits as long as all of them together, and
   * gets a free connection at once. Refused beside `checkoutTimeout`. Source: `checkout_retry` of gun_pool.
   */
  readonly checkoutRetry?: readonly number[]
  /**
   * How long the caller waits for a free connection, in milliseconds. 0 does not wait: the call throws `no_connection_available`
   * then, as in Gun without `checkout_retry`. Default 5000.
   */
  readonly checkoutTimeout?: number
  /** The signal whose abort gives up the place in the queue, or the stream, which ends with `cancelled`. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of `pool.checkout`. */
export interface CheckoutOpts extends CheckoutLimits {
  /** The process or actor whose exit gives the connection back and cancels the stream that was begun on it. Default: none. */
  readonly caller?: Owner
}

/** Options of one request of a pool. Source: the type req_opts of gun_pool. */
export interface PoolReqOpts extends Omit<ReqOpts, 'tunnel'>, CheckoutLimits, PoolLookupOpts {
  /**
   * Whether a pool is started where there is none, and with which options. The authority says to which host and port; the
   * transport is tls for port 443 unless `connOpts` say otherwise. Default `false`.
   */
  readonly startPoolIfMissing?: boolean | Omit<PoolOpts, 'scope'>
}

/** Options of `pool.wsSend`. Source: the type ws_send_opts of gun_pool. */
export interface PoolWsSendOpts extends PoolLookupOpts {
  /** The authority of the pool: host and port as in a `host` header. */
  readonly authority: string
}

/** Options of `pool.awaitResponse` and `pool.awaitBody`. */
export interface PoolAwaitOpts {
  /** How long to wait, in milliseconds; the wait for a free connection counts. Default 5000. */
  readonly timeout?: number
  /** A monitor of the connection that the caller already holds. */
  readonly monitorRef?: MonitorRef
  /** Aborting this signal rejects the promise with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal
  /** The most bytes the body may have. Default 268435456 (256 MiB). */
  readonly maxBodySize?: number
}

/** The options of a pool with their defaults filled in. */
export interface PoolSettings {
  readonly backoff: number
  readonly maxBackoff: number
  readonly idleTimeout: number
  readonly maxLifetime: number
  readonly pipelining: number
  readonly scope: unknown
  readonly sizeMin: number
  readonly sizeMax: number
  readonly setupFun: readonly [fun: SetupFun, state: unknown] | undefined
  readonly connOpts: ConnectionOpts
}

const SIZE = 8

export const CHECKOUT_TIMEOUT = 5000

/** Returns the options with their defaults. */
export function poolSettingsOf(opts: PoolOpts): PoolSettings {
  const { size, connOpts = {} } = opts
  const given = size ?? SIZE
  const isFixed = size !== undefined || (opts.sizeMin === undefined && opts.sizeMax === undefined)
  const sizeMin = isFixed ? given : (opts.sizeMin ?? Math.min(1, opts.sizeMax ?? 1))
  const sizeMax = isFixed ? given : (opts.sizeMax ?? Math.max(sizeMin, SIZE))
  return {
    backoff: opts.backoff ?? 1000,
    maxBackoff: opts.maxBackoff ?? 30_000,
    idleTimeout: opts.idleTimeout ?? Number.POSITIVE_INFINITY,
    maxLifetime: opts.maxLifetime ?? Number.POSITIVE_INFINITY,
    pipelining: opts.pipelining ?? 1,
    scope: opts.scope ?? 'default',
    sizeMin,
    sizeMax,
    setupFun: opts.setupFun as PoolSettings['setupFun'],
    connOpts,
  }
}
