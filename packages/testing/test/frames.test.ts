// WebSocket frames made and read by hand: their bytes are those of RFC 6455, and `ws` understands them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import type * as gun from '@holster/gun'
import { WebSocket } from 'ws'
import {
  accept,
  closePayload,
  decode,
  encode,
  frame,
  opcodes,
  parseClientFrames,
  receiveFrame,
  switchingProtocols,
} from '../src/frames.ts'
import { startServer } from '../src/index.ts'

describe('frames', () => {
  test('have the bytes of RFC 6455', () => {
    assert.equal(accept('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    assert.equal(frame({ opcode: 1, payload: 'Hello' }).toString('hex'), '810548656c6c6f')
    assert.equal(
      frame({ opcode: 1, payload: 'Hello', masked: true }).toString('hex'),
      '818537fa213d7f9f4d5158',
    )
    assert.equal(frame({ opcode: 1, fin: false, rsv1: true, payload: 'a' }).toString('hex'), '410161')
    assert.equal(frame({ opcode: 2, payload: 'a', lengthEncoding: 16 }).toString('hex'), '827e000161')
    assert.equal(
      frame({ opcode: 2, payload: 'a', lengthEncoding: 64 }).toString('hex'),
      '827f000000000000000161',
    )
    assert.equal(frame({ opcode: 2, claims: 2n ** 63n }).toString('hex'), '827f8000000000000000')
    assert.deepEqual(
      [125, 126, 65_535, 65_536].map(length => frame({ opcode: 2, payload: Buffer.alloc(length) }).length),
      [125 + 2, 126 + 4, 65_535 + 4, 65_536 + 10],
    )
    assert.equal(frame({ opcode: 8, payload: closePayload(1000, 'ok') }).toString('hex'), '880403e86f6b')
  })

  test('lead from and to the frames that wsSend takes', () => {
    const given: gun.WsFrame[] = [
      ['text', 'Grüße'],
      ['binary', Buffer.of(0, 255)],
      'ping',
      ['ping', Buffer.of(1)],
      'pong',
      ['pong', Buffer.of(2)],
      'close',
      ['close', 4000, 'bye'],
    ]
    const { frames, rest } = parseClientFrames(Buffer.concat(given.map(encode)))
    assert.deepEqual(frames.map(decode), given)
    assert.equal(rest.length, 0)
    assert.deepEqual(encode(['close', 'bye']), encode(['close', 1000, 'bye']))
  })

  test('that wsSend does not take are refused', () => {
    for (const wrong of ['hello', ['txt', 'x'], ['text', 5], undefined, 5] as never[])
      assert.throws(() => encode(wrong), { name: 'TypeError', message: /^frame must/ })
    for (const code of [-1, 0.5, 65_536])
      assert.throws(() => encode(['close', code, '']), /^TypeError: code must/)
  })

  test('that are no whole message are not read as one', () => {
    const whole = { opcode: 1, fin: true, rsv1: false, rsv2: false, rsv3: false, masked: true }
    assert.throws(
      () => decode({ ...whole, fin: false, payload: Buffer.from('a') }),
      /only a piece of a message/,
    )
    assert.throws(
      () => decode({ ...whole, opcode: 3, payload: Buffer.of() }),
      /no whole message has the opcode 3/,
    )
    assert.throws(() => decode({ ...whole, payload: Buffer.of(0xff) }), TypeError)
  })

  test('are parsed from bytes cut anywhere', () => {
    const payloads = ['', 'a', 'b'.repeat(126), 'c'.repeat(65_536)]
    const bytes = Buffer.concat(payloads.map(payload => frame({ opcode: 1, payload, masked: true })))
    for (const cut of [0, 1, 5, 6, 7, 14, 20, 140, 150, 160, 1000, bytes.length]) {
      const first = parseClientFrames(bytes.subarray(0, cut))
      const second = parseClientFrames(Buffer.concat([first.rest, bytes.subarray(cut)]))
      const frames = [...first.frames, ...second.frames]
      assert.deepEqual(
        frames.map(({ payload }) => String(payload)),
        payloads,
      )
      assert.ok(frames.every(({ masked, fin, rsv1 }) => masked && fin && !rsv1))
      assert.equal(second.rest.length, 0)
    }
  })

  for (const how of ['whole', 'bytes'] as const) {
    test(`and the 101 before them round-trip with a client of ws (${how})`, async () => {
      await using server = await startServer(async peer => {
        const head = switchingProtocols(await peer.receiveRequest(), [['Sec-WebSocket-Protocol', 'chat']])
        const text = frame({ opcode: opcodes.text, payload: 'Grüße' })
        const start = frame({ opcode: opcodes.binary, payload: 'ab', fin: false })
        const rest = frame({ opcode: opcodes.continuation, payload: 'c'.repeat(200) })
        await peer.send(Buffer.concat([Buffer.from(head), text, start, rest]), how)
        const answer = await receiveFrame(peer)
        assert.equal(answer.opcode, opcodes.text)
        assert.equal(String(answer.payload), 'ä'.repeat(100))
        assert.ok(answer.masked)
        await peer.send(frame({ opcode: opcodes.close, payload: closePayload(4000, 'bye') }), how)
        const close = await receiveFrame(peer)
        assert.equal(close.opcode, opcodes.close)
        assert.deepEqual(close.payload, closePayload(4000, 'bye'))
        peer.end()
      })
      const client = new WebSocket(`ws://${server.host}:${server.port}/`, ['chat'])
      const messages: string[] = []
      client.on('message', data => {
        if (messages.push(String(data)) === 2) client.send('ä'.repeat(100))
      })
      const [code, reason] = await once(client, 'close')
      await server.finished()
      assert.deepEqual(messages, ['Grüße', `ab${'c'.repeat(200)}`])
      assert.equal(client.protocol, 'chat')
      assert.equal(code, 4000)
      assert.equal(String(reason), 'bye')
    })
  }
})
