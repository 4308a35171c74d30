// A WebSocket from both ends: a scripted server for any number of connections, and all that becomes of one of them.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process } from '@holster/process'
import { certificates, type Peer, type RequestHead } from '@holster/testing'
import {
  type ClientFrame,
  decode,
  frame,
  opcodes,
  parseClientFrames,
  switchingProtocols,
} from '@holster/testing/frames'
import { type Client, connect } from './client.ts'
import type { Deflate } from './deflate.ts'
import { streamServer } from './http2-ends.ts'
import { origin } from './origin.ts'
import { streamEnds } from './stream-ends.ts'
import { isH2, transportOf, type Wire } from './websocket-scene.ts'

export { isH2, type Wire, wires } from './websocket-scene.ts'

/** How long a message that must come may take; many connections share the machine. */
const PATIENCE = 30_000

/** The extension as it is named in the handshake. */
export const DEFLATE = 'permessage-deflate'

/** A connection without retries that has asked for an upgrade, or, over HTTP/2, a stream of one connection for all. */
export interface Scene extends Client {
  readonly streamRef: gun.StreamRef
  readonly isH2: boolean
  /** The server's side, which has read the request. */
  readonly peer: Peer
  readonly request: RequestHead
}

export interface WsServer extends AsyncDisposable {
  ask(wsOpts?: gun.WsOpts): Promise<Scene>
  /** The same, upgraded, and `gun_upgrade` received. */
  upgrade(wsOpts?: gun.WsOpts, extensions?: string): Promise<Scene>
}

export async function wsServer(wire: Wire): Promise<WsServer> {
  // One context for all connections, since reading the certificates costs more than all that is tested.
  const secureContext = tls.createSecureContext({ ca: certificates.ca })
  const arrivals = createProcess<Pick<Scene, 'peer' | 'request'> & { path: string }>()
  let asked = 0
  const transport = transportOf(wire)
  const arrive = async (peer: Peer): Promise<void> => {
    const request = await peer.receiveRequest()
    arrivals.send({ path: request.path, peer, request })
  }
  const server = await (isH2(wire) ? streamServer(transport, arrive) : origin(arrive, { transport }))
  let shared: gun.ConnPid | undefined

  /** A stream of the connection for all, for a process of its own. */
  function stream(): Client {
    shared ??= gun.open(server.host, server.port, {
      owner: arrivals as unknown as Process<gun.GunMessage>,
      protocols: ['http2'],
      retry: 0,
      ...(transport === 'tls' && { transport, tlsOpts: { secureContext } }),
    })
    const connPid = shared
    const owner = createProcess<gun.GunMessage>()
    return { owner, connPid, [Symbol.asyncDispose]: async () => owner.exit() }
  }

  async function ask(wsOpts: gun.WsOpts = {}): Promise<Scene> {
    const overH2 = isH2(wire)
    const client = overH2
      ? stream()
      : await connect(server, transport, {
          retry: 0,
          ...(transport === 'tls' && { tlsOpts: { secureContext } }),
        })
    try {
      if (!overH2) client.owner.monitor(client.connPid)
      const path = `/${++asked}`
      const streamRef = gun.wsUpgrade(client.connPid, path, {}, { replyTo: client.owner, ...wsOpts })
      const { peer, request } = await arrivals.receive([{ path }], PATIENCE)
      return { ...client, streamRef, isH2: overH2, peer, request }
    } catch (error) {
      await client[Symbol.asyncDispose]()
      throw error
    }
  }

  return {
    ask,
    async upgrade(wsOpts, extensions) {
      const it = await ask(wsOpts)
      await it.peer.send(agree(it, extensions))
      await it.owner.receive([{ type: 'gun_upgrade', streamRef: it.streamRef }], PATIENCE)
      return it
    },
    async [Symbol.asyncDispose]() {
      if (shared !== undefined) {
        gun.close(shared)
        await shared[Symbol.asyncDispose]()
      }
      arrivals.exit()
      await server.close()
      streamEnds.assert()
    },
  }
}

/** The 101 that answers a request. */
export function agree({ request }: Pick<Scene, 'request'>, extensions?: string): Buffer {
  const agreed = extensions === undefined ? [] : [['sec-websocket-extensions', extensions] as const]
  return Buffer.from(switchingProtocols(request, agreed))
}

// What the owner is told.

function tell(message: gun.GunMessage | Down | Exit): string {
  switch (message.type) {
    case 'gun_ws':
      return tellFrame(message.frame)
    case 'gun_error':
      return `error of the ${message.streamRef === undefined ? 'connection' : 'stream'}: ${tellReason(message.reason)}`
    case 'gun_down':
      return `down ${message.protocol}: ${tellReason(message.reason)}, killed ${message.killedStreams.length}`
    case 'DOWN':
      return `DOWN: ${tellReason(message.reason)}`
    default:
      return message.type
  }
}

function tellReason(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map(tellReason).join(' ')
  if (!(reason instanceof gun.GunError)) return String(reason)
  return reason.kind === 'connection_error' ? reason.code : `${reason.code} (${reason.kind})`
}

/** A frame in a line that can be compared and read. Two that differ never look the same, but for long payloads. */
export function tellFrame(given: gun.WsFrameIn | gun.WsFrame): string {
  if (typeof given === 'string') return given
  const [name, ...payload] = given
  const parts = payload.map(part => {
    if (typeof part === 'number') return part
    const [kind, whole] =
      typeof part === 'string' ? ['', JSON.stringify(part)] : ['bytes ', Buffer.from(part).toString('hex')]
    if (whole.length <= 200) return kind + whole
    return `${kind}${whole.slice(0, 80)}…${whole.slice(-80)} (${part.length}, sum ${sum(whole)})`
  })
  return [name, ...parts].join(' ')
}

function sum(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0
  return hash
}

/** All that the owner gets until the connection has ended, or, over HTTP/2, the stream. */
export async function story(it: Pick<Scene, 'owner' | 'connPid' | 'streamRef' | 'isH2'>): Promise<string[]> {
  const { owner, connPid, streamRef } = it
  const told: string[] = []
  let isPinged = false
  for (;;) {
    if (it.isH2 && !isPinged) {
      const isOver = () => gun.streamInfo(connPid, streamRef) === undefined
      while (owner.messageQueueLength === 0 && !isOver()) await turn()
      isPinged = owner.messageQueueLength === 0
      if (isPinged) gun.ping(connPid, { replyTo: owner })
    }
    const message = await owner.receive([P._], PATIENCE)
    if (message.type === 'gun_notify' && message.event === 'ping_ack') return told
    told.push(tell(message))
    if (message.type === 'DOWN') return told
  }
}

/** The story of a WebSocket that both sides have closed. */
export function closedStory({ isH2 }: Pick<Scene, 'isH2'>): string[] {
  return isH2 ? [] : ['down ws: normal, killed 0', 'DOWN: normal']
}

/** The story of a WebSocket that has failed. */
export function failedStory({ isH2 }: Pick<Scene, 'isH2'>, code: string, protocol = 'ws'): string[] {
  if (isH2) return [`error of the stream: ${code} (stream_error)`]
  return [
    `error of the stream: ${code}`,
    `down ${protocol}: ${code}, killed 1`,
    `error of the connection: ${code}`,
    `DOWN: shutdown ${code}`,
  ]
}

/** The code of the error that a story tells of. */
export function errorIn(told: readonly string[]): string | undefined {
  return told
    .find(line => line.startsWith('error of the '))
    ?.split(': ')[1]
    ?.replace(' (stream_error)', '')
}

// What the client sends.

/** Every frame of a client's bytes: masked, whole, as short as it can be written, and with RSV1 only where messages
 * may be compressed. */
export function framesIn(bytes: Buffer, mayCompress: boolean): ClientFrame[] {
  const { frames, rest } = parseClientFrames(bytes)
  assert.equal(rest.length, 0, 'the client ends within a frame')
  const shortest = frames.reduce((total, sent) => total + frame({ ...sent, masked: true }).length, 0)
  assert.equal(bytes.length, shortest, 'a length is not minimally encoded')
  for (const { opcode, fin, rsv1, rsv2, rsv3, masked } of frames) {
    const isMessage = opcode === opcodes.text || opcode === opcodes.binary
    assert.ok(masked && fin && !rsv2 && !rsv3, `the header of a frame with opcode ${opcode}`)
    assert.ok(!rsv1 || (mayCompress && isMessage), `RSV1 on a frame with opcode ${opcode}`)
  }
  return frames
}

/** A frame as the caller gave it; `inflater` is the server's, if messages may be compressed. */
export function read(sent: ClientFrame, inflater?: Deflate): gun.WsFrame {
  const isCompressed = sent.rsv1 && inflater !== undefined
  return decode(isCompressed ? { ...sent, payload: inflater.inflate(sent.payload) } : sent)
}

/** All that a client sends until it ends its side. `onClose` is for the server to end its own: a client that has not
 * failed waits for that. */
export async function bytesFrom(peer: Peer, onClose: () => void): Promise<Buffer> {
  const parts: Buffer[] = []
  const take = async (count: number): Promise<Buffer> => {
    const bytes = await peer.receive(count)
    parts.push(bytes)
    return bytes
  }
  for (;;) {
    const head = await take(2)
    const short = head.readUInt8(1) & 0x7f
    const extended = short < 126 ? head.subarray(1) : await take(short === 126 ? 2 : 8)
    const length = short < 126 ? short : Number(`0x${extended.toString('hex')}`)
    await take((head.readUInt8(1) & 0x80 ? 4 : 0) + length)
    if ((head.readUInt8() & 0x0f) === opcodes.close) break
  }
  onClose()
  parts.push(await peer.receiveAll())
  return Buffer.concat(parts)
}

// How a server sends.

/** A few bytes at either end singly and what is between them in chunks: the header, the end and every place where a
 * short frame can be torn, without 65,536 writes for a long one. */
const SINGLY = 16
const CHUNK = 16_384

/** Byte by byte, each in a write of its own that the client reads before the next. */
export async function trickle(peer: Peer, frames: readonly Uint8Array[]): Promise<void> {
  for (const each of frames) {
    const middle = each.length > 3 * SINGLY ? each.subarray(SINGLY, -SINGLY) : each.subarray(each.length)
    await peer.send(each.subarray(0, middle.length === 0 ? each.length : SINGLY), 'bytes')
    for (let at = 0; at < middle.length; at += CHUNK) {
      await peer.send(middle.subarray(at, at + CHUNK))
      await turn()
    }
    if (middle.length > 0) await peer.send(each.subarray(-SINGLY), 'bytes')
  }
}
