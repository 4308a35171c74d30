/** What a connection posts: to its owner, or to whom a stream replies. */

import type { Settings } from 'node:http2'
import type { Pid } from '@holster/process'
import type { GunError } from './errors.js'
import { type ConnPid, recipientOf, type StreamRef } from './handles.js'
import type { Headers, IsFin, ProtocolName, WsFrameIn } from './words.js'

/** What every message of a connection has. */
export interface ConnectionMessage<Type extends string = string> {
  /** The tag, by which patterns and a `switch` tell messages apart. */
  readonly type: Type
  /** The connection that posts it: what `open` gave. */
  readonly connPid: ConnPid
}

/** What every message of a stream has; it goes to the stream's replyTo. */
export interface StreamReply<Type extends string = string> extends ConnectionMessage<Type> {
  /** The stream that it belongs to: what the request or `wsUpgrade` gave. */
  readonly streamRef: StreamRef
}

/** The connection is up: to the owner. Source: manual page gun_up. */
export interface GunUp extends ConnectionMessage<'gun_up'> {
  /** What is spoken; over tls it was agreed on by ALPN. */
  readonly protocol: ProtocolName
}

/**
 * The connection was lost: to the owner, once for each `gun_up`, except after `close`, `shutdown` or the owner's exit.
 * The errors of the streams that died with it came before. Source: manual page gun_down.
 */
export interface GunDown extends ConnectionMessage<'gun_down'> {
  /** What was spoken last; `'ws'` after an upgrade. */
  readonly protocol: ProtocolName | 'ws'
  /** `'normal'`: a WebSocket that both sides have closed, or HTTP after the response that said `connection: close`. */
  readonly reason: 'normal' | GunError
  /** The streams that were open. Nothing is sent again by itself. */
  readonly killedStreams: readonly StreamRef[]
}

/** The connection speaks WebSocket from here on: to the stream's replyTo. Source: manual page gun_upgrade. */
export interface GunUpgrade extends StreamReply<'gun_upgrade'> {
  /** What is spoken now. */
  readonly protocols: readonly ['websocket']
  /** Those of the 101 response; `sec-websocket-protocol` names the subprotocol that was chosen. */
  readonly headers: Headers
}

/**
 * Something failed: a stream (to its replyTo), or, without `streamRef`, the connection (to the owner).
 * Source: manual page gun_error.
 */
export interface GunErrorMessage extends ConnectionMessage<'gun_error'> {
  /** The stream that it concerns; absent, it is the connection. */
  readonly streamRef?: StreamRef | undefined
  /** What went wrong. */
  readonly reason: GunError
}

/** An informational response (1xx); the final one is still to come. Source: manual page gun_inform. */
export interface GunInform extends StreamReply<'gun_inform'> {
  /** Its status code, 100 to 199 except 101 (RFC 9110 section 15.2). */
  readonly status: number
  /** Its header fields. */
  readonly headers: Headers
}

/** The head of a response. `'fin'`: it has no body. Source: manual page gun_response. */
export interface GunResponse extends StreamReply<'gun_response'> {
  /** `'fin'`: there is no body. `'nofin'`: `gun_data` follows, and maybe `gun_trailers`. */
  readonly isFin: IsFin
  /** The status code, 200 or more (RFC 9110 section 15). */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
}

/** A part of a response's body, as it arrived; may be empty. Source: manual page gun_data. */
export interface GunData extends StreamReply<'gun_data'> {
  /**
   * `'fin'`: the response is complete. `'nofin'`: more follows, or `gun_trailers`.
   *
   * A body over HTTP/1.1 that has neither a content-length nor chunks is complete when the server ends the connection (RFC 9112
   * section 6.3). Over tls it may have been cut short nevertheless: somebody between may end the TCP connection, and Node does
   * not tell that from an end of TLS, a close_notify (RFC 9112 section 9.8). So do not trust the length of such a body.
   */
  readonly isFin: IsFin
  /** The bytes: as they were on the wire but for the chunks, or as a content handler has handed them on. Yours to keep. */
  readonly data: Buffer
}

/** The trailer fields that end a response. Source: manual page gun_trailers. */
export interface GunTrailers extends StreamReply<'gun_trailers'> {
  /** The trailer fields. */
  readonly headers: Headers
}

/** An event that a server has sent, as the HTML standard defines them. */
export interface ServerSentEvent {
  /** The last id that came, with this event or before it; empty if none did. What a `last-event-id` header takes. */
  readonly lastEventId: string
  /** `'message'` where the server does not say. */
  readonly eventType: string
  /** Its lines, joined by LF. */
  readonly data: string
  /** How many milliseconds to wait before connecting again, as the server has asked for last; absent if it has not. */
  readonly retry?: number
}

/** An event of a response that `sse` handles. Source: manual page gun_sse. */
export interface SseEvent extends StreamReply<'gun_sse'> {
  /** What the server has sent. */
  readonly event: ServerSentEvent
}

/** A response that `sse` handles is over. Trailers behind it are told as the event `responseTrailers` alone. */
export interface SseFin extends StreamReply<'gun_sse'> {
  /** Nothing follows. */
  readonly event: 'fin'
  /**
   * The last id that came, also in a block without data, which is no event of its own; empty if none did. Whoever asks again
   * gives it as `last-event-id`. Source: the HTML standard, section 9.2.6.
   */
  readonly lastEventId: string
}

/** An event of a response that `sse` handles, or its end. Source: manual page gun_sse. */
export type GunSse = SseEvent | SseFin

/** One WebSocket message or control frame. Source: manual page gun_ws. */
export interface GunWs extends StreamReply<'gun_ws'> {
  /** The frame, unmasked and inflated, its fragments put together. */
  readonly frame: WsFrameIn
}

/**
 * The server pushes a response that nobody asked for (RFC 9113 section 8.4): to the replyTo of the request that it belongs
 * to, and so are the messages of the new stream, which follow. Source: manual page gun_push.
 */
export interface GunPush extends StreamReply<'gun_push'> {
  /** The new stream; `cancel` refuses it. */
  readonly newStreamRef: StreamRef
  /** The method of the request that the server answers: GET or HEAD. */
  readonly method: string
  /** Its URI. */
  readonly uri: string
  /** Its header fields. */
  readonly headers: Headers
}

/** What is sent on a stream has room again. */
export interface DrainNotify extends StreamReply<'gun_notify'> {
  /**
   * `wsSend` or `data` has given `false`, and now no more than half of `sendHighWaterMark` waits to be sent: to the stream's
   * replyTo.
   */
  readonly event: 'drain'
  /** How many bytes still wait to be sent. */
  readonly data: number
}

/** The peer has answered a `ping`. */
export interface PingNotify extends StreamReply<'gun_notify'> {
  /** It goes to the replyTo of the `ping`, whose ref is `streamRef`. */
  readonly event: 'ping_ack'
  /** How long the answer took, in milliseconds. */
  readonly data: number
}

/** The server has changed its settings, where `http2Opts.notifySettingsChanged` asks for it: to the owner. */
export interface SettingsNotify extends ConnectionMessage<'gun_notify'> {
  /** It is not of a stream. */
  readonly streamRef?: undefined
  /** Also for the settings that the server begins with. */
  readonly event: 'settings_changed'
  /** All settings of the server as they are now (RFC 9113 section 6.5.2). */
  readonly data: Settings
}

/** The server has refused an upgrade that had succeeded before, and that is asked for again later, see `wsOpts.reupgrade`. */
export interface UpgradeRefusedNotify extends StreamReply<'gun_notify'> {
  /** It goes to the stream's replyTo. The stream goes on: a `gun_upgrade` follows, or its end. */
  readonly event: 'upgrade_refused'
  /** The refusal, without its body. */
  readonly data: {
    /** The status code. */
    readonly status: number
    /** The header fields. */
    readonly headers: Headers
    /** In how many milliseconds the upgrade is asked for again. */
    readonly retryIn: number
  }
}

/** An optional event notification; `event` says which. Source: manual page gun_notify. */
export type GunNotify = DrainNotify | PingNotify | SettingsNotify | UpgradeRefusedNotify

/** Every message that a connection posts. */
export type GunMessage =
  | GunUp
  | GunDown
  | GunUpgrade
  | GunErrorMessage
  | GunInform
  | GunResponse
  | GunData
  | GunTrailers
  | GunPush
  | GunSse
  | GunWs
  | GunNotify

/** Who gets the messages of a connection or a stream, when it is neither a process nor an actor. */
export type Receiver = (message: GunMessage) => void

/** Who owns a connection: a process or an xstate actor, with whose end the connection ends. */
export type Owner = Pid<GunMessage>

/** Whom a stream replies to: a process, an actor, anything with a `send`, or a function. */
export type ReplyTo = Pid<GunMessage> | Receiver

/** Whom a stream replies to. */
export const replyToOf = recipientOf as (streamRef: StreamRef) => ReplyTo

/** Whether nothing of a stream follows the message. What a content handler makes of a body may be no message of ours. */
export function endsStream(message: GunMessage): boolean {
  switch (message?.type) {
    case 'gun_response':
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
