/** What a client of the benchmark can be asked to do, the same for all of them. */

import type { Marks } from '../marks.ts'

/** One piece of work, as the coordinator gives it to a client's process. */
export type Job =
  | { readonly type: 'get'; readonly size: number; readonly inFlight: number; readonly count: number }
  | { readonly type: 'post'; readonly chunks: number; readonly count: number }

/** How many bytes the body of a request has in one chunk. */
export const CHUNK = 64 * 1024

/** Bodies of more bytes are not put together but dropped as they come. */
export const LARGE = 64 * 1024

/** One connection to the server, used the way the client's documentation tells. */
export interface Connection {
  /** Takes `count` responses with their bodies, with so many requests on the way. */
  get(path: string, job: Job & { readonly type: 'get' }, marks?: Marks): Promise<void>
  /** Sends `count` requests, one after the other, with a body of unknown length. */
  post(path: string, chunk: Uint8Array, job: Job & { readonly type: 'post' }): Promise<void>
}

export interface Client {
  /** The connection is never asked for more requests at a time than `inFlight`. */
  connect(origin: string, inFlight: number): Promise<Connection>
}

/** Throws where a client would look fast for having left something out. */
export function checkSize(received: number, size: number): void {
  if (received !== size) throw new Error(`a body of ${size} bytes had ${received}`)
}
