// A response that flow holds back within a tunnel of HTTP/2 does not hold back the end of the connection, which concerns others.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { certificates } from '@holster/testing'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { type OriginKind, originKinds } from '../support/tunnel-origins.ts'
import { http2Proxy } from '../support/tunnel-proxies.ts'
import { connect, through, tunnelScene } from '../support/tunnel-scene.ts'

for (const kind of originKinds.filter(each => !each.startsWith('raw')) satisfies OriginKind[]) {
  for (const kinds of [
    ['h2c', kind],
    ['h2', 'https', kind],
  ] as const) {
    test(`the proxy dies while flow holds back a large response, through ${kinds.join(', ')}`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using it = await through(kinds)
      const { connPid } = it
      it.name('R', gun.get(connPid, '/big', [], { ...it.through, flow: 1 }))
      await it.until(() => it.of('R').length === 2, 'the first part of R')
      it.name('P', gun.headers(connPid, 'POST', '/'))
      await it.chain.proxies[0]?.close()
      await it.end()
      assert.match(it.of('R').at(-1) ?? '', / fin$|^error (closed|socket_error)$/)
      assert.match(it.told.at(-1) ?? '', /^DOWN shutdown (closed|socket_error)$/)
    })
  }
}

for (const transport of ['tcp', 'tls'] as const) {
  test(`the proxy dies while flow holds back a whole response over ${transport} in a tunnel, which is handed on`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using end = await origin(
      async peer => {
        await peer.receiveRequest()
        await peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        await peer.send('1\r\na\r\n'.repeat(5), 'bytes')
        await peer.send('0\r\n\r\n')
        peer.end()
      },
      { transport },
    )
    await using proxy = await http2Proxy()
    await using it = tunnelScene(proxy.host, proxy.port, { protocols: ['http2'] })
    const { connPid } = it
    const tunnel = it.name(
      'T',
      connect(connPid, {
        host: 'localhost',
        port: end.port,
        transport,
        protocols: ['http'],
        tlsOpts: { ca: certificates.ca },
      }),
    )
    it.name('R', gun.get(connPid, '/', [], { tunnel, flow: 2 }))
    await it.until(() => it.of('R').length === 3, 'two parts of R')
    await end.finished()
    await it.until(() => proxy.openTunnels === 0 || it.of('R').length === 3, 'the end of the origin')
    // The answer to this PING comes after all that the origin has sent.
    gun.ping(connPid)
    await it.hears('?: gun_notify')
    await proxy.close()
    await it.end()
    const parts = it.of('R').filter(line => line.startsWith('data'))
    assert.equal(parts.map(line => line.split(' ')[1]).join(''), 'aaaaa')
    assert.match(parts.at(-1) ?? '', / fin$/)
    assert.equal(it.of('T').at(-1), 'error closed')
  })
}
