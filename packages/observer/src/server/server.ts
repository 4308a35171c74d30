/** The server of an observer: the files of the page for everybody, what the program holds only for who may look. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import { WebSocketServer } from 'ws'
import { programHere } from '../looking/overview.js'
import { AskedWaits } from '../metrics/asked-waits.js'
import { metricsText } from '../metrics/metrics.js'
import { nodeHere } from '../naming/refs.js'
import { Lookout } from '../nodes/lookout.js'
import { type CheckedOptions, isLoopback } from '../options.js'
import { HELLO_PATH, type Hello, SOCKET_PATH, VERSION } from '../words.js'
import { Actions, SNAPSHOTS } from './actions.js'
import { findAsset } from './assets.js'
import { Budget } from './budget.js'
import { chooseProtocol, Guard, type Refusal } from './guard.js'
import { SocketViewer } from './viewer.js'

/** The headers of every answer: no script but that of the page, nothing from elsewhere, and no frame around it. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
}
/** The longest message of a viewer, in bytes. */
const MAX_PAYLOAD = 64 * 1024
/** How long in milliseconds a viewer may take to answer a close; the program does not end before. */
const PATIENCE = 1000
/** The options of the WebSockets; the types of `ws` do not know `closeTimeout` yet, and would refuse it in the call itself. */
const WEBSOCKETS = {
  noServer: true,
  maxPayload: MAX_PAYLOAD,
  perMessageDeflate: false,
  closeTimeout: PATIENCE,
  handleProtocols: chooseProtocol,
}
/** The most viewers at once. */
const VIEWERS = 32

/** Serves an observer from `listen` to `stop`. */
export class ObserverServer {
  readonly #options: CheckedOptions
  readonly #guard: Guard
  readonly #lookout = new Lookout()
  readonly #actions: Actions
  readonly #budget = new Budget()
  readonly #server: Server
  readonly #webSockets = new WebSocketServer(WEBSOCKETS)
  readonly #waits = new AskedWaits()
  readonly #since = Date.now()

  constructor(options: CheckedOptions) {
    this.#options = options
    this.#guard = new Guard([options.host, ...options.allowedHosts], options.token)
    this.#actions = new Actions(this.#lookout, options.allowActions)
    this.#server = createServer((request, response) => {
      this.#respond(request, response).catch((error: unknown) => fail(response, error))
    })
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    // A program that is done must not wait for those who look.
    this.#server.on('connection', (socket: Socket) => socket.unref())
  }

  /** Listens, and gives the port. Rejects with the system's error if it cannot. */
  async listen(): Promise<number> {
    const { host, port } = this.#options
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(port, host, resolve)
      })
    } catch (error) {
      this.#lookout.stop()
      throw error
    }
    this.#server.unref()
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends all views, and resolves once the port is free. */
  async stop(): Promise<void> {
    this.#lookout.stop()
    for (const client of this.#webSockets.clients) client.terminate()
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
    this.#waits.stop()
  }

  get #hello(): Hello {
    return {
      type: 'hello',
      version: VERSION,
      node: nodeHere(),
      pid: process.pid,
      program: programHere(),
      allowActions: this.#options.allowActions,
      since: this.#since,
      now: Date.now(),
    }
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const refusal = this.#guard.refuse(request)
    if (refusal !== undefined) return refuse(response, refusal)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
    }
    const path = (request.url ?? '/').split('?')[0] as string
    const asset = await findAsset(path)
    if (asset !== undefined)
      return void response.writeHead(200, { 'content-type': asset.type }).end(asset.bytes)
    const stranger = this.#guard.refuseStranger(request)
    if (stranger !== undefined) return refuse(response, stranger)
    return this.#tell(path, response)
  }

  /** Tells who may look. */
  async #tell(path: string, response: ServerResponse): Promise<void> {
    if (path === HELLO_PATH) {
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(this.#hello))
    }
    if (path === '/metrics') {
      const { text, type } = await metricsText(this.#waits.read())
      return void response.writeHead(200, { 'content-type': type }).end(text)
    }
    const snapshot =
      response.req.method === 'GET' && path.startsWith(SNAPSHOTS) ? this.#actions.snapshotAt(path) : undefined
    if (snapshot === undefined) return void response.writeHead(404).end('There is no such page.\n')
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    pipeline(snapshot, response, () => {})
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '/').split('?')[0]
    const refusal = this.#guard.refuse(request) ?? this.#guard.refuseStranger(request)
    if (refusal !== undefined) return end(socket, refusal.status, refusal.text)
    if (path !== SOCKET_PATH) return end(socket, 404, 'There is no WebSocket here.')
    if (this.#webSockets.clients.size >= VIEWERS) return end(socket, 503, 'Too many look already.')
    this.#webSockets.handleUpgrade(request, socket, head, client => {
      new SocketViewer(client, this.#hello, this.#lookout, this.#actions, this.#budget)
    })
  }
}

/** Gives the address of an observer; the token is behind `#`, where it is sent to nobody. */
export function addressOf({ host, token }: CheckedOptions, port: number): string {
  const isAny = host === '0.0.0.0' || host === '::'
  const name = isAny || (isLoopback(host) && host === 'localhost') ? 'localhost' : host
  const shown = name.includes(':') ? `[${name}]` : name
  return `http://${shown}:${port}/${token === undefined ? '' : `#token=${encodeURIComponent(token)}`}`
}

function refuse(response: ServerResponse, { status, text }: Refusal): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...challenge }).end(`${text}\n`)
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  const text = error instanceof Error ? error.message : String(error)
  response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}

function end(socket: Duplex, status: number, text: string): void {
  // A peer that resets now must not end the program.
  socket.on('error', () => {})
  const body = `${text}\n`
  // Nor may one that never closes hold up the end of the observer: the server waits for all sockets.
  socket.once('finish', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} \r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
