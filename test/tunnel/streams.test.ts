// Tunnels as streams of HTTP/2: each has its turn, its settings and its deadlines, and the connection around it lives on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { connect, eventually, PATIENCE, receiveError } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { origin } from '../support/origin.ts'
import { BIG, HELLO, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, type TunnelProxy } from '../support/tunnel-proxies.ts'
import { through } from '../support/tunnel-ways.ts'

const h2c = { version: 'http2', transport: 'tcp' } as const

async function greet(connPid: gun.ConnPid, tunnel: gun.StreamRef): Promise<void> {
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel }), PATIENCE)
  assert.equal(String(body), HELLO)
}

const gone = (proxy: TunnelProxy): Promise<void> =>
  eventually(() => proxy.openTunnels === 0, 'a tunnel is open')

test('a tunnel waits for a stream that the proxy allows, and is taken back', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await http2Proxy({ settings: { maxConcurrentStreams: 1 } })
  await using client = await connect(proxy, h2c, { http2Opts: { notifySettingsChanged: true } })
  const { connPid, owner } = client
  await owner.receive([{ type: 'gun_notify', event: 'settings_changed' }], PATIENCE)
  const end = { host: 'localhost', port: origin.port }
  const first = gun.connect(connPid, end)
  const second = gun.connect(connPid, end)
  const behind = gun.get(connPid, '/', {}, { tunnel: second })
  await greet(connPid, first)
  assert.equal(gun.streamInfo(connPid, second)?.request?.state, 'waiting')
  gun.cancel(connPid, second)
  assert.equal((await receiveError(client, behind)).kind, 'stream_error')
  await greet(connPid, first)
  assert.equal(proxy.requests.length, 1)
})

test('an end that never begins HTTP/2 is given up, and nothing else', async t => {
  await using proxy = await http2Proxy({ answer: () => ({ leadsTo: 'nowhere' }) })
  await using client = await connect(proxy, h2c)
  const { connPid, owner } = client
  const pass = mockTimeouts(t)
  const protocols = [['http2', { prefaceTimeout: 500 }]] as const
  const tunnel = gun.connect(connPid, { host: 'a.test', port: 1, protocols })
  const streamRef = gun.get(connPid, '/', {}, { tunnel })
  await owner.receive([{ type: 'gun_tunnel_up', streamRef: tunnel, protocol: 'http2' }])
  await pass(500)
  const errors = [await receiveError(client, streamRef), await receiveError(client, tunnel)]
  assert.deepEqual(
    errors.map(({ code, kind }) => [code, kind]),
    [
      ['preface_timeout', 'stream_error'],
      ['preface_timeout', 'stream_error'],
    ],
  )
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  assert.equal(status, 200)
})

test('options of the protocol in a tunnel are those of its connect', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await http2Proxy()
  await using client = await connect(proxy, h2c)
  const { connPid, owner } = client
  const tunnelWith = (opts: gun.HttpOpts) =>
    gun.connect(connPid, { host: 'localhost', port: origin.port, protocols: [['http', opts]] })
  const own = gun.get(connPid, '/big', {}, { tunnel: tunnelWith({ flow: 2 }) })
  const plain = gun.get(connPid, '/big', {}, { tunnel: tunnelWith({}) })
  assert.ok((await gun.awaitResponse(connPid, plain, PATIENCE)).body.equals(BIG))
  for (let i = 0; i < 2; i++) await owner.receive([{ type: 'gun_data', streamRef: own }], PATIENCE)
  await assert.rejects(owner.receive([{ type: 'gun_data', streamRef: own }], 0))
  gun.cancel(connPid, own)
})

test('a tunnel lives on behind a GOAWAY, and another waits for the next connection', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await http2Proxy()
  await using client = await connect(proxy, h2c)
  const { connPid, owner } = client
  const end = { host: 'localhost', port: origin.port }
  const tunnel = gun.connect(connPid, end)
  await greet(connPid, tunnel)
  for (const session of proxy.sessions) session.goaway()
  await eventually(() => gun.info(connPid).stateName === 'closing', 'no GOAWAY')
  const next = gun.connect(connPid, end)
  const behind = gun.get(connPid, '/', {}, { tunnel: next })
  await greet(connPid, tunnel)
  assert.equal(proxy.connections, 1)
  gun.cancel(connPid, tunnel)
  await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
  await gun.awaitResponse(connPid, behind, PATIENCE)
  assert.equal(proxy.connections, 2)
})

test('a response that is the last of a tunnel ends the tunnel alone', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    peer.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi')
  })
  await using proxy = await http2Proxy()
  await using client = await connect(proxy, h2c)
  const { connPid } = client
  const tunnel = gun.connect(connPid, { host: 'localhost', port: server.port })
  const [first, second] = ['/a', '/b'].map(path => gun.get(connPid, path, {}, { tunnel })) as [
    gun.StreamRef,
    gun.StreamRef,
  ]
  assert.equal(String((await gun.awaitResponse(connPid, first, PATIENCE)).body), 'hi')
  assert.equal((await receiveError(client, second)).code, 'refused_stream')
  assert.equal((await receiveError(client, tunnel)).code, 'closed')
  const late = gun.get(connPid, '/', {}, { tunnel })
  assert.equal((await receiveError(client, late)).code, 'badstate')
  assert.equal((await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)).status, 200)
  await gone(proxy)
})

test('hundreds of tunnels leave nothing', async () => {
  await using origin = await tunnelOrigin('raw')
  await using proxy = await http2Proxy()
  await using client = await connect(proxy, h2c)
  const { connPid, owner } = client
  const end = { host: 'localhost', port: origin.port, protocols: ['raw'] } as const
  for (let i = 0; i < 4; i++) {
    const tunnels = Array.from({ length: 50 }, () => gun.connect(connPid, end))
    for (const streamRef of tunnels) {
      await owner.receive([{ type: 'gun_tunnel_up', streamRef }], PATIENCE)
      gun.data(connPid, streamRef, 'fin', 'x')
    }
    for (const streamRef of tunnels) {
      await owner.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }], PATIENCE)
      assert.equal(gun.streamInfo(connPid, streamRef), undefined)
    }
  }
  await gone(proxy)
})

for (const kind of ['http', 'h2c'] as const) {
  test(`a tunnel over ${kind} that ends by shutdown is told so`, async () => {
    await using it = await through([kind, 'http'])
    const { connPid, self, tunnel } = it
    gun.shutdown(connPid)
    const { reason } = await self.receive([{ type: 'gun_error', connPid, streamRef: tunnel }], PATIENCE)
    assert.equal(reason.code, 'shutdown')
  })
}
