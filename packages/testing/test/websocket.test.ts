// The server's side of a WebSocket: frames are values both ways, and rules are broken with bytes.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { frame, opcodes } from '../src/frames.ts'
import {
  acceptUpgrade,
  assertNothingLeft,
  type ScriptedServer,
  type ScriptedServerOptions,
  startServer,
  type Transport,
  type WebSocketPeer,
} from '../src/index.ts'

const PATIENCE = 5000

interface Scene {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly streamRef: gun.StreamRef
}

/** Opens a WebSocket to a server, and plays a test with it. */
async function withWebSocket(
  server: ScriptedServer,
  play: (scene: Scene) => Promise<void>,
  wsOpts: gun.WsOpts = {},
): Promise<void> {
  await using self = createProcess<gun.GunMessage>()
  const opts = { ...server.opts, owner: self, protocols: ['http'] as const, retry: 0 }
  await using connPid =
    server.path === undefined ? gun.open(server.host, server.port, opts) : gun.openUnix(server.path, opts)
  await gun.awaitUp(connPid, PATIENCE)
  const streamRef = gun.wsUpgrade(connPid, '/chat', {}, wsOpts)
  await self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
  await play({ self, connPid, streamRef })
}

/** A server whose script talks to a WebSocket. */
const serving = (
  script: (socket: WebSocketPeer) => unknown,
  options?: ScriptedServerOptions,
): Promise<ScriptedServer> => startServer(async peer => script(await acceptUpgrade(peer)), options)

describe('a scripted WebSocket', () => {
  for (const transport of ['tcp', 'tls', 'unix'] satisfies Transport[]) {
    test(`sends and receives each kind of frame over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const received: gun.WsFrameIn[] = []
      await using server = await serving(
        async socket => {
          await socket.send(
            ['text', 'Grüße'],
            ['binary', Buffer.of(1, 2)],
            'ping',
            ['ping', Buffer.of(3)],
            'pong',
          )
          for (let count = 0; count < 4; count++) received.push(await socket.receive())
          await socket.send(['close', 4000, 'bye'])
          received.push(await socket.receive())
          socket.peer.end()
        },
        { transport },
      )
      await withWebSocket(
        server,
        async ({ self, connPid, streamRef }) => {
          const heard: gun.WsFrameIn[] = []
          for (let count = 0; count < 5; count++) {
            const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
            heard.push(frame)
          }
          assert.deepEqual(heard, [
            ['text', 'Grüße'],
            ['binary', Buffer.of(1, 2)],
            'ping',
            ['ping', Buffer.of(3)],
            'pong',
          ])
          gun.wsSend(connPid, streamRef, [
            ['text', 'Hello'],
            ['binary', Buffer.of(4)],
          ])
          const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
          assert.deepEqual(frame, ['close', 4000, 'bye'])
          await server.finished()
        },
        { silencePings: false },
      )
      assert.deepEqual(received, [
        'pong',
        ['pong', Buffer.of(3)],
        ['text', 'Hello'],
        ['binary', Buffer.of(4)],
        ['close', 4000, ''],
      ])
    })
  }

  test('gives frames until the client closes, and answers its close frame', async () => {
    await using _left = assertNothingLeft()
    const texts: gun.WsFrameIn[] = []
    await using server = await serving(async socket => {
      for await (const each of socket) {
        texts.push(each)
        await socket.send(['text', 'echo'])
      }
    })
    await withWebSocket(server, async ({ self, connPid, streamRef }) => {
      gun.wsSend(connPid, streamRef, ['text', 'one'])
      await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', 'echo'] }], PATIENCE)
      self.monitor(connPid)
      gun.shutdown(connPid)
      const { reason } = await self.receive([{ type: 'DOWN', pid: connPid }], PATIENCE)
      assert.equal(reason, 'shutdown')
      await server.finished()
    })
    assert.deepEqual(texts, [['text', 'one']])
  })

  test('closes in order, and gives the close frame of the client', async () => {
    await using server = await serving(async socket => {
      assert.deepEqual(await socket.close(1001, 'going'), ['close', 1001, ''])
    })
    await withWebSocket(server, async ({ self, streamRef }) => {
      const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
      assert.deepEqual(frame, ['close', 1001, 'going'])
      await server.finished()
    })
  })

  test('chooses a subprotocol, and has the request and header fields', async () => {
    await using server = await startServer(async peer => {
      const { request } = await acceptUpgrade(peer, { headers: [['X-Room', '7']] })
      assert.equal(request.path, '/chat')
      assert.equal(request.header('upgrade'), 'websocket')
      await peer.closed
    })
    await using self = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner: self, retry: 0 })
    const streamRef = gun.wsUpgrade(connPid, '/chat')
    const { headers } = await self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
    assert.deepEqual(
      headers.find(([name]) => name === 'x-room'),
      ['x-room', '7'],
    )
    gun.close(connPid)
    await server.finished()
  })

  test('breaks the rules with bytes', async () => {
    await using server = await serving(socket =>
      socket.peer.send(frame({ opcode: opcodes.text, payload: Buffer.of(0xff) })),
    )
    await withWebSocket(server, async ({ self, streamRef }) => {
      const { reason } = await self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
      assert.ok(reason instanceof gun.GunError)
      assert.equal(reason.code, 'badencoding')
    })
  })

  test('fails its script where the request asks for no WebSocket', async () => {
    const server = await serving(() => {})
    await using self = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner: self, retry: 0 })
    const streamRef = gun.get(connPid, '/')
    await self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
    await assert.rejects(server.finished(), /the request has no Sec-WebSocket-Key/)
    await server.close()
  })
})
