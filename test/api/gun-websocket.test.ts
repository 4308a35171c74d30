/** Examples of the pages on WebSockets: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, exit, P, spawn } from '@holster/process'
import { connect, eventually } from '../support/client.ts'
import { websocketServer } from '../support/websocket-server.ts'

const server = await websocketServer({ ws: { perMessageDeflate: true } })
test.after(() => server.close())

test('wsUpgrade asks for a WebSocket, and the answer says whether there is one', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/wsUpgrade, gun/messages/gun_upgrade
  const streamRef = gun.wsUpgrade(connPid, '/chat', { authorization: 'Bearer abc' })
  const answer = await self.receive([
    { type: 'gun_upgrade', connPid, streamRef },
    { type: 'gun_response', connPid, streamRef },
    { type: 'gun_error', connPid, streamRef },
  ])
  if (answer.type === 'gun_error') throw answer.reason
  if (answer.type === 'gun_response') throw new Error(`refused with ${answer.status}`)
  // From here on frames come and go.
  // #endregion
  assert.deepEqual(answer.protocols, ['websocket'])
})

test('wsSend sends a frame or a list of frames', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/wsSend
  const streamRef = gun.wsUpgrade(connPid, '/echo')
  await gun.await(connPid, streamRef)
  gun.wsSend(connPid, streamRef, ['text', 'Hello!'])
  const answer = await gun.await(connPid, streamRef)
  // Where the connection has one WebSocket the stream need not be named.
  gun.wsSend(connPid, 'ping')
  // A list is sent in order; nothing can be sent behind a close frame.
  gun.wsSend(connPid, streamRef, [
    ['binary', Buffer.of(1, 2)],
    ['close', 1000, 'done'],
  ])
  // #endregion
  assert.deepEqual(answer, { type: 'gun_ws', connPid, streamRef, frame: ['text', 'Hello!'] })
})

test('gun_ws brings each message, up to the close frame', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_ws
  const streamRef = gun.wsUpgrade(connPid, '/echo')
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  gun.wsSend(connPid, streamRef, [['text', 'Hello!'], ['binary', Buffer.of(1, 2)], 'close'])
  // A selective receive may take a later message first.
  const binary = await self.receive([{ type: 'gun_ws', streamRef, frame: ['binary', P.any] }])
  const text = await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', P.string] }])
  // The server's close frame is the last one, and then the connection is down.
  const { frame } = await self.receive([{ type: 'gun_ws', streamRef }])
  const { reason } = await self.receive([{ type: 'gun_down', connPid, protocol: 'ws' }])
  // #endregion
  assert.deepEqual(
    [text.frame, binary.frame],
    [
      ['text', 'Hello!'],
      ['binary', Buffer.of(1, 2)],
    ],
  )
  assert.ok(frame === 'close' || frame[0] === 'close')
  assert.equal(reason, 'normal')
})

test('messages are compressed, and come one at a time', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/types/WsOpts, gun/updateFlow
  const wsOpts = { compress: true, flow: 1, silencePings: false } as const
  const streamRef = gun.wsUpgrade(connPid, '/echo', {}, wsOpts)
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  gun.wsSend(connPid, streamRef, ['ping', ['text', 'Hello!']])
  // Pings and pongs come as well, and count.
  const pong = await self.receive([{ type: 'gun_ws', connPid, streamRef }])
  // No more is read from the server until the next message is asked for.
  gun.updateFlow(connPid, streamRef, 1)
  const hello = await self.receive([{ type: 'gun_ws', connPid, streamRef }])
  // #endregion
  assert.deepEqual([pong.frame, hello.frame], ['pong', ['text', 'Hello!']])
})

test('compression can be tuned', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/types/CompressOpts
  // Saves memory where there are many connections: each message is compressed by itself.
  const compress = { clientNoContextTakeover: true, serverNoContextTakeover: true, threshold: 512 }
  const streamRef = gun.wsUpgrade(connPid, '/echo', {}, { compress })
  await gun.await(connPid, streamRef)
  const extensions = gun.streamInfo(connPid, streamRef)?.websocket?.extensions
  // #endregion
  assert.match(String(extensions), /client_no_context_takeover/)
  assert.match(String(extensions), /server_no_context_takeover/)
})

test('a WebSocket is there again when its connection is', async () => {
  let subscriptions = 0
  await using server = await websocketServer({
    onConnection(socket) {
      socket.on('message', () => {
        subscriptions++
        socket.terminate()
      })
    },
  })
  const { port } = server
  // #region gun/types/WsOpts
  const subscriber = spawn<gun.GunMessage>(async self => {
    const wsOpts = { reupgrade: true, keepalive: 30_000, keepaliveTolerance: 2 }
    const connPid = gun.open('localhost', port, { owner: self, wsOpts })
    gun.wsUpgrade(connPid, '/feed')
    for (;;) {
      // Comes anew with each connection, and for the same stream: the time to subscribe again.
      const { streamRef } = await self.receive([{ type: 'gun_upgrade', connPid }])
      gun.wsSend(connPid, streamRef, ['text', 'subscribe'])
    }
  })
  // #endregion
  await eventually(() => subscriptions > 1, 'there is a second subscription')
  exit(subscriber, 'shutdown')
  await subscriber.exited
})

test('an upgrade that is refused while the server restarts is requested again', async () => {
  let upgrades = 0
  await using server = await websocketServer({
    refuse: () => (++upgrades === 2 ? { status: 503 } : undefined),
    onConnection: socket => void (upgrades === 1 && socket.terminate()),
  })
  const { port } = server
  await using self = createProcess<gun.GunMessage>()
  // #region gun/types/ReupgradeOpts, gun/messages/gun_notify
  // After 50 ms, 100 ms, 200 ms and so on, each more or less, and 20 times at most.
  const reupgrade = { statuses: [502, 503], minDelay: 50, maxDelay: 10_000, attempts: 20 }
  const connPid = gun.open('localhost', port, { owner: self, wsOpts: { reupgrade } })
  const streamRef = gun.wsUpgrade(connPid, '/feed')
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  // The server restarts, and refuses its first visitors.
  await self.receive([{ type: 'gun_down', connPid }])
  const { data } = await self.receive([{ type: 'gun_notify', event: 'upgrade_refused', streamRef }])
  const pause = `${data.status}: once more in ${data.retryIn} ms`
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  // #endregion
  assert.match(pause, /^503: once more in \d+(\.\d+)? ms$/)
  gun.close(connPid)
})
