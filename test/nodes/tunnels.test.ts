// Tunnels, bytes, pushes and pings on a connection of another node.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { PATIENCE, rejection } from '../support/client.ts'
import { h2Server } from '../support/http2-server.ts'
import { speaking } from '../support/line.ts'
import { away, type Nodes, startNodes } from '../support/nodes.ts'
import { asksForTunnel } from '../support/stream-ends.ts'
import { HELLO, PUSHED, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy } from '../support/tunnel-proxies.ts'
import { websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes

before(async () => {
  nodes = await startNodes(1)
})

after(() => nodes[Symbol.asyncDispose]())

test('a ping over HTTP/2 is answered, and one over HTTP/1.1 refused', async () => {
  await using server = await h2Server()
  await using old = await websocketServer()
  await using it = await away(server, speaking('http2'))
  const answer = await gun.await(it.connPid, gun.ping(it.connPid), PATIENCE)
  assert.equal(answer.type === 'gun_notify' && answer.event, 'ping_ack')
  await using other = await away(old)
  const error = await rejection(gun.await(other.connPid, gun.ping(other.connPid), PATIENCE))
  assert.equal(error.code, 'badstate')
})

test('a tunnel through HTTP/1.1 leads on, and awaits find what is in it', async () => {
  await using origin = await tunnelOrigin('h2c')
  await using proxy = await httpProxy()
  await using it = await away(proxy)
  const { connPid } = it
  const end = { host: 'a.test', port: origin.port, protocols: ['http2'] } as const
  const tunnel = asksForTunnel(gun.connect(connPid, end))
  const agreed = await gun.await(connPid, tunnel, PATIENCE)
  assert.equal(agreed.type === 'gun_response' && agreed.status, 200)
  assert.equal((await gun.await(connPid, tunnel, PATIENCE)).type, 'gun_tunnel_up')
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)
  assert.equal(String(body), HELLO)
})

test('tunnels through HTTP/2 stand beside each other, and are cancelled by their streams', async () => {
  await using origin = await tunnelOrigin('http')
  await using other = await tunnelOrigin('raw')
  await using proxy = await http2Proxy()
  await using it = await away(proxy, speaking('http2'))
  const { connPid, owner } = it
  const tunnel = asksForTunnel(gun.connect(connPid, { host: 'a.test', port: origin.port }))
  // A request for a tunnel that is not up yet waits.
  const early = gun.get(connPid, '/', {}, { tunnel })
  assert.equal(String((await gun.awaitResponse(connPid, early, PATIENCE)).body), HELLO)
  const end = { host: 'b.test', port: other.port, protocols: ['raw'] } as const
  const raw = asksForTunnel(gun.connect(connPid, end))
  await gun.await(connPid, raw, PATIENCE)
  await gun.await(connPid, raw, PATIENCE)
  gun.data(connPid, raw, 'nofin', 'bytes')
  const { data } = await owner.receive([{ type: 'gun_data', streamRef: raw }], PATIENCE)
  assert.equal(String(data), 'bytes')
  const ws = gun.wsUpgrade(connPid, '/', {}, { tunnel })
  await gun.await(connPid, tunnel, PATIENCE)
  await gun.await(connPid, tunnel, PATIENCE)
  assert.equal((await gun.await(connPid, ws, PATIENCE)).type, 'gun_upgrade')
  gun.wsSend(connPid, ws, ['text', 'within'])
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef: ws }], PATIENCE)
  assert.deepEqual(frame, ['text', 'within'])
  gun.cancel(connPid, tunnel)
  const { reason } = await owner.receive([{ type: 'gun_error', streamRef: ws }], PATIENCE)
  assert.equal(reason.code, 'cancelled')
})

test('a connection that speaks raw takes data and brings it', async () => {
  await using origin = await tunnelOrigin('raw')
  await using it = await away(origin, { protocols: [['raw', { flow: 1 }]] })
  const { connPid, owner } = it
  assert.equal(gun.data(connPid, undefined, 'nofin', 'one'), true)
  const message = await gun.await(connPid, undefined, PATIENCE)
  assert.equal(message.type === 'gun_data' && String(message.data), 'one')
  gun.data(connPid, undefined, 'nofin', 'two')
  gun.updateFlow(connPid, undefined, 1)
  const { data } = await owner.receive([{ type: 'gun_data', connPid }], PATIENCE)
  assert.equal(String(data), 'two')
})

test('pushed streams arrive with their requests, and are read and cancelled here', async () => {
  await using origin = await tunnelOrigin('h2c')
  await using it = await away(origin, speaking('http2'))
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/pushing')
  const push = await owner.receive([{ type: 'gun_push', streamRef }], PATIENCE)
  assert.match(String(push.newStreamRef), /@main\.1>$/)
  const { body } = await gun.awaitResponse(connPid, push.newStreamRef, PATIENCE)
  assert.equal(String(body), PUSHED)
  await gun.awaitResponse(connPid, streamRef, PATIENCE)
})
