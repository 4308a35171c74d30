/** The jobs of a client of the benchmark: GETs, over as many connections as each of the other clients has. */

/** A piece of work, as the coordinator gives it to a client's process. */
export interface Job {
  /** How many bytes each body has. */
  readonly size: number
  /** How many callers there are, each of which asks again when it has its response. */
  readonly callers: number
  /** How many requests the callers make together. */
  readonly count: number
}

/** How many connections each client has. */
export const SIZE = 8

export type Version = 'http' | 'http2'

export interface Client {
  /** Connects without TLS; each call of the function takes a whole response, and gives the size of its body. */
  connect(origin: string, version: Version): Promise<(path: string, caller: number) => Promise<number>>
}
