import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { authorityOf, parseHost } from '../../src/options/host.ts'

test('a host has a form for each of those who write it', () => {
  const cases: [given: string, target: string, identity: string, uriHost: string][] = [
    ['localhost', 'localhost', 'localhost', 'localhost'],
    ['LocalHost', 'localhost', 'localhost', 'localhost'],
    ['my_db-1.internal', 'my_db-1.internal', 'my_db-1.internal', 'my_db-1.internal'],
    // The resolver takes a name with a dot for complete; a server may take it for another.
    ['Example.com.', 'example.com.', 'example.com', 'example.com.'],
    ['b\u00fccher.test', 'xn--bcher-kva.test', 'xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['XN--BCHER-KVA.test', 'xn--bcher-kva.test', 'xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['\u65e5\u672c\u3002test', 'xn--wgv71a.test', 'xn--wgv71a.test', 'xn--wgv71a.test'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['\uff11\uff12\uff17.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
    ['2001:DB8::1', '2001:db8::1', '2001:db8::1', '[2001:db8::1]'],
    ['FE80::1%Eth0', 'fe80::1%Eth0', 'fe80::1', '[fe80::1]'],
  ]
  for (const [given, target, identity, uriHost] of cases) {
    assert.deepEqual(parseHost(given), { given, target, identity, uriHost })
  }
})

test('an authority has the port unless that is the default', () => {
  const authority = (host: string, port: number, transport: 'tcp' | 'tls') =>
    authorityOf({ host: parseHost(host), port }, transport)
  assert.equal(authority('localhost', 80, 'tcp'), 'localhost')
  assert.equal(authority('localhost', 443, 'tls'), 'localhost')
  assert.equal(authority('localhost', 443, 'tcp'), 'localhost:443')
  assert.equal(authority('localhost', 80, 'tls'), 'localhost:80')
  assert.equal(authority('127.0.0.1', 8080, 'tcp'), '127.0.0.1:8080')
  assert.equal(authority('::1', 80, 'tcp'), '[::1]')
  assert.equal(authority('2001:db8::1%eth0', 8443, 'tls'), '[2001:db8::1]:8443')
})

describe('what cannot be a host is refused', () => {
  test('with what to call where it is plain what was meant', () => {
    const cases: [given: unknown, call: string][] = [
      ['http://example.com', "open('example.com', 80)"],
      ['https://example.com/path?a=b', "open('example.com', 443)"],
      ['wss://user:secret@example.com:8443/', "open('example.com', 8443, { transport: 'tls' })"],
      ['ws://example.com:443', "open('example.com', 443, { transport: 'tcp' })"],
      [new URL('https://b\u00fccher.test'), "open('xn--bcher-kva.test', 443)"],
      ['example.com:8080', "open('example.com', 8080)"],
      ['example.com/path', "open('example.com', 80)"],
      ['[::1]', "open('::1', 80)"],
      ['[::1]:8080', "open('::1', 8080)"],
    ]
    for (const [given, call] of cases) {
      assert.throws(() => parseHost(given), {
        name: 'TypeError',
        message: `host must be a name or an address alone: call ${call} instead`,
      })
    }
  })

  test('and shown where it is not, but never at length', () => {
    for (const given of [
      ...['', ' ', 'a b', ' a', 'a\tb', 'a\r\nb', 'a\0b', 'a"b', 'a{b}', '%41', 'a%2fb'],
      ...['.', '..', '.a', 'a..b', 'a..', '256.1.1.1', '1.2.3.4.5', '\u00ad', '\ud800'],
      ...[
        'a\uff0fb',
        'a\uff1ab',
        'a\uff05b',
        'a\u3000b',
        'a\u00a0b',
        'a\u200db',
        ':::',
        'fe80::1%',
        'a'.repeat(255),
      ],
      ...[undefined, null, 42, {}, Buffer.from('localhost')],
    ]) {
      assert.throws(
        () => parseHost(given),
        (error: Error) => {
          assert.equal(error.name, 'TypeError')
          assert.match(error.message, /^host must be a name or an address alone, not /)
          assert.ok(error.message.length < 250)
          return true
        },
        JSON.stringify(given),
      )
    }
  })
})

test('whatever the letters are, what goes over the wire is a host and nothing else', () => {
  const letters = fc.oneof(
    fc.constantFrom('a', '.', ':', '%', '\u010d', '\u010a', '\u013a', '\u0120'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  )
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 12 }), parts => {
      let host: ReturnType<typeof parseHost>
      try {
        host = parseHost(parts.join(''))
      } catch {
        return
      }
      assert.match(host.uriHost, /^([!$&'()*+,\-.;=_a-z0-9~]+|\[[0-9a-f:.]+\])$/)
      // What it gives is the same host again.
      assert.equal(parseHost(host.target).uriHost, host.uriHost)
    }),
    runs(300),
  )
})
