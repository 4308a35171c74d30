/** What a client of the benchmark can be asked to do, the same for all of them. */

import type { Marks } from '../marks.ts'

/** One piece of work, as the coordinator gives it to a client's process. */
export type Job =
  | {
      readonly type: 'echo'
      readonly wire: Wire
      readonly payload: Payload
      readonly inFlight: number
      readonly count: number
    }
  | { readonly type: 'receive'; readonly payload: Payload; readonly count: number }
  | { readonly type: 'send'; readonly payload: Payload; readonly count: number }
  | { readonly type: 'open'; readonly wire: Wire; readonly count: number }
  | { readonly type: 'idle'; readonly wire: Wire; readonly count: number }

/** `takeover` has permessage-deflate that keeps its context from message to message, `reset` one that does not. */
export type Wire = 'plain' | 'tls' | 'takeover' | 'reset'

/** The URL of the server for each wire. */
export type Urls = Readonly<Record<Wire, string>>

export function isCompressed(wire: Wire): boolean {
  return wire === 'takeover' || wire === 'reset'
}

export interface Payload {
  readonly type: 'text' | 'binary'
  readonly size: number
}

/** How many messages a client sends before it waits for the server to say that it has them. */
export const BURST = 256

export type Data = string | Uint8Array

/** A connection, used the way the client's documentation tells. */
export interface Connection {
  /** Keeps so many messages on the way until `count` have come back. */
  echo(data: Data, count: number, inFlight: number, marks?: Marks): Promise<void>
  /** Sends `request`, and receives `count` messages. */
  receive(request: string, count: number, marks?: Marks): Promise<void>
  /** Sends `count` messages, in bursts that the server answers. */
  send(data: Data, count: number): Promise<void>
  close(): Promise<void>
}

export interface Client {
  /** `url` begins with `ws:` or, where the server's certificate is to be verified, with `wss:`. */
  connect(url: string, compress: boolean): Promise<Connection>
}

/** Text that compresses as logs do, not as zeros. */
export function sample(size: number): string {
  let text = ''
  for (let n = 0; text.length < size; n++) text += `{"id":${n},"name":"item ${(n * 7919) % 1000}"},`
  return text.slice(0, size)
}
