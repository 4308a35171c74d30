// Close frames: which may be sent, which may come, and what becomes of all that follows one.

import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { closePayload, frame, opcodes, receiveFrame } from '@holster/testing/frames'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  assertNothingSent,
  close,
  ping,
  type Scene,
  text,
  upgraded,
  wires,
} from '../support/websocket-scene.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

/** RFC 6455 section 7.4, and the registry of IANA that it makes. */
const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
const wrongCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]

const reasons: [what: string, reason: string][] = [
  ['no character', ''],
  ['123 characters of one byte', 'a'.repeat(123)],
  ['of two bytes', `a${'é'.repeat(61)}`],
  ['of three bytes', '€'.repeat(41)],
  ['of four bytes', `abc${'😀'.repeat(30)}`],
]

async function receiveClose({ peer }: Scene): Promise<Buffer> {
  const { opcode, payload, fin, masked } = await receiveFrame(peer)
  assert.deepEqual([opcode, fin, masked], [opcodes.close, true, true])
  return payload
}

for (const wire of wires) {
  describe(`a close frame over ${wire}`, () => {
    for (const code of codes) {
      test(`may be sent with ${code}, and be answered with it`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire)
        gun.wsSend(it.connPid, it.streamRef, ['close', code, 'bye'])
        assert.deepEqual(await receiveClose(it), closePayload(code, 'bye'))
        it.peer.end(close(code, 'ciao'))
        assert.deepEqual(await it.story(), [`ws close,${code},ciao`, ...it.closed])
      })

      test(`of the server with ${code} comes before gun_down, and is answered with it`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { opts: { retry: 0 } })
        await it.peer.send(close(code, 'bye'))
        assert.deepEqual(await receiveClose(it), closePayload(code))
        it.peer.end()
        assert.deepEqual(await it.story(), [`ws close,${code},bye`, ...it.closed])
      })
    }

    for (const [what, reason] of reasons) {
      test(`may have a reason of ${what}, both ways`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire)
        gun.wsSend(it.connPid, it.streamRef, ['close', 4000, reason])
        assert.deepEqual(await receiveClose(it), closePayload(4000, reason))
        it.peer.end(close(4001, reason))
        const { frame } = await it.self.receive([{ type: 'gun_ws' }])
        assert.deepEqual(frame, ['close', 4001, reason])
        assert.deepEqual(await it.story(), it.closed)
      })
    }

    test('that may not be sent throws, and nothing is sent or closed', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const refuse = (given: gun.WsFrame, message: RegExp) => {
        const list: gun.WsFrame[] = [['text', 'not sent either'], given]
        for (const frames of [given, list]) {
          assert.throws(() => gun.wsSend(it.connPid, it.streamRef, frames), { name: 'TypeError', message })
        }
      }
      for (const code of [...wrongCodes, -1, 65_536, 1000.5, Number.NaN]) {
        refuse(['close', code, ''], new RegExp(`: ${code} is not a close code that may be sent$`))
      }
      for (const [, reason] of reasons.slice(1)) {
        refuse(['close', 1000, `${reason}a`], /: a close reason has at most 123 bytes, not 124$/)
        refuse(['close', `${reason}a`], /: a close reason has at most 123 bytes, not 124$/)
      }
      await assertNothingSent(it.peer)
      assert.equal(gun.info(it.connPid).stateName, it.isH2 ? 'connected' : 'connected_ws_only')
      assert.equal(it.self.messageQueueLength, 0)
    })

    for (const [what, bytes] of [
      ...wrongCodes.map(code => [`with ${code}`, close(code)] as const),
      ['with a reason of 124 bytes', close(1000, 'a'.repeat(124))],
    ] as const) {
      test(`of the server ${what} is a bad frame`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { opts: { retry: 0 } })
        await it.peer.send(bytes)
        assert.deepEqual(await receiveClose(it), closePayload(1002))
        assert.deepEqual(await it.story(), it.ending('badframe'))
      })
    }

    for (const [what, begin, told] of [
      ['that we sent first', (it: Scene) => gun.wsSend(it.connPid, 'close'), (it: Scene) => it.closed],
      ['of a shutdown', (it: Scene) => gun.shutdown(it.connPid), () => ['DOWN: shutdown']],
      ['of its own', () => {}, (it: Scene) => it.closed],
    ] as const) {
      test(`of the server is the last that is read, after one ${what}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { opts: { retry: 0 } })
        begin(it)
        const ignored = [text('late'), ping('late'), close(1000, 'again'), frame({ opcode: 3 })]
        await it.peer.send(Buffer.concat([text('in time'), close(1000, 'bye'), ...ignored]))
        assert.deepEqual(await it.heard(2), ['ws text,in time', 'ws close,1000,bye'])
        await receiveClose(it)
        for (const bytes of ignored) await it.peer.send(bytes)
        it.peer.end()
        assert.deepEqual(await it.story(), told(it))
        assert.equal((await it.peer.receiveAll()).length, 0)
      })
    }

    for (const [what, begin] of [
      ['of ours', (it: Scene) => gun.wsSend(it.connPid, it.streamRef, 'close')],
      ['of a shutdown', (it: Scene) => gun.shutdown(it.connPid)],
      [
        'of the server',
        async (it: Scene) => {
          await it.peer.send(close())
          assert.deepEqual(await it.heard(1), ['ws close'])
        },
      ],
    ] as const) {
      test(`${what} is the last that is sent: frames that are given later come back`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { opts: { retry: 0 } })
        await begin(it)
        const late: gun.WsFrame[] = [['text', 'late'], 'ping', ['close', 4000, 'again']]
        for (const frames of [late, late.slice(0, 1)]) {
          gun.wsSend(it.connPid, it.streamRef, frames)
          const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
          assert.deepEqual([reason.code, reason.kind], ['badstate', 'badstate'])
          assert.deepEqual(reason.frames, frames)
        }
        await receiveClose(it)
        it.peer.end(what === 'of the server' ? undefined : close())
        const told = await it.story()
        if (!it.isH2 || what === 'of a shutdown') assert.match(told.at(-1) ?? '', /^DOWN: (normal|shutdown)$/)
        assert.equal((await it.peer.receiveAll()).length, 0)
      })
    }

    test('is sent although nothing is waited for with a closingTimeout of 0', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      await using it = await upgraded(wire, { wsOpts: { closingTimeout: 0 } })
      gun.wsSend(it.connPid, it.streamRef, ['close', 4000, 'bye'])
      await tick(0)
      assert.deepEqual(await it.story(), [
        'error of the stream: closing_timeout',
        ...(it.isH2 ? [] : ['down ws: closing_timeout, killed 1', 'DOWN: shutdown closing_timeout']),
      ])
      assert.deepEqual(await receiveClose(it), closePayload(4000, 'bye'))
      assert.equal((await it.peer.receiveAll()).length, 0)
    })

    test('of the server does not start the time anew that ours has begun', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      await using it = await upgraded(wire, { wsOpts: { closingTimeout: 1000 } })
      gun.wsSend(it.connPid, it.streamRef, 'close')
      await tick(999)
      await it.peer.send(close())
      assert.deepEqual(await it.heard(1), ['ws close'])
      assert.equal(gun.streamInfo(it.connPid, it.streamRef)?.state, 'stopping')
      await tick(1)
      assert.deepEqual(await it.story(), it.closed)
    })

    test('of a shutdown after one of ours is not sent', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      gun.wsSend(it.connPid, it.streamRef, ['close', 4000, 'ours'])
      gun.shutdown(it.connPid)
      assert.deepEqual(await receiveClose(it), closePayload(4000, 'ours'))
      it.peer.end(close(4000))
      assert.deepEqual(await it.story(), ['ws close,4000,', 'DOWN: shutdown'])
      assert.equal((await it.peer.receiveAll()).length, 0)
    })
  })
}
