// HTTP/2 as both of its ends see it: a connection with a scripted server, and in words what is heard of it.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { type Down, type Exit, P, type Process, type ProcessOptions } from '@holster/process'
import type { ScriptedServer, Transport } from '@holster/testing'
import { PATIENCE } from './client.ts'
import { clientOf } from './http-ends.ts'
import * as h2 from './http2-frames.ts'
import { type H2Peer, type H2PeerOptions, h2Origin } from './http2-origin.ts'

export interface SceneOptions {
  readonly transport?: Transport
  readonly http2Opts?: gun.Http2Opts
  readonly opts?: gun.Opts
  readonly server?: H2PeerOptions
  readonly owner?: ProcessOptions
}

export interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly server: ScriptedServer
  /** The server's side of the first connection. */
  readonly peer: H2Peer
  /** The server's side of the next connection. */
  next(): Promise<H2Peer>
  /** In words, all that is heard of a stream until it ends, its data joined. */
  story(streamRef: gun.StreamRef): Promise<string[]>
  /** In words, the next messages of the owner. */
  heard(count: number): Promise<string[]>
  /** In words, all that is in the owner's mailbox now. */
  waiting(): Promise<string[]>
  /** In words, what the owner hears until DOWN. */
  end(): Promise<string[]>
  /** What the server has sent so far has been seen by the client. */
  seen(peer?: H2Peer): Promise<void>
}

/** A connection that is up, and whose owner monitors it. */
export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const { transport = 'tcp', http2Opts, opts, server: serverOptions, owner } = options
  const it = await clientOf<H2Peer, ScriptedServer>(
    script => h2Origin(script, { transport, ...serverOptions }),
    transport,
    { protocols: ['http2'], ...(http2Opts === undefined ? {} : { http2Opts }), ...opts },
    owner ?? {},
  )
  const { self } = it
  const heard = async (count: number): Promise<string[]> => {
    const told: string[] = []
    while (told.length < count) told.push(tell(await self.receive([P._], PATIENCE)))
    return told
  }
  let seen = 0
  const first = await it.next()
  return {
    ...it,
    peer: first,
    heard,
    async story(streamRef) {
      const told: string[] = []
      let data: string | undefined
      for (;;) {
        const message = await self.receive([{ streamRef }], PATIENCE)
        if (message.type === 'gun_data') data = `${data ?? ''}${message.data.toString('latin1')}`
        if (message.type === 'gun_data' && message.isFin === 'nofin') continue
        if (message.type === 'gun_data') return [...told, `data ${data} fin`]
        if (data !== undefined) told.push(`data ${data} nofin`)
        data = undefined
        told.push(tell(message))
        const isLast = message.type === 'gun_response' && message.isFin === 'fin'
        if (isLast || message.type === 'gun_error' || message.type === 'gun_trailers') return told
      }
    },
    async waiting() {
      const told: string[] = []
      while (self.messageQueueLength > 0) told.push(...(await heard(1)))
      return told
    },
    async end() {
      const told: string[] = []
      while (!told.at(-1)?.startsWith('DOWN')) told.push(...(await heard(1)))
      return told
    },
    async seen(to = first) {
      const opaque = Buffer.alloc(8)
      opaque.writeUInt32BE(++seen, 4)
      await to.send(h2.ping(opaque))
      for (;;) {
        const { payload, flags } = await to.frame(h2.types.PING)
        if (flags === h2.flags.ACK && payload.equals(opaque)) break
      }
      await turn()
    },
  }
}

/** A message in words. */
export function tell(message: gun.GunMessage | Down | Exit): string {
  switch (message.type) {
    case 'gun_up':
      return `up ${message.protocol}`
    case 'gun_down':
      return `down ${codeOf(message.reason)}, killed ${message.killedStreams.length}`
    case 'gun_inform':
      return `inform ${message.status}`
    case 'gun_response':
      return `response ${message.status} ${message.isFin}`
    case 'gun_data':
      return `data ${message.data.toString('latin1')} ${message.isFin}`
    case 'gun_trailers':
      return `trailers ${message.headers.map(pair => pair.join('=')).join(' ')}`
    case 'gun_push':
      return `push ${message.method} ${new URL(message.uri).pathname}`
    case 'gun_error':
      return `${message.streamRef === undefined ? 'connection' : 'stream'}: ${codeOf(message.reason)}`
    case 'gun_notify':
      return `notify ${message.event}`
    case 'DOWN':
      return `DOWN ${codeOf(message.reason)}`
    default:
      return message.type
  }
}

function codeOf(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map(codeOf).join(' ')
  return reason instanceof gun.GunError ? `${reason.kind} ${reason.code}` : String(reason)
}

/** The frames of a peer that have come so far, without those of the handshake and of `seen`, in words. */
export function sentTo({ frames }: H2Peer): string[] {
  const { SETTINGS, PING, WINDOW_UPDATE } = h2.types
  return frames
    .filter(({ type }) => type !== SETTINGS && type !== PING && type !== WINDOW_UPDATE)
    .map(h2.tellFrame)
}

export const ok = [[':status', '200']] as const

/** Answers the next request with 200, the stream left open. */
export async function respond(peer: H2Peer, more: readonly Uint8Array[] = []): Promise<number> {
  const { streamId } = await peer.request()
  await peer.send([h2.headers(streamId, ok), ...more])
  return streamId
}

/** A header of a request that has come. */
export function headerOf(headers: readonly (readonly [string, string])[], name: string): string | undefined {
  assert.ok(headers.filter(([each]) => each === name).length <= 1, `${name} is there more than once`)
  return headers.find(([each]) => each === name)?.[1]
}
