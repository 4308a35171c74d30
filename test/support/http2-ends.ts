// A stream of HTTP/2 with both its ends in the test's hands: its server's side is a Peer, as a connection's is, so that
// one test body plays over both. It reads and writes heads as HTTP/1.1 has them; only on the wire they are HEADERS.

import './chance.ts'
import { randomBytes } from 'node:crypto'
import http2 from 'node:http2'
import type { Socket } from 'node:net'
import type * as gun from '@holster/gun'
import type { ProcessOptions } from '@holster/process'
import { certificates, type Peer, type ScriptedServer, type Transport } from '@holster/testing'
import { closer, createPeer, listen } from '@holster/testing/internal'
import { clientOf, type Ends } from './http-ends.ts'

const HEAD_END = '\r\n\r\n'
/** What is of HTTP/1.1 alone. */
const ONLY_HTTP1 = new Set(['connection', 'upgrade', 'sec-websocket-accept', 'transfer-encoding'])

export interface StreamPeer extends Peer {
  readonly stream: http2.ServerHttp2Stream
  /** All headers, as they were sent. */
  readonly sent: readonly (readonly [name: string, value: string])[]
}

const isUpgrade = (sent: StreamPeer['sent']): boolean =>
  sent.some(([name, value]) => name === ':protocol' && value === 'websocket')

/** The request as HTTP/1.1 would have it, with a key that a 101 can be made for. */
function requestHead(sent: StreamPeer['sent']): string {
  const pseudo = (name: string): string => sent.find(([each]) => each === name)?.[1] ?? ''
  const upgrades = isUpgrade(sent)
  const lines = [
    `${upgrades ? 'GET' : pseudo(':method')} ${pseudo(':path')} HTTP/1.1`,
    `host: ${pseudo(':authority')}`,
    ...(upgrades
      ? [
          'connection: upgrade',
          'upgrade: websocket',
          `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
        ]
      : []),
    ...sent.filter(([name]) => !name.startsWith(':')).map(([name, value]) => `${name}: ${value}`),
  ]
  return lines.join('\r\n') + HEAD_END
}

/** The server's side of a stream. To end it is END_STREAM, to reset it RST_STREAM. */
export function streamPeer(stream: http2.ServerHttp2Stream, raw: readonly string[]): StreamPeer {
  const sent: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) sent.push([raw[i] ?? '', raw[i + 1] ?? ''])
  const { write, end } = stream
  let head = Buffer.alloc(0)
  /** Of a response's body. */
  let missing = Number.POSITIVE_INFINITY

  /** What follows the head, once that is complete and has been sent. */
  function respond(bytes: Uint8Array | string): Buffer | undefined {
    head = Buffer.concat([head, Buffer.from(bytes)])
    const at = head.indexOf(HEAD_END)
    if (at < 0) return undefined
    const [statusLine = '', ...lines] = head.toString('latin1', 0, at).split('\r\n')
    head = head.subarray(at + HEAD_END.length)
    const given = Number(statusLine.split(' ')[1])
    const status = given === 101 ? 200 : given
    const headers: http2.OutgoingHttpHeaders = { ':status': status }
    for (const line of lines) {
      const colon = line.indexOf(':')
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      if (ONLY_HTTP1.has(name)) continue
      const before = headers[name]
      headers[name] = before === undefined ? value : [before, value].flat().map(String)
    }
    if (status < 200) {
      stream.additionalHeaders(headers)
      return respond('')
    }
    Object.assign(stream, { write: writeBody, end })
    missing = status === 204 ? 0 : Number(headers['content-length'] ?? Number.POSITIVE_INFINITY)
    stream.respond(headers, {
      endStream: missing === 0,
      sendDate: false,
    } as http2.ServerStreamResponseOptions)
    return head
  }

  function writeBody(bytes: Uint8Array | string, done?: (error?: Error | null) => void): boolean {
    missing -= Buffer.byteLength(bytes)
    const isOpen = write.call(stream, bytes, done as never)
    if (missing === 0) stream.end()
    return isOpen
  }

  Object.assign(stream, {
    write(bytes: Uint8Array | string, done: (error?: Error | null) => void): boolean {
      const rest = respond(bytes)
      if (rest !== undefined && rest.length > 0) return stream.write(rest, done)
      process.nextTick(done)
      return true
    },
    end(bytes: Uint8Array | string = ''): void {
      const rest = respond(bytes)
      if (rest !== undefined) stream.end(rest)
      // There is no END_STREAM without HEADERS.
      else stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
    },
    // The session's socket has none either way.
    setNoDelay: () => {},
  })
  stream.unshift(Buffer.from(requestHead(sent), 'latin1'))
  const socket = stream as unknown as Socket
  return {
    // The end of a request is not that of what it is answered with.
    ...createPeer(socket, socket, isUpgrade(sent) ? Promise.resolve() : new Promise(() => {})),
    stream,
    sent,
    reset: () => {
      // Else Node ends the stream first.
      Object.assign(stream, { _final: (done: () => void) => done() })
      stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
    },
  }
}

export interface StreamServer
  extends AsyncDisposable,
    Omit<ScriptedServer, 'finished' | 'handshakeErrors' | 'opts'> {
  /** The sessions that are open. */
  readonly sessions: ReadonlySet<http2.ServerHttp2Session>
  /** Ends all connections that there are, without a word of HTTP/2. */
  lose(): void
  /** Closes all connections, and waits until all is closed. */
  close(): Promise<void>
}

/** A server that hands over each stream, of whichever connection. */
export async function streamServer(
  transport: Transport,
  onStream: (peer: StreamPeer) => void,
  more: http2.Settings = {},
): Promise<StreamServer> {
  const settings = { enableConnectProtocol: true, ...more }
  const server =
    transport === 'tls'
      ? http2.createSecureServer({ ...certificates.server, settings })
      : http2.createServer({ settings })
  const sockets = new Set<Socket>()
  const sessions = new Set<http2.ServerHttp2Session>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('session', (session: http2.ServerHttp2Session) => {
    sessions.add(session)
    session.on('error', () => {}).once('close', () => sessions.delete(session))
  })
  server.on(
    'stream',
    (stream: http2.ServerHttp2Stream, _headers: unknown, _flags: number, raw: readonly string[]) =>
      onStream(streamPeer(stream, raw)),
  )
  const place = await listen(server, transport)
  const close = closer(server, () => {
    for (const session of sessions) session.destroy()
    for (const socket of sockets) socket.destroy()
  })

  return {
    ...place,
    get connections() {
      return connections
    },
    sessions,
    lose() {
      for (const socket of sockets) socket.end()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

export interface H2Ends extends Omit<Ends, 'peer' | 'server'> {
  readonly server: StreamServer
  /** The server's side of the next stream, on whichever connection. */
  next(): Promise<StreamPeer>
}

/** A connection over HTTP/2 that is up, and whose owner monitors it. */
export function h2Ends(
  transport: Transport,
  opts: gun.Opts = {},
  ownerOptions: ProcessOptions = {},
  settings: http2.Settings = {},
): Promise<H2Ends> {
  const listen = (onStream: (peer: StreamPeer) => void) => streamServer(transport, onStream, settings)
  return clientOf(listen, transport, { protocols: ['http2'], ...opts }, ownerOptions)
}
