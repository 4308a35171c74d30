import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head } from '../../support/engine.ts'

const { errorCodes: codes } = h2

describe("The peer's GOAWAY", () => {
  test('names the last stream it has seen; those behind it are told of, and the others go on', () => {
    const talk = begun()
    const [seen, unseen, last] = [talk.open(), talk.open(), talk.open()] as const
    const told = ['goaway NO_ERROR 1', 'unseen 3', 'unseen 5']
    assert.deepEqual(talk.give(h2.goaway(1), head(1)), [...told, 'response 1 200'])
    assert.deepEqual(
      [seen, unseen, last].map(({ isClosed }) => isClosed),
      [false, true, true],
    )
  })

  test('may come twice, and name an earlier stream then', () => {
    const talk = begun()
    for (let i = 0; i < 3; i++) talk.open()
    assert.deepEqual(talk.give(h2.goaway(2 ** 31 - 1)), ['goaway NO_ERROR 2147483647'])
    assert.deepEqual(talk.give(h2.goaway(3)), ['goaway NO_ERROR 3', 'unseen 5'])
    assert.deepEqual(talk.give(h2.goaway(3, codes.ENHANCE_YOUR_CALM)), ['goaway ENHANCE_YOUR_CALM 3'])
    assert.deepEqual(talk.give(h2.goaway(0)), ['goaway NO_ERROR 0', 'unseen 1', 'unseen 3'])
  })

  test('tells nothing more of a stream that the user resets within it', () => {
    const talk = begun()
    const [first] = [talk.open(), talk.open()]
    assert.equal(talk.first(h2.goaway(0)), 'goaway NO_ERROR 0')
    talk.engine.reset(first)
    assert.deepEqual(talk.give(), ['unseen 3'])
  })

  test('lets no stream begin', () => {
    const talk = begun()
    assert.equal(talk.engine.canOpen, true)
    talk.give(h2.goaway(0))
    assert.equal(talk.engine.canOpen, false)
  })

  test('does not end the connection if the peer sends on a stream behind it after all', () => {
    const talk = begun()
    talk.open()
    talk.open({ method: 'POST' }, false)
    talk.give(h2.goaway(0))
    const push = h2.pushPromise(1, 2, [])
    const late = [head(1), h2.data(1, 'x'), push, h2.windowUpdate(3, 1), h2.rstStream(3, 7), h2.pingAck()]
    assert.deepEqual(talk.give(...late, h2.goaway(0)), ['goaway NO_ERROR 0'])
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=GET :scheme=http :authority=a :path=/ END_STREAM',
      'HEADERS of 3 :method=POST :scheme=http :authority=a :path=/',
      'RST_STREAM of 2 REFUSED_STREAM',
    ])
  })

  test('leaves pushed streams as they are', () => {
    const talk = begun()
    talk.open()
    const request = h2.pushPromise(1, 2, [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
    ])
    assert.deepEqual(talk.give(request, h2.goaway(0), head(2, {}, { endStream: true })), [
      'push 1 2 GET /',
      'goaway NO_ERROR 0',
      'unseen 1',
      'response 2 200 fin',
    ])
  })
})

describe('Our GOAWAY', () => {
  test('is sent once without an error, and once with one', () => {
    const talk = begun()
    const { engine } = talk
    for (const code of [codes.NO_ERROR, codes.NO_ERROR, codes.SETTINGS_TIMEOUT, codes.NO_ERROR, codes.CANCEL])
      engine.goAway(code)
    assert.deepEqual(talk.written(), ['GOAWAY NO_ERROR last 0', 'GOAWAY SETTINGS_TIMEOUT last 0'])
    assert.deepEqual(talk.give(h2.data(0)), ['failure PROTOCOL_ERROR'])
    assert.deepEqual(talk.written(), [])
  })

  test('leaves behind what was asked for before it, and leaves streams as they are', () => {
    const talk = begun()
    const stream = talk.open({ method: 'POST' }, false)
    talk.send(stream, 'a', false)
    talk.engine.goAway(codes.NO_ERROR)
    talk.send(stream, 'b', true)
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=POST :scheme=http :authority=a :path=/',
      'DATA of 1 "a"',
      'GOAWAY NO_ERROR last 0',
      'DATA of 1 "b" END_STREAM',
    ])
    assert.deepEqual(talk.give(head(1, {}, { endStream: true })), ['response 1 200 fin'])
  })
})

describe('A connection that has failed', () => {
  test('tells nothing more, writes nothing more, and keeps no bytes', () => {
    const talk = begun()
    const { engine } = talk
    const stream = talk.open({ method: 'POST' }, false)
    talk.written()
    assert.deepEqual(talk.give(h2.data(0), head(1)), ['failure PROTOCOL_ERROR'])
    assert.deepEqual(talk.written(), ['GOAWAY PROTOCOL_ERROR last 0'])
    assert.deepEqual(talk.give(head(1), h2.ping()), [])
    assert.equal(engine.isIdle, true)
    assert.equal(engine.canOpen, false)
    talk.send(stream, 'x', true)
    engine.sendTrailers(stream, [])
    engine.consume(stream, 2 ** 20)
    engine.reset(stream)
    engine.goAway(codes.NO_ERROR)
    engine.flush()
    assert.equal(engine.ping(), undefined)
    assert.deepEqual(talk.written(), [])
  })

  test('hands out what came in front of its failure', () => {
    const talk = begun()
    talk.open()
    assert.deepEqual(talk.give(head(1), h2.data(1, 'x'), h2.goaway(0), h2.data(0)), [
      'response 1 200',
      'data 1 x',
      'goaway NO_ERROR 0',
      'unseen 1',
      'failure PROTOCOL_ERROR',
    ])
  })
})
