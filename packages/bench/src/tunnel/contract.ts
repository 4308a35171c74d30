/** The work that a client of the benchmark of tunnels can be asked to do. */

/** A piece of work, as the coordinator gives it to a client's process. */
export type Job =
  | { readonly type: 'get'; readonly secure: boolean; readonly inFlight: number; readonly count: number }
  | {
      readonly type: 'echo'
      readonly secure: boolean
      readonly size: number
      readonly inFlight: number
      readonly count: number
    }

/** The ports of the origins, and of the proxy in front of them. */
export interface Ports {
  readonly http: number
  readonly https: number
  readonly ws: number
  readonly wss: number
  readonly proxy: number
}

/** How many bytes the body of a response has. */
export const BODY = 100

/** Makes a client's connection, and gives how to use it. `proxy` is the URL of the proxy, if there is one. */
export interface Client {
  get?(
    port: number,
    secure: boolean,
    proxy: string | undefined,
    inFlight: number,
  ): Promise<(count: number) => Promise<void>>
  echo?(
    port: number,
    secure: boolean,
    proxy: string | undefined,
  ): Promise<(data: string, count: number, inFlight: number) => Promise<void>>
}
