/** Examples of the pages on tunnels and proxies: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { connect } from '../support/client.ts'
import { HELLO, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy } from '../support/tunnel-proxies.ts'
import { websocketServer } from '../support/websocket-server.ts'

test('connect asks a proxy for a tunnel', async () => {
  await using origin = await tunnelOrigin('https')
  await using proxy = await httpProxy()
  await using it = await connect(proxy)
  const { connPid } = it
  const { port } = origin
  const tlsOpts = { ca: certificates.ca }
  // #region gun/connect, gun/types/ConnectDestination
  const tunnel = gun.connect(connPid, { host: 'localhost', port, transport: 'tls', tlsOpts })
  const answer = await gun.await(connPid, tunnel)
  if (answer.type !== 'gun_response' || answer.status !== 200) throw new Error('refused', { cause: answer })
  // The second message says that TLS with the other end is agreed on.
  await gun.await(connPid, tunnel)
  const { status, body } = await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel }))
  // #endregion
  assert.deepEqual([status, String(body)], [200, HELLO])
})

test('gun_tunnel_up comes when a tunnel may be used', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await http2Proxy()
  await using it = await connect(proxy, { version: 'http2', transport: 'tcp' })
  const { connPid, owner: self } = it
  const { port } = origin
  // #region gun/messages/gun_tunnel_up, gun/connect
  // Over HTTP/2 a stream becomes the tunnel, and the connection may have several of them.
  const tunnel = gun.connect(connPid, { host: 'localhost', port, username: 'joe', password: 'secret' })
  const answer = await self.receive([
    { type: 'gun_tunnel_up', connPid, streamRef: tunnel },
    { type: 'gun_response', connPid, streamRef: tunnel, isFin: 'nofin' },
    { type: 'gun_error', connPid, streamRef: tunnel },
  ])
  if (answer.type !== 'gun_tunnel_up') throw new Error('no tunnel', { cause: answer })
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { tunnel })
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  // #endregion
  assert.equal(answer.protocol, 'http')
  gun.close(connPid)
})

test('the protocol socks leads the whole connection on', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await socks5Proxy({ auth: { username: 'joe', password: 'secret' } })
  await using self = createProcess<gun.GunMessage>()
  const { port } = origin
  const proxyPort = proxy.port
  // #region gun/types/SocksOpts, gun/types/SocksAuth, gun/messages/gun_tunnel_up
  const socksOpts = {
    host: 'localhost',
    port,
    auth: ['none', ['username_password', 'joe', 'secret']],
  } as const
  const connPid = gun.open('localhost', proxyPort, { owner: self, protocols: [['socks', socksOpts]] })
  await self.receive([{ type: 'gun_up', connPid, protocol: 'socks' }])
  // No stream has asked for this tunnel, so the message names none.
  const { protocol } = await self.receive([{ type: 'gun_tunnel_up', connPid, streamRef: undefined }])
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  // #endregion
  assert.deepEqual([protocol, status], ['http', 200])
  gun.close(connPid)
})

test('the option proxy leads through a chain of proxies', async () => {
  await using server = await websocketServer()
  await using first = await httpProxy()
  await using second = await socks5Proxy({ auth: { username: 'joe', password: 'secret' } })
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  const [httpPort, socksPort] = [first.port, second.port]
  // #region gun/types/ProxyOpts
  const proxy: gun.ProxyOpts[] = [
    { url: `http://localhost:${httpPort}`, headers: { 'user-agent': 'holster' } },
    { url: `socks5h://joe:secret@localhost:${socksPort}` },
  ]
  const connPid = gun.open('localhost', port, { owner: self, proxy })
  // The way is made by itself, each time the connection is made: gun_up says that the origin is up.
  await gun.awaitUp(connPid)
  const way = gun.info(connPid).intermediaries.map(({ type }) => type)
  // #endregion
  assert.deepEqual(way, ['connect', 'socks5'])
  gun.close(connPid)
})

test('proxyAuth answers a proxy that asks who is there', async () => {
  await using server = await websocketServer()
  const asking = {
    status: 407,
    headers: [['proxy-authenticate', 'Basic realm="office"']],
  } as const
  const known = `Basic ${Buffer.from('joe:secret').toString('base64')}`
  await using proxy = await httpProxy({
    answer: request => (request.header('proxy-authorization') === known ? undefined : asking),
  })
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  const proxyPort = proxy.port
  // #region gun/types/ProxyUser, gun/types/ProxyAuth
  const users = new Map<string | undefined, gun.ProxyUser>([
    ['office', { username: 'joe', password: 'secret' }],
  ])
  const connPid = gun.open('localhost', port, {
    owner: self,
    proxy: `http://localhost:${proxyPort}`,
    proxyAuth(challenges) {
      const basic = challenges.find(({ scheme }) => scheme === 'basic')
      // `undefined` gives up: the connection ends with proxy_auth.
      return users.get(basic?.realm)
    },
  })
  const protocol = await gun.awaitUp(connPid)
  // #endregion
  assert.equal(protocol, 'http')
  gun.close(connPid)
})

test('the protocol raw sends and posts bare bytes', async () => {
  await using server = await tunnelOrigin('raw')
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/RawOpts, gun/messages/gun_data
  const rawOpts = { flow: 1, sendHighWaterMark: 64 * 1024 }
  const connPid = gun.open('localhost', port, { owner: self, protocols: [['raw', rawOpts]] })
  await gun.awaitUp(connPid)
  // There are no streams, so no stream is named.
  gun.data(connPid, undefined, 'nofin', 'PING\r\n')
  const { data } = await self.receive([{ type: 'gun_data', connPid, streamRef: undefined }])
  gun.updateFlow(connPid, undefined, 1)
  // #endregion
  assert.equal(String(data), 'PING\r\n')
  gun.close(connPid)
})
