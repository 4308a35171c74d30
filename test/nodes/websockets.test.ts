// WebSockets on a connection of another node.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { PATIENCE } from '../support/client.ts'
import { h2Server } from '../support/http2-server.ts'
import { nameOf, speaking, type Version, versions } from '../support/line.ts'
import { away, type Nodes, startNodes } from '../support/nodes.ts'
import { websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes

before(async () => {
  nodes = await startNodes(1)
})

after(() => nodes[Symbol.asyncDispose]())

function onEachVersion(name: string, run: (version: Version) => Promise<void>): void {
  for (const version of versions) test(`${nameOf(version)}: ${name}`, () => run(version))
}

onEachVersion('a WebSocket takes frames and brings them', async version => {
  await using server = version === 'http' ? await websocketServer() : await h2Server()
  await using it = await away(server, speaking(version))
  const { connPid, owner } = it
  const streamRef = gun.wsUpgrade(connPid, '/', { 'x-a': 'b' }, { silencePings: false })
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
  const frame = async () => (await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)).frame
  assert.equal(gun.wsSend(connPid, streamRef, ['text', 'hé']), true)
  assert.deepEqual(await frame(), ['text', 'hé'])
  gun.wsSend(connPid, [
    ['binary', new Uint8Array([1, 2])],
    ['text', 'x'],
    ['ping', Buffer.of(7)],
  ])
  assert.deepEqual(await frame(), ['binary', Buffer.of(1, 2)])
  assert.deepEqual(await frame(), ['text', 'x'])
  assert.deepEqual(await frame(), ['pong', Buffer.of(7)])
  assert.equal((await gun.remoteStreamInfo(connPid, streamRef))?.websocket?.flow, Number.POSITIVE_INFINITY)
  gun.wsSend(connPid, streamRef, ['close', 1000, 'done'])
  assert.deepEqual(await frame(), ['close', 1000, 'done'])
})

test('a WebSocket that is flooded from another node holds up the sender, and takes all', async () => {
  let received = 0
  await using server = await websocketServer({
    onConnection(socket) {
      socket.on('message', (data: Buffer) => {
        received += data.length
        if (data.length === 1) socket.send('all')
      })
    },
  })
  await using it = await away(server)
  const { connPid, owner } = it
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { sendHighWaterMark: 256 * 1024 })
  await gun.await(connPid, streamRef, PATIENCE)
  const payload = Buffer.alloc(32 * 1024)
  let waits = 0
  for (let sent = 0; sent < 1024; sent++) {
    // By turns, since frames that name no stream count together with those that do.
    const isFree =
      sent % 2 === 0
        ? gun.wsSend(connPid, streamRef, ['binary', payload])
        : gun.wsSend(connPid, ['binary', payload])
    if (isFree) continue
    waits++
    await owner.receive([{ type: 'gun_notify', event: 'drain', streamRef }], PATIENCE)
  }
  // Half of the mark was given and a byte more.
  assert.equal(gun.wsSend(connPid, streamRef, ['binary', Buffer.of(1)]), false)
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
  assert.deepEqual(frame, ['text', 'all'])
  assert.equal(received, 1024 * payload.length + 1)
  assert.equal(waits, 204)
  await owner.receive([{ type: 'gun_notify', event: 'drain', streamRef }], PATIENCE)
  assert.equal(owner.flush({ type: 'gun_notify' }), 0)
})

test('frames that were not sent come back in the error', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid, owner } = it
  gun.wsSend(connPid, ['text', 'too early'])
  const { reason } = await owner.receive([{ type: 'gun_error', connPid }], PATIENCE)
  assert.ok(reason instanceof gun.GunError)
  assert.equal(reason.code, 'badstate')
  assert.deepEqual(reason.frames, [['text', 'too early']])
})
