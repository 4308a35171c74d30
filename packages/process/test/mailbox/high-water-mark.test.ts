// The options of a process decide the marks of its mailbox.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { marksOf } from '../../src/mailbox/high-water-mark.ts'

const MIB = 1024 * 1024
const first = { messages: 16_384, bytes: 16 * MIB }
const half = { messages: 8192, bytes: 8 * MIB }
const second = { messages: 262_144, bytes: 256 * MIB }

test('a measure of a mark that is missing, or undefined, is the default', () => {
  const nothing = { messages: undefined, bytes: undefined } as object
  for (const [high, waiting] of [
    [undefined, undefined],
    [{}, {}],
    [nothing, nothing],
  ]) {
    assert.deepEqual(marksOf(high, waiting), { first, half, second })
  }
  assert.deepEqual(marksOf({ messages: 10, ...({ bytes: undefined } as object) }, undefined), {
    first: { ...first, messages: 10 },
    half: { ...half, messages: 5 },
    second,
  })
})

test('the second mark is sixteen times a first one that is large', () => {
  assert.deepEqual(marksOf({ messages: 100_000 }, undefined).second, { ...second, messages: 1_600_000 })
  assert.deepEqual(marksOf({ bytes: Number.POSITIVE_INFINITY }, undefined).second, {
    ...second,
    bytes: Number.POSITIVE_INFINITY,
  })
})
