/** What a client of the benchmark can be asked to do: what one of HTTP/1.1 can, and WebSockets on streams (RFC 8441). */

import type { Connection, Job as HttpJob } from '../http/contract.ts'

/** One piece of work, as the coordinator gives it to a client's process. */
export type Job = HttpJob | EchoJob

export interface EchoJob {
  readonly type: 'echo'
  /** How many WebSockets there are on the connection. */
  readonly streams: number
  readonly size: number
  /** How many messages come back, from all of them together. */
  readonly count: number
}

/** The WebSockets of one connection. */
export interface WebSockets {
  /** Keeps one message on the way on each of them until `count` have come back in all. */
  echo(data: string, count: number): Promise<void>
}

export interface Client {
  /** One connection, however many requests there are at a time. */
  connect(origin: string): Promise<Connection>
  /** Absent where the client has no WebSocket over HTTP/2. */
  openWebSockets?(origin: string, streams: number): Promise<WebSockets>
}

/** Where the server takes WebSockets. */
export const WEBSOCKET_PATH = '/ws'
