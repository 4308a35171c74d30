// Errors within a tunnel are told of the tunnel: a connection of HTTP/2 goes on, and one that became the tunnel is made again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type tls from 'node:tls'
import * as gun from '@holster/gun'
import { certificates } from '@holster/testing'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import type { SocksProxyOptions } from '../support/socks-proxy.ts'
import { HELLO, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy } from '../support/tunnel-proxies.ts'
import { connect, type TunnelScene, tunnelScene } from '../support/tunnel-scene.ts'

const versions = ['http', 'http2'] as const
type Version = (typeof versions)[number]

/** Asks a proxy for a tunnel that comes to nothing. Gives its error, with all else that must hold checked. */
async function failing(version: Version, to: gun.ConnectDestination): Promise<string> {
  await using proxy = await (version === 'http' ? httpProxy() : http2Proxy())
  await using it = tunnelScene(proxy.host, proxy.port, { protocols: [version], retry: 1, retryTimeout: 1 })
  await it.hears(`up ${version}`)
  const { connPid } = it
  const tunnel = it.name('T', connect(connPid, to))
  it.name('R', gun.get(connPid, '/', [], { tunnel }))
  await it.until(() => it.of('T').some(line => line.startsWith('error')), 'the error of T')
  const [code = ''] = it.of('T').slice(-1)
  assert.deepEqual(it.of('R'), ['error refused_stream'])
  assert.ok(it.told.indexOf('R: error refused_stream') < it.told.indexOf(`T: ${code}`))
  if (version === 'http') await it.hears('up http', 2)
  await lives(it, tunnel)
  assert.equal(proxy.connections, version === 'http' ? 2 : 1)
  const before = it.told.length
  gun.shutdown(connPid)
  await it.end()
  assert.deepEqual(it.told.slice(before), ['DOWN shutdown'])
  return code
}

/** The connection to the proxy takes requests, and has nothing of the tunnel. */
async function lives(it: TunnelScene, tunnel: gun.StreamRef): Promise<void> {
  it.nameRefused('late', gun.get(it.connPid, '/', [], { tunnel }))
  it.name('P', gun.get(it.connPid, '/'))
  await it.until(() => it.of('P').at(-1)?.endsWith(' fin') ?? false, 'the response of the proxy')
  assert.deepEqual(it.of('late'), ['error badstate'])
}

const ca = { ca: certificates.ca }

interface Handshake {
  readonly server: tls.TlsOptions
  readonly to?: Partial<gun.ConnectDestination>
}

const handshakes: Record<string, Handshake> = {
  'a certificate for another host': { server: certificates.otherHost },
  'a certificate that signs itself': { server: certificates.selfSigned },
  'a certificate that is over': { server: certificates.expired },
  'no protocol in common': { server: { ALPNProtocols: ['x'] } },
  'no HTTP/2 where nothing else will do': {
    server: { ALPNProtocols: ['http/1.1'] },
    to: { protocols: ['http2'] },
  },
  'no version of TLS in common': {
    server: { maxVersion: 'TLSv1.2' },
    to: { tlsOpts: { ...ca, minVersion: 'TLSv1.3' } },
  },
  'options of TLS that are wrong': { server: {}, to: { tlsOpts: { ca: 'no certificate', key: 'no key' } } },
  'a servername that is another': { server: {}, to: { tlsOpts: { ...ca, servername: 'elsewhere.test' } } },
}

for (const version of versions) {
  for (const [what, { server, to }] of Object.entries(handshakes)) {
    test(`TLS in a tunnel over ${version} fails: ${what}`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using end = await origin(peer => peer.closed, { transport: 'tls', tls: server })
      const destination = { host: 'localhost', port: end.port, transport: 'tls', tlsOpts: ca, ...to } as const
      assert.equal(await failing(version, destination), 'error tls_error')
    })
  }

  const strangers = {
    'speaks HTTP': 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
    'says nothing that means anything': Buffer.alloc(40_000, 0xaa),
    'begins a record and no more': Buffer.from('160303', 'hex'),
    'sends an alert': Buffer.from('15030300020228', 'hex'),
  }
  for (const [what, bytes] of Object.entries(strangers)) {
    for (const how of ['whole', 'bytes'] as const) {
      if (how === 'bytes' && bytes.length > 1000) continue
      test(`the end of a tunnel over ${version} ${what} where TLS was meant (${how})`, async () => {
        await using _left = assertNothingLeft()
        await using _warnings = collectWarnings()
        await using end = await origin(async peer => {
          await peer.receive(1)
          await peer.send(bytes, how)
          peer.end()
        })
        const destination = { host: 'localhost', port: end.port, transport: 'tls', tlsOpts: ca } as const
        assert.equal(await failing(version, destination), 'error tls_error')
      })
    }
  }

  for (const how of ['ends', 'resets'] as const) {
    test(`the end of a tunnel over ${version} ${how} within the handshake`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using end = await origin(async peer => {
        await peer.receive(100)
        if (how === 'ends') peer.end()
        else peer.reset()
      })
      const destination = { host: 'localhost', port: end.port, transport: 'tls', tlsOpts: ca } as const
      assert.equal(await failing(version, destination), 'error tls_error')
    })
  }

  test(`TLS in a tunnel over ${version} takes too long`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using end = await origin(peer => peer.closed)
    const destination = {
      host: 'localhost',
      port: end.port,
      transport: 'tls',
      tlsHandshakeTimeout: 20,
    } as const
    assert.equal(await failing(version, destination), 'error tls_handshake_timeout')
  })

  test(`a tunnel over ${version} speaks HTTP/2 with an end that speaks HTTP/1.1`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using end = await origin(async peer => {
      await peer.receive(24)
      await peer.send('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')
      await peer.closed
    })
    await using proxy = await (version === 'http' ? httpProxy() : http2Proxy())
    await using it = tunnelScene(proxy.host, proxy.port, { protocols: [version] })
    const tunnel = it.name(
      'T',
      connect(it.connPid, { host: 'localhost', port: end.port, protocols: ['http2'] }),
    )
    it.name('R', gun.get(it.connPid, '/', [], { tunnel }))
    await it.until(() => it.of('T').some(line => line.startsWith('error')), 'the error of T')
    assert.deepEqual(it.of('T'), ['response 200 fin', 'up http2', 'error protocol_error'])
    assert.deepEqual(it.of('R'), ['error protocol_error'])
    if (version === 'http2') await lives(it, tunnel)
  })
}

const replies: Record<number, string> = {
  1: 'socks_general_failure',
  2: 'socks_connection_not_allowed_by_ruleset',
  3: 'socks_network_unreachable',
  4: 'socks_host_unreachable',
  5: 'socks_connection_refused',
  6: 'socks_ttl_expired',
  7: 'socks_command_not_supported',
  8: 'socks_address_type_not_supported',
}

const answers: Record<string, { readonly options: SocksProxyOptions; readonly code: string }> = {
  ...Object.fromEntries(
    Object.entries(replies).map(([code, name]) => [
      `reply ${code}`,
      { options: { answer: () => ({ code: Number(code) }) }, code: name },
    ]),
  ),
  'a reply that nobody knows': { options: { answer: () => ({ code: 99 }) }, code: 'socks_general_failure' },
  'a reply of another version': { options: { answer: () => Buffer.of(4, 0, 0, 1) }, code: 'protocol_error' },
  'an address of a type that nobody knows': {
    options: { answer: () => Buffer.of(5, 0, 0, 9) },
    code: 'protocol_error',
  },
  'another version': { options: { method: Buffer.of(4, 0) }, code: 'protocol_error' },
  HTTP: { options: { method: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }, code: 'protocol_error' },
  'no method': { options: { method: Buffer.of(5, 0xff) }, code: 'socks_no_acceptable_methods' },
  'a method that was not offered': { options: { method: Buffer.of(5, 2) }, code: 'protocol_error' },
  'an end in place of a method': { options: { answer: () => 'reset', method: 'reset' }, code: 'closed' },
  'an end in place of a reply': { options: { answer: () => 'reset' }, code: 'closed' },
}

for (const [what, { options, code }] of Object.entries(answers)) {
  for (const delivery of ['whole', 'bytes'] as const) {
    for (const version of versions) {
      test(`a SOCKS server in a tunnel over ${version} answers with ${what} (${delivery})`, async () => {
        await using _left = assertNothingLeft()
        await using _warnings = collectWarnings()
        await using socks = await socks5Proxy({ ...options, delivery })
        const destination = {
          host: 'localhost',
          port: socks.port,
          protocols: [['socks', { host: 'localhost', port: 1 }]],
        } as const
        const error = await failing(version, destination)
        if (code === 'closed') assert.match(error, /^error (closed|socket_error|stream_reset)$/)
        else assert.equal(error, `error ${code}`)
      })
    }

    test(`a SOCKS server answers with ${what} (${delivery})`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using socks = await socks5Proxy({ ...options, delivery })
      await using it = tunnelScene(socks.host, socks.port, {
        protocols: [['socks', { host: 'localhost', port: 1 }]],
      })
      const { connPid } = it
      it.name('R', gun.get(connPid, '/'))
      await it.end()
      const down = it.told.find(line => line.startsWith('down')) ?? ''
      if (code === 'closed') assert.match(down, /^down (closed|socket_error), killed: $/)
      else assert.equal(down, `down ${code}, killed: `)
      assert.equal(it.of('R').length, 1)
    })
  }
}

test('a SOCKS server sends a byte at a time, and a reply with a name as long as can be', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using end = await tunnelOrigin('http')
  await using socks = await socks5Proxy({
    delivery: 'bytes',
    answer: () => ({ host: 'n'.repeat(255), leadsTo: end }),
  })
  await using it = tunnelScene(socks.host, socks.port, {
    protocols: [['socks', { host: 'localhost', port: 1 }]],
  })
  // Asked for before the connection is up, it waits for the tunnel.
  it.name('R', gun.get(it.connPid, '/'))
  await it.hears(`R: data ${HELLO} fin`)
  assert.deepEqual(it.told.slice(0, 2), ['up socks', 'connection: up http'])
})

test('what is asked for while a SOCKS server makes the tunnel waits for that', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using end = await tunnelOrigin('http')
  await using socks = await socks5Proxy({ isHeld: true })
  await using it = tunnelScene(socks.host, socks.port, {
    protocols: [['socks', { host: 'localhost', port: end.port }]],
  })
  await it.hears('up socks')
  it.name('R', gun.get(it.connPid, '/'))
  const cancelled = it.name('C', gun.get(it.connPid, '/'))
  await socks.request()
  gun.cancel(it.connPid, cancelled)
  socks.release()
  await it.hears(`R: data ${HELLO} fin`)
  assert.equal(end.requests.length, 1)
})
