/** What a connection posts: to its owner, or to whom a stream replies. */

import type { ConnPid } from './conn-pid.js'
import type { GunError } from './errors.js'
import type { StreamRef } from './stream-ref.js'

/** Header fields in wire order, names in lower case, duplicates kept. */
export type Headers = readonly (readonly [name: string, value: string])[]

/** Whether this is the last part: `'fin'` if it is. */
export type IsFin = 'fin' | 'nofin'

/** The protocol of a connection, as `gun_up` and `info` name it. */
export type ProtocolName = 'http'

/** A frame as it is given to `wsSend`. */
export type WsFrame =
  | 'close'
  | 'ping'
  | 'pong'
  | readonly ['text', string]
  | readonly ['binary', Uint8Array]
  | readonly ['ping' | 'pong', Uint8Array]
  | readonly ['close', string]
  | readonly ['close', number, string]

/** A frame as `gun_ws` brings it; ping and pong only with `silencePings: false`. */
export type WsFrameIn =
  | 'close'
  | 'ping'
  | 'pong'
  | readonly ['text', string]
  | readonly ['binary', Buffer]
  | readonly ['ping' | 'pong', Buffer]
  | readonly ['close', number, string]

/** The connection is up: to the owner. Source: manual page gun_up. */
export interface GunUp {
  readonly type: 'gun_up'
  readonly connPid: ConnPid
  readonly protocol: ProtocolName
}

/**
 * The connection was lost: to the owner, once for each `gun_up`, except after `close`, `shutdown` or the owner's exit.
 * The errors of the streams that died with it came before. Source: manual page gun_down.
 */
export interface GunDown {
  readonly type: 'gun_down'
  readonly connPid: ConnPid
  readonly protocol: ProtocolName | 'ws'
  /** `'normal'`: a WebSocket that both sides have closed, or HTTP after the response that said `connection: close`. */
  readonly reason: 'normal' | GunError
  /** The streams that were open. Nothing is sent again by itself. */
  readonly killedStreams: readonly StreamRef[]
}

/** The connection speaks WebSocket from here on: to the stream's replyTo. Source: manual page gun_upgrade. */
export interface GunUpgrade {
  readonly type: 'gun_upgrade'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly protocols: readonly ['websocket']
  readonly headers: Headers
}

/**
 * Something failed: a stream (to its replyTo), or, without `streamRef`, the connection (to the owner).
 * Source: manual page gun_error.
 */
export interface GunErrorMessage {
  readonly type: 'gun_error'
  readonly connPid: ConnPid
  readonly streamRef?: StreamRef | undefined
  readonly reason: GunError
}

/** An informational response (1xx); the final one is still to come. Source: manual page gun_inform. */
export interface GunInform {
  readonly type: 'gun_inform'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly status: number
  readonly headers: Headers
}

/** The head of a response. `'fin'`: it has no body. Source: manual page gun_response. */
export interface GunResponse {
  readonly type: 'gun_response'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly isFin: IsFin
  readonly status: number
  readonly headers: Headers
}

/** A part of a response's body, as it arrived; may be empty. Source: manual page gun_data. */
export interface GunData {
  readonly type: 'gun_data'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly isFin: IsFin
  readonly data: Buffer
}

/** The trailer fields that end a response. Source: manual page gun_trailers. */
export interface GunTrailers {
  readonly type: 'gun_trailers'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly headers: Headers
}

/** One WebSocket message or control frame. Source: manual page gun_ws. */
export interface GunWs {
  readonly type: 'gun_ws'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly frame: WsFrameIn
}

/**
 * `'drain'`: `wsSend` has given `false`, and now no more than half of `sendHighWaterMark` waits to be sent: to the stream's
 * replyTo; `data` is how many bytes still wait. Source: manual page gun_notify.
 */
export interface GunNotify {
  readonly type: 'gun_notify'
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly event: 'drain'
  readonly data: number
}

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
  | GunWs
  | GunNotify

/** Who gets the messages of a connection or a stream, when it is neither a process nor an actor. */
export type Receiver = (message: GunMessage) => void
