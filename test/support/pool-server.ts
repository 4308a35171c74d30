// A real server for tests of pools: it holds each request until the test answers it, and counts what is under way on each connection.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createSecureServer,
  createServer as createServer2,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { certificates } from '@holster/testing'
import { eventually } from './client.ts'
import { streamEnds } from './stream-ends.ts'
import './chance.ts'

/** A request that the server has, and has not answered yet. */
export interface Held {
  readonly path: string
  /** The number of its connection, in the order in which they were made. */
  readonly connection: number
  answer(body?: string): void
  /** Whether the client has given it up. */
  readonly isGone: boolean
}

export interface PoolServer extends AsyncDisposable {
  readonly port: number
  /** The host header of requests. */
  readonly host: string
  /** The requests that were not answered, oldest first. */
  readonly held: readonly Held[]
  /** The paths of all requests so far, in the order in which they came. */
  readonly paths: readonly string[]
  /** The most requests that were under way at once on one connection. */
  readonly most: number
  /** How many connections were made so far. */
  readonly made: number
  /** How many are open. */
  readonly open: number
  /** Whether requests are held; the others are answered at once with their path. Set by the test. */
  isHolding: boolean
  /** Waits for so many requests that are held. */
  holds(count: number): Promise<readonly Held[]>
  /** Resets the connection of that number, or all. */
  reset(connection?: number): void
}

interface Options {
  readonly version?: 'http' | 'http2'
  readonly transport?: 'tcp' | 'tls'
  readonly maxConcurrentStreams?: number
  /** The port to listen on. Default: one that is free. */
  readonly port?: number
}

export async function poolServer({
  version = 'http',
  transport = 'tcp',
  port: wanted = 0,
  ...settings
}: Options = {}): Promise<PoolServer> {
  const sockets: (Socket | undefined)[] = []
  const held: (Held & { isGone: boolean })[] = []
  const paths: string[] = []
  const underWay = new Map<number, number>()
  let most = 0
  const state = { isHolding: true }
  const onRequest = (socket: Socket, path: string, response: ServerResponse | Http2ServerResponse) => {
    const connection = sockets.indexOf(socket)
    paths.push(path)
    const count = (underWay.get(connection) ?? 0) + 1
    underWay.set(connection, count)
    most = Math.max(most, count)
    let isDone = false
    const done = () => {
      if (isDone) return
      isDone = true
      underWay.set(connection, (underWay.get(connection) ?? 1) - 1)
      const at = held.indexOf(entry)
      if (at !== -1) held.splice(at, 1)
    }
    const entry = {
      path,
      connection,
      isGone: false,
      answer(body = path) {
        done()
        response.end(body)
      },
    }
    response.on('close', () => {
      entry.isGone = !isDone
      done()
    })
    held.push(entry)
    if (!state.isHolding) entry.answer()
  }
  const onHttp = (request: IncomingMessage, response: ServerResponse) => {
    // The body of a request comes behind its path in the answer.
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    if (request.method === 'GET') onRequest(request.socket, request.url ?? '', response)
    else request.on('end', () => onRequest(request.socket, `${request.url}${body}`, response))
  }
  const onHttp2 = (request: Http2ServerRequest, response: Http2ServerResponse) => {
    onRequest(request.stream.session?.socket as Socket, request.url, response)
  }
  const isTls = transport === 'tls'
  const tls = certificates.server
  const server =
    version === 'http'
      ? isTls
        ? createHttpsServer(tls, onHttp)
        : createServer(onHttp)
      : isTls
        ? createSecureServer({ ...tls, settings }, onHttp2)
        : createServer2({ settings }, onHttp2)
  const real = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    real.add(socket)
    // The socket of an HTTP/2 session is a proxy of the real one, and TLS has a socket of its own.
    if (version === 'http' && !isTls) sockets.push(socket)
    socket.on('error', () => {})
    socket.on('close', () => real.delete(socket))
  })
  if (version === 'http' && isTls) server.on('secureConnection', (socket: Socket) => sockets.push(socket))
  if (version === 'http2') server.on('session', session => sockets.push(session.socket))
  server.listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const all = () => [...real]
  return {
    port,
    host: `127.0.0.1:${port}`,
    get held() {
      return [...held]
    },
    paths,
    get most() {
      return most
    },
    get made() {
      return sockets.length
    },
    get open() {
      return real.size
    },
    get isHolding() {
      return state.isHolding
    },
    set isHolding(isHolding) {
      state.isHolding = isHolding
    },
    async holds(count) {
      await eventually(() => held.length >= count, `${count} requests have come`)
      return [...held]
    },
    reset(connection) {
      if (connection === undefined) for (const socket of all()) socket.resetAndDestroy()
      else all()[connection]?.resetAndDestroy()
    },
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of all()) socket.destroy()
      await once(server, 'close').catch(() => {})
      streamEnds.assert()
    },
  }
}
