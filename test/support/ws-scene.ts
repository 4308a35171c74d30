// A WebSocket and who has to do with it: the owner, what it hears, and the server's side of each connection.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process, type ProcessOptions } from '@holster/process'
import { certificates } from './certificates.ts'
import { closePayload, frame, type Headers, opcodes, receiveFrame, switchingProtocols } from './frames.ts'
import { type Origin, origin, type Peer, type RequestHead, type Transport } from './origin.ts'

export const transports = ['tcp', 'tls'] as const
export type WsTransport = (typeof transports)[number]

export interface Setup {
  readonly opts?: gun.Opts
  readonly ownerOptions?: ProcessOptions
  readonly path?: string
  readonly headers?: gun.HeadersInit
  readonly wsOpts?: gun.WsOpts
  /** What the server adds to its 101. */
  readonly answer?: Headers
}

export interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly server: Origin
  readonly streamRef: gun.StreamRef
  /** The server's side of the first connection, which has read the request. */
  readonly peer: Peer
  readonly request: RequestHead
  /** The server's side of the next connection. */
  next(): Promise<Peer>
  /** In words, the next messages of the owner. */
  heard(count: number): Promise<string[]>
  /** In words, all that the owner still gets, up to DOWN. */
  story(): Promise<string[]>
}

/** A connection that has asked for an upgrade; its owner monitors it. Nothing of it waits for a timer. */
export async function asking(transport: Transport, setup: Setup = {}): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
  const self = createProcess<gun.GunMessage>(setup.ownerOptions)
  const opts: gun.Opts = {
    owner: self,
    transport: transport === 'tls' ? 'tls' : 'tcp',
    tlsOpts: { ca: certificates.ca },
    ...setup.opts,
  }
  const connPid =
    server.path === undefined ? gun.open('localhost', server.port, opts) : gun.openUnix(server.path, opts)
  self.monitor(connPid)
  await self.receive([{ type: 'gun_up' }])
  const next = async (): Promise<Peer> => {
    const { peer } = await peers.receive([{ type: 'peer' }])
    // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
    await turn()
    return peer
  }
  const streamRef = gun.wsUpgrade(connPid, setup.path ?? '/', setup.headers, setup.wsOpts)
  const peer = await next()
  const heard = async (isLast: (words: string[]) => boolean): Promise<string[]> => {
    const words: string[] = []
    while (!isLast(words)) words.push(tell(await self.receive([P._]), streamRef))
    return words
  }
  return {
    self,
    connPid,
    server,
    streamRef,
    peer,
    request: await peer.receiveRequest(),
    next,
    heard: count => heard(words => words.length === count),
    story: () => heard(words => words.at(-1)?.startsWith('DOWN') ?? false),
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      peers.exit()
      await server.close()
    },
  }
}

/** The same, upgraded. */
export async function upgraded(transport: Transport, setup: Setup = {}): Promise<Scene> {
  const it = await asking(transport, setup)
  await it.peer.send(switchingProtocols(it.request, setup.answer))
  const replyTo = setup.wsOpts?.replyTo ?? setup.opts?.wsOpts?.replyTo
  if (replyTo === undefined) await it.self.receive([{ type: 'gun_upgrade', streamRef: it.streamRef }])
  return it
}

function tell(message: gun.GunMessage | Down | Exit, streamRef: gun.StreamRef): string {
  switch (message.type) {
    case 'gun_ws':
      return `ws ${message.frame}`
    case 'gun_response':
      return `response ${message.status} ${message.isFin}`
    case 'gun_data':
      return `data ${message.isFin} ${message.data}`
    case 'gun_upgrade':
      return message.streamRef === streamRef ? 'upgrade' : 'upgrade of another stream'
    case 'gun_error': {
      const isOurs = message.streamRef === streamRef
      const whose =
        message.streamRef === undefined ? 'the connection' : isOurs ? 'the stream' : 'another stream'
      return `error of ${whose}: ${codeOf(message.reason)}`
    }
    case 'gun_up':
      return 'up'
    case 'gun_down':
      return `down ${message.protocol}: ${codeOf(message.reason)}, killed ${message.killedStreams.length}`
    case 'DOWN':
      return `DOWN: ${codeOf(message.reason)}`
    default:
      return message.type
  }
}

function codeOf(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map(codeOf).join(' ')
  return reason instanceof gun.GunError ? reason.code : String(reason)
}

/** What the owner hears when the WebSocket is lost for this reason, and nothing follows. */
export const ending = (code: string, protocol = 'ws'): string[] => [
  `error of the stream: ${code}`,
  `down ${protocol}: ${code}, killed 1`,
  `error of the connection: ${code}`,
  `DOWN: shutdown ${code}`,
]

// What a server sends.

export const text = (payload: string): Buffer => frame({ opcode: opcodes.text, payload })
export const ping = (payload: string | Uint8Array = ''): Buffer => frame({ opcode: opcodes.ping, payload })
export const pong = (payload: string | Uint8Array = ''): Buffer => frame({ opcode: opcodes.pong, payload })
export const close = (code?: number, reason: string | Uint8Array = ''): Buffer =>
  frame({ opcode: opcodes.close, payload: code === undefined ? '' : closePayload(code, reason) })

/** Has the client answer a ping, which shows that it has read all before and that nothing else was to be sent. */
export async function assertNothingSent(peer: Peer): Promise<void> {
  await peer.send(ping('anything?'))
  const { opcode, payload } = await receiveFrame(peer)
  assert.deepEqual([opcode, String(payload)], [opcodes.pong, 'anything?'])
}
