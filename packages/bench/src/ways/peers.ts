/** Real peers on loopback, in this process: a WebSocket, and exchanges over HTTP/1.1 and HTTP/2. */

import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** The server's side of one exchange; its response has begun, and goes on. */
export interface Exchange {
  write(bytes: Buffer): void
  /** How many bytes of the request's body have come. */
  received(): number
}

export interface Peer<Side> {
  readonly port: number
  /** The server's side of the exchange or WebSocket that was begun last. */
  latest(): Side | undefined
  close(): void
}

const TYPE = 'text/plain'

export function webSocketPeer(): Promise<Peer<{ send(text: string): void; received(): number }>> {
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer()
  let latest: WebSocket | undefined
  let received = 0
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, webSocket => {
      latest = webSocket.on('message', () => received++)
    })
  })
  const side = { send: (text: string) => latest?.send(text), received: () => received }
  return listen(
    server,
    () => latest && side,
    () => latest?.terminate(),
  )
}

/** Answers a request for `/` with a body of two bytes, and every other request with a body that goes on. */
export function httpPeer(): Promise<Peer<Exchange>> {
  let latest: Exchange | undefined
  const server = createServer((request, response) => {
    if (request.url === '/') {
      response.writeHead(200, { 'content-type': TYPE, 'content-length': 2 }).end('ok')
      return
    }
    let size = 0
    request.on('data', (bytes: Buffer) => {
      size += bytes.length
    })
    response.writeHead(200, { 'content-type': TYPE }).flushHeaders()
    latest = { write: bytes => response.write(bytes), received: () => size }
  })
  return listen(
    server,
    () => latest,
    () => server.closeAllConnections(),
  )
}

/** Answers as `httpPeer`, over HTTP/2 with prior knowledge. */
export function http2Peer(): Promise<Peer<Exchange>> {
  let latest: Exchange | undefined
  const sessions = new Set<ServerHttp2Session>()
  const server = createHttp2Server()
  server.on('session', session => sessions.add(session))
  server.on('stream', (stream, headers) => {
    if (headers[':path'] === '/') {
      stream.respond({ ':status': 200, 'content-type': TYPE, 'content-length': 2 })
      stream.end('ok')
      return
    }
    let size = 0
    stream
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        size += bytes.length
      })
    stream.respond({ ':status': 200, 'content-type': TYPE })
    latest = { write: bytes => stream.write(bytes), received: () => size }
  })
  return listen(
    server,
    () => latest,
    () => {
      for (const session of sessions) session.destroy()
    },
  )
}

function listen<Side>(
  server: Server | Http2Server,
  latest: () => Side | undefined,
  drop: () => void,
): Promise<Peer<Side>> {
  const close = () => {
    drop()
    server.close()
  }
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () =>
      resolve({ port: (server.address() as AddressInfo).port, latest, close }),
    )
  })
}
