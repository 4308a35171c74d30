/** The messages that a connection posts to its owner, or to the recipient of a stream. */

import type { Pid } from '@holster/process'
import type { GunError } from './errors.js'
import { asksForTunnel, type ConnPid, recipientOf, type StreamRef } from './handles.js'
import type { Headers, IsFin, ProtocolName, WsFrameIn } from './words.js'

/** The fields of every message. */
export interface ConnectionMessage<Type extends string = string> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: Type
  /** The connection that posts the message, as `open` returned it. */
  readonly connPid: ConnPid
}

/** The fields of every message of a stream. Such a message goes to the stream's replyTo. */
export interface StreamReply<Type extends string = string> extends ConnectionMessage<Type> {
  /** The stream, as the request or `wsUpgrade` returned it. */
  readonly streamRef: StreamRef
}

/**
 * Posted to the owner when the connection is up. Source: manual page gun_up.
 *
 * @to The owner.
 * @order Once for each time that the connection is made, before anything that the peer has to say; under a supervisor behind
 *   `gun_started`. Requests may be made before, and wait for it. A `gun_down` follows for each one.
 */
export interface GunUp extends ConnectionMessage<'gun_up'> {
  /** The protocol of the connection; over tls, the one agreed on by ALPN. With `'socks'` a `gun_tunnel_up` follows. */
  readonly protocol: ProtocolName
}

/**
 * Posted when the tunnel of a `connect` is up: behind its `gun_response`, and once TLS within the tunnel is agreed on where there
 * is any; again when a SOCKS5 server at its end has agreed in turn. Source: manual page gun_tunnel_up.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind the `gun_response` of the `connect`, which is `'fin'` and not the last message of such a stream, and before any
 *   message of a request through the tunnel. Once; where the tunnel leads to a SOCKS5 server, once more when that has agreed. The
 *   stream ends with a `gun_error`, with the `'fin'` of raw bytes, or with a connection that ends in order.
 */
export interface TunnelUp extends StreamReply<'gun_tunnel_up'> {
  /** The protocol spoken through the tunnel. With `'socks'` another `gun_tunnel_up` follows. */
  readonly protocol: ProtocolName
}

/**
 * Posted to the owner when a SOCKS5 server has agreed to lead the whole connection on. Source: manual page gun_tunnel_up.
 *
 * @to The owner.
 * @order Behind the `gun_up` whose protocol is `'socks'`, once for each SOCKS5 server on the way, and before any message of a
 *   request.
 */
export interface SocksUp extends ConnectionMessage<'gun_tunnel_up'> {
  /** Absent, since no stream has asked for the tunnel. */
  readonly streamRef?: undefined
  /** The protocol spoken through the tunnel. With `'socks'` another `gun_tunnel_up` follows. */
  readonly protocol: ProtocolName
}

/** A tunnel is up. Source: manual page gun_tunnel_up. */
export type GunTunnelUp = TunnelUp | SocksUp

/**
 * Posted to the owner when the connection is lost: once for each `gun_up`, except after `close`, `shutdown`
 * or the owner's exit. The errors of the streams that ended with the connection come before. Source:
 * manual page gun_down.
 *
 * @to The owner.
 * @order Behind the `gun_error` of each stream in `killedStreams`. `gun_up` follows when the connection has been made again. If it is
 *   not made again, a `gun_error` without `streamRef` says why, except after an end in order, and the `DOWN` of those who monitor the
 *   connection comes last.
 */
export interface GunDown extends ConnectionMessage<'gun_down'> {
  /** The last protocol of the connection; `'ws'` after an upgrade. */
  readonly protocol: ProtocolName | 'ws'
  /**
   * `'normal'` for a WebSocket that both sides closed, and for HTTP after the response with
   * `connection: close`.
   */
  readonly reason: 'normal' | GunError
  /** The streams that were open. None of them is sent again by itself. */
  readonly killedStreams: readonly StreamRef[]
}

/**
 * Posted to the stream's replyTo when the connection begins to speak WebSocket (over HTTP/2: the stream).
 * Source: manual page gun_upgrade.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order In place of `gun_response`, behind any `gun_inform`, and before the first `gun_ws` or `gun_data` of the stream. Once; with
 *   `wsOpts.reupgrade` once more behind the `gun_up` of each connection that follows.
 */
export interface GunUpgrade extends StreamReply<'gun_upgrade'> {
  /**
   * The protocols spoken now: `['websocket']`; or, where a request has asked for an upgrade by itself, those that the server
   * names in its `upgrade` header. The bytes of such a protocol come as `gun_data`, and `data` sends them.
   */
  readonly protocols: readonly string[]
  /**
   * The header fields of the response that accepted the upgrade; `sec-websocket-protocol` names the
   * subprotocol chosen by the server.
   */
  readonly headers: Headers
}

/**
 * Posted when a stream fails (to its replyTo) or, without `streamRef`, when the connection fails (to the
 * owner). Source: manual page gun_error.
 *
 * @to The `replyTo` of the stream, by default the owner; without `streamRef` the owner.
 * @order The last message of its stream, except where it refuses a command, such as a frame before the upgrade: a `badstate` of that
 *   kind ends nothing. The errors of all streams that end with a connection come before its `gun_down`. Without `streamRef`, if it
 *   refuses no command: once, when no other attempt to connect follows, behind the last `gun_down` and before `DOWN`.
 */
export interface GunErrorMessage extends ConnectionMessage<'gun_error'> {
  /** The stream that failed; absent if the error concerns the connection. */
  readonly streamRef?: StreamRef | undefined
  /** The error. */
  readonly reason: GunError
}

/**
 * Posted for an informational response (1xx); the final response is still to come. Source:
 * manual page gun_inform.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Before the `gun_response` or the `gun_upgrade` of its stream, as often as the server sends one.
 */
export interface GunInform extends StreamReply<'gun_inform'> {
  /** The status code, 100 to 199 except 101 (RFC 9110 section 15.2). */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
}

/**
 * Posted for the head of a response. Source: manual page gun_response.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Once, behind any `gun_inform`. With `'fin'` the last message of the stream, unless it answers a `connect`. With `'nofin'`
 *   the body follows: `gun_data`, or `gun_sse` where `sse` handles it. Over HTTP/1.1 responses come in the order of their requests,
 *   over HTTP/2 in any order.
 */
export interface GunResponse extends StreamReply<'gun_response'> {
  /**
   * `'fin'`: the response has no body. `'nofin'`: `gun_data` follows, possibly with `gun_trailers` at the
   * end.
   */
  readonly isFin: IsFin
  /** The status code, 200 or more (RFC 9110 section 15). */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
}

/**
 * Posted for each part of a response's body as it arrives; a part may be empty. On a stream that speaks raw: the bytes of the
 * peer, and an empty `'fin'` at their end. Source: manual page gun_data.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind `gun_response`, in the order of the bytes, one message for each piece that was read: a chunk, a frame of HTTP/2 or a
 *   part of one. The last one is `'fin'`, unless `gun_trailers` end the response. With `flow` no more come than were asked for. On a
 *   stream that speaks raw: behind `gun_tunnel_up` or `gun_upgrade`.
 */
export interface GunData extends StreamReply<'gun_data'> {
  /**
   * `'fin'`: the response is complete. `'nofin'`: more `gun_data` follows, or `gun_trailers`.
   *
   * A body over HTTP/1.1 that has neither a content-length nor chunks is complete when the server ends the
   * connection (RFC 9112 section 6.3). Even over tls such a body may have been cut short: an intermediary may
   * end the TCP connection, and Node does not distinguish that from close_notify, the proper end of TLS
   * (RFC 9112 section 9.8). Do not trust the length of such a body.
   */
  readonly isFin: IsFin
  /**
   * The bytes as they were on the wire, without chunk framing, or as a content handler passed them on. The
   * buffer belongs to the receiver.
   */
  readonly data: Buffer
}

/**
 * Posted for bytes of the peer on a connection that speaks raw. Source: manual page gun_data.
 *
 * @to The owner.
 * @order Behind `gun_up`, or the `gun_tunnel_up` that says `'raw'`, one message for each read. If the peer ends in order, an empty
 *   `'fin'` is the last one and comes before `gun_down`.
 */
export interface RawData extends ConnectionMessage<'gun_data'> {
  /** Absent, since the connection has no streams. */
  readonly streamRef?: undefined
  /** `'fin'`: the peer has ended, and `gun_down` follows. `data` is empty then. */
  readonly isFin: IsFin
  /** The bytes as they arrived. The buffer belongs to the receiver. */
  readonly data: Buffer
}

/**
 * Posted for the trailer fields that end a response. Source: manual page gun_trailers.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind `gun_response` and any `gun_data`, none of which is `'fin'` then. The last message of its stream.
 */
export interface GunTrailers extends StreamReply<'gun_trailers'> {
  /** The trailer fields. */
  readonly headers: Headers
}

/** An event sent by a server, as the HTML standard defines it. */
export interface ServerSentEvent {
  /**
   * The latest id, sent with this event or before it; empty if there was none. A `last-event-id` header takes
   * this value.
   */
  readonly lastEventId: string
  /** The type; `'message'` if the server gave none. */
  readonly eventType: string
  /** The data lines, joined by LF. */
  readonly data: string
  /**
   * How many milliseconds the server last asked clients to wait before connecting again; absent if it never
   * did.
   */
  readonly retry?: number
}

/**
 * Posted for an event of a response that `sse` handles. Source: manual page gun_sse.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind `gun_response`, one message for each event, in their order.
 */
export interface SseEvent extends StreamReply<'gun_sse'> {
  /** The event. */
  readonly event: ServerSentEvent
}

/**
 * Posted at the end of a response that `sse` handles. Trailers of such a response are reported only as the
 * event `responseTrailers`.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order The last message of its stream, behind all events. A response that breaks off ends with `gun_error` instead.
 */
export interface SseFin extends StreamReply<'gun_sse'> {
  /** Nothing follows. */
  readonly event: 'fin'
  /**
   * The latest id, including one from a block without data, which is not an event; empty if there was none.
   * Give it as `last-event-id` to continue from there. Source: the HTML standard, section 9.2.6.
   */
  readonly lastEventId: string
}

/** An event of a response that `sse` handles, or its end. Source: manual page gun_sse. */
export type GunSse = SseEvent | SseFin

/**
 * Posted for each WebSocket message or control frame. Source: manual page gun_ws.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind `gun_upgrade`, one message for each whole message or control frame, in the order in which they arrived. A close frame
 *   is the last one: over HTTP/1.1 `gun_down` follows, over HTTP/2 nothing. A WebSocket that breaks without a close frame ends with
 *   `gun_error`.
 */
export interface GunWs extends StreamReply<'gun_ws'> {
  /** The frame, unmasked and inflated; fragments are joined. */
  readonly frame: WsFrameIn
}

/**
 * Posted when the server pushes a response without a request (RFC 9113 section 8.4). It goes to the replyTo
 * of the request that the push belongs to, as do the messages of the new stream, which follow. Source:
 * manual page gun_push.
 *
 * @to The `replyTo` of the stream that the push belongs to, by default the owner.
 * @order Once for each push, before the end of the stream that it belongs to, and before all messages of `newStreamRef`. A server
 *   should push before it sends what refers to the push (RFC 9113 section 8.4.1).
 */
export interface GunPush extends StreamReply<'gun_push'> {
  /** The stream of the pushed response; `cancel` refuses it. */
  readonly newStreamRef: StreamRef
  /** The method of the promised request: GET or HEAD. */
  readonly method: string
  /** The URI of the promised request. */
  readonly uri: string
  /** The header fields of the promised request. */
  readonly headers: Headers
}

/**
 * Posted when a stream has room again for data to be sent.
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind a `data` or a `wsSend` that took the bytes and returned `false`: once, however many did so since the last one. A
 *   `gun_response` or a `gun_error` may come in its place.
 */
export interface DrainNotify extends StreamReply<'gun_notify'> {
  /** `wsSend` or `data` returned `false`, and now no more than half of `sendHighWaterMark` waits to be sent. */
  readonly event: 'drain'
  /** How many bytes still wait to be sent. */
  readonly data: number
}

/**
 * Posted to the owner when a connection that speaks raw has room again for data to be sent.
 *
 * @to The owner.
 * @order Behind a `data` that took the bytes and returned `false`: once, however many did so since the last one. `gun_down` may come
 *   in its place.
 */
export interface RawDrainNotify extends ConnectionMessage<'gun_notify'> {
  /** Absent, since the connection has no streams. */
  readonly streamRef?: undefined
  /** `data` returned `false`, and now no more than half of `rawOpts.sendHighWaterMark` waits to be sent. */
  readonly event: 'drain'
  /** How many bytes still wait to be sent. */
  readonly data: number
}

/**
 * Posted when the peer answers a `ping`.
 *
 * @to The `replyTo` of the `ping`, by default the owner.
 * @order Once for each `ping`, in the order of the pings. A `gun_error` with the same `streamRef` comes in its place if the
 *   connection cannot be pinged or is lost first.
 */
export interface PingNotify extends StreamReply<'gun_notify'> {
  /** `streamRef` is the ref that `ping` returned. */
  readonly event: 'ping_ack'
  /** How long the answer took, in milliseconds. */
  readonly data: number
}

/** The settings of an HTTP/2 server that are in force. Sizes are in bytes. Source: RFC 9113 section 6.5.2. */
export interface ServerSettings {
  /** The largest size of our encoder's header table. */
  readonly headerTableSize: number
  /** How many streams may be open at once; `Infinity` if the server has not said. */
  readonly maxConcurrentStreams: number
  /** How much of a body may be sent on a stream before the server has asked for more. */
  readonly initialWindowSize: number
  /** The most that a frame may hold. */
  readonly maxFrameSize: number
  /** The most that the headers of a request may have; `Infinity` if the server has not said. */
  readonly maxHeaderListSize: number
  /** Whether a stream may become a WebSocket (RFC 8441). */
  readonly enableConnectProtocol: boolean
}

/**
 * Posted to the owner when the server changes its settings, if `http2Opts.notifySettingsChanged` is set.
 *
 * @to The owner.
 * @order Behind `gun_up`, once for each SETTINGS of the server, of which the first comes before any response.
 */
export interface SettingsNotify extends ConnectionMessage<'gun_notify'> {
  /** Absent, since settings belong to the connection. */
  readonly streamRef?: undefined
  /** Also posted for the server's initial settings. */
  readonly event: 'settings_changed'
  /** All of the server's settings as they are now (RFC 9113 section 6.5.2). */
  readonly data: ServerSettings
}

/**
 * Posted when the server refuses an upgrade that had succeeded on an earlier connection, and the upgrade will
 * be requested again later (`wsOpts.reupgrade`).
 *
 * @to The `replyTo` of the stream, by default the owner.
 * @order Behind the `gun_up` of the new connection, once for each refusal, and before the `gun_upgrade` that succeeds or the last
 *   message of the stream.
 */
export interface UpgradeRefusedNotify extends StreamReply<'gun_notify'> {
  /** The stream remains open: a `gun_upgrade` follows, or the stream's end. */
  readonly event: 'upgrade_refused'
  /** The refusal, without its body. */
  readonly data: {
    /** The status code. */
    readonly status: number
    /** The header fields. */
    readonly headers: Headers
    /** How many milliseconds later the upgrade is requested again. */
    readonly retryIn: number
  }
}

/** An optional notification; `event` tells its kind. Source: manual page gun_notify. */
export type GunNotify = DrainNotify | RawDrainNotify | PingNotify | SettingsNotify | UpgradeRefusedNotify

/** Every message that a connection posts. */
export type GunMessage =
  | GunUp
  | GunDown
  | GunTunnelUp
  | GunUpgrade
  | GunErrorMessage
  | GunInform
  | GunResponse
  | GunData
  | RawData
  | GunTrailers
  | GunPush
  | GunSse
  | GunWs
  | GunNotify

/**
 * Sent to the owner of a connection that `childSpec` describes, each time a supervisor starts one, before anything else of the
 * connection. No `GunMessage`, as connections that `open` starts post none: such an owner expects `GunMessage | GunStarted`.
 *
 * @to The owner that `childSpec` was given.
 * @order Once for each start, before `gun_up` and all else of that connection.
 */
export interface GunStarted extends ConnectionMessage<'gun_started'> {
  /** The id of the child spec. */
  readonly id: string
}

/** A function that takes messages in place of a process or an actor. */
export type Receiver = (message: GunMessage) => void

/**
 * The owner of a connection: a process or an xstate actor. When the owner ends, the connection ends.
 *
 * The owner may be on another node, where its messages are counted in its mailbox as from a connection of that node: the connection is
 * not read while too much waits there, or on the way. When that node is gone, the connection ends with `owner_down`, whose cause is
 * `'noconnection'`.
 */
export type Owner = Pid<GunMessage>

/**
 * The recipient of a stream's messages: a process, an actor, any object with a `send` method, or a function. A process or an actor may be
 * on another node, as an `Owner` may. Where the connection is on another node there are no others: a function cannot be called from there.
 */
export type ReplyTo = Pid<GunMessage> | Receiver

/** Returns the recipient of a stream's messages. */
export const replyToOf = recipientOf as (streamRef: StreamRef) => ReplyTo

/**
 * Whether no message of the stream follows this one. Content handlers may post messages that are not
 * GunMessages, so the type is not trusted.
 */
export function endsStream(message: GunMessage): boolean {
  switch (message?.type) {
    case 'gun_response':
      return message.isFin === 'fin' && !opensTunnel(message)
    case 'gun_data':
      return message.isFin === 'fin'
    case 'gun_sse':
      return message.event === 'fin'
    case 'gun_trailers':
    case 'gun_error':
      return true
    default:
      return false
  }
}

/** Whether a proxy has agreed to a tunnel, whose stream goes on (RFC 9110 section 9.3.6). */
function opensTunnel({ status, streamRef }: GunResponse): boolean {
  return status < 300 && asksForTunnel(streamRef)
}
