/** The options of HTTP/1.1, of HTTP/2, and of one request over either. */

import type { StreamRef } from '../handles.js'
import type { ReplyTo } from '../messages.js'
import type { ContentHandler } from './content-handler.js'

/** Options of HTTP/1.1. */
export interface HttpOpts {
  /**
   * How long the rest of a cancelled response may take once its turn has come, in milliseconds. Then the
   * connection is closed, so that a request that hangs does not hold up the requests behind it for ever.
   * Default 5000.
   */
  readonly cancelTimeout?: number
  /** How long a graceful shutdown waits for responses, in milliseconds. Default 15000. */
  readonly closingTimeout?: number
  /**
   * The handlers of response bodies; each sees a body before those behind it in the list. Default: none,
   * bodies are posted as `gun_data`.
   */
  readonly contentHandlers?: readonly ContentHandler[]
  /** Whether cookies in informational responses are ignored. Default `false`. */
  readonly cookieIgnoreInformational?: boolean
  /**
   * How many messages of its body a response may post before `updateFlow` asks for more; until then no more
   * is read from the peer. Default `Infinity`: no limit.
   */
  readonly flow?: number
  /**
   * The interval between empty lines sent on an idle connection, in milliseconds. Default `Infinity`: none.
   */
  readonly keepalive?: number
  /**
   * The most bytes that the head of a response may have, and the empty lines before it; more end it with `limit_reached`.
   * Default 100000.
   */
  readonly maxHeaderBlockSize?: number
  /**
   * The most bytes that the trailers of a response may have; more end it with `limit_reached`. Default 10000.
   */
  readonly maxTrailerBlockSize?: number
  /**
   * How many requests may be under way at once, that is, sent but not yet answered in full. Further requests
   * wait, in order and unsent. With 1 each request is sent when the response before it is complete. Default
   * `Infinity`: each request is sent at once, as in Gun (RFC 9112 section 9.3.2).
   */
  readonly pipelining?: number
  /**
   * Returns the name under which a header is sent, given its lower-case name. If the function throws or
   * returns a value that is not a header name, the request is not sent and its stream ends with `bad_option`;
   * trailers are not sent either, and their body continues. Default: the name is not changed.
   */
  readonly transformHeaderName?: (name: string) => string
  /** The version stated in requests. `'HTTP/1.0'` has no upgrade. Default `'HTTP/1.1'`. */
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1'
}

/** Options of HTTP/2. All sizes are in bytes. */
export interface Http2Opts {
  /**
   * How long a graceful shutdown, begun by this side or by the server, waits for responses, in milliseconds.
   * Default 15000.
   */
  readonly closingTimeout?: number
  /** Same as in `httpOpts`. */
  readonly contentHandlers?: readonly ContentHandler[]
  /** Same as in `httpOpts`. */
  readonly cookieIgnoreInformational?: boolean
  /**
   * Same as in `httpOpts`, except that the windows of HTTP/2 make the server wait, so that other streams
   * continue.
   */
  readonly flow?: number
  /** The interval between automatic pings, in milliseconds. Default `Infinity`: no pings. */
  readonly keepalive?: number
  /**
   * How many automatic pings may be under way without an answer; each answer takes one off, so that a peer
   * whose answers lag more and more is found as well. When the next ping is due and so many are, the connection
   * is lost with `keepalive_timeout`. Default `Infinity`: no limit.
   */
  readonly keepaliveTolerance?: number
  /**
   * Whether the owner gets a `gun_notify` `'settings_changed'` each time the server sends its settings.
   * Default `false`.
   */
  readonly notifySettingsChanged?: boolean
  /** Whether the server may push (SETTINGS_ENABLE_PUSH). Default `true`. */
  readonly enablePush?: boolean
  /**
   * The value of SETTINGS_ENABLE_CONNECT_PROTOCOL to send; from a client this setting has no meaning.
   * Default: not sent.
   */
  readonly enableConnectProtocol?: boolean
  /**
   * How many bytes the server may send ahead on all streams together; 65535 to 2147483647. Default 8388608
   * (8 MiB).
   */
  readonly initialConnectionWindowSize?: number
  /**
   * How many bytes the server may send ahead on one stream; 0 to 2147483647. As many bytes may be kept in
   * memory while nobody reads the stream. Default 1048576 (1 MiB).
   */
  readonly initialStreamWindowSize?: number
  /**
   * How many bytes beyond `initialConnectionWindowSize` the connection's window is opened to when it is opened
   * again, as far as `maxConnectionWindowSize` allows. Default 0.
   */
  readonly connectionWindowMarginSize?: number
  /**
   * The connection's window is opened again once no more than this is left of it. Default: half of
   * `initialConnectionWindowSize`.
   */
  readonly connectionWindowUpdateThreshold?: number
  /** The largest size of the connection's window. Default 2147483647. */
  readonly maxConnectionWindowSize?: number
  /**
   * How many bytes beyond `initialStreamWindowSize` a stream's window is opened to when it is opened again, as
   * far as `maxStreamWindowSize` allows. Default 0.
   */
  readonly streamWindowMarginSize?: number
  /**
   * A stream's window is opened again once no more than this is left of it, the bytes that nobody has taken
   * yet not counted as left. Default: half of `initialStreamWindowSize`.
   */
  readonly streamWindowUpdateThreshold?: number
  /** The largest size of a stream's window. Default 2147483647. */
  readonly maxStreamWindowSize?: number
  /**
   * While the server's window for a stream is smaller than this, and than its size at the start, no part of a
   * body is sent unless all that waits fits in. Default 0: as many bytes are sent as the window allows.
   */
  readonly streamWindowDataThreshold?: number
  /**
   * How many pushed streams the server may have open (SETTINGS_MAX_CONCURRENT_STREAMS); a push beyond is
   * refused. `Infinity`: not limited. Default 100.
   */
  readonly maxConcurrentStreams?: number
  /**
   * The most bytes of the header table that the server's encoder may use (SETTINGS_HEADER_TABLE_SIZE).
   * Default 4096.
   */
  readonly maxDecodeTableSize?: number
  /** The most bytes of our encoder's header table, as far as the server allows. Default 4096. */
  readonly maxEncodeTableSize?: number
  /**
   * The most bytes that the frames of one header block of the server may hold; 16384 to 2147483647. More end
   * the connection with `limit_reached`. Default: twice `maxHeaderListSize` and 16 KiB.
   */
  readonly maxFragmentedHeaderBlockSize?: number
  /** The most bytes that a frame of the server may hold; 16384 to 16777215. Default 16384. */
  readonly maxFrameSizeReceived?: number
  /**
   * The most bytes that a frame of ours may hold, as far as the server allows; 16384 to 16777215. Default
   * `Infinity`: as many as the server allows.
   */
  readonly maxFrameSizeSent?: number
  /**
   * The most bytes that the headers or trailers of a response may have, counting 32 more for each field
   * (SETTINGS_MAX_HEADER_LIST_SIZE). More bytes end the stream with `limit_reached`. Default 100000.
   */
  readonly maxHeaderListSize?: number
  /** How long the server's first SETTINGS may take, in milliseconds. Default 5000. */
  readonly prefaceTimeout?: number
  /** How long the server may take to acknowledge our SETTINGS, in milliseconds. Default 5000. */
  readonly settingsTimeout?: number
}

/** Options of one request. */
export interface ReqOpts {
  /** How many messages of its body the response may post, see `httpOpts.flow`, which is the default. */
  readonly flow?: number
  /**
   * With `'ignore'` header values and the path are sent unchecked, control characters included, at the
   * caller's risk; only a character beyond U+00FF, which is not an octet, is still a TypeError. Default
   * `'raise'`: any invalid character is a TypeError.
   */
  readonly invalidRequestHeaders?: 'raise' | 'ignore'
  /**
   * The recipient of the stream's messages. Default: the owner. A function or an actor runs within the
   * connection's own work, so it should be short. Where the connection is on another node it must be a process or an actor.
   */
  readonly replyTo?: ReplyTo
  /**
   * How many bytes of a body sent with `data` may wait to be sent before `data` returns `false`. A
   * `gun_notify` `'drain'` follows when no more than half of that waits. Default: no limit; `data` then
   * returns `true` whenever it took the bytes, and no `'drain'` is posted.
   */
  readonly sendHighWaterMark?: number
  /**
   * The tunnel through which the request is sent: the stream of a `connect`. Default: none, the request is for the
   * other end of the connection.
   */
  readonly tunnel?: StreamRef
}

/** Options of one ping. */
export interface PingOpts {
  /** The recipient of the answer. Default: the owner. */
  readonly replyTo?: ReplyTo
  /** The tunnel whose other end is pinged: the stream of a `connect`. Default: none, the connection is pinged. */
  readonly tunnel?: StreamRef
}

/** Returns the header name unchanged: the default of `transformHeaderName`. */
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
  connectionWindowMarginSize: 0,
  connectionWindowUpdateThreshold: undefined as number | undefined,
  initialConnectionWindowSize: 8 * 1024 * 1024,
  initialStreamWindowSize: 1024 * 1024,
  maxConnectionWindowSize: 2147483647,
  maxStreamWindowSize: 2147483647,
  streamWindowDataThreshold: 0,
  streamWindowMarginSize: 0,
  streamWindowUpdateThreshold: undefined as number | undefined,
  maxConcurrentStreams: 100,
  maxDecodeTableSize: 4096,
  maxEncodeTableSize: 4096,
  maxFragmentedHeaderBlockSize: undefined as number | undefined,
  maxFrameSizeReceived: 16384,
  maxFrameSizeSent: Number.POSITIVE_INFINITY,
  maxHeaderListSize: 100000,
  prefaceTimeout: 5000,
  settingsTimeout: 5000,
}

/** The options of HTTP/2 with their defaults filled in. */
export type Http2Settings = typeof HTTP2_DEFAULTS
