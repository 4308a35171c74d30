import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../../test/support/runs.ts'
import { readHuffman, sizeOfHuffman, writeHuffman } from '../../../src/http2/engine/huffman.ts'
import { codes, EOS, lengths } from '../../../src/http2/engine/huffman-codes.ts'

function write(text: string): Buffer {
  const size = sizeOfHuffman(text)
  const memory = Buffer.alloc(size + 2, 0xee)
  assert.equal(writeHuffman(memory, 1, text), size + 1)
  assert.deepEqual([memory[0], memory[size + 1]], [0xee, 0xee])
  return memory.subarray(1, size + 1)
}

function read(bytes: Uint8Array): string | undefined {
  // Other bits stand in front of the string, and behind it.
  const memory = Buffer.concat([Buffer.of(0), bytes, Buffer.of(0)])
  return readHuffman(memory, 1, 1 + bytes.length)
}

const codeOf = (octet: number) => (codes[octet] ?? 0).toString(2).padStart(lengths[octet] ?? 0, '0')

/** The bytes of bits, as many as are whole. */
function bytesOf(bits: string): Buffer {
  return Buffer.from(
    Array.from({ length: bits.length >> 3 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2)),
  )
}

const latin1 = (maxLength: number) =>
  fc.uint8Array({ maxLength, size: 'max' }).map(bytes => Buffer.from(bytes).toString('latin1'))

test('The codes are those of RFC 7541 appendix B', () => {
  const some: readonly (readonly [octet: number, code: string])[] = [
    [0, '1111111111000'],
    [1, '11111111111111111011000'],
    [10, '111111111111111111111111111100'],
    [32, '010100'],
    [33, '1111111000'],
    [48, '00000'],
    [58, '1011100'],
    [88, '11111100'],
    [92, '1111111111111110000'],
    [97, '00011'],
    [122, '1111011'],
    [127, '1111111111111111111111111100'],
    [128, '11111111111111100110'],
    [249, '1111111111111111111111111110'],
    [255, '11111111111111111111101110'],
    [EOS, '1'.repeat(30)],
  ]
  for (const [octet, code] of some) assert.equal(codeOf(octet), code)
})

test('Every octet has a code of its own, with whose beginning no other begins', () => {
  const all = Array.from(lengths, (_, octet) => codeOf(octet)).sort()
  assert.equal(all.length, 257)
  for (const [i, code] of all.entries()) assert.ok(!all[i + 1]?.startsWith(code))
  // No code more would fit.
  assert.equal(
    lengths.reduce((sum, length) => sum + 2 ** -length, 0),
    1,
  )
})

test('Every octet is read as it was written, at every place within a byte', () => {
  for (let octet = 0; octet < 256; octet++) {
    for (let before = 0; before < 8; before++) {
      // The code of 0 has five bits, and five times as many leave every place within a byte.
      const text = `${'0'.repeat(before)}${String.fromCharCode(octet)}${'a'.repeat(before)}`
      assert.equal(read(write(text)), text)
    }
  }
})

test('Padding is fewer than eight bits of EOS', () => {
  for (const octet of [48, 32, 58, 88, 33, 60, 0, 10]) {
    const code = codeOf(octet)
    const text = String.fromCharCode(octet)
    const padding = -code.length & 7
    assert.equal(read(bytesOf(code + '1'.repeat(padding))), text)
    assert.equal(read(bytesOf(code + '1'.repeat(padding + 8))), undefined)
    for (let bit = 0; bit < padding; bit++) {
      const wrong = `${'1'.repeat(bit)}0${'1'.repeat(padding - bit - 1)}`
      assert.notEqual(read(bytesOf(code + wrong)), text)
    }
  }
  assert.equal(read(Buffer.of()), '')
  assert.equal(read(Buffer.of(0xff)), undefined)
})

test('A string without its last byte is another, or none', () => {
  for (let octet = 0; octet < 256; octet++) {
    const text = `ab${String.fromCharCode(octet)}`
    const bytes = write(text)
    assert.notEqual(read(bytes.subarray(0, bytes.length - 1)), text)
  }
})

test('EOS is an error, at every place within a byte and whatever follows', () => {
  for (let before = 0; before < 8; before++) {
    for (const after of ['', '0', '1', '0'.repeat(16), codeOf(97), '1'.repeat(30)]) {
      const bits = '00000'.repeat(before) + codeOf(EOS) + after
      assert.equal(read(bytesOf(bits + '1'.repeat(-bits.length & 7))), undefined)
    }
  }
})

test('Random strings are read as they were written, however long', () => {
  fc.assert(
    fc.property(fc.oneof({ weight: 20, arbitrary: latin1(200) }, latin1(20_000)), text => {
      assert.equal(read(write(text)), text)
    }),
    runs(500),
  )
})

test('Random bytes are a string that is written in the same bytes, or no string', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      const text = read(bytes)
      if (text !== undefined) assert.deepEqual(write(text), Buffer.from(bytes))
    }),
    runs(5000),
  )
})
