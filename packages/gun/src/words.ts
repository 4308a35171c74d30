/** The words of the wire that every room uses. This file imports nothing from this package. */

import type { LookupAddress } from 'node:dns'

/** Header fields in wire order, with lower-case names; duplicates are kept. */
export type Headers = readonly (readonly [name: string, value: string])[]

/** Whether a message carries the last part of a body: `'fin'` if so, else `'nofin'`. */
export type IsFin = 'fin' | 'nofin'

/** A protocol that a line can speak from its start, as `gun_up`, `gun_tunnel_up` and `info` name it. */
export type ProtocolName = 'http' | 'http2' | 'raw' | 'socks'

/** A WebSocket frame as the caller gives it to `wsSend`. */
export type WsFrame =
  | 'close'
  | 'ping'
  | 'pong'
  | readonly ['text', string]
  | readonly ['binary', Uint8Array]
  | readonly ['ping' | 'pong', Uint8Array]
  | readonly ['close', string]
  | readonly ['close', number, string]

/** A WebSocket frame as `gun_ws` carries it. Pings and pongs arrive only with `silencePings: false`. */
export type WsFrameIn =
  | 'close'
  | 'ping'
  | 'pong'
  | readonly ['text', string]
  | readonly ['binary', Buffer]
  | readonly ['ping' | 'pong', Buffer]
  | readonly ['close', number, string]

/** The addresses found by a look-up. The list is empty for a Unix socket. */
export type Addresses = readonly LookupAddress[]
