// The part that all proxies of the tests have in common: requests that are held until the test says so, and tunnels that forward both ways.

import { once } from 'node:events'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { Place } from '@holster/testing'

/** Where a client has asked a proxy to lead to. */
export interface TunnelRequest {
  /** Without brackets. */
  readonly host: string
  readonly port: number
  /** The host and the port, as they were sent over HTTP. */
  readonly authority: string
}

/** Another place than the one that was asked for, or none: the tunnel is open, and what the client sends is thrown away. */
export type LeadsTo = Pick<Place, 'host' | 'port'> | 'nowhere'

/** The decision of a test about a request: never to answer, to reset, or whatever else a proxy of its kind can say. */
export type Decide<R, A> = (request: R, index: number) => A | undefined | Promise<A | undefined>

export interface LedgerOptions<R, A> {
  /** Decides about each request. `undefined`, and the default, has the tunnel made to where it was asked for. */
  readonly answer?: Decide<R, A>
  /** Whether each request waits for a `release()` before it is decided about. Default: false. */
  readonly isHeld?: boolean
}

/** The test's view of a proxy. */
export interface TunnelProxy<R extends TunnelRequest = TunnelRequest> extends AsyncDisposable, Place {
  /** The tunnels that were asked for so far. */
  readonly requests: readonly R[]
  /** Connections accepted so far. */
  readonly connections: number
  /** How many tunnels are open: an end of both sides, or a reset of one, closes a tunnel. */
  readonly openTunnels: number
  /** The next request that this function has not given yet. */
  request(): Promise<R>
  /** Lets one request go that is held, the oldest, or else the next one that comes. */
  release(): void
  /** Ends the side to the client in order, of the oldest tunnel that is open or of that with an index, and resets the other. */
  closeTunnel(index?: number): void
  /** Resets both sides of a tunnel: RST of a connection, RST_STREAM with CONNECT_ERROR of a stream. */
  resetTunnel(index?: number): void
  /** Destroys all connections and waits until all is closed. */
  close(): Promise<void>
}

/** A side of a tunnel: the stream to read and write, and how the side is reset. */
export interface Side {
  readonly duplex: Duplex
  reset(): void
  /** Whether the peer has reset this side. */
  isReset?(): boolean
}

interface Tunnel {
  readonly client: Side
  readonly server: Side | undefined
}

export interface Ledger<R extends TunnelRequest, A> {
  /** The test's view of a server that listens. */
  view(server: Listening): TunnelProxy<R>
  /** Notes a request, and resolves to what the test decides about it. */
  ask(request: R): Promise<A | undefined>
  /** Connects to where a tunnel shall lead. */
  dial(request: TunnelRequest, leadsTo: LeadsTo | undefined): Promise<Side | undefined>
  /** Forwards both ways from now on. */
  join(client: Side, server: Side | undefined): void
}

/** The server of a proxy. */
export interface Listening extends Place {
  readonly connections: number
  close(): Promise<void>
}

/** All names lead to this machine, so that no test needs a resolver. */
const addressOf = (host: string): string => (net.isIP(host) === 0 ? '127.0.0.1' : host)

/** Splits `host:port` or `[address]:port`. */
export function parseAuthority(authority: string): TunnelRequest {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(authority) ?? []
  if (host === undefined) throw new Error(`not an authority: ${JSON.stringify(authority)}`)
  return { host, port: Number(port), authority }
}

export function createLedger<R extends TunnelRequest, A>(options: LedgerOptions<R, A>): Ledger<R, A> {
  const { answer, isHeld = false } = options
  const requests: R[] = []
  const tunnels = new Set<Tunnel>()
  const dialled = new Set<net.Socket>()
  const held: (() => void)[] = []
  const takers: ((request: R) => void)[] = []
  let taken = 0
  let permits = 0

  async function ask(request: R): Promise<A | undefined> {
    const index = requests.push(request) - 1
    const taker = takers.shift()
    if (taker !== undefined) {
      taken += 1
      taker(request)
    }
    if (isHeld && permits > 0) permits -= 1
    else if (isHeld) await new Promise<void>(resolve => held.push(resolve))
    return answer?.(request, index)
  }

  async function dial(request: TunnelRequest, leadsTo: LeadsTo | undefined): Promise<Side | undefined> {
    if (leadsTo === 'nowhere') return undefined
    const { host, port } = leadsTo ?? request
    const socket = net.connect({ host: addressOf(host), port, allowHalfOpen: true, noDelay: true })
    dialled.add(socket)
    socket.once('close', () => dialled.delete(socket))
    await once(socket, 'connect')
    socket.on('error', () => {})
    return { duplex: socket, reset: () => void socket.resetAndDestroy() }
  }

  function join(client: Side, server: Side | undefined): void {
    const tunnel = { client, server }
    tunnels.add(tunnel)
    const over = (): boolean => tunnels.delete(tunnel)
    if (server === undefined) {
      client.duplex.on('error', () => {}).once('close', over)
      client.duplex.resume()
      return
    }
    forward(client, server, over)
    forward(server, client, over)
  }

  function find(index: number): Tunnel {
    const tunnel = [...tunnels][index]
    if (tunnel === undefined) throw new Error(`no tunnel ${index} is open`)
    tunnels.delete(tunnel)
    return tunnel
  }

  function view(server: Listening): TunnelProxy<R> {
    const close = async (): Promise<void> => {
      await server.close()
      const closed = [...dialled].map(socket => once(socket, 'close'))
      for (const socket of dialled) socket.destroy()
      await Promise.all(closed)
    }
    return {
      host: server.host,
      port: server.port,
      requests,
      get connections() {
        return server.connections
      },
      get openTunnels() {
        return tunnels.size
      },
      async request() {
        const request = requests[taken]
        if (request === undefined) return new Promise(resolve => takers.push(resolve))
        taken += 1
        return request
      },
      release() {
        const release = held.shift()
        if (release === undefined) permits += 1
        else release()
      },
      closeTunnel(index = 0) {
        const { client, server: side } = find(index)
        side?.duplex.unpipe(client.duplex)
        side?.reset()
        client.duplex.unpipe()
        client.duplex.end()
        client.duplex.resume()
      },
      resetTunnel(index = 0) {
        const { client, server: side } = find(index)
        side?.reset()
        resetLater(client)
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  return { ask, dial, join, view }
}

/**
 * Resets a side once a client of this process has read what was sent before: libuv may take a reset behind unread bytes for
 * an end. Node 20 crashes besides if it resets within a callback of OpenSSL.
 */
export async function resetLater(side: Pick<Side, 'reset'>): Promise<void> {
  await turn()
  await turn()
  side.reset()
}

/** Forwards one way. An end in order is passed on as one, and so is a reset, unless the tunnel is `over` already. */
function forward(from: Side, to: Side, over: () => boolean): void {
  from.duplex.on('error', () => {})
  from.duplex.pipe(to.duplex)
  from.duplex.once('close', () => {
    const isWhole = from.duplex.readableEnded && from.duplex.writableFinished && from.isReset?.() !== true
    if (over() && !isWhole) resetLater(to)
  })
}
