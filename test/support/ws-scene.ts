// A WebSocket and who has to do with it: the owner, what it hears, and the server's side of each connection.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { type Down, type Exit, P, type ProcessOptions } from '@holster/process'
import { closePayload, frame, type Headers, opcodes, receiveFrame, switchingProtocols } from './frames.ts'
import { type Ends, ends } from './http-peer.ts'
import type { Peer, RequestHead, Transport } from './origin.ts'

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

export interface Scene extends Ends {
  readonly streamRef: gun.StreamRef
  readonly request: RequestHead
  /** In words, all that the owner still gets, up to DOWN. */
  story(): Promise<string[]>
}

/** A connection that has asked for an upgrade; its owner monitors it. Nothing of it waits for a timer. */
export async function asking(transport: Transport, setup: Setup = {}): Promise<Scene> {
  const it = await ends(transport, setup.opts, setup.ownerOptions)
  const streamRef = gun.wsUpgrade(it.connPid, setup.path ?? '/', setup.headers, setup.wsOpts)
  const heard = async (isLast: (words: string[]) => boolean): Promise<string[]> => {
    const words: string[] = []
    while (!isLast(words)) words.push(tell(await it.self.receive([P._]), streamRef))
    return words
  }
  return {
    ...it,
    streamRef,
    request: await it.peer.receiveRequest(),
    heard: count => heard(words => words.length === count),
    story: () => heard(words => words.at(-1)?.startsWith('DOWN') ?? false),
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
