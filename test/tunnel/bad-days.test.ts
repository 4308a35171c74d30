// Proxies and origins on their bad days: nobody hangs, memory stays bounded, and what can go on does.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { certificates, type Peer } from '@holster/testing'
import { settle } from '../support/flood.ts'
import * as h2 from '../support/http2-frames.ts'
import { h2Origin } from '../support/http2-origin.ts'
import { h2Server } from '../support/http2-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { tunnelOrigin } from '../support/tunnel-origins.ts'
import { type Http2ProxyAnswer, http2Proxy, httpProxy } from '../support/tunnel-proxies.ts'
import { connect, type TunnelScene, through, tunnelScene } from '../support/tunnel-scene.ts'

const versions = ['http', 'http2'] as const
type Version = (typeof versions)[number]

const proxyOf = (
  version: Version,
  options: { readonly answer?: (request: unknown, index: number) => Http2ProxyAnswer | undefined } = {},
) => (version === 'http' ? httpProxy(options) : http2Proxy(options))

async function upTo(
  version: Version,
  proxy: { host: string; port: number },
  opts: gun.Opts = {},
): Promise<TunnelScene> {
  const it = tunnelScene(proxy.host, proxy.port, { protocols: [version], ...opts })
  await it.hears(`up ${version}`)
  return it
}

const transports = ['tcp', 'tls'] as const

/** An origin of HTTP/1.1, and the way to it. */
async function scripted(transport: (typeof transports)[number], script: (peer: Peer) => unknown) {
  const server = await origin(script, { transport })
  const tls = transport === 'tls' ? { tlsOpts: { ca: certificates.ca } } : {}
  const to = { host: 'localhost', port: server.port, transport, protocols: ['http'], ...tls } as const
  return { to, [Symbol.asyncDispose]: () => server.close() }
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'

for (const version of versions) {
  for (const transport of transports) {
    const where = `over ${transport} in a tunnel over ${version}`

    test(`an origin says connection: close ${where}`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using end = await scripted(transport, async peer => {
        await peer.receiveRequest()
        await peer.receiveRequest()
        await peer.send(`${OK}Connection: close\r\n\r\nhi`)
        peer.end()
      })
      await using proxy = await proxyOf(version)
      await using it = await upTo(version, proxy)
      const { connPid } = it
      const tunnel = it.name('T', connect(connPid, end.to))
      it.name('R', gun.get(connPid, '/', [], { tunnel }))
      it.name('S', gun.get(connPid, '/', [], { tunnel }))
      await it.whole('R')
      assert.deepEqual(it.of('S'), ['error refused_stream'])
      if (version === 'http') {
        await it.end()
        assert.deepEqual(it.told.slice(-2), ['down normal, killed: ', 'DOWN normal'])
      } else {
        await it.hears('T: error closed')
        it.name('P', gun.get(connPid, '/'))
        await it.whole('P')
      }
    })

    for (const how of ['ends', 'resets'] as const) {
      test(`an origin ${how} in the middle of a response ${where}`, async () => {
        await using _left = assertNothingLeft()
        await using _warnings = collectWarnings()
        await using end = await scripted(transport, async peer => {
          await peer.receiveRequest()
          await peer.send(`${OK}\r\nh`)
          await settle()
          if (how === 'ends') peer.end()
          else peer.reset()
        })
        await using proxy = await proxyOf(version)
        await using it = await upTo(version, proxy)
        const { connPid } = it
        const tunnel = it.name('T', connect(connPid, end.to))
        it.name('R', gun.get(connPid, '/', [], { tunnel }))
        it.name('S', gun.get(connPid, '/', [], { tunnel }))
        await it.until(() => it.of('T').at(-1)?.startsWith('error') ?? false, 'the error of T')
        const errors = it.told.flatMap(line => /^([A-Z]): error/.exec(line)?.[1] ?? [])
        assert.deepEqual(errors, ['R', 'S', 'T'])
        if (version === 'http') await it.end()
        else {
          it.name('P', gun.get(connPid, '/'))
          await it.whole('P')
        }
      })
    }
  }

  test(`an origin of HTTP/2 says GOAWAY in a tunnel over ${version}: what is under way finishes`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using end = await h2Server({
      transport: 'tls',
      onRequest: (request, response) => void request.pipe(response),
    })
    await using proxy = await proxyOf(version)
    await using it = await upTo(version, proxy)
    const { connPid } = it
    const tunnel = it.name(
      'T',
      connect(connPid, {
        host: 'localhost',
        port: end.port,
        transport: 'tls',
        tlsOpts: { ca: certificates.ca },
      }),
    )
    const request = it.name('R', gun.headers(connPid, 'POST', '/', [], { tunnel }))
    gun.data(connPid, request, 'nofin', 'a')
    await it.hears('R: data a nofin')
    for (const session of end.sessions) session.close()
    await it.until(() => gun.streamInfo(connPid, tunnel) !== undefined, 'T')
    await settle()
    it.nameRefused('S', gun.get(connPid, '/', [], { tunnel }))
    gun.data(connPid, request, 'fin', 'b')
    await it.whole('R')
    if (version === 'http') {
      await it.end()
      assert.deepEqual(it.told.slice(-2), ['down normal, killed: ', 'DOWN normal'])
    } else await it.hears('T: error closed')
    assert.match(it.of('S').join(), /^error (closing|refused_stream)$/)
  })

  test(`a proxy over ${version} answers with a redirect, which is a response like any other`, async () => {
    await using _left = assertNothingLeft()
    await using proxy = await proxyOf(version, {
      answer: () => ({ status: 302, headers: [['location', 'http://elsewhere.test/']], body: 'there' }),
    })
    await using it = await upTo(version, proxy)
    it.name('T', connect(it.connPid, { host: 'localhost', port: 1 }))
    await it.whole('T')
    assert.equal(it.of('T')[0], 'response 302 nofin')
    it.name('P', gun.get(it.connPid, '/'))
    await it.hears('P: response 200 nofin')
  })

  test(`a proxy over ${version} closes between two tunnels: the second is asked for over the next connection`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using end = await tunnelOrigin('http')
    await using proxy = await proxyOf(version, {
      answer: (_request, index) =>
        index === 0
          ? {
              status: 503,
              body: 'later',
              isLast: true,
              ...(version === 'http' && { headers: [['connection', 'close']] }),
            }
          : undefined,
    })
    await using it = await upTo(version, proxy, { retry: 1, retryTimeout: 1 })
    const { connPid } = it
    const to = { host: 'localhost', port: end.port }
    const first = it.name('T', connect(connPid, to))
    it.name('R', gun.get(connPid, '/', [], { tunnel: first }))
    await it.hears('T: response 503 nofin')
    const second = it.name('U', connect(connPid, to))
    it.name('S', gun.get(connPid, '/', [], { tunnel: second }))
    await it.whole('S')
    assert.deepEqual(it.of('R'), ['error refused_stream'])
    assert.deepEqual(it.of('U'), ['response 200 fin', 'up http'])
    assert.equal(proxy.connections, 2)
  })

  for (const flow of [1, 100]) {
    test(`a proxy over ${version} refuses with a body of 2 GiB, of which a flow of ${flow} lets little come`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      const size = 2 ** 31
      const part = Buffer.alloc(64 * 1024)
      let sent = 0
      function* body(): Iterable<Uint8Array> {
        for (; sent < size; sent += part.length) yield part
      }
      await using proxy = await proxyOf(version, {
        answer: (_request, index) =>
          index === 0
            ? { status: 403, headers: [['content-length', String(size)]], body: body() }
            : undefined,
      })
      await using it = await upTo(version, proxy, {
        retry: 1,
        retryTimeout: 1,
        httpOpts: { cancelTimeout: 50 },
      })
      const { connPid } = it
      const to = { host: 'localhost', port: 1 }
      let got = 0
      const replyTo = (message: gun.GunMessage): void => {
        if (message.type === 'gun_data') got += message.data.length
      }
      const tunnel = gun.connect(connPid, to, [], { flow, replyTo })
      it.name('R', gun.get(connPid, '/', [], { tunnel }))
      await it.hears('R: error refused_stream')
      await it.until(() => got > 0, 'a part of the body')
      for (let before = -1; before < sent; ) {
        before = sent
        await settle()
      }
      assert.ok(sent < 64 * 2 ** 20, `${sent} bytes have left the proxy`)
      gun.cancel(connPid, tunnel)
      it.name('P', gun.get(connPid, '/'))
      await it.hears('P: response 200 nofin')
    })
  }
}

const garbage: Record<string, Buffer> = {
  'random bytes': Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7919) & 0xff)),
  'a response that is cut off': Buffer.from('HTTP/1.1 200 OK\r\nX: '),
  'a protocol of its own': Buffer.from('SSH-2.0-OpenSSH\r\n'),
  'two answers': Buffer.from('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'),
}
for (const [what, bytes] of Object.entries(garbage)) {
  test(`a proxy answers a CONNECT with ${what}`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using proxy = await httpProxy({ answer: () => bytes })
    await using it = await upTo('http', proxy)
    const tunnel = it.name('T', connect(it.connPid, { host: 'localhost', port: 1 }))
    it.name('R', gun.get(it.connPid, '/', [], { tunnel }))
    await proxy.request()
    await settle()
    if (proxy.openTunnels > 0) proxy.closeTunnel()
    await it.end()
    assert.deepEqual(it.of('R'), ['error refused_stream'])
    assert.equal(it.of('T').length, 1)
  })
}

test('a proxy of HTTP/2 agrees to a tunnel and ends it with the same frame', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using proxy = await h2Origin(async peer => {
    const { streamId } = await peer.request()
    await peer.send(h2.headers(streamId, [[':status', '200']], { endStream: true }))
    await peer.frame(h2.types.RST_STREAM)
  })
  await using it = await upTo('http2', proxy)
  const tunnel = it.name('T', connect(it.connPid, { host: 'localhost', port: 1 }))
  it.name('R', gun.get(it.connPid, '/', [], { tunnel }))
  await it.until(() => it.of('T').some(line => line.startsWith('error')), 'the error of T')
  assert.deepEqual(it.told.slice(1), ['T: response 200 fin', 'R: error refused_stream', 'T: error closed'])
})

test('a proxy of HTTP/2 says GOAWAY: tunnels that are open go on, and the next is asked for over the next connection', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using it = await through(['h2c', 'http'], { retry: 1, retryTimeout: 1 })
  const { chain, connPid, last } = it
  const request = it.name('R', gun.headers(connPid, 'POST', '/echo', [], it.through))
  gun.data(connPid, request, 'nofin', 'a')
  await it.hears('R: data a nofin')
  const proxy = chain.proxies[0] as Awaited<ReturnType<typeof http2Proxy>>
  for (const session of proxy.sessions) session.goaway(0)
  await settle()
  const next = it.name('U', connect(connPid, { host: 'localhost', port: chain.origin.port }))
  it.name('S', gun.get(connPid, '/', [], { tunnel: next }))
  gun.data(connPid, request, 'fin', 'b')
  await it.whole('R')
  it.name('Q', gun.get(connPid, '/', [], it.through))
  await it.whole('Q')
  assert.deepEqual(it.of('U'), [])
  gun.cancel(connPid, last as gun.StreamRef)
  await it.whole('S')
  assert.equal(proxy.connections, 2)
})

for (const kinds of [
  ['http', 'https'],
  ['h2c', 'http'],
  ['h2', 'h2'],
  ['http', 'h2c', 'h2'],
] as const) {
  test(`a WebSocket in a tunnel through ${kinds.join(', ')} is not asked for again on the next connection, which has no such tunnel`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using it = await through(kinds, { retry: 1, retryTimeout: 1 })
    const { chain, connPid } = it
    it.name('W', gun.wsUpgrade(connPid, '/', [], { ...it.through, reupgrade: true }))
    await it.hears('W: gun_upgrade')
    const version = chain.hops[0]?.protocol
    const proxy = chain.proxies[0] as Awaited<ReturnType<typeof http2Proxy>>
    if (version === 'http2') for (const session of proxy.sessions) session.destroy()
    else proxy.resetTunnel()
    await it.hears(`up ${version}`, 2)
    it.name('P', gun.get(connPid, '/'))
    await it.hears('P: response 200 nofin')
    assert.equal(it.of('W').at(-1)?.startsWith('error'), true)
    const killed = it.told
      .find(line => line.startsWith('down'))
      ?.split('killed: ')[1]
      ?.split(' ')
    assert.ok(killed?.includes('W'))
    assert.equal(proxy.requests.length, 1)
  })
}
