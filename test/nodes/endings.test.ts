// A connection of another node is ended, linked, handed on and flushed from here.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { defer, PATIENCE, rejection } from '../support/client.ts'
import { away, type Nodes, startNodes, THERE } from '../support/nodes.ts'
import { websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes

before(async () => {
  nodes = await startNodes(1)
})

after(() => nodes[Symbol.asyncDispose]())

test('shutdown ends in order, and an await that waits meanwhile hears of the end', async () => {
  await using server = await websocketServer()
  const { connPid, owner } = await away(server)
  const streamRef = gun.wsUpgrade(connPid, '/')
  await gun.await(connPid, streamRef, PATIENCE)
  const ref = owner.monitor(connPid)
  gun.shutdown(connPid)
  assert.equal((await owner.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'shutdown')
  owner.flush()
  const error = await rejection(gun.await(connPid, streamRef, PATIENCE))
  assert.equal(error.kind, 'down')
})

test('close ends the streams with an error, and what is asked for later as well', async () => {
  const asked = defer<void>()
  await using server = await websocketServer({ onRequest: () => asked.resolve() })
  const { connPid, owner } = await away(server)
  const streamRef = gun.get(connPid, '/')
  await asked.promise
  const ref = owner.monitor(connPid)
  gun.close(connPid)
  const { reason } = await owner.receive([{ type: 'gun_error', streamRef }], PATIENCE)
  assert.equal(reason.code, 'shutdown')
  await owner.receive([{ type: 'DOWN', ref }], PATIENCE)
  const late = gun.get(connPid, '/')
  assert.equal(
    (await owner.receive([{ type: 'gun_error', streamRef: late }], PATIENCE)).reason.code,
    'closed',
  )
})

test('a link ends the connection with its process, and the process with its connection', async () => {
  await using server = await websocketServer()
  const [first, second] = [await away(server), await away(server)]
  const watcher = createProcess()
  const self = createProcess()
  self.link(first.connPid)
  const ref = watcher.monitor(first.connPid)
  self.exit('shutdown')
  assert.equal((await watcher.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'shutdown')
  const trapping = createProcess({ trapExit: true })
  trapping.link(second.connPid)
  gun.close(second.connPid)
  const { from, reason } = await trapping.receive([{ type: 'EXIT' }], PATIENCE)
  assert.equal(from, second.connPid)
  assert.equal(reason, 'shutdown')
  const third = await away(server)
  trapping.link(third.connPid)
  trapping.unlink(third.connPid)
  trapping.monitor(third.connPid)
  trapping.exit(third.connPid, 'kill')
  await trapping.receive([{ type: 'DOWN', pid: third.connPid }], PATIENCE)
  assert.equal(trapping.messageQueueLength, 0)
})

test('await using shuts the connection down and waits for its end', async () => {
  await using server = await websocketServer()
  const owner = createProcess<gun.GunMessage>()
  {
    await using connPid = await gun.openAt(THERE, server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    owner.monitor(connPid)
  }
  assert.equal((await owner.receive([{ type: 'DOWN' }], 0)).reason, 'shutdown')
})

test('setOwner hands the connection to another process of this node', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const next = createProcess<gun.GunMessage>()
  gun.setOwner(it.connPid, next)
  assert.equal(it.connPid.owner, next)
  const streamRef = gun.get(it.connPid, '/')
  await next.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  it.owner.exit()
  assert.equal(String((await gun.awaitBody(it.connPid, streamRef, PATIENCE)).body), 'Hello over HTTP')
})

test('flush drops the messages of a stream and of a connection', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/')
  const other = gun.get(connPid, '/')
  await owner.receive([{ type: 'gun_data', streamRef: other, isFin: 'fin' }], PATIENCE)
  assert.equal(gun.flush(streamRef), 2)
  assert.equal(gun.flush(connPid), 1)
})

test('an await that gets nothing says where the connection is', async () => {
  await using server = await websocketServer({ onRequest: () => {} })
  await using it = await away(server)
  const error = await rejection(gun.await(it.connPid, gun.get(it.connPid, '/'), 1))
  assert.equal(error.kind, 'timeout')
  assert.match(error.message, /on the node 'main\.1': remoteInfo/)
  assert.match((await rejection(gun.awaitUp(it.connPid, 1))).message, /no gun_up .* on the node 'main\.1'/)
})
