/** Servers that answer requests with a function, over HTTP/1.1 and HTTP/2. */

import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { checkChoice, checkObject } from '@holster/process/internal'
import { certificates } from './certificates.js'
import { closer, listen } from './place.js'
import { checkArguments, optsFor, type ServerOptions, type TestServer } from './server.js'

/** Answers a request: both are those of `fetch`. A body of a request has come whole, one of a response may be a stream. */
export type Respond = (request: Request) => Response | Promise<Response>

/** Options for `startHttpServer`. */
export interface HttpServerOptions extends ServerOptions {
  /**
   * The only version that is spoken. Default over TLS: the version that the client prefers, which is HTTP/2 for a connection of Holster's;
   * otherwise HTTP/1.1.
   */
  readonly protocol?: 'http' | 'http2'
}

const ignore = (): void => {}

type Incoming = http.IncomingMessage | http2.Http2ServerRequest
type Outgoing = http.ServerResponse | http2.Http2ServerResponse

/** Makes a request of `fetch` of one that has come. */
function requestOf(incoming: Incoming, body: Buffer, scheme: string): Request {
  const { method = 'GET', url = '/', rawHeaders } = incoming
  const headers = new Headers()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2)
    if (!name.startsWith(':')) headers.append(name, value)
  }
  const authority = incoming.headers[':authority'] ?? incoming.headers.host ?? 'localhost'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const origin = `${scheme}://${String(authority)}`
  // Resolved against the origin, a path of //a would name another host.
  return new Request(url.startsWith('/') ? origin + url : new URL(url, origin), {
    method,
    headers,
    ...(hasBody && { body }),
  })
}

/** Sends a response of `fetch`, for as long as the client is there. */
async function send(response: Response, outgoing: Outgoing, isGone: () => boolean): Promise<void> {
  checkObject(response, 'the answer of respond')
  const { status, headers, body } = response
  if (isGone()) return void (await body?.cancel().catch(ignore))
  outgoing.statusCode = status
  for (const [name, value] of headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  if (body !== null) await sendBody(body, outgoing)
  outgoing.end()
}

async function sendBody(body: ReadableStream<Uint8Array>, outgoing: Writable): Promise<void> {
  const reader = body.getReader()
  let isOpen = true
  let goOn = ignore
  outgoing.on('drain', () => goOn())
  outgoing.once('close', () => {
    isOpen = false
    goOn()
    reader.cancel().catch(ignore)
  })
  while (isOpen) {
    const { done, value } = await reader.read()
    if (done) return
    if (!isOpen || outgoing.write(value)) continue
    await new Promise<void>(resolve => {
      goOn = resolve
    })
  }
}

function breakOff(outgoing: Outgoing): void {
  if ('stream' in outgoing) outgoing.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
  else outgoing.destroy()
}

function create(
  { transport, protocol, tls }: HttpServerOptions,
  answer: (incoming: Incoming, outgoing: Outgoing) => void,
): http.Server | https.Server | http2.Http2Server {
  if (transport !== 'tls')
    return protocol === 'http2' ? http2.createServer(answer) : http.createServer(answer)
  const identity = { ...certificates.server, ...tls }
  if (protocol === 'http') return https.createServer(identity, answer)
  return http2.createSecureServer({ ...identity, allowHTTP1: protocol === undefined }, answer)
}

/**
 * Starts a server on loopback that answers each request with a function, in the classes of `fetch`. Where the function throws, the
 * server answers 500, and `close()` rejects with the first error; where a body fails, the response breaks off. A method that `fetch`
 * refuses, such as TRACE, fails in the same way. Rejects with a TypeError if an argument is wrong. Source: Elixir's Bypass, and the
 * handlers of Mock Service Worker.
 */
export async function startHttpServer(
  respond: Respond,
  options: HttpServerOptions = {},
): Promise<TestServer> {
  checkArguments(['respond', respond], options, 'startHttpServer', 'protocol')
  const { transport = 'tcp', protocol } = options
  if (protocol !== undefined) checkChoice('options.protocol', protocol, ['http', 'http2'])
  const scheme = transport === 'tls' ? 'https' : 'http'
  const sockets = new Set<Socket>()
  const failures: unknown[] = []

  async function answer(incoming: Incoming, outgoing: Outgoing): Promise<void> {
    outgoing.on('error', ignore)
    let isGone = false
    outgoing.once('close', () => {
      isGone = true
    })
    // A client that goes within its request is no failure of the function.
    const body = await buffer(incoming).catch(ignore)
    if (body === undefined) return
    try {
      await send(await respond(requestOf(incoming, body, scheme)), outgoing, () => isGone)
    } catch (error) {
      failures.push(error)
      if (outgoing.headersSent) return breakOff(outgoing)
      // The fields of the response that has failed, such as its length, do not hold for this one.
      for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
      outgoing.statusCode = 500
      outgoing.end()
    }
  }

  const server = create(options, (incoming, outgoing) => void answer(incoming, outgoing))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', ignore).once('close', () => sockets.delete(socket))
  })
  const place = await listen(server, transport, options)
  const shut = closer(server, () => {
    for (const socket of sockets) socket.destroy()
  })
  async function close(): Promise<void> {
    await shut()
    if (failures.length > 0) throw failures.splice(0)[0]
  }
  return {
    ...place,
    opts: { ...optsFor(transport), ...(protocol && { protocols: [protocol] }) },
    close,
    [Symbol.asyncDispose]: close,
  }
}
