/** With the option `proxy` a connection is up once its origin is, whatever leads there, and is made again the same way. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { createActor } from 'xstate'
import { eventually, PATIENCE } from '../support/client.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import {
  failure,
  open,
  originOpts,
  originProtocols,
  type Proxied,
  proxied,
  proxyOpts,
  type Scheme,
  schemes,
  startProxies,
} from '../support/proxied.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { BIG, HELLO, type OriginKind, originKinds, tunnelOrigin } from '../support/tunnel-origins.ts'
import {
  type ConnectResponse,
  httpProxy,
  socks5Proxy,
  type TunnelRequest,
} from '../support/tunnel-proxies.ts'

const chains: readonly (readonly Scheme[])[] = [
  ...schemes.map(scheme => [scheme]),
  ['http', 'http'],
  ['http', 'socks5'],
  ['https', 'https'],
  ['socks5', 'http'],
  ['socks5h', 'https'],
  ['socks5', 'socks5h'],
  ['https', 'socks5', 'http'],
  ['socks5h', 'https', 'socks5'],
  ['http', 'https', 'https'],
]

const isHttp = (kind: OriginKind): boolean => !kind.startsWith('raw')

/** Bytes go out and come back, of HTTP or by themselves. */
async function exchange({ connPid, owner, origin }: Proxied): Promise<void> {
  if (isHttp(origin.kind)) {
    const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)
    assert.equal(String(body), HELLO)
    const echo = await gun.awaitResponse(connPid, gun.post(connPid, '/echo', {}, BIG), PATIENCE)
    assert.ok(BIG.equals(echo.body ?? Buffer.of()))
    return
  }
  gun.data(connPid, undefined, 'nofin', BIG)
  let got = 0
  while (got < BIG.length) {
    const { data } = await owner.receive([{ type: 'gun_data', connPid }], PATIENCE)
    assert.ok(BIG.subarray(got, got + data.length).equals(data))
    got += data.length
  }
}

async function echoOverWebSocket({ connPid, owner }: Pick<Proxied, 'connPid' | 'owner'>): Promise<void> {
  const streamRef = gun.wsUpgrade(connPid, '/ws', {}, { compress: true })
  const answer = await gun.await(connPid, streamRef, PATIENCE)
  assert.equal(answer.type, 'gun_upgrade')
  gun.wsSend(connPid, streamRef, ['text', 'over and over '.repeat(100)])
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
  assert.deepEqual(frame, ['text', 'over and over '.repeat(100)])
}

/** How a SOCKS5 server was asked for a host. */
const formOf = (request: TunnelRequest | undefined): string | undefined =>
  request !== undefined && 'form' in request ? String(request.form) : undefined

/** The proxies as `info` names them. */
const intermediaries = ({ proxies }: Proxied, kinds: readonly Scheme[]) =>
  kinds.map((kind, i) => ({
    type: kind.startsWith('http') ? 'connect' : 'socks5',
    host: 'localhost',
    port: proxies.list[i]?.port,
    transport: kind === 'https' ? 'tls' : 'tcp',
    protocol: kind.startsWith('http') ? 'http' : 'socks',
  }))

for (const kinds of chains) {
  describe(kinds.join(', '), () => {
    for (const originKind of originKinds) {
      test(`leads to an origin of ${originKind}`, async () => {
        await using _left = assertNothingLeft()
        await using it = await proxied(kinds, originKind)
        const { connPid, origin } = it
        const info = gun.info(connPid)
        assert.equal(info.protocol, originProtocols[originKind])
        assert.equal(info.stateName, isHttp(originKind) ? 'connected' : 'connected_data_only')
        assert.deepEqual([info.originHost, info.originPort], ['localhost', origin.port])
        assert.equal(info.transport, originOpts[originKind].transport ?? 'tcp')
        assert.deepEqual(info.intermediaries, intermediaries(it, kinds))
        await exchange(it)
        if (isHttp(originKind)) {
          assert.equal(origin.requests[0]?.authority, `localhost:${origin.port}`)
        }
        if (info.transport === 'tls') {
          const alpn = isHttp(originKind) ? (originKind === 'h2' ? 'h2' : 'http/1.1') : false
          await eventually(() => origin.handshakes.length > 0, 'there was no handshake')
          assert.deepEqual(origin.handshakes, [{ servername: 'localhost', alpn }])
        }
        assert.equal(origin.connections, 1)
      })
    }

    for (const originKind of ['http', 'https', 'h2c', 'h2'] as const) {
      test(`carries a WebSocket of ${originKind}`, async () => {
        await using it = await proxied(kinds, originKind)
        await echoOverWebSocket(it)
      })
    }

    test('is made again when it is lost', async () => {
      await using it = await proxied(kinds, 'https', { retry: 5, retryTimeout: 10 })
      const { connPid, owner } = it
      await exchange(it)
      it.proxies.list[0]?.resetTunnel()
      await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
      await owner.receive([{ type: 'gun_up', connPid, protocol: 'http' }], PATIENCE)
      await exchange(it)
      assert.deepEqual(gun.info(connPid).intermediaries, intermediaries(it, kinds))
      for (const { requests } of it.proxies.list) assert.equal(requests.length, 2)
    })
  })
}

test('gun_up comes once the origin is up, and no earlier', async () => {
  await using _left = assertNothingLeft()
  await using origin = await tunnelOrigin('h2')
  await using proxies = await startProxies(
    ['http', 'socks5h', 'https'],
    [{ isHeld: true }, { isHeld: true }, { isHeld: true }],
  )
  await using client = open(origin, { ...originOpts.h2, proxy: proxies.proxy })
  const { connPid, owner } = client
  const streamRef = gun.get(connPid, '/')
  for (const proxy of proxies.list) {
    await proxy.request()
    const {
      stateName,
      intermediaries: passed,
      originHost,
      originPort,
      transport,
      protocol,
    } = gun.info(connPid)
    assert.deepEqual([stateName, passed, protocol], ['initial_tunnel', [], undefined])
    assert.deepEqual([originHost, originPort, transport], ['localhost', origin.port, 'tls'])
    assert.equal(owner.messageQueueLength, 0)
    proxy.release()
  }
  const { protocol } = await owner.receive([{ type: 'gun_up', connPid }], PATIENCE)
  assert.equal(protocol, 'http2')
  const { body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.equal(String(body), HELLO)
})

test('each proxy is asked for the next, by the name that the caller has given', async () => {
  await using it = await proxied(['http', 'socks5h', 'http'], 'http')
  const [first, second, third] = it.proxies.list
  const ports = [second?.port, third?.port, it.origin.port]
  assert.deepEqual(
    it.proxies.list.map(({ requests }) => [requests[0]?.host, requests[0]?.port]),
    ports.map(port => ['localhost', port]),
  )
  assert.equal(formOf(second?.requests[0]), 'name')
  assert.equal(first?.requests.length, 1)
})

test('a SOCKS5 server gets an address for a name that is looked up here, each time', async () => {
  const names: string[] = []
  const lookup = (
    name: string,
    options: { family?: number },
    done: (error: null, found: unknown) => void,
  ) => {
    names.push(`${name} ${options.family}`)
    done(null, [{ address: '127.0.0.1', family: 4 }])
  }
  await using origin = await tunnelOrigin('https')
  await using proxies = await startProxies(['socks5', 'socks5'])
  const [first, second] = proxies.list
  const proxy = [`socks5://first.test:${first?.port}`, `socks5://second.test:${second?.port}`]
  const tcpOpts = { lookup: lookup as never, family: 4, localAddress: '127.0.0.1' } as const
  await using client = open(
    { port: origin.port },
    { ...originOpts.https, proxy, tcpOpts, retry: 5, retryTimeout: 10 },
  )
  assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
  const asked = () =>
    proxies.list.map(({ requests }) => requests.map(request => [formOf(request), request.host]))
  assert.deepEqual(names, ['first.test 4', 'second.test 4', 'localhost 4'])
  assert.deepEqual(asked(), [[['ipv4', '127.0.0.1']], [['ipv4', '127.0.0.1']]])
  // The certificate is for the name, and so is SNI.
  await eventually(() => origin.handshakes.length > 0, 'there was no handshake')
  assert.equal(origin.handshakes[0]?.servername, 'localhost')
  first?.resetTunnel()
  await client.owner.receive([{ type: 'gun_down' }], PATIENCE)
  await client.owner.receive([{ type: 'gun_up' }], PATIENCE)
  assert.equal(names.length, 6)
})

test('requests, a cancel and a ping given before wait for the origin', async () => {
  await using origin = await tunnelOrigin('h2c')
  await using proxies = await startProxies(['socks5h', 'http'], [{}, { isHeld: true }])
  await using client = open(origin, { ...originOpts.h2c, proxy: proxies.proxy })
  const { connPid, owner } = client
  const first = gun.get(connPid, '/')
  const second = gun.post(connPid, '/echo', {})
  gun.data(connPid, second, 'nofin', 'a')
  await proxies.list[1]?.request()
  gun.data(connPid, second, 'fin', 'b')
  const cancelled = gun.get(connPid, '/cancelled')
  gun.cancel(connPid, cancelled)
  const ping = gun.ping(connPid)
  proxies.list[1]?.release()
  assert.equal(String((await gun.awaitResponse(connPid, first, PATIENCE)).body), HELLO)
  assert.equal(String((await gun.awaitResponse(connPid, second, PATIENCE)).body), 'ab')
  await owner.receive([{ type: 'gun_notify', event: 'ping_ack', streamRef: ping }], PATIENCE)
  assert.deepEqual(
    origin.requests.map(({ path }) => path),
    ['/', '/echo'],
  )
})

test('an upgrade is asked for again through the proxies', async () => {
  await using it = await proxied(['http', 'socks5h'], 'https', { retry: 5, retryTimeout: 10 })
  const { connPid, owner } = it
  const streamRef = gun.wsUpgrade(connPid, '/ws', {}, { reupgrade: true })
  await owner.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
  it.proxies.list[0]?.resetTunnel()
  await owner.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
  gun.wsSend(connPid, streamRef, ['text', 'again'])
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
  assert.deepEqual(frame, ['text', 'again'])
})

test('a restart of the proxy is waited for', async () => {
  await using origin = await tunnelOrigin('http')
  const first = await httpProxy()
  const { port } = first
  await using client = open(origin, { proxy: `http://localhost:${port}`, retry: 100, retryTimeout: 10 })
  const { connPid, owner } = client
  await gun.awaitUp(connPid, PATIENCE)
  await first.close()
  await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
  // Something else may have got the port, so that the proxy is another by name alone.
  const relay = net.createServer(socket => {
    const onward = net.connect(second.port, '127.0.0.1')
    socket
      .on('error', () => {})
      .pipe(onward.on('error', () => {}))
      .pipe(socket)
  })
  await using second = await httpProxy()
  await new Promise<void>((resolve, reject) => relay.once('error', reject).listen(port, '127.0.0.1', resolve))
  await owner.receive([{ type: 'gun_up', connPid }], PATIENCE)
  assert.equal(String((await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)).body), HELLO)
  gun.close(connPid)
  relay.close()
})

test('options of HTTP are for the origin, and not for the proxies', async () => {
  await using it = await proxied(['http', 'https'], 'http', {
    httpOpts: {
      flow: 1,
      version: 'HTTP/1.0',
      transformHeaderName: name => `X-${name}`,
    },
  })
  for (const { requests } of it.proxies.list) {
    const [request] = requests
    assert.ok(request !== undefined && 'bytes' in request)
    assert.match(String(request.bytes), /^CONNECT localhost:\d+ HTTP\/1\.1\r\nhost: localhost:\d+\r\n/i)
  }
})

describe('what a proxy says', () => {
  for (const kinds of [['http'], ['https'], ['socks5'], ['https', 'socks5h', 'http']] as const) {
    test(`byte by byte is understood: ${kinds.join(', ')}`, async () => {
      const inits = kinds.map(() => ({ delivery: 'bytes' as const }))
      await using it = await proxied(kinds, 'https', {}, inits)
      await exchange(it)
    })
  }

  const agreements: Readonly<Record<string, ConnectResponse>> = {
    'behind interim responses': { informs: [[100], [103, [['link', '</a>']]]] },
    'as 201': { status: 201 },
    'with a body that RFC 9110 section 9.3.6 forbids': { headers: [['content-length', '10']] },
    'with a body in chunks': { headers: [['transfer-encoding', 'chunked']] },
    'with the end of the connection': { headers: [['connection', 'close']] },
  }
  for (const [how, answer] of Object.entries(agreements)) {
    test(`${how} leads on`, async () => {
      await using it = await proxied(['http'], 'https', {}, [{ answer: () => answer }])
      await exchange(it)
    })
  }

  test('in one piece with the first bytes of the origin is no loss', async () => {
    const glued = 'Hello before anything was asked'
    await using it = await proxied(['http', 'socks5h'], 'raw', {}, [{}, { answer: () => ({ glued }) }])
    const { data, streamRef } = await it.owner.receive([{ type: 'gun_data', connPid: it.connPid }], PATIENCE)
    assert.deepEqual([String(data), streamRef], [glued, undefined])
  })

  test('as a switch of protocols is no tunnel', async () => {
    await using origin = await tunnelOrigin('http')
    const bytes = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
    await using proxies = await startProxies(['http'], [{ answer: () => bytes }])
    await using client = open(origin, { proxy: proxies.proxy })
    const { message } = await failure(client)
    assert.ok(message.startsWith(`${proxies.names[0]}: `), message)
  })
})

test('an address of IPv6 is asked for as such', async () => {
  for (const [scheme, authority] of [
    ['http', '[::1]:80'],
    ['socks5', '[::1]:80'],
    ['socks5h', '[::1]:80'],
  ] as const) {
    const leadsTo = { leadsTo: 'nowhere' } as const
    await using proxies = await startProxies([scheme], [{ answer: () => leadsTo }])
    await using client = open({ name: '::1', port: 80 }, { proxy: proxies.proxy })
    await gun.awaitUp(client.connPid, PATIENCE)
    const [request] = proxies.list[0]?.requests ?? []
    assert.equal(request?.authority, authority)
    if (scheme !== 'http') assert.equal(formOf(request), 'ipv6')
  }
})

test('cookies are those of the origin alone', async () => {
  const urls: string[] = []
  const cookieStore = {
    getCookieString: (url: string) => {
      urls.push(url)
      return 'a=b'
    },
    setCookie: () => {},
  }
  await using it = await proxied(['http', 'http'], 'http', { cookieStore: cookieStore as never })
  await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'), PATIENCE)
  assert.deepEqual(urls, [`http://localhost:${it.origin.port}/`])
  for (const { requests } of it.proxies.list) {
    assert.equal((requests[0] as { header?(name: string): unknown }).header?.('cookie'), undefined)
  }
})

test('the header fields of a proxy are sent to it alone', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxies = await startProxies(['http', 'http'])
  const [first, second] = proxies.proxy
  const proxy = [
    { ...first, headers: { 'user-agent': 'one' } },
    { ...second, headers: [['x-team', 'two']] },
  ]
  await using client = open(origin, { proxy: proxy as gun.ProxyChoice })
  await gun.awaitUp(client.connPid, PATIENCE)
  const fields = proxies.list.map(({ requests: [request] }) =>
    ['user-agent', 'x-team'].map(name => (request as { header?(name: string): unknown }).header?.(name)),
  )
  assert.deepEqual(fields, [
    ['one', undefined],
    [undefined, 'two'],
  ])
})

describe('TLS', () => {
  test('is verified for the name of each end', async () => {
    const noted: (readonly [string | false | null, string])[] = []
    const verify = (where: string) => ({
      ca: certificates.ca,
      checkServerIdentity: (name: string) => {
        noted.push([name, where])
        return undefined
      },
    })
    await using origin = await tunnelOrigin('https', { tls: certificates.otherHost })
    await using proxies = await startProxies(['https', 'https'], [{}, { tls: certificates.otherHost }])
    const [first, second] = proxies.list
    // The scripted proxies lead every name to this machine.
    await using client = open(
      { name: 'elsewhere.test', port: origin.port },
      {
        transport: 'tls',
        protocols: ['http'],
        tlsOpts: verify('origin'),
        proxy: [
          { url: `https://localhost:${first?.port}`, tlsOpts: verify('first') },
          { url: `https://elsewhere.test:${second?.port}`, tlsOpts: verify('second') },
        ],
      },
    )
    assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
    assert.deepEqual(noted, [
      ['localhost', 'first'],
      ['elsewhere.test', 'second'],
      ['elsewhere.test', 'origin'],
    ])
    await eventually(() => origin.handshakes.length > 0, 'there was no handshake')
    assert.equal(origin.handshakes[0]?.servername, 'elsewhere.test')
  })

  test('within a tunnel to an address has no name in SNI, and is verified for the address', async () => {
    await using origin = await tunnelOrigin('https')
    await using proxies = await startProxies(['socks5h'])
    await using client = open(
      { name: '127.0.0.1', port: origin.port },
      { ...originOpts.https, proxy: proxies.proxy },
    )
    assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
    await eventually(() => origin.handshakes.length > 0, 'there was no handshake')
    assert.equal(origin.handshakes[0]?.servername, false)
    assert.equal(formOf(proxies.list[0]?.requests[0]), 'ipv4')
  })
})

describe('over IPv6', () => {
  for (const scheme of schemes) {
    test(`${scheme} is reached by its address`, async t => {
      await using origin = await tunnelOrigin('http')
      await using proxies = await startProxies([scheme])
      const [proxy = assert.fail()] = proxies.list
      // The servers of the tests listen at 127.0.0.1 alone.
      const relay = net.createServer(socket => {
        const onward = net.connect(proxy.port, '127.0.0.1')
        socket
          .on('error', () => {})
          .pipe(onward.on('error', () => {}))
          .pipe(socket)
      })
      const isListening = await new Promise(resolve =>
        relay.once('error', () => resolve(false)).listen(0, '::1', () => resolve(true)),
      )
      if (!isListening) return t.skip('there is no IPv6 here')
      const { port } = relay.address() as net.AddressInfo
      const url = `${scheme}://[::1]:${port}`
      const { tlsOpts } = proxyOpts(scheme, proxy)
      await using client = open(origin, { proxy: { url, ...(tlsOpts && { tlsOpts }) }, tcpOpts: {} })
      assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
      assert.equal(gun.info(client.connPid).intermediaries[0]?.host, '::1')
      gun.close(client.connPid)
      relay.close()
    })
  }
})

describe("'environment'", () => {
  const VARIABLES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy', 'request_method'].flatMap(name => [
    name,
    name.toUpperCase(),
  ])

  /** Runs with these variables alone, among those that name proxies. */
  async function within(
    variables: Readonly<Record<string, string>>,
    run: () => Promise<void>,
  ): Promise<void> {
    const before = VARIABLES.map(name => [name, process.env[name]] as const)
    for (const name of VARIABLES) delete process.env[name]
    Object.assign(process.env, variables)
    try {
      await run()
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
      }
    }
  }

  const variables = [
    ['http_proxy', 'http'],
    ['HTTP_PROXY', 'http'],
    ['https_proxy', 'https'],
    ['HTTPS_PROXY', 'h2'],
    ['all_proxy', 'http'],
    ['ALL_PROXY', 'https'],
  ] as const
  for (const [variable, originKind] of variables) {
    test(`names the proxy by ${variable} for an origin of ${originKind}`, async () => {
      await using origin = await tunnelOrigin(originKind)
      await using proxy = await httpProxy()
      const url = `http://joe:secret@localhost:${proxy.port}`
      await within({ [variable]: url }, async () => {
        const opts = {
          ...originOpts[originKind],
          ...(originOpts[originKind].tlsOpts && {
            tlsOpts: { ca: certificates.ca, rejectUnauthorized: false },
          }),
        }
        await using client = open(
          { name: 'origin.test', port: origin.port },
          { ...opts, proxy: 'environment' },
        )
        assert.equal(await gun.awaitUp(client.connPid, PATIENCE), originProtocols[originKind])
        assert.equal(proxy.requests[0]?.host, 'origin.test')
        assert.match(String(proxy.requests[0]?.header('proxy-authorization')), /^Basic /)
      })
    })
  }

  test('is read as the connection is opened, and not again', async () => {
    await using origin = await tunnelOrigin('http')
    await using proxy = await httpProxy()
    const client = await new Promise<Awaited<ReturnType<typeof open>>>(resolve => {
      within({ http_proxy: `http://localhost:${proxy.port}` }, async () => {
        resolve(
          open(
            { name: 'origin.test', port: origin.port },
            { proxy: 'environment', retry: 5, retryTimeout: 10 },
          ),
        )
      })
    })
    await using _client = client
    await gun.awaitUp(client.connPid, PATIENCE)
    proxy.resetTunnel()
    await client.owner.receive([{ type: 'gun_down' }], PATIENCE)
    await client.owner.receive([{ type: 'gun_up' }], PATIENCE)
    assert.equal(proxy.requests.length, 2)
  })

  for (const [name, exception] of [
    ['localhost', undefined],
    ['127.0.0.1', undefined],
    ['localhost', 'origin.test'],
  ] as const) {
    test(`leaves out ${name}${exception === undefined ? '' : ', whatever NO_PROXY says'}`, async () => {
      await using origin = await tunnelOrigin('http')
      const all = { http_proxy: 'http://localhost:1', ...(exception && { NO_PROXY: exception }) }
      await within(all, async () => {
        await using client = open({ name, port: origin.port }, { proxy: 'environment' })
        assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
        assert.deepEqual(gun.info(client.connPid).intermediaries, [])
      })
    })
  }

  test('leaves out what NO_PROXY names', async () => {
    await using origin = await tunnelOrigin('http')
    const lookup = (_: string, _options: unknown, done: (error: null, found: unknown) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }])
    await within({ HTTP_PROXY: 'http://localhost:1', no_proxy: 'other.test, .origin.test' }, async () => {
      const to = { name: 'a.origin.test', port: origin.port }
      await using client = open(to, { proxy: 'environment', tcpOpts: { lookup: lookup as never } })
      assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
    })
  })

  test('that names no proxy is refused at once, without the value', async () => {
    await within({ http_proxy: 'ftp://joe:secret@localhost' }, async () => {
      assert.throws(
        () => gun.open('origin.test', 80, { proxy: 'environment' }),
        (error: gun.GunError) =>
          error.code === 'bad_option' && /http_proxy/.test(error.message) && !/secret/.test(error.message),
      )
    })
  })
})

test('connectionMachine goes through proxies', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxies = await startProxies(['http', 'socks5h'])
  const owner = createProcess<gun.GunMessage>()
  const actor = createActor(gun.connectionMachine, {
    input: { host: 'localhost', port: origin.port, opts: { owner, retry: 0, proxy: proxies.proxy } },
  })
  const states: unknown[] = []
  actor.subscribe(({ value }) => states.push(typeof value === 'string' ? value : Object.keys(value)[0]))
  actor.start()
  const { connPid } = actor.getSnapshot().context
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
  assert.ok(states.includes('initial_tunnel'))
  assert.equal(states.at(-1), 'connected')
  assert.equal(String((await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)).body), HELLO)
  actor.stop()
  owner.exit()
  streamEnds.assert()
})

describe('openUnix', () => {
  /** A socket that leads to a proxy. */
  async function unixSocket(port: number) {
    const folder = await mkdtemp(join(tmpdir(), 'holster-'))
    const path = join(folder, 'proxy')
    const relay = net.createServer(socket => {
      const onward = net.connect(port, '127.0.0.1')
      socket
        .on('error', () => {})
        .pipe(onward.on('error', () => {}))
        .pipe(socket)
    })
    await new Promise<void>(resolve => relay.listen(path, resolve))
    return {
      path,
      async [Symbol.asyncDispose]() {
        await new Promise(resolve => relay.close(resolve))
        await rm(folder, { recursive: true })
      },
    }
  }

  test('refuses the option', () => {
    for (const proxy of ['http://localhost', 'environment', ['socks5://localhost']] as const) {
      assert.throws(
        () => gun.openUnix('/tmp/socket', { proxy }),
        ({ code, message }: gun.GunError) =>
          code === 'bad_option' && message.startsWith('proxy means nothing'),
      )
    }
  })

  for (const originKind of ['http', 'h2'] as const) {
    test(`leads to a proxy, and by connect to an origin of ${originKind}`, async () => {
      await using origin = await tunnelOrigin(originKind)
      await using proxy = await httpProxy()
      await using socket = await unixSocket(proxy.port)
      const owner = createProcess<gun.GunMessage>()
      const connPid = gun.openUnix(socket.path, { owner, retry: 0 })
      await gun.awaitUp(connPid, PATIENCE)
      const tunnel = gun.connect(connPid, {
        host: 'localhost',
        port: origin.port,
        ...(originKind === 'h2' && { transport: 'tls', tlsOpts: { ca: certificates.ca } }),
      })
      await owner.receive([{ type: 'gun_tunnel_up', streamRef: tunnel }], PATIENCE)
      const streamRef = gun.get(connPid, '/', {}, { tunnel })
      assert.equal(String((await gun.awaitResponse(connPid, streamRef, PATIENCE)).body), HELLO)
      gun.close(connPid)
      owner.exit()
      streamEnds.assert()
    })

    test(`leads to a SOCKS5 server, and so to an origin of ${originKind}`, async () => {
      await using origin = await tunnelOrigin(originKind)
      await using proxy = await socks5Proxy()
      await using socket = await unixSocket(proxy.port)
      const owner = createProcess<gun.GunMessage>()
      const end = {
        host: 'localhost',
        port: origin.port,
        ...(originKind === 'h2' && ({ transport: 'tls', tlsOpts: { ca: certificates.ca } } as const)),
      }
      const connPid = gun.openUnix(socket.path, { owner, retry: 0, protocols: [['socks', end]] })
      const { protocol } = await owner.receive([{ type: 'gun_up', connPid }], PATIENCE)
      assert.equal(protocol, 'socks')
      const up = await owner.receive([{ type: 'gun_tunnel_up', connPid, streamRef: undefined }], PATIENCE)
      assert.equal(up.protocol, originProtocols[originKind])
      const streamRef = gun.get(connPid, '/')
      assert.equal(String((await gun.awaitResponse(connPid, streamRef, PATIENCE)).body), HELLO)
      gun.close(connPid)
      owner.exit()
      streamEnds.assert()
    })
  }
})

test('a tunnel that a caller asks for leads on through the proxies', async () => {
  await using behind = await tunnelOrigin('http')
  await using last = await httpProxy()
  await using proxies = await startProxies(['http', 'socks5h'])
  await using client = open(last, { proxy: proxies.proxy })
  const { connPid, owner } = client
  const tunnel = gun.connect(connPid, { host: 'localhost', port: behind.port })
  await owner.receive([{ type: 'gun_tunnel_up', streamRef: tunnel }], PATIENCE)
  const streamRef = gun.get(connPid, '/', {}, { tunnel })
  assert.equal(String((await gun.awaitResponse(connPid, streamRef, PATIENCE)).body), HELLO)
  assert.equal(gun.info(connPid).intermediaries.length, 3)
})

test('shutdown through proxies lets a response end', async () => {
  await using it = await proxied(['http', 'https'], 'h2')
  const streamRef = gun.get(it.connPid, '/big')
  await gun.await(it.connPid, streamRef, PATIENCE)
  gun.shutdown(it.connPid)
  const { body } = await gun.awaitBody(it.connPid, streamRef, PATIENCE)
  assert.ok(BIG.equals(body))
  await eventually(() => it.proxies.list.every(({ openTunnels }) => openTunnels === 0), 'a tunnel is open')
})
