/** The server that all clients are measured against, on Bun: fast, and in a process of its own. */

import { BURST } from './contract.ts'

/** As much of Bun as is used here. */
interface BunSocket {
  readonly data: { readonly path: string; received: number; flood: Flood | undefined }
  /** Gives -1 under back-pressure; the message is queued all the same. */
  send(data: string | Uint8Array, compress?: boolean): number
}

interface BunServer {
  readonly port: number
  upgrade(request: Request, options: { readonly data: BunSocket['data'] }): boolean
}

declare const Bun: {
  serve(options: {
    readonly port: number
    readonly hostname: string
    fetch(request: Request, server: BunServer): Response | undefined
    readonly websocket: {
      readonly perMessageDeflate: boolean
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

function serve(compress: boolean): BunServer {
  return Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request, server) {
      const { pathname } = new URL(request.url)
      const data = { path: pathname, received: 0, flood: undefined }
      return server.upgrade(request, { data }) ? undefined : new Response('WebSocket only', { status: 400 })
    },
    websocket: {
      perMessageDeflate: compress,
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

/** Text that compresses as logs do, not as zeros. */
function sample(size: number): string {
  let text = ''
  for (let n = 0; text.length < size; n++) text += `{"id":${n},"name":"item ${(n * 7919) % 1000}"},`
  return text.slice(0, size)
}

console.log(JSON.stringify({ plain: serve(false).port, compressed: serve(true).port }))
