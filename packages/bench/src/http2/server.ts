/** The server that all clients are measured against, with prior knowledge and over TLS: it speaks nothing but HTTP/2. */

import { createHash } from 'node:crypto'
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { identity } from '../identity.ts'
import { WEBSOCKET_PATH } from './contract.ts'
import { streamSocket } from './stream-socket.ts'

const bodies = new Map<number, Buffer>()

function bodyOf(size: number): Buffer {
  const prepared = bodies.get(size) ?? Buffer.alloc(size, 'x')
  bodies.set(size, prepared)
  return prepared
}

function answer(stream: ServerHttp2Stream, size: number): void {
  stream.respond({
    ':status': 200,
    server: 'bench',
    'content-type': 'application/octet-stream',
    'content-length': size,
  })
  stream.end(bodyOf(size))
}

/** RFC 8441 has done away with key and accept, but undici insists on both. */
function acceptOf(key: string | undefined): OutgoingHttpHeaders {
  if (key === undefined) return {}
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return { 'sec-websocket-accept': accept }
}

function echo(stream: ServerHttp2Stream, key: string | undefined): void {
  stream.respond({ ':status': 200, ...acceptOf(key) })
  const socket = streamSocket(stream, 'server')
  socket.listen(data => socket.send(data))
}

function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & { readonly ':path'?: string },
): void {
  const path = headers[':path'] ?? ''
  stream.on('error', () => stream.destroy())
  switch (headers[':method']) {
    // The path of a GET is how many bytes its body shall have.
    case 'GET':
      answer(stream, Number(path.slice(1)))
      break
    case 'POST':
      stream.resume().on('end', () => answer(stream, 2))
      break
    case 'CONNECT':
      if (headers[':protocol'] === 'websocket' && path === WEBSOCKET_PATH) {
        echo(stream, headers['sec-websocket-key'])
      } else {
        stream.respond({ ':status': 400 }, { endStream: true })
      }
  }
}

const settings = { enableConnectProtocol: true, maxConcurrentStreams: 128 }

function listen(server: Http2Server): Promise<number> {
  server.on('stream', serve)
  server.on('sessionError', () => {})
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

console.log(
  JSON.stringify({
    cleartext: `http://127.0.0.1:${await listen(createServer({ settings }))}`,
    tls: `https://127.0.0.1:${await listen(createSecureServer({ settings, ...identity }))}`,
  }),
)

// It must not outlive a benchmark that was interrupted.
process.stdin.resume().on('end', () => process.exit())
