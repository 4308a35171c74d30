// A connection with both its ends in the test's hands: the owner with what it hears, and the server's side.

import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process, type ProcessOptions } from '@holster/process'
import { certificates, type Peer, type ScriptedServer, type Transport } from '@holster/testing'
import { PATIENCE } from './client.ts'
import { type HttpPeer, httpOrigin, type Line, speaking } from './http-server.ts'
import { origin } from './origin.ts'
import { streamEnds } from './stream-ends.ts'

export const transports: readonly Transport[] = ['tcp', 'tls', 'unix']

export interface Ends<P = Peer> extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly server: ScriptedServer
  /** The server's side of the first connection. */
  readonly peer: P
  /** The server's side of the next connection. */
  next(): Promise<P>
  /** In words, the next messages of the owner. */
  heard(count: number): Promise<string[]>
  /** In words, all that is in the owner's mailbox now. */
  waiting(): Promise<string[]>
}

/** A connection that is up, and whose owner monitors it. */
export function ends(
  transport: Transport,
  opts: gun.Opts = {},
  ownerOptions: ProcessOptions = {},
): Promise<Ends> {
  return between(script => origin(script, { transport }), transport, opts, ownerOptions)
}

/** As `ends`, with a server of either version of HTTP; `httpOpts` is for the version that is spoken. */
export function httpEnds(
  line: Line,
  opts: gun.Opts = {},
  ownerOptions: ProcessOptions = {},
): Promise<Ends<HttpPeer>> {
  const { version, transport } = line
  return between(script => httpOrigin(line, script), transport, speaking(version, opts), ownerOptions)
}

async function between<P>(
  listen: (script: (peer: P) => void) => Promise<ScriptedServer>,
  transport: Transport,
  opts: gun.Opts,
  ownerOptions: ProcessOptions,
): Promise<Ends<P>> {
  const it = await clientOf(listen, transport, opts, ownerOptions)
  return { ...it, peer: await it.next() }
}

/** The owner's end, and the peers of a server as they come. */
export async function clientOf<P, S extends Pick<ScriptedServer, 'port' | 'path' | 'close'>>(
  listen: (script: (peer: P) => void) => Promise<S>,
  transport: Transport,
  opts: gun.Opts,
  ownerOptions: ProcessOptions,
): Promise<Omit<Ends<P>, 'peer' | 'server'> & { readonly server: S }> {
  const peers = createProcess<{ type: 'peer'; peer: P }>()
  const server = await listen(peer => peers.send({ type: 'peer', peer }))
  const self = createProcess<gun.GunMessage>(ownerOptions)
  const all: gun.Opts = {
    owner: self,
    transport: transport === 'tls' ? 'tls' : 'tcp',
    tlsOpts: { ca: certificates.ca },
    ...opts,
  }
  const connPid =
    server.path === undefined ? gun.open('localhost', server.port, all) : gun.openUnix(server.path, all)
  self.monitor(connPid)
  await self.receive([{ type: 'gun_up' }])
  return {
    self,
    connPid,
    server,
    async next() {
      const { peer } = await peers.receive([{ type: 'peer' }])
      // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
      await turn()
      return peer
    },
    async heard(count) {
      const told: string[] = []
      while (told.length < count) told.push(tell(await self.receive([P._], PATIENCE)))
      return told
    },
    async waiting() {
      const told: string[] = []
      while (self.messageQueueLength > 0) told.push(tell(await self.receive([P._])))
      return told
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      peers.exit()
      await server.close()
      streamEnds.assert()
    },
  }
}

/** A message in words. */
export function tell(message: gun.GunMessage | Down | Exit): string {
  switch (message.type) {
    case 'gun_up':
      return 'up'
    case 'gun_down': {
      const reason = message.reason === 'normal' ? 'normal' : message.reason.code
      return `down: ${reason}, killed ${message.killedStreams.length}`
    }
    case 'gun_inform':
      return `inform ${message.status}`
    case 'gun_response':
      return `response ${message.status} ${message.isFin}`
    case 'gun_data':
      return `data ${message.data} ${message.isFin}`
    case 'gun_trailers':
      return `trailers ${message.headers.map(pair => pair.join('=')).join(' ')}`
    case 'gun_error':
      return `error: ${message.reason.code}`
    case 'DOWN':
      return `DOWN: ${Array.isArray(message.reason) ? message.reason[0] : String(message.reason)}`
    default:
      return message.type
  }
}

/** A response with a body in chunks, from its pieces. */
export function chunked(...pieces: string[]): string {
  return pieces.map(piece => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).join('')
}
