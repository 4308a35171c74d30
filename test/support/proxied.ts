// Connections that `open` leads through proxies by itself.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type Place } from '@holster/testing'
import { type Client, PATIENCE } from './client.ts'
import type { SocksProxyOptions } from './socks-proxy.ts'
import { streamEnds } from './stream-ends.ts'
import { type OriginKind, type TunnelOrigin, tunnelOrigin } from './tunnel-origins.ts'
import {
  type ConnectRequest,
  type HttpProxyOptions,
  httpProxy,
  type SocksRequest,
  socks5Proxy,
  type TunnelProxy,
} from './tunnel-proxies.ts'

export const schemes = ['http', 'https', 'socks5', 'socks5h'] as const
export type Scheme = (typeof schemes)[number]

/** The options of a proxy of either kind, which must fit its scheme. */
export type ProxyInit = HttpProxyOptions | SocksProxyOptions

type AnyProxy = TunnelProxy<ConnectRequest> | TunnelProxy<SocksRequest>

/** The options of a proxy, where it listens; `user` is the part of the URL before the host: `name:password@`. */
export function proxyOpts(scheme: Scheme, { port }: Pick<Place, 'port'>, user = ''): gun.ProxyOpts {
  return {
    url: `${scheme}://${user}localhost:${port}`,
    ...(scheme === 'https' && { tlsOpts: { ca: certificates.ca } }),
  }
}

/** The options of `open` for an origin. */
export const originOpts: Readonly<Record<OriginKind, gun.Opts>> = {
  http: {},
  https: { transport: 'tls', protocols: ['http'], tlsOpts: { ca: certificates.ca } },
  h2c: { protocols: ['http2'] },
  h2: { transport: 'tls', tlsOpts: { ca: certificates.ca } },
  raw: { protocols: ['raw'] },
  rawtls: { transport: 'tls', protocols: ['raw'], tlsOpts: { ca: certificates.ca } },
}

export const originProtocols: Readonly<Record<OriginKind, gun.ProtocolName>> = {
  http: 'http',
  https: 'http',
  h2c: 'http2',
  h2: 'http2',
  raw: 'raw',
  rawtls: 'raw',
}

export interface Proxies extends AsyncDisposable {
  readonly list: readonly AnyProxy[]
  /** The option `proxy`. */
  readonly proxy: readonly gun.ProxyOpts[]
  /** How errors name each of them. */
  readonly names: readonly string[]
}

/** Starts a chain of proxies, each of which gets the options that belong to its place. */
export async function startProxies(
  kinds: readonly Scheme[],
  options: readonly ProxyInit[] = [],
): Promise<Proxies> {
  const list: AnyProxy[] = []
  for (const [i, kind] of kinds.entries()) {
    const transport = kind === 'https' ? 'tls' : 'tcp'
    const all = { transport, ...options[i] } as const
    const isHttp = kind.startsWith('http')
    list.push(await (isHttp ? httpProxy(all as HttpProxyOptions) : socks5Proxy(all as SocksProxyOptions)))
  }
  const proxy = list.map((each, i) => proxyOpts(kinds[i] ?? 'http', each))
  return {
    list,
    proxy,
    names: proxy.map(
      ({ url }, i) => `the proxy ${url}${list.length === 1 ? '' : ` (${i + 1} of ${list.length})`}`,
    ),
    async [Symbol.asyncDispose]() {
      for (const each of list) await each.close()
    },
  }
}

/** Opens a connection to an origin, which may not come up. It has no retries unless `opts` say so. */
export function open(
  { port, name = 'localhost' }: { readonly port: number; readonly name?: string },
  opts: gun.Opts,
): Client {
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open(name, port, {
    owner,
    retry: 0,
    // The first address of localhost is not the same everywhere.
    tcpOpts: { family: 4 },
    ...opts,
  })
  return {
    owner,
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      owner.exit()
      streamEnds.assert()
    },
  }
}

export interface Proxied extends Client {
  readonly origin: TunnelOrigin
  readonly proxies: Proxies
}

/** A connection that is up, through proxies, to an origin. */
export async function proxied(
  kinds: readonly Scheme[],
  originKind: OriginKind,
  opts: gun.Opts = {},
  options: readonly ProxyInit[] = [],
): Promise<Proxied> {
  const origin = await tunnelOrigin(originKind)
  const proxies = await startProxies(kinds, options)
  const client = open(origin, { ...originOpts[originKind], proxy: proxies.proxy, ...opts })
  assert.equal(await gun.awaitUp(client.connPid, PATIENCE), originProtocols[originKind])
  return {
    ...client,
    origin,
    proxies,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await proxies[Symbol.asyncDispose]()
      await origin.close()
    },
  }
}

/** The error with which a connection ends that never came up. */
export async function failure({ owner, connPid }: Client): Promise<gun.GunError> {
  const { reason } = await owner.receive([{ type: 'gun_error', connPid, streamRef: undefined }], PATIENCE)
  assert.ok(reason instanceof gun.GunError)
  return reason
}
