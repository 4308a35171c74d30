/** Examples of the pages on HTTP/2: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { connect } from '../support/client.ts'
import { h2Server } from '../support/http2-server.ts'
import { PUSHED, tunnelOrigin } from '../support/tunnel-origins.ts'

const overHttp2 = { version: 'http2', transport: 'tcp' } as const

test('ping asks an HTTP/2 server for a sign of life', async () => {
  await using server = await h2Server()
  await using it = await connect(server, overHttp2)
  const { connPid, owner: self } = it
  // #region gun/ping, gun/messages/gun_notify
  const streamRef = gun.ping(connPid)
  const { data } = await self.receive([{ type: 'gun_notify', event: 'ping_ack', connPid, streamRef }], 1000)
  const roundTrip = `${data.toFixed(1)} ms`
  // #endregion
  assert.match(roundTrip, /^\d+\.\d ms$/)
})

test('the answer to a ping may go to another process', async () => {
  await using server = await h2Server()
  await using it = await connect(server, overHttp2)
  const { connPid } = it
  // #region gun/types/PingOpts
  const watchdog = createProcess<gun.GunMessage>()
  const streamRef = gun.ping(connPid, { replyTo: watchdog })
  const answer = await watchdog.receive([
    { type: 'gun_notify', event: 'ping_ack', streamRef },
    { type: 'gun_error', streamRef },
  ])
  const isAlive = answer.type === 'gun_notify'
  // #endregion
  assert.equal(isAlive, true)
  watchdog.exit()
})

test('gun_push announces a response that nobody has asked for', async () => {
  await using server = await tunnelOrigin('h2c')
  await using it = await connect(server, overHttp2)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_push
  const streamRef = gun.get(connPid, '/pushing')
  const { newStreamRef, method, uri } = await self.receive([{ type: 'gun_push', connPid, streamRef }])
  // The pushed response comes like any other; `gun.cancel(connPid, newStreamRef)` would refuse it.
  const pushed = await gun.awaitResponse(connPid, newStreamRef)
  const asked = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.deepEqual([method, new URL(uri).pathname], ['GET', '/pushed'])
  assert.equal(String(pushed.body), PUSHED)
  assert.equal(asked.status, 200)
})

test('automatic pings find a peer that is gone', async () => {
  await using server = await h2Server()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/Http2Opts
  const http2Opts = {
    // A ping each 10 seconds; with three unanswered the connection is lost with keepalive_timeout.
    keepalive: 10_000,
    keepaliveTolerance: 3,
    initialStreamWindowSize: 256 * 1024,
    enablePush: false,
    notifySettingsChanged: true,
  }
  // Over tls the server chooses HTTP/2; over tcp it is spoken where it is asked for.
  const connPid = gun.open('localhost', port, { owner: self, protocols: ['http2'], http2Opts })
  const protocol = await gun.awaitUp(connPid)
  // #endregion
  assert.equal(protocol, 'http2')
  // #region gun/messages/gun_notify
  // With http2Opts.notifySettingsChanged, also for the first settings of the server.
  const notify = await self.receive([{ type: 'gun_notify', event: 'settings_changed', connPid }])
  const { maxConcurrentStreams, enableConnectProtocol } = notify.data
  // #endregion
  assert.deepEqual([maxConcurrentStreams, enableConnectProtocol], [Number.POSITIVE_INFINITY, true])
  gun.close(connPid)
})
