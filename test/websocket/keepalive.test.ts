// Pings: those that we send and count the answers of, and those of the peer, each of which is answered.

import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Peer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { eventually, heldUp } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  assertNothingSent,
  close,
  ping,
  pong,
  type Scene,
  text,
  upgraded,
  wires,
} from '../support/websocket-scene.ts'

const PERIOD = 1000

interface Interval {
  readonly call: () => void
  readonly period: number
  due: number
}

/** A clock for intervals. Node 20's goes on with one that was cleared from its own callback. */
function mockIntervals(t: TestContext): (ms: number) => void {
  let now = 0
  const running = new Set<Interval>()
  t.mock.method(globalThis, 'setInterval', (call: () => void, period: number) => {
    const interval = { call, period, due: now + period }
    running.add(interval)
    return interval
  })
  t.mock.method(globalThis, 'clearInterval', (interval: Interval) => running.delete(interval))
  return ms => {
    const end = now + ms
    for (;;) {
      const [next] = [...running].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
      if (next === undefined) break
      now = next.due
      next.due += next.period
      next.call()
    }
    now = end
  }
}

async function receivePing(peer: Peer): Promise<void> {
  const { opcode, payload, masked } = await receiveFrame(peer)
  assert.deepEqual([opcode, payload.length, masked], [opcodes.ping, 0, true])
}

const isUp = ({ connPid, streamRef, isH2 }: Scene): boolean =>
  isH2
    ? gun.streamInfo(connPid, streamRef) !== undefined
    : gun.info(connPid).stateName === 'connected_ws_only'

/** Leaves so many pings unanswered, then lets a millisecond less than a period pass, and then that one. */
async function runsOut(it: Scene, tick: (ms: number) => void, tolerance: number): Promise<void> {
  for (let n = 0; n < tolerance; n++) {
    tick(PERIOD)
    await receivePing(it.peer)
  }
  tick(PERIOD - 1)
  assert.ok(isUp(it))
  tick(1)
  // What may have come is looked for before.
  await eventually(() => !isUp(it), 'it is given up')
}

for (const wire of wires) {
  describe(`keepalive over ${wire}`, () => {
    test('sends a ping each time so many milliseconds have passed, answered or not', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockIntervals(t)
      await using it = await upgraded(wire, { wsOpts: { keepalive: PERIOD } })
      for (const isAnswered of [true, false, false, false, true, false]) {
        tick(PERIOD - 1)
        await assertNothingSent(it.peer)
        tick(1)
        await receivePing(it.peer)
        await assertNothingSent(it.peer)
        if (isAnswered) await it.peer.send(pong())
      }
      assert.ok(isUp(it))
      assert.equal(it.self.messageQueueLength, 0)
    })

    test('sends none unless it is asked to', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockIntervals(t)
      await using it = await upgraded(wire, { wsOpts: { keepaliveTolerance: 1 } })
      tick(2 ** 31 - 1)
      await assertNothingSent(it.peer)
    })

    for (const tolerance of [1, 2, 5]) {
      test(`tolerates ${tolerance} unanswered in a row, and with the next one due gives up`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = mockIntervals(t)
        const wsOpts = { keepalive: PERIOD, keepaliveTolerance: tolerance }
        await using it = await upgraded(wire, { wsOpts, opts: { retry: 0 } })
        await runsOut(it, tick, tolerance)
        const message = await it.self.receive([{ type: 'gun_error' }])
        assert.equal(message.reason.kind, it.isH2 ? 'stream_error' : 'connection_error')
        assert.equal(message.reason.message, `${tolerance} pings, one each 1000 ms, were not answered`)
        assert.deepEqual(await it.story(), it.ending('keepalive_timeout').slice(1))
        // The client sends neither a close frame nor another ping to a peer that does not read.
        tick(10 * PERIOD)
        assert.equal((await it.peer.receiveAll()).length, 0)
      })
    }

    test('counts anew after each answer, late as it may be', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockIntervals(t)
      const wsOpts = { keepalive: PERIOD, keepaliveTolerance: 2, silencePings: false }
      await using it = await upgraded(wire, { wsOpts, opts: { retry: 0 } })
      for (const payload of ['', 'an answer to nothing']) {
        for (let n = 0; n < 2; n++) {
          tick(PERIOD)
          await receivePing(it.peer)
        }
        tick(PERIOD - 1)
        await it.peer.send(pong(payload))
        assert.equal((await it.heard(1))[0], payload === '' ? 'ws pong' : `ws pong,${payload}`)
        tick(1)
        await receivePing(it.peer)
        assert.ok(isUp(it))
        await it.peer.send(pong())
        await it.heard(1)
      }
      await runsOut(it, tick, 2)
      assert.deepEqual(await it.story(), it.ending('keepalive_timeout'))
    })

    for (const [what, unread] of [
      ['', 0],
      [', and that has left more unread than a socket holds', 16 * 1024 * 1024],
    ] as const) {
      test(`finds a peer that is gone without a word${what}, and makes the connection again`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = mockIntervals(t)
        const wsOpts = { keepalive: PERIOD, keepaliveTolerance: 3, reupgrade: true }
        await using it = await upgraded(wire, { wsOpts })
        it.peer.socket.pause()
        gun.wsSend(it.connPid, it.streamRef, ['binary', Buffer.alloc(unread)])
        for (let n = 0; n < 3; n++) {
          tick(PERIOD)
          await turn()
        }
        assert.ok(isUp(it))
        tick(PERIOD)
        if (it.isH2) {
          // Only the stream is lost, and nothing brings that back.
          assert.deepEqual(await it.story(), it.ending('keepalive_timeout'))
          return
        }
        assert.deepEqual(await it.heard(2), ['down ws: keepalive_timeout, killed 0', 'up'])
        const peer = await it.next()
        await peer.send(switchingProtocols(await peer.receiveRequest()))
        assert.deepEqual(await it.heard(1), ['upgrade'])
        tick(PERIOD)
        await receivePing(peer)
      })
    }

    test('counts nothing while a mailbox holds up reading, and anew when it goes on', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockIntervals(t)
      await using it = await upgraded(wire, {
        wsOpts: { keepalive: PERIOD, keepaliveTolerance: 2 },
        opts: { retry: 0 },
        ownerOptions: { highWaterMark: { messages: 10 } },
      })
      // A stream that is held up lets the socket be read.
      const isPaused = () =>
        it.isH2 ? it.self.messageQueueLength > 10 : (gun.info(it.connPid).socket?.isPaused() ?? false)
      tick(PERIOD)
      await receivePing(it.peer)
      await it.peer.send(Buffer.concat(Array.from({ length: 20 }, (_, n) => text(`${n}`))))
      await eventually(heldUp(isPaused), 'reading was never held up')
      for (let n = 0; n < 10; n++) {
        tick(PERIOD)
        await receivePing(it.peer)
      }
      assert.ok(isUp(it))
      it.self.flush({ type: 'gun_ws' })
      await eventually(() => !isPaused(), 'reading never went on')
      await runsOut(it, tick, 2)
      assert.deepEqual(await it.story(), it.ending('keepalive_timeout'))
    })

    test('counts nothing while the flow is used up, and anew when it goes on', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockIntervals(t)
      await using it = await upgraded(wire, {
        wsOpts: { keepalive: PERIOD, keepaliveTolerance: 2, flow: 1 },
        opts: { retry: 0 },
      })
      tick(PERIOD)
      await receivePing(it.peer)
      await it.peer.send(Buffer.concat([text('1'), text('2')]))
      assert.deepEqual(await it.heard(1), ['ws text,1'])
      for (let n = 0; n < 10; n++) {
        tick(PERIOD)
        await receivePing(it.peer)
      }
      assert.ok(isUp(it))
      gun.updateFlow(it.connPid, it.streamRef, 100)
      assert.deepEqual(await it.heard(1), ['ws text,2'])
      await runsOut(it, tick, 2)
      assert.deepEqual(await it.story(), it.ending('keepalive_timeout'))
    })

    for (const [what, say, code] of [
      [
        'a close frame of ours',
        (it: Scene) => gun.wsSend(it.connPid, it.streamRef, ['close', 1000, '']),
        1000,
      ],
      ['the close frame of a shutdown', (it: Scene) => gun.shutdown(it.connPid), 1001],
      ["the answer to the peer's close frame", (it: Scene) => it.peer.send(close(1002)), 1002],
    ] as const) {
      test(`sends no ping after ${what}, and counts none`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = mockIntervals(t)
        const wsOpts = { keepalive: PERIOD, keepaliveTolerance: 1 }
        await using it = await upgraded(wire, { wsOpts, opts: { retry: 0 } })
        await say(it)
        const { opcode, payload } = await receiveFrame(it.peer)
        assert.deepEqual([opcode, payload], [opcodes.close, closePayload(code)])
        for (let n = 0; n < 3; n++) tick(PERIOD)
        assert.equal(gun.streamInfo(it.connPid, it.streamRef)?.state, 'stopping')
        it.peer.end(code === 1002 ? undefined : close(code))
        const told = await it.story()
        if (!it.isH2 || code === 1001) assert.match(told.at(-1) ?? '', /^DOWN: (normal|shutdown)$/)
        assert.equal((await it.peer.receiveAll()).length, 0)
      })
    }
  })

  describe(`a ping of the peer over ${wire}`, () => {
    async function assertPongs(peer: Peer, payloads: readonly string[]): Promise<void> {
      for (const expected of payloads) {
        const { opcode, payload, masked, fin } = await receiveFrame(peer)
        assert.deepEqual([opcode, String(payload), masked, fin], [opcodes.pong, expected, true, true])
      }
    }
    const payloads = ['', 'a', 'é€😀', 'b'.repeat(125)]

    for (const how of ['whole', 'bytes'] as const) {
      const said = how === 'whole' ? 'in one chunk with others' : 'byte by byte'
      test(`is answered with what it carries, ${said}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire)
        await it.peer.send(Buffer.concat(payloads.map(payload => ping(payload))), how)
        await assertPongs(it.peer, payloads)
        assert.equal(it.self.messageQueueLength, 0)
      })
    }

    test('is answered between the fragments of a message', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const part = (opcode: number, payload: string, fin: boolean) => frame({ opcode, payload, fin })
      const { text, continuation } = opcodes
      await it.peer.send(Buffer.concat([part(text, 'a', false), ping('1'), ping('2')]))
      await assertPongs(it.peer, ['1', '2'])
      await it.peer.send(
        Buffer.concat([part(continuation, 'b', false), ping('3'), part(continuation, 'c', true)]),
      )
      await assertPongs(it.peer, ['3'])
      assert.deepEqual(await it.heard(1), ['ws text,abc'])
    })

    test('is answered when it is read, behind messages that had to wait', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { flow: 1 } })
      await it.peer.send(Buffer.concat([ping('1'), text('a'), ping('2'), text('b'), ping('3'), ping('4')]))
      assert.deepEqual(await it.heard(1), ['ws text,a'])
      await assertPongs(it.peer, ['1'])
      gun.updateFlow(it.connPid, it.streamRef, 1)
      assert.deepEqual(await it.heard(1), ['ws text,b'])
      gun.wsSend(it.connPid, it.streamRef, ['pong', Buffer.from('ours')])
      await assertPongs(it.peer, ['2', 'ours'])
      gun.updateFlow(it.connPid, it.streamRef, 1)
      await assertPongs(it.peer, ['3', '4'])
    })

    test('is not answered any more once a close frame was sent', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { silencePings: false } })
      gun.wsSend(it.connPid, it.streamRef, 'close')
      assert.equal((await receiveFrame(it.peer)).opcode, opcodes.close)
      it.peer.end(Buffer.concat([ping('too late'), close()]))
      const told = await it.story()
      assert.deepEqual(told, ['ws ping,too late', 'ws close', ...it.closed])
      assert.equal((await it.peer.receiveAll()).length, 0)
    })

    test('is delivered with silencePings: false, as a pong is, with what it carries', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { silencePings: false } })
      await it.peer.send(Buffer.concat([ping(), ping('a'), pong(), pong('b')]))
      const frames: gun.WsFrameIn[] = []
      while (frames.length < 4) frames.push((await it.self.receive([{ type: 'gun_ws' }])).frame)
      assert.deepEqual(frames, ['ping', ['ping', Buffer.from('a')], 'pong', ['pong', Buffer.from('b')]])
      await assertPongs(it.peer, ['', 'a'])
    })
  })
}
