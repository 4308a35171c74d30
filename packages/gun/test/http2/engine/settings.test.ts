import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HpackDecoder } from '../../../../../test/support/hpack.ts'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, Talk, windowOf } from '../../support/engine.ts'

const { settingIds: ids } = h2

describe('Our settings', () => {
  test('are those that differ from what the RFC has, and what a server should know of a client', () => {
    const talk = new Talk({
      maxDecodeTableSize: 100,
      enablePush: false,
      maxConcurrentStreams: Number.POSITIVE_INFINITY,
      streamWindow: windowOf(0),
      maxFrameSizeReceived: 16_777_215,
      maxHeaderListSize: 7,
      enableConnectProtocol: false,
      connectionWindow: windowOf(65_535),
    })
    talk.engine.start()
    const [frame] = talk.frames()
    assert.ok(frame)
    assert.deepEqual(h2.readSettings(frame), {
      HEADER_TABLE_SIZE: 100,
      ENABLE_PUSH: 0,
      INITIAL_WINDOW_SIZE: 0,
      MAX_FRAME_SIZE: 16_777_215,
      MAX_HEADER_LIST_SIZE: 7,
      ENABLE_CONNECT_PROTOCOL: 0,
    })
  })

  test('are in force once the peer has acknowledged them, and again acknowledgements change nothing', () => {
    const talk = new Talk()
    talk.engine.start()
    assert.deepEqual(talk.give(h2.settings()), ['settings'])
    assert.equal(talk.engine.isAcknowledged, false)
    assert.deepEqual(talk.give(h2.settingsAck(), h2.settingsAck()), ['acknowledged'])
    assert.equal(talk.engine.isAcknowledged, true)
  })

  test('let the peer use a smaller table from its acknowledgement on', () => {
    const added = Buffer.from('\x88\x40\x01a\x01b', 'latin1')
    const later = Buffer.of(0x88, 0xbe)
    for (const isAcknowledged of [false, true]) {
      const talk = new Talk({ maxDecodeTableSize: 0 })
      talk.engine.start()
      talk.give(h2.settings())
      talk.open()
      talk.open()
      if (isAcknowledged) talk.give(h2.settingsAck())
      const told = talk.give(h2.headers(1, added), h2.headers(3, later))
      assert.deepEqual(
        told,
        isAcknowledged ? ['failure COMPRESSION_ERROR'] : ['response 1 200 a=b', 'response 3 200 a=b'],
      )
    }
  })

  test('let the peer use a larger table from its acknowledgement on', () => {
    const update = Buffer.concat([Buffer.from('3fe21f', 'hex'), Buffer.of(0x88)]) // to 4,097 bytes
    for (const isAcknowledged of [false, true]) {
      const talk = new Talk({ maxDecodeTableSize: 4097 })
      talk.engine.start()
      talk.give(h2.settings())
      talk.open()
      if (isAcknowledged) talk.give(h2.settingsAck())
      assert.deepEqual(talk.give(h2.headers(1, update)), [
        isAcknowledged ? 'response 1 200' : 'failure COMPRESSION_ERROR',
      ])
    }
  })
})

type Pair = readonly [id: number, value: number]

describe("The peer's settings", () => {
  const protocol = 'failure PROTOCOL_ERROR'
  const cases: readonly (readonly [name: string, pairs: readonly Pair[], told: string])[] = [
    ['a table of any size', [[ids.HEADER_TABLE_SIZE, 2 ** 32 - 1]], 'settings'],
    ['ENABLE_PUSH 0', [[ids.ENABLE_PUSH, 0]], 'settings'],
    ['ENABLE_PUSH 1', [[ids.ENABLE_PUSH, 1]], protocol],
    ['ENABLE_PUSH 2', [[ids.ENABLE_PUSH, 2]], protocol],
    ['no streams', [[ids.MAX_CONCURRENT_STREAMS, 0]], 'settings'],
    ['any number of streams', [[ids.MAX_CONCURRENT_STREAMS, 2 ** 32 - 1]], 'settings'],
    ['the smallest window', [[ids.INITIAL_WINDOW_SIZE, 0]], 'settings'],
    ['the largest window', [[ids.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]], 'settings'],
    ['a window one larger', [[ids.INITIAL_WINDOW_SIZE, 2 ** 31]], 'failure FLOW_CONTROL_ERROR'],
    ['the smallest frames', [[ids.MAX_FRAME_SIZE, 16_384]], 'settings'],
    ['frames one smaller', [[ids.MAX_FRAME_SIZE, 16_383]], protocol],
    ['the largest frames', [[ids.MAX_FRAME_SIZE, 2 ** 24 - 1]], 'settings'],
    ['frames one larger', [[ids.MAX_FRAME_SIZE, 2 ** 24]], protocol],
    ['any size of lists', [[ids.MAX_HEADER_LIST_SIZE, 0]], 'settings'],
    ['ENABLE_CONNECT_PROTOCOL 0', [[ids.ENABLE_CONNECT_PROTOCOL, 0]], 'settings'],
    ['ENABLE_CONNECT_PROTOCOL 1', [[ids.ENABLE_CONNECT_PROTOCOL, 1]], 'settings'],
    ['ENABLE_CONNECT_PROTOCOL 2', [[ids.ENABLE_CONNECT_PROTOCOL, 2]], protocol],
    [
      'unknown settings',
      [
        [0, 7],
        [7, 7],
        [0xffff, 2 ** 32 - 1],
      ],
      'settings',
    ],
    [
      'one twice',
      [
        [ids.MAX_CONCURRENT_STREAMS, 1],
        [ids.MAX_CONCURRENT_STREAMS, 2],
      ],
      'settings',
    ],
  ]
  for (const [name, pairs, told] of cases) {
    test(`may state, or not, ${name}`, () => {
      const talk = new Talk()
      talk.engine.start()
      talk.written()
      assert.deepEqual(talk.give(h2.settings(pairs)), [told])
      const [, code] = told.split(' ')
      assert.deepEqual(talk.written(), [code === undefined ? 'SETTINGS ACK' : `GOAWAY ${code} last 0`])
    })
  }

  test('are told as they are, those that are not stated as before', () => {
    const talk = new Talk()
    talk.engine.start()
    const first = {
      headerTableSize: 4096,
      maxConcurrentStreams: Number.POSITIVE_INFINITY,
      initialWindowSize: 65_535,
      maxFrameSize: 16_384,
      maxHeaderListSize: Number.POSITIVE_INFINITY,
      enableConnectProtocol: false,
    }
    assert.deepEqual(talk.engine.peer, first)
    const [one] = talk.values(h2.settings({ MAX_CONCURRENT_STREAMS: 5, ENABLE_CONNECT_PROTOCOL: 1 }))
    const then = { ...first, maxConcurrentStreams: 5, enableConnectProtocol: true }
    assert.deepEqual(one, { type: 'settings', settings: then })
    const all: h2.Settings = {
      HEADER_TABLE_SIZE: 1,
      MAX_CONCURRENT_STREAMS: 2,
      INITIAL_WINDOW_SIZE: 3,
      MAX_FRAME_SIZE: 20_000,
      MAX_HEADER_LIST_SIZE: 4,
    }
    talk.give(h2.settings(all))
    assert.deepEqual(talk.engine.peer, {
      headerTableSize: 1,
      maxConcurrentStreams: 2,
      initialWindowSize: 3,
      maxFrameSize: 20_000,
      maxHeaderListSize: 4,
      enableConnectProtocol: true,
    })
    // The settings that were told do not change.
    assert.deepEqual(one, { type: 'settings', settings: then })
  })

  test('do not take ENABLE_CONNECT_PROTOCOL back (RFC 8441 section 3)', () => {
    for (const values of [[1, 0]] as const) {
      const pairs = values.map(value => [ids.ENABLE_CONNECT_PROTOCOL, value] as const)
      assert.deepEqual(begun().give(h2.settings(pairs)), [protocol])
      assert.deepEqual(begun({}, { ENABLE_CONNECT_PROTOCOL: 1 }).give(h2.settings(pairs.slice(1))), [
        protocol,
      ])
    }
    assert.deepEqual(begun({}, { ENABLE_CONNECT_PROTOCOL: 1 }).give(h2.settings()), ['settings'])
  })

  test('change nothing if one of them is wrong', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 0 })
    const stream = talk.open({ method: 'POST' }, false)
    talk.send(stream, 'x', true)
    talk.written()
    assert.deepEqual(talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 10, MAX_FRAME_SIZE: 0 })), [protocol])
    assert.deepEqual(talk.written(), ['GOAWAY PROTOCOL_ERROR last 0'])
  })

  test('are acknowledged each, in front of what they let be sent', () => {
    const talk = begun({}, { INITIAL_WINDOW_SIZE: 0 })
    const stream = talk.open({ method: 'POST' }, false)
    talk.send(stream, 'xyz', true)
    talk.written()
    talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 1 }), h2.settings(), h2.settings({ INITIAL_WINDOW_SIZE: 9 }))
    assert.deepEqual(talk.written(), [
      'SETTINGS ACK',
      'DATA of 1 "x"',
      'SETTINGS ACK',
      'SETTINGS ACK',
      'DATA of 1 "yz" END_STREAM',
    ])
  })

  test('bound our frames, as does maxFrameSizeSent', () => {
    const sizes = (opts: Parameters<typeof begun>[0], settings: h2.Settings) => {
      const talk = begun(opts, { INITIAL_WINDOW_SIZE: 100_000, ...settings })
      talk.open({ headers: [['a', '~'.repeat(50_000)]] })
      const stream = talk.open({ method: 'POST' }, false)
      talk.frames()
      talk.send(stream, Buffer.alloc(40_000), true)
      const body = talk.frames().map(({ payload }) => payload.length)
      talk.open({ headers: [['a', '~'.repeat(40_000)]] })
      const heads = talk.frames().map(({ payload }) => payload.length)
      return [body, heads.slice(0, -1)]
    }
    assert.deepEqual(sizes({}, {}), [
      [16_384, 16_384, 7232],
      [16_384, 16_384],
    ])
    assert.deepEqual(sizes({}, { MAX_FRAME_SIZE: 30_000 }), [[30_000, 10_000], [30_000]])
    assert.deepEqual(sizes({ maxFrameSizeSent: 20_000 }, { MAX_FRAME_SIZE: 30_000 }), [
      [20_000, 20_000],
      [20_000, 20_000],
    ])
  })

  test('bound our table, of which each smaller size is told in the next block', () => {
    const blockOf = (talk: Talk) => talk.frames().at(-1)?.payload ?? Buffer.alloc(0)
    const talk = begun()
    const decoder = new HpackDecoder()
    const open = () => {
      talk.open({ headers: [['custom', 'value']] })
      const block = blockOf(talk)
      assert.equal(decoder.decode(block).length, 5)
      return block
    }
    open()
    assert.ok(decoder.size > 0)
    talk.give(h2.settings({ HEADER_TABLE_SIZE: 0 }))
    decoder.limit = 0
    assert.equal(open()[0], 0x20)
    assert.equal(decoder.size, 0)
    talk.give(h2.settings({ HEADER_TABLE_SIZE: 4096 }))
    decoder.limit = 4096
    open()
    assert.ok(decoder.size > 0)
    // Twice in one frame: the smaller size was in force between the two, and empties the table.
    talk.give(
      h2.settings([
        [ids.HEADER_TABLE_SIZE, 0],
        [ids.HEADER_TABLE_SIZE, 4096],
      ]),
    )
    decoder.limit = 0
    decoder.limit = 4096
    assert.equal(open()[0], 0x20)
  })
})

describe('PING', () => {
  test("of the peer's is answered with the same bytes", () => {
    const talk = begun()
    talk.give(h2.ping(Buffer.from('01020304050607ff', 'hex')), h2.ping('holsholy'))
    const frames = talk.frames()
    assert.deepEqual(
      frames.map(({ flags }) => flags),
      [1, 1],
    )
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString('hex')),
      ['01020304050607ff', Buffer.from('holsholy').toString('hex')],
    )
  })

  test('of ours is answered once, in any order, and no answer to another is taken for its own', () => {
    const talk = begun()
    assert.deepEqual([talk.engine.ping(), talk.engine.ping(), talk.engine.ping()], [1, 2, 3])
    const [first, second, third] = talk.frames().map(({ payload }) => payload) as [Buffer, Buffer, Buffer]
    const stranger = Buffer.concat([Buffer.from('abcd'), first.subarray(4)])
    const later = Buffer.concat([first.subarray(0, 4), Buffer.of(0, 0, 0, 9)])
    const answers = [third, stranger, first, first, later, second].map(h2.pingAck)
    assert.deepEqual(talk.give(...answers), ['ping_ack 3', 'ping_ack 1', 'ping_ack 2'])
  })

  test('waits for no more than 1,000 answers', () => {
    const talk = begun()
    for (let i = 1; i <= 1000; i++) assert.equal(talk.engine.ping(), i)
    assert.equal(talk.engine.ping(), undefined)
    const [first] = talk.frames()
    assert.deepEqual(talk.give(h2.pingAck(first?.payload)), ['ping_ack 1'])
    assert.equal(talk.engine.ping(), 1001)
  })
})
