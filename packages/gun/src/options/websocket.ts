/** The options of WebSocket, and the contract of a subprotocol's handler, which callers implement. */

import type { Pid } from '@holster/process'
import type { StreamRef } from '../handles.js'
import type { GunMessage, ReplyTo } from '../messages.js'
import type { Headers, WsFrameIn } from '../words.js'

/**
 * Processes the frames of a subprotocol; given in `wsOpts.protocols` or `wsOpts.defaultProtocol`. If a method
 * throws, the connection ends with `handler_error`; if the method is `handle`, the peer gets close code 1011.
 * Neither method is awaited: a `handle` that returns a promise counts as one that throws. Source:
 * manual page gun_ws_protocol.
 */
export interface WsHandler<State = unknown, Message = GunMessage> {
  /**
   * Called when the upgrade has succeeded, before `gun_upgrade` is posted. Returns the state that `handle`
   * gets, which may be changed in place. Messages sent to `replyTo` go to the stream's recipient and count
   * against its mailbox's high-water mark. `headers` are the response's. A promise is a state like any other;
   * if it rejects, the handler counts as having thrown in `handle`.
   */
  init(replyTo: Pid<Message>, streamRef: StreamRef, headers: Headers, opts: WsOpts): State
  /**
   * Called for each whole message and control frame, in order; pings have already been answered. Returns how
   * many messages it sent to `replyTo` for the frame, which is the amount deducted from the stream's `flow`.
   */
  handle(frame: WsFrameIn, state: State): number
}

/** Options of compression by permessage-deflate (RFC 7692). */
export interface CompressOpts {
  /**
   * Asks the server to compress each message by itself. Such messages are inflated in a context that all connections of
   * the program share, instead of 40 KB for each connection. Default `false`.
   */
  readonly serverNoContextTakeover?: boolean
  /**
   * Compresses each message by itself, in a context that all connections of the program share, instead of 260 KB for each
   * connection with the default `memLevel`; the server needs less as well. Small messages become longer, since none
   * refers to those before it. Default `false`: the server decides.
   */
  readonly clientNoContextTakeover?: boolean
  /**
   * Asks the server to use a window of at most 2 to that power bytes; 8 to 15. A server that accepts
   * compression without repeating the parameter may still use the largest window. Default: no request.
   */
  readonly serverMaxWindowBits?: number
  /** The same limit for messages sent from here; the server may ask for less. Default 15. */
  readonly clientMaxWindowBits?: number
  /**
   * The size in bytes from which a message is compressed; smaller ones are sent as they are. Default 1024.
   */
  readonly threshold?: number
  /** The compression level of zlib, 0 to 9; a higher level compresses better and slower. Default 6. */
  readonly level?: number
  /** How much memory zlib may use to compress, 1 to 9. Default 8. */
  readonly memLevel?: number
}

/**
 * How an upgrade that had succeeded on an earlier connection is requested again when the server refuses it.
 */
export interface ReupgradeOpts {
  /**
   * The statuses that are not a final refusal, or a function that decides about one status. If the function
   * throws, the error goes to the exit hook and the result counts as `false`. Default: 426, 429, 502, 503 and
   * 504.
   */
  readonly statuses?: readonly number[] | ((status: number, headers: Headers) => boolean)
  /**
   * The delay after the first refusal, in milliseconds. The delay doubles with each further refusal, and is
   * multiplied by a random factor of 0.5 to 1.5. Default 1000.
   */
  readonly minDelay?: number
  /**
   * The upper limit of the doubled delay and of the server's `retry-after`, in milliseconds. Where the server
   * sent `retry-after`, the delay is that time plus a random part of the doubled delay. Default 60000.
   */
  readonly maxDelay?: number
  /** How many refusals in a row are tolerated; the next one is final. Default `Infinity`. */
  readonly attempts?: number
}

/**
 * Options of WebSocket: in `open` for all upgrades of the connection, in `wsUpgrade` for one upgrade, whose
 * keys win.
 */
export interface WsOpts {
  /**
   * How long the peer may take to answer a close frame and to close the connection, in milliseconds. Default
   * 15000.
   */
  readonly closingTimeout?: number
  /**
   * Whether compression is offered, or with which options. If the server declines, messages are not
   * compressed. Default `false`.
   */
  readonly compress?: boolean | CompressOpts
  /** The handler used if the server chose none of `protocols`. Default: each frame is posted as `gun_ws`. */
  readonly defaultProtocol?: WsHandler<unknown, never>
  /**
   * How many messages the stream may post before `updateFlow` asks for more; until then no more is read from
   * the peer. Frames that were already read are still delivered after a close frame was sent or the
   * connection broke. Default `Infinity`: no limit.
   */
  readonly flow?: number
  /** Same as in the options of a request. */
  readonly invalidRequestHeaders?: 'raise' | 'ignore'
  /** The interval between automatic pings, in milliseconds. Default `Infinity`: no pings. */
  readonly keepalive?: number
  /**
   * How many automatic pings in a row may go unanswered, including pings that still wait behind other bytes
   * to be sent. When the next ping is due, the connection is lost with `keepalive_timeout`. Only pongs count
   * as answers, and none can arrive in the middle of a message, so allow time for large ones. While a mailbox
   * or `flow` holds up reading, unanswered pings do not count. Default `Infinity`: no limit.
   */
  readonly keepaliveTolerance?: number
  /**
   * The most bytes a message may have. A larger message ends the WebSocket with `limit_reached` and close
   * code 1009. Default 104857600 (100 MiB).
   */
  readonly maxPayload?: number
  /**
   * The most fragments a message may have. More fragments end the WebSocket with `limit_reached` and close
   * code 1008. Default 1048576.
   */
  readonly maxFragments?: number
  /** The subprotocols to request, in order of preference, each with its handler. Default: none. */
  readonly protocols?: readonly (readonly [name: string, handler: WsHandler<unknown, never>])[]
  /** The recipient of the stream's messages. Default: the owner. */
  readonly replyTo?: ReplyTo
  /**
   * Whether the upgrade is requested again, with the same path, headers and streamRef, on each connection
   * that follows one on which it had succeeded. Frames are never sent again.
   *
   * A server that restarts may refuse the upgrade for a while. With `true` or `ReupgradeOpts` (`true` stands
   * for its defaults) such an upgrade is requested again later, and each refusal posts a `gun_notify`
   * `'upgrade_refused'`. Any other refusal is delivered as usual and ends the stream.
   *
   * A connection that is lost before the server has sent anything on the WebSocket, and within
   * `retryTimeout`, counts as a failed retry. Default `false`.
   */
  readonly reupgrade?: boolean | ReupgradeOpts
  /**
   * How many bytes may wait to be sent before `wsSend` returns `false`. A `gun_notify` `'drain'` follows when
   * no more than half of that waits. Default 1048576 (1 MiB).
   */
  readonly sendHighWaterMark?: number
  /** Whether pings and pongs are kept from the mailbox. Pings are answered either way. Default `true`. */
  readonly silencePings?: boolean
  /**
   * The tunnel through which the upgrade is requested: the stream of a `connect`. Default: none, the WebSocket is one
   * with the other end of the connection.
   */
  readonly tunnel?: StreamRef
  /** Any value for the subprotocol's handler, which gets all these options. */
  readonly userOpts?: unknown
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

export const REUPGRADE_DEFAULTS = {
  statuses: [426, 429, 502, 503, 504] as readonly number[],
  minDelay: 1000,
  maxDelay: 60000,
  attempts: Number.POSITIVE_INFINITY,
} satisfies ReupgradeOpts
