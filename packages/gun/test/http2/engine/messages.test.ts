import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as h2 from '../../../../../test/support/http2-frames.ts'
import { begun, head } from '../../support/engine.ts'

const end = { endStream: true }
type Fields = readonly (readonly [string, string])[]

/** Opens a stream with a method and gives frames on it. */
function answer(method: string, ...frames: readonly Uint8Array[]): string[] {
  const talk = begun()
  talk.open({ method }, method !== 'CONNECT')
  talk.written()
  const told = talk.give(...frames)
  const broken = told.map(line => line.match(/^broken 1 (\w+)/)?.[1]).find(code => code !== undefined)
  assert.deepEqual(talk.written(), broken === undefined ? [] : [`RST_STREAM of 1 ${broken}`])
  return told
}

const data = (body: string, options = {}) => h2.data(1, body, options)
const trailers = (...fields: Fields) => h2.headers(1, fields, end)
const broken = 'broken 1 PROTOCOL_ERROR'
const brokenHead = 'broken 1 PROTOCOL_ERROR by a head'

/** For a method's response: the length that it states, the bytes that come, and the values behind the head; `undefined`: the head is wrong. */
const lengths: readonly (readonly [
  name: string,
  method: string,
  status: number,
  length: number | undefined,
  frames: readonly Uint8Array[] | 'ends',
  told: readonly string[] | undefined,
])[] = [
  ['a body that is as long as its head says', 'GET', 200, 3, [data('abc', end)], ['data 1 abc fin']],
  [
    'such a body in pieces',
    'GET',
    200,
    3,
    [data('a'), data(''), data('bc'), data('', end)],
    ['data 1 a', 'data 1 bc', 'data 1 fin'],
  ],
  [
    'padding that counts as no body',
    'GET',
    200,
    3,
    [data('abc', { padding: 9, endStream: true })],
    ['data 1 abc fin'],
  ],
  ['a byte too many', 'GET', 200, 3, [data('abcd')], [broken]],
  [
    'a byte too many in a frame of its own',
    'GET',
    200,
    3,
    [data('abc'), data('d', end)],
    ['data 1 abc', broken],
  ],
  ['a byte too few', 'GET', 200, 3, [data('ab', end)], ['data 1 ab', broken]],
  [
    'a byte too few, and an end of its own',
    'GET',
    200,
    3,
    [data('ab'), data('', end)],
    ['data 1 ab', broken],
  ],
  ['a byte too few, and trailers', 'GET', 200, 3, [data('ab'), trailers(['t', '1'])], ['data 1 ab', broken]],
  [
    'a whole body, and trailers',
    'GET',
    200,
    3,
    [data('abc'), trailers(['t', '1'])],
    ['data 1 abc', 'trailers 1 t=1'],
  ],
  ['a length, and nothing else', 'GET', 200, 3, 'ends', undefined],
  ['a length of none, and nothing else', 'GET', 200, 0, 'ends', []],
  ['a length of none, and an end', 'GET', 200, 0, [data('', end)], ['data 1 fin']],
  ['a length of none, and a byte', 'GET', 200, 0, [data('a', end)], [broken]],
  ['no length', 'GET', 200, undefined, [data('a'), data('', end)], ['data 1 a', 'data 1 fin']],
  ['no length, and no body', 'GET', 200, undefined, 'ends', []],
  ['no length, and trailers', 'GET', 200, undefined, [trailers(['t', '1'])], ['trailers 1 t=1']],
  ['a HEAD, whose length is that of a GET', 'HEAD', 200, 3, 'ends', []],
  ['a HEAD with an end of its own', 'HEAD', 200, 3, [data('', end)], ['data 1 fin']],
  ['a HEAD with a body', 'HEAD', 200, 3, [data('abc', end)], [broken]],
  ['a HEAD with a body and no length', 'HEAD', 200, undefined, [data('a')], [broken]],
  ['a 204 with a length', 'GET', 204, 3, 'ends', []],
  ['a 204 with a body', 'GET', 204, undefined, [data('a', end)], [broken]],
  ['a 304 with a length', 'GET', 304, 3, 'ends', []],
  ['a 304 with a length and an end', 'GET', 304, 3, [data('', end)], ['data 1 fin']],
  ['a 304 with a body', 'GET', 304, 3, [data('abc', end)], [broken]],
  [
    'a tunnel, which has no length',
    'CONNECT',
    200,
    3,
    [data('abcd'), data('e', end)],
    ['data 1 abcd', 'data 1 e fin'],
  ],
  ['a tunnel that ends at once', 'CONNECT', 299, 3, 'ends', []],
  ['a tunnel that is refused', 'CONNECT', 403, 3, [data('abc', end)], ['data 1 abc fin']],
  [
    'a tunnel that is refused with a byte too few',
    'CONNECT',
    300,
    3,
    [data('ab', end)],
    ['data 1 ab', broken],
  ],
]

describe('The length of a body', () => {
  for (const [name, method, status, length, frames, told] of lengths) {
    test(name, () => {
      const fields = { ':status': status, ...(length === undefined ? {} : { 'content-length': length }) }
      const isEnd = frames === 'ends'
      const first = head(1, fields, isEnd ? end : {})
      const said = length === undefined ? '' : ` content-length=${length}`
      const response = `response 1 ${status}${said}${isEnd ? ' fin' : ''}`
      const expected = told === undefined ? [brokenHead] : [response, ...told]
      assert.deepEqual(answer(method, first, ...(isEnd ? [] : frames)), expected)
    })
  }

  for (const value of ['', '-1', '+1', '1.0', '1e3', '0x1', '1,1', '1 1', 'one', '9'.repeat(16)]) {
    test(`is not ${JSON.stringify(value)}`, () => {
      assert.deepEqual(answer('GET', head(1, { 'content-length': value })), [brokenHead])
    })
  }

  test('is said once', () => {
    const twice: Fields = [
      [':status', '200'],
      ['content-length', '1'],
      ['content-length', '1'],
    ]
    assert.deepEqual(answer('GET', h2.headers(1, twice)), [brokenHead])
  })

  test('may be any number of 15 digits, with zeros in front', () => {
    const told = answer('GET', head(1, { 'content-length': '000000000000003' }), data('abc', end))
    assert.equal(told.at(-1), 'data 1 abc fin')
    assert.equal(
      answer('GET', head(1, { 'content-length': '9'.repeat(15) }), data('abc')).at(-1),
      'data 1 abc',
    )
  })
})

describe('The head of a response', () => {
  const ok: readonly Fields[] = [
    [[':status', '200']],
    [[':status', '999']],
    [
      [':status', '200'],
      ['a', ''],
      ['a', 'b'],
      ['cookie', 'x'],
      ['set-cookie', 'y'],
      ['te', 'trailers'],
    ],
    [
      [':status', '200'],
      ['a', 'inner blanks\tare fine \x7f\xff'],
    ],
  ]
  for (const fields of ok) {
    test(`may be ${JSON.stringify(fields)}`, () => {
      const listed = fields.slice(1).map(([name, value]) => ` ${name}=${value}`)
      const [, status] = fields[0] as readonly [string, string]
      assert.deepEqual(answer('GET', h2.headers(1, fields)), [`response 1 ${status}${listed.join('')}`])
    })
  }

  const wrong: readonly Fields[] = [
    [],
    [['a', 'b']],
    [
      ['a', 'b'],
      [':status', '200'],
    ],
    [
      [':status', '200'],
      [':status', '200'],
    ],
    [
      [':status', '200'],
      ['a', 'b'],
      [':status', '200'],
    ],
    ...['', '20', '2000', '2 0', '+20', '20x', '099', '000', '\xb2\xb2\xb2'].map(
      (status): Fields => [[':status', status]],
    ),
    ...[':path', ':method', ':scheme', ':authority', ':protocol', ':unknown', ':'].flatMap(
      (name): Fields[] => [
        [
          [':status', '200'],
          [name, '/'],
        ],
        [
          [name, '/'],
          [':status', '200'],
        ],
      ],
    ),
    ...['', 'A', 'aB', 'a b', 'a:', 'a\0', 'a\x7f', 'a\x80', '\xff', 'a(', 'a@', 'a"'].map(
      (name): Fields => [
        [':status', '200'],
        [name, 'x'],
      ],
    ),
    ...[' x', 'x ', '\tx', 'x\t', ' ', 'a\0b', 'a\rb', 'a\nb', '\0', '\r', '\n'].map(
      (value): Fields => [
        [':status', '200'],
        ['a', value],
      ],
    ),
    ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'].map(
      (name): Fields => [
        [':status', '200'],
        [name, 'close'],
      ],
    ),
  ]
  for (const fields of wrong) {
    test(`is not ${JSON.stringify(fields)}`, () => {
      assert.deepEqual(answer('GET', h2.headers(1, fields)), [brokenHead])
      assert.deepEqual(answer('GET', h2.headers(1, fields, end)), [brokenHead])
    })
  }

  test('is as large as is allowed, and not one byte larger', () => {
    const give = (size: number, isEnd: boolean) => {
      const talk = begun({ maxHeaderListSize: 200 })
      talk.open()
      // ':status' and '200' are 42 bytes, 'a' is 33 and its value.
      return talk.give(head(1, { a: 'x'.repeat(size - 75) }, { endStream: isEnd }))
    }
    for (const isEnd of [false, true]) {
      assert.match(give(200, isEnd)[0] ?? '', /^response 1 200/)
      assert.deepEqual(give(201, isEnd), ['broken 1 ENHANCE_YOUR_CALM by a head'])
    }
  })
})

describe('An interim response', () => {
  const inform = (status: number, options = {}) => head(1, { ':status': status, a: 'b' }, options)

  test('may come any number of times before the final one', () => {
    const told = answer('GET', inform(100), inform(103), inform(199), head(1))
    assert.deepEqual(told, ['inform 1 100 a=b', 'inform 1 103 a=b', 'inform 1 199 a=b', 'response 1 200'])
  })

  test('says nothing of the length of the body', () => {
    const early = head(1, { ':status': 103, 'content-length': 9 })
    assert.deepEqual(answer('GET', early, head(1, {}, end)), [
      'inform 1 103 content-length=9',
      'response 1 200 fin',
    ])
  })

  test('does not end its stream', () => {
    assert.deepEqual(answer('GET', inform(103, end)), [brokenHead])
    assert.deepEqual(answer('GET', inform(100), inform(100, end)), ['inform 1 100 a=b', brokenHead])
  })

  test('is not 101, which HTTP/2 has not', () => {
    assert.deepEqual(answer('GET', inform(101)), [brokenHead])
    assert.deepEqual(answer('CONNECT', inform(101, end)), [brokenHead])
  })

  test('has no DATA behind it', () => {
    assert.deepEqual(answer('GET', inform(103), data('x')), ['inform 1 103 a=b', broken])
  })

  test('does not come behind the final one', () => {
    assert.deepEqual(answer('GET', head(1), inform(103)), ['response 1 200', broken])
  })

  test('comes in front of a tunnel too', () => {
    assert.deepEqual(answer('CONNECT', inform(103), head(1), data('x')), [
      'inform 1 103 a=b',
      'response 1 200',
      'data 1 x',
    ])
  })
})

describe('Trailers', () => {
  const behind = (fields: Fields, options: h2.HeadersOptions = end) =>
    answer('GET', head(1), data('x'), h2.headers(1, fields, options)).slice(2)

  test('end the response', () => {
    assert.deepEqual(
      behind([
        ['a', 'b'],
        ['a', 'c'],
      ]),
      ['trailers 1 a=b a=c'],
    )
    assert.deepEqual(behind([]), ['trailers 1'])
    assert.deepEqual(behind([['content-length', '7']]), ['trailers 1 content-length=7'])
  })

  test('have an end', () => {
    assert.deepEqual(behind([['a', 'b']], {}), [broken])
  })

  for (const fields of [
    [[':status', '200']],
    [
      ['a', 'b'],
      [':path', '/'],
    ],
    [['A', 'b']],
    [['a', ' b']],
    [['connection', 'close']],
  ] as const) {
    test(`are not ${JSON.stringify(fields)}`, () => {
      assert.deepEqual(behind(fields), [broken])
    })
  }

  test('are as large as is allowed, and not one byte larger', () => {
    const give = (size: number) => {
      const talk = begun({ maxHeaderListSize: 100 })
      talk.open()
      return talk.give(head(1), h2.headers(1, [['a', 'x'.repeat(size - 33)]], end)).slice(1)
    }
    assert.match(give(100)[0] ?? '', /^trailers 1 a=x/)
    assert.deepEqual(give(101), ['broken 1 ENHANCE_YOUR_CALM'])
  })

  test('do not come out of a tunnel', () => {
    assert.deepEqual(answer('CONNECT', head(1), trailers(['a', 'b'])), ['response 1 200', broken])
  })
})

describe('A tunnel (RFC 9113 section 8.5 and RFC 8441)', () => {
  const push = h2.pushPromise(1, 2, [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
  ])

  test('pushes nothing', () => {
    const talk = begun()
    talk.open({ method: 'CONNECT', protocol: 'websocket' }, false)
    talk.written()
    assert.deepEqual(talk.give(head(1), push), ['response 1 200', broken])
    assert.deepEqual(talk.written(), ['RST_STREAM of 2 PROTOCOL_ERROR', 'RST_STREAM of 1 PROTOCOL_ERROR'])
  })

  test('carries bytes both ways, and ends each way by itself', () => {
    const talk = begun({}, { ENABLE_CONNECT_PROTOCOL: 1 })
    const stream = talk.open({ method: 'CONNECT', protocol: 'websocket' }, false)
    talk.give(head(1))
    talk.send(stream, 'to', false)
    assert.deepEqual(talk.give(data('from', end)), ['data 1 from fin'])
    talk.send(stream, 'more', true)
    assert.deepEqual(talk.written(), [
      'HEADERS of 1 :method=CONNECT :scheme=http :authority=a :path=/ :protocol=websocket',
      'DATA of 1 "to"',
      'DATA of 1 "more" END_STREAM',
    ])
    assert.equal(stream.isClosed, true)
  })

  test('is not whole when it is reset, whatever the code says', () => {
    const told = answer('CONNECT', head(1), data('x'), h2.rstStream(1, 0))
    assert.deepEqual(told, ['response 1 200', 'data 1 x', 'reset 1 NO_ERROR'])
  })
})

describe("The peer's RST_STREAM", () => {
  const { NO_ERROR, CANCEL } = h2.errorCodes

  test('without an error ends a response whose length it has, or has not said', () => {
    const said = head(1, { 'content-length': 1 })
    for (const first of [head(1), said]) {
      const told = answer('GET', first, data('x'), h2.rstStream(1, NO_ERROR))
      assert.equal(told.at(-1), 'reset 1 NO_ERROR whole')
      assert.equal(answer('GET', first, data('x'), h2.rstStream(1, CANCEL)).at(-1), 'reset 1 CANCEL')
    }
    assert.equal(answer('GET', said, h2.rstStream(1, NO_ERROR)).at(-1), 'reset 1 NO_ERROR')
    assert.equal(answer('GET', h2.rstStream(1, NO_ERROR)).at(-1), 'reset 1 NO_ERROR')
    assert.equal(answer('HEAD', said, h2.rstStream(1, NO_ERROR)).at(-1), 'reset 1 NO_ERROR whole')
  })

  test('behind a whole response wants no more of the request', () => {
    const talk = begun()
    const stream = talk.open({ method: 'POST' }, false)
    talk.send(stream, Buffer.alloc(100_000), true)
    talk.written()
    const told = talk.give(head(1, {}, end), h2.rstStream(1, NO_ERROR), h2.windowUpdate(0, 1000))
    assert.deepEqual(told, ['response 1 200 fin', 'reset 1 NO_ERROR whole'])
    assert.deepEqual(talk.written(), [])
    assert.equal(stream.queued, 0)
  })
})
