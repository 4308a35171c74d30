import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, type Talk } from '../../support/engine.ts'

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
