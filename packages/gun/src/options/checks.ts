/** The check that each option is known and makes sense. */

import { BlockList, isIP, type TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { MonitorRef } from '@holster/process'
import { isActorRef, onExit } from '@holster/process/internal'
import * as v from 'valibot'
import { GunError } from '../errors.js'
import { isToken } from '../headers.js'
import type { Owner, ReplyTo } from '../messages.js'
import type { AwaitBodyOpts, AwaitOpts } from './await.js'
import type { Retry } from './connection.js'
import type { ContentHandler } from './content-handler.js'
import type { CookieStore } from './cookie-store.js'
import { EVENTS, type EventHandler } from './events.js'
import { isHost } from './host.js'
import type { ReqOpts } from './http.js'
import { strictOptions } from './names.js'
import type { Opts } from './options.js'
import type { WsHandler, WsOpts } from './websocket.js'

/** Node's longest timer, in milliseconds: a longer one would fire at once. */
export const LONGEST = 2147483647
/** As much as is kept in 32 bits: ws's way to inflate counts in no more. */
const LARGEST_LIMIT = 2147483647
/** As much as a setting of HTTP/2 holds. */
const LARGEST_SETTING = 4294967295

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
const positiveCount = v.pipe(
  count,
  v.check(n => n >= 1, 'must be at least 1'),
)
const integerBetween = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number'),
    v.check(
      n => Number.isInteger(n) && n >= least && n <= most,
      `must be an integer between ${least} and ${most}`,
    ),
  )
const flag = v.boolean('must be a boolean')
const fun = v.function('must be a function')
const isBag = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isFunction = (value: object, name: string) =>
  name in value && typeof (value as Record<string, unknown>)[name] === 'function'
const bag = v.custom<object>(isBag, 'must be an object')
const canSend = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function'
const receiver = v.custom<ReplyTo>(
  value => typeof value === 'function' || canSend(value),
  'must be a process, an actor or a function',
)
const owner = v.custom<Owner>(isOwner, 'must be a process or an xstate actor')

/** Known options only; valibot alone would take an array for an object. */
function options<const T extends v.ObjectEntries>(entries: T, elsewhere?: readonly string[]) {
  return v.pipe(bag, strictOptions(entries, elsewhere))
}

/** The names of options that belong into another object of options. */
function namesIn(place: string, { pipe: [, { entries }] }: ReturnType<typeof options>): readonly string[] {
  return Object.keys(entries).map(name => `${place}.${name}`)
}

const cookieStore = v.custom<CookieStore>(
  value => isBag(value) && isFunction(value, 'getCookieString') && isFunction(value, 'setCookie'),
  'must be a cookie store, for example a CookieJar',
)
const contentHandler = v.custom<ContentHandler>(
  value => isBag(value) && isFunction(value, 'init'),
  'must be a content handler: { init }',
)
/** Refused by name, so that nobody takes it for done. */
const refused = (why: string) => v.optional(v.never(why))

const invalidRequestHeaders = v.picklist(['raise', 'ignore'], "must be 'raise' or 'ignore'")

const httpOpts = options({
  cancelTimeout: v.optional(duration),
  closingTimeout: v.optional(duration),
  contentHandlers: v.optional(v.array(contentHandler, 'must be an array')),
  cookieIgnoreInformational: v.optional(flag),
  flow: v.optional(positiveCount),
  keepalive: v.optional(period),
  maxHeaderBlockSize: v.optional(limit),
  maxTrailerBlockSize: v.optional(limit),
  pipelining: v.optional(positiveCount),
  transformHeaderName: v.optional(fun),
  version: v.optional(v.picklist(['HTTP/1.0', 'HTTP/1.1'], "must be 'HTTP/1.0' or 'HTTP/1.1'")),
})

/** What Gun takes and Node decides by itself. */
const fixed = refused("is decided by Node's HTTP/2 and cannot be set")

const http2Opts = options({
  closingTimeout: v.optional(duration),
  contentHandlers: v.optional(v.array(contentHandler, 'must be an array')),
  cookieIgnoreInformational: v.optional(flag),
  enableConnectProtocol: v.optional(flag),
  enablePush: v.optional(flag),
  flow: v.optional(positiveCount),
  initialConnectionWindowSize: v.optional(integerBetween(65535, LARGEST_LIMIT)),
  initialStreamWindowSize: v.optional(integerBetween(0, LARGEST_LIMIT)),
  keepalive: v.optional(period),
  keepaliveTolerance: v.optional(positiveCount),
  maxConcurrentStreams: v.optional(integerBetween(0, LARGEST_SETTING)),
  maxDecodeTableSize: v.optional(integerBetween(0, LARGEST_SETTING)),
  maxEncodeTableSize: v.optional(integerBetween(0, LARGEST_SETTING)),
  maxFrameSizeReceived: v.optional(integerBetween(16384, 16777215)),
  maxHeaderListSize: v.optional(integerBetween(0, LARGEST_LIMIT)),
  notifySettingsChanged: v.optional(flag),
  prefaceTimeout: v.optional(duration),
  settingsTimeout: v.optional(duration),
  connectionWindowMarginSize: fixed,
  connectionWindowUpdateThreshold: fixed,
  maxConnectionWindowSize: fixed,
  maxFragmentedHeaderBlockSize: fixed,
  maxFrameSizeSent: fixed,
  maxStreamWindowSize: fixed,
  streamWindowDataThreshold: fixed,
  streamWindowMarginSize: fixed,
  streamWindowUpdateThreshold: fixed,
})

const compressOpts = options({
  serverNoContextTakeover: v.optional(flag),
  clientNoContextTakeover: v.optional(flag),
  serverMaxWindowBits: v.optional(integerBetween(8, 15)),
  clientMaxWindowBits: v.optional(integerBetween(8, 15)),
  threshold: v.optional(count),
  level: v.optional(integerBetween(0, 9)),
  memLevel: v.optional(integerBetween(1, 9)),
})
const compress = v.lazy(value => (typeof value === 'boolean' ? flag : compressOpts))

const handler = v.custom<WsHandler<unknown, never>>(
  value => isBag(value) && isFunction(value, 'init') && isFunction(value, 'handle'),
  'must be a handler: { init, handle }',
)
const eventHandler = v.custom<EventHandler>(
  value => isBag(value) && EVENTS.every(name => !(name in value) || isFunction(value, name)),
  `must be an object, and of these a function each: ${EVENTS.join(', ')}`,
)
const subprotocols = v.pipe(
  v.array(
    v.strictTuple(
      [v.pipe(v.string('must be a string'), v.check(isToken, 'must be a token')), handler],
      'must be [name, handler]',
    ),
    'must be an array',
  ),
  v.check(
    pairs => new Set(pairs.map(([name]) => name)).size === pairs.length,
    'must name each subprotocol once',
  ),
)

const statuses = v.custom<readonly number[] | (() => boolean)>(
  value => typeof value === 'function' || (Array.isArray(value) && value.every(isRefusal)),
  'must be a function, or a list of statuses from 300 to 599',
)
const isRefusal = (status: unknown) =>
  Number.isInteger(status) && Number(status) >= 300 && Number(status) <= 599
const reupgradeOpts = options({
  statuses: v.optional(statuses),
  minDelay: v.optional(finiteDuration),
  maxDelay: v.optional(finiteDuration),
  attempts: v.optional(count),
})
const reupgrade = v.lazy(value => (isBag(value) ? reupgradeOpts : flag))

const wsOpts = options({
  closingTimeout: v.optional(duration),
  compress: v.optional(compress),
  defaultProtocol: v.optional(handler),
  flow: v.optional(positiveCount),
  invalidRequestHeaders: v.optional(invalidRequestHeaders),
  keepalive: v.optional(period),
  keepaliveTolerance: v.optional(positiveCount),
  maxPayload: v.optional(limit),
  maxFragments: v.optional(limit),
  protocols: v.optional(subprotocols),
  replyTo: v.optional(receiver),
  reupgrade: v.optional(reupgrade),
  sendHighWaterMark: v.optional(count),
  silencePings: v.optional(flag),
  userOpts: v.optional(v.unknown()),
})

const reqOpts = options({
  flow: v.optional(positiveCount),
  invalidRequestHeaders: v.optional(invalidRequestHeaders),
  replyTo: v.optional(receiver),
  sendHighWaterMark: v.optional(count),
})

const awaitEntries = {
  timeout: v.optional(duration),
  monitorRef: v.optional(v.instance(MonitorRef, 'must be what monitor gave')),
  signal: v.optional(v.instance(AbortSignal, 'must be an AbortSignal')),
}
const awaitOpts = options(awaitEntries)
const awaitBodyOpts = options({ ...awaitEntries, maxBodySize: v.optional(count) })

const fromOpen = refused('is what open is given')
const ofServers = refused('is an option of servers')
const existing = refused('is for a socket that exists, and open makes one')
const silent = refused('would end nothing: say connectTimeout, or keepalive of the protocol')

/** A list of all that Node has, so that none is forgotten. */
type Every<T> = Record<keyof T, v.GenericSchema>

const tcpEntries = {
  allowHalfOpen: v.optional(flag),
  autoSelectFamily: v.optional(flag),
  autoSelectFamilyAttemptTimeout: v.optional(integerBetween(10, LONGEST)),
  family: v.optional(v.picklist([0, 4, 6], 'must be 0, 4 or 6')),
  hints: v.optional(count),
  keepAlive: v.optional(flag),
  keepAliveInitialDelay: v.optional(integerBetween(0, LONGEST)),
  localAddress: v.optional(
    v.custom<string>(value => typeof value === 'string' && isIP(value) !== 0, 'must be an address'),
  ),
  localPort: v.optional(integerBetween(0, 65535)),
  lookup: v.optional(fun),
  noDelay: v.optional(flag),
  fd: existing,
  host: fromOpen,
  onread: refused('is how the connection itself reads'),
  port: fromOpen,
  readable: existing,
  signal: refused('would only end a socket: end the connection with close, or with its owner'),
  timeout: silent,
  writable: existing,
} satisfies Every<TcpNetConnectOpts>
const tcpOpts = options({
  ...tcpEntries,
  blockList: v.optional(v.instance(BlockList, 'must be a BlockList')),
  path: fromOpen,
})

const hostName = v.custom<string>(
  value => value === '' || isHost(value),
  "must be a host's name or address, or empty",
)
/** TLS itself says what is wrong with it. */
const any = v.optional(v.unknown())
const belowTls = refused('belongs into tcpOpts')

const tlsEntries = {
  allowPartialTrustChain: v.optional(flag),
  ca: any,
  cert: any,
  checkServerIdentity: v.optional(fun),
  ciphers: any,
  clientCertEngine: any,
  crl: any,
  ecdhCurve: any,
  enableTrace: v.optional(flag),
  host: v.optional(hostName),
  key: any,
  maxVersion: any,
  minDHSize: v.optional(positiveCount),
  minVersion: any,
  passphrase: any,
  pfx: any,
  privateKeyEngine: any,
  privateKeyIdentifier: any,
  pskCallback: v.optional(fun),
  rejectUnauthorized: v.optional(flag),
  secureContext: any,
  secureOptions: any,
  secureProtocol: any,
  servername: v.optional(hostName),
  session: v.optional(v.instance(Uint8Array, 'must be a Buffer')),
  sigalgs: any,
  ALPNCallback: ofServers,
  ALPNProtocols: refused('is made of protocols'),
  SNICallback: ofServers,
  dhparam: ofServers,
  honorCipherOrder: ofServers,
  lookup: belowTls,
  path: fromOpen,
  port: fromOpen,
  requestCert: ofServers,
  sessionIdContext: ofServers,
  sessionTimeout: ofServers,
  socket: existing,
  ticketKeys: ofServers,
  timeout: silent,
} satisfies Every<ConnectionOptions>
const tlsOpts = options({ ...tlsEntries, allowHalfOpen: belowTls, requestOCSP: v.optional(flag) })

const bareProtocol = v.picklist(
  ['http', 'http2'],
  "must be 'http', 'http2', ['http', httpOpts] or ['http2', http2Opts]",
)
const httpWithOpts = v.strictTuple([v.literal('http'), httpOpts])
const http2WithOpts = v.strictTuple([v.literal('http2'), http2Opts])
/** Not a union, whose issue would not say which of the protocol's options is wrong. */
const protocol = v.lazy(value => {
  if (!Array.isArray(value) || value.length !== 2) return bareProtocol
  return value[0] === 'http' ? httpWithOpts : value[0] === 'http2' ? http2WithOpts : bareProtocol
})
const protocols = v.pipe(
  v.array(protocol, 'must be an array'),
  v.minLength(1, 'must name at least one protocol'),
  v.check(given => new Set(given.map(nameOf)).size === given.length, 'must name each protocol once'),
)
const nameOf = (given: unknown) => (Array.isArray(given) ? given[0] : given)

const trace = v.custom<NonNullable<Opts['trace']>>(
  value => typeof value === 'boolean' || typeof value === 'function',
  'must be a boolean or a function',
)

const elsewhere = [
  ...namesIn('httpOpts', httpOpts),
  ...namesIn('http2Opts', http2Opts),
  ...namesIn('wsOpts', wsOpts),
]

const opts = options(
  {
    connectTimeout: v.optional(duration),
    cookieStore: v.optional(cookieStore),
    domainLookupTimeout: v.optional(duration),
    eventHandler: v.optional(eventHandler),
    httpOpts: v.optional(httpOpts),
    http2Opts: v.optional(http2Opts),
    owner: v.optional(owner),
    protocols: v.optional(protocols),
    retry: v.optional(count),
    retryFun: v.optional(fun),
    retryTimeout: v.optional(finiteDuration),
    tcpOpts: v.optional(tcpOpts),
    tlsOpts: v.optional(tlsOpts),
    tlsHandshakeTimeout: v.optional(duration),
    trace: v.optional(trace),
    transport: v.optional(v.picklist(['tcp', 'tls'], "must be 'tcp' or 'tls'")),
    wsOpts: v.optional(wsOpts),
  },
  elsewhere,
)

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

/** Throws a GunError `bad_option` where nothing can choose between the protocols. */
export function checkChoice(protocols: readonly unknown[], transport: 'tcp' | 'tls'): void {
  if (transport === 'tls' || protocols.length === 1) return
  throw new GunError('bad_option', 'options', 'protocols must name exactly one protocol over tcp')
}

/** Throws a GunError `bad_option` for what would be given in vain: options of TLS, or of tcp, where there is none. */
export function checkUses(given: Opts, transport: 'tcp' | 'tls', isUnix: boolean): void {
  const refuse = (text: string) => {
    throw new GunError('bad_option', 'options', text)
  }
  // Named, it may be one of several that are given the same options.
  if (given.tlsOpts !== undefined && transport === 'tcp' && given.transport === undefined) {
    refuse("tlsOpts are given, but not that TLS is spoken: say transport: 'tls', or 'tcp' if it is not")
  }
  if (!isUnix) return
  for (const [name, value] of Object.entries(given.tcpOpts ?? {})) {
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

/** Throws a RangeError unless it is a time that can be waited. */
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

/** Whether it takes messages and ends, as an owner must. */
export function isOwner(value: unknown): value is Owner {
  return canSend(value) && (onExit in value || isActorRef(value))
}

/** What a retryFun gave, if it is usable. */
export function isRetry(value: unknown): value is Retry {
  return v.is(v.object({ retries: count, timeout: finiteDuration }), value)
}
