/** What a client of the benchmark can be asked to do, the same for all of them. */

/** One piece of work, as the coordinator gives it to a client's process. */
export type Job =
  | { readonly type: 'echo'; readonly payload: Payload; readonly inFlight: number; readonly count: number }
  | { readonly type: 'receive'; readonly payload: Payload; readonly count: number }
  | { readonly type: 'send'; readonly payload: Payload; readonly count: number }
  | { readonly type: 'open'; readonly count: number }
  | { readonly type: 'idle'; readonly count: number }

export interface Payload {
  readonly type: 'text' | 'binary'
  readonly size: number
  /** Over a connection with permessage-deflate. */
  readonly compressed: boolean
}

/** How many messages a client sends before it waits for the server to say that it has them. */
export const BURST = 256

export type Data = string | Uint8Array

/** A connection, used the way the client's documentation tells. */
export interface Connection {
  /** Keeps so many messages on the way until `count` have come back. */
  echo(data: Data, count: number, inFlight: number): Promise<void>
  /** Sends `request`, and receives `count` messages. */
  receive(request: string, count: number): Promise<void>
  /** Sends `count` messages, in bursts that the server answers. */
  send(data: Data, count: number): Promise<void>
  close(): Promise<void>
}

export interface Client {
  connect(url: string, compress: boolean): Promise<Connection>
}
