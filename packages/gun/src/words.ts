/** The words of the wire that every room uses; nothing of this package stands below them. */

import type { LookupAddress } from 'node:dns'

/** Header fields in wire order, names in lower case, duplicates kept. */
export type Headers = readonly (readonly [name: string, value: string])[]

/** Whether this is the last part: `'fin'` if it is. */
export type IsFin = 'fin' | 'nofin'

/** The protocol of a connection, as `gun_up` and `info` name it. */
export type ProtocolName = 'http' | 'http2'

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

/** The addresses that a look-up gave; a Unix socket has none. */
export type Addresses = readonly LookupAddress[]
