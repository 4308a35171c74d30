/** The checks that each option is known and has a sensible value. */

import { MonitorRef } from '@holster/process'
import * as v from 'valibot'
import { GunError } from '../errors.js'
import type { AwaitBodyOpts, AwaitOpts } from './await.js'
import type { Retry } from './connection.js'
import type { CookieStore } from './cookie-store.js'
import { EVENTS, type EventHandler } from './events.js'
import type { PingOpts, ReqOpts } from './http.js'
import type { Opts } from './options.js'
import { http2Opts, httpOpts, pingOpts, reqOpts, wsOpts } from './protocol-schemas.js'
import { proxy } from './proxy-schemas.js'
import { tcpOpts, tlsOpts } from './socket-schemas.js'
import type { ConnectDestination } from './tunnel.js'
import { connectDestination, protocols, rawOpts, socksOpts, transport } from './tunnel-schemas.js'
import {
  count,
  duration,
  finiteDuration,
  fun,
  isBag,
  isDuration,
  isFunction,
  LONGEST,
  namesIn,
  options,
  owner,
} from './values.js'
import type { WsOpts } from './websocket.js'

const cookieStore = v.custom<CookieStore>(
  value => isBag(value) && isFunction(value, 'getCookieString') && isFunction(value, 'setCookie'),
  'must be a cookie store, for example a CookieJar',
)
const eventHandler = v.custom<EventHandler>(
  value => isBag(value) && EVENTS.every(name => !(name in value) || isFunction(value, name)),
  `must be an object in which each of these, if present, is a function: ${EVENTS.join(', ')}`,
)

const awaitEntries = {
  timeout: v.optional(duration),
  monitorRef: v.optional(v.instance(MonitorRef, 'must be a MonitorRef that monitor returned')),
  signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
}
const awaitOpts = options(awaitEntries)
const awaitBodyOpts = options({ ...awaitEntries, maxBodySize: v.optional(count) })

const trace = v.custom<NonNullable<Opts['trace']>>(
  value => typeof value === 'boolean' || typeof value === 'function',
  'must be a boolean or a function',
)

const wsOptsOfOpen = v.pipe(
  wsOpts,
  v.forward(
    v.check(
      ({ tunnel }) => tunnel === undefined,
      'is an option of wsUpgrade: there is no tunnel before open has returned',
    ),
    ['tunnel'],
  ),
)

const elsewhere = [
  ...namesIn('httpOpts', httpOpts),
  ...namesIn('http2Opts', http2Opts),
  ...namesIn('wsOpts', wsOpts),
  ...namesIn('rawOpts', rawOpts),
]

/** The options of `open`. */
export const opts = options(
  {
    connectTimeout: v.optional(duration),
    cookieStore: v.optional(cookieStore),
    domainLookupTimeout: v.optional(duration),
    eventHandler: v.optional(eventHandler),
    httpOpts: v.optional(httpOpts),
    http2Opts: v.optional(http2Opts),
    owner: v.optional(owner),
    protocols: v.optional(protocols),
    proxy: v.optional(proxy),
    proxyAuth: v.optional(fun),
    rawOpts: v.optional(rawOpts),
    retry: v.optional(count),
    retryFun: v.optional(fun),
    retryTimeout: v.optional(finiteDuration),
    socksOpts: v.optional(socksOpts),
    tcpOpts: v.optional(tcpOpts),
    tlsOpts: v.optional(tlsOpts),
    tlsHandshakeTimeout: v.optional(duration),
    trace: v.optional(trace),
    transport: v.optional(transport),
    wsOpts: v.optional(wsOptsOfOpen),
  },
  elsewhere,
)

/** Throws a GunError `bad_option` that names the path of the wrong option, behind `prefix`. */
export function check(schema: v.GenericSchema, value: unknown, prefix: string): void {
  const { success, issues } = v.safeParse(schema, value, { abortEarly: true })
  if (success) return
  const [issue] = issues
  const path = [prefix, v.getDotPath(issue)].filter(part => part !== '' && part !== null).join('.')
  throw new GunError('bad_option', 'options', `${path === '' ? 'opts' : path} ${issue.message}`)
}

/** Throws a GunError `bad_option` that names the path of the wrong option. */
export function checkOpts(value: unknown, prefix = ''): asserts value is Opts {
  check(opts, value, prefix)
  const { protocols = [], socksOpts } = value as Opts
  if (socksOpts !== undefined || protocols[0] !== 'socks') return
  const path = prefix === '' ? 'protocols.0' : `${prefix}.protocols.0`
  const text = `${path} needs a host and a port: give ['socks', { host, port }], or socksOpts`
  throw new GunError('bad_option', 'options', text)
}

/** Throws a GunError `bad_option` if several protocols are given without ALPN to choose between them. */
export function checkChoice(protocols: readonly unknown[], transport: 'tcp' | 'tls'): void {
  if (transport === 'tls' || protocols.length === 1) return
  throw new GunError('bad_option', 'options', 'protocols must name exactly one protocol over tcp')
}

/**
 * Throws a GunError `bad_option` for options that would have no effect: those of TLS without TLS, and those
 * of tcp over a Unix socket.
 */
export function checkUses(openOpts: Opts, transport: 'tcp' | 'tls', isUnix: boolean): void {
  const refuse = (text: string) => {
    throw new GunError('bad_option', 'options', text)
  }
  // A named transport may be one of several that share the same options.
  if (openOpts.tlsOpts !== undefined && transport === 'tcp' && openOpts.transport === undefined) {
    refuse(
      "tlsOpts are given, but neither transport nor the port says that TLS is used: add transport: 'tls', or 'tcp' if it is not",
    )
  }
  if (openOpts.proxyAuth !== undefined && openOpts.proxy === undefined) {
    refuse('proxyAuth is given, but no proxy')
  }
  if (!isUnix) return
  if (openOpts.proxy !== undefined) {
    refuse(
      'proxy means nothing for a Unix socket: where the socket leads to a proxy, use connect, or the protocol socks',
    )
  }
  for (const [name, value] of Object.entries(openOpts.tcpOpts ?? {})) {
    if (value !== undefined && name !== 'allowHalfOpen') {
      refuse(`tcpOpts.${name} means nothing for a Unix socket`)
    }
  }
}

export function checkWsOpts(value: unknown): asserts value is WsOpts {
  check(wsOpts, value, 'wsOpts')
}

export function checkReqOpts(value: unknown): asserts value is ReqOpts {
  check(reqOpts, value, 'reqOpts')
}

export function checkPingOpts(value: unknown): asserts value is PingOpts {
  check(pingOpts, value, 'reqOpts')
}

export function checkConnectDestination(value: unknown): asserts value is ConnectDestination {
  check(connectDestination, value, 'destination')
}

/** Throws a RangeError unless a timer can wait so many milliseconds, or the time is infinite. */
export function checkTimeout(ms: number): void {
  if (!isDuration(ms))
    throw new RangeError(`timeout must be between 0 and ${LONGEST} ms or Infinity, not ${ms}`)
}

export function checkAwaitOpts(value: unknown): asserts value is AwaitOpts {
  check(awaitOpts, value, 'awaitOpts')
}

export function checkAwaitBodyOpts(value: unknown): asserts value is AwaitBodyOpts {
  check(awaitBodyOpts, value, 'awaitOpts')
}

/** Whether the result of a `retryFun` can be used. */
export function isRetry(value: unknown): value is Retry {
  return v.is(v.object({ retries: count, timeout: finiteDuration }), value)
}
