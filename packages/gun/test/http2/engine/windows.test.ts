import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head, type Stream, type Talk, windowOf } from '../../support/engine.ts'

const FIRST = 65_535
const LARGEST = 2 ** 31 - 1
const zeros = (size: number) => Buffer.alloc(size)
const post = (talk: Talk) => talk.open({ method: 'POST' }, false)

/** DATA of so many bytes in all, in as few frames as may be. */
function dataOf(streamId: number, size: number): Buffer[] {
  const sizes = Array.from({ length: Math.ceil(size / 16_384) }, (_, i) =>
    Math.min(16_384, size - i * 16_384),
  )
  return sizes.map(size => h2.data(streamId, zeros(size)))
}

/** A talk that has the head of a response on each of so many streams. */
function answered(opts: Parameters<typeof begun>[0], count = 1): Talk {
  const talk = begun(opts)
  for (let i = 0; i < count; i++) {
    talk.open()
    talk.give(head(2 * i + 1))
  }
  talk.written()
  return talk
}

/** Gives frames, the first of which brings a part of a body. Gives the stream of that. */
function received(talk: Talk, ...frames: readonly Buffer[]): Stream {
  const [value] = talk.values(...frames)
  assert.ok(value?.type === 'data')
  return value.stream
}

describe("A stream's window to us", () => {
  test('is used up to its last byte, and not one byte further', () => {
    for (const [size, last] of [
      [40_000, 'data 1 (7232)'],
      [40_001, 'broken 1 FLOW_CONTROL_ERROR'],
    ] as const) {
      const talk = answered({ streamWindow: windowOf(40_000) })
      assert.equal(talk.give(...dataOf(1, size)).at(-1), last)
      assert.deepEqual(talk.written(), last.startsWith('data') ? [] : ['RST_STREAM of 1 FLOW_CONTROL_ERROR'])
    }
  })

  test('counts the length byte of padding, and padding itself, and gives them back at once', () => {
    const window = { initial: 100, threshold: 99, margin: 0, max: 100 }
    const told = (padding: number) =>
      answered({ streamWindow: window }).give(h2.data(1, zeros(50), { padding }))
    assert.deepEqual(told(49), ['data 1 (50)'])
    assert.deepEqual(told(50), ['broken 1 FLOW_CONTROL_ERROR'])
    const talk = answered({ streamWindow: window })
    talk.give(h2.data(1, zeros(50), { padding: 49 }))
    assert.deepEqual(talk.written(), ['WINDOW_UPDATE of 1 50'])
    talk.give(h2.data(1, '', { padding: 49 }))
    assert.deepEqual(talk.written(), ['WINDOW_UPDATE of 1 50'])
  })

  test('is opened by what the user has consumed, once no more than the threshold is left', () => {
    const talk = answered({ streamWindow: { initial: 1000, threshold: 400, margin: 0, max: LARGEST } })
    const stream = received(talk, h2.data(1, zeros(1000)))
    talk.engine.consume(stream, 599)
    assert.deepEqual(talk.written(), [])
    talk.engine.consume(stream, 1)
    assert.deepEqual(talk.written(), ['WINDOW_UPDATE of 1 600'])
    assert.deepEqual(talk.give(h2.data(1, zeros(600))), ['data 1 (600)'])
    assert.deepEqual(talk.give(h2.data(1, 'x')), ['broken 1 FLOW_CONTROL_ERROR'])
  })

  test('is opened by a margin more, and never wider than its largest size', () => {
    const rule = { initial: 1000, threshold: 400, margin: 500, max: 1200 }
    const talk = answered({ streamWindow: rule })
    const stream = received(talk, h2.data(1, zeros(1000)))
    talk.engine.consume(stream, 1000)
    assert.deepEqual(talk.written(), ['WINDOW_UPDATE of 1 1200'])
  })

  test('that is wider at first than its largest size becomes as narrow as that', () => {
    const talk = answered({ streamWindow: { initial: 1000, threshold: 900, margin: 0, max: 300 } })
    const stream = received(talk, h2.data(1, zeros(1000)))
    for (const [bytes, written] of [
      [600, []],
      [100, []],
      [100, ['WINDOW_UPDATE of 1 100']],
    ] as const) {
      talk.engine.consume(stream, bytes)
      assert.deepEqual(talk.written(), written)
    }
  })

  test('stays closed if it is of no bytes', () => {
    const talk = answered({ streamWindow: { initial: 0, threshold: 0, margin: 0, max: LARGEST } })
    assert.deepEqual(talk.give(h2.data(1), h2.data(1, 'x')), ['broken 1 FLOW_CONTROL_ERROR'])
    assert.deepEqual(talk.written(), ['RST_STREAM of 1 FLOW_CONTROL_ERROR'])
  })

  test('is opened no more once the peer has ended the stream, or either side has reset it', () => {
    for (const last of [
      [h2.data(1, zeros(900), { endStream: true })],
      [h2.data(1, zeros(900)), h2.rstStream(1, 8)],
    ]) {
      const talk = answered({ streamWindow: windowOf(1000) })
      const stream = received(talk, ...last)
      talk.engine.consume(stream, 900)
      assert.deepEqual(talk.written(), [])
    }
  })
})

describe("The connection's window to us", () => {
  const rule = { initial: FIRST, threshold: 0, margin: 0, max: LARGEST }

  test('is opened by itself, whatever becomes of the streams', () => {
    const talk = answered({ connectionWindow: { ...rule, threshold: 60_000 } })
    assert.deepEqual(talk.give(h2.data(1, zeros(5535))), ['data 1 (5535)'])
    assert.deepEqual(talk.written(), ['WINDOW_UPDATE 5535'])
    talk.give(h2.data(1, zeros(5534)))
    assert.deepEqual(talk.written(), [])
  })

  test('is stated at the start if it is larger than usual', () => {
    const written = (initial: number) => {
      const talk = begun({ connectionWindow: { ...rule, initial } })
      talk.engine.start()
      return talk.written().filter(line => line.startsWith('WINDOW'))
    }
    assert.deepEqual(written(FIRST), [])
    assert.deepEqual(written(FIRST + 1), ['WINDOW_UPDATE 1'])
    assert.deepEqual(written(LARGEST), [`WINDOW_UPDATE ${LARGEST - FIRST}`])
  })

  test('is used up to its last byte, and not one byte further, by all streams together', () => {
    // A threshold below zero is never reached: nothing is opened.
    const talk = answered({ connectionWindow: { ...rule, threshold: -1 } }, 2)
    assert.deepEqual(talk.give(...dataOf(1, 60_000), ...dataOf(3, 5535)).length, 5)
    assert.deepEqual(talk.give(h2.data(3)), [])
    assert.deepEqual(talk.give(h2.data(3, 'x')), ['failure FLOW_CONTROL_ERROR'])
    assert.deepEqual(talk.written(), ['GOAWAY FLOW_CONTROL_ERROR last 0'])
  })

  test('is used up by DATA that nobody wants', () => {
    const tight = { connectionWindow: { ...rule, threshold: -1 } }
    const talk = answered(tight, 3)
    talk.engine.reset(talk.open())
    talk.give(h2.rstStream(1, 8))
    // Reset by the peer, by us, and for a fault; and padding of a stream that is open.
    const unwanted = [h2.data(1, zeros(16_384)), h2.data(7, zeros(16_384)), h2.headers(3, [])]
    const told = talk.give(...unwanted, h2.data(3, zeros(16_384)), h2.data(5, '', { padding: 255 }))
    assert.deepEqual(told, ['broken 3 PROTOCOL_ERROR'])
    const left = FIRST - 3 * 16_384 - 256
    assert.deepEqual(talk.give(h2.data(5, zeros(left))), [`data 5 (${left})`])
    assert.deepEqual(talk.give(h2.data(5, 'x')), ['failure FLOW_CONTROL_ERROR'])
  })

  test('is used up by the DATA for which a stream is reset', () => {
    const tight = { connectionWindow: { ...rule, threshold: -1 }, streamWindow: windowOf(10) }
    const talk = answered(tight, 4)
    for (const id of [1, 3, 5]) {
      assert.deepEqual(talk.give(h2.data(id, zeros(16_384))), [`broken ${id} FLOW_CONTROL_ERROR`])
    }
    assert.deepEqual(talk.give(h2.data(7, zeros(16_384))), ['failure FLOW_CONTROL_ERROR'])
  })

  test('counts a frame that ends the connection when its stream has ended', () => {
    const talk = answered({})
    talk.give(h2.data(1, 'x', { endStream: true }))
    assert.deepEqual(talk.give(h2.data(1, zeros(100))), ['failure STREAM_CLOSED'])
  })
})

describe("A stream's window to the peer", () => {
  test('is opened up to the largest size, and not one byte further', () => {
    const talk = begun()
    post(talk)
    assert.deepEqual(talk.give(h2.windowUpdate(1, LARGEST - FIRST)), [])
    talk.written()
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1)), ['broken 1 FLOW_CONTROL_ERROR'])
    assert.deepEqual(talk.written(), ['RST_STREAM of 1 FLOW_CONTROL_ERROR'])
    post(talk)
    assert.deepEqual(talk.give(h2.windowUpdate(3, LARGEST)), ['broken 3 FLOW_CONTROL_ERROR'])
  })

  test('is opened by settings up to the largest size, and not one byte further', () => {
    for (const [size, told] of [
      [LARGEST - 1, ['settings']],
      [LARGEST, ['failure FLOW_CONTROL_ERROR']],
    ] as const) {
      const talk = begun()
      post(talk)
      talk.give(h2.windowUpdate(1, 1))
      assert.deepEqual(talk.give(h2.settings({ INITIAL_WINDOW_SIZE: size })), told)
    }
  })

  test('is used up to its last byte', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 10 })
    const stream = post(talk)
    talk.written()
    talk.send(stream, 'abcdefghijkl', true)
    assert.deepEqual(talk.written(), ['DATA of 1 "abcdefghij"'])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1)), ['sent 1'])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 5)), ['sent 1'])
    assert.deepEqual(talk.written(), ['DATA of 1 "k"', 'DATA of 1 "l" END_STREAM'])
  })

  test('may become negative, and sends again once it is open', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 10 })
    const stream = post(talk)
    talk.send(stream, 'abcdefghij', false)
    talk.written()
    talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 3 }))
    talk.send(stream, 'klm', false)
    assert.deepEqual(talk.give(h2.windowUpdate(1, 7)), [])
    assert.deepEqual(talk.written(), ['SETTINGS ACK'])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1)), ['sent 1'])
    assert.deepEqual(talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 100 })), ['settings', 'sent 1'])
    assert.deepEqual(talk.written(), ['DATA of 1 "k"', 'SETTINGS ACK', 'DATA of 1 "lm"'])
  })

  test('holds up no empty end, even if it is negative', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 10 })
    const stream = post(talk)
    talk.send(stream, 'abcdefghij', false)
    talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 0 }))
    talk.written()
    talk.send(stream, '', true)
    assert.deepEqual(talk.written(), ['DATA of 1 "" END_STREAM'])
  })

  test('of a stream that is over, or that has sent all, is opened to no effect', () => {
    const talk = begun()
    talk.open()
    talk.engine.reset(talk.open())
    for (const id of [1, 3]) assert.deepEqual(talk.give(h2.windowUpdate(id, 1000)), [])
    assert.deepEqual(talk.give(h2.windowUpdate(3, 0)), [])
    assert.deepEqual(talk.give(head(1, {}, { endStream: true }), h2.windowUpdate(1, LARGEST)), [
      'response 1 200 fin',
    ])
  })
})

describe("The connection's window to the peer", () => {
  test('is opened up to the largest size, and not one byte further', () => {
    const talk = begun()
    assert.deepEqual(talk.give(h2.windowUpdate(0, LARGEST - FIRST)), [])
    assert.deepEqual(talk.give(h2.windowUpdate(0, 1)), ['failure FLOW_CONTROL_ERROR'])
  })

  test('is not changed by settings', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: LARGEST })
    const stream = post(talk)
    talk.send(stream, zeros(100_000), true)
    const sent = talk.frames().reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0)
    assert.equal(sent, FIRST)
    talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 0 }), h2.settings({ INITIAL_WINDOW_SIZE: LARGEST }))
    assert.deepEqual(talk.written(), ['SETTINGS ACK', 'SETTINGS ACK'])
    assert.deepEqual(talk.give(h2.windowUpdate(0, 40_000)), ['sent 1'])
    assert.deepEqual(talk.written(), [
      'DATA of 1 (16384)',
      'DATA of 1 (16384)',
      'DATA of 1 (1697) END_STREAM',
    ])
  })
})

describe('The threshold', () => {
  test('lets DATA wait until its window is as large, or has room for all of it', () => {
    const talk = begun({ dataThreshold: 100 }, { INITIAL_WINDOW_SIZE: 200 })
    const stream = post(talk)
    talk.written()
    talk.send(stream, zeros(200), false)
    talk.send(stream, zeros(150), false)
    assert.deepEqual(talk.written(), ['DATA of 1 (200)'])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 99)), [])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1)), ['sent 1'])
    assert.deepEqual(talk.written(), ['DATA of 1 (100)'])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 49)), [])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1)), ['sent 1'])
    assert.deepEqual(talk.written(), ['DATA of 1 (50)'])
  })

  test('asks no peer for more than its whole window, however late that is stated', () => {
    for (const settings of [{ INITIAL_WINDOW_SIZE: 1000 }, {}]) {
      const talk = begun({ dataThreshold: 100_000 })
      talk.send(post(talk), zeros(FIRST), false)
      const stream = post(talk)
      talk.written()
      talk.send(stream, zeros(200_000), false)
      talk.give(h2.windowUpdate(0, 10), h2.settings(settings))
      assert.ok(talk.frames().some(({ type, streamId }) => type === h2.types.DATA && streamId === 3))
    }
  })
})
