/** What can happen on a connection, and what is told of it. */

import type { Socket } from 'node:net'
import type { ExitReason } from '@holster/process'
import type { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Owner, ReplyTo } from '../messages.js'
import type { Addresses, Headers, ProtocolName, WsFrame } from '../words.js'
import type { ConnectionOpts } from './connection.js'
import type { TcpOpts, TlsOpts } from './socket.js'
import type { WsOpts } from './websocket.js'

/** What every event has. */
export interface ConnectionEvent {
  /** The connection that it happens on. */
  readonly connPid: ConnPid
}

/** What every event of a stream has. */
export interface StreamEvent extends ConnectionEvent {
  /** The stream that it happens to: what the request or `wsUpgrade` gave. */
  readonly streamRef: StreamRef
  /** Whom the stream replies to. */
  readonly replyTo: ReplyTo
}

/** A connection begins its life. */
export interface InitEvent extends ConnectionEvent {
  /** Who owns the connection at its start. */
  readonly owner: Owner
  /** What it will run over; `'tcp'` also for a Unix socket. */
  readonly transport: 'tcp' | 'tls'
  /** `'https'` over tls. */
  readonly originScheme: 'http' | 'https'
  /** The host that `open` was given; `'localhost'` for a Unix socket. */
  readonly originHost: string
  /** The port that `open` was given; for a Unix socket 80, over tls 443. */
  readonly originPort: number
  /** The options that `open` was given. */
  readonly opts: ConnectionOpts & {
    /** The event handler itself, where there is one. */
    readonly eventHandler?: object
  }
}

/** The look-up of the host's name. At its end there are either addresses or an error. */
export interface DomainLookupEvent extends ConnectionEvent {
  /** The host, or the path of a Unix socket. */
  readonly host: string
  /** `undefined` for a Unix socket. */
  readonly port: number | undefined
  /** As they were given to `open`. */
  readonly tcpOpts: TcpOpts | undefined
  /** How many milliseconds it may take. */
  readonly timeout: number
  /** The addresses, at the end of a look-up that succeeded; a Unix socket has none. */
  readonly lookupInfo?: Addresses
  /** At the end of one that failed. */
  readonly error?: GunError
}

/** The making of a connection. At its end there is either a socket or an error. */
export interface ConnectEvent extends ConnectionEvent {
  /** The addresses that the look-up gave; none for a Unix socket. */
  readonly lookupInfo: Addresses
  /** How many milliseconds it may take. */
  readonly timeout: number
  /** At the end of an attempt that succeeded. */
  readonly socket?: Socket
  /** What will be spoken, at the end of an attempt that succeeded; over tls only `tlsHandshakeEnd` knows. */
  readonly protocol?: ProtocolName
  /** At the end of one that failed. */
  readonly error?: GunError
}

/** The TLS handshake. At its end there is either a protocol or an error. */
export interface TlsHandshakeEvent extends ConnectionEvent {
  /** The socket: before, not secure yet; after, the one that TLS is spoken on, which is another if that is spoken over it. */
  readonly socket: Socket
  /** As they were given to `open`. */
  readonly tlsOpts: TlsOpts | undefined
  /** How many milliseconds it may take. */
  readonly timeout: number
  /** What ALPN has chosen, at the end of a handshake that succeeded. */
  readonly protocol?: ProtocolName
  /** At the end of one that failed. */
  readonly error?: GunError
}

/** A request is being sent. */
export interface RequestEvent extends StreamEvent {
  /** What it was asked for with; `'request'` stands for all functions that give the whole request. */
  readonly function: 'headers' | 'request' | 'wsUpgrade'
  /** The method, as it was given. */
  readonly method: string
  /** `'https'` over tls. */
  readonly scheme: 'http' | 'https'
  /** The host and port that it is for, as the `host` header has them. */
  readonly authority: string
  /** The path with its query, as it was given. */
  readonly path: string
  /** As they are sent, but for `transformHeaderName`. */
  readonly headers: Headers
}

/** A promised request (server push) has come. */
export interface PushPromiseEndEvent extends StreamEvent {
  /** The stream that the pushed response will come on; `streamRef` is the one that it belongs to. */
  readonly promisedStreamRef: StreamRef
  /** The method of the promised request. */
  readonly method: string
  /** The whole URI of the promised request. */
  readonly uri: string
  /** The header fields of the promised request. */
  readonly headers: Headers
}

/** The head of a response has come. */
export interface ResponseHeadersEvent extends StreamEvent {
  /** The status code; 100 to 199 for an informational response. */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
}

/** The trailers of a response have come. */
export interface ResponseTrailersEvent extends StreamEvent {
  /** The trailer fields. */
  readonly headers: Headers
}

/** An upgrade to WebSocket is being asked for. */
export interface WsUpgradeEvent extends StreamEvent {
  /** The options of the upgrade: those of `wsUpgrade` over those of `open`, without defaults. */
  readonly opts: WsOpts
}

/** The header of a frame has come. */
export interface WsRecvFrameHeaderEvent extends StreamEvent {
  /** `'fragment'`: a part of a message, also the first and the last. */
  readonly frameType: 'fragment' | 'text' | 'binary' | 'close' | 'ping' | 'pong'
  /** Whether it is the last, or only, frame of its message. */
  readonly isFin: boolean
  /** The three reserved bits, the first of which says that the message is compressed. */
  readonly rsv: number
  /** How many bytes its payload has. */
  readonly length: number
}

/** A frame has come as a whole. */
export interface WsRecvFrameEndEvent extends StreamEvent {
  /** As it was on the wire, maybe compressed. Only valid during the call. */
  readonly payload: Buffer
  /** Of a close frame that has one. */
  readonly closeCode: number | undefined
}

/** A frame is being sent. */
export interface WsSendFrameEvent extends StreamEvent {
  /** The frame, as it was given to `wsSend` or is sent by itself. */
  readonly frame: WsFrame
}

/** Another protocol is spoken from here on. */
export interface ProtocolChangedEvent extends ConnectionEvent {
  /** The stream that has brought it about. */
  readonly streamRef: StreamRef
  /** What is spoken from here on. */
  readonly protocol: ProtocolName | 'ws'
}

/** Another origin is spoken to from here on, through a proxy. */
export interface OriginChangedEvent extends ConnectionEvent {
  /** The tunnel's, where only that has changed. */
  readonly streamRef?: StreamRef
  /** The kind of the proxy that is in between. */
  readonly intermediary: 'connect' | 'socks5'
  /** `'https'` over tls. */
  readonly originScheme: 'http' | 'https'
  /** The host behind the proxy. */
  readonly originHost: string
  /** The port behind the proxy. */
  readonly originPort: number
}

/** A stream has been cancelled. */
export interface CancelEvent extends StreamEvent {
  /** Who has cancelled it: this side or the peer. */
  readonly endpoint: 'local' | 'remote'
  /** Why it was cancelled. */
  readonly reason: string
}

/** The connection is lost or has been closed. */
export interface DisconnectEvent extends ConnectionEvent {
  /** Why, as `gun_down` says it; `'normal'`: it ended in order. */
  readonly reason: 'normal' | GunError
}

/** The connection ends for good. */
export interface TerminateEvent extends ConnectionEvent {
  /** The state it was in, as `info` names them; `not_connected` when it was lost, or not made, and no retry was left. */
  readonly state: string
  /** What monitors are told. */
  readonly reason: ExitReason
}

/** Every event by its name. */
export interface EventMap {
  /** The connection begins its life: the first event. */
  readonly init: InitEvent
  /** The look-up of the host's name begins; each attempt to connect has its own. */
  readonly domainLookupStart: DomainLookupEvent
  /** It has succeeded, failed, or taken too long. */
  readonly domainLookupEnd: DomainLookupEvent
  /** An attempt to connect begins, after the look-up. */
  readonly connectStart: ConnectEvent
  /** It has succeeded, failed, or taken too long. */
  readonly connectEnd: ConnectEvent
  /** The TLS handshake begins, once there is a connection. Only over tls. */
  readonly tlsHandshakeStart: TlsHandshakeEvent
  /** It has succeeded, failed, or taken too long. */
  readonly tlsHandshakeEnd: TlsHandshakeEvent
  /** A request is about to be sent. */
  readonly requestStart: RequestEvent
  /** Its head was handed to the socket. */
  readonly requestHeaders: RequestEvent
  /** All of it was. */
  readonly requestEnd: StreamEvent
  /** A promised request has begun to arrive. Only over HTTP/2. */
  readonly pushPromiseStart: StreamEvent
  /** All of a promised request has come. Only over HTTP/2. */
  readonly pushPromiseEnd: PushPromiseEndEvent
  /** The first byte of a response has come, informational ones included. */
  readonly responseStart: StreamEvent
  /** An informational response has come; 101: the last one. */
  readonly responseInform: ResponseHeadersEvent
  /** The head of the final response has come. */
  readonly responseHeaders: ResponseHeadersEvent
  /** The trailers of a response have come. */
  readonly responseTrailers: ResponseTrailersEvent
  /** All of the response has come. */
  readonly responseEnd: StreamEvent
  /** An upgrade is asked for; `requestStart` follows. */
  readonly wsUpgrade: WsUpgradeEvent
  /** The first byte of a frame has come. */
  readonly wsRecvFrameStart: StreamEvent
  /** Its header has come. */
  readonly wsRecvFrameHeader: WsRecvFrameHeaderEvent
  /** All of it has come. */
  readonly wsRecvFrameEnd: WsRecvFrameEndEvent
  /** A frame is handed on to be sent: before and after. */
  readonly wsSendFrameStart: WsSendFrameEvent
  /** It was handed on. */
  readonly wsSendFrameEnd: WsSendFrameEvent
  /** The connection speaks WebSocket from here on. */
  readonly protocolChanged: ProtocolChangedEvent
  /** Only with proxies. */
  readonly originChanged: OriginChangedEvent
  /** A stream was cancelled, by this side or by the peer. */
  readonly cancel: CancelEvent
  /** The connection, which was up, is so no more. */
  readonly disconnect: DisconnectEvent
  /** The connection ends for good: the last event. */
  readonly terminate: TerminateEvent
}

/** The name of an event. */
export type EventName = keyof EventMap

/**
 * Gets to know what happens on a connection, in the order in which it happens. It runs within the connection: keep it
 * short. What it throws, or rejects with, goes to the exit hook, and changes nothing. Every method is optional. Source: manual page
 * gun_event.
 *
 * Without an option, the subscribers of `node:diagnostics_channel` get the same events of all connections, for example
 * from the channel `holster:gun:requestStart`. Of frames that come they get those of WebSockets that begin while one of
 * the channels of such frames has a subscriber. What a subscriber throws is Node's to handle: an uncaught exception.
 */
export type EventHandler = { [Name in EventName]?: (event: EventMap[Name]) => void }

/** The names of all events. */
export const EVENTS = [
  'init',
  'domainLookupStart',
  'domainLookupEnd',
  'connectStart',
  'connectEnd',
  'tlsHandshakeStart',
  'tlsHandshakeEnd',
  'requestStart',
  'requestHeaders',
  'requestEnd',
  'pushPromiseStart',
  'pushPromiseEnd',
  'responseStart',
  'responseInform',
  'responseHeaders',
  'responseTrailers',
  'responseEnd',
  'wsUpgrade',
  'wsRecvFrameStart',
  'wsRecvFrameHeader',
  'wsRecvFrameEnd',
  'wsSendFrameStart',
  'wsSendFrameEnd',
  'protocolChanged',
  'originChanged',
  'cancel',
  'disconnect',
  'terminate',
] as const satisfies readonly EventName[]
