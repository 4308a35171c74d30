/** The options of this package: their types and their defaults. */

import type { MonitorRef } from '@holster/process'
import type { ContentHandler } from './content/contract.js'
import type { CookieStore } from './cookies.js'
import type { EventHandler } from './event-map.js'
import type { Headers, ProtocolName } from './messages.js'
import type { Owner, ReplyTo } from './reply-to.js'
import type { TcpOpts, TlsOpts } from './socket-options.js'
import type { WsHandler } from './ws/handler.js'

export type { TcpOpts, TlsOpts } from './socket-options.js'

/** Options of HTTP/1.1. */
export interface HttpOpts {
  /**
   * How long the rest of a cancelled response may take once its turn has come, in milliseconds. When that time is over the
   * connection is closed, so that a request that hangs does not hold up those behind it for ever. Default 5000.
   */
  readonly cancelTimeout?: number
  /** How long a graceful shutdown waits for responses, in milliseconds. Default 15000. */
  readonly closingTimeout?: number
  /** What is made of the bodies of responses, the first to see them first. Default: none, bodies come as `gun_data`. */
  readonly contentHandlers?: readonly ContentHandler[]
  /** Whether cookies in informational responses are ignored. Default `false`. */
  readonly cookieIgnoreInformational?: boolean
  /**
   * How many messages of its body a response may post before `updateFlow` asks for more; what the peer sends beyond is
   * not read. Default `Infinity`: off.
   */
  readonly flow?: number
  /** Milliseconds between the empty lines that are sent while nothing is under way. Default `Infinity`: none. */
  readonly keepalive?: number
  /** The most bytes that the head of a response may have. Default 100000. Beyond: `limit_reached`. */
  readonly maxHeaderBlockSize?: number
  /** The most bytes that the trailers of a response may have. Default 10000. Beyond: `limit_reached`. */
  readonly maxTrailerBlockSize?: number
  /**
   * How many requests may be under way at once: sent, and not answered yet in full. The others wait, in order, and nothing of
   * them is sent. 1 sends each request when the response before it is complete. Default `Infinity`: each is sent at once, as
   * Gun does (RFC 9112 section 9.3.2).
   */
  readonly pipelining?: number
  /**
   * Gives the name under which a header is sent; it gets it in lower case. Default: as it is. If it throws, or gives what
   * is no header name, the request is not sent, and its stream ends with `bad_option`; trailers are not sent either, and the
   * body goes on.
   */
  readonly transformHeaderName?: (name: string) => string
  /** The version that requests state. Over `'HTTP/1.0'` there is no upgrade. Default `'HTTP/1.1'`. */
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1'
}

/** Options of HTTP/2. What else Gun can set is Node's to decide, and refused by name. */
export interface Http2Opts {
  /** How long a graceful shutdown, ours or the server's, waits for responses, in milliseconds. Default 15000. */
  readonly closingTimeout?: number
  /** As in `httpOpts`. */
  readonly contentHandlers?: readonly ContentHandler[]
  /** As in `httpOpts`. */
  readonly cookieIgnoreInformational?: boolean
  /** As in `httpOpts`; the windows of HTTP/2 make the server wait, and other streams go on. */
  readonly flow?: number
  /** Milliseconds between the pings that are sent by themselves. Default `Infinity`: none. */
  readonly keepalive?: number
  /**
   * How many of these pings in a row may go unanswered. With the next one due the connection is lost, with
   * `keepalive_timeout`. Default `Infinity`: off.
   */
  readonly keepaliveTolerance?: number
  /** Whether the owner gets a `gun_notify` `'settings_changed'` each time that the server states its settings. Default `false`. */
  readonly notifySettingsChanged?: boolean
  /** Whether the server may push (SETTINGS_ENABLE_PUSH). Default `true`. */
  readonly enablePush?: boolean
  /** Sent as it is (SETTINGS_ENABLE_CONNECT_PROTOCOL); from a client it means nothing. Default: not sent. */
  readonly enableConnectProtocol?: boolean
  /** How many bytes the server may send ahead on all streams together; 65535 to 2147483647. Default 8 MiB. */
  readonly initialConnectionWindowSize?: number
  /**
   * How many bytes the server may send ahead on one stream; 0 to 2147483647. As many may wait here when nobody reads the
   * stream. Default 1 MiB.
   */
  readonly initialStreamWindowSize?: number
  /**
   * How many streams the server may have open by pushing (SETTINGS_MAX_CONCURRENT_STREAMS). Node counts our own as well.
   * Default 100.
   */
  readonly maxConcurrentStreams?: number
  /** How many bytes the table of known headers may have that the server makes (SETTINGS_HEADER_TABLE_SIZE). Default 4096. */
  readonly maxDecodeTableSize?: number
  /** The same for the one that is made here, as far as the server allows it. Default 4096. */
  readonly maxEncodeTableSize?: number
  /** The most bytes that a frame of the server may hold; 16384 to 16777215. Default 16384. */
  readonly maxFrameSizeReceived?: number
  /**
   * The most bytes that the headers, or the trailers, of a response may have, with 32 more for each field
   * (SETTINGS_MAX_HEADER_LIST_SIZE). Beyond: `limit_reached` for that stream, and for the connection where the frames of
   * one header block have more than twice as many bytes and 16 KiB. Default 100000.
   */
  readonly maxHeaderListSize?: number
  /** How long the server's first SETTINGS may take, in milliseconds. Default 5000. */
  readonly prefaceTimeout?: number
  /** How long the server may take to acknowledge ours, in milliseconds. Default 5000. */
  readonly settingsTimeout?: number
}

/** How messages are compressed (RFC 7692). Over the wire: permessage-deflate. */
export interface CompressOpts {
  /** Asks the server to compress each message by itself, which takes less memory here. Default `false`. */
  readonly serverNoContextTakeover?: boolean
  /** Compresses each message by itself, which takes less memory there. Default `false`. */
  readonly clientNoContextTakeover?: boolean
  /**
   * Asks the server to use a window of at most 2 to that power bytes; 8 to 15. A server that agrees without a word of it
   * may use the largest. Default: not asked.
   */
  readonly serverMaxWindowBits?: number
  /** The same for what is sent; the server may ask for less. Default 15. */
  readonly clientMaxWindowBits?: number
  /** Messages of fewer bytes are sent as they are. Default 1024. */
  readonly threshold?: number
  /** zlib's level, 0 to 9: the higher the smaller and slower. Default 6. */
  readonly level?: number
  /** How much memory zlib may take to compress, 1 to 9. Default 8. */
  readonly memLevel?: number
}

/** How an upgrade that had succeeded before is asked for again where the server refuses it. */
export interface ReupgradeOpts {
  /**
   * The statuses that are no final refusal, or a function that says so of one; what it throws goes to the exit hook, and
   * counts as `false`. Default: 426, 429, 502, 503 and 504.
   */
  readonly statuses?: readonly number[] | ((status: number, headers: Headers) => boolean)
  /**
   * How long to wait after the first refusal, in milliseconds; twice as long after each that follows, and 0.5 to 1.5 times
   * that by chance. Default 1000.
   */
  readonly minDelay?: number
  /**
   * The most that this grows to, in milliseconds, and the most that a `retry-after` of the server's counts for: where there is
   * one, the wait is as long, and by chance up to as long again as it would be without. Default 60000.
   */
  readonly maxDelay?: number
  /** After how many refusals in a row the next is final. Default `Infinity`. */
  readonly attempts?: number
}

/** Options of WebSocket: for all upgrades of a connection in `open`, for one in `wsUpgrade`, whose keys win. */
export interface WsOpts {
  /** How long the peer may take to answer a close frame, and to close the connection, in milliseconds. Default 15000. */
  readonly closingTimeout?: number
  /** Offers to compress messages. A server that declines is spoken to without. Default `false`. */
  readonly compress?: boolean | CompressOpts
  /** What is made of frames where the server chose no subprotocol of `protocols`. Default: `gun_ws` of each. */
  readonly defaultProtocol?: WsHandler<unknown, never>
  /**
   * How many messages the stream may post before `updateFlow` asks for more; what the peer sends beyond is not read.
   * What has been read is handed on all the same once a close frame was sent or the connection broke. Default
   * `Infinity`: off.
   */
  readonly flow?: number
  /** As in the options of a request. */
  readonly invalidRequestHeaders?: 'raise' | 'ignore'
  /** Milliseconds between the pings that are sent by themselves. Default `Infinity`: none. */
  readonly keepalive?: number
  /**
   * How many of these pings in a row may go unanswered, also those that wait behind other bytes to be sent. With the
   * next one due the connection is lost, with `keepalive_timeout`. Only pongs are answers, and none can come within a
   * message: give large ones time. While a mailbox or `flow` holds up reading, none counts. Default `Infinity`: off.
   */
  readonly keepaliveTolerance?: number
  /** The most bytes a message may have. Default 100 MiB. Beyond: `limit_reached`, close code 1009. */
  readonly maxPayload?: number
  /** The most fragments a message may have. Default 1048576. Beyond: `limit_reached`, close code 1008. */
  readonly maxFragments?: number
  /** The subprotocols that are asked for, the preferred one first, and what is made of their frames. Default: none. */
  readonly protocols?: readonly (readonly [name: string, handler: WsHandler<unknown, never>])[]
  /** Whom the stream replies to. Default: the owner. */
  readonly replyTo?: ReplyTo
  /**
   * Whether the upgrade is asked for again, with the same path, headers and streamRef, on each connection that follows
   * one on which it had succeeded. A server that restarts may refuse it for a while: `true` stands for the defaults of
   * `ReupgradeOpts`, by which such an upgrade is asked for later, and each refusal is told with a `gun_notify`
   * `'upgrade_refused'`. Any other refusal comes as it is, and is the end. One connection that is lost before the server has sent anything, and
   * within `retryTimeout`, counts as a retry that failed. Frames are never sent again. Default `false`.
   */
  readonly reupgrade?: boolean | ReupgradeOpts
  /**
   * How many bytes may wait to be sent before `wsSend` gives `false`; a `gun_notify` `'drain'` follows when no more
   * than half of that does. Default 1 MiB.
   */
  readonly sendHighWaterMark?: number
  /** Whether pings and pongs are kept from the mailbox. A ping is answered either way. Default `true`. */
  readonly silencePings?: boolean
  /** For the subprotocol's handler, which gets all these options. */
  readonly userOpts?: unknown
}

/** Options of one request. */
export interface ReqOpts {
  /** How many messages of its body the response may post, see `httpOpts.flow`, which is the default. */
  readonly flow?: number
  /**
   * `'ignore'` sends header values and the path unchecked, control characters included, at your own risk; only a
   * character beyond U+00FF, which is no octet, is a TypeError. Default `'raise'`: a TypeError.
   */
  readonly invalidRequestHeaders?: 'raise' | 'ignore'
  /** Whom the stream replies to. Default: the owner. A function or an actor runs within the sender: keep it short. */
  readonly replyTo?: ReplyTo
  /**
   * How many bytes of a body that follows may wait to be sent before `data` gives `false`; a `gun_notify` `'drain'` follows
   * when no more than half of that does. Default: none, so `data` always gives `true`, and no `'drain'` is posted.
   */
  readonly sendHighWaterMark?: number
}

/** Options of `await` and `awaitUp`. */
export interface AwaitOpts {
  /** Milliseconds; `0` looks once, `Infinity` waits for ever. Default 5000. */
  readonly timeout?: number
  /** A monitor of the connection that was set before. Default: one is made for the call, and gone afterwards. */
  readonly monitorRef?: MonitorRef
  /** Gives up when it aborts: rejects with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal
}

/** Options of `awaitBody` and `awaitResponse`. */
export interface AwaitBodyOpts extends AwaitOpts {
  /**
   * How many bytes the body may have, as they are posted: behind content handlers. Beyond: `limit_reached`, and the stream is
   * cancelled and flushed. Default 268435456: 256 MiB.
   */
  readonly maxBodySize?: number
}

/** The answer of a `retryFun`: how many retries are left after the next, and how long to wait for it. */
export interface Retry {
  /** How many retries are left after the next; 0: it is the last. */
  readonly retries: number
  /** Milliseconds. */
  readonly timeout: number
}

/** A protocol, bare or with options of its own. */
export type ProtocolInit = 'http' | 'http2' | readonly ['http', HttpOpts] | readonly ['http2', Http2Opts]

/** Options of `open` and `openUnix`. Times are milliseconds. */
export interface Opts {
  /** How long it may take to connect to any of the host's addresses. Default `Infinity`. */
  readonly connectTimeout?: number
  /** Asked for the cookies of each request and given those of each response; a tough-cookie `CookieJar`, for example. Default: none. */
  readonly cookieStore?: CookieStore
  /** How long one look-up of the host name may take. Default `Infinity`. */
  readonly domainLookupTimeout?: number
  /** Gets to know what happens on the connection, as it happens. */
  readonly eventHandler?: EventHandler
  /** Options of HTTP/1.1; those given in `protocols` win. */
  readonly httpOpts?: HttpOpts
  /** Options of HTTP/2; those given in `protocols` win. */
  readonly http2Opts?: Http2Opts
  /**
   * Who owns the connection. Default: a process made for it, which `connPid.owner` gives. What ends such a connection for good
   * is reported through the exit hook, unless somebody monitors the connection or takes its `gun_error`.
   */
  readonly owner?: Owner
  /**
   * What to speak, the preferred one first: over tls ALPN offers it and the server chooses (HTTP/1.1 if it knows no ALPN,
   * unless only one is given); over tcp it must be exactly one. Default: tcp `['http']`, tls `['http2', 'http']`.
   */
  readonly protocols?: readonly ProtocolInit[]
  /**
   * How many attempts follow when the connection is lost or cannot be made; none behind an error that
   * `isPermanent`. They are counted anew behind each connection
   * that was of use: on which a response had begun, a ping was answered or a WebSocket's frame had come, or which had lasted
   * `retryTimeout`. Any other counts as an attempt that failed. Default 5.
   */
  readonly retry?: number
  /**
   * Decides about each retry, and its times are used as they are. Default: one less each time. The first comes at once where
   * the connection could not be made, and after a random part of a second, or of `retryTimeout` if that is less, where it
   * had been up, so that not all clients of a server come back in one instant. The others follow after 0.5 to 1.5 times
   * `retryTimeout`, by chance (`Math.random`); so do all of infinitely many that have brought nothing.
   */
  readonly retryFun?: (retriesLeft: number, opts: Opts) => Retry
  /** About the time between attempts, see `retryFun`. Default 5000. */
  readonly retryTimeout?: number
  /** Options of the socket. Over a Unix socket there is only `allowHalfOpen`. */
  readonly tcpOpts?: TcpOpts
  /**
   * Passed to TLS; for example `ca`. The peer is verified unless this says otherwise. A `checkServerIdentity` or
   * `pskCallback` that throws, or gives what it must not, ends the connection with `bad_option`. Refused where neither
   * `transport` nor the port says that TLS is spoken.
   */
  readonly tlsOpts?: TlsOpts
  /** How long the TLS handshake may take. Default `Infinity`. */
  readonly tlsHandshakeTimeout?: number
  /**
   * Writes a transcript of the connection, a line for each state, event and message: to the standard error, or to the
   * function, and what that throws, or rejects with, goes to the exit hook. Long values are shortened; bytes, `tlsOpts`, and what the
   * names of headers, options and parts of a query say to be secret are left out. The text of frames is not. Default
   * `false`.
   */
  readonly trace?: boolean | ((line: string) => void)
  /** Default: `'tls'` for port 443, otherwise `'tcp'`. */
  readonly transport?: 'tcp' | 'tls'
  /** Options of all upgrades; those given to `wsUpgrade` win. */
  readonly wsOpts?: WsOpts
}

/** Header names are sent as they are. */
export const unchanged = (name: string): string => name

export const HTTP_DEFAULTS: Required<HttpOpts> = {
  cancelTimeout: 5000,
  closingTimeout: 15000,
  contentHandlers: [],
  cookieIgnoreInformational: false,
  flow: Number.POSITIVE_INFINITY,
  keepalive: Number.POSITIVE_INFINITY,
  maxHeaderBlockSize: 100000,
  maxTrailerBlockSize: 10000,
  pipelining: Number.POSITIVE_INFINITY,
  transformHeaderName: unchanged,
  version: 'HTTP/1.1',
}

export const HTTP2_DEFAULTS = {
  closingTimeout: 15000,
  contentHandlers: [] as readonly ContentHandler[],
  cookieIgnoreInformational: false,
  flow: Number.POSITIVE_INFINITY,
  keepalive: Number.POSITIVE_INFINITY,
  keepaliveTolerance: Number.POSITIVE_INFINITY,
  notifySettingsChanged: false,
  enablePush: true,
  enableConnectProtocol: undefined as boolean | undefined,
  initialConnectionWindowSize: 8 * 1024 * 1024,
  initialStreamWindowSize: 1024 * 1024,
  maxConcurrentStreams: 100,
  maxDecodeTableSize: 4096,
  maxEncodeTableSize: 4096,
  maxFrameSizeReceived: 16384,
  maxHeaderListSize: 100000,
  prefaceTimeout: 5000,
  settingsTimeout: 5000,
}

export const WS_DEFAULTS = {
  closingTimeout: 15000,
  flow: Number.POSITIVE_INFINITY,
  keepalive: Number.POSITIVE_INFINITY,
  keepaliveTolerance: Number.POSITIVE_INFINITY,
  maxPayload: 100 * 1024 * 1024,
  maxFragments: 1024 * 1024,
  sendHighWaterMark: 1024 * 1024,
  silencePings: true,
} satisfies WsOpts

export const AWAIT_DEFAULTS = { timeout: 5000, maxBodySize: 256 * 1024 * 1024 } as const

export const REUPGRADE_DEFAULTS = {
  statuses: [426, 429, 502, 503, 504] as readonly number[],
  minDelay: 1000,
  maxDelay: 60000,
  attempts: Number.POSITIVE_INFINITY,
} satisfies ReupgradeOpts

export const RETRY_DEFAULTS = { retry: 5, retryTimeout: 5000 } as const

/** One over the other. What is `undefined` was not given. */
export function merge<T extends object>(lower: T, upper: Partial<T> | undefined): T {
  if (upper === undefined) return lower
  const given = Object.entries(upper).filter(([, value]) => value !== undefined)
  return { ...lower, ...Object.fromEntries(given) }
}

/** The options of HTTP/1.1 for a connection: what `protocols` says wins over `httpOpts`. */
export function httpOptsOf(given: Opts): Required<HttpOpts> {
  return merge(merge(HTTP_DEFAULTS, given.httpOpts), ownOpts(given, 'http'))
}

/** The options of HTTP/2 for a connection: what `protocols` says wins over `http2Opts`. */
export function http2OptsOf(given: Opts): typeof HTTP2_DEFAULTS {
  return merge(merge(HTTP2_DEFAULTS, given.http2Opts), ownOpts(given, 'http2'))
}

function ownOpts(given: Opts, protocol: ProtocolName): object | undefined {
  for (const one of given.protocols ?? []) if (typeof one !== 'string' && one[0] === protocol) return one[1]
  return undefined
}

/** What may be spoken, the preferred one first. */
export function protocolsOf(given: Opts, transport: 'tcp' | 'tls'): readonly ProtocolName[] {
  if (given.protocols === undefined) return transport === 'tls' ? ['http2', 'http'] : ['http']
  return given.protocols.map(one => (typeof one === 'string' ? one : one[0]))
}
