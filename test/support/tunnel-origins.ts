// Servers at the other end of a tunnel, one of each kind, which say the same whatever leads to them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type http2 from 'node:http2'
import type net from 'node:net'
import tls from 'node:tls'
import type { Place } from '@holster/testing'
import { h2Server } from './http2-server.ts'
import { origin } from './origin.ts'
import { websocketServer } from './websocket-server.ts'

export const originKinds = ['http', 'https', 'h2c', 'h2', 'raw', 'rawtls'] as const
/** HTTP/1.1 and HTTP/2 over tcp and tls, and an echo over tcp and tls. */
export type OriginKind = (typeof originKinds)[number]

export const HELLO = 'Hello from the origin'
/** The body that is pushed with the answer to `/pushing`, for `/pushed`. */
export const PUSHED = 'Pushed by the origin'
/** 1 MiB in which each place has its own value, so that a piece that is lost or moved is seen. */
export const BIG = Buffer.from(
  Uint32Array.from({ length: 1 << 18 }, (_, i) => Math.imul(i, 2_654_435_761)).buffer,
)

export interface TunnelOrigin extends AsyncDisposable, Place {
  readonly kind: OriginKind
  readonly connections: number
  /** The name of the server that each TLS handshake has asked for, `false` for none, and the ALPN protocol that was chosen. */
  readonly handshakes: readonly { readonly servername: string | false; readonly alpn: string | false }[]
  /** The requests so far, WebSockets left out: method, path, and the value of host or `:authority`. */
  readonly requests: readonly { readonly method: string; readonly path: string; readonly authority: string }[]
  /** Destroys all connections and waits until all is closed. */
  close(): Promise<void>
}

export type Request = IncomingMessage | http2.Http2ServerRequest
export type Response = ServerResponse | http2.Http2ServerResponse

/** `GET /` says hello, `GET /big` gives a body of 1 MiB, `POST /echo` the body of the request, and `GET /pushing` pushes. */
function answer(request: Request, response: Response): void {
  const { method, url } = request
  const say = (body: string | Buffer): void => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(body) })
    response.end(method === 'HEAD' ? '' : body)
  }
  if (url === '/echo') {
    const length = request.headers['content-length']
    response.writeHead(200, length === undefined ? {} : { 'content-length': length })
    ;(request as NodeJS.ReadableStream).pipe(response as NodeJS.WritableStream)
  } else if (url === '/big') say(BIG)
  else if (url === '/pushing' && 'stream' in response && response.stream.pushAllowed) {
    response.stream.pushStream({ ':path': '/pushed' }, (error, pushed) => {
      if (error !== null) return
      pushed.on('error', () => {})
      pushed.respond({ ':status': 200 })
      pushed.end(PUSHED)
      say(HELLO)
    })
  } else say(HELLO)
}

export interface TunnelOriginOptions {
  /** Goes over the default `certificates.server`. */
  readonly tls?: tls.TlsOptions
  /** In place of the answers that `answer` gives. */
  readonly onRequest?: (request: Request, response: Response) => void
  /** In place of the echo. */
  readonly onSocket?: (socket: net.Socket) => void
}

/**
 * Starts one. All of HTTP have a WebSocket's echo with permessage-deflate at any path besides; raw ones send back what
 * comes, and end when the client has ended its side.
 */
export async function tunnelOrigin(
  kind: OriginKind,
  options: TunnelOriginOptions = {},
): Promise<TunnelOrigin> {
  const transport = kind === 'https' || kind === 'h2' || kind === 'rawtls' ? 'tls' : 'tcp'
  const requests: TunnelOrigin['requests'][number][] = []
  const handshakes: TunnelOrigin['handshakes'][number][] = []
  let connections = 0
  const note = (socket: net.Socket): void => {
    if (!(socket instanceof tls.TLSSocket)) return
    const { servername } = socket as tls.TLSSocket & { readonly servername?: string | false }
    handshakes.push({ servername: servername ?? false, alpn: socket.alpnProtocol ?? false })
  }
  const onRequest = (request: Request, response: Response): void => {
    const authority = 'authority' in request ? request.authority : request.headers.host
    requests.push({ method: request.method ?? '', path: request.url ?? '', authority: authority ?? '' })
    const { onRequest: respond = answer } = options
    respond(request, response)
  }
  const given = { transport, ...(options.tls && { tls: options.tls }) } as const

  const server = await start()
  function start() {
    const ws = { perMessageDeflate: true }
    if (kind === 'http' || kind === 'https') return websocketServer({ ...given, onRequest, ws })
    if (kind === 'h2c' || kind === 'h2') return h2Server({ ...given, onRequest, ws })
    return origin(peer => {
      connections += 1
      note(peer.socket)
      const socket = peer.detach()
      socket.on('error', () => {})
      if (options.onSocket === undefined) socket.pipe(socket)
      else options.onSocket(socket)
    }, given)
  }
  if ('server' in server) {
    server.server.on('connection', () => {
      connections += 1
    })
    server.server.on('secureConnection', note)
  }

  return {
    kind,
    host: server.host,
    port: server.port,
    get connections() {
      return connections
    },
    handshakes,
    requests,
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  }
}
