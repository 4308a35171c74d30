/**
 * A server for the examples: WebSocket echo on /websocket, a refusal on /refused, server-sent events on
 * /events, lines of JSON on /lines, the size of the body sent to /upload, a page on every other path.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type WebSocket, WebSocketServer } from 'ws'

export interface LocalServer extends AsyncDisposable {
  readonly port: number
  /** Drops every connection without a close, as a crash would. */
  dropConnections(): void
}

export async function startServer(onConnection: (socket: WebSocket) => void = echo): Promise<LocalServer> {
  const server = createServer(respond)
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: choose })
  webSockets.on('connection', onConnection)
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/websocket') {
      webSockets.handleUpgrade(request, socket, head, client =>
        webSockets.emit('connection', client, request),
      )
    } else {
      socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 18\r\n\r\nNo WebSocket here\n')
      // Node took the socket away from HTTP when it saw the upgrade.
      server.emit('connection', socket)
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const dropConnections = () => {
    for (const client of webSockets.clients) client.terminate()
  }
  return {
    port: (server.address() as AddressInfo).port,
    dropConnections,
    async [Symbol.asyncDispose]() {
      dropConnections()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function respond(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/events') {
    const from = Number(request.headers['last-event-id'] ?? 0) + 1
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    // Two events per response, like servers that do not hold connections for ever.
    for (let id = from; id < from + 2; id++) response.write(`id: ${id}\nevent: tick\ndata: number ${id}\n\n`)
    response.end()
  } else if (request.url === '/lines') {
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' })
    response.end(gzipSync('{"name":"Joe"}\n{"name":"Robert"}\n{"name":"Mike"}\n'))
  } else if (request.url === '/upload') {
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => response.end(`${size} bytes\n`))
  } else {
    response.end('Hello over HTTP\n')
  }
}

function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

/** Chooses the subprotocol: mqtt if the client offers it, else xmpp. */
function choose(offered: Set<string>): string | false {
  return ['mqtt', 'xmpp'].find(protocol => offered.has(protocol)) ?? false
}
