// How the parser takes bytes and gives values: one at a time, in parts that are views, at a cost that grows with the bytes alone.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResponseParser } from '../../src/http1/parser/parser.ts'
import type { ResponseValue } from '../../src/http1/parser/values.ts'

const limits = { maxHeaderBlockSize: 1_000_000, maxTrailerBlockSize: 1_000_000 }
const OK = 'HTTP/1.1 200 OK\r\n'
const SIZED = `${OK}Content-Length: 2\r\n\r\nhi`
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

function parserFor(...methods: readonly string[]): ResponseParser {
  const parser = new ResponseParser(limits)
  for (const method of methods) parser.expect(method)
  return parser
}

function rest(parser: ResponseParser): ResponseValue[] {
  const values: ResponseValue[] = []
  for (let value = parser.next(); value !== undefined; value = parser.next()) values.push(value)
  return values
}

const typesOf = (values: readonly ResponseValue[]) => values.map(({ type }) => type)

describe('values come one at a time', () => {
  test('and a request that is announced between two does not get what came before it', () => {
    const parser = parserFor('GET')
    parser.push(Buffer.from(SIZED + SIZED))
    assert.deepEqual(
      [1, 2, 3].map(() => parser.next()?.type),
      ['start', 'response', 'data'],
    )
    parser.expect('GET')
    assert.equal(parser.next(), undefined)
    assert.match(parser.failure?.message ?? '', /no request asked for/)
  })

  test('and a request gets what came behind it, though other bytes were not read yet', () => {
    const parser = parserFor('GET')
    parser.push(Buffer.from(SIZED))
    parser.expect('GET')
    parser.push(Buffer.from(SIZED))
    assert.deepEqual(typesOf(rest(parser)), ['start', 'response', 'data', 'start', 'response', 'data'])
    assert.equal(parser.failure, undefined)
  })

  test('and bytes that are pushed meanwhile follow those that were not read yet', () => {
    const parser = parserFor('GET')
    for (const byte of Buffer.from(`${CHUNKED}2\r\nhi\r\n0\r\nX: y\r\n\r\n`)) parser.push(Buffer.of(byte))
    assert.deepEqual(typesOf(rest(parser)), ['start', 'response', 'data', 'data', 'trailers'])
  })

  test('and what was not read yet can be kept while the memory is used again', () => {
    const owned = (bytes: Buffer, start: number, end: number) => Buffer.from(bytes.subarray(start, end))
    const parser = new ResponseParser(limits, owned)
    for (let n = 0; n < 3; n++) parser.expect('GET')
    const memory = Buffer.alloc(200)
    const read = (text: string) => {
      parser.push(memory.subarray(0, memory.write(text)))
      parser.keep()
      memory.fill('!')
    }
    read(SIZED)
    parser.next()
    read(`${CHUNKED}2\r\nab\r\n0\r\nX: `)
    parser.next()
    read(`y\r\n\r\n${OK}Content-Length: 3\r\n\r\nend`)
    const bodies = rest(parser).flatMap(value => (value.type === 'data' ? [value.data.toString()] : []))
    assert.deepEqual(bodies, ['hi', 'ab', 'end'])
    assert.equal(parser.failure, undefined)
  })

  test('and the end of the input counts behind what was not read yet', () => {
    const parser = parserFor('GET')
    parser.push(Buffer.from(`${OK}\r\nhello`))
    parser.end()
    assert.deepEqual(typesOf(rest(parser)), ['start', 'response', 'data', 'data'])
    assert.equal(parser.failure, undefined)
  })

  test('and another protocol gets all the bytes behind its 101', () => {
    const parser = new ResponseParser(limits)
    parser.expect('GET', true)
    parser.push(Buffer.from('HTTP/1.1 101 x\r\n\r\nab'))
    parser.push(Buffer.from('cd'))
    const last = rest(parser).at(-1)
    assert.equal(last?.type === 'upgrade' && last.rest.toString(), 'abcd')
    parser.push(Buffer.from('ef'))
    assert.equal(parser.next(), undefined)
  })
})

describe('a part of a body is a view of the bytes that were pushed', () => {
  for (const [name, head, tail] of [
    ['of a known length', `${OK}Content-Length: 100000\r\n\r\n`, ''],
    ['until the end of the connection', `${OK}\r\n`, ''],
    ['in one chunk', `${CHUNKED}186a0\r\n`, '\r\n0\r\n\r\n'],
    ['in one chunk with an extension', `${CHUNKED}186a0;a=b\r\n`, '\r\n0\r\n\r\n'],
  ] as const) {
    test(name, () => {
      const parser = parserFor('GET')
      const body = Buffer.alloc(100_000, 'abc')
      const bytes = Buffer.concat([Buffer.from(head), body, Buffer.from(tail)])
      parser.push(bytes)
      const parts = rest(parser).flatMap(value => (value.type === 'data' ? [value.data] : []))
      assert.equal(parts.length, 1)
      assert.equal(parts[0]?.buffer, bytes.buffer)
      assert.ok(parts[0]?.equals(body))
    })
  }
})

/** Counts how many bytes the parser looks at, one by one or to decode them, when they come one by one. */
function lookedAt(text: string): number {
  const parser = parserFor('GET')
  let count = 0
  const watched = (bytes: Buffer): Buffer =>
    new Proxy(bytes, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) count++
        if (key === 'latin1Slice') {
          return (start: number, end: number) => {
            count += end - start
            return target.toString('latin1', start, end)
          }
        }
        const value = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  for (const byte of Buffer.from(text)) {
    parser.push(watched(Buffer.of(byte)))
    rest(parser)
    parser.keep()
  }
  assert.equal(parser.failure, undefined)
  return count
}

describe('byte by byte costs a few looks for each byte, however many there are', () => {
  for (const [name, textOf] of [
    ['a reason', n => `HTTP/1.1 200 ${'x'.repeat(n)}\r\n\r\n`],
    ['a name', n => `${OK}${'x'.repeat(n)}: y\r\n\r\n`],
    ['a value', n => `${OK}x: ${'y'.repeat(n)}\r\n\r\n`],
    ['blanks', n => `${OK}x:${' '.repeat(n)}\r\n\r\n`],
    ['fields', n => `${OK}${'x: y\r\n'.repeat(n / 6)}\r\n`],
    ['folds', n => `${OK}x: y\r\n${' z\r\n'.repeat(n / 4)}\r\n`],
    ['a chunk extension', n => `${CHUNKED}1;${'a'.repeat(n)}\r\n`],
    ['chunks', n => CHUNKED + '1\r\na\r\n'.repeat(n / 6)],
    ['trailers', n => `${CHUNKED}0\r\n${'x: y\r\n'.repeat(n / 6)}\r\n`],
    ['empty lines', n => '\r\n'.repeat(n / 2)],
  ] as [string, (bytes: number) => string][]) {
    test(name, () => {
      const text = textOf(12_000)
      const count = lookedAt(text)
      assert.ok(count <= 6 * text.length, `${count} looks at ${text.length} bytes`)
    })
  }
})

describe('a limit may be reached, and not be passed by one byte', () => {
  const LINE = 16_384
  const line = (size: number) => `1;${'a'.repeat(size - 2)}`
  const blanks = (size: number) => `1${' '.repeat(size - 1)}`
  const small = { maxHeaderBlockSize: 60, maxTrailerBlockSize: 20 }
  for (const [name, limit, textOf] of [
    ['of the line before a chunk', LINE, n => `${CHUNKED}${line(n)}\r\na\r\n0\r\n\r\n`],
    ['of the line before a chunk, in blanks', LINE, n => `${CHUNKED}${blanks(n)}\r\na\r\n0\r\n\r\n`],
    ['of the line before the last chunk', LINE, n => `${CHUNKED}0${line(n).slice(1)}\r\n\r\n`],
    ['of the line before a chunk, in zeros', LINE, n => `${CHUNKED}${'0'.repeat(n - 1)}1\r\na\r\n0\r\n\r\n`],
    ['of a status line', 60, n => `HTTP/1.1 204 ${'x'.repeat(n - 15)}\r\n\r\n`],
    ['of a head with a fold', 60, n => `HTTP/1.1 204 x\r\na: b\r\n ${'c'.repeat(n - 25)}\r\n\r\n`],
    ['of an interim head', 60, n => `HTTP/1.1 103 ${'x'.repeat(n - 15)}\r\n\r\nHTTP/1.1 204\r\n\r\n`],
    ['of a trailer', 20, n => `${CHUNKED}0\r\na: ${'b'.repeat(n - 5)}\r\n\r\n`],
    ['of a trailer with a fold', 20, n => `${CHUNKED}0\r\na: b\r\n ${'c'.repeat(n - 9)}\r\n\r\n`],
    [
      'of empty lines before a response',
      60,
      n => `${'\r\n'.repeat(30)}${'\n'.repeat(n - 60)}HTTP/1.1 204\r\n\r\n`,
    ],
  ] as [string, number, (size: number) => string][]) {
    const outcome = (text: string, size: number) => {
      const parser = new ResponseParser(small)
      parser.expect('GET')
      const values: ResponseValue[] = []
      const bytes = Buffer.from(text)
      for (let at = 0; at < bytes.length; at += size) {
        parser.push(bytes.subarray(at, at + size))
        values.push(...rest(parser))
      }
      parser.end()
      values.push(...rest(parser))
      return [values.map(({ type }) => type).filter(type => type !== 'data'), parser.failure?.code]
    }
    test(name, () => {
      for (const size of [1, 7, 100_000]) {
        const [, none] = outcome(textOf(limit), size)
        assert.equal(none, undefined)
        const [, over] = outcome(textOf(limit + 1), size)
        assert.equal(over, 'limit_reached')
      }
    })
  }
})
