import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeHeaders } from '../../../../../test/support/hpack.ts'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head, Talk } from '../../support/engine.ts'

const { types, flags, frame } = h2
const { ACK, END_STREAM, END_HEADERS, PADDED, PRIORITY } = flags

const block = encodeHeaders([[':status', '200']])
const request = encodeHeaders([
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
])
const bytes = (size: number) => Buffer.alloc(size)
const uint32 = (value: number) => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value)
/** Padding of so many bytes around a payload; `claimed` is how many it says there are. */
const padded = (payload: Uint8Array, padding: number, claimed = padding) =>
  Buffer.concat([Buffer.of(claimed), payload, bytes(padding)])

describe('The first frame', () => {
  test('may be empty SETTINGS, though they come byte by byte', () => {
    const talk = new Talk()
    talk.engine.start()
    const told = Array.from(h2.settings(), byte => talk.give(Buffer.of(byte)))
    assert.deepEqual(told, [[], [], [], [], [], [], [], [], ['settings']])
  })

  for (const [name, first] of [
    ['an acknowledgement', h2.settingsAck()],
    ['HEADERS', head(1)],
    ['DATA', h2.data(1, 'x')],
    ['a PING', h2.ping()],
    ['GOAWAY', h2.goaway(0)],
    ['an unknown frame', frame(0xaa, 0, 0)],
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a frame of any size', frame(types.PING, 0, 0, '', 0xff_ffff)],
  ] as const) {
    test(`is not ${name}`, () => {
      const talk = new Talk()
      talk.engine.start()
      talk.open()
      assert.deepEqual(talk.give(first), ['failure PROTOCOL_ERROR'])
      assert.equal(talk.written().at(-1), 'GOAWAY PROTOCOL_ERROR last 0')
    })
  }

  test('says in words that the peer speaks HTTP/1.1', () => {
    for (const [bytes, word] of [
      ['HTTP/1.1 505 No\r\n', /HTTP\/1\.1/],
      ['SSH-2.0-OpenSSH_9.2\r\n', /SETTINGS/],
    ] as const) {
      const talk = new Talk()
      talk.engine.start()
      const [value] = talk.values(Buffer.from(bytes))
      assert.ok(value?.type === 'failure' && !value.isLimit)
      assert.match(value.text, word)
    }
  })
})

test('The preface, our settings and the window of the connection leave together, and nothing else', () => {
  const talk = new Talk()
  talk.engine.start()
  const written = Buffer.concat(talk.sink.pieces)
  assert.deepEqual(written.subarray(0, h2.PREFACE.length), h2.PREFACE)
  assert.deepEqual(talk.written(), [
    'SETTINGS {"ENABLE_PUSH":1,"MAX_CONCURRENT_STREAMS":100,"INITIAL_WINDOW_SIZE":1048576,"MAX_HEADER_LIST_SIZE":100000}',
    'WINDOW_UPDATE 8323073',
  ])
  assert.equal(talk.engine.hasSettings, false)
  assert.equal(talk.engine.isAcknowledged, false)
})

const size = 'failure FRAME_SIZE_ERROR'
const protocol = 'failure PROTOCOL_ERROR'

/** A frame that comes on a connection with an open stream 1, and what is told. */
const cases: readonly (readonly [name: string, frame: Buffer, told: string | undefined])[] = [
  // Section 4.2: frames of any type have no more than we allow.
  ['DATA as large as is allowed', frame(types.DATA, 0, 3, bytes(16_384)), protocol],
  ['DATA one byte larger', frame(types.DATA, 0, 1, '', 16_385), size],
  ['HEADERS one byte larger', frame(types.HEADERS, END_HEADERS, 1, '', 16_385), size],
  ['an unknown frame as large as is allowed', frame(0xbb, 0xff, 0, bytes(16_384)), undefined],
  ['an unknown frame one byte larger', frame(0xbb, 0xff, 0, '', 16_385), size],
  ['a frame of 16 MB', frame(types.CONTINUATION, 0, 1, '', 0xff_ffff), size],
  // Section 4.1: the reserved bit, and flags that have no meaning, are ignored.
  ['a stream with the reserved bit', frame(types.HEADERS, END_HEADERS, 0x8000_0001, block), 'response 1 200'],
  ['HEADERS with all flags that mean nothing', frame(types.HEADERS, 0xd2 | 4, 1, block), 'response 1 200'],
  ['a PING with flags that mean nothing', frame(types.PING, 0xfe, 0, bytes(8)), undefined],
  // Section 6.1.
  ['DATA on no stream', frame(types.DATA, 0, 0, 'x'), protocol],
  ['padded DATA without a payload', frame(types.DATA, PADDED, 1), protocol],
  [
    'DATA with as much padding as there is payload',
    frame(types.DATA, PADDED, 1, padded(bytes(0), 2, 3)),
    protocol,
  ],
  // Section 6.2.
  ['HEADERS on no stream', frame(types.HEADERS, END_HEADERS, 0, block), protocol],
  ['padded HEADERS without a payload', frame(types.HEADERS, PADDED | END_HEADERS, 1), size],
  [
    'HEADERS with padding',
    frame(types.HEADERS, PADDED | END_HEADERS, 1, padded(block, 255)),
    'response 1 200',
  ],
  [
    'HEADERS with padding of no bytes',
    frame(types.HEADERS, PADDED | END_HEADERS, 1, padded(block, 0)),
    'response 1 200',
  ],
  [
    'HEADERS of nothing but padding',
    frame(types.HEADERS, PADDED | END_HEADERS, 1, padded(bytes(0), 9)),
    'broken 1 PROTOCOL_ERROR by a head',
  ],
  [
    'HEADERS with a byte of padding too many',
    frame(types.HEADERS, PADDED | END_HEADERS, 1, padded(bytes(0), 9, 10)),
    protocol,
  ],
  [
    'HEADERS with a priority',
    frame(types.HEADERS, PRIORITY | END_HEADERS, 1, Buffer.concat([bytes(5), block])),
    'response 1 200',
  ],
  [
    'HEADERS that depend on themselves',
    frame(types.HEADERS, PRIORITY | END_HEADERS, 1, Buffer.concat([uint32(1), bytes(1), block])),
    'response 1 200',
  ],
  ['HEADERS with a part of a priority', frame(types.HEADERS, PRIORITY | END_HEADERS, 1, bytes(4)), size],
  [
    'HEADERS with padding and a part of a priority',
    frame(types.HEADERS, PADDED | PRIORITY | END_HEADERS, 1, padded(bytes(4), 0)),
    size,
  ],
  [
    'HEADERS with padding and a priority',
    frame(types.HEADERS, PADDED | PRIORITY | END_HEADERS, 1, padded(Buffer.concat([bytes(5), block]), 3)),
    'response 1 200',
  ],
  [
    'HEADERS whose padding is in the priority',
    frame(types.HEADERS, PADDED | PRIORITY | END_HEADERS, 1, padded(bytes(5), 2, 3)),
    protocol,
  ],
  // Section 6.3.
  ['PRIORITY on no stream', frame(types.PRIORITY, 0, 0, bytes(5)), protocol],
  ['PRIORITY', frame(types.PRIORITY, 0, 1, bytes(5)), undefined],
  ['PRIORITY on a stream to come', frame(types.PRIORITY, 0, 99, bytes(5)), undefined],
  ['PRIORITY of 4 bytes', frame(types.PRIORITY, 0, 1, bytes(4)), 'broken 1 FRAME_SIZE_ERROR'],
  ['PRIORITY of 6 bytes', frame(types.PRIORITY, 0, 1, bytes(6)), 'broken 1 FRAME_SIZE_ERROR'],
  ['PRIORITY of 4 bytes on a stream to come', frame(types.PRIORITY, 0, 99, bytes(4)), undefined],
  // Section 6.4.
  ['RST_STREAM on no stream', frame(types.RST_STREAM, 0, 0, bytes(4)), protocol],
  ['RST_STREAM of 3 bytes', frame(types.RST_STREAM, 0, 1, bytes(3)), size],
  ['RST_STREAM of 5 bytes', frame(types.RST_STREAM, 0, 1, bytes(5)), size],
  ['RST_STREAM with an unknown code', frame(types.RST_STREAM, 0, 1, uint32(0xdead)), 'reset 1 code 57005'],
  // Section 6.5.
  ['SETTINGS on a stream', frame(types.SETTINGS, 0, 1), protocol],
  ['SETTINGS of 5 bytes', frame(types.SETTINGS, 0, 0, bytes(5)), size],
  ['SETTINGS of 7 bytes', frame(types.SETTINGS, 0, 0, bytes(7)), size],
  ['an acknowledgement with a payload', frame(types.SETTINGS, ACK, 0, bytes(6)), size],
  ['an acknowledgement on a stream', frame(types.SETTINGS, ACK, 1), protocol],
  ['empty SETTINGS', frame(types.SETTINGS, 0, 0), 'settings'],
  // Section 6.6.
  [
    'PUSH_PROMISE',
    frame(types.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(2), request])),
    'push 1 2 GET /',
  ],
  [
    'PUSH_PROMISE with padding',
    frame(types.PUSH_PROMISE, PADDED | END_HEADERS, 1, padded(Buffer.concat([uint32(2), request]), 7)),
    'push 1 2 GET /',
  ],
  [
    'PUSH_PROMISE with the reserved bit',
    frame(types.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([uint32(0x8000_0002), request])),
    'push 1 2 GET /',
  ],
  [
    'PUSH_PROMISE with a byte of padding too many',
    frame(types.PUSH_PROMISE, PADDED | END_HEADERS, 1, padded(uint32(2), 9, 10)),
    protocol,
  ],
  ['PUSH_PROMISE of 3 bytes', frame(types.PUSH_PROMISE, END_HEADERS, 1, bytes(3)), size],
  ['padded PUSH_PROMISE without a payload', frame(types.PUSH_PROMISE, PADDED | END_HEADERS, 1), size],
  [
    'PUSH_PROMISE on no stream',
    frame(types.PUSH_PROMISE, END_HEADERS, 0, Buffer.concat([uint32(2), request])),
    protocol,
  ],
  // Section 6.7.
  ['a PING on a stream', frame(types.PING, 0, 1, bytes(8)), protocol],
  ['a PING of 7 bytes', frame(types.PING, 0, 0, bytes(7)), size],
  ['a PING of 9 bytes', frame(types.PING, 0, 0, bytes(9)), size],
  ['an answer of 7 bytes', frame(types.PING, ACK, 0, bytes(7)), size],
  ['an answer to no PING of ours', frame(types.PING, ACK, 0, bytes(8)), undefined],
  // Section 6.8.
  ['GOAWAY on a stream', frame(types.GOAWAY, 0, 1, bytes(8)), protocol],
  ['GOAWAY of 7 bytes', frame(types.GOAWAY, 0, 0, bytes(7)), size],
  [
    'GOAWAY with the reserved bit',
    frame(types.GOAWAY, 0, 0, Buffer.concat([uint32(0x8000_0001), bytes(4)])),
    'goaway NO_ERROR 1',
  ],
  ['GOAWAY with a reason', h2.goaway(1, 2, 'why not'), 'goaway INTERNAL_ERROR 1'],
  ['GOAWAY with an unknown code', h2.goaway(1, 99), 'goaway code 99 1'],
  // Section 6.9.
  ['WINDOW_UPDATE of 3 bytes', frame(types.WINDOW_UPDATE, 0, 0, bytes(3)), size],
  ['WINDOW_UPDATE of 5 bytes', frame(types.WINDOW_UPDATE, 0, 1, bytes(5)), size],
  ['WINDOW_UPDATE of nothing', h2.windowUpdate(0, 0), protocol],
  ['WINDOW_UPDATE of nothing on a stream', h2.windowUpdate(1, 0), 'broken 1 PROTOCOL_ERROR'],
  ['WINDOW_UPDATE of nothing but the reserved bit', h2.windowUpdate(0, 2 ** 31), protocol],
  ['WINDOW_UPDATE with the reserved bit', h2.windowUpdate(0, 2 ** 31 + 1), undefined],
  // Section 6.10.
  ['CONTINUATION of nothing', h2.continuation(1, block), protocol],
  ['CONTINUATION of nothing on no stream', h2.continuation(0, block), protocol],
  // Section 5.5.
  ['an unknown frame on a stream', frame(0xaa, 0xff, 1, 'x'), undefined],
  ['an unknown frame on a stream to come', frame(0xaa, END_STREAM, 99, 'x'), undefined],
  ['an unknown frame without a payload', frame(0xff, 0, 0), undefined],
]

describe('The form of a frame', () => {
  for (const [name, bytes, told] of cases) {
    test(name, () => {
      const talk = begun()
      talk.open({ method: 'POST' }, false)
      talk.written()
      assert.deepEqual(talk.give(bytes), told === undefined ? [] : [told])
      const [, code] = told?.match(/failure (\w+)/) ?? []
      if (code !== undefined) assert.match(talk.written().at(-1) ?? '', new RegExp(`^GOAWAY ${code} `))
      // The frame was read to its end.
      else assert.equal(talk.give(h2.goaway(1)).at(-1), 'goaway NO_ERROR 1')
    })
  }

  test('Frames as large as our setting are read, and one byte more is refused', () => {
    const large = (size: number) => {
      const talk = begun({ maxFrameSizeReceived: 20_000 })
      talk.open()
      return talk.give(head(1), frame(types.DATA, 0, 1, bytes(size)))
    }
    assert.deepEqual(large(20_000), ['response 1 200', 'data 1 (20000)'])
    assert.deepEqual(large(20_001), ['response 1 200', 'failure FRAME_SIZE_ERROR'])
  })
})

describe('A header block in several frames', () => {
  const open = () => {
    const talk = begun()
    talk.open()
    talk.written()
    return talk
  }
  const whole = encodeHeaders([
    [':status', '200'],
    ['a', 'b'],
  ])
  const began = h2.headers(1, whole.subarray(0, 3), { endHeaders: false })

  test('may be cut anywhere, into frames of no bytes too', () => {
    for (let at = 0; at <= whole.length; at++) {
      const rest = [h2.continuation(1, bytes(0), false), h2.continuation(1, whole.subarray(at))]
      const first = h2.headers(1, whole.subarray(0, at), { endHeaders: false, endStream: true })
      assert.deepEqual(open().give(first, ...rest), ['response 1 200 a=b fin'])
    }
  })

  test('has its padding and its priority in the first frame alone', () => {
    const payload = padded(Buffer.concat([bytes(5), whole.subarray(0, 3)]), 4)
    const first = frame(types.HEADERS, PADDED | PRIORITY, 1, payload)
    assert.deepEqual(open().give(first, h2.continuation(1, whole.subarray(3))), ['response 1 200 a=b'])
  })

  test('may announce a stream', () => {
    const first = h2.pushPromise(1, 2, request.subarray(0, 5), { endHeaders: false, padding: 3 })
    assert.deepEqual(open().give(first, h2.continuation(1, request.subarray(5))), ['push 1 2 GET /'])
  })

  for (const [name, between] of [
    ['DATA', h2.data(1, 'x')],
    ['empty DATA', h2.data(1)],
    ['padded DATA', h2.data(1, 'x', { padding: 3 })],
    ['HEADERS', head(1)],
    ['PRIORITY', frame(types.PRIORITY, 0, 1, bytes(5))],
    ['RST_STREAM', h2.rstStream(1, 8)],
    ['SETTINGS', h2.settings()],
    ['PUSH_PROMISE', h2.pushPromise(1, 2, request)],
    ['a PING', h2.ping()],
    ['GOAWAY', h2.goaway(1)],
    ['WINDOW_UPDATE', h2.windowUpdate(0, 1)],
    ['an unknown frame', frame(0xaa, 0, 1)],
    ['CONTINUATION of another stream', h2.continuation(3, whole.subarray(3))],
    ['CONTINUATION of no stream', h2.continuation(0, whole.subarray(3))],
  ] as const) {
    test(`is not interrupted by ${name}`, () => {
      const talk = open()
      assert.deepEqual(talk.give(began, between), ['failure PROTOCOL_ERROR'])
      assert.deepEqual(talk.written(), ['GOAWAY PROTOCOL_ERROR last 0'])
    })
  }

  test('is as long as is allowed, and not one byte longer', () => {
    const give = (size: number) => {
      const talk = begun({ maxHeaderBlock: 100 })
      talk.open()
      const long = encodeHeaders([
        [':status', '200'],
        ['a', 'x'.repeat(size - 17)],
      ])
      assert.equal(long.length, size)
      const first = h2.headers(1, long.subarray(0, 50), { endHeaders: false })
      return talk.give(first, h2.continuation(1, long.subarray(50)))
    }
    assert.match(give(100)[0] ?? '', /^response 1 200/)
    assert.deepEqual(give(101), ['failure ENHANCE_YOUR_CALM limit'])
  })

  test('fails the connection if it breaks the rules of HPACK', () => {
    for (const wrong of [
      [0x80],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
      [0x40, 0x05, 0x61],
      [0x3f, 0xe2, 0x1f],
    ]) {
      const talk = open()
      assert.deepEqual(talk.give(h2.headers(1, Buffer.from(wrong))), ['failure COMPRESSION_ERROR'])
      assert.deepEqual(talk.written(), ['GOAWAY COMPRESSION_ERROR last 0'])
    }
  })

  test('keeps the table in step, whatever becomes of its stream', () => {
    const added = (name: string, value: string) =>
      Buffer.concat([
        Buffer.of(0x40, name.length),
        Buffer.from(name),
        Buffer.of(value.length),
        Buffer.from(value),
      ])
    const talk = begun({ maxHeaderListSize: 150 })
    const ids = [talk.open(), talk.open(), talk.open(), talk.open()]
    talk.engine.reset(ids[0] as (typeof ids)[0])
    // On a stream that was reset; too large; malformed; in a push that is refused.
    const told = talk.give(
      h2.headers(1, Buffer.concat([Buffer.of(0x88), added('a', '1')])),
      h2.headers(3, Buffer.concat([Buffer.of(0x88), added('b', 'x'.repeat(110))])),
      h2.headers(5, Buffer.concat([added('c', '3'), Buffer.of(0x88)])),
      h2.pushPromise(7, 2, added('d', '4')),
      h2.headers(7, Buffer.of(0x88, 0xbe, 0xbf, 0xc1)),
    )
    assert.deepEqual(told, [
      'broken 3 ENHANCE_YOUR_CALM by a head',
      'broken 5 PROTOCOL_ERROR by a head',
      'response 7 200 d=4 c=3 a=1',
    ])
  })
})
