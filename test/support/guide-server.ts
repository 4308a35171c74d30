/** The server that the pieces of code in the guide talk to: HTTP/1.1, HTTP/2 and WebSocket on one port, as port 8080 in the text. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import type { Place } from '@holster/testing'
import { closer, listen } from '@holster/testing/internal'
import { WebSocketServer } from 'ws'

type Requests = IncomingMessage | http2.Http2ServerRequest
type Responses = ServerResponse | http2.Http2ServerResponse

/** The beginning of the preface of HTTP/2. */
const PREFACE = 'PRI *'

function respond(request: Requests, response: Responses): void {
  const answer = (type: string, body: string) => {
    response.writeHead(200, { 'content-type': type })
    response.end(body)
  }
  switch (request.url) {
    case '/slow':
      return
    case '/json':
      return answer('application/json', '{"hello":"world"}')
    case '/events':
      return answer('text/event-stream', 'id: 1\nevent: tick\ndata: one\n\n')
    case '/upload': {
      let size = 0
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
      })
      request.on('end', () => answer('text/plain', `got ${size} bytes`))
      return
    }
    default:
      answer('text/plain', 'Hello over HTTP')
  }
}

export interface GuideServer extends AsyncDisposable, Place {}

export async function guideServer(): Promise<GuideServer> {
  const http1 = createServer(respond)
  const sessions = new Set<http2.ServerHttp2Session>()
  const h2 = http2.createServer(respond)
  h2.on('session', session => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  const webSockets = new WebSocketServer({ server: http1 })
  webSockets.on('connection', socket => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  const sockets = new Set<net.Socket>()
  const server = net.createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    socket.once('data', first => {
      socket.pause()
      socket.unshift(first)
      const isHttp2 = String(first).startsWith(PREFACE)
      ;(isHttp2 ? h2 : http1).emit('connection', socket)
      if (!isHttp2) socket.resume()
    })
  })
  const close = closer(server, () => {
    for (const session of sessions) session.destroy()
    for (const socket of sockets) socket.destroy()
  })
  const place = await listen(server, 'tcp')
  return { ...place, [Symbol.asyncDispose]: close }
}
