// Proxies that lead to where a CONNECT asks them to, over HTTP/1.1 and HTTP/2, unless a test decides otherwise.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type tls from 'node:tls'
import type { Peer, RequestHead } from '@holster/testing'
import type { Fields } from './http-server.ts'
import { h2Server } from './http2-server.ts'
import { origin } from './origin.ts'
import {
  createLedger,
  type LeadsTo,
  type Ledger,
  type LedgerOptions,
  parseAuthority,
  resetLater,
  type Side,
  type TunnelProxy,
  type TunnelRequest,
} from './tunnel-ledger.ts'

export { type SocksProxy, type SocksRequest, socks5Proxy, socksReply } from './socks-proxy.ts'
export type { TunnelProxy, TunnelRequest } from './tunnel-ledger.ts'

/** A CONNECT. */
export interface ConnectRequest extends TunnelRequest {
  /** As they were sent; over HTTP/2 with the pseudo-headers. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The first value of a name in any case. */
  header(name: string): string | undefined
  /** All bytes of the request; none over HTTP/2. */
  readonly bytes: Buffer
}

/** A response to a CONNECT; with a status of 2xx the tunnel is open behind it. */
export interface ConnectResponse {
  /** Default: 200, or 502 where nobody listens. */
  readonly status?: number
  /** Sent as they are. Over HTTP/1.1 a refusal with a whole body has a content-length besides. */
  readonly headers?: Fields
  /** The body of a refusal; in parts it is sent as fast as the client reads, and needs a content-length among the headers. */
  readonly body?: string | Uint8Array | Iterable<Uint8Array>
  /** Informational responses ahead of it. */
  readonly informs?: readonly (readonly [status: number, headers?: Fields])[]
  /** Bytes of the tunnel that are sent in one write with the response. */
  readonly glued?: string | Uint8Array
  /** Where the tunnel leads in place of where it was asked for. */
  readonly leadsTo?: LeadsTo
  /** Whether the proxy ends the connection in order behind a refusal. */
  readonly isLast?: boolean
}

/** Exact bytes are all that is sent; `closeTunnel` and `resetTunnel` end what they have begun. */
export type HttpProxyAnswer = ConnectResponse | 'stall' | 'reset' | Uint8Array
export type Http2ProxyAnswer = ConnectResponse | 'stall' | 'reset'

interface ProxyOptions<A> extends LedgerOptions<ConnectRequest, A> {
  /** Default: tcp. */
  readonly transport?: 'tcp' | 'tls'
  /** Goes over the default `certificates.server`. */
  readonly tls?: tls.TlsOptions
}

export interface HttpProxyOptions extends ProxyOptions<HttpProxyAnswer> {
  /** How an answer is cut. Default: not at all. */
  readonly delivery?: 'whole' | 'bytes'
}

export interface Http2ProxyOptions extends ProxyOptions<Http2ProxyAnswer> {
  readonly settings?: http2.Settings
}

export interface Http2Proxy extends TunnelProxy<ConnectRequest> {
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

function connectRequest(
  authority: string,
  headers: ConnectRequest['headers'],
  bytes: Buffer,
): ConnectRequest {
  const header = (name: string) => headers.find(([sent]) => sent.toLowerCase() === name.toLowerCase())?.[1]
  return { ...parseAuthority(authority), headers, bytes, header }
}

/** Connects to where a response leads, or makes a refusal of it. */
async function reach(
  ledger: Ledger<ConnectRequest, unknown>,
  request: ConnectRequest,
  response: ConnectResponse,
): Promise<{ response: ConnectResponse & { status: number }; server?: Side | undefined }> {
  const { status = 200 } = response
  if (!isSuccess(status)) return { response: { ...response, status } }
  try {
    return { response: { ...response, status }, server: await ledger.dial(request, response.leadsTo) }
  } catch (error) {
    return { response: { status: 502, body: String((error as NodeJS.ErrnoException).code) } }
  }
}

function head(status: number, headers: Fields): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n`
}

type WholeBody = string | Uint8Array

const isWhole = (body: ConnectResponse['body']): body is WholeBody =>
  typeof body === 'string' || body instanceof Uint8Array

/** The response on the wire, up to a body in parts. */
function encode({
  status,
  headers = [],
  body = '',
  informs = [],
  glued = '',
}: ConnectResponse & { status: number }): Buffer {
  const isSized = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  const whole = isWhole(body) ? body : ''
  const sized: Fields =
    isSuccess(status) || isSized ? [] : [['content-length', String(Buffer.byteLength(whole))]]
  return Buffer.concat([
    ...informs.map(([code, hints = []]) => Buffer.from(head(code, hints), 'latin1')),
    Buffer.from(head(status, [...headers, ...sized]), 'latin1'),
    Buffer.from(whole),
    Buffer.from(glued),
  ])
}

/** Any other request than a CONNECT gets a 200, with which the connection goes on. */
function hello({ method }: RequestHead): string {
  const body = 'Hello over HTTP'
  const found = head(200, [
    ['content-type', 'text/plain'],
    ['content-length', String(body.length)],
  ])
  return method === 'HEAD' ? found : `${found}${body}`
}

/** Over HTTP/1.1: a refusal leaves the connection to further requests. */
export async function httpProxy(options: HttpProxyOptions = {}): Promise<TunnelProxy<ConnectRequest>> {
  const { transport = 'tcp', delivery = 'whole' } = options
  const ledger = createLedger(options)
  const server = await origin(
    async peer => {
      peer.socket.setNoDelay()
      while (await serveHttp(ledger, peer, delivery));
    },
    { transport, ...(options.tls && { tls: options.tls }) },
  )
  return ledger.view(server)
}

/** Serves one request, and resolves to whether the connection is for another one. */
async function serveHttp(
  ledger: Ledger<ConnectRequest, HttpProxyAnswer>,
  peer: Peer,
  delivery: 'whole' | 'bytes',
): Promise<boolean> {
  const asked = await peer.receiveRequest()
  if (asked.method !== 'CONNECT') {
    await peer.send(hello(asked), delivery)
    return true
  }
  const request = connectRequest(asked.path, asked.headers, asked.raw)
  const answer = (await ledger.ask(request)) ?? {}
  const client = (): Side => ({ duplex: peer.detach(), reset: () => peer.reset() })
  if (answer === 'stall') {
    await peer.closed
    return false
  }
  if (answer === 'reset') {
    await resetLater(peer)
    return false
  }
  if (answer instanceof Uint8Array) {
    await peer.send(answer, delivery)
    ledger.join(client(), undefined)
    return false
  }
  const { response, server } = await reach(ledger, request, answer)
  await peer.send(encode(response), delivery)
  if (isSuccess(response.status)) {
    ledger.join(client(), server)
    return false
  }
  if (response.body !== undefined && !isWhole(response.body)) {
    for (const part of response.body) await peer.send(part)
  }
  if (response.isLast === true) peer.end()
  return response.isLast !== true
}

/** Over HTTP/2: each tunnel is a stream, and END_STREAM the FIN of its side. */
export async function http2Proxy(options: Http2ProxyOptions = {}): Promise<Http2Proxy> {
  const { transport = 'tcp' } = options
  const ledger = createLedger(options)
  const failures: unknown[] = []
  let connections = 0
  const server = await h2Server({
    transport,
    ...(options.tls && { tls: options.tls }),
    ...(options.settings && { settings: options.settings }),
    onConnect: (stream, request) => {
      serveStream(ledger, stream, request).catch(error => {
        if (stream.destroyed) return
        failures.push(error)
        stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
      })
    },
  })
  server.server.on('connection', () => {
    connections += 1
  })
  const view = ledger.view({
    host: server.host,
    port: server.port,
    get connections() {
      return connections
    },
    async close() {
      await server.close()
      if (failures.length > 0) throw failures.splice(0)[0]
    },
  })
  return Object.assign(view, { sessions: server.sessions })
}

async function serveStream(
  ledger: Ledger<ConnectRequest, Http2ProxyAnswer>,
  stream: http2.ServerHttp2Stream,
  asked: http2.Http2ServerRequest,
): Promise<void> {
  const raw = asked.rawHeaders
  const headers = raw.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : [],
  )
  const request = connectRequest(asked.headers[':authority'] ?? '', headers, Buffer.alloc(0))
  const answer = (await ledger.ask(request)) ?? {}
  if (answer === 'stall' || stream.destroyed) return
  if (answer === 'reset') {
    stream.close(http2.constants.NGHTTP2_CONNECT_ERROR)
    return
  }
  const { response, server } = await reach(ledger, request, answer)
  if (stream.destroyed) return server?.reset()
  for (const [status, hints = []] of response.informs ?? []) {
    stream.additionalHeaders({ ':status': status, ...Object.fromEntries(hints) })
  }
  const { status, body, glued, isLast } = response
  stream.respond({ ':status': status, ...Object.fromEntries(response.headers ?? []) })
  if (isSuccess(status)) {
    if (glued !== undefined) stream.write(glued)
    const reset = (): void => stream.close(http2.constants.NGHTTP2_CONNECT_ERROR)
    ledger.join({ duplex: stream, reset, isReset: () => stream.rstCode !== 0 || stream.aborted }, server)
    return
  }
  if (body !== undefined && !isWhole(body)) await writeParts(stream, body)
  stream.end(isWhole(body) ? body : undefined)
  if (isLast === true) stream.session?.close()
}

/** Writes each part once the one before has gone, for as long as the client takes them. */
async function writeParts(stream: http2.ServerHttp2Stream, parts: Iterable<Uint8Array>): Promise<void> {
  const gone = once(stream, 'close')
  for (const part of parts) {
    if (stream.destroyed) return
    if (!stream.write(part)) await Promise.race([gone, once(stream, 'drain')])
  }
}
