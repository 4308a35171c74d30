// Real HTTP/2 peers: a server of node:http2 on loopback, with the WebSockets of `ws` on its streams (RFC 8441).

import './chance.ts'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import http2 from 'node:http2'
import type { Socket } from 'node:net'
import { certificates, type Place, type Transport } from '@holster/testing'
import { closer, listen } from '@holster/testing/internal'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import type { Refusal } from './websocket-server.ts'

export type OnRequest = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void

export interface H2ServerOptions {
  transport?: Transport
  /** SETTINGS_ENABLE_CONNECT_PROTOCOL, without which no client may ask for a WebSocket. Default: true. */
  enableConnectProtocol?: boolean
  /** The server's other settings. */
  settings?: http2.Settings
  /** In place of a GET's 200 'Hello over HTTP/2'. */
  onRequest?: OnRequest
  /** In place of the echo. */
  onConnection?: (socket: WebSocket, headers: http2.IncomingHttpHeaders) => void
  /** Without it the first subprotocol is chosen. */
  handleProtocols?: (protocols: Set<string>, headers: http2.IncomingHttpHeaders) => string | false
  /** Answers a WebSocket's CONNECT with a whole response; undefined accepts. */
  refuse?: (headers: http2.IncomingHttpHeaders) => Refusal | undefined
  /** In place of a 501 for a CONNECT that asks for no WebSocket. */
  onConnect?: (stream: http2.ServerHttp2Stream, request: http2.Http2ServerRequest) => void
  /** More for `ws`, such as perMessageDeflate and maxPayload. */
  ws?: Omit<ServerOptions, 'server' | 'noServer' | 'port' | 'host' | 'path' | 'handleProtocols'>
  /** Goes over the default `certificates.server`; with `allowHTTP1` it serves both. */
  tls?: http2.SecureServerOptions
}

export interface H2Server extends AsyncDisposable, Place {
  readonly server: http2.Http2Server | http2.Http2SecureServer
  /** The sessions that are open. */
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>
  readonly wss: WebSocketServer
  /** Destroys every session and waits until all is closed. */
  close(): Promise<void>
}

function echo(socket: WebSocket): void {
  socket.on('message', (data, binary) => socket.send(data, { binary }))
}

const hello: OnRequest = (request, response) => {
  const found = request.method === 'GET' || request.method === 'HEAD'
  const body = found ? 'Hello over HTTP/2' : 'Only GET here'
  response.writeHead(found ? 200 : 405, {
    'content-type': 'text/plain',
    'content-length': body.length,
    ...(found ? {} : { allow: 'GET, HEAD' }),
  })
  response.end(body)
}

/** The response to a CONNECT, from what `ws` would have written on a connection of HTTP/1.1. */
function respond(stream: http2.ServerHttp2Stream, head: string): string {
  const [lines = '', body = ''] = head.split('\r\n\r\n')
  const [statusLine = '', ...fields] = lines.split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  const headers: http2.OutgoingHttpHeaders = { ':status': status === 101 ? 200 : status }
  for (const field of fields) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    // What RFC 8441 section 5 has no use for.
    if (['upgrade', 'connection', 'sec-websocket-accept'].includes(name)) continue
    headers[name] = field.slice(colon + 1).trim()
  }
  stream.respond(headers)
  return body
}

/** Has `ws` negotiate and take the stream, as if it were a socket on which HTTP/1.1 was upgraded. */
function upgrade(
  wss: WebSocketServer,
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  onConnection: (socket: WebSocket) => void,
): void {
  const { write, end } = stream
  const restore = (): void => {
    Object.assign(stream, { write, end })
  }
  Object.assign(stream, {
    write(head: string): boolean {
      restore()
      respond(stream, head)
      return true
    },
    end(head: string): void {
      restore()
      stream.end(respond(stream, head))
    },
  })
  const request = {
    method: 'GET',
    url: headers[':path'],
    headers: { ...headers, upgrade: 'websocket', 'sec-websocket-key': randomBytes(16).toString('base64') },
    socket: stream.session?.socket,
  }
  wss.handleUpgrade(request as unknown as IncomingMessage, stream, Buffer.alloc(0), onConnection)
}

export async function h2Server(options: H2ServerOptions = {}): Promise<H2Server> {
  const { transport = 'tcp', onRequest = hello, onConnection = echo, refuse, handleProtocols } = options
  const settings = { ...options.settings, enableConnectProtocol: options.enableConnectProtocol ?? true }
  const sockets = new Set<Socket>()
  const sessions = new Set<http2.ServerHttp2Session>()
  const wss = new WebSocketServer({
    ...options.ws,
    noServer: true,
    ...(handleProtocols && {
      handleProtocols: (protocols, { headers }) => handleProtocols(protocols, headers),
    }),
  })
  const server =
    transport === 'tls'
      ? http2.createSecureServer({ ...certificates.server, ...options.tls, settings }, onRequest)
      : http2.createServer({ settings }, onRequest)

  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('session', (session: http2.ServerHttp2Session) => {
    sessions.add(session)
    // A client that breaks the protocol on purpose must not crash the test.
    session.on('error', () => {}).once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream: http2.ServerHttp2Stream) => stream.on('error', () => {}))

  server.on('connect', (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => {
    const { stream, headers } = request
    if (headers[':protocol'] === undefined && options.onConnect !== undefined) {
      options.onConnect(stream, request)
      return
    }
    const refusal = headers[':protocol'] === 'websocket' ? refuse?.(headers) : { status: 501 }
    if (refusal !== undefined) {
      response.writeHead(refusal.status, refusal.headers)
      response.end(refusal.body ?? '')
      return
    }
    upgrade(wss, stream, headers, socket => {
      socket.on('error', () => {})
      onConnection(socket, headers)
    })
  })

  const place = await listen(server, transport)
  const close = closer(server, () => {
    wss.close()
    for (const client of wss.clients) client.terminate()
    for (const session of sessions) session.destroy()
    // Also those on which no session has begun.
    for (const socket of sockets) socket.destroy()
  })

  return {
    ...place,
    server,
    sessions,
    wss,
    close,
    [Symbol.asyncDispose]: close,
  }
}
