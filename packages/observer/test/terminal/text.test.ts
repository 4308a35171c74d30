// Text for a terminal: nothing that it obeys, and never wider than the room that there is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import stringWidth from 'string-width'
import { runs } from '../../../../test/support/runs.ts'
import { Keys } from '../../src/terminal/keys.ts'
import { duration, short, size, sparkline } from '../../src/terminal/numbers.ts'
import { cut, fit, harmless, harmlessValue } from '../../src/terminal/text.ts'

test('what a terminal would obey is shown as an escape', () => {
  assert.equal(harmless('a\x1b[31mb\x07\x9b\x7f\0\r\n\t'), 'a\\x1b[31mb\\x07\\x9b\\x7f\\x00\\r\\n\\t')
  assert.equal(harmless('\u202eabc\u2028\ud800'), '\\u202eabc\\u2028\\ud800')
  assert.equal(harmless('名前 👩‍👩‍👧 é'), '名前 👩‍👩‍👧 é')
})

test('every text within a value is made harmless, names of fields too are left as they are', () => {
  const value = { a: ['\x1b', { b: '\x07' }], c: 1, d: null, e: true }
  assert.deepEqual(harmlessValue(value), { a: ['\\x1b', { b: '\\x07' }], c: 1, d: null, e: true })
})

test('no text whatever has a control character when it is harmless', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
      assert.doesNotMatch(harmless(text), /[\u0000-\u001f\u007f-\u009f]/)
    }),
    runs(1000),
  )
})

test('a text is fitted to exactly the width, however wide its characters are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (given, width) => {
      const text = harmless(given)
      assert.ok(stringWidth(cut(text, width)) <= width, JSON.stringify(text))
      assert.equal(stringWidth(fit(text, width)), width, JSON.stringify(text))
    }),
    runs(1000),
  )
})

test('a wide character that would stand half outside is left out', () => {
  assert.equal(cut('名前', 4), '名前')
  assert.equal(cut('名前', 3), '名…')
  assert.equal(cut('a名前', 3), 'a…')
  assert.equal(fit('名前', 3), '名…')
  assert.equal(fit('ab', 4, 'right'), '  ab')
})

for (const [value, text] of [
  [0, '0'],
  [999, '999'],
  [1000, '1.0k'],
  [9960, '10.0k'],
  [12_345, '12k'],
  [5_600_000, '5.6M'],
] as const) {
  test(`${value} is shortly ${text}`, () => assert.equal(short(value), text))
}

test('sizes and durations have units', () => {
  assert.deepEqual([0, 1500, 23_000_000].map(size), ['0 B', '1.5 kB', '23 MB'])
  assert.deepEqual([0, 850, 12_000, 184_000, 7_500_000, 360_000_000].map(duration), [
    '0ms',
    '850ms',
    '12s',
    '3m04s',
    '2h05m',
    '4d04h',
  ])
})

test('a plot has as many bars as there is room for, and a blank for what is not known', () => {
  assert.equal(sparkline([0, null, 7, 3], 4), '▁ █▄')
  assert.equal(sparkline([1, 1, 1], 2), '██')
  assert.equal(sparkline([], 3), '   ')
  assert.equal(sparkline([0, 0], 3), ' ▁▁')
})

function keysOf(...chunks: readonly string[]): string[] {
  const told: string[] = []
  const keys = new Keys(key => told.push(key))
  for (const chunk of chunks) keys.push(Buffer.from(chunk, 'latin1'))
  keys.close()
  return told
}

test('sequences of keys are read whole, in pieces and glued together', () => {
  assert.deepEqual(keysOf('\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~q\r\x7f\t'), [
    'up',
    'down',
    'page-up',
    'page-down',
    'home',
    'end',
    'q',
    'enter',
    'backspace',
    'tab',
  ])
  assert.deepEqual(keysOf('\x1b', '[', '1;5', 'A'), ['up'])
  assert.deepEqual(keysOf('\x1b\x1b[A'), ['escape', 'up'])
  assert.deepEqual(keysOf('\x1bx'), ['escape', 'x'])
  assert.deepEqual(keysOf('\x1b[24~z'), ['z'])
  assert.deepEqual(keysOf(Buffer.from('名').toString('latin1')), ['名'])
})

test('an escape alone is a key once nothing follows', async () => {
  const told: string[] = []
  await new Promise<void>(resolve => {
    const keys = new Keys(key => {
      told.push(key)
      resolve()
    })
    keys.push(Buffer.from('\x1b'))
  })
  assert.deepEqual(told, ['escape'])
})
