// A WebSocket and who has to do with it: the owner, what it hears, and the server's side of each connection.

import assert from 'node:assert/strict'
import type { Headers } from '@holster/gun'
import * as gun from '@holster/gun'
import { type Down, type Exit, P, type ProcessOptions } from '@holster/process'
import type { Peer, RequestHead, Transport } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { until } from './flood.ts'
import { type Ends, ends } from './http-ends.ts'
import { type H2Ends, h2Ends } from './http2-ends.ts'
import { streamEnds } from './stream-ends.ts'

export const transports = ['tcp', 'tls'] as const
export type WsTransport = (typeof transports)[number]

/** What a WebSocket runs over: a connection on which HTTP/1.1 was upgraded, or one stream of HTTP/2 (RFC 8441). */
export type Wire = Transport | `HTTP/2 over ${Transport}`
export const wires = ['tcp', 'tls', 'HTTP/2 over tcp', 'HTTP/2 over tls'] as const satisfies readonly Wire[]

const H2 = 'HTTP/2 over '
export const isH2 = (wire: Wire): boolean => wire.startsWith(H2)
export const transportOf = (wire: Wire): Transport => wire.replace(H2, '') as Transport

export interface Setup {
  readonly opts?: gun.Opts
  readonly ownerOptions?: ProcessOptions
  readonly path?: string
  readonly headers?: gun.HeadersInit
  readonly wsOpts?: gun.WsOpts
  /** What the server adds to its 101. */
  readonly answer?: Headers
}

export interface Scene extends Omit<Ends, 'server'> {
  readonly server: Pick<Ends['server'], 'connections' | 'close'>
  readonly streamRef: gun.StreamRef
  readonly request: RequestHead
  readonly isH2: boolean
  /** The server ends the whole connection. */
  lose(): void
  /** The errors that were told of in words. */
  readonly errors: ReadonlySet<gun.GunError>
  /** In words, all that the owner still gets: up to DOWN, or, over HTTP/2, where the connection stays up without the
   * WebSocket, up to what comes in answer to a ping of that connection. */
  story(): Promise<string[]>
  /** What the owner hears of a WebSocket that both sides have closed, after the close frame; it does not reconnect. */
  readonly closed: readonly string[]
  /** What the owner hears when the WebSocket is lost for this reason; it does not reconnect. */
  ending(code: string, protocol?: string): string[]
}

/** A connection that has asked for an upgrade; its owner monitors it. Nothing of it waits for a timer. */
export async function asking(wire: Wire, setup: Setup = {}): Promise<Scene> {
  const overH2 = isH2(wire)
  const transport = transportOf(wire)
  const it: Ends | H2Ends = await (overH2 ? h2Ends : ends)(transport, setup.opts, setup.ownerOptions)
  const { connPid, self } = it
  const streamRef = gun.wsUpgrade(connPid, setup.path ?? '/', setup.headers, setup.wsOpts)
  if (setup.wsOpts?.defaultProtocol !== undefined) streamEnds.handled(streamRef)
  const peer = 'peer' in it ? it.peer : await it.next()
  const errors = new Set<gun.GunError>()
  const put = (message: gun.GunMessage | Down | Exit): string => {
    if (message.type === 'gun_error') errors.add(message.reason)
    if (message.type === 'gun_down' && message.reason !== 'normal') errors.add(message.reason)
    return tell(message, streamRef)
  }

  const isOver = (): boolean => {
    const { protocol, stateName } = gun.info(connPid)
    return (
      stateName === 'connected' && protocol === 'http2' && gun.streamInfo(connPid, streamRef) === undefined
    )
  }
  async function story(): Promise<string[]> {
    const words: string[] = []
    let pinged: gun.StreamRef | undefined
    for (;;) {
      if (overH2 && pinged === undefined) {
        await until(() => self.messageQueueLength > 0 || isOver())
        if (self.messageQueueLength === 0) pinged = gun.ping(connPid)
      }
      const message = await self.receive([P._])
      if (message.type === 'gun_notify' && message.event === 'ping_ack') return words
      words.push(put(message))
      if (message.type === 'DOWN') return words
    }
  }

  return {
    ...it,
    peer,
    streamRef,
    errors,
    isH2: overH2,
    request: await peer.receiveRequest(),
    async heard(count) {
      const words: string[] = []
      while (words.length < count) words.push(put(await self.receive([P._])))
      return words
    },
    lose: () => ('lose' in it.server ? it.server.lose() : peer.end()),
    story,
    closed: overH2 ? [] : ['down ws: normal, killed 0', 'DOWN: normal'],
    ending: (code, protocol) => {
      if (!overH2) return ending(code, protocol)
      return [`error of the stream: ${code === 'socket_error' ? 'stream_reset' : code}`]
    },
  }
}

/** The same, upgraded. */
export async function upgraded(wire: Wire, setup: Setup = {}): Promise<Scene> {
  const it = await asking(wire, setup)
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
