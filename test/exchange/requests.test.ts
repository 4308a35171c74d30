// Requests on the wire, byte by byte, and the arguments that never get there.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { certificates } from '@holster/testing'
import { connect, defer, NO_CONTENT, receiveError } from '../support/client.ts'
import { collect, noContent, onEachLine, onEachTransport } from '../support/http-scene.ts'
import { httpOrigin, lineName, NOTHING, versions } from '../support/http-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { assertSent, hostOf, type Send } from '../support/sent-requests.ts'

describe('sent is exactly', () => {
  const body = Uint8Array.of(0x00, 0xff, 0x0d, 0x0a)

  onEachLine('get and head, with and without what may be left out', line =>
    assertSent(line, {
      path: [it => gun.get(it, '/'), 'GET / HTTP/1.1\r\nhost: HOST\r\n\r\n'],
      query: [it => gun.get(it, '/a/b?c=d&e=%20#f'), 'GET /a/b?c=d&e=%20#f HTTP/1.1\r\nhost: HOST\r\n\r\n'],
      headers: [it => gun.get(it, '/', { A: 'b' }), 'GET / HTTP/1.1\r\nhost: HOST\r\na: b\r\n\r\n'],
      'no headers': [it => gun.get(it, '/', undefined, {}), 'GET / HTTP/1.1\r\nhost: HOST\r\n\r\n'],
      'empty headers': [it => gun.get(it, '/', []), 'GET / HTTP/1.1\r\nhost: HOST\r\n\r\n'],
      HEAD: [it => gun.head(it, '/'), 'HEAD / HTTP/1.1\r\nhost: HOST\r\n\r\n'],
      'HEAD with headers': [
        it => gun.head(it, '/', [['A', 'b']], {}),
        'HEAD / HTTP/1.1\r\nhost: HOST\r\na: b\r\n\r\n',
      ],
    }),
  )

  onEachLine('request, with a body in each of its forms', line =>
    assertSent(line, {
      text: [
        it => gun.request(it, 'POST', '/', undefined, 'abc'),
        'POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 3\r\n\r\nabc',
      ],
      'text counted in bytes': [
        it => gun.request(it, 'POST', '/', {}, 'aé☃😀'),
        'POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 10\r\n\r\na\xc3\xa9\xe2\x98\x83\xf0\x9f\x98\x80',
      ],
      'half a surrogate pair': [
        it => gun.request(it, 'POST', '/', {}, '\ud83d'),
        'POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 3\r\n\r\n\xef\xbf\xbd',
      ],
      bytes: [
        it => gun.request(it, 'PUT', '/', undefined, body),
        'PUT / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 4\r\n\r\n\0\xff\r\n',
      ],
      'a part of bytes': [
        it => gun.request(it, 'PUT', '/', undefined, body.subarray(1, 2)),
        'PUT / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1\r\n\r\n\xff',
      ],
      'a list of texts and bytes': [
        it => gun.request(it, 'PATCH', '/', [], ['é', body, '', new Uint8Array(), Buffer.from('b')]),
        'PATCH / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 7\r\n\r\n\xc3\xa9\0\xff\r\nb',
      ],
      'an empty list': [
        it => gun.request(it, 'PATCH', '/', [], []),
        'PATCH / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 0\r\n\r\n',
      ],
      'nothing, where a body is usual': [
        it => gun.request(it, 'POST', '/', [], ''),
        'POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 0\r\n\r\n',
      ],
      'nothing, where none is': [
        it => gun.request(it, 'DELETE', '/', [], ''),
        'DELETE / HTTP/1.1\r\nhost: HOST\r\n\r\n',
      ],
      'something, where none is usual': [
        it => gun.request(it, 'GET', '/', [], 'a'),
        'GET / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 1\r\n\r\na',
      ],
      'its length from the caller': [
        it => gun.request(it, 'GET', '/', { 'Content-Length': 3 }, 'abc'),
        'GET / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 3\r\n\r\nabc',
      ],
      'a length of zero from the caller': [
        it => gun.request(it, 'GET', '/', { 'Content-Length': '0' }, ''),
        'GET / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 0\r\n\r\n',
      ],
      'chunked by the caller': [
        it => gun.request(it, 'POST', '/', { 'transfer-encoding': 'chunked' }, '0123456789abcdef'),
        'POST / HTTP/1.1\r\nhost: HOST\r\ntransfer-encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n',
      ],
      'chunked and empty': [
        it => gun.request(it, 'POST', '/', { 'transfer-encoding': 'chunked' }, ''),
        'POST / HTTP/1.1\r\nhost: HOST\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
    }),
  )

  onEachLine('a method and a target as they are given', line =>
    assertSent(line, {
      'the server as a whole': [
        it => gun.request(it, 'OPTIONS', '*', [], ''),
        'OPTIONS * HTTP/1.1\r\nhost: HOST\r\n\r\n',
      ],
      'a whole URL': [
        it => gun.get(it, 'http://example.org:8080/a?b'),
        'GET http://example.org:8080/a?b HTTP/1.1\r\nhost: HOST\r\n\r\n',
      ],
      'an authority': [
        it => gun.request(it, 'TRACE', 'example.org:443', [], ''),
        'TRACE example.org:443 HTTP/1.1\r\nhost: HOST\r\n\r\n',
      ],
      'lower case': [it => gun.request(it, 'get', '/', [], ''), 'get / HTTP/1.1\r\nhost: HOST\r\n\r\n'],
      'a post in lower case': [
        it => gun.request(it, 'post', '/', [], ''),
        'post / HTTP/1.1\r\nhost: HOST\r\n\r\n',
      ],
      "somebody's own": [
        it => gun.request(it, "M-SEARCH!#$%&'*+.^_`|~09", '/', [], ''),
        "M-SEARCH!#$%&'*+.^_`|~09 / HTTP/1.1\r\nhost: HOST\r\n\r\n",
      ],
      'every character of a path': [
        it => gun.get(it, `/${String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i))}`),
        `GET /${String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i))} HTTP/1.1\r\nhost: HOST\r\n\r\n`,
      ],
    }),
  )

  onEachLine('headers in lower case, in their order, from each form', line => {
    const bytes = 'GET / HTTP/1.1\r\nhost: HOST\r\nx-b: 1\r\nx-a: two\r\nx-b: 3\r\n\r\n'
    function* generated(): Generator<readonly [string, string | number]> {
      yield ['x-B', 1]
      yield ['X-A', 'two']
      yield ['x-b', 3]
    }
    return assertSent(line, {
      pairs: [it => gun.get(it, '/', [...generated()]), bytes],
      'a Map': [it => gun.get(it, '/', new Map<string, string | number>(generated())), bytes],
      'anything that gives pairs': [it => gun.get(it, '/', generated()), bytes],
      'a record': [
        it => gun.get(it, '/', { 'X-A': 'two', 'x-b': ['1', '3'], 'x-none': [] }),
        'GET / HTTP/1.1\r\nhost: HOST\r\nx-a: two\r\nx-b: 1\r\nx-b: 3\r\n\r\n',
      ],
      Headers: [
        it => {
          const headers = new Headers({ 'X-B': '1', 'x-a': 'two' })
          headers.append('Set-Cookie', 'a=1')
          headers.append('set-cookie', 'b=2')
          headers.append('x-b', '3')
          return gun.get(it, '/', headers)
        },
        'GET / HTTP/1.1\r\nhost: HOST\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-a: two\r\nx-b: 1, 3\r\n\r\n',
      ],
    })
  })

  onEachLine('header values as they are, but for the whitespace around them', line =>
    assertSent(line, {
      numbers: [
        it => gun.get(it, '/', { a: 0, b: -1.5, c: 1e21 }),
        'GET / HTTP/1.1\r\nhost: HOST\r\na: 0\r\nb: -1.5\r\nc: 1e+21\r\n\r\n',
      ],
      'nothing at all': [
        it => gun.get(it, '/', { a: '', b: ' \t' }),
        'GET / HTTP/1.1\r\nhost: HOST\r\na: \r\nb: \r\n\r\n',
      ],
      whitespace: [
        it => gun.get(it, '/', { a: ' \tb \t c\t' }),
        'GET / HTTP/1.1\r\nhost: HOST\r\na: b \t c\r\n\r\n',
      ],
      'bytes beyond ASCII': [
        it => gun.get(it, '/', { a: 'é\xff' }),
        'GET / HTTP/1.1\r\nhost: HOST\r\na: \xe9\xff\r\n\r\n',
      ],
      'every character of a name': [
        it => gun.get(it, '/', { "!#$%&'*+-.^_`|~09AZ": 'a' }),
        "GET / HTTP/1.1\r\nhost: HOST\r\n!#$%&'*+-.^_`|~09az: a\r\n\r\n",
      ],
    }),
  )

  onEachLine("the caller's own host where there is one, and in its place", line =>
    assertSent(line, {
      'a host': [
        it => gun.get(it, '/', { a: 'b', Host: 'example.org' }),
        'GET / HTTP/1.1\r\na: b\r\nhost: example.org\r\n\r\n',
      ],
      'an empty host': [it => gun.get(it, '/', { host: '' }), 'GET / HTTP/1.1\r\nhost: \r\n\r\n'],
      'a host with headers': [
        it => {
          const streamRef = gun.headers(it, 'POST', '/', [['HOST', 'example.org:1']])
          gun.data(it, streamRef, 'fin', '')
          return streamRef
        },
        'POST / HTTP/1.1\r\nhost: example.org:1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
    }),
  )

  onEachLine('headers and the data that follow them', line => {
    const stream =
      (headers: gun.HeadersInit | undefined, ...parts: [gun.IsFin, gun.Bytes][]): Send =>
      connPid => {
        const streamRef = gun.headers(connPid, 'POST', '/', headers)
        for (const part of parts) gun.data(connPid, streamRef, ...part)
        return streamRef
      }
    const chunked = 'POST / HTTP/1.1\r\nhost: HOST\r\ntransfer-encoding: chunked\r\n\r\n'
    return assertSent(line, {
      'in chunks': [
        stream(undefined, ['nofin', 'abc'], ['fin', body]),
        `${chunked}3\r\nabc\r\n4\r\n\0\xff\r\n\r\n0\r\n\r\n`,
      ],
      'in chunks that are counted in bytes': [
        stream([], ['fin', 'é☃']),
        `${chunked}5\r\n\xc3\xa9\xe2\x98\x83\r\n0\r\n\r\n`,
      ],
      'in lists': [
        stream({}, ['nofin', ['a', body, '']], ['fin', []]),
        `${chunked}5\r\na\0\xff\r\n\r\n0\r\n\r\n`,
      ],
      'without the empty ones': [
        stream({}, ['nofin', ''], ['nofin', 'a'], ['nofin', new Uint8Array()], ['nofin', []], ['fin', 'b']),
        `${chunked}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`,
      ],
      'ended by nothing': [stream({}, ['nofin', 'a'], ['fin', '']), `${chunked}1\r\na\r\n0\r\n\r\n`],
      'nothing at all': [stream({}, ['fin', '']), `${chunked}0\r\n\r\n`],
      'in chunks, as the caller says': [
        stream({ a: 'b', 'Transfer-Encoding': 'Chunked', c: 'd' }, ['fin', 'a']),
        'POST / HTTP/1.1\r\nhost: HOST\r\na: b\r\ntransfer-encoding: Chunked\r\nc: d\r\n\r\n1\r\na\r\n0\r\n\r\n',
      ],
      'of a known length': [
        stream({ 'Content-Length': 7 }, ['nofin', 'é'], ['nofin', ''], ['nofin', body], ['fin', ['a', '']]),
        'POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 7\r\n\r\n\xc3\xa9\0\xff\r\na',
      ],
      'of no length': [
        stream({ 'Content-Length': 0 }, ['fin', '']),
        'POST / HTTP/1.1\r\nhost: HOST\r\ncontent-length: 0\r\n\r\n',
      ],
      'large ones': [
        stream({}, ['nofin', 'a'.repeat(100_000)], ['fin', 'b'.repeat(65_536)]),
        `${chunked}186a0\r\n${'a'.repeat(100_000)}\r\n10000\r\n${'b'.repeat(65_536)}\r\n0\r\n\r\n`,
      ],
    })
  })

  onEachTransport('HTTP/1.0, when that was asked for', async transport => {
    const opts: gun.Opts = { httpOpts: { version: 'HTTP/1.0' } }
    await using server = await origin(
      async peer => {
        const bytes = `POST / HTTP/1.0\r\nhost: ${hostOf(server)}\r\ncontent-length: 1\r\n\r\na`
        assert.equal(String(await peer.receive(bytes.length)), bytes)
        await peer.send(NO_CONTENT)
        assert.equal((await peer.receiveAll()).length, 0)
      },
      { transport },
    )
    await using client = await connect(server, transport, opts)
    const { connPid } = client
    assert.equal((await receiveError(client, gun.headers(connPid, 'POST', '/'))).code, 'not_supported')
    assert.deepEqual(await collect(client, gun.request(connPid, 'POST', '/', [], 'a')), noContent)
    gun.close(connPid)
    await server.finished()
  })
})

test('a host that is an IPv6 address is in brackets', async t => {
  await using _left = assertNothingLeft()
  const seen = defer<string | undefined>()
  const listening = await origin(
    async peer => {
      seen.resolve((await peer.receiveRequest()).header('host'))
      await peer.send(NO_CONTENT)
    },
    { host: '::1' },
  ).catch((error: Error) => error)
  if (listening instanceof Error) return t.skip(`no IPv6 here: ${listening.message}`)
  await using server = listening
  await using client = await connect(server)
  assert.deepEqual(await collect(client, gun.get(client.connPid, '/')), noContent)
  assert.equal(await seen.promise, `[::1]:${server.port}`)
})

/** An address of loopback that no other process of this kind listens on, since a well-known port cannot be chosen. */
const ownAddress = [127, 1 + (process.pid >> 16), (process.pid >> 8) & 255, process.pid & 255].join('.')

for (const version of versions) {
  for (const [transport, port, isLeftOut] of [
    ['tcp', 80, true],
    ['tls', 443, true],
    ['tcp', 443, false],
    ['tls', 80, false],
  ] as const) {
    const line = { version, transport }
    test(`the host ${isLeftOut ? 'leaves out' : 'has'} port ${port}, over ${lineName(line)}`, async t => {
      await using _left = assertNothingLeft()
      const asked = defer<string>()
      const listening = await httpOrigin(
        line,
        async peer => {
          asked.resolve((await peer.serve(NOTHING)).authority)
        },
        { host: ownAddress, port },
      ).catch((error: Error) => error)
      if (listening instanceof Error) return t.skip(`no server can listen there: ${listening.message}`)
      await using server = listening
      // The certificate names no such address.
      const tlsOpts = { ca: certificates.ca, servername: 'localhost' }
      await using client = await connect(server, line, { transport, tlsOpts })
      assert.deepEqual(await collect(client, gun.get(client.connPid, '/')), noContent)
      assert.equal(await asked.promise, isLeftOut ? ownAddress : `${ownAddress}:${port}`)
    })
  }
}

describe('what may not be sent throws and names its argument, and nothing is sent', () => {
  const controls = [...Array(32).keys(), 0x7f].map(code => String.fromCharCode(code))
  const hex = (text: string): string => Buffer.from(text).toString('hex')
  const smuggled = '\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'
  const wrong: [name: string, message: RegExp, send: (connPid: gun.ConnPid) => unknown][] = []
  const refuse = (name: string, message: RegExp, send: (connPid: gun.ConnPid) => unknown): void => {
    wrong.push([name, message, send])
  }

  const inMethod = [...controls, ' ', '\x80', 'é', '☃', ':', '/', '"', '(', smuggled]
  for (const text of inMethod) {
    for (const method of [`GET${text}`, `${text}GET`, `G${text}ET`]) {
      refuse(`the method of request with ${hex(text)}`, /^method must be a token/, it =>
        gun.request(it, method, '/', [], ''),
      )
      refuse(`the method of headers with ${hex(text)}`, /^method must be a token/, it =>
        gun.headers(it, method, '/'),
      )
    }
  }
  for (const method of ['', undefined, null, 1, ['GET']]) {
    refuse(`the method ${method}`, /^method must be a token/, it =>
      gun.request(it, method as string, '/', [], ''),
    )
  }

  const inPath = [...controls, ' ', '\x80', '\xa0', 'é', '☃', ' HTTP/1.1', smuggled]
  for (const text of inPath) {
    for (const path of [`/${text}`, `${text}/`, `/a${text}b`]) {
      for (const [name, send] of Object.entries({
        get: (it: gun.ConnPid) => gun.get(it, path),
        head: (it: gun.ConnPid) => gun.head(it, path),
        request: (it: gun.ConnPid) => gun.request(it, 'POST', path, [], ''),
        headers: (it: gun.ConnPid) => gun.headers(it, 'POST', path),
        wsUpgrade: (it: gun.ConnPid) => gun.wsUpgrade(it, path),
      })) {
        refuse(`the path of ${name} with ${hex(text)}`, /^path must be a non-empty string/, send)
      }
    }
  }
  for (const path of ['', undefined, null, 1, ['/']]) {
    refuse(`the path ${path}`, /^path must be a non-empty string/, it => gun.get(it, path as string))
  }

  for (const text of [...controls, ' ', '\x80', 'é', '☃', ':', '"', '(', ',', '@', smuggled]) {
    for (const name of [`x${text}`, `${text}x`, `x${text}y`]) {
      refuse(`a header name with ${hex(text)}`, /^headers: .* is not a header name/s, it =>
        gun.get(it, '/', [[name, 'a']]),
      )
      refuse(`a header name in a record with ${hex(text)}`, /^headers: .* is not a header name/s, it =>
        gun.headers(it, 'POST', '/', { [name]: 'a' }),
      )
    }
  }
  refuse('an empty header name', /^headers: '' is not a header name/, it => gun.get(it, '/', { '': 'a' }))
  refuse('a pseudo-header', /^headers: ':path' is not a header name/, it =>
    gun.get(it, '/', { ':path': '/' }),
  )

  const inValue = [...controls.filter(text => text !== '\t'), '\u0100', '☃', '\u2028', smuggled]
  for (const text of inValue) {
    for (const value of [`a${text}`, `${text}a`, `a${text}b`, text]) {
      for (const [form, headers] of Object.entries<gun.HeadersInit>({
        pairs: [['X-A', value]],
        'a record': { 'X-A': value },
        'a record with a list': { 'X-A': ['a', value] },
        'a Map': new Map([['X-A', value]]),
      })) {
        refuse(`a header value in ${form} with ${hex(text)}`, /^headers: the value of X-A has /, it =>
          gun.request(it, 'POST', '/', headers, ''),
        )
      }
      refuse(`a host with ${hex(text)}`, /^headers: the value of host has /, it =>
        gun.get(it, '/', { host: value }),
      )
      refuse(`a header value of wsUpgrade with ${hex(text)}`, /^headers: the value of x has /, it =>
        gun.wsUpgrade(it, '/', { x: value }),
      )
    }
  }
  for (const value of [undefined, null, true, {}, Buffer.from('a'), 1n]) {
    refuse(`a header value that is ${value}`, /^headers: the value of x is .*; (leave|give) /s, it =>
      gun.get(it, '/', [['x', value as string]]),
    )
  }
  refuse('host twice', /^headers: host is given twice/, it =>
    gun.get(it, '/', [
      ['host', 'a'],
      ['Host', 'a'],
    ]),
  )
  for (const headers of ['x: y', 1, null, ['x', 'y'], [['x']], [['x', 'y', 'z']]]) {
    refuse(`the headers ${JSON.stringify(headers)}`, /^headers(:| must be)/, it =>
      gun.get(it, '/', headers as gun.HeadersInit),
    )
  }

  for (const length of [
    '4',
    '6',
    '+5',
    '-5',
    '0x5',
    '5.0',
    '5e0',
    '',
    '5, 5',
    '5 5',
    '9'.repeat(16),
    4,
    5.5,
    Number.NaN,
  ]) {
    refuse(`the content-length ${length}`, /^headers: content-length /, it =>
      gun.request(it, 'POST', '/', { 'content-length': length }, 'Hello'),
    )
  }
  refuse('two content-lengths', /^headers: content-length /, it =>
    gun.request(it, 'POST', '/', { 'content-length': [5, 5].map(String) }, 'Hello'),
  )
  refuse('a content-length with chunks', /^headers: content-length and transfer-encoding/, it =>
    gun.headers(it, 'POST', '/', { 'content-length': 5, 'transfer-encoding': 'chunked' }),
  )
  for (const coding of [
    'gzip',
    'identity',
    'chunked, chunked',
    'gzip, chunked',
    'chunked;q=1',
    'xchunked',
    '',
  ]) {
    refuse(`the transfer-encoding ${coding}`, /^headers: transfer-encoding can only be chunked/, it =>
      gun.headers(it, 'POST', '/', { 'transfer-encoding': coding }),
    )
  }
  for (const body of [undefined, null, 1, {}, [1], new ArrayBuffer(1)]) {
    refuse('a body that is no bytes', /^body must be /, it =>
      gun.request(it, 'POST', '/', [], body as string),
    )
  }

  onEachLine('each of them', async line => {
    await using server = await httpOrigin(line, async peer => {
      const { method, path, authority, fields } = await peer.serve(NOTHING)
      assert.deepEqual([method, path, authority, fields], ['GET', '/good', hostOf(server), []])
      await peer.nothingMore()
    })
    await using client = await connect(server, line)
    const { owner, connPid } = client
    for (const [name, message, send] of wrong) {
      assert.throws(() => send(connPid), { name: 'TypeError', message }, name)
    }
    const streamRef = gun.get(connPid, '/good')
    assert.throws(() => gun.data(connPid, streamRef, 'fin', 42 as unknown as string), {
      name: 'TypeError',
      message: /^chunk must be /,
    })
    assert.throws(() => gun.data(connPid, streamRef, 'end' as 'fin', ''), { message: /^isFin must be / })
    assert.throws(() => gun.data(connPid, {} as gun.StreamRef, 'fin', ''), { message: /^streamRef must be / })
    assert.throws(() => gun.get({} as gun.ConnPid, '/'), { message: /^connPid must be / })
    assert.throws(() => gun.get(undefined as unknown as gun.ConnPid, '/'), { message: /^connPid must be / })
    assert.deepEqual(await collect(client, streamRef), noContent)
    assert.equal(owner.messageQueueLength, 0)
    gun.close(connPid)
    await server.finished()
  })
})
