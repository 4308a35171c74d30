import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HpackDecoder } from '../../../../../test/support/hpack.ts'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head, Talk, tell } from '../../support/engine.ts'

/** As many bytes as the connection's window has at first. */
const WINDOW = 65_535
/** Streams whose windows are larger than the connection's. */
const wide = { INITIAL_WINDOW_SIZE: 1_000_000 }

const post = (talk: Talk) => talk.open({ method: 'POST' }, false)

describe('A connection whose window is used up', () => {
  test('holds up no end that is empty, and no trailers', () => {
    const talk = begun({}, wide)
    const [blocked, ended, trailed] = [post(talk), post(talk), post(talk)] as const
    talk.send(blocked, Buffer.alloc(WINDOW + 1), true)
    talk.written()
    talk.send(ended, '', true)
    talk.engine.sendTrailers(trailed, [['a', 'b']])
    assert.deepEqual(talk.written(), ['DATA of 3 "" END_STREAM', 'HEADERS of 5 a=b END_STREAM'])
    assert.equal(talk.engine.isWaitingForSink, false)
    assert.deepEqual(talk.give(h2.windowUpdate(0, 1)), ['sent 1'])
    assert.deepEqual(talk.written(), ['DATA of 1 "\\u0000" END_STREAM'])
  })

  test('sends such ends once the sink has room, whatever waits in front of them', () => {
    const talk = begun({}, wide)
    const [first, second, third] = [post(talk), post(talk), post(talk)] as const
    talk.send(first, Buffer.alloc(WINDOW), false)
    talk.written()
    talk.sink.isStuck = true
    talk.sink.buffered = 256 * 1024
    for (const stream of [first, second]) talk.send(stream, 'body', false)
    talk.send(third, '', true)
    assert.deepEqual(talk.written(), [])
    assert.equal(talk.engine.isWaitingForSink, true)
    talk.sink.drain()
    talk.engine.flush()
    assert.deepEqual(talk.written(), ['DATA of 5 "" END_STREAM'])
    assert.equal(talk.engine.isWaitingForSink, false)
    assert.deepEqual(talk.give(h2.windowUpdate(0, 100)), ['sent 5', 'sent 1', 'sent 3'])
    assert.deepEqual(talk.written(), ['DATA of 1 "body"', 'DATA of 3 "body"'])
  })

  test('gives each stream one turn afterwards, however often an end came before', () => {
    const talk = begun({}, wide)
    const large = [post(talk), post(talk)]
    for (const stream of large) talk.send(stream, Buffer.alloc(200_000), true)
    for (let i = 0; i < 3; i++) talk.send(post(talk), '', true)
    talk.written()
    talk.give(h2.windowUpdate(0, 400_000))
    const turns = talk.frames().map(({ streamId }) => streamId)
    assert.deepEqual(
      turns.filter((id, i) => id !== turns[i - 1]),
      [1, 3, 1, 3, 1, 3],
    )
  })
})

const zeros = (size: number) => Buffer.alloc(size)

describe('A request', () => {
  test('is written when it is asked for, before the peer has stated its settings too', () => {
    const talk = new Talk()
    talk.engine.start()
    talk.written()
    const stream = talk.open({ method: 'PUT', path: '/x', headers: [['a', 'b']] }, false)
    talk.send(stream, 'body', true)
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=PUT :scheme=http :authority=a :path=/x a=b',
      'DATA of 1 "body" END_STREAM',
    ])
  })

  test('has odd numbers, one after the other, up to the largest', () => {
    const talk = begun()
    assert.deepEqual([talk.open().id, talk.open().id, talk.open().id], [1, 3, 5])
  })

  test('leaves out what concerns one connection of HTTP/1.1', () => {
    const talk = begun()
    talk.open({
      headers: [
        ['host', 'h'],
        ['connection', 'close'],
        ['keep-alive', 'x'],
        ['proxy-connection', 'x'],
        ['transfer-encoding', 'chunked'],
        ['upgrade', 'h2c'],
        ['http2-settings', 'x'],
        ['te', 'gzip'],
        ['te', 'trailers'],
      ],
    })
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=GET :scheme=http :authority=a :path=/ te=trailers END_STREAM',
    ])
  })

  test('names a protocol, or neither scheme nor path, where it is a CONNECT', () => {
    const talk = begun()
    talk.open({ method: 'CONNECT', protocol: 'websocket', path: '/chat' }, false)
    talk.engine.open(
      '',
      {
        method: 'CONNECT',
        scheme: undefined,
        authority: 'a:1',
        path: undefined,
        protocol: undefined,
        headers: [],
      },
      false,
    )
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=CONNECT :scheme=http :authority=a :path=/chat :protocol=websocket',
      'HEADERS of 3 :method=CONNECT :authority=a:1',
    ])
  })

  /** The frames of a request with a field whose octets are not shorter in the Huffman code. */
  function large(value: string) {
    const talk = begun()
    talk.send(talk.open({ headers: [['large', value]] }, false), 'x', true)
    const frames = talk.frames()
    const body = frames.pop()
    return { frames, body, block: Buffer.concat(frames.map(({ payload }) => payload)) }
  }
  /** How long such a value is, so that the block has so many bytes. */
  function lengthFor(size: number): number {
    let length = size
    while (large('\xff'.repeat(length)).block.length > size) length--
    return length
  }

  for (const size of [16_384, 16_385, 32_768, 40_000]) {
    test(`with a header block of ${size} bytes is written in whole frames, nothing between them`, () => {
      const value = '\xff'.repeat(lengthFor(size))
      const { frames, body, block } = large(value)
      assert.equal(block.length, size)
      assert.deepEqual(new HpackDecoder().decode(block).at(-1), ['large', value])
      const types = frames.map(({ type }) => h2.typeName(type))
      assert.deepEqual(types, ['HEADERS', ...types.slice(1).map(() => 'CONTINUATION')])
      assert.deepEqual(
        frames.map(({ payload }) => payload.length),
        [...Array(Math.floor((block.length - 1) / 16_384)).fill(16_384), ((block.length - 1) % 16_384) + 1],
      )
      const isLast = (i: number) => i === frames.length - 1
      assert.ok(frames.every(({ flags }, i) => flags === (isLast(i) ? h2.flags.END_HEADERS : 0)))
      assert.ok(body !== undefined && h2.tellFrame(body) === 'DATA of 1 "x" END_STREAM')
    })
  }

  test('with a large block that ends its stream says so in its first frame', () => {
    const talk = begun()
    talk.open({ headers: [['large', '\xff'.repeat(20_000)]] })
    assert.deepEqual(
      talk.frames().map(({ flags }) => flags),
      [h2.flags.END_STREAM, h2.flags.END_HEADERS],
    )
  })

  test('of a stream may end with trailers behind its body, of any size', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 3 })
    const stream = post(talk)
    talk.written()
    talk.send(stream, 'abcde', false)
    talk.engine.sendTrailers(stream, [['t', '\xff'.repeat(20_000)]])
    assert.equal(stream.hasFinished, false)
    assert.deepEqual(talk.written(), ['DATA of 1 "abc"'])
    assert.deepEqual(talk.give(h2.windowUpdate(1, 2)), ['sent 1'])
    assert.equal(stream.hasFinished, true)
    const frames = talk.frames()
    assert.deepEqual(
      frames.map(({ type, flags }) => [h2.typeName(type), flags]),
      [
        ['DATA', 0],
        ['HEADERS', h2.flags.END_STREAM],
        ['CONTINUATION', h2.flags.END_HEADERS],
      ],
    )
  })

  test('takes nothing behind its end', () => {
    const talk = begun()
    const stream = post(talk)
    talk.send(stream, 'x', true)
    talk.written()
    talk.send(stream, 'y', false)
    talk.send(stream, '', true)
    talk.engine.sendTrailers(stream, [])
    assert.deepEqual(talk.written(), [])
  })
})

describe('A body', () => {
  test('goes into the sink without a copy, whatever it is cut into', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 40_000 })
    const stream = post(talk)
    const body = zeros(50_000)
    talk.sink.pieces = []
    talk.engine.send(stream, body, true)
    const pieces = talk.sink.pieces.filter(({ length }) => length > 9)
    assert.ok(pieces.every(({ buffer }) => buffer === body.buffer))
    assert.deepEqual(
      pieces.map(({ byteOffset, length }) => [byteOffset - body.byteOffset, length]),
      [
        [0, 16_384],
        [16_384, 16_384],
        [32_768, 7232],
      ],
    )
  })

  test('in many pieces leaves in frames as large as may be', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 0 })
    const stream = post(talk)
    for (let i = 0; i < 5000; i++) talk.send(stream, Buffer.from('0123456789'), i === 4999)
    talk.written()
    assert.equal(stream.queued, 50_000)
    assert.deepEqual(talk.give(h2.windowUpdate(1, 100_000)), ['sent 1'])
    const frames = talk.frames()
    assert.deepEqual(
      frames.map(({ payload, flags }) => [payload.length, flags]),
      [
        [16_384, 0],
        [16_384, 0],
        [16_384, 0],
        [848, 1],
      ],
    )
    assert.equal(Buffer.concat(frames.map(({ payload }) => payload)).toString(), '0123456789'.repeat(5000))
  })

  test('takes turns with others of 64 KB each', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 1_000_000 })
    const streams = [post(talk), post(talk), post(talk)]
    talk.sink.isStuck = true
    talk.sink.buffered = 256 * 1024
    for (const stream of streams) talk.send(stream, zeros(150_000), true)
    talk.written()
    talk.give(h2.windowUpdate(0, 1_000_000))
    talk.sink.drain()
    talk.engine.flush()
    const turns = new Map<string, number>()
    let turn = ''
    for (const { streamId, payload } of talk.frames()) {
      if (!turn.endsWith(` ${streamId}`)) turn = `${turns.size} ${streamId}`
      turns.set(turn, (turns.get(turn) ?? 0) + payload.length)
    }
    const full = 65_536
    const rest = 150_000 - 2 * full
    assert.deepEqual([...turns.values()], [full, full, full, full, full, full, rest, rest, rest])
    assert.deepEqual(
      talk.give(),
      [1, 3, 5, 1, 3, 5, 1, 3, 5].map(id => `sent ${id}`),
    )
  })

  test('waits while the sink is full, which other frames do not', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 1_000_000 })
    talk.give(h2.windowUpdate(0, 1_000_000))
    const stream = post(talk)
    talk.sink.isStuck = true
    talk.written()
    talk.send(stream, zeros(400_000), true)
    // Turns are whole: the mark of 256 KB is passed by the last one at most.
    const sent = talk.frames().reduce((sum, { payload }) => sum + payload.length, 0)
    assert.equal(sent, 4 * 65_536)
    assert.equal(talk.engine.isWaitingForSink, true)
    talk.open()
    talk.engine.ping()
    talk.engine.flush()
    assert.deepEqual(
      talk.frames().map(({ type }) => h2.typeName(type)),
      ['HEADERS', 'PING'],
    )
    talk.sink.drain()
    talk.engine.flush()
    assert.equal(talk.engine.isWaitingForSink, false)
    assert.deepEqual(talk.give(), ['sent 1', 'sent 1', 'sent 1'])
    assert.equal(stream.hasFinished, true)
  })

  test('that waits is dropped when either side resets the stream', () => {
    for (const byPeer of [false, true]) {
      const talk = begun({}, { INITIAL_WINDOW_SIZE: 1 })
      const stream = post(talk)
      talk.send(stream, 'abc', true)
      talk.written()
      if (byPeer) assert.deepEqual(talk.give(h2.rstStream(1, 8)), ['reset 1 CANCEL'])
      else talk.engine.reset(stream, 8)
      assert.deepEqual(talk.give(h2.windowUpdate(1, 100), h2.settings({ INITIAL_WINDOW_SIZE: 100 })), [
        'settings',
      ])
      assert.deepEqual(talk.written(), [...(byPeer ? [] : ['RST_STREAM of 1 CANCEL']), 'SETTINGS ACK'])
      assert.equal(stream.queued, 0)
    }
  })

  test('of a stream that the peer has ended goes on, and closes it', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 1 })
    const stream = post(talk)
    talk.send(stream, 'ab', true)
    assert.deepEqual(talk.give(head(1, {}, { endStream: true })), ['response 1 200 fin'])
    assert.equal(stream.state, 'half_closed_remote')
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1)), ['sent 1'])
    assert.equal(stream.state, 'closed')
    assert.deepEqual(talk.give(h2.windowUpdate(1, 1), h2.rstStream(1, 0)), [])
  })
})

describe('Bytes that are written in place', () => {
  test('are one frame, if they may leave at once', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 10 })
    const stream = post(talk)
    talk.written()
    const at = talk.engine.reserve(stream, 10)
    assert.ok(at !== undefined)
    talk.sink.page.write('abc', at)
    talk.engine.commit(stream, 3)
    assert.deepEqual(talk.written(), ['DATA of 1 "abc"'])
    assert.equal(talk.engine.reserve(stream, 8), undefined)
    assert.notEqual(talk.engine.reserve(stream, 7), undefined)
  })

  test('have no room behind what waits, in a frame that is too large, or on a stream that is complete or closed', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 40_000 })
    const { engine } = talk
    const [busy, complete, closed, other] = [post(talk), post(talk), post(talk), post(talk)] as const
    assert.equal(engine.reserve(other, 16_385), undefined)
    assert.notEqual(engine.reserve(other, 16_384), undefined)
    talk.send(complete, '', true)
    engine.reset(closed)
    for (const stream of [complete, closed]) assert.equal(engine.reserve(stream, 1), undefined)
    talk.send(busy, zeros(40_001), false)
    assert.equal(engine.reserve(busy, 1), undefined)
    assert.notEqual(engine.reserve(other, 1), undefined)
    talk.sink.buffered = 256 * 1024
    assert.equal(engine.reserve(other, 1), undefined)
    talk.sink.drain()
    talk.send(other, zeros(WINDOW - 40_000 - 1), false)
    assert.notEqual(engine.reserve(other, 1), undefined)
    assert.equal(engine.reserve(other, 2), undefined)
    engine.stop()
    assert.equal(engine.reserve(other, 1), undefined)
  })
})

describe('Frames leave in the order in which they were asked for', () => {
  test('whatever they are', () => {
    const talk = begun()
    const { engine } = talk
    const first = post(talk)
    const second = post(talk)
    talk.send(first, 'a', false)
    engine.ping()
    engine.reset(second, 5)
    engine.sendTrailers(first, [['t', '1']])
    engine.goAway(0)
    const third = talk.open()
    engine.reset(third)
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=POST :scheme=http :authority=a :path=/',
      'HEADERS of 3 :method=POST :scheme=http :authority=a :path=/',
      'DATA of 1 "a"',
      'PING 686f6c7300000001',
      'RST_STREAM of 3 STREAM_CLOSED',
      'HEADERS of 1 t=1 END_STREAM',
      'GOAWAY NO_ERROR last 0',
      'HEADERS of 5 :method=GET :scheme=http :authority=a :path=/ END_STREAM',
      'RST_STREAM of 5 CANCEL',
    ])
  })

  test('also if they are asked for between two values of one read', () => {
    const talk = begun()
    const streams = [talk.open(), post(talk)] as const
    talk.written()
    talk.engine.give(Buffer.concat([head(1), h2.data(1, 'x'), h2.ping(), head(3)]), 0)
    const told: string[] = []
    for (let value = talk.engine.next(); value !== undefined; value = talk.engine.next()) {
      told.push(tell(value))
      if (value.type === 'response' && value.stream.id === 1) talk.send(streams[1], 'a', true)
      if (value.type === 'data') talk.engine.reset(streams[0])
    }
    assert.deepEqual(told, ['response 1 200', 'data 1 x', 'response 3 200'])
    assert.deepEqual(talk.written(), [
      'DATA of 3 "a" END_STREAM',
      'RST_STREAM of 1 CANCEL',
      'PING ACK 0000000000000000',
    ])
  })
})

describe('What the user does between two values', () => {
  test('a reset within a frame of DATA drops the rest of it, and what is behind it', () => {
    const talk = begun()
    const stream = talk.open()
    const bytes = Buffer.concat([head(1), h2.data(1, zeros(1000)), h2.data(1, 'y', { endStream: true })])
    talk.give(bytes.subarray(0, 500))
    talk.engine.reset(stream)
    assert.deepEqual(talk.give(bytes.subarray(500)), [])
    assert.deepEqual(talk.give(h2.goaway(1)), ['goaway NO_ERROR 1'])
  })

  test('a reset within the last piece of a body that is too short leaves nothing to tell', () => {
    const talk = begun()
    const stream = talk.open()
    talk.written()
    const last = [head(1, { 'content-length': 3 }), h2.data(1, 'ab', { endStream: true })]
    assert.equal(talk.first(...last), 'response 1 200 content-length=3')
    assert.equal(talk.next(), 'data 1 ab')
    talk.engine.reset(stream)
    assert.equal(talk.next(), undefined)
    assert.deepEqual(talk.written(), ['RST_STREAM of 1 PROTOCOL_ERROR'])
  })

  test('to stop the engine drops all that is left', () => {
    const talk = begun()
    talk.open()
    talk.open()
    assert.equal(talk.first(h2.goaway(0), h2.ping()), 'goaway NO_ERROR 0')
    talk.engine.stop()
    assert.equal(talk.next(), undefined)
    assert.equal(talk.engine.isIdle, true)
    assert.deepEqual(talk.give(head(1)), [])
  })
})

test('Many streams that wait are reset in as little time each as one', () => {
  // Among so many, to look for each would take minutes.
  const many = 50_000
  const talk = begun({}, wide)
  const streams = Array.from({ length: many }, (_, i) => {
    const stream = post(talk)
    talk.engine.send(stream, zeros(i === 0 ? WINDOW : 10), true)
    return stream
  })
  for (const stream of streams.slice(0, many / 2).reverse()) talk.engine.reset(stream)
  assert.equal(talk.give(h2.goaway(0)).length, 1 + many / 2)
  talk.engine.flush()
  assert.equal(talk.engine.isWaitingForSink, false)
})
