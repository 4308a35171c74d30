// The events of a connection's own life, without those of its streams, recorded as an eventHandler gets them.

import * as gun from '@holster/gun'
import { createProcess, type Down, P, type Process } from '@holster/process'
import { certificates, type ScriptedServer, type Transport } from '@holster/testing'
import { PATIENCE } from './client.ts'
import { type Line, speaking } from './http-server.ts'
import { streamEnds } from './stream-ends.ts'

export const LIFE = [
  'init',
  'domainLookupStart',
  'domainLookupEnd',
  'connectStart',
  'connectEnd',
  'tlsHandshakeStart',
  'tlsHandshakeEnd',
  'protocolChanged',
  'disconnect',
  'terminate',
] as const satisfies readonly gun.EventName[]

export type LifeName = (typeof LIFE)[number]
export type Told = readonly [name: LifeName, event: Record<string, unknown>]

export interface Recorder {
  readonly told: Told[]
  readonly names: LifeName[]
  readonly eventHandler: gun.EventHandler
  /** The last event of this name. */
  last(name: LifeName): Record<string, unknown> | undefined
}

/** Remembers each event of the connection itself, then does what is to be done on it. */
export function recorder(act?: (name: LifeName, event: gun.ConnectionEvent) => void): Recorder {
  const told: Told[] = []
  const names: LifeName[] = []
  const entries = LIFE.map(name => [
    name,
    (event: gun.ConnectionEvent) => {
      names.push(name)
      told.push([name, { ...event }])
      act?.(name, event)
    },
  ])
  return {
    told,
    names,
    eventHandler: Object.fromEntries(entries),
    last: name => told.findLast(([each]) => each === name)?.[1],
  }
}

export interface Opened extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  up(): Promise<void>
  /** The reason in DOWN. */
  down(): Promise<unknown>
  /** The types of the messages that wait. */
  waiting(): Promise<string[]>
}

/** A connection and its owner, which monitors it. */
export function opened(
  { host, port, path }: Pick<ScriptedServer, 'host' | 'port' | 'path'>,
  on: Transport | Line,
  opts: gun.Opts = {},
): Opened {
  const transport = typeof on === 'string' ? on : on.transport
  const self = createProcess<gun.GunMessage>()
  const all: gun.Opts = {
    owner: self,
    ...(transport === 'tls' ? { transport, tlsOpts: { ca: certificates.ca } } : { transport: 'tcp' }),
    ...(typeof on === 'string' ? opts : speaking(on.version, opts)),
  }
  const connPid = path === undefined ? gun.open(host, port, all) : gun.openUnix(path, all)
  self.monitor(connPid)
  return {
    self,
    connPid,
    async up() {
      await gun.awaitUp(connPid, PATIENCE)
    },
    async down() {
      const { reason } = (await self.receive([{ type: 'DOWN', pid: connPid }], PATIENCE)) as Down
      return reason
    },
    async waiting() {
      const types: string[] = []
      while (self.messageQueueLength > 0) types.push((await self.receive([P._], 0)).type)
      return types
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      streamEnds.assert()
    },
  }
}

/** What is told of a connection that is made. */
export function making(transport: Transport): LifeName[] {
  const names: LifeName[] = ['domainLookupStart', 'domainLookupEnd', 'connectStart', 'connectEnd']
  return transport === 'tls' ? [...names, 'tlsHandshakeStart', 'tlsHandshakeEnd'] : names
}
