// A connection that leads into tunnels, and in words all that its owner hears, each stream by the name that a test has given it.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process } from '@holster/process'
import { PATIENCE } from './client.ts'
import { streamEnds } from './stream-ends.ts'
import type { Destination, Kinds, TunnelChain } from './tunnel-chains.ts'
import { tunnelChain } from './tunnel-chains.ts'

export interface TunnelScene extends AsyncDisposable {
  readonly owner: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** All that was heard so far, in words. */
  readonly told: readonly string[]
  /** Gives a stream its name; it must have ended once its connection has. */
  name(name: string, streamRef: gun.StreamRef): gun.StreamRef
  /** Gives a name to a stream that is to be refused with `badstate`. */
  nameRefused(name: string, streamRef: gun.StreamRef): gun.StreamRef
  /** Resolves when a line was heard `times` times, 1 unless given; fails with all that was heard instead. */
  hears(line: string, times?: number): Promise<void>
  /** Resolves when a condition holds; fails with what was waited for, and all that was heard, instead. */
  until(holds: () => boolean, what: string): Promise<void>
  /** Resolves when all of a stream's response has come. */
  whole(name: string): Promise<void>
  /** Resolves with all that was heard when the connection has ended. */
  end(): Promise<readonly string[]>
  /** The lines of a stream. */
  of(name: string): string[]
}

/** Opens a connection. The owner monitors it, and hears of all streams. */
export function tunnelScene(host: string, port: number, opts: gun.Opts = {}): TunnelScene {
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open(host, port, { owner, retry: 0, ...opts })
  owner.monitor(connPid)
  return watch(owner, connPid)
}

/** Takes all that comes to the owner. */
export function watch(owner: Process<gun.GunMessage>, connPid: gun.ConnPid): TunnelScene {
  const told: string[] = []
  const names = new Map<gun.StreamRef, string>()
  let isOver = false
  const nameOf = (streamRef: gun.StreamRef | undefined) =>
    streamRef === undefined ? 'connection' : (names.get(streamRef) ?? '?')
  const take = async (): Promise<void> => {
    while (!isOver) {
      const message = await owner.receive([P._])
      told.push(tell(message, nameOf))
      if ((message as { type: string }).type === 'DOWN') isOver = true
    }
  }
  // The owner may die within a test.
  take().catch(() => {})
  const wait = async (holds: () => boolean, what: string): Promise<void> => {
    const until = performance.now() + PATIENCE
    while (!holds()) {
      assert.ok(performance.now() < until, `waited for ${what}, but heard:\n${told.join('\n')}`)
      await turn()
    }
  }
  return {
    owner,
    connPid,
    told,
    name(name, streamRef) {
      names.set(streamRef, name)
      streamEnds.began(connPid, streamRef)
      return streamRef
    },
    nameRefused(name, streamRef) {
      names.set(streamRef, name)
      return streamRef
    },
    hears: (line, times = 1) =>
      wait(() => told.filter(each => each === line).length >= times, JSON.stringify(line)),
    until: wait,
    async end() {
      await wait(() => isOver, 'DOWN')
      return told
    },
    whole: name =>
      wait(() => told.some(line => line.startsWith(`${name}: `) && line.endsWith(' fin')), `all of ${name}`),
    of: name => told.filter(line => line.startsWith(`${name}: `)).map(line => line.slice(name.length + 2)),
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      owner.exit()
      streamEnds.assert()
    },
  }
}

function tell(
  message: gun.GunMessage | Down | Exit,
  nameOf: (streamRef: gun.StreamRef | undefined) => string,
): string {
  switch (message.type) {
    case 'gun_up':
      return `up ${message.protocol}`
    case 'gun_down': {
      const killed = message.killedStreams.map(nameOf).join(' ')
      return `down ${codeOf(message.reason)}, killed: ${killed}`
    }
    case 'gun_response':
      return `${nameOf(message.streamRef)}: response ${message.status} ${message.isFin}`
    case 'gun_data':
      return `${nameOf(message.streamRef)}: data ${message.data.toString('latin1')} ${message.isFin}`
    case 'gun_tunnel_up':
      return `${nameOf(message.streamRef)}: up ${message.protocol}`
    case 'gun_error':
      return `${nameOf(message.streamRef)}: error ${codeOf(message.reason)}`
    case 'gun_ws': {
      const { frame } = message
      return `${nameOf(message.streamRef)}: ws ${typeof frame === 'string' ? frame : frame.join(' ')}`
    }
    case 'DOWN':
      return `DOWN ${Array.isArray(message.reason) ? message.reason.map(codeOf).join(' ') : codeOf(message.reason)}`
    default:
      return 'streamRef' in message
        ? `${nameOf(message.streamRef as gun.StreamRef)}: ${message.type}`
        : message.type
  }
}

function codeOf(reason: unknown): string {
  return reason instanceof gun.GunError ? reason.code : String(reason)
}

export interface Through extends TunnelScene {
  readonly chain: TunnelChain
  /** The streams of the tunnels, from the first proxy on: T1, T2, …; `undefined` where SOCKS5 has led on by itself. */
  readonly tunnels: readonly (gun.StreamRef | undefined)[]
  /** The stream of the last tunnel that has one. */
  readonly last: gun.StreamRef | undefined
  /** Gives the options of a request through the last tunnel. */
  readonly through: { readonly tunnel?: gun.StreamRef }
}

/** A connection through a chain of proxies; `until` is how many tunnels are made, all unless given. */
export async function through(kinds: Kinds, opts: gun.Opts = {}, until?: number): Promise<Through> {
  const chain = await tunnelChain(kinds)
  const [host, port, first] = chain.open
  const scene = tunnelScene(host, port, { ...(first as gun.Opts), ...opts })
  await scene.hears(`up ${chain.hops[0]?.protocol}`)
  const tunnels: (gun.StreamRef | undefined)[] = []
  let last: gun.StreamRef | undefined
  for (const [i, { to, destination }] of chain.steps.entries()) {
    if (i === until) break
    if (destination === undefined) {
      await scene.hears(`${nameOfTunnel(tunnels)}: up ${to.protocol}`)
      tunnels.push(undefined)
      continue
    }
    last = scene.name(`T${i + 1}`, connect(scene.connPid, destination, last))
    tunnels.push(last)
    await scene.hears(`T${i + 1}: up ${to.protocol}`)
  }
  return {
    ...scene,
    chain,
    tunnels,
    last,
    through: last === undefined ? {} : { tunnel: last },
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]()
      await chain[Symbol.asyncDispose]()
    },
  }
}

function nameOfTunnel(tunnels: readonly (gun.StreamRef | undefined)[]): string {
  const index = tunnels.findLastIndex(tunnel => tunnel !== undefined)
  return index === -1 ? 'connection' : `T${index + 1}`
}

/** Asks for a tunnel, through another where there is one. */
export function connect(
  connPid: gun.ConnPid,
  destination: Destination | gun.ConnectDestination,
  tunnel?: gun.StreamRef,
): gun.StreamRef {
  return gun.connect(
    connPid,
    destination as gun.ConnectDestination,
    [],
    tunnel === undefined ? {} : { tunnel },
  )
}
