// Chains of proxies with an origin behind them, and the options with which a client goes through them.

import { certificates } from '@holster/testing'
import {
  type OriginKind,
  type TunnelOrigin,
  type TunnelOriginOptions,
  tunnelOrigin,
} from './tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy, type TunnelProxy } from './tunnel-proxies.ts'

export const proxyKinds = ['http', 'https', 'h2c', 'h2', 'socks5', 'socks5tls'] as const
/** HTTP/1.1, HTTP/2 and SOCKS5, each over tcp and tls. */
export type ProxyKind = (typeof proxyKinds)[number]
export type HopKind = ProxyKind | OriginKind

/** At least one proxy, and the origin. */
export type Kinds = readonly [ProxyKind, ...ProxyKind[], OriginKind]

type Protocol = 'http' | 'http2' | 'raw' | 'socks'
type Transport = 'tcp' | 'tls'

/** A place in a chain, with how it is spoken to. */
export interface Hop {
  readonly kind: HopKind
  readonly host: string
  readonly port: number
  readonly transport: Transport
  readonly protocol: Protocol
}

/** Where a CONNECT or SOCKS5 leads; behind SOCKS5 with where that leads. */
export interface Destination {
  readonly host: string
  readonly port: number
  readonly transport: Transport
  readonly tlsOpts: { readonly ca: string }
  readonly protocols: readonly [Exclude<Protocol, 'socks'> | readonly ['socks', Destination]]
}

export interface TunnelChain extends AsyncDisposable {
  /** All hops, with the origin as the last. */
  readonly hops: readonly Hop[]
  readonly proxies: readonly TunnelProxy[]
  readonly origin: TunnelOrigin
  /** The arguments of `open`. */
  readonly open: readonly [
    host: string,
    port: number,
    opts: Pick<Destination, 'transport' | 'tlsOpts' | 'protocols'>,
  ]
  /**
   * The way from each hop to the next: the destination of a `connect` through the tunnel that has led so far, or `undefined`
   * where SOCKS5 leads on by itself.
   */
  readonly steps: readonly { readonly to: Hop; readonly destination: Destination | undefined }[]
  /** The proxies as `info` names them. */
  readonly intermediaries: readonly {
    readonly type: 'connect' | 'socks5'
    readonly host: string
    readonly port: number
    readonly transport: Transport
    readonly protocol: Protocol
  }[]
}

const spoken: Readonly<Record<HopKind, readonly [Transport, Protocol]>> = {
  http: ['tcp', 'http'],
  https: ['tls', 'http'],
  h2c: ['tcp', 'http2'],
  h2: ['tls', 'http2'],
  socks5: ['tcp', 'socks'],
  socks5tls: ['tls', 'socks'],
  raw: ['tcp', 'raw'],
  rawtls: ['tls', 'raw'],
}

/** Starts a proxy that leads to wherever it is asked to. */
export function tunnelProxy(kind: ProxyKind): Promise<TunnelProxy> {
  const [transport, protocol] = spoken[kind]
  if (protocol === 'http') return httpProxy({ transport })
  return protocol === 'http2' ? http2Proxy({ transport }) : socks5Proxy({ transport })
}

/** The options that lead to the first of these hops, and on by itself as far as SOCKS5 does. */
function destinationOf([hop, ...further]: readonly Hop[]): Destination {
  if (hop === undefined) throw new Error('a chain ends with an origin')
  const { host, port, transport, protocol } = hop
  const init = protocol === 'socks' ? (['socks', destinationOf(further)] as const) : protocol
  return { host, port, transport, tlsOpts: { ca: certificates.ca }, protocols: [init] }
}

/** Starts the servers of a chain. Every hop is `localhost` to the one before it. */
export async function tunnelChain(kinds: Kinds, options: TunnelOriginOptions = {}): Promise<TunnelChain> {
  const origin = await tunnelOrigin(kinds.at(-1) as OriginKind, options)
  const proxies: TunnelProxy[] = []
  for (const kind of kinds.slice(0, -1)) proxies.push(await tunnelProxy(kind as ProxyKind))
  const hops = [...proxies, origin].map(({ port }, i): Hop => {
    const kind = kinds[i] as HopKind
    const [transport, protocol] = spoken[kind]
    return { kind, host: 'localhost', port, transport, protocol }
  })
  const { host, port, ...opts } = destinationOf(hops)
  return {
    hops,
    proxies,
    origin,
    open: [host, port, opts],
    steps: hops.slice(1).map((to, i) => ({
      to,
      destination: hops[i]?.protocol === 'socks' ? undefined : destinationOf(hops.slice(i + 1)),
    })),
    intermediaries: hops.slice(0, -1).map(({ kind: _, ...hop }) => ({
      type: hop.protocol === 'socks' ? 'socks5' : 'connect',
      ...hop,
    })),
    async [Symbol.asyncDispose]() {
      for (const server of [...proxies, origin]) await server.close()
    },
  }
}
