import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { checkFraming, framingOf } from '../../src/exchange/framing.ts'
import { writeChunk, writeHead, writeTrailers } from '../../src/http1/writer.ts'
import { toBytes } from '../../src/octets.ts'
import { SocketOutlet } from '../../src/transport/socket-outlet.ts'

test('a head is its request line, its headers as given, and an empty line', () => {
  const head = writeHead('GET', '/a?b', { version: 'HTTP/1.1', transformHeaderName: name => name }, [
    ['host', 'localhost'],
    ['x-a', 'é'],
    ['x-b', ''],
  ])
  assert.equal(head, 'GET /a?b HTTP/1.1\r\nhost: localhost\r\nx-a: é\r\nx-b: \r\n\r\n')
})

test('a character that is no octet is never written as another', () => {
  const opts = { version: 'HTTP/1.1', transformHeaderName: (name: string) => name } as const
  const evil = '\u010d\u010a'
  const refused = { name: 'TypeError', message: /no octet/ }
  assert.throws(() => writeHead(`GET${evil}`, '/', opts, []), refused)
  assert.throws(() => writeHead('GET', `/${evil}`, opts, []), refused)
  assert.throws(() => writeHead('GET', '/', opts, [['host', evil]]), refused)
  assert.throws(() => writeHead('GET', '/', { ...opts, transformHeaderName: () => evil }, [['a', '']]), {
    code: 'bad_option',
    message: /transformHeaderName must give a header name/,
  })
  assert.throws(() => writeTrailers([['a', evil]], name => name), refused)
})

test('the framing is what the headers say', () => {
  assert.equal(framingOf([]), undefined)
  assert.deepEqual(framingOf([['content-length', '12']]), { type: 'length', length: 12 })
  assert.deepEqual(framingOf([['transfer-encoding', 'chunked']]), { type: 'chunked' })
})

test('a chunk has its length in hexadecimal', () => {
  const stream = new PassThrough()
  const outlet = new SocketOutlet(stream)
  writeChunk(outlet, Buffer.from('0123456789abcdef'))
  outlet.flush()
  assert.equal(String(stream.read()), '10\r\n0123456789abcdef\r\n')
})

test('headers that contradict each other, or the body, are refused', () => {
  const refuse = (headers: [string, string][], body: Uint8Array | undefined, message: RegExp) => {
    assert.throws(() => checkFraming(headers, body), { name: 'TypeError', message })
  }
  const five = Buffer.from('Hello')
  checkFraming([['content-length', '5']], five)
  checkFraming([['content-length', '6']], undefined)
  checkFraming([['transfer-encoding', 'Chunked']], five)
  refuse([['content-length', '4']], five, /^headers: content-length is 4, but the body has 5 bytes/)
  refuse([['content-length', '6']], five, /^headers: content-length is 6, but the body has 5 bytes/)
  for (const length of ['', '-1', '+5', '5, 5', '0x5', '5.0', '1e3', '9'.repeat(16)]) {
    refuse([['content-length', length]], undefined, /^headers: content-length .* is not a length/)
  }
  refuse(
    [
      ['content-length', '5'],
      ['content-length', '5'],
    ],
    five,
    /is not a length/,
  )
  refuse(
    [
      ['content-length', '5'],
      ['transfer-encoding', 'chunked'],
    ],
    five,
    /exclude each other/,
  )
  for (const coding of ['gzip', 'gzip, chunked', 'identity', 'chunked, chunked']) {
    refuse([['transfer-encoding', coding]], five, /^headers: transfer-encoding can only be chunked/)
  }
})

test('a body is text, bytes, or a list of both', () => {
  assert.deepEqual(Buffer.from(toBytes('é', 'body')), Buffer.from([0xc3, 0xa9]))
  const bytes = Uint8Array.of(1)
  assert.equal(toBytes(bytes, 'body'), bytes)
  assert.deepEqual(Buffer.from(toBytes(['a', Buffer.from('b'), ''], 'body')), Buffer.from('ab'))
  assert.deepEqual(toBytes([], 'body').length, 0)
  for (const body of [undefined, null, 1, {}, [1], new ArrayBuffer(1)]) {
    assert.throws(() => toBytes(body as string, 'body'), {
      name: 'TypeError',
      message: 'body must be a string, a Uint8Array, or a list of these',
    })
  }
})
