import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head, Talk } from '../../support/engine.ts'

const request = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/pushed'],
] as const

const end = { endStream: true }

const promise = (streamId: number, promisedId: number, fields: h2.Fragment = request) =>
  h2.pushPromise(streamId, promisedId, fields)

/** A talk with one request, whose frames were looked at. */
function asking(opts: Parameters<typeof begun>[0] = {}): Talk {
  const talk = begun(opts)
  talk.open()
  talk.written()
  return talk
}

describe('A push', () => {
  test('names its parent and its request, and carries a response as any other stream', () => {
    const talk = asking()
    const [push] = talk.values(promise(1, 2, [...request, ['a', 'b']]))
    assert.ok(push?.type === 'push')
    assert.equal(push.stream.owner, '/')
    assert.deepEqual(push.request, {
      method: 'GET',
      scheme: 'http',
      authority: 'a',
      path: '/pushed',
      headers: [['a', 'b']],
    })
    push.promised.owner = 'the push'
    const [response] = talk.values(head(2, { 'content-length': 3 }))
    assert.ok(response?.type === 'response' && response.stream.owner === 'the push')
    const trailers = h2.headers(2, [['t', '1']], end)
    assert.deepEqual(talk.give(h2.data(2, 'abc'), trailers), ['data 2 abc', 'trailers 2 t=1'])
    assert.deepEqual(talk.give(head(1, {}, end)), ['response 1 200 fin'])
    assert.deepEqual(talk.written(), [])
  })

  test('is bound to the length that its head says, and to that of its method', () => {
    const talk = asking()
    talk.give(promise(1, 2), promise(1, 4, [[':method', 'HEAD'], ...request.slice(1)]))
    const told = talk.give(head(2, { 'content-length': 1 }, end), head(4, { 'content-length': 1 }, end))
    assert.deepEqual(told, ['broken 2 PROTOCOL_ERROR by a head', 'response 4 200 content-length=1 fin'])
  })

  test('may come before, within and behind the head of its parent, but not behind its end', () => {
    const talk = asking()
    assert.deepEqual(talk.give(promise(1, 2), head(1), promise(1, 4), h2.data(1, 'x'), promise(1, 6)), [
      'push 1 2 GET /pushed',
      'response 1 200',
      'push 1 4 GET /pushed',
      'data 1 x',
      'push 1 6 GET /pushed',
    ])
    assert.deepEqual(talk.give(h2.data(1, '', end), promise(1, 8)), ['data 1 fin', 'failure PROTOCOL_ERROR'])
  })

  for (const [name, ids] of [
    ['odd', [3]],
    ['0', [0]],
    ['that of its parent', [1]],
    ['one that it had before', [2, 2]],
    ['smaller than one before', [4, 2]],
  ] as const) {
    test(`has no number that is ${name}`, () => {
      const told = asking().give(...ids.map(id => promise(1, id)))
      assert.equal(told.at(-1), 'failure PROTOCOL_ERROR')
      assert.equal(told.length, ids.length)
    })
  }

  test('may leave numbers out, up to the largest', () => {
    const talk = asking()
    const last = 2 ** 31 - 2
    assert.deepEqual(talk.give(promise(1, 100), promise(1, last)), [
      'push 1 100 GET /pushed',
      `push 1 ${last} GET /pushed`,
    ])
    assert.deepEqual(talk.give(head(50, {}, end)), ['failure STREAM_CLOSED'])
  })

  for (const [name, fields] of [
    ['no method', request.slice(1)],
    ['no scheme', [request[0], ...request.slice(2)]],
    ['no path', request.slice(0, 3)],
    ['an empty path', [...request.slice(0, 3), [':path', '']]],
    ['a path that goes on with the authority', [...request.slice(0, 3), [':path', '.example/']]],
    ['no path but a star', [...request.slice(0, 3), [':path', '*']]],
    ['content', [...request, ['content-length', '1']]],
    ['a path twice', [...request, [':path', '/']]],
    ['a status', [...request, [':status', '200']]],
    ['a protocol', [...request, [':protocol', 'websocket']]],
    ['a pseudo-header field behind another', [['a', 'b'], ...request]],
    ['a field of HTTP/1.1', [...request, ['connection', 'close']]],
    ['a name with a capital letter', [...request, ['A', 'b']]],
    ['a value with a blank at its end', [...request, ['a', 'b ']]],
  ] as const) {
    test(`is refused if its request has ${name}`, () => {
      const talk = asking()
      assert.deepEqual(talk.give(promise(1, 2, fields as h2.Fragment)), [])
      assert.deepEqual(talk.written(), ['RST_STREAM of 2 PROTOCOL_ERROR'])
      assert.deepEqual(talk.give(head(2), h2.data(2, 'x'), h2.data(2, '', end)), [])
    })
  }

  test('may say that its request has no content', () => {
    assert.deepEqual(asking().give(promise(1, 2, [...request, ['content-length', '0']])), [
      'push 1 2 GET /pushed',
    ])
  })

  test('is refused if its request is too large', () => {
    const talk = asking({ maxHeaderListSize: 172 })
    assert.deepEqual(talk.give(promise(1, 2)), ['push 1 2 GET /pushed'])
    assert.deepEqual(talk.give(promise(1, 4, [...request, ['a', '']])), [])
    assert.deepEqual(talk.written(), ['RST_STREAM of 4 ENHANCE_YOUR_CALM'])
  })

  test('is refused if its parent was reset by either side', () => {
    const talk = begun()
    talk.engine.reset(talk.open())
    talk.open()
    talk.give(h2.rstStream(3, 8))
    talk.written()
    assert.deepEqual(talk.give(promise(1, 2), promise(3, 4)), [])
    assert.deepEqual(talk.written(), ['RST_STREAM of 2 REFUSED_STREAM', 'RST_STREAM of 4 REFUSED_STREAM'])
  })

  test('is refused by the user as any other stream, and what is under way is dropped', () => {
    const talk = asking()
    const [push] = talk.values(promise(1, 2))
    assert.ok(push?.type === 'push')
    talk.engine.reset(push.promised)
    assert.deepEqual(talk.written(), ['RST_STREAM of 2 CANCEL'])
    assert.deepEqual(talk.give(head(2), h2.data(2, 'x', end), h2.rstStream(2, 8), head(1)), [
      'response 1 200',
    ])
  })

  test('takes nothing that is sent on it', () => {
    const talk = asking()
    const [push] = talk.values(promise(1, 2))
    assert.ok(push?.type === 'push')
    for (const frames of [[], [head(2)]]) {
      talk.give(...frames)
      talk.send(push.promised, 'x', true)
      talk.engine.sendTrailers(push.promised, [])
      assert.equal(talk.engine.reserve(push.promised, 1), undefined)
    }
    assert.deepEqual(talk.written(), [])
  })
})

describe('enablePush', () => {
  test('being false, refuses what came before the peer knew, and then ends the connection', () => {
    const talk = new Talk({ enablePush: false })
    talk.engine.start()
    talk.open()
    talk.give(h2.settings())
    talk.written()
    assert.deepEqual(talk.give(promise(1, 2)), [])
    assert.deepEqual(talk.written(), ['RST_STREAM of 2 REFUSED_STREAM'])
    assert.deepEqual(talk.give(h2.settingsAck(), promise(1, 4)), ['acknowledged', 'failure PROTOCOL_ERROR'])
  })
})

describe('maxConcurrentStreams', () => {
  test('bounds the pushes that have begun, and not our own streams', () => {
    const talk = asking({ maxConcurrentStreams: 2 })
    talk.open()
    talk.open()
    talk.written()
    talk.give(...[2, 4, 6, 8, 10].map(id => promise(1, id)))
    assert.deepEqual(talk.give(head(2), head(4), head(6)), [
      'response 2 200',
      'response 4 200',
      'broken 6 REFUSED_STREAM',
    ])
    assert.deepEqual(talk.written(), ['RST_STREAM of 6 REFUSED_STREAM'])
    // One ends, and another is reset: two more may begin.
    assert.deepEqual(talk.give(h2.data(2, '', end), h2.rstStream(4, 8), head(8), head(10)), [
      'data 2 fin',
      'reset 4 CANCEL',
      'response 8 200',
      'response 10 200',
    ])
  })

  test('being 0, refuses each push', () => {
    const talk = asking({ maxConcurrentStreams: 0 })
    assert.deepEqual(talk.give(promise(1, 2)), [])
    assert.deepEqual(talk.written(), ['RST_STREAM of 2 REFUSED_STREAM'])
  })
})

describe('A stream that is announced', () => {
  test('sends nothing when the window of streams changes', () => {
    const talk = asking()
    assert.deepEqual(talk.give(promise(1, 2)), ['push 1 2 GET /pushed'])
    assert.deepEqual(talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 1 })), ['settings'])
    assert.deepEqual(talk.written(), ['SETTINGS ACK'])
  })

  for (const [name, frame] of [
    ['DATA', h2.data(2, 'x')],
    ['WINDOW_UPDATE', h2.windowUpdate(2, 1)],
  ] as const) {
    test(`takes no ${name} before its head, which ends the connection`, () => {
      const talk = asking()
      assert.deepEqual(talk.give(promise(1, 2), frame), ['push 1 2 GET /pushed', 'failure PROTOCOL_ERROR'])
      assert.deepEqual(talk.written(), ['GOAWAY PROTOCOL_ERROR last 2'])
    })
  }

  test('may be given a priority and be reset, and its head may come much later', () => {
    const talk = asking()
    const frames = [promise(1, 2), h2.frame(h2.types.PRIORITY, 0, 2, Buffer.alloc(5)), h2.rstStream(2, 8)]
    assert.deepEqual(talk.give(...frames), ['push 1 2 GET /pushed', 'reset 2 CANCEL'])
    assert.deepEqual(talk.give(promise(1, 4)), ['push 1 4 GET /pushed'])
    assert.deepEqual(talk.give(head(1, {}, end), head(4)), ['response 1 200 fin', 'response 4 200'])
  })
})
