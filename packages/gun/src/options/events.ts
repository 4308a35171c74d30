/** The events of a connection, and the contract of an event handler, which callers implement. */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ExitReason } from '@holster/process'
import type { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Owner, ReplyTo } from '../messages.js'
import type { Addresses, Headers, ProtocolName, WsFrame } from '../words.js'
import type { ConnectionOpts } from './connection.js'
import type { TcpOpts, TlsOpts } from './socket.js'
import type { WsOpts } from './websocket.js'

/** The fields of every event. */
export interface ConnectionEvent {
  /** The connection on which the event happened. */
  readonly connPid: ConnPid
}

/** The fields of every event of a stream. */
export interface StreamEvent extends ConnectionEvent {
  /** The stream on which the event happened, as the request or `wsUpgrade` returned it. */
  readonly streamRef: StreamRef
  /** The recipient of the stream's messages. */
  readonly replyTo: ReplyTo
}

/** The connection begins its life. */
export interface InitEvent extends ConnectionEvent {
  /** The owner of the connection at its start. */
  readonly owner: Owner
  /** The transport that will carry the connection; `'tcp'` also for a Unix socket. */
  readonly transport: 'tcp' | 'tls'
  /** `'https'` over tls. */
  readonly originScheme: 'http' | 'https'
  /** The host given to `open`; `'localhost'` for a Unix socket. */
  readonly originHost: string
  /** The port given to `open`; for a Unix socket 80, or 443 over tls. */
  readonly originPort: number
  /** The options given to `open`. */
  readonly opts: ConnectionOpts & {
    /** The event handler itself, if there is one. */
    readonly eventHandler?: object
  }
}

/** The look-up of the host's name. At its end the event has either addresses or an error. */
export interface DomainLookupEvent extends ConnectionEvent {
  /** The host, or the path of a Unix socket. */
  readonly host: string
  /** The port; `undefined` for a Unix socket. */
  readonly port: number | undefined
  /** The options given to `open`. */
  readonly tcpOpts: TcpOpts | undefined
  /** How long the look-up may take, in milliseconds. */
  readonly timeout: number
  /** The addresses, at the end of a look-up that succeeded; empty for a Unix socket. */
  readonly lookupInfo?: Addresses
  /** The error, at the end of a look-up that failed. */
  readonly error?: GunError
}

/** An attempt to connect. At its end the event has either a socket or an error. */
export interface ConnectEvent extends ConnectionEvent {
  /** The addresses found by the look-up; empty for a Unix socket. */
  readonly lookupInfo: Addresses
  /** How long the attempt may take, in milliseconds. */
  readonly timeout: number
  /** The socket, at the end of an attempt that succeeded. */
  readonly socket?: Socket
  /**
   * The protocol that will be spoken, at the end of an attempt that succeeded. Absent over tls, where only
   * `tlsHandshakeEnd` has it.
   */
  readonly protocol?: ProtocolName
  /** The error, at the end of an attempt that failed. */
  readonly error?: GunError
}

/** A TLS handshake. At its end the event has either a protocol or an error. */
export interface TlsHandshakeEvent extends ConnectionEvent {
  /** The stream of the tunnel within which TLS is agreed on; absent if the whole connection speaks TLS. */
  readonly streamRef?: StreamRef
  /**
   * The socket: at the start, the one not yet secure; at the end, the one that speaks TLS, which is a
   * different socket if TLS runs over the first. Within a tunnel over HTTP/2 the first is a stream and no socket.
   */
  readonly socket: Duplex
  /** The options given to `open`, or those of the tunnel's destination. */
  readonly tlsOpts: TlsOpts | undefined
  /** How long the handshake may take, in milliseconds. */
  readonly timeout: number
  /** The protocol chosen by ALPN, at the end of a handshake that succeeded. */
  readonly protocol?: ProtocolName
  /** The error, at the end of a handshake that failed. */
  readonly error?: GunError
}

/**
 * A request, an upgrade or a tunnel was asked for, and its caller has not got the stream yet. Only the channel
 * `holster:gun:requestCreate` of `node:diagnostics_channel` has this event, which no event handler gets: within it header fields can be
 * added, such as `traceparent`, as with undici's `undici:request:create`.
 */
export interface RequestCreateEvent {
  /** The connection; `undefined` for a request that waits for a connection of a pool. It may be on another node. */
  readonly connPid: ConnPid | undefined
  /** The stream that the call returns. */
  readonly streamRef: StreamRef
  /** The recipient of the stream's messages; `undefined` while a request waits for a pool whose caller has named none. */
  readonly replyTo: ReplyTo | undefined
  /** The stream of the tunnel that the request goes through; `undefined`: none that was asked for. */
  readonly tunnel: StreamRef | undefined
  /** The function that made the request; `'request'` stands for all functions that give the whole request. */
  readonly function: RequestEvent['function']
  /** The method, as given; `'GET'` of an upgrade, `'CONNECT'` of a tunnel. */
  readonly method: string
  /** The path with its query, as given; the host and port of a tunnel. */
  readonly path: string
  /** The caller's header fields, with lower-case names, and those that were added until now. */
  readonly headers: Headers
  /**
   * Adds a header field behind the caller's. Throws a TypeError for a field that cannot be sent, and for one that the caller or the
   * protocol has to set, such as `host` and `content-length`; and an Error once the event was told. The request goes out without it then.
   */
  addHeader(name: string, value: string): void
}

/** A request is being sent. */
export interface RequestEvent extends StreamEvent {
  /** The function that made the request; `'request'` stands for all functions that give the whole request. */
  readonly function: 'headers' | 'request' | 'wsUpgrade' | 'connect'
  /** The method, as given. */
  readonly method: string
  /** `'https'` over tls. */
  readonly scheme: 'http' | 'https'
  /** The host and port of the request, as in its `host` header. */
  readonly authority: string
  /** The path with its query, as given. */
  readonly path: string
  /** The header fields as sent, except for `transformHeaderName`. */
  readonly headers: Headers
}

/** A promised request (server push) has arrived. */
export interface PushPromiseEndEvent extends StreamEvent {
  /** The stream of the pushed response; `streamRef` is the stream that the push belongs to. */
  readonly promisedStreamRef: StreamRef
  /** The method of the promised request. */
  readonly method: string
  /** The whole URI of the promised request. */
  readonly uri: string
  /** The header fields of the promised request. */
  readonly headers: Headers
}

/** The head of a response has arrived. */
export interface ResponseHeadersEvent extends StreamEvent {
  /** The status code; 100 to 199 for an informational response. */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
}

/** The trailers of a response have arrived. */
export interface ResponseTrailersEvent extends StreamEvent {
  /** The trailer fields. */
  readonly headers: Headers
}

/** An upgrade to WebSocket is being requested. */
export interface WsUpgradeEvent extends StreamEvent {
  /** The options of the upgrade: those of `wsUpgrade` merged over those of `open`, without defaults. */
  readonly opts: WsOpts
}

/** The header of a frame has arrived. */
export interface WsRecvFrameHeaderEvent extends StreamEvent {
  /**
   * The type of the frame; `'fragment'` for each part of a fragmented message, including the first and the
   * last.
   */
  readonly frameType: 'fragment' | 'text' | 'binary' | 'close' | 'ping' | 'pong'
  /** Whether the frame is the last or only frame of its message. */
  readonly isFin: boolean
  /** The three reserved bits; the first one marks a compressed message. */
  readonly rsv: number
  /** The length of the payload in bytes. */
  readonly length: number
}

/** A whole frame has arrived. */
export interface WsRecvFrameEndEvent extends StreamEvent {
  /** The payload as it was on the wire, possibly compressed. Valid only during the call. */
  readonly payload: Buffer
  /** The close code; `undefined` for any frame but a close frame with a code. */
  readonly closeCode: number | undefined
}

/** A frame is being sent. */
export interface WsSendFrameEvent extends StreamEvent {
  /** The frame, as given to `wsSend` or as sent automatically. */
  readonly frame: WsFrame
}

/** The connection speaks another protocol from now on. */
export interface ProtocolChangedEvent extends ConnectionEvent {
  /** The stream that caused the change; absent behind a SOCKS5 server, which the whole connection leads through. */
  readonly streamRef?: StreamRef
  /** The protocol spoken from now on. */
  readonly protocol: ProtocolName | 'ws'
}

/** The connection speaks to another origin from now on, through a proxy. */
export interface OriginChangedEvent extends ConnectionEvent {
  /** The stream of the tunnel; absent if the whole connection now speaks to the new origin. */
  readonly streamRef?: StreamRef
  /** The kind of the proxy in between. */
  readonly intermediary: 'connect' | 'socks5'
  /** `'https'` over tls. */
  readonly originScheme: 'http' | 'https'
  /** The host behind the proxy. */
  readonly originHost: string
  /** The port behind the proxy. */
  readonly originPort: number
}

/** A stream was cancelled. */
export interface CancelEvent extends StreamEvent {
  /** The side that cancelled the stream: this one or the peer. */
  readonly endpoint: 'local' | 'remote'
  /** The reason. */
  readonly reason: string
}

/** An error of a stream was posted. */
export interface StreamErrorEvent extends StreamEvent {
  /**
   * The error, as in `gun_error`. The stream has ended with it, unless it is of kind `badstate` and the stream goes on: then it answers
   * a command that could not be carried out, such as data behind the end of a body.
   */
  readonly reason: GunError
}

/** The connection was lost or closed. */
export interface DisconnectEvent extends ConnectionEvent {
  /** The reason, as in `gun_down`; `'normal'` if the connection ended in order. */
  readonly reason: 'normal' | GunError
}

/** The connection ends for good. */
export interface TerminateEvent extends ConnectionEvent {
  /**
   * The state in which the connection ended, as `info` names it; `not_connected` when the connection was lost
   * or could not be made and no retry was left.
   */
  readonly state: string
  /** The reason that monitors get. */
  readonly reason: ExitReason
}

/** The payload of every event, keyed by the event's name. */
export interface EventMap {
  /** The connection begins its life: the first event. */
  readonly init: InitEvent
  /** The look-up of the host's name begins; each attempt to connect has its own. */
  readonly domainLookupStart: DomainLookupEvent
  /** The look-up succeeded, failed, or took too long. */
  readonly domainLookupEnd: DomainLookupEvent
  /** An attempt to connect begins, after the look-up. */
  readonly connectStart: ConnectEvent
  /** The attempt to connect succeeded, failed, or took too long. */
  readonly connectEnd: ConnectEvent
  /** The TLS handshake begins, once the socket is connected. Only over tls. */
  readonly tlsHandshakeStart: TlsHandshakeEvent
  /** The TLS handshake succeeded, failed, or took too long. */
  readonly tlsHandshakeEnd: TlsHandshakeEvent
  /**
   * A request, or an upgrade, was asked for and waits for the next connection: the one that is up ends in order, for example
   * behind a GOAWAY, and begins nothing more. `requestStart` follows on the next one.
   */
  readonly requestPostponed: StreamEvent
  /** A request is about to be sent. */
  readonly requestStart: RequestEvent
  /** The head of the request was handed to the socket. */
  readonly requestHeaders: RequestEvent
  /** The whole request was handed to the socket. */
  readonly requestEnd: StreamEvent
  /** A promised request has begun to arrive. Only over HTTP/2. */
  readonly pushPromiseStart: StreamEvent
  /** A whole promised request has arrived. Only over HTTP/2. */
  readonly pushPromiseEnd: PushPromiseEndEvent
  /** The first byte of a response has arrived; also for informational responses. */
  readonly responseStart: StreamEvent
  /** An informational response has arrived; 101 is the last response of the stream. */
  readonly responseInform: ResponseHeadersEvent
  /** The head of the final response has arrived. */
  readonly responseHeaders: ResponseHeadersEvent
  /** The trailers of a response have arrived. */
  readonly responseTrailers: ResponseTrailersEvent
  /** The whole response has arrived. */
  readonly responseEnd: StreamEvent
  /** An upgrade is being requested; `requestStart` follows. */
  readonly wsUpgrade: WsUpgradeEvent
  /** The first byte of a frame has arrived. */
  readonly wsRecvFrameStart: StreamEvent
  /** The header of a frame has arrived. */
  readonly wsRecvFrameHeader: WsRecvFrameHeaderEvent
  /** A whole frame has arrived. */
  readonly wsRecvFrameEnd: WsRecvFrameEndEvent
  /** A frame is about to be handed on to be sent. */
  readonly wsSendFrameStart: WsSendFrameEvent
  /** A frame was handed on to be sent. */
  readonly wsSendFrameEnd: WsSendFrameEvent
  /** The connection speaks WebSocket from now on. */
  readonly protocolChanged: ProtocolChangedEvent
  /** The connection speaks to another origin. Only with proxies. */
  readonly originChanged: OriginChangedEvent
  /** A stream was cancelled, by this side or by the peer. */
  readonly cancel: CancelEvent
  /**
   * A `gun_error` of a stream was posted, whatever has brought it: the peer, the loss of the connection, a command that was refused, or
   * an end while the request still waited. Told also behind `close`.
   */
  readonly streamError: StreamErrorEvent
  /** A connection that was up is not up any more. */
  readonly disconnect: DisconnectEvent
  /** The connection ends for good: the last event, but for errors of what is asked of it afterwards. */
  readonly terminate: TerminateEvent
}

/** The name of an event. */
export type EventName = keyof EventMap

/**
 * An object whose methods are called for everything that happens on the connection, in the order in which it
 * happens. Every method is optional. The methods run within the connection's own work, so they should be
 * short; calls that they make on the connection are carried out behind what they are told of. If a method
 * throws or rejects, the error goes to the exit hook and nothing else changes. Source: manual page gun_event.
 *
 * Subscribers of `node:diagnostics_channel` get the same events of all connections without any option, for
 * example from the channel `holster:gun:requestStart`. Events of received frames are published for those
 * WebSockets that begin while one of the channels for received frames has a subscriber. An error thrown by a
 * subscriber is handled by Node, as an uncaught exception.
 *
 * A further channel, `holster:gun:requestCreate`, publishes a `RequestCreateEvent` within each call that asks for a request, an upgrade
 * or a tunnel, of a connection or of a pool, before anything of it is sent. A call that throws all the same, as one for a connection of
 * another node may, has published it.
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
  'requestPostponed',
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
  'streamError',
  'disconnect',
  'terminate',
] as const satisfies readonly EventName[]
