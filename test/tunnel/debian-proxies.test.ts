/** The proxies that Debian packages lead to an origin, by `connect` and by the option `proxy`, and what they refuse is told. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { certificates } from '@holster/testing'
import { freePort, PATIENCE } from '../support/client.ts'
import {
  apacheProxy,
  type Credentials,
  type DebianServer,
  danted,
  microsocks,
  needing,
  needingSsh,
  squid,
  ssh,
  tinyproxy,
} from '../support/debian-proxies.ts'
import { haproxy, nghttpx } from '../support/debian-servers.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { originOpts, originProtocols } from '../support/proxied.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { BIG, HELLO, type TunnelOrigin, tunnelOrigin } from '../support/tunnel-origins.ts'

const HOST = '127.0.0.1'

interface Kind {
  readonly name: string
  readonly skip: string | false
  readonly transport: 'tcp' | 'tls'
  readonly protocol: 'http' | 'http2' | 'socks'
  readonly start: (auth?: Credentials) => Promise<DebianServer>
  /** Whether it can ask for a name and a password. */
  readonly hasAuth: boolean
  /** The status with which the proxy refuses wrong credentials. Default: 407. */
  readonly wrongStatus?: number
  /** Whether it says yes before it has reached the origin, and hangs up where it cannot. */
  readonly isEager?: boolean
}

/** A server in front of tinyproxy, which passes a CONNECT on. */
async function inFront(
  start: typeof haproxy,
  options: Omit<Parameters<typeof haproxy>[0], 'backendPort'>,
  auth: Credentials | undefined,
): Promise<DebianServer> {
  const behind = await tinyproxy(auth && { auth })
  try {
    const front = await start({ ...options, backendPort: behind.port })
    return {
      ...front,
      async [Symbol.asyncDispose]() {
        await front[Symbol.asyncDispose]()
        await behind[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await behind[Symbol.asyncDispose]()
    throw error
  }
}

const transports = ['tcp', 'tls'] as const
const fronts = { haproxy, nghttpx }

const kinds: readonly Kind[] = [
  ...transports.flatMap((transport): Kind[] => [
    {
      name: 'squid',
      skip: needing('squid').skip,
      transport,
      protocol: 'http',
      start: auth => squid({ transport, ...(auth && { auth }) }),
      hasAuth: true,
    },
    {
      name: 'apache2',
      skip: needing('apache2').skip,
      transport,
      protocol: 'http',
      start: auth => apacheProxy({ transport, ...(auth && { auth }) }),
      hasAuth: true,
    },
    ...(['haproxy', 'nghttpx'] as const).flatMap(name =>
      (['http', 'http2'] as const).map((protocol): Kind => {
        const options = { transport, isOld: protocol === 'http', isForward: true }
        return {
          name: `${name} in front of tinyproxy`,
          skip: needing(name, 'tinyproxy').skip,
          transport,
          protocol,
          start: auth => inFront(fronts[name], options, auth),
          hasAuth: true,
          wrongStatus: 401,
        }
      }),
    ),
  ]),
  {
    name: 'tinyproxy',
    skip: needing('tinyproxy').skip,
    transport: 'tcp',
    protocol: 'http',
    start: auth => tinyproxy(auth && { auth }),
    hasAuth: true,
    // As of 1.11.
    wrongStatus: 401,
  },
  {
    name: 'danted',
    skip: needing('danted').skip,
    transport: 'tcp',
    protocol: 'socks',
    start: () => danted(),
    hasAuth: false,
  },
  {
    name: 'microsocks',
    skip: needing('microsocks').skip,
    transport: 'tcp',
    protocol: 'socks',
    start: auth => microsocks(auth && { auth }),
    hasAuth: true,
  },
  {
    name: 'ssh -D',
    skip: needingSsh().skip,
    transport: 'tcp',
    protocol: 'socks',
    start: () => ssh(),
    hasAuth: false,
    isEager: true,
  },
]

const auth: Credentials = { username: 'joe', password: 'secret' }
const wrong: Credentials = { ...auth, password: 'wrong' }
const { ca } = certificates

interface Reached extends AsyncDisposable {
  readonly connPid: gun.ConnPid
  readonly owner: Process<gun.GunMessage>
  /** The stream of the tunnel, where `connect` has made one. */
  readonly tunnel: gun.StreamRef | undefined
}

type Target = Pick<TunnelOrigin, 'port' | 'kind'>
type Reach = (kind: Kind, server: DebianServer, target: Target, user?: Credentials) => Reached

function reached(host: string, port: number, opts: gun.Opts): Omit<Reached, 'tunnel'> {
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open(host, port, { owner, retry: 0, ...opts })
  return {
    connPid,
    owner,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      owner.exit()
      streamEnds.assert()
    },
  }
}

/** The options of open for the proxy itself. */
const toProxy = ({ transport }: Kind): gun.Opts => (transport === 'tls' ? { transport, tlsOpts: { ca } } : {})

const byConnect: Reach = (kind, server, { port, kind: originKind }, user) => {
  const { transport, protocols, tlsOpts } = originOpts[originKind]
  const end = {
    host: HOST,
    port,
    ...(transport && { transport }),
    ...(protocols && { protocols }),
    ...(tlsOpts && { tlsOpts }),
  }
  if (kind.protocol === 'socks') {
    const methods = user && ([['username_password', user.username, user.password]] as const)
    const socks = { ...end, ...(methods && { auth: methods }) }
    return {
      ...reached(server.host, server.port, { ...toProxy(kind), protocols: [['socks', socks]] }),
      tunnel: undefined,
    }
  }
  const it = reached(server.host, server.port, { ...toProxy(kind), protocols: [kind.protocol] })
  return { ...it, tunnel: gun.connect(it.connPid, { ...end, ...user }) }
}

const byOption: Reach = (kind, server, { port, kind: originKind }, user) => {
  const scheme = kind.protocol === 'socks' ? 'socks5h' : kind.transport === 'tls' ? 'https' : 'http'
  const login = user === undefined ? '' : `${user.username}:${user.password}@`
  const url = `${scheme}://${login}${server.host}:${server.port}`
  const proxy = { url, ...(kind.transport === 'tls' && { tlsOpts: { ca } }) }
  return { ...reached(HOST, port, { ...originOpts[originKind], proxy }), tunnel: undefined }
}

/** Waits until the origin is up. */
async function assertUp(
  way: string,
  { connPid, owner, tunnel }: Reached,
  target: Target,
  kind: Kind,
): Promise<void> {
  const protocol = originProtocols[target.kind]
  if (way === 'the option proxy') {
    assert.equal(await gun.awaitUp(connPid, PATIENCE), protocol)
  } else {
    assert.equal(await gun.awaitUp(connPid, PATIENCE), kind.protocol)
    const up = await owner.receive([{ type: 'gun_tunnel_up', connPid, streamRef: tunnel }], PATIENCE)
    assert.equal(up.protocol, protocol)
  }
}

/** Sends and receives all that there is, 1 MB at a time. */
async function assertCarries({ connPid, owner, tunnel }: Reached): Promise<void> {
  const within = tunnel === undefined ? {} : { tunnel }
  const whole = (streamRef: gun.StreamRef) => gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.equal(String((await whole(gun.get(connPid, '/', {}, within))).body), HELLO)
  assert.ok(BIG.equals((await whole(gun.get(connPid, '/big', {}, within))).body ?? Buffer.of()))
  assert.ok(BIG.equals((await whole(gun.post(connPid, '/echo', {}, BIG, within))).body ?? Buffer.of()))
  const streamRef = gun.wsUpgrade(connPid, '/ws', {}, { compress: true, ...within })
  const { headers } = await owner.receive([{ type: 'gun_upgrade', connPid, streamRef }], PATIENCE)
  assert.match(
    String(headers.find(([name]) => name === 'sec-websocket-extensions')?.[1]),
    /permessage-deflate/,
  )
  const text = 'Hello over and over. '.repeat(1000)
  gun.wsSend(connPid, streamRef, ['text', text])
  const { frame } = await owner.receive([{ type: 'gun_ws', connPid, streamRef }], PATIENCE)
  assert.deepEqual(frame, ['text', text])
}

const ways = { connect: byConnect, 'the option proxy': byOption } as const

for (const kind of kinds) {
  for (const [way, reach] of Object.entries(ways)) {
    // HTTP/2 to a proxy is for connect alone.
    if (way === 'the option proxy' && kind.protocol === 'http2') continue
    const name = `${kind.name} in ${kind.protocol} over ${kind.transport}, by ${way}`
    describe(name, { skip: kind.skip }, () => {
      test('leads to origins of each kind', async () => {
        await using _left = assertNothingLeft()
        await using server = await kind.start()
        for (const originKind of ['http', 'https', 'h2'] as const) {
          await using origin = await tunnelOrigin(originKind)
          await using it = reach(kind, server, origin)
          await assertUp(way, it, origin, kind)
          await assertCarries(it)
        }
      })

      test('tells of an origin that refuses connections', async () => {
        await using _left = assertNothingLeft()
        await using server = await kind.start()
        const port = await freePort()
        await using it = reach(kind, server, { port, kind: 'http' })
        const { connPid, owner, tunnel } = it
        if (tunnel !== undefined) {
          const { status } = await owner.receive(
            [{ type: 'gun_response', connPid, streamRef: tunnel }],
            PATIENCE,
          )
          assert.ok(status >= 400, `${status}`)
          return
        }
        const { reason } = await owner.receive(
          [{ type: 'gun_error', connPid, streamRef: undefined }],
          PATIENCE,
        )
        if (kind.isEager) assert.match(reason.code, /^(closed|socket_error)$/)
        else if (kind.protocol === 'http') assert.equal(reason.code, 'proxy_error')
        else assert.match(reason.code, /^socks_(connection_refused|general_failure|host_unreachable)$/)
      })

      if (!kind.hasAuth) return

      test('takes the right name and password', async () => {
        await using _left = assertNothingLeft()
        await using server = await kind.start(auth)
        await using origin = await tunnelOrigin('https')
        await using it = reach(kind, server, origin, auth)
        await assertUp(way, it, origin, kind)
        await assertCarries(it)
      })

      for (const [what, user] of [
        ['no', undefined],
        ['wrong', wrong],
      ] as const) {
        test(`refuses ${what} credentials`, async () => {
          await using _left = assertNothingLeft()
          await using server = await kind.start(auth)
          await using origin = await tunnelOrigin('http')
          await using it = reach(kind, server, origin, user)
          const { connPid, owner, tunnel } = it
          const status = user === undefined ? 407 : (kind.wrongStatus ?? 407)
          if (tunnel !== undefined) {
            const message = { type: 'gun_response', connPid, streamRef: tunnel } as const
            assert.equal((await owner.receive([message], PATIENCE)).status, status)
          } else {
            const { reason } = await owner.receive(
              [{ type: 'gun_error', connPid, streamRef: undefined }],
              PATIENCE,
            )
            const own =
              user === undefined ? 'socks_no_acceptable_methods' : 'socks_username_password_auth_failure'
            assert.equal(reason.code, way === 'connect' ? own : status === 407 ? 'proxy_auth' : 'proxy_error')
          }
          assert.equal(origin.connections, 0)
        })
      }

      if (way === 'connect' || kind.protocol !== 'http') return

      test('is answered by proxyAuth', async () => {
        await using _left = assertNothingLeft()
        await using server = await kind.start(auth)
        await using origin = await tunnelOrigin('h2')
        const scheme = kind.transport === 'tls' ? 'https' : 'http'
        const proxy = {
          url: `${scheme}://${server.host}:${server.port}`,
          ...(kind.transport === 'tls' && { tlsOpts: { ca } }),
        }
        const asked: (readonly string[])[] = []
        const proxyAuth: gun.ProxyAuth = async challenges => {
          asked.push(challenges.map(challenge => challenge.scheme))
          return auth
        }
        await using it = {
          ...reached(HOST, origin.port, { ...originOpts.h2, proxy, proxyAuth }),
          tunnel: undefined,
        }
        await assertUp(way, it, origin, kind)
        await assertCarries(it)
        assert.deepEqual(asked, [['basic']])
      })
    })
  }
}
