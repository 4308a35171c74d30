/** A look into a connection: the facts that an observer shows, at any time of its life. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { lookInto } from '@holster/gun/internal'
import { createProcess } from '@holster/process'
import { frame, opcodes, receiveFrame } from '@holster/testing/frames'
import { createActor } from 'xstate'
import { eventually, freePort, PATIENCE } from '../support/client.ts'
import { ends, httpEnds } from '../support/http-ends.ts'
import { scene } from '../support/http2-scene.ts'
import { origin } from '../support/origin.ts'
import { close, ping, text, upgraded, wires } from '../support/websocket-scene.ts'
import { websocketServer } from '../support/websocket-server.ts'

test('a connection tells when it was opened, and that its first attempt has begun', async () => {
  const before = Date.now()
  await using server = await origin(peer => peer.receiveRequest())
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', server.port, { owner, retry: 3 })
  const seen = lookInto(connPid)
  assert.equal(seen.connPid, connPid)
  assert.ok(seen.openedAt >= before && seen.openedAt <= Date.now())
  assert.deepEqual([seen.attempts, seen.failures, seen.retriesLeft], [1, 0, 3])
  assert.deepEqual(seen.states, ['domain_lookup'])
  assert.deepEqual([seen.bytesIn, seen.bytesOut, seen.unsent], [0, 0, 0])
  assert.deepEqual([seen.isPaused, seen.pressedBy, seen.streams, seen.intermediaries], [false, [], [], []])
  assert.equal(seen.lastError, undefined)
  await gun.awaitUp(connPid, PATIENCE)
  assert.deepEqual(seen.states, ['connected', 'connected.connected', 'connected.connected.accepting'])
  gun.close(connPid)
  assert.deepEqual(seen.states, ['terminated'])
  owner.exit()
})

test('a connection whose machine another machine runs tells the same states', async () => {
  await using server = await origin(peer => peer.receiveRequest())
  const owner = createProcess<gun.GunMessage>()
  const input = { host: '127.0.0.1', port: server.port, opts: { owner } }
  const actor = createActor(gun.connectionMachine, { input }).start()
  const { connPid } = actor.getSnapshot().context
  assert.deepEqual(lookInto(connPid).states, ['domain_lookup'])
  await gun.awaitUp(connPid, PATIENCE)
  assert.deepEqual(lookInto(connPid).states, [
    'connected',
    'connected.connected',
    'connected.connected.accepting',
  ])
  gun.close(connPid)
  owner.exit()
})

test('attempts that fail count in a row, and an end keeps the last error', async () => {
  const port = await freePort()
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', port, { owner, retry: 2, retryTimeout: 1 })
  owner.monitor(connPid)
  const seen = lookInto(connPid)
  await owner.receive([{ type: 'DOWN' }], PATIENCE)
  assert.deepEqual([seen.attempts, seen.failures, seen.retriesLeft], [3, 3, 0])
  assert.equal(seen.lastError?.code, 'connect_error')
  assert.deepEqual(seen.states, ['terminated'])
  owner.exit()
})

test('a server that hangs up at once makes failures, and one that has answered makes none', async () => {
  let connections = 0
  await using server = await origin(async peer => {
    if (++connections < 3) return peer.end()
    await peer.receiveRequest()
    await peer.send('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
    peer.end()
  })
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('127.0.0.1', server.port, {
    owner,
    retry: 5,
    retryFun: retries => ({ retries: retries - 1, timeout: 0 }),
  })
  const seen = lookInto(connPid)
  await owner.receive([{ type: 'gun_down' }], PATIENCE)
  await owner.receive([{ type: 'gun_down' }], PATIENCE)
  assert.equal(seen.failures, 2)
  const streamRef = gun.get(connPid, '/')
  await gun.await(connPid, streamRef, PATIENCE)
  assert.equal(seen.failures, 0)
  await owner.receive([{ type: 'gun_down' }], PATIENCE)
  assert.equal(seen.failures, 0)
  gun.close(connPid)
  owner.exit()
})

for (const transport of ['tcp', 'tls'] as const) {
  test(`bytes are those of all sockets of a connection over ${transport}`, async () => {
    await using it = await ends(transport, {
      retry: 5,
      retryFun: retries => ({ retries: retries - 1, timeout: 0 }),
    })
    const { connPid, self } = it
    const seen = lookInto(connPid)
    let sent = 0
    let received = 0
    let { peer } = it
    for (const body of ['short', 'x'.repeat(50_000)]) {
      gun.get(connPid, '/', { 'x-body': body.slice(0, 10) })
      const { head } = await peer.receiveRequest()
      sent += head.length
      const response = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
      received += response.length
      await peer.send(response)
      await self.receive([{ type: 'gun_down' }], PATIENCE)
      assert.deepEqual([seen.bytesOut, seen.bytesIn], [sent, received])
      peer.end()
      peer = await it.next()
      await self.receive([{ type: 'gun_up' }], PATIENCE)
    }
    assert.deepEqual([seen.bytesOut, seen.bytesIn], [sent, received])
    assert.equal(seen.attempts, 3)
  })
}

for (const wire of wires) {
  test(`frames of a WebSocket are counted each way over ${wire}`, async () => {
    await using it = await upgraded(wire, { opts: { retry: 0 } })
    const { connPid, peer, self, streamRef } = it
    const seen = lookInto(connPid)
    assert.deepEqual([seen.framesIn, seen.framesOut], [0, 0])
    gun.wsSend(connPid, streamRef, [
      ['text', 'a'],
      ['binary', Buffer.alloc(70_000)],
      ['text', 'x'.repeat(2000)],
      'ping',
    ])
    for (let left = 4; left > 0; left--) await receiveFrame(peer)
    assert.equal(seen.framesOut, 4)
    // Each fragment is a frame, and the answer to a ping is one.
    await peer.send(frame({ opcode: opcodes.text, fin: false, payload: 'one ' }))
    await peer.send(frame({ opcode: opcodes.continuation, payload: 'message' }))
    await peer.send(ping('are you there'))
    assert.equal((await receiveFrame(peer)).opcode, opcodes.pong)
    const { frame: message } = await self.receive([{ type: 'gun_ws' }], PATIENCE)
    assert.deepEqual(message, ['text', 'one message'])
    assert.deepEqual([seen.framesIn, seen.framesOut], [3, 5])
    await peer.send(close(1000))
    await receiveFrame(peer)
    await eventually(() => seen.framesOut === 6, 'the close frame is not counted')
    assert.equal(seen.framesIn, 4)
  })
}

test('frames are counted when they are compressed, and the counts go on after a reconnect', async () => {
  await using server = await websocketServer({ ws: { perMessageDeflate: { threshold: 0 } } })
  const owner = createProcess<gun.GunMessage>()
  const opts: gun.Opts = {
    owner,
    wsOpts: { compress: true },
    retryFun: retries => ({ retries: retries - 1, timeout: 0 }),
  }
  const connPid = gun.open(server.host, server.port, opts)
  const seen = lookInto(connPid)
  for (let round = 1; round <= 2; round++) {
    await owner.receive([{ type: 'gun_up' }], PATIENCE)
    const streamRef = gun.wsUpgrade(connPid, '/')
    await owner.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
    gun.wsSend(connPid, streamRef, ['text', 'hello '.repeat(1000)])
    await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
    assert.deepEqual([seen.framesIn, seen.framesOut], [round, round])
    for (const socket of server.wss.clients) socket.terminate()
    await owner.receive([{ type: 'gun_down' }], PATIENCE)
  }
  gun.close(connPid)
  owner.exit()
})

describe('the streams of a connection', () => {
  test('are those that wait for it, in order, without pings', async () => {
    const port = await freePort()
    const owner = createProcess<gun.GunMessage>()
    const retryFun = (retries: number) => ({ retries, timeout: 3_600_000 })
    const connPid = gun.open('127.0.0.1', port, { owner, retry: 1, retryFun })
    const first = gun.get(connPid, '/a')
    gun.ping(connPid)
    const second = gun.post(connPid, '/b', {})
    gun.data(connPid, second, 'nofin', 'part')
    assert.deepEqual(lookInto(connPid).streams, [first, second])
    gun.cancel(connPid, first)
    assert.deepEqual(lookInto(connPid).streams, [second])
    gun.close(connPid)
    assert.deepEqual(lookInto(connPid).streams, [])
    owner.exit()
  })

  for (const version of ['http', 'http2'] as const) {
    test(`are those that are open over ${version}, until they end`, async () => {
      await using it = await httpEnds({ version, transport: 'tcp' }, { retry: 0 })
      const { connPid, self } = it
      const first = gun.get(connPid, '/a')
      const second = gun.post(connPid, '/b', {})
      const third = gun.get(connPid, '/c')
      const isOpen = (streamRef: gun.StreamRef) => gun.streamInfo(connPid, streamRef) !== undefined
      assert.deepEqual(lookInto(connPid).streams, [first, second, third])
      assert.ok([first, second, third].every(isOpen))
      gun.cancel(connPid, third)
      assert.deepEqual(lookInto(connPid).streams, [first, second, third].filter(isOpen))
      assert.equal(lookInto(connPid).streams.includes(first), true)
      gun.close(connPid)
      assert.deepEqual(lookInto(connPid).streams, [])
      await self.receive([{ type: 'DOWN' }], PATIENCE)
    })
  }

  for (const wire of wires) {
    test(`are a WebSocket over ${wire}, once`, async () => {
      await using it = await upgraded(wire, { opts: { retry: 0 } })
      assert.deepEqual(lookInto(it.connPid).streams, [it.streamRef])
    })
  }

  test('are those asked for within a step as well', async () => {
    await using server = await origin(peer => peer.receiveRequest())
    const owner = createProcess<gun.GunMessage>()
    let seen: readonly gun.StreamRef[] = []
    let asked: gun.StreamRef | undefined
    const connectEnd = ({ connPid }: gun.ConnectionEvent) => {
      asked = gun.get(connPid, '/')
      seen = lookInto(connPid).streams
    }
    const connPid = gun.open('127.0.0.1', server.port, { owner, eventHandler: { connectEnd }, retry: 0 })
    await gun.awaitUp(connPid, PATIENCE)
    assert.deepEqual(seen, [asked])
    gun.close(connPid)
    owner.exit()
  })
})

describe('bytes that wait to be sent', () => {
  test('are those that a server of HTTP/2 gives no window for', async () => {
    await using it = await scene({ opts: { retry: 0 } })
    const { connPid } = it
    gun.post(connPid, '/', {}, Buffer.alloc(100_000))
    await it.seen()
    // RFC 9113 section 6.9.2: the first window is of 65,535 bytes.
    assert.equal(lookInto(connPid).unsent, 100_000 - 65_535)
  })

  test('are those of a body that waits behind another request', async () => {
    await using it = await ends('tcp', { retry: 0 })
    const { connPid } = it
    gun.post(connPid, '/a', {})
    const second = gun.post(connPid, '/b', {})
    gun.data(connPid, second, 'nofin', 'x'.repeat(1000))
    await it.peer.receiveRequest()
    assert.equal(lookInto(connPid).unsent, 1000)
  })
})

test('a connection that is not read names the process whose mailbox presses on it, until that takes its messages', async () => {
  const mark = { highWaterMark: { messages: 2 } }
  await using it = await upgraded('tcp', { opts: { retry: 0 }, ownerOptions: mark })
  const { connPid, peer, self } = it
  const seen = lookInto(connPid)
  for (let left = 10; left > 0; left--) await peer.send(text('hello'))
  await eventually(() => seen.isPaused, 'it is not paused')
  assert.deepEqual(seen.pressedBy, [self])
  for (let left = 10; left > 0; left--) await self.receive([{ type: 'gun_ws' }], PATIENCE)
  await eventually(() => !seen.isPaused, 'it stays paused')
  assert.deepEqual(seen.pressedBy, [])
})

test('a stream of HTTP/2 that is held up by itself counts as paused, and names its process', async () => {
  const mark = { highWaterMark: { messages: 2 } }
  await using it = await upgraded('HTTP/2 over tcp', { opts: { retry: 0 }, ownerOptions: mark })
  const { connPid, peer, self } = it
  const seen = lookInto(connPid)
  for (let left = 10; left > 0; left--) await peer.send(text('hello'))
  await eventually(() => seen.isPaused, 'it is not paused')
  assert.deepEqual(seen.pressedBy, [self])
  for (let left = 10; left > 0; left--) await self.receive([{ type: 'gun_ws' }], PATIENCE)
  await eventually(() => !seen.isPaused, 'it stays paused')
})

test('what is no connection is refused by name', () => {
  assert.throws(() => lookInto({} as never), /connPid must be a handle/)
})
