/** A refusal is answered once it was read, or over another connection where it cannot be, or is too long. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/connection/refusal.ts'

/** Where the proxy was asked again, by whether that is over another connection. */
function refusal(isRead: boolean): { readonly it: Refusal; readonly asked: boolean[] } {
  const asked: boolean[] = []
  return { it: new Refusal(isRead, isElsewhere => asked.push(isElsewhere)), asked }
}

test('without a body it is answered at once', () => {
  const { it, asked } = refusal(true)
  assert.deepEqual(asked, [])
  it.answer()
  assert.deepEqual(asked, [false])
})

test('with a body it is answered behind that', () => {
  const { it, asked } = refusal(false)
  it.answer()
  assert.equal(it.take(10, false), true)
  assert.deepEqual(asked, [])
  assert.equal(it.take(0, true), true)
  assert.deepEqual(asked, [false])
})

test('that was read waits for the answer', () => {
  const { it, asked } = refusal(false)
  it.take(10, true)
  assert.deepEqual(asked, [])
  it.answer()
  assert.deepEqual(asked, [false])
})

test('on a connection that is lost is answered over another', () => {
  for (const order of ['lose', 'answer'] as const) {
    const { it, asked } = refusal(false)
    it.take(10, order === 'lose')
    it[order]()
    it[order === 'lose' ? 'answer' : 'lose']()
    assert.deepEqual(asked, [true])
  }
})

test('of 64 KiB is read, and a byte more is not', () => {
  const { it } = refusal(false)
  assert.equal(it.take(64 * 1024 - 1, false), true)
  assert.equal(it.take(1, false), true)
  assert.equal(it.take(1, true), false)
})
