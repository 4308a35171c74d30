/** The server that all clients are measured against, on Bun: fast, and in a process of its own. */

import { identity } from '../identity.ts'
import { BURST, sample, type Urls } from './contract.ts'

/** As much of Bun as is used here. */
interface BunSocket {
  readonly data: { readonly path: string; received: number; flood: Flood | undefined }
  /** Gives -1 under back-pressure; the message is queued all the same. */
  send(data: string | Uint8Array, compress?: boolean): number
}

/** Shared contexts are those that are reset for each message, and are negotiated as such. */
type Deflate =
  | false
  | { readonly compress: 'dedicated' | 'shared'; readonly decompress: 'dedicated' | 'shared' }

interface BunServer {
  readonly port: number
  upgrade(request: Request, options: { readonly data: BunSocket['data'] }): boolean
}

declare const Bun: {
  serve(options: {
    readonly port: number
    readonly hostname: string
    readonly tls?: { readonly key: string; readonly cert: string }
    fetch(request: Request, server: BunServer): Response | undefined
    readonly websocket: {
      readonly perMessageDeflate: Deflate
      readonly maxPayloadLength: number
      readonly backpressureLimit: number
      message(socket: BunSocket, message: string | Uint8Array): void
      drain(socket: BunSocket): void
    }
  }): BunServer
}

/** Messages that are still to be sent, as fast as the client takes them. */
interface Flood {
  readonly data: string | Uint8Array
  left: number
}

function pour(socket: BunSocket, compress: boolean): void {
  const { flood } = socket.data
  if (flood === undefined) return
  while (flood.left > 0) {
    flood.left--
    if (socket.send(flood.data, compress) === -1) return
  }
  socket.data.flood = undefined
}

function serve(deflate: Deflate, tls?: typeof identity): BunServer {
  const compress = deflate !== false
  return Bun.serve({
    port: 0,
    ...(tls !== undefined && { tls }),
    hostname: '127.0.0.1',
    fetch(request, server) {
      const { pathname } = new URL(request.url)
      const data = { path: pathname, received: 0, flood: undefined }
      return server.upgrade(request, { data }) ? undefined : new Response('WebSocket only', { status: 400 })
    },
    websocket: {
      perMessageDeflate: deflate,
      maxPayloadLength: 64 * 1024 * 1024,
      backpressureLimit: 64 * 1024 * 1024,
      message(socket, message) {
        switch (socket.data.path) {
          case '/echo':
            socket.send(message, compress)
            break
          case '/sink':
            if (++socket.data.received % BURST === 0) socket.send('ok')
            break
          case '/flood': {
            const { type, size, count } = JSON.parse(String(message))
            const text = sample(size)
            socket.data.flood = { data: type === 'text' ? text : new TextEncoder().encode(text), left: count }
            pour(socket, compress)
          }
        }
      },
      drain(socket) {
        pour(socket, compress)
      },
    },
  })
}

const { plain, tls, takeover, reset } = {
  plain: serve(false),
  tls: serve(false, identity),
  takeover: serve({ compress: 'dedicated', decompress: 'dedicated' }),
  reset: serve({ compress: 'shared', decompress: 'shared' }),
}
console.log(
  JSON.stringify({
    plain: `ws://127.0.0.1:${plain.port}`,
    tls: `wss://127.0.0.1:${tls.port}`,
    takeover: `ws://127.0.0.1:${takeover.port}`,
    reset: `ws://127.0.0.1:${reset.port}`,
  } satisfies Urls),
)

// The process must not outlive a benchmark that was interrupted.
process.stdin.resume().on('end', () => process.exit())
