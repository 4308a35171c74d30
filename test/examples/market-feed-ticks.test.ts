/** Ticks are parsed with care, and let through in order. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MOST, Sequence } from '../../examples/market-feed/sequence.ts'
import { tickOf } from '../../examples/market-feed/server.ts'
import { parse } from '../../examples/market-feed/tick.ts'
import { runs } from '../support/runs.ts'

const SYMBOL = 'S00'

test('ticks come out in order, each once, whatever order they come in', () => {
  const orders = fc.integer({ min: 1, max: 20 }).chain(length =>
    fc.shuffledSubarray(
      Array.from({ length }, (_, n) => n + 1),
      { minLength: length },
    ),
  )
  const property = fc.property(orders, order => {
    const sequence = new Sequence(1)
    const missing = new Set<number>()
    const out: number[] = []
    for (const seq of order) {
      const gap = sequence.reach(seq)
      for (let n = gap?.from ?? 1; n <= (gap?.to ?? 0); n++) {
        assert.ok(!missing.has(n), 'a gap is told once')
        missing.add(n)
      }
      for (const twice of [tickOf(SYMBOL, seq), tickOf(SYMBOL, seq)]) {
        out.push(...sequence.take(twice).map(ready => ready.seq))
      }
    }
    assert.deepEqual(
      out,
      order.toSorted((a, b) => a - b),
    )
    // Told as missing was whatever came behind a later number.
    const late = order.filter((seq, at) => order.slice(0, at).some(earlier => earlier > seq))
    assert.deepEqual([...missing].sort(), late.sort())
  })
  fc.assert(property, runs(200))
})

test('a thousand ticks may wait behind a gap, and no more', () => {
  const sequence = new Sequence(1)
  for (let seq = 2; seq < MOST + 2; seq++) assert.deepEqual(sequence.take(tickOf(SYMBOL, seq)), [])
  assert.throws(() => sequence.take(tickOf(SYMBOL, MOST + 2)), /is not repaired/)
  assert.equal(sequence.take(tickOf(SYMBOL, 1)).length, MOST + 2)
})

for (const garbage of [
  '',
  'null',
  '[]',
  '{',
  '{"type":"tick","symbol":"S01","seq":1,"price":1}',
  '{"type":"tick","symbol":"S00","seq":"1","price":1}',
  '{"type":"tick","symbol":"S00","seq":1.5,"price":1}',
  '{"type":"tick","symbol":"S00","seq":1}',
  '{"type":"end"}',
]) {
  test(`${garbage || 'an empty text'} is garbage`, () => {
    assert.throws(() => parse(SYMBOL, garbage), /^Error: garbage from the exchange/)
  })
}
