/** What `info` tells about a connection. */

import type { Socket } from 'node:net'
import type { Connection } from './connection/connection.js'
import type { ProtocolName } from './messages.js'
import type { Owner, ReplyTo } from './reply-to.js'
import type { StreamRef } from './stream-ref.js'

/** A connection as it is now. What is not known while it is not up is `undefined`. */
export interface Info {
  readonly owner: Owner
  /** The socket. Whoever writes to it breaks the connection. */
  readonly socket: Socket | undefined
  readonly transport: 'tcp' | 'tls'
  readonly protocol: ProtocolName | 'ws' | undefined
  /** `domain_lookup`, `connecting`, `initial_tls_handshake`, `connected`, `connected_ws_only`, `closing`, `not_connected` or `terminated`. */
  readonly stateName: string
  /** Our own address and port. */
  readonly sockIp: string | undefined
  readonly sockPort: number | undefined
  readonly originScheme: 'http' | 'https'
  readonly originHost: string
  readonly originPort: number
}

/** A stream that is open, as it is now. */
export interface StreamInfo {
  readonly ref: StreamRef
  readonly replyTo: ReplyTo
  /** `'stopping'`: a WebSocket on which a close frame was sent or received. */
  readonly state: 'running' | 'stopping'
  /** The proxies in between. */
  readonly intermediaries: readonly []
  /** What is known of a WebSocket. */
  readonly websocket?: WebSocketInfo
}

export interface WebSocketInfo {
  /** The subprotocol that the server chose. */
  readonly subprotocol: string | undefined
  /** The extensions that the server agreed to, as its header says. */
  readonly extensions: string | undefined
  /** How many bytes wait to be sent. */
  readonly bufferedBytes: number
  /** How many messages are still wanted; `Infinity` where flow control is off. */
  readonly flow: number
}

export function infoOf(connection: Connection): Info {
  const { owner, socket, transport, protocol, stateName, origin } = connection
  return {
    owner,
    socket,
    transport,
    protocol: protocol?.name,
    stateName,
    sockIp: socket?.localAddress,
    sockPort: socket?.localPort,
    originScheme: transport === 'tls' ? 'https' : 'http',
    originHost: origin.host,
    originPort: origin.port,
  }
}
