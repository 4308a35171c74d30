// A connection that has gone all the way through a chain of proxies, each message on the way looked at.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { createProcess, P, type Process, type ProcessOptions } from '@holster/process'
import { PATIENCE } from './client.ts'
import { streamEnds } from './stream-ends.ts'
import { type HopKind, type Kinds, proxyKinds, type TunnelChain, tunnelChain } from './tunnel-chains.ts'
import { originKinds, type TunnelOriginOptions } from './tunnel-origins.ts'

export interface Through extends AsyncDisposable {
  readonly chain: TunnelChain
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** The stream that leads to the end of each step of the chain; `undefined` where SOCKS5 has led the whole connection there. */
  readonly tunnels: readonly (gun.StreamRef | undefined)[]
  /** The last of them, which leads to the origin. */
  readonly tunnel: gun.StreamRef | undefined
  /** The options of a request to the origin. */
  readonly to: { readonly tunnel?: gun.StreamRef }
  /** The next message, whatever it is. */
  next(): Promise<gun.GunMessage>
}

const names: Readonly<Record<HopKind, string>> = {
  http: 'HTTP/1.1',
  https: 'HTTP/1.1 over TLS',
  h2c: 'HTTP/2',
  h2: 'HTTP/2 over TLS',
  socks5: 'SOCKS5',
  socks5tls: 'SOCKS5 over TLS',
  raw: 'raw',
  rawtls: 'raw over TLS',
}

/** Ways in which each proxy comes first and second, each origin is reached, and TLS runs within TLS within TLS. */
const usual: readonly Kinds[] = [
  ['http', 'https', 'h2c'],
  ['https', 'h2', 'h2'],
  ['h2c', 'http', 'https'],
  ['h2', 'h2c', 'http'],
  ['socks5', 'socks5tls', 'h2'],
  ['socks5tls', 'socks5', 'rawtls'],
  ['https', 'https', 'https'],
  ['h2', 'socks5', 'raw'],
]

/** All that Gun's tunnel_SUITE has. */
export const allWays: readonly Kinds[] = proxyKinds.flatMap(first =>
  proxyKinds.flatMap(second => originKinds.map((origin): Kinds => [first, second, origin])),
)

/** The ways on which everything is tried: with TUNNEL_WAYS=all all of them, which takes some minutes. */
export const someWays = process.env.TUNNEL_WAYS === 'all' ? allWays : usual

/** Whether a way leads to an origin that speaks this. */
export const leadsTo = (kinds: Kinds, ...origins: readonly HopKind[]): boolean =>
  origins.includes(kinds.at(-1) as HopKind)

/** A way in words, such as `HTTP/1.1, SOCKS5 over TLS and HTTP/2`. */
export function wayName(kinds: Kinds): string {
  const hops = kinds.map(kind => names[kind])
  return `${hops.slice(0, -1).join(', ')} and ${hops.at(-1)}`
}

/** The options of a command that goes through a tunnel, or, without one, to the end of the whole connection. */
export const within = (tunnel: gun.StreamRef | undefined): { readonly tunnel?: gun.StreamRef } =>
  tunnel === undefined ? {} : { tunnel }

/** Goes through a chain, and fails if anything else comes than the news of each step, in order. */
export async function through(
  kinds: Kinds,
  opts: gun.Opts = {},
  ownerOptions: ProcessOptions = {},
  originOptions: TunnelOriginOptions = {},
): Promise<Through> {
  const chain = await tunnelChain(kinds, originOptions)
  const self = createProcess<gun.GunMessage>(ownerOptions)
  const [host, port, way] = chain.open
  const connPid = gun.open(host, port, { owner: self, retry: 0, ...way, ...opts })
  const next = (): Promise<gun.GunMessage> => self.receive([P._], PATIENCE) as Promise<gun.GunMessage>
  const dispose = async (): Promise<void> => {
    gun.close(connPid)
    self.exit()
    await chain[Symbol.asyncDispose]()
    streamEnds.assert()
  }
  try {
    const tunnels = await lead(chain, connPid, next)
    const tunnel = tunnels.at(-1)
    return { chain, self, connPid, tunnels, tunnel, to: within(tunnel), next, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function lead(
  { hops, steps }: TunnelChain,
  connPid: gun.ConnPid,
  next: Through['next'],
): Promise<Through['tunnels']> {
  assert.deepEqual(await next(), { type: 'gun_up', connPid, protocol: hops[0]?.protocol })
  const tunnels: (gun.StreamRef | undefined)[] = []
  for (const { to, destination } of steps) {
    let streamRef = tunnels.at(-1)
    if (destination !== undefined) {
      streamRef = gun.connect(connPid, destination, {}, within(streamRef))
      const answer = await next()
      assert.equal(answer.type, 'gun_response')
      if (answer.type !== 'gun_response') return tunnels
      const { isFin, status } = answer
      assert.deepEqual(
        { streamRef: answer.streamRef, isFin, status },
        { streamRef, isFin: 'fin', status: 200 },
      )
    }
    const { protocol } = to
    const up = streamRef === undefined ? { connPid, protocol } : { connPid, streamRef, protocol }
    assert.deepEqual(await next(), { type: 'gun_tunnel_up', ...up })
    tunnels.push(streamRef)
  }
  return tunnels
}

/** The words of `info` about the other end of the whole connection, and about the proxies before it. Tunnels over HTTP/2 belong to streams. */
export function endOf({ hops, intermediaries }: TunnelChain) {
  const http2 = hops.findIndex(({ protocol }) => protocol === 'http2')
  const index = http2 === -1 ? hops.length - 1 : http2
  const { host, port, transport, protocol } = hops[index] as TunnelChain['hops'][number]
  const scheme = transport === 'tls' ? 'https' : 'http'
  return {
    transport,
    protocol,
    originScheme: protocol === 'raw' ? undefined : scheme,
    originHost: host,
    originPort: port,
    intermediaries: intermediaries.slice(0, index),
  }
}

/** The words of `streamInfo` about the tunnel to the end of a step. */
export function tunnelOf({ hops }: TunnelChain, step: number) {
  const { host, port, transport, protocol } = hops[step + 1] as TunnelChain['hops'][number]
  const scheme = transport === 'tls' ? 'https' : 'http'
  return {
    transport,
    protocol,
    originScheme: protocol === 'raw' ? undefined : scheme,
    originHost: host,
    originPort: port,
  }
}
