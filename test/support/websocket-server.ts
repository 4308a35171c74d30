// Real peers: a `ws` server on a real http(s) server of loopback.

import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type tls from 'node:tls'
import './chance.ts'
import { certificates, type Place, type Transport } from '@holster/testing'
import { closer, listen } from '@holster/testing/internal'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'

export interface Refusal {
  status: number
  headers?: Readonly<Record<string, string>>
  body?: string
}

export interface WebsocketServerOptions {
  transport?: Transport
  /** In place of the echo. */
  onConnection?: (socket: WebSocket, request: http.IncomingMessage) => void
  handleProtocols?: NonNullable<ServerOptions['handleProtocols']>
  /** In place of a GET's 200 'Hello over HTTP'. */
  onRequest?: (request: http.IncomingMessage, response: http.ServerResponse) => void
  /** Answers an upgrade with a whole HTTP response, after which the connection goes on; undefined accepts. */
  refuse?: (request: http.IncomingMessage) => Refusal | undefined
  /** More for `ws`, such as perMessageDeflate and maxPayload. */
  ws?: Omit<ServerOptions, 'server' | 'noServer' | 'port' | 'host' | 'path' | 'handleProtocols'>
  /** Goes over the default `certificates.server`. */
  tls?: tls.TlsOptions
}

export interface WebsocketServer extends AsyncDisposable, Place {
  /** For the client of `ws`. */
  readonly url: string
  readonly server: http.Server | https.Server
  readonly wss: WebSocketServer
  /** Terminates every socket and waits until all is closed. */
  close(): Promise<void>
}

function echo(socket: WebSocket): void {
  socket.on('message', (data, binary) => socket.send(data, { binary }))
}

function hello(request: http.IncomingMessage, response: http.ServerResponse): void {
  const found = request.method === 'GET' || request.method === 'HEAD'
  const body = found ? 'Hello over HTTP' : 'Only GET here'
  response.writeHead(found ? 200 : 405, {
    'content-type': 'text/plain',
    'content-length': body.length,
    ...(found ? {} : { allow: 'GET, HEAD' }),
  })
  response.end(body)
}

function refusalBytes({ status, headers = {}, body = '' }: Refusal): string {
  const lines = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

export async function websocketServer(options: WebsocketServerOptions = {}): Promise<WebsocketServer> {
  const { transport = 'tcp', onConnection = echo, onRequest = hello, refuse, handleProtocols } = options
  const sockets = new Set<Socket>()
  const wss = new WebSocketServer({
    ...options.ws,
    noServer: true,
    ...(handleProtocols && { handleProtocols }),
  })
  const server =
    transport === 'tls'
      ? https.createServer({ ...certificates.server, ...options.tls }, onRequest)
      : http.createServer(onRequest)

  // Carriers, so that a handshake which was never finished is closed too.
  server.on('connection', (socket: Socket) => {
    if (sockets.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  const answering = new Map<Duplex, http.ServerResponse>()
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    answering.set(request.socket, response)
    response.once('close', () => {
      if (answering.get(request.socket) === response) answering.delete(request.socket)
    })
  })

  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = refuse?.(request)
    if (refusal === undefined) {
      wss.handleUpgrade(request, socket, head, webSocket => wss.emit('connection', webSocket, request))
      return
    }
    const answer = (): void => {
      socket.write(refusalBytes(refusal))
      if (head.length > 0) socket.unshift(head)
      // node:http has let go of the socket; to go on serving it has to meet it as a new one.
      server.emit(transport === 'tls' ? 'secureConnection' : 'connection', socket)
    }
    // A pipelined upgrade is reported while the response before it is still being written.
    const before = answering.get(socket)
    if (before === undefined) answer()
    else before.once('close', answer)
  })

  wss.on('connection', (socket: WebSocket, request: http.IncomingMessage) => {
    // A client that breaks the protocol on purpose must not crash the test.
    socket.on('error', () => {})
    onConnection(socket, request)
  })

  const place = await listen(server, transport)
  const { host, port, path } = place
  const close = closer(server, () => {
    wss.close()
    for (const client of wss.clients) client.terminate()
    for (const socket of sockets) socket.destroy()
  })

  return {
    ...place,
    url:
      path === undefined ? `${transport === 'tls' ? 'wss' : 'ws'}://${host}:${port}/` : `ws+unix:${path}:/`,
    server,
    wss,
    close,
    [Symbol.asyncDispose]: close,
  }
}
