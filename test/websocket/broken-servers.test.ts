// Servers that break RFC 6455, and sockets that break: the server is told why if it can be, and so is the owner.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type * as gun from '@holster/gun'
import type { Peer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  asking as askingWith,
  type Scene,
  upgraded as upgradedWith,
  type Wire,
  wires,
} from '../support/websocket-scene.ts'

const asking = (wire: Wire, wsOpts: gun.WsOpts = {}): Promise<Scene> =>
  askingWith(wire, { opts: { retry: 0 }, wsOpts })
const upgraded = (wire: Wire, wsOpts: gun.WsOpts = {}): Promise<Scene> =>
  upgradedWith(wire, { opts: { retry: 0 }, wsOpts })

/** What the owner gets until the WebSocket has ended, and the one error of which it tells. */
async function story(it: Scene): Promise<{ told: string[]; error: gun.GunError }> {
  const told = await it.story()
  const [error] = it.errors
  assert.ok(error !== undefined && it.errors.size === 1, `there were ${it.errors.size} different errors`)
  assert.equal(error.kind, it.isH2 ? 'stream_error' : 'connection_error')
  return { told, error }
}

const { text, binary, continuation, close, ping } = opcodes
const notUtf8 = Buffer.from('c328', 'hex')

/** What is wrong, its bytes, the close code that answers it, the error's code and what its message says. */
type Offence = [what: string, bytes: Uint8Array, closeCode: number, code: gun.GunErrorCode, text: RegExp]

const offences: Offence[] = [
  [
    'a masked frame',
    frame({ opcode: text, payload: 'a', masked: true }),
    1002,
    'badframe',
    /MASK must be clear/,
  ],
  ['an unknown data opcode', frame({ opcode: 3 }), 1002, 'badframe', /invalid opcode 3/],
  ['an unknown control opcode', frame({ opcode: 11 }), 1002, 'badframe', /invalid opcode 11/],
  ['RSV1 without an extension', frame({ opcode: text, rsv1: true }), 1002, 'badframe', /RSV1 must be clear/],
  ['RSV2', frame({ opcode: text, rsv2: true }), 1002, 'badframe', /RSV2 and RSV3 must be clear/],
  ['RSV3', frame({ opcode: binary, rsv3: true }), 1002, 'badframe', /RSV2 and RSV3 must be clear/],
  ['RSV1 on a ping', frame({ opcode: ping, rsv1: true }), 1002, 'badframe', /RSV1 must be clear/],
  [
    'text that is not UTF-8',
    frame({ opcode: text, payload: notUtf8 }),
    1007,
    'badencoding',
    /a text message .* UTF-8/,
  ],
  [
    'text that is not UTF-8 across fragments',
    Buffer.concat([
      frame({ opcode: text, payload: Buffer.of(0xe2, 0x82), fin: false }),
      frame({ opcode: continuation, payload: 'x' }),
    ]),
    1007,
    'badencoding',
    /a text message .* UTF-8/,
  ],
  [
    'a close reason that is not UTF-8',
    frame({ opcode: close, payload: closePayload(1000, notUtf8) }),
    1007,
    'badencoding',
    /a close reason .* UTF-8/,
  ],
  [
    'a close code that may not be sent',
    frame({ opcode: close, payload: closePayload(1005) }),
    1002,
    'badframe',
    /1005/,
  ],
  [
    'a close code that nobody has',
    frame({ opcode: close, payload: closePayload(999) }),
    1002,
    'badframe',
    /999/,
  ],
  [
    'half a close code',
    frame({ opcode: close, payload: Buffer.of(3) }),
    1002,
    'badframe',
    /payload length 1/,
  ],
  ['a fragmented ping', frame({ opcode: ping, fin: false }), 1002, 'badframe', /FIN must be set/],
  ['a fragmented close', frame({ opcode: close, fin: false }), 1002, 'badframe', /FIN must be set/],
  [
    'a ping of 126 bytes',
    frame({ opcode: ping, payload: Buffer.alloc(126) }),
    1002,
    'badframe',
    /payload length/,
  ],
  [
    'a continuation of nothing',
    frame({ opcode: continuation, payload: 'x' }),
    1002,
    'badframe',
    /invalid opcode 0/,
  ],
  [
    'a new message within one',
    Buffer.concat([frame({ opcode: text, fin: false }), frame({ opcode: text })]),
    1002,
    'badframe',
    /invalid opcode 1/,
  ],
  [
    'a frame of more than 2^53 bytes',
    frame({ opcode: binary, claims: 2n ** 53n }),
    1009,
    'limit_reached',
    /exceeds wsOpts\.maxPayload/,
  ],
  [
    'HTTP instead of frames',
    Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
    1002,
    'badframe',
    /RSV1 must be clear|MASK|opcode/,
  ],
]

for (const wire of wires) {
  describe(`a WebSocket over ${wire}`, () => {
    for (const [what, bytes, closeCode, code, said] of offences) {
      for (const how of ['whole', 'bytes'] as const) {
        test(`${what}, ${how === 'whole' ? 'at once' : 'byte by byte'}, is answered with ${closeCode}`, async () => {
          await using _left = assertNothingLeft()
          await using _calm = collectWarnings()
          await using it = await upgraded(wire)
          it.peer.send(bytes, how).catch(() => {})
          const { told, error } = await story(it)
          assert.deepEqual(told, it.ending(code))
          assert.match(error.message, said)
          const answer = await receiveFrame(it.peer)
          assert.equal(answer.opcode, close)
          assert.ok(answer.masked)
          assert.equal(answer.payload.readUInt16BE(), closeCode)
          await it.peer.receiveAll()
        })
      }
    }

    test('what came before the offence is delivered, what comes after is not', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const good = (payload: string) => frame({ opcode: text, payload })
      await it.peer.send(Buffer.concat([good('1'), good('2'), frame({ opcode: 3 }), good('3')]))
      const { told } = await story(it)
      assert.deepEqual(told, ['ws text,1', 'ws text,2', ...it.ending('badframe')])
    })

    test('an offence glued to the 101 is answered, after gun_upgrade', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await asking(wire)
      await it.peer.send(Buffer.concat([Buffer.from(switchingProtocols(it.request)), frame({ opcode: 3 })]))
      const { told } = await story(it)
      assert.deepEqual(told, ['upgrade', ...it.ending('badframe')])
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })

    test('the close code leaves although the server goes on sending', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const flood = async () => {
        const bytes = frame({ opcode: binary, payload: Buffer.alloc(60_000) })
        await it.peer.send(frame({ opcode: 3 }))
        for (let i = 0; i < 200; i++) await it.peer.send(bytes)
      }
      flood().catch(() => {})
      const { told } = await story(it)
      assert.deepEqual(told, it.ending('badframe'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })

    test('the close code reaches a server that reads only after it has sent all', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      it.peer.socket.pause()
      await it.peer.send(frame({ opcode: 3 }))
      const { told } = await story(it)
      assert.deepEqual(told, it.ending('badframe'))
      const bytes = frame({ opcode: binary, payload: Buffer.alloc(60_000) })
      // Over HTTP/2 the client has reset the stream.
      if (!it.isH2) for (let i = 0; i < 200; i++) await it.peer.send(bytes)
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })

    for (const [what, make] of [
      ['in one frame', (n: number) => frame({ opcode: binary, payload: Buffer.alloc(n) })],
      [
        'in fragments',
        (n: number) =>
          Buffer.concat([
            frame({ opcode: binary, payload: Buffer.alloc(500), fin: false }),
            frame({ opcode: continuation, payload: Buffer.alloc(n - 500) }),
          ]),
      ],
    ] as const) {
      test(`a message of exactly maxPayload passes ${what}, one more byte is answered with 1009`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { maxPayload: 1000 })
        await it.peer.send(make(1000))
        const passed = await it.self.receive([{ type: 'gun_ws' }], 10_000)
        assert.deepEqual(passed.frame, ['binary', Buffer.alloc(1000)])
        await it.peer.send(make(1001))
        const { told, error } = await story(it)
        assert.deepEqual(told, it.ending('limit_reached'))
        assert.equal(error.message, 'a message from the peer exceeds wsOpts.maxPayload (1000 bytes)')
        assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1009)
      })
    }

    test('an oversized frame is refused at its header, before its payload', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { maxPayload: 1000 })
      await it.peer.send(frame({ opcode: binary, claims: 1001 }))
      const { told } = await story(it)
      assert.deepEqual(told, it.ending('limit_reached'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1009)
    })

    test('a message of exactly maxFragments passes, one more is answered with 1008', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { maxFragments: 3 })
      const part = (opcode: number, fin: boolean) => frame({ opcode, payload: 'a', fin })
      await it.peer.send(
        Buffer.concat([part(text, false), part(continuation, false), part(continuation, true)]),
      )
      const passed = await it.self.receive([{ type: 'gun_ws' }], 10_000)
      assert.deepEqual(passed.frame, ['text', 'aaa'])
      const parts = [part(text, false), part(continuation, false), part(continuation, false)]
      await it.peer.send(Buffer.concat([...parts, part(continuation, true)]))
      const { told, error } = await story(it)
      assert.deepEqual(told, it.ending('limit_reached'))
      assert.match(error.message, /more fragments than wsOpts\.maxFragments \(3\)/)
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1008)
    })

    for (const [how, leave, code, said] of [
      ['resets', (peer: Peer) => peer.reset(), 'socket_error', /ECONNRESET|reset the stream: INTERNAL_ERROR/],
      ['closes', (peer: Peer) => peer.end(), 'closed', /without a close frame/],
    ] as const) {
      test(`a server that ${how} between frames`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire)
        leave(it.peer)
        const { told, error } = await story(it)
        assert.deepEqual(told, it.ending(code))
        assert.match(error.message, said)
      })

      test(`a server that ${how} within a frame`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire)
        const whole = frame({ opcode: text, payload: 'hello' })
        await it.peer.send(Buffer.concat([whole, whole.subarray(0, 4)]))
        await it.self.receive([{ type: 'gun_ws' }], 10_000)
        leave(it.peer)
        const { told, error } = await story(it)
        assert.deepEqual(told, it.ending(code))
        assert.match(error.message, said)
      })

      test(`a server that ${how} within a fragmented message`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire)
        await it.peer.send(
          Buffer.concat([
            frame({ opcode: text, payload: 'whole' }),
            frame({ opcode: text, payload: 'hel', fin: false }),
          ]),
        )
        await it.self.receive([{ type: 'gun_ws' }], 10_000)
        leave(it.peer)
        const { told } = await story(it)
        assert.deepEqual(told, it.ending(code))
      })

      test(`a server that ${how} within the 101`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await asking(wire)
        // An informational response shows that what came with it has been read.
        const half = switchingProtocols(it.request).slice(0, 60)
        await it.peer.send(`HTTP/1.1 103 Early Hints\r\n\r\n${half}`)
        await it.self.receive([{ type: 'gun_inform' }], 10_000)
        leave(it.peer)
        const { told, error } = await story(it)
        // There is no END_STREAM before the headers.
        assert.deepEqual(told, it.ending(it.isH2 ? 'stream_reset' : code, 'http'))
        if (!it.isH2) assert.match(error.message, how === 'closes' ? /within the head of a response/ : said)
      })

      test(`a server that ${how} instead of answering the upgrade`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await asking(wire)
        leave(it.peer)
        const { told } = await story(it)
        assert.deepEqual(told, it.ending(it.isH2 ? 'stream_reset' : code, 'http'))
      })
    }

    test('a second 101 is no frame', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      await it.peer.send(switchingProtocols(it.request))
      const { told } = await story(it)
      assert.deepEqual(told, it.ending('badframe'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })
  })
}
