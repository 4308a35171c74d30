// A real server of node:http or node:http2, with ws for upgrades, that records the header fields of requests and answers as its paths say.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createServer2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer } from 'ws'

export type Version = 'http' | 'http2'

export interface RecordingServer extends AsyncDisposable {
  readonly port: number
  /** The header fields of the requests so far, by their paths. */
  readonly seen: ReadonlyMap<string, IncomingHttpHeaders>
  /** Resolves when a request with that path has come. */
  arrival(path: string): Promise<void>
  /** Resets all connections. */
  reset(): void
}

type Answer = (
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse & Http2ServerResponse,
) => void

/** The answers by the first part of a path; any other path is answered with 200 and a body. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  hold: () => {},
  status: ({ url }, response) => {
    response.statusCode = Number(url?.split('/')[2]?.split('?')[0])
    response.end('status')
  },
  trailers: (_, response) => {
    response.writeHead(200, { trailer: 'x-end' })
    response.write('part')
    response.addTrailers({ 'x-end': 'yes' })
    response.end()
  },
  cut: (_, response) => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('part', () => response.destroy())
  },
  empty: (_, response) => {
    response.statusCode = 204
    response.end()
  },
}

/** Starts a server on a free port of loopback. */
export async function recordingServer(version: Version = 'http', port = 0): Promise<RecordingServer> {
  const seen = new Map<string, IncomingHttpHeaders>()
  const awaited = new Map<string, () => void>()
  const sockets = new Set<Socket>()
  const record = (request: IncomingMessage | Http2ServerRequest) => {
    const path = request.url ?? ''
    seen.set(path, request.headers)
    awaited.get(path)?.()
  }
  const server =
    version === 'http' ? createServer() : createServer2({ settings: { enableConnectProtocol: true } })
  server.on('request', (request: IncomingMessage, response: ServerResponse & Http2ServerResponse) => {
    record(request)
    request.resume()
    const answer = ANSWERS[request.url?.split('/')[1]?.split('?')[0] ?? '']
    if (answer !== undefined) answer(request, response)
    else response.end('body')
  })
  // RFC 8441: a WebSocket in a stream, of which nothing but the handshake is needed here.
  server.on('connect', () => {})
  const websockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    record(request)
    if (request.url?.startsWith('/refused'))
      return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    if (request.url?.startsWith('/wrong')) {
      return socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n',
      )
    }
    websockets.handleUpgrade(request, socket, head, webSocket => {
      if (request.url?.startsWith('/chat')) webSocket.send('welcome')
    })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    reset,
    arrival: path =>
      seen.has(path) ? Promise.resolve() : new Promise(resolve => awaited.set(path, resolve)),
    async [Symbol.asyncDispose]() {
      reset()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
