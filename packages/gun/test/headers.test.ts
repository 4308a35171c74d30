import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkMethod,
  checkPath,
  checkWithoutBody,
  type HeadersInit,
  headerValue,
  normalizeHeaders,
} from '../src/headers.ts'

/** What only somebody without types can write. */
function refuse(given: unknown, message: RegExp): void {
  assert.throws(() => normalizeHeaders(given as HeadersInit), { name: 'TypeError', message })
}

test('pairs, a record, a Map and Headers give the same list with names in lower case', () => {
  const expected = [
    ['x-a', '1'],
    ['x-b', 'two'],
  ]
  assert.deepEqual(
    normalizeHeaders([
      ['X-A', 1],
      ['x-b', 'two'],
    ]),
    expected,
  )
  assert.deepEqual(normalizeHeaders({ 'X-A': 1, 'x-B': 'two' }), expected)
  assert.deepEqual(
    normalizeHeaders(new Map<string, string | number>(Object.entries({ 'X-A': 1, 'X-B': 'two' }))),
    expected,
  )
  assert.deepEqual(normalizeHeaders(new Headers({ 'X-B': 'two', 'X-A': '1' })), expected)
  assert.deepEqual(normalizeHeaders(undefined), [])
})

test('order and duplicates are kept', () => {
  assert.deepEqual(
    normalizeHeaders([
      ['b', '1'],
      ['A', '2'],
      ['B', '3'],
    ]),
    [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
    ],
  )
  assert.deepEqual(normalizeHeaders({ cookie: ['a=1', 'b=2'] }), [
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
  ])
})

test('values keep latin1 and inner tabs, and lose the whitespace around them', () => {
  assert.deepEqual(normalizeHeaders({ a: ' \tx\ty é ', b: '' }), [
    ['a', 'x\ty é'],
    ['b', ''],
  ])
})

test('a name that is no token is refused', () => {
  for (const name of ['', ' a', 'a ', 'a b', 'a:', 'a\r\nb', 'a\0', 'é', ':path', 'a"']) {
    refuse([[name, '1']], /^headers: .* is not a header name/s)
  }
  refuse([[undefined, '1']], /is not a header name/)
})

test('a value that could end its line, or is no text, is refused by name', () => {
  for (const value of ['a\nb', 'a\rb', 'a\r\nX-B: 1', '\0', '\x7f', 'snow ☃', '\n']) {
    refuse({ 'x-a': value }, /^headers: the value of x-a /)
  }
  refuse(
    [['x-a', undefined]],
    /^headers: the value of x-a is undefined; leave the header out, or give it a string or a number$/,
  )
  refuse({ 'x-a': null }, /^headers: the value of x-a is null; leave the header out/)
  refuse({ 'x-a': ['b', undefined] }, /^headers: the value of x-a is undefined; leave the header out/)
  for (const value of [true, {}, Buffer.from('a')]) {
    refuse([['x-a', value]], /^headers: the value of x-a is .*; give a string or a number$/s)
  }
})

test('headers that are neither pairs nor a record are refused', () => {
  refuse(null, /^headers must be/)
  refuse('x-a: 1', /^headers must be/)
  refuse(42, /^headers must be/)
  refuse(['x-a', '1'], /^headers: 'x-a' is not a pair/)
  refuse([['x-a']], /^headers: \[ 'x-a' \] is not a pair/)
  refuse([['x-a', '1', '2']], /is not a pair/)
})

test('host may be given, but not twice', () => {
  assert.deepEqual(normalizeHeaders({ Host: 'a' }), [['host', 'a']])
  const twice = [
    ['host', 'a'],
    ['Host', 'a'],
  ] as const
  assert.throws(() => normalizeHeaders(twice), {
    name: 'TypeError',
    message: /^headers: host is given twice/,
  })
})

test('a method is a token, a path has no spaces or control characters', () => {
  for (const method of ['GET', 'get', 'M-SEARCH', "!#$%&'*+-.^_`|~"]) checkMethod(method)
  for (const method of ['', 'GET ', 'GE T', 'GET\r\n', 'GÉT', undefined, 1]) {
    assert.throws(() => checkMethod(method), { name: 'TypeError', message: /^method must be a token/ })
  }
  for (const path of ['/', '*', '/a?b=c#d', 'http://localhost/', '/%20']) checkPath(path)
  for (const path of ['', '/a b', '/\r\n', '/\0', '/\x7f', '/é', undefined, 1]) {
    assert.throws(() => checkPath(path), { name: 'TypeError', message: /^path must be a non-empty string/ })
  }
})

test('a path begins with a slash, unless it is another form of a request target, or unchecked', () => {
  for (const [path, right] of [
    ['users', '/users'],
    ['?a=b', '/?a=b'],
    ['users/1', '/users/1'],
    ['**', '/**'],
  ] as const) {
    assert.throws(() => checkPath(path), {
      name: 'TypeError',
      message: `path must begin with a slash: '${right}', not '${path}'`,
    })
    checkPath(path, false)
  }
  for (const path of ['*', 'http://localhost/', 'HTTPS://localhost', 'localhost:443', '[::1]:443'])
    checkPath(path)
})

test('several fields of one name have one value', () => {
  const headers = [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
  ] as const
  assert.equal(headerValue(headers, 'a'), '1, 3')
  assert.equal(headerValue(headers, 'b'), '2')
  assert.equal(headerValue(headers, 'c'), undefined)
})

test('a value loses the spaces and tabs around it, and nothing that is part of UTF-8', () => {
  assert.deepEqual(normalizeHeaders({ 'x-a': ' \tb c\t ', 'x-b': '\xc3\xa0' }), [
    ['x-a', 'b c'],
    ['x-b', '\xc3\xa0'],
  ])
})

test('unchecked is what it stands for, but never which octet a character is', () => {
  const evil = '\u010d\u010a'
  assert.deepEqual(normalizeHeaders({ 'X:A': 'a\r\nb\xff ' }, false), [['x:a', 'a\r\nb\xff ']])
  checkPath('/a b\r\n\xff', false)
  checkMethod('GET\r\n', false)
  assert.throws(() => normalizeHeaders({ 'x-a': evil }, false), /^TypeError: headers: the value of x-a /)
  assert.throws(() => normalizeHeaders({ [evil]: '' }, false), /^TypeError: headers: .* is not a header name/)
  assert.throws(() => checkPath(`/${evil}`, false), /^TypeError: path must be /)
  assert.throws(() => checkMethod(`GET${evil}`, false), /^TypeError: method must be /)
})

test('a value may be full of blanks', () => {
  // An expression that tries each blank anew would need minutes.
  const blanks = ' \t'.repeat(1_000_000)
  assert.deepEqual(normalizeHeaders([['x-a', `${blanks}a${blanks}b${blanks}`]]), [['x-a', `a${blanks}b`]])
  assert.deepEqual(normalizeHeaders([['x-a', blanks]]), [['x-a', '']])
})

test('a header that announces a body is refused for a tunnel, and named', () => {
  for (const name of ['content-length', 'transfer-encoding']) {
    const message = `headers: ${name} has no meaning for a tunnel, whose request has no body`
    assert.throws(
      () =>
        checkWithoutBody([
          ['host', 'a'],
          [name, '0'],
        ]),
      { name: 'TypeError', message },
    )
  }
  checkWithoutBody([['user-agent', 'feeds/1.0']])
})
