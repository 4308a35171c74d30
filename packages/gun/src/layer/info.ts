/** What `info` tells about a connection. */

import type { Socket } from 'node:net'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Owner, ReplyTo } from '../messages.js'
import type { CookieStore } from '../options/cookie-store.js'
import type { EventHandler } from '../options/events.js'
import type { ProtocolName } from '../words.js'

/** A proxy in between. */
export interface Intermediary {
  /** How the proxy is asked for a tunnel. */
  readonly type: 'connect' | 'socks5'
  /** The proxy's host, as it was given. */
  readonly host: string
  /** The proxy's port. */
  readonly port: number
  /** The transport to the proxy. */
  readonly transport: 'tcp' | 'tls'
  /** The protocol in which the proxy is asked. */
  readonly protocol: ProtocolName
}

/** The other end of a tunnel. */
export interface TunnelInfo {
  /** The transport through the tunnel: TCP alone, or TLS. */
  readonly transport: 'tcp' | 'tls'
  /** The protocol spoken with the other end; `undefined` until TLS has agreed on it. */
  readonly protocol: ProtocolName | undefined
  /** `'http'` over tcp, `'https'` over tls, as in Gun also where the protocol is SOCKS5; `undefined` where the protocol is raw. */
  readonly originScheme: 'http' | 'https' | undefined
  /** The host, as it was given. */
  readonly originHost: string
  /** The port. */
  readonly originPort: number
}

/**
 * A connection as it is now, which prints shortly, with the names of objects in place of their contents. A value that is known
 * only while the connection is up is `undefined` otherwise.
 */
export interface Info {
  /** The owner of the connection. */
  readonly owner: Owner
  /** The socket. A caller that writes to the socket breaks the connection. */
  readonly socket: Socket | undefined
  /** The transport to the origin; `'tcp'` also for a Unix socket. */
  readonly transport: 'tcp' | 'tls'
  /** The protocol spoken now; `'ws'` after an upgrade. */
  readonly protocol: ProtocolName | 'ws' | undefined
  /**
   * `domain_lookup`, `connecting`, `initial_tls_handshake`, `initial_tunnel` (the way through the proxies of the option `proxy`
   * is being made), `connected`, `connected_no_input` (a proxy or a SOCKS5 server was asked for a tunnel), `tls_handshake` (within a tunnel),
   * `connected_data_only` (raw), `connected_ws_only`, `closing`, `not_connected` or `terminated`.
   */
  readonly stateName: string
  /** Our own address; `undefined` also for a Unix socket. */
  readonly sockIp: string | undefined
  /** Our own port; `undefined` also for a Unix socket. */
  readonly sockPort: number | undefined
  /** `'http'` over tcp, `'https'` over tls; `undefined` while a protocol other than HTTP is spoken. */
  readonly originScheme: 'http' | 'https' | undefined
  /** The host that `open` was given, or that the connection has reached through a proxy; `'localhost'` for a Unix socket. */
  readonly originHost: string
  /** The port of that host; for a Unix socket 80, over tls 443. */
  readonly originPort: number
  /** The proxies in between, the nearest first. Tunnels that are streams of HTTP/2 are not the whole connection's. */
  readonly intermediaries: readonly Intermediary[]
  /** As `open` was given it. */
  readonly cookieStore: CookieStore | undefined
  /** As `open` was given it. */
  readonly eventHandler: EventHandler | undefined
}

/** A connection that lives, as `connections` lists it. */
export interface ConnectionInfo extends Info {
  /** The connection. */
  readonly connPid: ConnPid
  /** How many requests are under way or wait for their turn; 0 while none can be. */
  readonly streams: number
}

/** A connection as `remoteInfo` tells of it: as `Info`, without what cannot leave its node. */
export interface RemoteInfo extends Omit<Info, 'owner' | 'socket' | 'cookieStore' | 'eventHandler'> {
  /** The node on which the connection is. */
  readonly node: string
  /** The owner of the connection; `undefined` if that is nothing that can be known on another node. */
  readonly owner: Owner | undefined
}

/** A stream as `remoteStreamInfo` tells of it. */
export interface RemoteStreamInfo extends Omit<StreamInfo, 'replyTo'> {
  /** The recipient of the stream's messages; `undefined` if that is nothing that can be known on another node, such as a function. */
  readonly replyTo: ReplyTo | undefined
}

/** A stream that is open, as it is now. */
export interface StreamInfo {
  /** The stream that was asked about. */
  readonly ref: StreamRef
  /** The recipient of the stream's messages. */
  readonly replyTo: ReplyTo
  /** `'stopping'`: a WebSocket on which a close frame was sent or received, or a cancelled request whose response is dropped. */
  readonly state: 'running' | 'stopping'
  /** The proxies in between, the nearest first. */
  readonly intermediaries: readonly Intermediary[]
  /** The other end of the tunnel; absent for a stream that is no tunnel. */
  readonly tunnel?: TunnelInfo
  /** The state of a request and of its response; absent for a WebSocket. */
  readonly request?: RequestInfo
  /** The state of a WebSocket; absent for a request. */
  readonly websocket?: WebSocketInfo
}

/** A request that is under way, as it is now. */
export interface RequestInfo {
  /** Its method. */
  readonly method: string
  /** Its path. */
  readonly path: string
  /** `'waiting'`: nothing of it was sent. `'sending'`: its head was, and its body not in full. `'sent'`: all of it was. */
  readonly state: 'waiting' | 'sending' | 'sent'
  /** Whether it waits for the next connection, since the one that is up ends in order, as behind a GOAWAY, and begins nothing more. */
  readonly isPostponed: boolean
  /**
   * The stream that it waits for: one whose request has to be sent in full before this one is, or whose response comes before
   * this one's. Absent where it waits for no other.
   */
  readonly behind?: StreamRef
  /** How many bytes of its body were given. */
  readonly givenBytes: number
  /** Whether its body was given in full: with the request, or by `data` with `'fin'`, or `trailers`. */
  readonly isComplete: boolean
  /**
   * `'due'`: nothing of its response has come. `'coming'`: something has, an informational response too. `'complete'`: the
   * last message of the stream was posted, and only its own body is not complete.
   */
  readonly response: 'due' | 'coming' | 'complete'
  /** Whether a content handler is at work on the response, which holds up what is behind it. */
  readonly isHandled: boolean
  /** How many messages of the response's body are still wanted; `Infinity` where flow control is off. */
  readonly flow: number
}

/** A WebSocket that is open, as it is now. */
export interface WebSocketInfo {
  /** The subprotocol that the server chose; `undefined`: none. */
  readonly subprotocol: string | undefined
  /** The extensions that the server agreed to, as its header says; `undefined`: none. */
  readonly extensions: string | undefined
  /** How many bytes wait to be sent. */
  readonly bufferedBytes: number
  /** How many messages are still wanted; `Infinity` where flow control is off. */
  readonly flow: number
}
