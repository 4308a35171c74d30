import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { FIRST } from '../../../src/http2/engine/flood.ts'
import { begun, head, type Talk, windowOf } from '../../support/engine.ts'

const { types, frame, errorCodes: codes } = h2
const calm = 'failure ENHANCE_YOUR_CALM limit'
const request = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
] as const

/** A talk with a POST that has got the head of its response, and a GET that has none; what its first frames cost is given back. */
function talking(): Talk {
  const talk = begun()
  talk.open({ method: 'POST' }, false)
  talk.open()
  talk.give(head(1))
  talk.written()
  return talk
}

/** How often a frame may come before the connection ends; each is another if `make` makes it so. */
function count(talk: Talk, make: (i: number) => Uint8Array, most = 20_000): number {
  for (let i = 0; i < most; i++) {
    if (talk.give(make(i)).includes(calm)) {
      assert.match(talk.written().at(-1) ?? '', /^GOAWAY ENHANCE_YOUR_CALM/)
      return i
    }
  }
  return most
}

/** By now there are the points at the start, and those of two requests, less what setting up has cost. */
const points = FIRST + 2 * 16

const floods: Readonly<Record<string, (i: number) => Uint8Array>> = {
  SETTINGS: () => h2.settings(),
  'SETTINGS that change the window': i => h2.settings({ INITIAL_WINDOW_SIZE: i }),
  'acknowledgements of SETTINGS': () => h2.settingsAck(),
  PING: () => h2.ping(),
  'answers to no PING': () => h2.pingAck(),
  PRIORITY: () => frame(types.PRIORITY, 0, 1, Buffer.alloc(5)),
  'PRIORITY of streams to come': i => frame(types.PRIORITY, 0, 2 * i + 99, Buffer.alloc(5)),
  'WINDOW_UPDATE of the connection': () => h2.windowUpdate(0, 1),
  'WINDOW_UPDATE of a stream': () => h2.windowUpdate(1, 1),
  'WINDOW_UPDATE of a stream that is over': () => h2.windowUpdate(5, 1),
  'RST_STREAM of a stream that is over': () => h2.rstStream(5, codes.CANCEL),
  'HEADERS of a stream that was reset': () => head(5),
  'empty DATA of a stream that was reset': () => h2.data(5),
  'DATA of padding of a stream that was reset': () => h2.data(5, '', { padding: 200 }),
  'empty DATA': () => h2.data(1),
  'DATA of padding alone': () => h2.data(1, '', { padding: 255 }),
  'interim responses': () => head(3, { ':status': 103 }),
  'pushes that are reset again': i =>
    Buffer.concat([h2.pushPromise(1, 2 * i + 2, request), h2.rstStream(2 * i + 2, codes.CANCEL)]),
  'pushes that are malformed': i => h2.pushPromise(1, 2 * i + 2, []),
  'pushes for a stream that was reset': i => h2.pushPromise(5, 2 * i + 2, request),
  GOAWAY: () => h2.goaway(99),
  'unknown frames': () => frame(0xaa, 0, 0),
  'unknown frames with much in them': () => frame(0xbb, 0xff, 0, Buffer.alloc(16_384)),
}

describe('A flood', () => {
  for (const [name, make] of Object.entries(floods)) {
    test(`of ${name} ends the connection after about ${points} frames`, () => {
      const talk = talking()
      if (/that (is over|was reset)/.test(name)) talk.engine.reset(talk.open())
      const got = count(talk, make)
      assert.ok(got >= points - 60 && got <= points + 20, `${got} frames`)
    })
  }

  test('of CONTINUATION without bytes does too', () => {
    const talk = talking()
    talk.give(h2.headers(3, [], { endHeaders: false }))
    const got = count(talk, () => frame(types.CONTINUATION, 0, 3))
    assert.ok(got >= points - 10 && got <= points + 10, `${got} frames`)
  })

  test('of CONTINUATION with bytes ends at the limit of a block', () => {
    const talk = begun({ maxHeaderBlock: 100_000 })
    talk.open()
    talk.give(h2.headers(1, [], { endHeaders: false }))
    assert.equal(
      count(talk, () => frame(types.CONTINUATION, 0, 1, Buffer.alloc(10_000))),
      10,
    )
  })

  test('of pushes that are never begun keeps 1,000 of them and refuses the others', () => {
    const talk = begun()
    // So many requests that pushes alone do not end the connection.
    for (let i = 0; i < 100; i++) talk.open()
    for (let i = 1; i <= 1000; i++) talk.give(h2.pushPromise(1, 2 * i, request))
    talk.written()
    assert.deepEqual(talk.give(h2.pushPromise(1, 2002, request)), [])
    assert.deepEqual(talk.written(), ['RST_STREAM of 2002 REFUSED_STREAM'])
    talk.give(h2.rstStream(2, codes.CANCEL))
    assert.deepEqual(talk.give(h2.pushPromise(1, 2004, request)), ['push 1 2004 GET /'])
  })

  test('of faults for which streams are reset ends the connection (MadeYouReset)', () => {
    const faults = [() => h2.windowUpdate(1, 0), () => h2.headers(1, []), () => h2.data(1)]
    for (const fault of faults) {
      const talk = begun()
      let streams = 0
      for (; streams < 5000; streams++) {
        const { id } = talk.open()
        const bytes = fault()
        bytes.writeUInt32BE(id, 5)
        if (talk.give(bytes).includes(calm)) break
      }
      // Each was asked for: no more than what was asked of the peer comes of it.
      assert.equal(streams, 5000)
    }
  })

  test('of windows that open byte by byte ends the connection, though a body waits for them', () => {
    const talk = begun()
    talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 0 }))
    talk.send(talk.open({ method: 'POST' }, false), Buffer.alloc(100_000), false)
    talk.written()
    const most = FIRST + 16
    const came = count(talk, () => h2.windowUpdate(1, 1))
    assert.ok(came <= most && came > most - 10, `${came} came`)
  })

  test('of answers that are never read ends the connection once 16 MB wait', () => {
    for (const asking of [h2.ping(), h2.settings()]) {
      const talk = begun()
      talk.sink.buffered = 16 * 1024 * 1024
      assert.deepEqual(
        talk.give(asking).filter(line => line !== 'settings'),
        [],
      )
      talk.sink.buffered++
      assert.deepEqual(talk.give(asking), [calm])
    }
  })
})

describe('No flood is', () => {
  test('what time allows: 100 frames a second', () => {
    const talk = begun()
    for (let second = 0; second < 1000; second++) {
      talk.now += 1000
      assert.deepEqual(talk.give(...Array.from({ length: 100 }, () => h2.ping())), [])
    }
    talk.now += 1000
    // Time gathers no more than the points of the start.
    talk.now += 3_600_000
    assert.ok(count(talk, () => h2.ping()) <= 2 * FIRST)
  })

  test('an interim response and a push for each of many responses', () => {
    const talk = begun()
    for (let id = 1; id < 20_000; id += 2) {
      talk.open()
      const end = { endStream: true }
      const frames = [head(id, { ':status': 103 }), h2.pushPromise(id, id + 1, request), head(id, {}, end)]
      assert.equal(talk.give(...frames, head(id + 1, {}, end)).length, 4)
    }
  })

  test('an update of each window and a PING for each frame of an upload', () => {
    const talk = begun()
    const stream = talk.open({ method: 'POST' }, false)
    const size = 16_384
    for (let i = 0; i < 10_000; i++) {
      talk.send(stream, Buffer.alloc(size), false)
      const updates = [h2.windowUpdate(0, size), h2.windowUpdate(1, size), h2.ping()]
      assert.ok(!talk.give(...updates).includes(calm))
    }
  })

  test('the answers to pings of ours', () => {
    const talk = begun()
    for (let i = 0; i < 5000; i++) {
      talk.engine.ping()
      const [ping] = talk.frames()
      assert.equal(talk.give(h2.pingAck(ping?.payload)).length, 1)
    }
  })

  test('a body in single bytes, nor one with an empty end', () => {
    const talk = begun()
    talk.open()
    talk.give(head(1))
    for (let i = 0; i < 5000; i++) assert.deepEqual(talk.give(h2.data(1, 'x')), ['data 1 x'])
    assert.deepEqual(talk.give(h2.data(1, '', { endStream: true })), ['data 1 fin'])
  })

  test('what was under way when streams were reset, however small its frames are', () => {
    const talk = begun({ streamWindow: windowOf(100_000) })
    for (let i = 0; i < 30; i++) {
      const stream = talk.open()
      talk.give(head(stream.id))
      talk.engine.reset(stream)
      const late = Array.from({ length: 1000 }, () => h2.data(stream.id, Buffer.alloc(100)))
      assert.deepEqual(talk.give(...late), [])
    }
    // More than its window allowed is no longer what was under way.
    const got = count(talk, () => h2.data(1, 'x'))
    assert.ok(got < 2000, `${got} frames`)
  })

  test('a peer that refuses, ends or breaks many streams that were asked for', () => {
    const talk = begun()
    for (let i = 0; i < 20_000; i++) {
      const { id } = talk.open()
      assert.deepEqual(talk.give(h2.rstStream(id, codes.REFUSED_STREAM)), [`reset ${id} REFUSED_STREAM`])
    }
  })
})

describe('A header list that expands (HPACK bomb)', () => {
  test('is refused without being made, and costs no more than its bytes', () => {
    const talk = begun()
    talk.open()
    talk.open()
    const large = Buffer.concat([
      Buffer.of(0x40, 1),
      Buffer.from('a'),
      Buffer.from('7ff11d', 'hex'),
      Buffer.alloc(3952, 'x'),
    ])
    assert.deepEqual(
      talk.give(h2.headers(1, Buffer.concat([Buffer.of(0x88), large])))[0]?.slice(0, 14),
      'response 1 200',
    )
    // 16,000 times the entry of 4 KB would be 64 MB.
    const bomb = Buffer.concat([Buffer.of(0x88), Buffer.alloc(16_000, 0xbe)])
    assert.deepEqual(talk.give(h2.headers(3, bomb)), ['broken 3 ENHANCE_YOUR_CALM by a head'])
  })
})
