// A scripted HTTP server that says the same over HTTP/1.1 and over HTTP/2, so that a test body is written once.

import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import type http from 'node:http'
import * as gun from '@holster/gun'
import type { Peer, ScriptedServer, ScriptedServerOptions } from '@holster/testing'
import { eventually } from './client.ts'
import { encodeHeaders } from './hpack.ts'
import * as h2 from './http2-frames.ts'
import { type H2Peer, h2Origin } from './http2-origin.ts'
import { h2Server, type OnRequest as OnH2Request } from './http2-server.ts'
import type { Line, Version } from './line.ts'
import { origin } from './origin.ts'
import { websocketServer } from './websocket-server.ts'

export * from './line.ts'

export type Fields = readonly (readonly [name: string, value: string])[]

/** Names are in lower case, and values have one byte per character. */
export interface Answer {
  /** Informational responses ahead of it. */
  readonly informs?: readonly (readonly [status: number, fields?: Fields])[]
  readonly status: number
  /** With a body and without content-length the body is in chunks over HTTP/1.1, see `unsized`. */
  readonly fields?: Fields
  /** None at all where it is left out, or in parts; strings have one byte per character. */
  readonly body?: Part | readonly Part[]
  readonly trailers?: Fields
  /** The body goes on behind its parts. */
  readonly isCutOff?: boolean
}

export type Part = string | Uint8Array

export const NOTHING: Answer = { status: 204 }

/** The fields that a body without content-length has besides. */
export const unsized = (version: Version): [string, string][] =>
  version === 'http' ? [['transfer-encoding', 'chunked']] : []

/** The parts of a body as `tell` has them, up to its end. */
export function parts(...texts: string[]): string[] {
  return texts.map((text, i) => `data ${text} ${i === texts.length - 1 ? 'fin' : 'nofin'}`)
}

/** A request as its server sees it. */
export interface Asked {
  readonly method: string
  readonly path: string
  /** The value of host, or `:authority`. */
  readonly authority: string
  /** All that are no pseudo-headers, in lower case and without host. */
  readonly fields: [name: string, value: string][]
  /** All of its body, and its trailers. */
  content(): Promise<{ body: string; trailers: [string, string][] }>
  /** What an answer is on the wire. */
  encode(answer: Answer): Buffer
  /** Sends a whole answer. */
  answer(answer: Answer): Promise<void>
  /** Or one after the other. */
  inform(status: number, fields?: Fields): Promise<void>
  head(status: number, fields?: Fields, isFin?: gun.IsFin): Promise<void>
  data(part: Part, isFin?: gun.IsFin): Promise<void>
  trailers(fields: Fields): Promise<void>
}

/** The server's side of one connection. */
export interface HttpPeer {
  /** The next request, from its headers on. */
  request(): Promise<Asked>
  /** Takes the next request with its body, and answers it at once. */
  serve(answer: Answer): Promise<Asked>
  /** Serves the last request of the connection, and then ends the connection in order. */
  serveLast(answer: Answer): Promise<void>
  send(bytes: Uint8Array, how?: 'whole' | 'bytes'): Promise<void>
  /** The client has read all that was sent, as far as it reads at all. */
  settled(connPid: gun.ConnPid): Promise<void>
  /** Waits for the client's end, and fails if there is anything of a request, or of a body, before it. */
  nothingMore(): Promise<void>
  /** FIN, after all that was sent. */
  end(): void
  /** RST, at once. */
  reset(): void
  /** The client's side is gone. */
  readonly closed: Promise<void>
}

/** How much of something long is sent byte by byte: its beginning and its end. */
const EDGE = 300

type Send = (bytes: Uint8Array, how?: 'whole' | 'bytes') => Promise<void>

async function sendEdges(send: Send, bytes: Uint8Array, how: 'whole' | 'bytes'): Promise<void> {
  if (how === 'whole' || bytes.length <= 2 * EDGE) return send(bytes, how)
  await send(bytes.subarray(0, EDGE), 'bytes')
  await send(bytes.subarray(EDGE, -EDGE))
  await send(bytes.subarray(-EDGE), 'bytes')
}

/** How one version writes the parts of a response. */
interface Writer {
  inform(status: number, fields: Fields): Buffer
  head(status: number, fields: Fields, isFin: boolean): Buffer
  data(part: Buffer, isFin: boolean): Buffer
  trailers(fields: Fields): Buffer
}

const latin1 = (part: Part): Buffer =>
  typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)

function encodeAnswer(
  writer: Writer,
  { informs = [], status, fields = [], body, trailers, isCutOff = false }: Answer,
): Buffer {
  const all = informs.map(([code, hints = []]) => writer.inform(code, hints))
  const list =
    body === undefined ? [] : typeof body === 'string' || body instanceof Uint8Array ? [body] : body
  all.push(writer.head(status, fields, body === undefined && trailers === undefined))
  for (const [i, part] of list.entries()) {
    all.push(writer.data(latin1(part), trailers === undefined && !isCutOff && i === list.length - 1))
  }
  if (list.length === 0 && body !== undefined && trailers === undefined)
    all.push(writer.data(latin1(''), true))
  if (trailers !== undefined) all.push(writer.trailers(trailers))
  return Buffer.concat(all)
}

function answering(
  writer: Writer,
  send: Send,
): Pick<Asked, 'encode' | 'answer' | 'inform' | 'head' | 'data' | 'trailers'> {
  const encode = (answer: Answer): Buffer => encodeAnswer(writer, answer)
  return {
    encode,
    answer: answer => send(encode(answer)),
    inform: (status, fields = []) => send(writer.inform(status, fields)),
    head: (status, fields = [], isFin = 'nofin') => send(writer.head(status, fields, isFin === 'fin')),
    data: (part, isFin = 'nofin') => send(writer.data(latin1(part), isFin === 'fin')),
    trailers: fields => send(writer.trailers(fields)),
  }
}

const lineOf = ([name, value]: readonly [string, string]): string => `${name}: ${value}\r\n`

function writer1(): Writer {
  let isChunked = false
  const head = (status: number, fields: Fields): Buffer =>
    latin1(`HTTP/1.1 ${status} x\r\n${fields.map(lineOf).join('')}\r\n`)
  return {
    inform: head,
    head(status, fields, isFin) {
      isChunked = !isFin && !fields.some(([name]) => name === 'content-length')
      return head(status, isChunked ? [...fields, ...unsized('http')] : fields)
    },
    data(part, isFin) {
      if (!isChunked) return part
      const size = latin1(`${part.length.toString(16)}\r\n`)
      const chunk = part.length === 0 ? [] : [size, part, latin1('\r\n')]
      return Buffer.concat([...chunk, ...(isFin ? [latin1('0\r\n\r\n')] : [])])
    },
    trailers: fields => latin1(`0\r\n${fields.map(lineOf).join('')}\r\n`),
  }
}

function peer1(peer: Peer): HttpPeer {
  let sent = 0
  const send: Send = (bytes, how = 'whole') => {
    sent += bytes.length
    return sendEdges((part, manner) => peer.send(part, manner), bytes, how)
  }
  const request = async (): Promise<Asked> => {
    const { method, path, headers } = await peer.receiveRequest()
    const all = headers.map(([name, value]): [string, string] => [name.toLowerCase(), value])
    const value = (name: string) => all.find(([each]) => each === name)?.[1]
    return {
      method,
      path,
      authority: value('host') ?? '',
      fields: all.filter(([name]) => name !== 'host'),
      async content() {
        if (value('transfer-encoding') === undefined) {
          const body = await peer.receive(Number(value('content-length') ?? 0))
          return { body: body.toString('latin1'), trailers: [] }
        }
        let body = ''
        for (;;) {
          const size = Number.parseInt((await peer.receive('\r\n')).toString('latin1'), 16)
          if (size === 0) break
          body += (await peer.receive(size)).toString('latin1')
          await peer.receive(2)
        }
        const trailers: [string, string][] = []
        for (;;) {
          const line = (await peer.receive('\r\n')).toString('latin1')
          if (line === '\r\n') return { body, trailers }
          const [name = '', ...rest] = line.trimEnd().split(': ')
          trailers.push([name.toLowerCase(), rest.join(': ')])
        }
      },
      ...answering(writer1(), send),
    }
  }
  return {
    request,
    serve: answer => serve(request, answer),
    async serveLast({ fields = [], ...answer }) {
      await serve(request, { fields: [...fields, ['connection', 'close']], ...answer })
      peer.end()
    },
    send,
    async settled(connPid) {
      const { socket } = gun.info(connPid)
      await eventually(() => (socket?.bytesRead ?? 0) >= sent, 'all was read')
    },
    async nothingMore() {
      assert.equal((await peer.receiveAll()).toString('latin1'), '')
    },
    end: () => peer.end(),
    reset: () => peer.reset(),
    closed: peer.closed,
  }
}

const block = (status: number | undefined, fields: Fields): Buffer =>
  encodeHeaders(status === undefined ? fields : [[':status', String(status)], ...fields])

function writer2(streamId: number): Writer {
  return {
    inform: (status, fields) => h2.headers(streamId, block(status, fields)),
    head: (status, fields, endStream) => headersFrames(streamId, block(status, fields), endStream),
    data(part, endStream) {
      const frames: Buffer[] = []
      for (let at = 0; at < part.length || at === 0; at += MOST) {
        const isLast = at + MOST >= part.length
        frames.push(h2.data(streamId, part.subarray(at, at + MOST), { endStream: endStream && isLast }))
      }
      return Buffer.concat(frames)
    },
    trailers: fields => headersFrames(streamId, block(undefined, fields), true),
  }
}

/** What a frame may carry. */
const MOST = 16_384

function headersFrames(streamId: number, bytes: Buffer, endStream: boolean): Buffer {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length || at === 0; at += MOST) {
    const part = bytes.subarray(at, at + MOST)
    const endHeaders = at + MOST >= bytes.length
    frames.push(
      at === 0
        ? h2.headers(streamId, part, { endStream, endHeaders })
        : h2.continuation(streamId, part, endHeaders),
    )
  }
  return Buffer.concat(frames)
}

/** What the client says of the connection itself. */
const ofConnection: readonly number[] = [
  h2.types.SETTINGS,
  h2.types.PING,
  h2.types.GOAWAY,
  h2.types.WINDOW_UPDATE,
]

function peer2(peer: H2Peer): HttpPeer {
  const send: Send = (bytes, how = 'whole') =>
    sendEdges((part, manner) => peer.send(part, manner), bytes, how)
  const request = async (): Promise<Asked> => {
    const { streamId, headers, isFin } = await peer.request()
    const value = (name: string) => headers.find(([each]) => each === name)?.[1] ?? ''
    return {
      method: value(':method'),
      path: value(':path'),
      authority: value(':authority'),
      fields: headers.filter(([name]) => !name.startsWith(':')),
      async content() {
        if (isFin === 'fin') return { body: '', trailers: [] }
        const body = (await peer.body(streamId)).toString('latin1')
        const blocks = peer.frames.filter(
          each => each.type === h2.types.HEADERS && each.streamId === streamId,
        )
        return { body, trailers: blocks.length > 1 ? await peer.trailers(streamId) : [] }
      },
      ...answering(writer2(streamId), send),
    }
  }
  return {
    request,
    serve: answer => serve(request, answer),
    async serveLast(answer) {
      await serve(request, answer)
      const last = peer.frames.findLast(({ type }) => type === h2.types.HEADERS)
      await peer.send(h2.goaway(last?.streamId ?? 0))
      peer.end()
    },
    send,
    async settled() {
      const opaque = 'settled?'
      await peer.send(h2.ping(opaque))
      for (;;) {
        const { payload, flags } = await peer.frame(h2.types.PING)
        if ((flags & h2.flags.ACK) !== 0 && String(payload) === opaque) return
      }
    },
    async nothingMore() {
      const rest = await peer.rest()
      assert.deepEqual(rest.filter(({ type }) => !ofConnection.includes(type)).map(h2.tellFrame), [])
    },
    end: () => peer.end(),
    reset: () => peer.reset(),
    closed: peer.peer.closed,
  }
}

async function serve(request: () => Promise<Asked>, answer: Answer): Promise<Asked> {
  const asked = await request()
  await asked.content()
  await asked.answer(answer)
  return asked
}

/** No window holds up what a test sends; what a window is for has tests of its own. */
const WIDE = 64 * 1024 * 1024

/** Over HTTP/2 a script is run once the client's SETTINGS are there. */
export function httpOrigin(
  { version, transport }: Line,
  script: (peer: HttpPeer, index: number) => unknown,
  options: Omit<ScriptedServerOptions, 'transport'> = {},
): Promise<ScriptedServer> {
  return version === 'http'
    ? origin((peer, index) => script(peer1(peer), index), { ...options, transport })
    : h2Origin(
        (peer, index) => {
          peer.send(h2.windowUpdate(0, WIDE))
          return script(peer2(peer), index)
        },
        { ...options, transport, settings: { INITIAL_WINDOW_SIZE: WIDE } },
      )
}

/** A server that answers each request with these, and those that follow with 204. */
export function answerer(
  line: Line,
  answers: readonly Answer[],
  how: 'whole' | 'bytes' = 'whole',
): Promise<ScriptedServer> {
  return httpOrigin(line, async peer => {
    for (let i = 0; ; i++) {
      const asked = await peer.request()
      await peer.send(asked.encode(answers[i] ?? NOTHING), how)
    }
  })
}

export type OnRequest = (request: http.IncomingMessage, response: http.ServerResponse) => void

/** A real server: that of node:http, or that of node:http2, whose requests and responses can be used as those are. */
export function httpServer(
  { version, transport }: Line,
  onRequest?: OnRequest,
): Promise<
  Pick<ScriptedServer, 'host' | 'port' | 'path'> & { readonly server: EventEmitter } & AsyncDisposable
> {
  return version === 'http'
    ? websocketServer({ transport, ...(onRequest && { onRequest }) })
    : h2Server({ transport, ...(onRequest && { onRequest: onRequest as unknown as OnH2Request }) })
}
