import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head } from '../../support/engine.ts'

const request = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/pushed'],
] as const

const promise = (streamId: number, promisedId: number, fields: h2.Fragment = request) =>
  h2.pushPromise(streamId, promisedId, fields)

describe('A stream that is announced', () => {
  test('sends nothing when the window of streams changes', () => {
    const talk = begun()
    talk.open()
    assert.deepEqual(talk.give(promise(1, 2)), ['push 1 2 GET /pushed'])
    talk.written()
    assert.deepEqual(talk.give(h2.settings({ INITIAL_WINDOW_SIZE: 1 })), ['settings'])
    assert.deepEqual(talk.written(), ['SETTINGS ACK'])
  })

  for (const [name, frame] of [
    ['DATA', h2.data(2, 'x')],
    ['WINDOW_UPDATE', h2.windowUpdate(2, 1)],
  ] as const) {
    test(`takes no ${name} before its head, which ends the connection`, () => {
      const talk = begun()
      talk.open()
      assert.deepEqual(talk.give(promise(1, 2), frame), ['push 1 2 GET /pushed', 'failure PROTOCOL_ERROR'])
      assert.deepEqual(talk.written().at(-1), 'GOAWAY PROTOCOL_ERROR last 2')
    })
  }

  test('may be reset, and given a priority, by either side', () => {
    const talk = begun()
    talk.open()
    const frames = [promise(1, 2), h2.frame(h2.types.PRIORITY, 0, 2, Buffer.alloc(5)), h2.rstStream(2, 8)]
    assert.deepEqual(talk.give(...frames), ['push 1 2 GET /pushed', 'reset 2 CANCEL'])
    assert.deepEqual(talk.give(promise(1, 4)), ['push 1 4 GET /pushed'])
    assert.deepEqual(talk.give(head(4)), ['response 4 200'])
  })
})
