/** Examples of the pages on connections of other nodes: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { away, type Nodes, startNodes } from '../support/nodes.ts'
import { websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes

before(async () => {
  nodes = await startNodes(1)
})

after(() => nodes[Symbol.asyncDispose]())

test('openAt opens a connection on another node, whose owner is here', async () => {
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/openAt
  // The socket is in the worker thread main.1; messages come to this process all the same.
  const connPid = await gun.openAt('main.1', 'localhost', port, { owner: self })
  await gun.awaitUp(connPid)
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  // #endregion
  assert.equal(connPid.node, 'main.1')
  assert.equal(status, 200)
  self.monitor(connPid)
  gun.close(connPid)
  await self.receive([{ type: 'DOWN' }])
})

test('openUnixAt opens a connection over a Unix socket of the machine of another node', async () => {
  await using server = await websocketServer({ transport: 'unix' })
  await using self = createProcess<gun.GunMessage>()
  const { path = '' } = server
  // #region gun/openUnixAt
  // `path` is that of a file on the machine of the node main.1, such as '/run/docker.sock'.
  const connPid = await gun.openUnixAt('main.1', path, { owner: self })
  const protocol = await gun.awaitUp(connPid)
  // #endregion
  assert.equal(protocol, 'http')
  self.monitor(connPid)
  gun.close(connPid)
  await self.receive([{ type: 'DOWN' }])
})

test('remoteInfo asks a connection of any node for its facts', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid } = it
  // #region gun/remoteInfo
  // `info` answers at once and only for connections of this node; this one asks.
  const { node, stateName, protocol } = await gun.remoteInfo(connPid)
  const summary = `${connPid.id} of ${node} is ${stateName} and speaks ${protocol}`
  // #endregion
  assert.match(summary, /^#Conn<\d+@main\.1> of main\.1 is connected and speaks http$/)
})

test('remoteStreamInfo asks for the facts of a stream', async () => {
  await using server = await websocketServer({ onRequest() {} })
  await using it = await away(server)
  const { connPid } = it
  // #region gun/remoteStreamInfo
  const streamRef = gun.get(connPid, '/slow')
  const facts = await gun.remoteStreamInfo(connPid, streamRef)
  const isAnswered = facts?.request?.response !== 'due'
  // #endregion
  assert.equal(facts?.request?.path, '/slow')
  assert.equal(isAnswered, false)
})
