/** The options of WebSocket, and the contract of a subprotocol's handler, which callers implement. */

import type { Pid } from '@holster/process'
import type { StreamRef } from '../handles.js'
import type { GunMessage, ReplyTo } from '../messages.js'
import type { Headers, WsFrameIn } from '../words.js'

/**
 * What a subprotocol does with frames, as `wsOpts.protocols` and `wsOpts.defaultProtocol` take it. What it throws ends
 * the connection with `handler_error`, and in `handle` with close code 1011. Neither method is waited for: a `handle` that
 * gives a promise counts as one that throws. Source: manual page gun_ws_protocol.
 */
export interface WsHandler<State = unknown, Message = GunMessage> {
  /**
   * The upgrade has succeeded; gives the state that `handle` gets, which may be changed in place. What is sent to
   * `replyTo` goes to whom the stream replies and counts against its mailbox's high-water mark. `headers` are the
   * response's. Runs before `gun_upgrade` is sent. A promise is a state like any other; if it rejects, that counts as
   * thrown in `handle`.
   */
  init(replyTo: Pid<Message>, streamRef: StreamRef, headers: Headers, opts: WsOpts): State
  /**
   * A whole message or a control frame has come, in order; pings have been answered. Gives how many messages were
   * sent to `replyTo` for it, which is what it takes of the stream's `flow`.
   */
  handle(frame: WsFrameIn, state: State): number
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
