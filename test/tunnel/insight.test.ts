// A look into connections that lead through tunnels: their streams, the proxies in between, and the frames of WebSockets within.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { lookInto } from '@holster/gun/internal'
import { connect, PATIENCE } from '../support/client.ts'
import { proxied } from '../support/proxied.ts'
import { tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy } from '../support/tunnel-proxies.ts'

for (const version of ['http', 'http2'] as const) {
  test(`a tunnel over ${version} is a stream, behind which the streams within it come`, async () => {
    await using origin = await tunnelOrigin('http')
    await using proxy = await (version === 'http' ? httpProxy() : http2Proxy({}))
    await using client = await connect(proxy, { version, transport: 'tcp' }, { retry: 0 })
    const { connPid, owner } = client
    const tunnel = gun.connect(connPid, { host: 'localhost', port: origin.port })
    const early = gun.wsUpgrade(connPid, '/echo', {}, { tunnel })
    const seen = lookInto(connPid)
    assert.deepEqual(seen.streams, [tunnel, early])
    await owner.receive([{ type: 'gun_upgrade', streamRef: early }], PATIENCE)
    assert.deepEqual(seen.streams, [tunnel, early])
    gun.wsSend(connPid, early, ['text', 'hello'])
    await owner.receive([{ type: 'gun_ws', streamRef: early }], PATIENCE)
    assert.deepEqual([seen.framesIn, seen.framesOut], [1, 1])
    // Over HTTP/1.1 the whole connection leads through the tunnel.
    const hops = version === 'http' ? [{ type: 'connect', port: proxy.port }] : []
    assert.deepEqual(
      seen.intermediaries.map(({ type, port }) => ({ type, port })),
      hops,
    )
    gun.close(connPid)
    assert.deepEqual(seen.streams, [])
  })
}

test('a connection that reaches its origin through proxies names them, and has no streams of its own', async () => {
  await using it = await proxied(['http', 'socks5h'], 'https')
  const seen = lookInto(it.connPid)
  assert.deepEqual(
    seen.intermediaries.map(({ type }) => type),
    ['connect', 'socks5'],
  )
  assert.deepEqual(seen.streams, [])
  assert.equal(seen.unsent, 0)
  assert.ok(seen.bytesIn > 0 && seen.bytesOut > 0)
})
