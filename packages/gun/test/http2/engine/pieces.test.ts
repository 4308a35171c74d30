import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeHeaders } from '../../../../../test/support/hpack.ts'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { head, Talk, tell } from '../../support/engine.ts'

const end = { endStream: true }
const request = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/p'],
] as const
const block = encodeHeaders([
  [':status', '200'],
  ['a', 'b'],
])

/** Each kind of frame, with all that a frame may have. */
const conversation = Buffer.concat([
  h2.settings(),
  h2.settingsAck(),
  head(1, { ':status': 103 }),
  head(1, { 'content-length': 9 }),
  h2.data(1, 'abc', { padding: 3 }),
  h2.frame(0xaa, 0, 1, 'unknown'),
  h2.data(1, ''),
  h2.ping('01234567'),
  h2.data(1, 'def'),
  h2.frame(h2.types.PRIORITY, 0, 1, Buffer.alloc(5)),
  h2.data(1, 'ghi', { padding: 0, endStream: true }),
  h2.headers(3, block.subarray(0, 7), { endHeaders: false, padding: 2 }),
  h2.continuation(3, Buffer.alloc(0), false),
  h2.continuation(3, block.subarray(7)),
  h2.pushPromise(3, 2, request, { padding: 1 }),
  h2.data(3, 'x'.repeat(50)),
  h2.headers(3, [['t', 'u']], end),
  h2.settings({ INITIAL_WINDOW_SIZE: 4 }),
  h2.windowUpdate(5, 3),
  h2.windowUpdate(0, 1),
  h2.settings([]),
  head(2, {}, end),
  h2.rstStream(5, 8),
  h2.goaway(7, 0, 'bye'),
  h2.data(7, 'no head'),
  h2.data(0, 'the end'),
])

const values = [
  'settings',
  'acknowledged',
  'inform 1 103',
  'response 1 200 content-length=9',
  'data 1 abcdefghi fin',
  'response 3 200 a=b',
  'push 3 2 GET /p',
  `data 3 ${'x'.repeat(50)}`,
  'trailers 3 t=u',
  'settings',
  'settings',
  'response 2 200 fin',
  'reset 5 CANCEL',
  'goaway NO_ERROR 7',
  'broken 7 PROTOCOL_ERROR',
  'failure PROTOCOL_ERROR',
]

interface Heard {
  readonly told: string[]
  readonly written: string[]
}

/** Takes pieces. Behind each value `between` is called; once a piece is read, or owned, its bytes are others. */
function hear(pieces: readonly Uint8Array[], owns = false): Heard {
  const talk = new Talk()
  const { engine } = talk
  engine.start()
  for (const method of ['GET', 'GET', 'POST', 'GET']) talk.open({ method }, method === 'GET')
  talk.written()
  const told: string[] = []
  for (const piece of pieces) {
    const bytes = Buffer.from(piece)
    engine.give(bytes, 0)
    for (let value = engine.next(); value !== undefined; value = engine.next()) {
      const [last = ''] = told.slice(-1)
      const isPart =
        value.type === 'data' && last.startsWith(`data ${value.stream.id} `) && !last.endsWith('fin')
      if (!isPart) told.push(value.type === 'data' ? `data ${value.stream.id} ` : tell(value))
      if (value.type === 'data') {
        told[told.length - 1] += value.data.toString('latin1') + (value.isFin ? ' fin' : '')
      }
      if (!owns) continue
      engine.own()
      bytes.fill(0xee)
    }
    assert.equal(engine.isIdle, true)
    bytes.fill(0xee)
  }
  return { told, written: talk.written() }
}

describe('The same values come, and the same frames are written', () => {
  const whole = hear([conversation])

  test('if the bytes come in one piece', () => {
    assert.deepEqual(whole.told, values)
    assert.deepEqual(whole.written, [
      'SETTINGS ACK',
      'PING ACK 3031323334353637',
      'SETTINGS ACK',
      'SETTINGS ACK',
      'RST_STREAM of 7 PROTOCOL_ERROR',
      'GOAWAY PROTOCOL_ERROR last 2',
    ])
  })

  test('if they come in two, cut anywhere', () => {
    for (let at = 0; at <= conversation.length; at++) {
      assert.deepEqual(hear([conversation.subarray(0, at), conversation.subarray(at)]), whole, `cut at ${at}`)
    }
  })

  test('if they come byte by byte, or in pieces of any other size', () => {
    for (const size of [1, 2, 3, 5, 7, 8, 9, 10, 11, 64, 100]) {
      const count = Math.ceil(conversation.length / size)
      const pieces = Array.from({ length: count }, (_, i) => conversation.subarray(i * size, (i + 1) * size))
      assert.deepEqual(hear(pieces), whole, `pieces of ${size}`)
      assert.deepEqual(hear(pieces, true), whole, `pieces of ${size}, owned`)
    }
  })

  test('if whoever gave them takes them back between any two values', () => {
    assert.deepEqual(hear([conversation], true), whole)
  })

  test('if more is given before the rest was looked at', () => {
    const talk = new Talk()
    talk.engine.start()
    for (const method of ['GET', 'GET', 'POST', 'GET']) talk.open({ method }, method === 'GET')
    const bytes = Buffer.from(conversation)
    for (let at = 0; at < bytes.length; at += 100) {
      talk.engine.give(bytes.subarray(at, at + 100), 0)
      if (at % 200 === 0) talk.engine.own()
    }
    const told = talk.give()
    assert.deepEqual(
      told.filter(line => !line.startsWith('data')),
      values.filter(line => !line.startsWith('data')),
    )
  })
})

test('A body is handed out in the memory in which it came', () => {
  const talk = new Talk()
  const { engine } = talk
  engine.start()
  talk.open()
  const bytes = Buffer.concat([h2.settings(), head(1), h2.data(1, Buffer.alloc(16_384, 'x'))])
  for (const piece of [bytes.subarray(0, 1000), bytes.subarray(1000)]) {
    engine.give(piece, 0)
    let got = 0
    for (let value = engine.next(); value !== undefined; value = engine.next()) {
      if (value.type !== 'data') continue
      got += value.data.length
      assert.equal(value.data.buffer, bytes.buffer)
      assert.equal(value.data.byteOffset + value.data.length, piece.byteOffset + piece.length)
    }
    assert.ok(got > 900)
  }
})

describe('Bytes that come one by one', () => {
  /** Counts the bytes that are copied within `run`. */
  function copied(run: () => void): number {
    let count = 0
    const { copy } = Buffer.prototype
    const { concat, from } = Buffer
    Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
      const size = copy.apply(this, args)
      count += size
      return size
    }
    Buffer.concat = ((list: readonly Uint8Array[], size?: number) => {
      const joined = concat(list, size)
      count += joined.length
      return joined
    }) as typeof concat
    Buffer.from = ((...args: Parameters<typeof from>) => {
      const made = from(...args)
      count += made.length
      return made
    }) as typeof from
    try {
      run()
    } finally {
      Buffer.prototype.copy = copy
      Buffer.concat = concat
      Buffer.from = from
    }
    return count
  }

  for (const [name, bytes] of [
    ['a large frame of headers', head(1, { a: 'x'.repeat(16_000) })],
    [
      'SETTINGS',
      Buffer.concat(Array.from({ length: 200 }, () => h2.settings({ MAX_CONCURRENT_STREAMS: 7 }))),
    ],
    ['a body', Buffer.concat([head(1), h2.data(1, Buffer.alloc(16_384))])],
    [
      'a body in small frames',
      Buffer.concat([head(1), ...Array.from({ length: 2000 }, () => h2.data(1, 'x'))]),
    ],
    ['an unknown frame', h2.frame(0xbb, 0, 0, Buffer.alloc(16_384))],
    [
      'a header block in many frames',
      Buffer.concat([
        h2.headers(1, [[':status', '200']], { endHeaders: false }),
        ...Array.from({ length: 200 }, () => h2.continuation(1, [['a', 'b']], false)),
        h2.continuation(1, []),
      ]),
    ],
  ] as const) {
    test(`are copied at most three times each: ${name}`, () => {
      const talk = new Talk()
      talk.engine.start()
      talk.open()
      talk.give(h2.settings())
      const pieces = Array.from(bytes, byte => Buffer.of(byte))
      const count = copied(() => {
        for (const piece of pieces) {
          talk.engine.give(piece, 0)
          while (talk.engine.next() !== undefined);
        }
      })
      assert.ok(count <= 3 * bytes.length + 1000, `${count} of ${bytes.length}`)
    })
  }
})
