/** Examples of the pages on connections: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { type ChildSpec, supervisor } from '@holster/otp'
import { createProcess, type Process } from '@holster/process'
import { createActor, setup, waitFor } from 'xstate'
import { connect, defer } from '../support/client.ts'
import { websocketServer } from '../support/websocket-server.ts'

test('open returns the handle of a connection, and its owner hears when the connection is up', async () => {
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/open
  const connPid = gun.open('localhost', port, { owner: self, retry: 0 })
  const protocol = await gun.awaitUp(connPid)
  // #endregion
  assert.equal(protocol, 'http')
  gun.close(connPid)
})

test('awaitUp waits no longer than it is told to', async () => {
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/awaitUp
  const connPid = gun.open('localhost', port, { owner: self })
  // Rejects with a GunError if the connection is not up in time, or has ended.
  const protocol = await gun.awaitUp(connPid, 2000)
  // #endregion
  assert.equal(protocol, 'http')
  gun.close(connPid)
})

test('openUnix opens a connection over a Unix socket', async () => {
  await using server = await websocketServer({ transport: 'unix' })
  await using self = createProcess<gun.GunMessage>()
  const { path = '' } = server
  // #region gun/openUnix
  // `path` is that of the socket's file, such as '/run/docker.sock'.
  const connPid = gun.openUnix(path, { owner: self })
  await gun.awaitUp(connPid)
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  // #endregion
  assert.equal(status, 200)
  gun.close(connPid)
})

test('info tells what a connection is doing and with whom', async () => {
  await using server = await websocketServer()
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/info
  const { stateName, protocol, transport, originHost, originPort } = gun.info(connPid)
  const summary = `${stateName}: ${protocol} over ${transport} to ${originHost}:${originPort}`
  // #endregion
  assert.equal(summary, `connected: http over tcp to 127.0.0.1:${server.port}`)
})

test('connections lists the connections of the program', async () => {
  await using server = await websocketServer()
  await using it = await connect(server)
  gun.get(it.connPid, '/')
  // #region gun/connections
  const lines = gun
    .connections()
    .map(
      ({ connPid, originHost, originPort, streams }) =>
        `${connPid} to ${originHost}:${originPort}, requests under way: ${streams}`,
    )
  // #endregion
  assert.deepEqual(lines, [`${it.connPid} to 127.0.0.1:${server.port}, requests under way: 1`])
  gun.close(it.connPid)
})

test('setOwner hands a connection over, and the new owner hears of later requests', async () => {
  await using server = await websocketServer()
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/setOwner
  const heir = createProcess<gun.GunMessage>()
  gun.setOwner(connPid, heir)
  // A stream that is open goes on replying to the old owner; this one replies to the new one.
  const streamRef = gun.get(connPid, '/')
  const { status } = await heir.receive([{ type: 'gun_response', connPid, streamRef }])
  // #endregion
  assert.equal(status, 200)
  gun.close(connPid)
  heir.exit()
})

test('shutdown lets what is under way finish before the connection ends', async () => {
  await using server = await websocketServer()
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/shutdown
  const ref = self.monitor(connPid)
  const streamRef = gun.get(connPid, '/')
  gun.shutdown(connPid)
  // Streams under way may finish.
  const { status } = await gun.awaitResponse(connPid, streamRef)
  const { reason } = await self.receive([{ type: 'DOWN', ref }])
  // #endregion
  assert.equal(status, 200)
  assert.equal(reason, 'shutdown')
})

test('close ends the connection and its streams at once', async () => {
  await using server = await websocketServer({ onRequest() {} })
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/close
  const ref = self.monitor(connPid)
  const streamRef = gun.get(connPid, '/slow')
  gun.close(connPid)
  // Each open stream gets an error. There is no gun_down, since the caller knows.
  const { reason: error } = await self.receive([{ type: 'gun_error', connPid, streamRef }])
  const { reason } = await self.receive([{ type: 'DOWN', ref }])
  // #endregion
  assert.equal(error.code, 'shutdown')
  assert.equal(reason, 'shutdown')
})

test('flush drops what waits in the mailbox', async () => {
  await using server = await websocketServer()
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/flush
  const streamRef = gun.get(connPid, '/')
  await gun.await(connPid, streamRef)
  // The head is enough: the stream is cancelled, and what has come of its body is dropped.
  gun.cancel(connPid, streamRef)
  gun.flush(streamRef)

  // Drops all that waits of a connection, whatever stream it belongs to, and its DOWN.
  self.monitor(connPid)
  gun.close(connPid)
  const dropped = gun.flush(connPid)
  // #endregion
  assert.equal(dropped, 1)
  assert.equal(self.messageQueueLength, 0)
})

test('a supervised connection tells its owner of each start', async () => {
  const subscribed = defer<string | undefined>()
  await using server = await websocketServer({ onConnection: (_, { url }) => subscribed.resolve(url) })
  const { port } = server
  // #region gun/childSpec, gun/messages/gun_started, gun/types/ChildSpecOpts
  async function consumer(self: Process<gun.GunMessage | gun.GunStarted>): Promise<void> {
    for (;;) {
      // Comes with each start of the connection, before its gun_up.
      const { connPid } = await self.receive([{ type: 'gun_started', id: 'feed' }])
      gun.wsUpgrade(connPid, '/feed')
    }
  }
  // If the consumer crashes, the connection that it owns is started anew as well.
  const children: ChildSpec[] = [
    { id: 'consumer', start: parent => parent.spawnLink(consumer, { name: 'consumer' }) },
    gun.childSpec('localhost', port, { id: 'feed', owner: 'consumer', shutdown: 2000 }),
  ]
  const tree = await supervisor.start({ strategy: 'rest_for_one', children })
  // #endregion
  assert.equal(await subscribed.promise, '/feed')
  await supervisor.stop(tree)
  assert.deepEqual(gun.connections(), [])
})

test('connectionMachine is a connection that a machine invokes, whose messages are its events', async () => {
  await using server = await websocketServer()
  const { port } = server
  // #region gun/connectionMachine
  const client = setup({
    types: {} as { events: gun.GunMessage },
    actors: { connection: gun.connectionMachine },
  }).createMachine({
    invoke: { src: 'connection', input: { host: 'localhost', port, opts: { retry: 0 } } },
    initial: 'connecting',
    states: {
      connecting: { on: { gun_up: 'connected', gun_error: 'failed' } },
      connected: { on: { gun_down: 'failed' } },
      failed: { type: 'final' },
    },
  })
  const actor = createActor(client).start()
  await waitFor(actor, state => state.matches('connected'))
  // The machine owns the connection, which ends with it.
  actor.stop()
  // #endregion
  assert.deepEqual(gun.connections(), [])
})
