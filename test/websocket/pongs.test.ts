// Pings are answered, each of them or, of many for whose answers there is no room, the last; memory stays bounded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { opcodes, parseClientFrames, receiveFrame } from '@holster/testing/frames'
import { settle, until } from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { ping, text, upgraded, wires } from '../support/websocket-scene.ts'

const KIB = 1024
const MIB = 1024 * KIB
const SIZE = 125

function numbered(n: number): Buffer {
  const payload = Buffer.alloc(SIZE)
  payload.writeUInt32BE(n)
  return payload
}

/** The pings with the numbers from `from` on. */
const pings = (count: number, from = 0): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => ping(numbered(from + i))))

for (const wire of wires) {
  test(`a peer that pings and does not read gets no more answers than there is room for, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, {})
    const { connPid, self, streamRef } = it
    const waiting = () => gun.streamInfo(connPid, streamRef)?.websocket?.bufferedBytes ?? 0
    const socket = it.peer.detach()
    let most = 0
    let sent = 0
    const send = async () => {
      await new Promise(done => socket.write(pings(1000, sent), done))
      sent += 1000
      most = Math.max(most, waiting())
    }
    // Until the buffers of both kernels, or the stream's window, are full; and from then on as many again.
    while (most < 32 * KIB) await send()
    for (let n = sent; n > 0; n -= 1000) await send()
    socket.write(text('that was all'))
    await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', 'that was all'] }])
    most = Math.max(most, waiting())
    assert.ok(most < 192 * KIB, `${most} bytes wait`)

    // Once it reads it gets, in order, the answers that have left and that to the last ping.
    let rest: Buffer = Buffer.alloc(0)
    const numbers: number[] = []
    socket.on('data', (chunk: Buffer) => {
      const parsed = parseClientFrames(Buffer.concat([rest, chunk]))
      rest = parsed.rest
      for (const { opcode, payload } of parsed.frames) {
        assert.equal(opcode, opcodes.pong)
        assert.equal(payload.length, SIZE)
        numbers.push(payload.readUInt32BE())
      }
    })
    socket.resume()
    await until(() => numbers.at(-1) === sent - 1)
    assert.ok(numbers.every((n, i) => i === 0 || n > (numbers[i - 1] as number)))
    assert.ok(numbers.length < sent)
    // And from then on each.
    socket.write(Buffer.concat([ping(numbered(sent)), ping(numbered(sent + 1))]))
    await until(() => numbers.at(-1) === sent + 1)
    assert.equal(numbers.at(-2), sent)
    assert.equal(waiting(), 0)
    gun.close(connPid)
    await settle()
    socket.destroy()
  })

  test(`whoever sends without a pause does not keep the last ping from its answer, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, { wsOpts: { sendHighWaterMark: MIB } })
    const { connPid, self, streamRef, peer } = it
    const message: gun.WsFrame = ['binary', Buffer.alloc(256 * KIB)]
    let isOver = false
    const sending = (async () => {
      while (!isOver) {
        if (gun.wsSend(connPid, streamRef, message)) continue
        await self.receive([{ type: 'gun_notify', event: 'drain' }])
      }
    })()
    await peer.send(pings(10_000))
    const seen: number[] = []
    while (seen.at(-1) !== 9999) {
      const { opcode, payload } = await receiveFrame(peer)
      if (opcode === opcodes.pong) seen.push(payload.readUInt32BE())
    }
    isOver = true
    const drained = peer.receiveAll()
    await sending
    gun.close(connPid)
    await drained
  })

  test(`pings that come behind as many as are answered in one piece are answered each, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, {})
    for (let round = 0; round < 3; round++) {
      await it.peer.send(pings(100, round * 100))
      for (let n = round * 100; n < (round + 1) * 100; n++) {
        assert.equal((await receiveFrame(it.peer)).payload.readUInt32BE(), n)
      }
    }
  })
}
