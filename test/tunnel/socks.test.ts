// SOCKS5 over real sockets: what the proxy is asked, and what comes of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { connect, PATIENCE } from '../support/client.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { HELLO, type OriginKind, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy, socksReply } from '../support/tunnel-proxies.ts'

const transports = ['tcp', 'tls'] as const
const tlsOpts = { ca: certificates.ca }
const USER = { username: 'user', password: 'päss:word' }

const spoken: Readonly<Record<'http' | 'https' | 'h2c' | 'h2', readonly ['tcp' | 'tls', 'http' | 'http2']>> =
  {
    http: ['tcp', 'http'],
    https: ['tls', 'http'],
    h2c: ['tcp', 'http2'],
    h2: ['tls', 'http2'],
  }
const originKinds = ['http', 'https', 'h2c', 'h2'] as const

/** A connection whose owner is a process of its own. It is closed at once when it is disposed of. */
function open(port: number, opts: gun.Opts) {
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', port, {
    owner,
    retry: 0,
    ...(opts.transport === 'tls' && { tlsOpts }),
    ...opts,
  })
  owner.monitor(connPid)
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

for (const proxyTransport of transports) {
  for (const kind of originKinds) {
    for (const auth of ['none', USER] as const) {
      const how = auth === 'none' ? 'without a password' : 'with a name and a password'
      test(`SOCKS5 over ${proxyTransport} leads to ${kind}, ${how}`, async () => {
        const [transport, protocol] = spoken[kind]
        await using origin = await tunnelOrigin(kind as OriginKind)
        await using proxy = await socks5Proxy({ transport: proxyTransport, auth })
        const { port } = origin
        const end = { host: 'localhost', port, transport, tlsOpts, protocols: [protocol] } as const
        const given =
          auth === 'none' ? 'none' : (['username_password', auth.username, auth.password] as const)
        await using client = open(proxy.port, {
          transport: proxyTransport,
          protocols: [['socks', { ...end, auth: [given] }]],
        })
        const { connPid } = client
        assert.equal(await gun.awaitUp(connPid, PATIENCE), 'socks')
        const up = await gun.await(connPid, undefined, PATIENCE)
        assert.deepEqual(up, { type: 'gun_tunnel_up', connPid, protocol })
        const { form, host, methods, username, password } = await proxy.request()
        assert.deepEqual([form, host, methods], ['name', 'localhost', [auth === 'none' ? 0 : 2]])
        if (auth !== 'none') assert.deepEqual({ username, password }, auth)
        const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/proxied'), PATIENCE)
        assert.equal(String(body), HELLO)
        assert.equal(origin.requests[0]?.authority, `localhost:${port}`)
        const told = gun.info(connPid)
        assert.deepEqual(
          [told.transport, told.protocol, told.originScheme, told.originHost, told.originPort],
          [transport, protocol, transport === 'tls' ? 'https' : 'http', 'localhost', port],
        )
        assert.deepEqual(told.intermediaries, [
          {
            type: 'socks5',
            host: 'localhost',
            port: proxy.port,
            transport: proxyTransport,
            protocol: 'socks',
          },
        ])
      })
    }
  }
}

for (const proxyTransport of transports) {
  for (const transport of transports) {
    test(`two SOCKS5 proxies over ${proxyTransport} lead to ${transport}`, async () => {
      await using origin = await tunnelOrigin(transport === 'tls' ? 'https' : 'http')
      await using first = await socks5Proxy({ transport: proxyTransport })
      await using second = await socks5Proxy({ transport: proxyTransport })
      const protocols = ['http'] as const
      const end = { host: 'localhost', port: origin.port, transport, tlsOpts, protocols } as const
      const step = { host: 'localhost', port: second.port, transport: proxyTransport, tlsOpts } as const
      await using client = open(first.port, {
        transport: proxyTransport,
        protocols: [['socks', { ...step, protocols: [['socks', end]] }]],
      })
      const { connPid } = client
      assert.equal(await gun.awaitUp(connPid, PATIENCE), 'socks')
      for (const protocol of ['socks', 'http'] as const) {
        assert.deepEqual(await gun.await(connPid, undefined, PATIENCE), {
          type: 'gun_tunnel_up',
          connPid,
          protocol,
        })
      }
      assert.equal((await first.request()).port, second.port)
      assert.equal((await second.request()).port, origin.port)
      await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)
    })

    for (const version of ['http', 'http2'] as const) {
      test(`SOCKS5 behind a CONNECT of ${version} over ${proxyTransport} leads to ${transport}`, async () => {
        await using origin = await tunnelOrigin(transport === 'tls' ? 'https' : 'http')
        const given = { transport: proxyTransport }
        await using first = version === 'http' ? await httpProxy(given) : await http2Proxy(given)
        await using second = await socks5Proxy(given)
        await using client = await connect(first, { version, ...given })
        const { connPid } = client
        const protocols = ['http'] as const
        const end = { host: 'localhost', port: origin.port, transport, tlsOpts, protocols } as const
        const step = { host: 'localhost', port: second.port, transport: proxyTransport, tlsOpts } as const
        const tunnel = gun.connect(connPid, { ...step, protocols: [['socks', end]] })
        assert.equal((await gun.await(connPid, tunnel, PATIENCE)).type, 'gun_response')
        for (const protocol of ['socks', 'http'] as const) {
          const up = await gun.await(connPid, tunnel, PATIENCE)
          assert.deepEqual(up, { type: 'gun_tunnel_up', connPid, streamRef: tunnel, protocol })
        }
        assert.equal((await first.request()).authority, `localhost:${second.port}`)
        await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel }), PATIENCE)
      })
    }
  }
}

const destinations: readonly (readonly [given: string, form: string, host: string])[] = [
  ['localhost', 'name', 'localhost'],
  ['LocalHost.', 'name', 'localhost'],
  ['bücher.example', 'name', 'xn--bcher-kva.example'],
  ['127.0.0.1', 'ipv4', '127.0.0.1'],
  ['::1', 'ipv6', '::1'],
  ['::ffff:127.0.0.1', 'ipv6', '::ffff:7f00:1'],
  ['2001:db8::8:800:200c:417a', 'ipv6', '2001:db8::8:800:200c:417a'],
]

for (const [host, form, asked] of destinations) {
  test(`a proxy is asked for ${host} as the ${form} ${asked}`, async () => {
    await using proxy = await socks5Proxy({ answer: () => ({ leadsTo: 'nowhere' }) })
    await using client = open(proxy.port, { protocols: [['socks', { host, port: 65_535 }]] })
    const request = await proxy.request()
    assert.deepEqual([request.form, request.host.toLowerCase(), request.port], [form, asked, 65_535])
    assert.equal((await gun.await(client.connPid, undefined, PATIENCE)).type, 'gun_tunnel_up')
  })
}

test('all that the caller offers is offered, and the proxy chooses', async () => {
  await using proxy = await socks5Proxy({ auth: USER, answer: () => ({ leadsTo: 'nowhere' }) })
  const auth = ['none', ['username_password', USER.username, USER.password]] as const
  await using client = open(proxy.port, { protocols: [['socks', { host: 'a.test', port: 80, auth }]] })
  assert.deepEqual((await proxy.request()).methods, [0, 2])
  assert.equal((await gun.await(client.connPid, undefined, PATIENCE)).type, 'gun_tunnel_up')
})

for (const host of ['0.0.0.0', '2001:db8::1', 'bound.example', 'x'.repeat(255)]) {
  for (const delivery of ['whole', 'bytes'] as const) {
    test(`an agreement that names ${host.slice(0, 20)} as bound is taken, sent ${delivery}, with what follows`, async () => {
      await using proxy = await socks5Proxy({
        delivery,
        answer: () => ({ host, port: 1080, glued: 'glued', leadsTo: 'nowhere' }),
      })
      const end = { host: 'a.test', port: 80, protocols: ['raw'] } as const
      await using client = open(proxy.port, { protocols: [['socks', end]] })
      const { connPid } = client
      assert.equal((await gun.await(connPid, undefined, PATIENCE)).type, 'gun_tunnel_up')
      let text = ''
      while (text.length < 5) {
        const message = await gun.await(connPid, undefined, PATIENCE)
        if (message.type === 'gun_data') text += message.data
      }
      assert.equal(text, 'glued')
    })
  }
}

for (const sent of [socksReply().subarray(0, 0), socksReply().subarray(0, 5)]) {
  test(`a proxy that ends behind ${sent.length} bytes of its reply is told of`, async () => {
    await using proxy = await socks5Proxy({ answer: () => sent })
    await using client = open(proxy.port, { protocols: [['socks', { host: 'a.test', port: 80 }]] })
    await proxy.request()
    await gun.awaitUp(client.connPid, PATIENCE)
    while (proxy.openTunnels === 0) await new Promise(resolve => setImmediate(resolve))
    proxy.closeTunnel()
    const { reason } = await client.owner.receive([{ type: 'gun_down' }], PATIENCE)
    assert.ok(reason instanceof gun.GunError)
    assert.equal(reason.code, 'closed')
  })
}
