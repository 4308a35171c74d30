/** The options of HTTP/1.1, of HTTP/2, and of one request over either. */

import type { ReplyTo } from '../messages.js'
import type { ContentHandler } from './content-handler.js'

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
