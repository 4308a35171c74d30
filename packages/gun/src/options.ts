/** The options of this package: their types, their defaults, and the check that each is known and makes sense. */

import type { SocketConstructorOpts, TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { isActorRef, onExit } from '@holster/process'
import * as v from 'valibot'
import { GunError } from './errors.js'
import type { Owner, ReplyTo } from './reply-to.js'

/** Options of HTTP/1.1. */
export interface HttpOpts {
  /** How long a graceful shutdown waits for responses, in milliseconds. Default 15000. */
  readonly closingTimeout?: number
  /** The most bytes that the head of a response may have. Default 100000. Beyond: `limit_reached`. */
  readonly maxHeaderBlockSize?: number
  /** The most bytes that the trailers of a response may have. Default 10000. Beyond: `limit_reached`. */
  readonly maxTrailerBlockSize?: number
  /** The version that requests state. Over `'HTTP/1.0'` there is no upgrade. Default `'HTTP/1.1'`. */
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1'
}

/** Options of WebSocket: for all upgrades of a connection in `open`, for one in `wsUpgrade`, whose keys win. */
export interface WsOpts {
  /** How long the peer may take to answer a close frame, and to close the connection, in milliseconds. Default 15000. */
  readonly closingTimeout?: number
  /** Milliseconds between the pings that are sent by themselves. Default `Infinity`: none. */
  readonly keepalive?: number
  /** The most bytes a message may have. Default 100 MiB. Beyond: `limit_reached`, close code 1009. */
  readonly maxPayload?: number
  /** The most fragments a message may have. Default 1048576. Beyond: `limit_reached`, close code 1008. */
  readonly maxFragments?: number
  /** Whom the stream replies to. Default: the owner. */
  readonly replyTo?: ReplyTo
  /** Whether pings and pongs are kept from the mailbox. A ping is answered either way. Default `true`. */
  readonly silencePings?: boolean
}

/** Options of one request. */
export interface ReqOpts {
  /** Whom the stream replies to. Default: the owner. A function or an actor runs within the sender: keep it short. */
  readonly replyTo?: ReplyTo
}

/** The answer of a `retryFun`: how many retries are left after the next, and how long to wait for it. */
export interface Retry {
  readonly retries: number
  /** Milliseconds. */
  readonly timeout: number
}

/** Options of `open` and `openUnix`. Times are milliseconds. */
export interface Opts {
  /** How long one attempt to connect may take. Default `Infinity`. */
  readonly connectTimeout?: number
  /** How long one look-up of the host name may take. Default `Infinity`. */
  readonly domainLookupTimeout?: number
  readonly httpOpts?: HttpOpts
  /** Who owns the connection. Default: a process made for it, which `connPid.owner` gives. */
  readonly owner?: Owner
  /** What to speak. Over tls it is what ALPN offers. Default `['http']`. */
  readonly protocols?: readonly ('http' | readonly ['http', HttpOpts])[]
  /** How many attempts follow when the connection is lost or cannot be made. The first is immediate
   * (of infinitely many none is). Default 5. */
  readonly retry?: number
  /** Decides about each retry. Default: one less each time; at once after a loss, else `retryTimeout`. */
  readonly retryFun?: (retriesLeft: number, opts: Opts) => Retry
  /** Time between attempts. Default 5000. */
  readonly retryTimeout?: number
  /** Passed to the socket. */
  readonly tcpOpts?: Partial<TcpNetConnectOpts & SocketConstructorOpts>
  /** Passed to TLS; for example `ca`. The peer is verified unless this says otherwise. */
  readonly tlsOpts?: ConnectionOptions
  /** How long the TLS handshake may take. Default `Infinity`. */
  readonly tlsHandshakeTimeout?: number
  /** Default: `'tls'` for port 443, otherwise `'tcp'`. */
  readonly transport?: 'tcp' | 'tls'
  readonly wsOpts?: WsOpts
}

export const HTTP_DEFAULTS: Required<HttpOpts> = {
  closingTimeout: 15000,
  maxHeaderBlockSize: 100000,
  maxTrailerBlockSize: 10000,
  version: 'HTTP/1.1',
}

export const WS_DEFAULTS: Required<Omit<WsOpts, 'replyTo'>> = {
  closingTimeout: 15000,
  keepalive: Number.POSITIVE_INFINITY,
  maxPayload: 100 * 1024 * 1024,
  maxFragments: 1024 * 1024,
  silencePings: true,
}

export const RETRY_DEFAULTS = { retry: 5, retryTimeout: 5000 } as const

const LONGEST = 2147483647
/** ws keeps its limits in 32 bits. */
const LARGEST_LIMIT = 2147483647

const isDuration = (ms: number) => ms === Number.POSITIVE_INFINITY || (ms >= 0 && ms <= LONGEST)
const duration = v.pipe(
  v.number('must be a number of milliseconds'),
  v.check(isDuration, `must be between 0 and ${LONGEST} ms, or Infinity`),
)
/** For what would otherwise happen without end. */
const period = v.pipe(
  duration,
  v.check(ms => ms > 0, 'must be more than 0'),
)
const finiteDuration = v.pipe(
  duration,
  v.check(ms => Number.isFinite(ms), 'must be finite'),
)
const limit = v.pipe(
  v.number('must be a number'),
  v.check(
    n => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 1 && n <= LARGEST_LIMIT),
    `must be an integer between 1 and ${LARGEST_LIMIT}, or Infinity`,
  ),
)
const count = v.pipe(
  v.number('must be a number'),
  v.check(
    n => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 0),
    'must be a whole number of at least 0',
  ),
)
const fun = v.function('must be a function')
const bag = v.custom<object>(
  value => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)
const canSend = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function'
const receiver = v.custom<ReplyTo>(
  value => typeof value === 'function' || canSend(value),
  'must be a process, an actor or a function',
)
const owner = v.custom<Owner>(isOwner, 'must be a process or an xstate actor')

/** Known options only; valibot alone would take an array for an object. */
function options<const T extends v.ObjectEntries>(entries: T) {
  return v.pipe(bag, v.strictObject(entries, 'is not an option'))
}

const httpOpts = options({
  closingTimeout: v.optional(duration),
  maxHeaderBlockSize: v.optional(limit),
  maxTrailerBlockSize: v.optional(limit),
  version: v.optional(v.picklist(['HTTP/1.0', 'HTTP/1.1'], "must be 'HTTP/1.0' or 'HTTP/1.1'")),
})

const wsOpts = options({
  closingTimeout: v.optional(duration),
  keepalive: v.optional(period),
  maxPayload: v.optional(limit),
  maxFragments: v.optional(limit),
  replyTo: v.optional(receiver),
  silencePings: v.optional(v.boolean('must be a boolean')),
})

const reqOpts = options({ replyTo: v.optional(receiver) })

const bareProtocol = v.literal('http', "must be 'http' or ['http', httpOpts]")
const protocolWithOpts = v.strictTuple([bareProtocol, httpOpts])
/** Not a union, whose issue would not say which of the protocol's options is wrong. */
const protocol = v.lazy(value =>
  Array.isArray(value) && value[0] === 'http' && value.length === 2 ? protocolWithOpts : bareProtocol,
)

const opts = options({
  connectTimeout: v.optional(duration),
  domainLookupTimeout: v.optional(duration),
  httpOpts: v.optional(httpOpts),
  owner: v.optional(owner),
  protocols: v.optional(
    v.pipe(v.array(protocol, 'must be an array'), v.length(1, 'must name exactly one protocol')),
  ),
  retry: v.optional(count),
  retryFun: v.optional(fun),
  retryTimeout: v.optional(finiteDuration),
  tcpOpts: v.optional(bag),
  tlsOpts: v.optional(bag),
  tlsHandshakeTimeout: v.optional(duration),
  transport: v.optional(v.picklist(['tcp', 'tls'], "must be 'tcp' or 'tls'")),
  wsOpts: v.optional(wsOpts),
})

function check(schema: v.GenericSchema, value: unknown, prefix: string): void {
  const { success, issues } = v.safeParse(schema, value, { abortEarly: true })
  if (success) return
  const [issue] = issues
  const path = [prefix, v.getDotPath(issue)].filter(part => part !== '' && part !== null).join('.')
  throw new GunError('bad_option', 'options', `${path === '' ? 'opts' : path} ${issue.message}`)
}

/** Throws a GunError `bad_option` that names the option and its path. */
export function checkOpts(value: unknown): asserts value is Opts {
  check(opts, value, '')
}

export function checkWsOpts(value: unknown): asserts value is WsOpts {
  check(wsOpts, value, 'wsOpts')
}

export function checkReqOpts(value: unknown): asserts value is ReqOpts {
  check(reqOpts, value, 'reqOpts')
}

/** Whether it takes messages and ends, as an owner must. */
export function isOwner(value: unknown): value is Owner {
  return canSend(value) && (onExit in value || isActorRef(value))
}

/** What a retryFun gave, if it is usable. */
export function isRetry(value: unknown): value is Retry {
  return v.is(v.object({ retries: count, timeout: finiteDuration }), value)
}

/** One over the other. What is `undefined` was not given. */
export function merge<T extends object>(lower: T, upper: Partial<T> | undefined): T {
  if (upper === undefined) return lower
  const given = Object.entries(upper).filter(([, value]) => value !== undefined)
  return { ...lower, ...Object.fromEntries(given) }
}

/** The options of HTTP for a connection: what `protocols` says wins over `httpOpts`. */
export function httpOptsOf(given: Opts): Required<HttpOpts> {
  const [first] = given.protocols ?? []
  const own = typeof first === 'object' ? first[1] : undefined
  return merge(merge(HTTP_DEFAULTS, given.httpOpts), own)
}
