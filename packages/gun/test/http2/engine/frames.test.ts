import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { Talk } from '../../support/engine.ts'

describe('The first frame', () => {
  test('may be empty SETTINGS, though they come byte by byte', () => {
    const talk = new Talk()
    talk.engine.start()
    const told = Array.from(h2.settings(), byte => talk.give(Buffer.of(byte)))
    assert.deepEqual(told, [[], [], [], [], [], [], [], [], ['settings']])
  })
})
