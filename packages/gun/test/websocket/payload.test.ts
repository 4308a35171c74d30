// A text that comes in parts is refused at the first byte with which it cannot become UTF-8 any more (RFC 6455 section 8.1).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { Payload } from '../../src/websocket/payload.ts'

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')

/** Appends the parts one after another. Gives the number of the part with which the text is refused; -1 if none is. */
function refusedPart(parts: readonly Uint8Array[]): number {
  const payload = new Payload(0)
  return parts.findIndex(part => {
    payload.append(Buffer.from(part), 0, part.length, Number.POSITIVE_INFINITY)
    return !payload.isText()
  })
}
const refusedByte = (bytes: Uint8Array): number => refusedPart(Array.from(bytes, byte => Uint8Array.of(byte)))

/** The text of these parts; `undefined` if it is cut off. */
function textOf(parts: readonly Uint8Array[]): string | undefined {
  const payload = new Payload(0)
  for (const part of parts) {
    payload.append(Buffer.from(part), 0, part.length, Number.POSITIVE_INFINITY)
    assert.ok(payload.isText())
  }
  return payload.text()
}

/** Which byte decides, as RFC 3629 section 4 has it. */
const invalid: readonly (readonly [bytes: string, at: number])[] = [
  ['80', 0],
  ['bf', 0],
  ['c0', 0],
  ['c1', 0],
  ['f5', 0],
  ['f7', 0],
  ['f8', 0],
  ['fc', 0],
  ['fe', 0],
  ['ff', 0],
  ['c27f', 1],
  ['c2c0', 1],
  ['df28', 1],
  ['e080', 1],
  ['e09f', 1],
  ['e17f', 1],
  ['e2e2', 1],
  ['eda0', 1],
  ['edbf', 1],
  ['ee28', 1],
  ['f080', 1],
  ['f08f', 1],
  ['f128', 1],
  ['f1ff', 1],
  ['f490', 1],
  ['f4bf', 1],
  ['e0a07f', 2],
  ['e28228', 2],
  ['ed9fc0', 2],
  ['efbfe2', 2],
  ['f09028', 2],
  ['f09f98', -1],
  ['f09f9828', 3],
  ['f48fbfc0', 3],
  ['f09f988080', 4],
  ['e282ac80', 3],
  ['c3a9bf', 2],
]

test('a text is refused at the byte that spoils it, and not before', () => {
  for (const [digits, at] of invalid) assert.equal(refusedByte(hex(digits)), at, digits)
})

test('the byte that spoils a text is the same behind other characters', () => {
  for (const before of ['a', 'κόσμε', '€', '😀', '\ufeff', '\u0000']) {
    for (const [digits, at] of invalid) {
      const bytes = Buffer.concat([Buffer.from(before), hex(digits)])
      const expected = at === -1 ? -1 : Buffer.byteLength(before) + at
      assert.equal(refusedByte(bytes), expected, `${before} ${digits}`)
    }
  }
})

test('all bytes that can follow another one are accepted, and no others', () => {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      // Each beginning of a character is one of a whole one if some bytes complete it.
      const bytes = Buffer.of(first, second)
      const endings = ['', '80', '8080', '808080', 'bf', 'bfbf', 'bfbfbf'].map(ending =>
        Buffer.concat([bytes, hex(ending)]),
      )
      const isBeginning = endings.some(whole => {
        try {
          utf8.decode(whole)
          return true
        } catch {
          return false
        }
      })
      assert.equal(refusedPart([bytes]) === -1, isBeginning, bytes.toString('hex'))
    }
  }
})

test('a text that ends within a character is none, and one that does not is whole', () => {
  for (const whole of ['é', '€', '😀', 'a', '']) {
    const bytes = Buffer.from(whole)
    assert.equal(textOf([bytes]), whole)
    for (let end = 1; end < bytes.length; end++) assert.equal(textOf([bytes.subarray(0, end)]), undefined)
  }
})

test('a byte order mark is kept', () => {
  assert.equal(textOf([hex('ef'), hex('bb'), hex('bf61')]), '\ufeffa')
})

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map(it => Buffer.from(it)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map(it => Buffer.from(it)) },
  { weight: 1, arbitrary: fc.constantFrom(...invalid.map(([digits]) => hex(digits))) },
)
const cutText = fc
  .tuple(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 8 }))
  .map(([pieces, cuts]) => {
    const bytes = Buffer.concat(pieces)
    const ends = [...cuts.map(cut => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
    return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
  })

test('texts cut anywhere are taken and refused as TextDecoder does it', () => {
  fc.assert(
    fc.property(cutText, parts => {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      let text = ''
      const expected = parts.findIndex(part => {
        try {
          text += decoder.decode(part, { stream: true })
          return false
        } catch {
          return true
        }
      })
      assert.equal(refusedPart(parts), expected)
      if (expected !== -1) return
      let isWhole = true
      try {
        text += decoder.decode()
      } catch {
        isWhole = false
      }
      assert.equal(textOf(parts), isWhole ? text : undefined)
    }),
    runs(5000),
  )
})

test('a long text is taken in parts, whatever its characters are', () => {
  for (const char of ['a', 'é', '€', '😀', 'aé€😀']) {
    const whole = char.repeat(20_000)
    const bytes = Buffer.from(whole)
    const parts: Buffer[] = []
    for (let at = 0; at < bytes.length; at += 997) parts.push(bytes.subarray(at, at + 997))
    assert.equal(textOf(parts), whole)
  }
})
