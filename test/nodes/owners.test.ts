// The owner of a connection, and the recipients of its streams, may be on other nodes; either side may be lost.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import type { RemotePid } from '@holster/node'
import { createProcess } from '@holster/process'
import { createActor, fromCallback } from 'xstate'
import { connect, defer, eventually, PATIENCE, rejection } from '../support/client.ts'
import { crash, type Nodes, type Remote, startNodes } from '../support/nodes.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { type WebsocketServer, websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes
let server: WebsocketServer
let one: Remote
let two: Remote

before(async () => {
  ;[nodes, server] = await Promise.all([startNodes(2), websocketServer()])
  ;[one, two] = nodes.remotes as [Remote, Remote]
})

after(async () => {
  await nodes[Symbol.asyncDispose]()
  await server.close()
})

/** Makes a process on a node, as an owner of connections here. */
async function ownerAt(remote: Remote, name: string): Promise<RemotePid<gun.GunMessage>> {
  return (await remote.run('makeProcess', name)) as unknown as RemotePid<gun.GunMessage>
}

test('an owner on another node hears all, and commands the connection from there', async () => {
  const owner = await ownerAt(one, 'a')
  const connPid = gun.open(server.host, server.port, { owner })
  assert.equal(connPid.owner, owner)
  assert.equal(gun.info(connPid).owner, owner)
  const up = (await one.run('receive', 'a', { type: 'gun_up' })) as gun.GunUp
  assert.equal(up.connPid, connPid)
  const streamRef = await one.run('call', 'get', connPid, '/')
  const response = (await one.run('call', 'awaitResponse', connPid, streamRef)) as gun.FullResponse
  assert.equal(String(response.body), 'Hello over HTTP')
  const ws = (await one.run('call', 'wsUpgrade', connPid, '/')) as gun.StreamRef
  const upgrade = (await one.run('call', 'await', connPid, ws)) as gun.GunUpgrade
  assert.equal(upgrade.streamRef, ws)
  await one.run('call', 'wsSend', connPid, ['text', 'from there'])
  const message = (await one.run('receive', 'a', { type: 'gun_ws', streamRef: ws })) as gun.GunWs
  assert.deepEqual(message.frame, ['text', 'from there'])
  gun.close(connPid)
})

test('the messages of a request that is made here go to the owner there', async () => {
  const owner = await ownerAt(one, 'b')
  const connPid = gun.open(server.host, server.port, { owner })
  const streamRef = gun.get(connPid, '/')
  const { body } = (await one.run('call', 'awaitResponse', connPid, streamRef)) as gun.FullResponse
  assert.equal(String(body), 'Hello over HTTP')
  assert.throws(() => gun.await(connPid, streamRef), /the stream's replyTo is on another node/)
  assert.throws(() => gun.awaitUp(connPid), /the owner is on another node/)
  assert.throws(() => gun.flush(connPid), /the owner is on another node/)
  gun.close(connPid)
})

test('a replyTo on another node gets the messages of its stream alone', async () => {
  await using client = await connect(server)
  const replyTo = await ownerAt(one, 'c')
  const streamRef = gun.get(client.connPid, '/', {}, { replyTo })
  const { body } = (await one.run('call', 'awaitResponse', client.connPid, streamRef)) as gun.FullResponse
  assert.equal(String(body), 'Hello over HTTP')
  assert.equal(client.owner.messageQueueLength, 0)
  await one.run('call', 'cancel', client.connPid, streamRef)
  const { reason } = (await one.run('receive', 'c', { type: 'gun_error' })) as gun.GunErrorMessage
  assert.equal(reason.code, 'badstate')
})

test('a replyTo on another node gets the messages of a request that a pool makes', async () => {
  gun.pool.startPool(server.host, server.port, { size: 1 })
  const replyTo = await ownerAt(one, 'pooled')
  const headers = { host: `${server.host}:${server.port}` }
  const streamRef = gun.pool.get('/', headers, { replyTo })
  const head = (await one.run('receive', 'pooled', { type: 'gun_response' })) as gun.GunResponse
  assert.equal(head.streamRef, streamRef)
  const data = (await one.run('receive', 'pooled', { type: 'gun_data', streamRef })) as gun.GunData
  assert.equal(String(data.data), 'Hello over HTTP')
  await gun.pool.stopPool(server.host, server.port)
})

test('an xstate actor owns a connection of another node', async () => {
  const { promise: up, resolve } = defer<gun.GunMessage>()
  const logic = fromCallback<gun.GunMessage>(({ receive }) => receive(resolve))
  const owner = createActor(logic).start()
  const connPid = await gun.openAt(one.name, server.host, server.port, { owner: owner as never })
  const message = await up
  assert.deepEqual([message.type, message.connPid], ['gun_up', connPid])
  const self = createProcess()
  const ref = self.monitor(connPid)
  owner.stop()
  const { reason } = await self.receive([{ type: 'DOWN', ref }], PATIENCE)
  assert.match(JSON.stringify(reason), /shutdown/)
})

test('setOwner hands a connection to an owner on another node, and one there hands it on', async () => {
  const client = await connect(server)
  const { connPid } = client
  const [first, second] = [await ownerAt(one, 'd'), await ownerAt(two, 'd')]
  gun.setOwner(connPid, first)
  client.owner.exit()
  assert.equal(connPid.owner, first)
  await one.run('call', 'setOwner', connPid, second)
  await one.run('exit', 'd', 'normal')
  await eventually(() => connPid.owner === second, 'the second owner was not heard of')
  const streamRef = await two.run('call', 'get', connPid, '/')
  const { body } = (await two.run('call', 'awaitResponse', connPid, streamRef)) as gun.FullResponse
  assert.equal(String(body), 'Hello over HTTP')
  gun.close(connPid)
  streamEnds.assert()
})

test('an owner on another node that exits ends the connection', async () => {
  const owner = await ownerAt(one, 'e')
  const asked = defer<void>()
  await using silent = await websocketServer({ onRequest: () => asked.resolve() })
  const self = createProcess<gun.GunMessage>()
  const opts = { owner, httpOpts: { closingTimeout: 0 } }
  const connPid = gun.open(silent.host, silent.port, opts)
  const streamRef = gun.get(connPid, '/', {}, { replyTo: self })
  await asked.promise
  const ref = self.monitor(connPid)
  await one.run('exit', 'e', 'gone')
  await self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
  const down = await self.receive([{ type: 'DOWN', ref }], PATIENCE)
  assert.match(JSON.stringify(down.reason), /shutdown/)
  const error = (down.reason as [string, gun.GunError])[1]
  assert.equal(error.code, 'owner_down')
  assert.equal(error.cause, 'gone')
})

test('an owner whose thread dies ends the connection, and the thread comes back', async () => {
  const owner = await ownerAt(one, 'f')
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, { owner })
  const ref = self.monitor(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { replyTo: self })
  await self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
  one = await crash(one)
  const { reason } = await self.receive([{ type: 'DOWN', ref }], PATIENCE)
  const error = (reason as [string, gun.GunError])[1]
  assert.equal(error.code, 'owner_down')
  assert.equal(error.cause, 'noconnection')
  await eventually(() => server.wss.clients.size === 0, 'the WebSocket is open still')
  // An owner of that life cannot be reached any more.
  const late = gun.open(server.host, server.port, { owner })
  const down = self.monitor(late)
  await self.receive([{ type: 'DOWN', ref: down }], PATIENCE)
})

test('a connection whose thread dies ends for its owner, its streams and all that await', async () => {
  const asked = defer<void>()
  await using silent = await websocketServer({ onRequest: () => asked.resolve() })
  const owner = createProcess<gun.GunMessage>()
  const replyTo = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(one.name, silent.host, silent.port, { owner })
  await gun.awaitUp(connPid, PATIENCE)
  const streamRef = gun.get(connPid, '/')
  const other = gun.get(connPid, '/', {}, { replyTo })
  await asked.promise
  const ref = owner.monitor(connPid)
  const awaited = rejection(gun.awaitResponse(connPid, other, 60_000))
  one = await crash(one)
  assert.equal((await awaited).code, 'closed')
  assert.equal((await owner.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'noconnection')
  const { reason } = await owner.receive([{ type: 'gun_error', streamRef }], PATIENCE)
  assert.equal(reason.code, 'closed')
  assert.match(reason.message, /the node 'main\.1', on which #Conn<\d+@main\.1> is, cannot be reached/)
  const last = await owner.receive([{ type: 'gun_error', connPid }], PATIENCE)
  assert.equal(last.reason.code, 'closed')
  const late = gun.get(connPid, '/')
  assert.equal(
    (await owner.receive([{ type: 'gun_error', streamRef: late }], PATIENCE)).reason.code,
    'closed',
  )
  assert.equal((await rejection(gun.remoteInfo(connPid))).kind, 'down')
  streamEnds.assert()
})

test('a server that is killed is told of as by a connection of this node', async () => {
  const owner = createProcess<gun.GunMessage>()
  const own = await websocketServer()
  const connPid = await gun.openAt(two.name, own.host, own.port, { owner, retry: 0 })
  await gun.awaitUp(connPid, PATIENCE)
  const streamRef = gun.wsUpgrade(connPid, '/')
  await gun.await(connPid, streamRef, PATIENCE)
  const ref = owner.monitor(connPid)
  await own.close()
  const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
  assert.deepEqual(down.killedStreams, [streamRef])
  assert.equal(down.protocol, 'ws')
  const { reason } = await owner.receive([{ type: 'DOWN', ref }], PATIENCE)
  const error = Array.isArray(reason) ? reason[1] : reason
  assert.ok(error instanceof gun.GunError, String(reason))
})

test('a message that cannot be sent to its recipient becomes an error of its stream', async () => {
  const replyTo = await ownerAt(two, 'g')
  const handler: gun.WsHandler<
    { replyTo: { send(message: unknown): void }; streamRef: gun.StreamRef },
    never
  > = {
    init: (to, streamRef) => ({ replyTo: to as never, streamRef }),
    handle(_frame, { replyTo: to, streamRef }) {
      to.send({ type: 'own', streamRef, run: () => 1 })
      return 1
    },
  }
  await using client = await connect(server)
  const streamRef = gun.wsUpgrade(client.connPid, '/', {}, { replyTo, defaultProtocol: handler as never })
  await two.run('receive', 'g', { type: 'gun_upgrade' })
  gun.wsSend(client.connPid, streamRef, ['text', 'a'])
  const { reason } = (await two.run('receive', 'g', { type: 'gun_error', streamRef })) as gun.GunErrorMessage
  assert.equal(reason.code, 'handler_error')
  assert.match(reason.message, /message\.run: a function cannot be sent/)
})
