// A slow owner holds up the server, not the memory: reading stops past the high-water mark, and goes on at half.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Process, type ProcessOptions } from '@holster/process'
import { certificates, type Peer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { heldUp } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

type Transport = 'tcp' | 'tls'
const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** The server's side of the next connection. */
  peer(): Promise<Peer>
}

async function scene(
  transport: Transport,
  self: Process<gun.GunMessage>,
  opts: gun.Opts = {},
): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    transport,
    tlsOpts: { ca: certificates.ca },
    ...opts,
  })
  await gun.awaitUp(connPid, 10_000)
  return {
    self,
    connPid,
    async peer() {
      return (await peers.receive([{ type: 'peer' }], 10_000)).peer
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      await server.close()
    },
  }
}

interface Upgraded extends Scene {
  readonly streamRef: gun.StreamRef
  readonly socket: Peer
}

async function websocket(it: Scene): Promise<Upgraded> {
  const streamRef = gun.wsUpgrade(it.connPid, '/')
  const socket = await it.peer()
  await socket.send(switchingProtocols(await socket.receiveRequest()))
  await it.self.receive([{ type: 'gun_upgrade', streamRef }], 10_000)
  return { ...it, streamRef, socket }
}

function slow(highWaterMark: NonNullable<ProcessOptions['highWaterMark']>): Process<gun.GunMessage> {
  return createProcess<gun.GunMessage>({ highWaterMark })
}

const isPaused = ({ connPid }: Scene): boolean => gun.info(connPid).socket?.isPaused() ?? false

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

/** Sends frames with their numbers, and so many bytes each, until `count`. */
async function flood(peer: Peer, count: number, size: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) {
    const payload = Buffer.alloc(size)
    payload.writeUInt32BE(n)
    await peer.send(frame({ opcode: opcodes.binary, payload }))
    await turn()
  }
}

/** Takes as many frames as there are numbers, in their order. */
async function takeInOrder({ self, streamRef }: Upgraded, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) {
    const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], 10_000)
    assert.ok(frame[0] === 'binary')
    assert.equal((frame[1] as Buffer).readUInt32BE(), n)
  }
}

for (const transport of transports) {
  describe(`over ${transport}`, () => {
    test('reading stops past the mark in messages, goes on at half, and nothing is lost', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using it = await scene(transport, self)
      const ws = await websocket(it)
      const flooding = flood(ws.socket, 3000, 4)
      await until(heldUp(() => isPaused(ws)))
      const waiting = self.messageQueueLength
      assert.ok(waiting > 100, `${waiting} wait`)
      for (let i = 0; i < 100; i++) await turn()
      assert.equal(self.messageQueueLength, waiting)
      await takeInOrder(ws, waiting - 51)
      assert.ok(isPaused(ws))
      await takeInOrder(ws, 1, waiting - 51)
      await until(() => self.messageQueueLength > 50)
      await takeInOrder(ws, 3000 - waiting + 50, waiting - 50)
      await flooding
      assert.equal(self.messageQueueLength, 0)
    })

    test('reading stops past the mark in bytes, so that memory stays bounded', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const mark = 1024 * 1024
      await using self = slow({ bytes: mark })
      await using it = await scene(transport, self)
      const ws = await websocket(it)
      const size = 64 * 1024
      let sent = 0
      const flooding = (async () => {
        for (; sent < 1000; sent++) await flood(ws.socket, 1, size, sent)
      })()
      await until(heldUp(() => isPaused(ws)))
      // The buffers of both kernels fill up, and then the server waits.
      for (let before = -1; before !== sent; ) {
        before = sent
        for (let i = 0; i < 1000; i++) await turn()
      }
      assert.ok(sent < 1000, 'the server was not held up')
      assert.ok(self.messageQueueLength * size < 2 * mark, `${self.messageQueueLength} messages wait`)
      await takeInOrder(ws, 1000)
      await flooding
    })

    test('a body is held up, too', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const mark = 1024 * 1024
      await using self = slow({ bytes: mark })
      await using it = await scene(transport, self)
      const streamRef = gun.get(it.connPid, '/')
      const peer = await it.peer()
      await peer.receiveRequest()
      const length = 64 * 1024 * 1024
      let sent = 0
      const sending = (async () => {
        await peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`)
        for (; sent < length; sent += 65_536) {
          await peer.send(Buffer.alloc(65_536, sent / 65_536))
          await turn()
        }
      })()
      await until(heldUp(() => isPaused(it)))
      for (let before = -1; before !== sent; ) {
        before = sent
        for (let i = 0; i < 1000; i++) await turn()
      }
      assert.ok(sent < length, 'the server was not held up')
      await self.receive([{ type: 'gun_response', streamRef }], 10_000)
      let received = 0
      for (;;) {
        const { data, isFin } = await self.receive([{ type: 'gun_data', streamRef }], 10_000)
        for (let at = 0; at < data.length; at += 4096) {
          assert.equal(data[at], Math.floor((received + at) / 65_536) % 256)
        }
        received += data.length
        if (isFin === 'fin') break
      }
      assert.equal(received, length)
      await sending
    })

    test('a WebSocket whose upgrade waited behind what the owner did not take is read', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 10 })
      await using it = await scene(transport, self)
      const streamRef = gun.wsUpgrade(it.connPid, '/')
      const socket = await it.peer()
      const request = await socket.receiveRequest()
      await socket.send('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50) + switchingProtocols(request))
      await until(heldUp(() => isPaused(it)))
      for (let n = 0; n < 50; n++) await self.receive([{ type: 'gun_inform', streamRef }], 10_000)
      await self.receive([{ type: 'gun_upgrade', streamRef }], 10_000)
      await flood(socket, 1, 4)
      await takeInOrder({ ...it, streamRef, socket }, 1)
    })

    test('a receive that waits for what is still on the wire is not held up', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using it = await scene(transport, self)
      const ws = await websocket(it)
      const flooding = flood(ws.socket, 2000, 4).then(() =>
        ws.socket.send(frame({ opcode: opcodes.text, payload: 'at last' })),
      )
      await until(heldUp(() => isPaused(ws)))
      const { streamRef } = ws
      const last = await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', 'at last'] }], 10_000)
      assert.equal(last.frame[1], 'at last')
      await takeInOrder(ws, 2000)
      await flooding
    })

    test('a receive that waits for another stream does not let in what it does not wait for', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using one = await scene(transport, self)
      await using other = await scene(transport, self)
      const loud = await websocket(one)
      const quiet = await websocket(other)
      const flooding = flood(loud.socket, 1000, 4)
      await until(heldUp(() => isPaused(loud)))
      const waiting = self.receive([{ type: 'gun_ws', streamRef: quiet.streamRef }], 10_000)
      for (let i = 0; i < 100; i++) await turn()
      assert.ok(isPaused(loud))
      assert.equal(isPaused(quiet), false)
      await quiet.socket.send(frame({ opcode: opcodes.text, payload: 'heard' }))
      assert.deepEqual((await waiting).frame, ['text', 'heard'])
      await takeInOrder(loud, 1000)
      await flooding
    })

    test('both connections of one owner are held up, and both go on', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using one = await scene(transport, self)
      await using other = await scene(transport, self)
      const first = await websocket(one)
      const second = await websocket(other)
      const flooding = [flood(first.socket, 1000, 4), flood(second.socket, 1000, 4)]
      await until(heldUp(() => isPaused(first) && isPaused(second)))
      await takeInOrder(first, 1000)
      await takeInOrder(second, 1000)
      await Promise.all(flooding)
    })

    test('a reply-to that is slow holds up its connection, its owner does not', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = createProcess<gun.GunMessage>()
      await using replyTo = slow({ messages: 100 })
      await using it = await scene(transport, self)
      const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { replyTo })
      const socket = await it.peer()
      await socket.send(switchingProtocols(await socket.receiveRequest()))
      const flooding = flood(socket, 1000, 4)
      await until(heldUp(() => isPaused(it)))
      await takeInOrder({ ...it, self: replyTo, streamRef, socket }, 1000)
      await flooding
    })

    test('in closing reading never pauses', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using it = await scene(transport, self)
      const ws = await websocket(it)
      const ref = self.monitor(ws.connPid)
      const flooding = flood(ws.socket, 1000, 4)
      await until(heldUp(() => isPaused(ws)))
      gun.wsSend(ws.connPid, ws.streamRef, 'close')
      assert.equal(isPaused(ws), false)
      // Nobody receives, but the socket is read until the server answers.
      await receiveFrame(ws.socket)
      await flooding
      ws.socket.end(frame({ opcode: opcodes.close, payload: closePayload(1000) }))
      await until(() => gun.info(ws.connPid).stateName === 'terminated')
      await takeInOrder(ws, 1000)
      assert.equal((await self.receive([{ type: 'DOWN', ref }], 10_000)).reason, 'normal')
    })

    test('a mailbox that is over its mark holds up the next connection as well', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 10 })
      await using it = await scene(transport, self)
      const first = gun.get(it.connPid, '/1')
      const peer = await it.peer()
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\n')
      for (let i = 0; i < 50; i++) {
        await peer.send('x')
        await turn()
      }
      await until(heldUp(() => isPaused(it)))
      // The server closes after this response; who waits for the next connection lets it be read to its end.
      const up = self.receive([{ type: 'gun_up' }], 10_000)
      assert.equal(isPaused(it), false)
      await peer.send('x'.repeat(50))
      await up
      assert.ok(self.messageQueueLength > 10)
      const second = gun.get(it.connPid, '/2')
      const next = await it.peer()
      await next.receiveRequest()
      await next.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello')
      await until(heldUp(() => isPaused(it)))
      gun.flush(first)
      await gun.await(it.connPid, second, 10_000)
      const { body } = await gun.awaitBody(it.connPid, second, 10_000)
      assert.equal(String(body), 'hello')
    })

    test('close while reading is paused ends at once, and the mailbox keeps what it has', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using it = await scene(transport, self)
      const ws = await websocket(it)
      flood(ws.socket, 1000, 4).catch(() => {})
      await until(heldUp(() => isPaused(ws)))
      const waiting = self.messageQueueLength
      gun.close(ws.connPid)
      assert.equal(gun.info(ws.connPid).stateName, 'terminated')
      await takeInOrder(ws, waiting)
      const { reason } = await self.receive([{ type: 'gun_error', streamRef: ws.streamRef }], 10_000)
      assert.equal(reason.code, 'shutdown')
      // Another connection of the same owner is not held up by the memory of this one.
      await using next = await websocket(await scene(transport, self))
      await flood(next.socket, 50, 4)
      await takeInOrder(next, 50)
    })

    test('an owner that dies while reading is paused lets the connection go', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using self = slow({ messages: 100 })
      await using watcher = createProcess<gun.GunMessage>()
      await using it = await scene(transport, self)
      const ws = await websocket(it)
      const ref = watcher.monitor(ws.connPid)
      flood(ws.socket, 500, 4).catch(() => {})
      await until(heldUp(() => isPaused(ws)))
      self.exit()
      assert.deepEqual((await receiveFrame(ws.socket)).payload, closePayload(1001))
      ws.socket.end(frame({ opcode: opcodes.close, payload: closePayload(1001) }))
      assert.equal((await watcher.receive([{ type: 'DOWN', ref }], 10_000)).reason, 'normal')
    })
  })
}
