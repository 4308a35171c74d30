// The limits of a message, at the limit and one past it, compressed or not; broken-servers.test.ts has the plain cases.

import assert from 'node:assert/strict'
import { constants } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type * as gun from '@holster/gun'
import { frame, opcodes, receiveFrame } from '@holster/testing/frames'
import { Deflate } from '../support/deflate.ts'
import { DEFLATE } from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { type Scene, upgraded, wires } from '../support/websocket-scene.ts'

const { binary, continuation, text } = opcodes
const MIB = 1024 * 1024

/** One message of so many fragments. */
function inFragments(payload: Buffer, count: number, rsv1 = false): Buffer {
  const each = Math.ceil(payload.length / count)
  const frames = Array.from({ length: count }, (_, i) =>
    frame({
      opcode: i === 0 ? binary : continuation,
      rsv1: rsv1 && i === 0,
      fin: i === count - 1,
      payload: payload.subarray(i * each, (i + 1) * each),
    }),
  )
  return Buffer.concat(frames)
}

const deflated = (payload: Buffer): Buffer => new Deflate().deflate(payload)

async function refused(it: Scene, closeCode: number): Promise<void> {
  assert.deepEqual(await it.story(), it.ending('limit_reached'))
  assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), closeCode)
}

interface Limit {
  readonly what: string
  readonly wsOpts: gun.WsOpts
  /** What passes. */
  readonly most: number
  readonly closeCode: number
  /** A message of so many bytes or fragments, whichever is limited. */
  readonly message: (n: number) => Buffer
}

const bytes = { wsOpts: { maxPayload: 1000 }, most: 1000, closeCode: 1009 }
const noise = randomBytes(100_001)

const limits: readonly Limit[] = [
  {
    ...bytes,
    what: 'maxPayload, compressed',
    message: n => frame({ opcode: binary, rsv1: true, payload: deflated(Buffer.alloc(n)) }),
  },
  {
    ...bytes,
    what: 'maxPayload, compressed in fragments',
    message: n => inFragments(deflated(Buffer.alloc(n)), 3, true),
  },
  {
    what: 'maxPayload, compressed to more than it was',
    wsOpts: { maxPayload: 100_000 },
    most: 100_000,
    closeCode: 1009,
    message: n => {
      const payload = deflated(noise.subarray(0, n))
      assert.ok(payload.length > 100_000)
      return frame({ opcode: binary, rsv1: true, payload })
    },
  },
  {
    what: 'maxFragments, compressed',
    wsOpts: { maxFragments: 3 },
    most: 3,
    closeCode: 1008,
    message: n => inFragments(deflated(Buffer.alloc(1000)), n, true),
  },
  {
    what: 'maxFragments of empty fragments',
    wsOpts: { maxFragments: 100 },
    most: 100,
    closeCode: 1008,
    message: n => inFragments(Buffer.of(), n),
  },
]

for (const wire of wires) {
  describe(`over ${wire}`, () => {
    test('a text that is longer than a string can be is refused when it is announced, without a maxPayload', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const wsOpts = { maxPayload: Number.POSITIVE_INFINITY }
      for (const before of [[], [frame({ opcode: text, payload: 'a', fin: false })]]) {
        await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts })
        const opcode = before.length === 0 ? text : continuation
        const claims = constants.MAX_STRING_LENGTH + 1 - before.length
        await it.peer.send(Buffer.concat([...before, frame({ opcode, claims })]))
        await refused(it, 1009)
      }
    })

    for (const { what, wsOpts, most, closeCode, message } of limits) {
      test(`a message at ${what} passes, and one past it is answered with ${closeCode}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const setup = { opts: { retry: 0 }, wsOpts: { compress: true, ...wsOpts }, answer: DEFLATE }
        await using it = await upgraded(wire, setup)
        // Twice: what has passed counts no more.
        for (let i = 0; i < 2; i++) {
          await it.peer.send(message(most))
          const { type } = await it.self.receive([{ type: 'gun_ws' }, { type: 'gun_error' }])
          assert.equal(type, 'gun_ws')
        }
        await it.peer.send(message(most + 1))
        await refused(it, closeCode)
      })
    }

    test('compressed bytes that no message of maxPayload can have are refused before they come', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const wsOpts = { compress: true, maxPayload: 1000 }
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts, answer: DEFLATE })
      await it.peer.send(frame({ opcode: binary, rsv1: true, claims: 2000 }))
      await refused(it, 1009)
    })
  })
}

test('a message of 100 MiB passes by default, and one byte more is refused before it comes', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await upgraded('tcp', { opts: { retry: 0 } })
  const payload = Buffer.alloc(100 * MIB, 7)
  const sending = it.peer.send(frame({ opcode: binary, payload }))
  const { frame: received } = await it.self.receive([{ type: 'gun_ws' }])
  assert.ok(payload.equals(received[1] as Buffer))
  await sending
  await it.peer.send(frame({ opcode: binary, claims: 100 * MIB + 1 }))
  await refused(it, 1009)
})

test('Infinity is no limit', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const maxPayload = Number.POSITIVE_INFINITY
  const wsOpts = { maxPayload, maxFragments: Number.POSITIVE_INFINITY, compress: true }
  await using it = await upgraded('tcp', { wsOpts, answer: DEFLATE })
  const payload = Buffer.alloc(100 * MIB + 1, 7)
  const fragment = frame({ opcode: continuation, fin: false })
  const fragments = Buffer.alloc(fragment.length * MIB, fragment)
  const blocks = Array<Buffer>(100).fill(new Deflate().block(Buffer.alloc(MIB, 7)))
  const compressed = Buffer.concat([...blocks, deflated(Buffer.of(7))])
  for (const [message, expected] of [
    [frame({ opcode: binary, payload }), payload],
    [frame({ opcode: binary, rsv1: true, payload: compressed }), payload],
    [
      Buffer.concat([
        frame({ opcode: binary, payload: 'a', fin: false }),
        fragments,
        frame({ opcode: continuation, payload: 'z' }),
      ]),
      Buffer.from('az'),
    ],
  ] as const) {
    const sending = it.peer.send(message)
    const received = (await it.self.receive([{ type: 'gun_ws' }])).frame[1]
    assert.ok(expected.equals(received as Buffer))
    await sending
  }
})
