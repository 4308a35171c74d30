// Bytes come out in the order in which they went in, however they are cut, and adding to many is no dearer than adding to few.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeptBytes } from '../../src/http2/kept-bytes.ts'

test('bytes come out as they went in, whatever is added and taken in between', () => {
  const step = fc.oneof(
    fc.record({ add: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 60 }) }),
    fc.constant({ drop: true } as const),
  )
  const property = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const kept = new KeptBytes()
    let expected = Buffer.alloc(0)
    for (const each of steps) {
      if ('add' in each) {
        kept.add(Buffer.from(each.add))
        expected = Buffer.concat([expected, each.add])
      } else if ('take' in each) {
        assert.deepEqual(kept.take(each.take), expected.subarray(0, each.take))
        expected = expected.subarray(each.take)
      } else {
        kept.drop()
        expected = Buffer.alloc(0)
      }
      assert.equal(kept.length, expected.length)
    }
  })
  fc.assert(property, { numRuns: 500 })
})

test('bytes that were taken stay as they are when others are added', () => {
  const kept = new KeptBytes()
  kept.add(Buffer.from('abc'))
  kept.add(Buffer.from('def'))
  const taken = [kept.take(2), kept.take(4)]
  for (let i = 0; i < 100; i++) kept.add(Buffer.from('xyz'))
  assert.deepEqual(taken.map(String), ['ab', 'cdef'])
})

test('a hundred thousand bytes that come alone move to a larger buffer a few times only', () => {
  const kept = new KeptBytes()
  const stores = new Set<ArrayBufferLike>()
  for (let i = 0; i < 100_000; i++) {
    kept.add(Buffer.from('ab'))
    stores.add(kept.take(1).buffer)
  }
  assert.equal(kept.length, 100_000)
  assert.ok(stores.size < 40, `${stores.size} buffers`)
})
