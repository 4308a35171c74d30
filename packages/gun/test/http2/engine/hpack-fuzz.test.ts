// Random header blocks, which the plain reader of the tests reads alike, and random lists of fields in tables that change their size.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HpackDecoder as PlainDecoder } from '../../../../../test/support/hpack.ts'
import { runs } from '../../../../../test/support/runs.ts'
import { HpackDecoder, HpackError } from '../../../src/http2/engine/hpack-decoder.ts'
import { HpackEncoder } from '../../../src/http2/engine/hpack-encoder.ts'
import { statics } from '../../../src/http2/engine/hpack-table.ts'
import { decode, encode, type Pair } from '../../support/header-blocks.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const octets = (maxLength: number) =>
  fc.uint8Array({ maxLength, size: 'max' }).map(text => Buffer.from(text).toString('latin1'))

/** A byte with which something begins, more of its kind than chance would have. */
const start = fc.oneof(
  fc.constantFrom(0x00, 0x10, 0x40, 0x20, 0x3f, 0x7f, 0xff),
  fc.integer({ min: 0x80, max: 0xc8 }),
  fc.integer({ min: 0x40, max: 0x7f }),
  fc.nat(0xff),
)
/** A string, the length of which is mostly right. */
const string = fc
  .tuple(fc.uint8Array({ maxLength: 6 }), fc.boolean(), fc.constantFrom(0, 0, 0, 0, 0, 1, -1, 0x7f))
  .map(([text, isHuffman, more]) =>
    Uint8Array.of((isHuffman ? 0x80 : 0) | ((text.length + more) & 0x7f), ...text),
  )
const piece = fc.oneof(
  { weight: 4, arbitrary: start.map(byte => Uint8Array.of(byte)) },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(0x40, 0x00, 0x10), string, string).map(joined) },
  { weight: 4, arbitrary: fc.tuple(fc.integer({ min: 0x41, max: 0x7e }), string).map(joined) },
  { weight: 1, arbitrary: bytes(3) },
)
const block = fc.array(piece, { maxLength: 8 }).map(joined)

function joined(parts: readonly (number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => (typeof part === 'number' ? [part] : [...part])))
}

/** Reads blocks until one is wrong. Gives the lists, and the text of the error. */
function readAll(blocks: readonly Uint8Array[], limit: number, maxListSize: number) {
  const decoder = new HpackDecoder(limit)
  decoder.acknowledge()
  const lists: (readonly Pair[] | undefined)[] = []
  try {
    for (const bytes of blocks) lists.push(decode(decoder, bytes, maxListSize))
  } catch (error) {
    if (!(error instanceof HpackError)) throw error
    return { lists, error: error.message }
  }
  return { lists, error: undefined }
}

function sizeOf(list: readonly Pair[]): number {
  return list.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
}

test('Random blocks are read as the plain reader does, or refused with an HpackError', () => {
  const some = fc.array(block, { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(some, fc.constantFrom(4096, 4096, 100, 0), fc.nat(300), (blocks, limit, maxListSize) => {
      const plain = new PlainDecoder()
      plain.limit = limit
      const { lists, error } = readAll(blocks, limit, maxListSize)
      for (const [i, list] of lists.entries()) {
        const expected = plain.decode(blocks[i] as Uint8Array)
        assert.deepEqual(list, sizeOf(expected) > maxListSize ? undefined : expected)
      }
      // The plain reader sets an integer no limit in bytes.
      if (error === undefined || error.includes('integer')) return
      assert.throws(() => plain.decode(blocks[lists.length] as Uint8Array))
    }),
    runs(20_000),
  )
})

test('Random lists are read as they were written, while the table changes its size', () => {
  const known = fc.constantFrom(...statics.map(({ pair }) => pair))
  const name = fc.oneof(
    known.map(([name]) => name),
    fc.constantFrom('a', 'b', 'x-request-id', 'traceparent'),
    octets(20),
  )
  const value = fc.oneof(fc.constantFrom('', 'a', 'b', 'c'), octets(300))
  const list = fc.array(fc.oneof(known, fc.tuple(name, value)), { maxLength: 12 })
  const limit = fc.oneof(fc.nat(200), fc.constantFrom(0, 4096, 65_536))
  const step = fc.record({ limits: fc.array(limit, { maxLength: 3 }), list })
  fc.assert(
    fc.property(fc.constantFrom(0, 100, 4096, 65_536), fc.array(step, { maxLength: 20 }), (most, steps) => {
      const encoder = new HpackEncoder(most)
      const decoder = new HpackDecoder(65_536)
      decoder.acknowledge()
      const plain = new PlainDecoder()
      for (const { limits, list } of steps) {
        for (const limit of limits) {
          encoder.allow(limit)
          plain.limit = limit
        }
        const block = encode(encoder, list)
        assert.deepEqual(decode(decoder, block), list)
        assert.deepEqual(plain.decode(block), list)
        assert.ok(plain.size <= most)
      }
    }),
    runs(3000),
  )
})
