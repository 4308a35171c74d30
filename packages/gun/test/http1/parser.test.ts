import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { ResponseParser } from '../../src/http1/parser/parser.ts'
import { ResponseParseError, type ResponseValue } from '../../src/http1/parser/values.ts'
import type { Headers } from '../../src/words.ts'

type Request = string | readonly [method: string, upgrade: boolean]

interface Script {
  readonly requests?: readonly Request[]
  readonly bytes: string
  readonly finish?: boolean
  readonly limits?: { readonly maxHeaderBlockSize: number; readonly maxTrailerBlockSize: number }
}

interface Outcome {
  readonly events: readonly unknown[]
  readonly error: string | undefined
  readonly message: string | undefined
}

const roomy = { maxHeaderBlockSize: 65_536, maxTrailerBlockSize: 65_536 }
const ok = 'HTTP/1.1 200 OK\r\n'
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`

function start(script: Script): ResponseParser {
  const parser = new ResponseParser(script.limits ?? roomy)
  for (const request of script.requests ?? ['GET']) {
    if (typeof request === 'string') parser.expect(request)
    else parser.expect(...request)
  }
  return parser
}

/** Where a response starts has tests of its own. */
const isNotStart = ({ type }: ResponseValue) => type !== 'start'

interface Parsed {
  readonly events: ResponseValue[]
  readonly error: ResponseParseError | undefined
}

/** Takes all values that the parser has. */
function takeAll(parser: ResponseParser): Parsed {
  const events: ResponseValue[] = []
  for (let event = parser.next(); event !== undefined; event = parser.next()) events.push(event)
  return { events, error: parser.failure }
}

/** Takes all values of one chunk. */
function push(parser: ResponseParser, chunk: Buffer): Parsed {
  parser.push(chunk)
  return takeAll(parser)
}

/** Takes the values at the end of the input. */
function end(parser: ResponseParser): Parsed {
  parser.end()
  return takeAll(parser)
}

/** What a chunk says, without where a response starts. */
function execute(parser: ResponseParser, chunk: Buffer): Parsed {
  const { events, error } = push(parser, chunk)
  return { events: events.filter(isNotStart), error }
}

function feed(script: Script, chunks: readonly Buffer[]): Outcome {
  const parser = start(script)
  const events: ResponseValue[] = []
  let error: ResponseParseError | undefined
  let rest = ''
  let upgraded = false
  const take = (parsed: Parsed) => {
    // Copied, so that an event that changes after it was handed out is noticed.
    events.push(...parsed.events.filter(isNotStart).map(event => ({ ...event })))
    error ??= parsed.error
    upgraded ||= parsed.events.some(event => event.type === 'upgrade')
  }
  for (const chunk of chunks) {
    // What comes after an upgrade belongs to another protocol; the caller takes it from then on.
    if (upgraded) rest += chunk.toString('latin1')
    else take(push(parser, chunk))
  }
  if (script.finish) take(end(parser))
  return { events: join(events, rest), error: error?.code, message: error?.message }
}

/** Body chunks put together, since where they part depends on the chunks of the input. */
function join(events: readonly ResponseValue[], rest: string): unknown[] {
  const joined: unknown[] = []
  let body: { type: 'data'; data: string; isFin: boolean } | undefined
  for (const event of events) {
    if (event.type !== 'data') {
      body = undefined
      joined.push(event.type === 'upgrade' ? { ...event, rest: event.rest.toString('latin1') + rest } : event)
      continue
    }
    assert.notEqual(body?.isFin, true, 'no data follows the last data of a body')
    if (body === undefined) {
      body = { type: 'data', data: '', isFin: false }
      joined.push(body)
    }
    body.data += event.data.toString('latin1')
    body.isFin = event.isFin
  }
  return joined
}

/** The outcome of a script, which must not depend on how its bytes are split. */
function outcome(script: Script): Outcome {
  const bytes = Buffer.from(script.bytes, 'latin1')
  const whole = feed(script, [bytes])
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
  assert.deepEqual(feed(script, single), whole, 'byte by byte')
  for (let at = 0; at <= bytes.length; at++) {
    const split = [bytes.subarray(0, at), bytes.subarray(at)]
    assert.deepEqual(feed(script, split), whole, `split at ${at}`)
  }
  return whole
}

function events(script: Script): readonly unknown[] {
  const { events, error, message } = outcome(script)
  assert.equal(error, undefined, message)
  return events
}

function refused(script: Script, message: RegExp, code = 'protocol_error'): readonly unknown[] {
  const result = outcome(script)
  assert.equal(result.error, code, `${JSON.stringify(script.bytes)} gave ${JSON.stringify(result)}`)
  assert.match(result.message ?? '', message)
  return result.events
}

function response(status: number, headers: Headers, isFin: boolean, keepAlive = true) {
  const stated = headers.find(([name]) => name === 'content-length')?.[1]
  const length = stated === undefined || (isFin && Number(stated) !== 0) ? undefined : Number(stated)
  return { type: 'response', status, headers, isFin, keepAlive, length }
}

function data(text: string, isFin = true) {
  return { type: 'data', data: text, isFin }
}

function keepAliveOf(bytes: string, request: Request = 'GET'): unknown {
  const [event] = events({ requests: [request], bytes })
  assert(typeof event === 'object' && event !== null && 'keepAlive' in event)
  return event.keepAlive
}

test('a body with content-length ends with its last chunk', () => {
  assert.deepEqual(events({ bytes: `${ok}Content-Length: 5\r\n\r\nhello` }), [
    response(200, [['content-length', '5']], false),
    data('hello'),
  ])
})

test('the last data of a body says so itself', () => {
  const parser = start({ bytes: '' })
  const body = Buffer.from('hello')
  execute(parser, Buffer.from(`${ok}Content-Length: 5\r\n\r\n`))
  assert.deepEqual(execute(parser, body.subarray(0, 2)).events, [
    { type: 'data', data: Buffer.from('he'), isFin: false },
  ])
  const [last] = execute(parser, body.subarray(2)).events
  assert.deepEqual(last, { type: 'data', data: Buffer.from('llo'), isFin: true })
})

test('body data is a view of the chunk and not a copy', () => {
  const parser = start({ bytes: '' })
  const chunk = Buffer.from(`${ok}Content-Length: 5\r\n\r\nhello`)
  const event = execute(parser, chunk).events[1]
  assert(event?.type === 'data')
  assert.equal(event.data.buffer, chunk.buffer)
  assert.equal(event.data.byteOffset, chunk.byteOffset + chunk.length - 5)
})

test('headers keep their order and duplicates, in lower case and trimmed', () => {
  const bytes = `${ok}Set-Cookie:a=1\r\nX-Empty:\r\nX-Blank:  \t \r\nSET-COOKIE: \t b = 2 \t\r\nX-Latin: \xe9\xa0\r\nContent-Length: 0\r\n\r\n`
  const headers: Headers = [
    ['set-cookie', 'a=1'],
    ['x-empty', ''],
    ['x-blank', ''],
    ['set-cookie', 'b = 2'],
    ['x-latin', '\xe9\xa0'],
    ['content-length', '0'],
  ]
  assert.deepEqual(events({ bytes }), [response(200, headers, true)])
})

test('a folded line is joined to the value by one space (RFC 9112 section 5.2)', () => {
  for (const [lines, value] of [
    ['X: a\r\n b', 'a b'],
    ['X: a\r\n\tb', 'a b'],
    ['X: a \t\r\n \t b \t', 'a b'],
    ['X:\r\n b', 'b'],
    ['X: a\r\n ', 'a'],
    ['X: a\r\n \r\n\tb', 'a b'],
    ['X: a\r\n Content-Length: 5', 'a Content-Length: 5'],
  ] as const) {
    const headers: Headers = [
      ['x', value],
      ['content-length', '0'],
    ]
    assert.deepEqual(events({ bytes: `${ok}${lines}\r\nContent-Length: 0\r\n\r\n` }), [
      response(200, headers, true),
    ])
    assert.deepEqual(events({ bytes: `${chunked}0\r\n${lines}\r\n\r\n` }).at(-1), {
      type: 'trailers',
      headers: [['x', value]],
    })
  }
  assert.equal(keepAliveOf(`${ok}Connection: x,\r\n close\r\nContent-Length: 0\r\n\r\n`), false)
  refused({ bytes: `${chunked}0\r\n X: y\r\n\r\n` }, /space/)
})

test('any character but NUL, CR and LF is kept in a field value (RFC 9110 section 5.5)', () => {
  for (let code = 1; code <= 255; code++) {
    const character = String.fromCharCode(code)
    if (character === '\r' || character === '\n') continue
    const headers: Headers = [['x', `a${character}b`]]
    assert.deepEqual(
      events({ bytes: `${ok}X: a${character}b\r\n\r\n` })[0],
      response(200, headers, false, false),
    )
  }
})

test('blanks around a content-length do not count (RFC 9110 section 5.5)', () => {
  for (const blanks of ['', ' ', '\t', ' \t ', '\t\t']) {
    const bytes = `${ok}Content-Length:${blanks}2${blanks}\r\n\r\nhi`
    assert.deepEqual(events({ bytes }), [response(200, [['content-length', '2']], false), data('hi')])
  }
})

test('blanks behind the size of a chunk, and around its extensions, do not count (RFC 9112 section 7.1.1)', () => {
  const extensions = [' ', '\t', '   ', ' ;a', '\t;\ta', ' ; a = b', ' ; a = "b ; c" ; d ', ';a=b ', ';a ']
  for (const extension of extensions) {
    const bytes = `${chunked}2${extension}\r\nhi\r\n0${extension}\r\n\r\n`
    assert.deepEqual(events({ bytes }).at(-1), data('hi'), extension)
  }
  for (const extension of [' 2', ' a', ';', '; ', ';;', ';a;', ';a b', ';a="b', ';a="b"c', ';=b', ' ;\x01']) {
    refused({ bytes: `${chunked}2${extension}\r\nhi\r\n0\r\n\r\n` }, /Invalid character in chunk/)
  }
})

test('a content-length of zero leaves no body to wait for', () => {
  for (const zero of ['0', '000']) {
    assert.deepEqual(events({ bytes: `${ok}Content-Length: ${zero}\r\n\r\n` }), [
      response(200, [['content-length', zero]], true),
    ])
  }
})

test('a status line may lack its reason', () => {
  for (const line of ['HTTP/1.1 204', 'HTTP/1.1 204 ', 'HTTP/1.1 204 No Content\t\xe9']) {
    assert.deepEqual(events({ bytes: `${line}\r\n\r\n` }), [response(204, [], true)])
    assert.deepEqual(events({ bytes: `${line}\r\na: b\r\n\r\n` }), [response(204, [['a', 'b']], true)])
  }
})

const te: Headers = [['transfer-encoding', 'chunked']]

test('a chunked body is joined from its chunks, extensions aside', () => {
  const bytes = `${chunked}5\r\nhello\r\n006;a=b;c="d\\"e"\r\n world\r\n0;last\r\n\r\n`
  assert.deepEqual(events({ bytes }), [response(200, te, false), data('hello world')])
})

test('a chunked body whose end comes later yields an empty last data', () => {
  const parser = start({ bytes: '' })
  assert.deepEqual(execute(parser, Buffer.from(`${chunked}5\r\nhello`)).events.length, 2)
  assert.deepEqual(execute(parser, Buffer.from('\r\n0\r\n\r\n')).events, [
    { type: 'data', data: Buffer.alloc(0), isFin: true },
  ])
})

test('a chunked body without bytes yields one empty last data', () => {
  assert.deepEqual(events({ bytes: `${chunked}0\r\n\r\n` }), [response(200, te, false), data('')])
})

test('trailers end the response in place of data', () => {
  const trailers = {
    type: 'trailers',
    headers: [
      ['x-sum', '1'],
      ['connection', 'close'],
    ],
  }
  const end = '0\r\nX-Sum: 1\r\nConnection: close\r\n\r\n'
  const next = 'HTTP/1.1 204 No Content\r\n\r\n'
  const script = { requests: ['GET', 'GET'], bytes: `${chunked}2\r\nhi\r\n${end}${next}` }
  const last = response(204, [], true)
  assert.deepEqual(events(script), [response(200, te, false), data('hi', false), trailers, last])
  assert.deepEqual(events({ ...script, bytes: chunked + end + next }), [
    response(200, te, false),
    trailers,
    last,
  ])
})

test('trailers that look like framing change nothing', () => {
  for (const field of ['Transfer-Encoding: gzip', 'Upgrade: x\r\nConnection: upgrade']) {
    const script = {
      requests: ['GET', 'GET'],
      bytes: `${chunked}0\r\n${field}\r\n\r\nHTTP/1.1 204 x\r\n\r\n`,
    }
    assert.deepEqual(events(script).at(-1), response(204, [], true))
  }
  refused({ bytes: `${chunked}0\r\nContent-Length: 5\r\n\r\n` }, /Content-Length/)
})

test('a body without framing lasts until the connection ends', () => {
  const script = { bytes: `${ok}\r\nhello`, finish: true }
  assert.deepEqual(events(script), [response(200, [], false, false), data('hello')])
  assert.deepEqual(events({ ...script, finish: false }), [
    response(200, [], false, false),
    data('hello', false),
  ])
  assert.deepEqual(events({ ...script, bytes: `${ok}\r\n` }), [response(200, [], false, false), data('')])
})

test('finish ends a body with data of its own and leaves what was handed out alone', () => {
  const parser = start({ bytes: '' })
  const { events } = execute(parser, Buffer.from(`${ok}\r\nhello`))
  const last = { type: 'data', data: Buffer.alloc(0), isFin: true }
  assert.deepEqual(end(parser), { events: [last], error: undefined })
  assert.deepEqual(events[1], { type: 'data', data: Buffer.from('hello'), isFin: false })
  assert.deepEqual(end(parser), { events: [], error: undefined })
})

test('a transfer-encoding that does not end in chunked lasts until the connection ends', () => {
  for (const value of [
    'gzip',
    'identity',
    'chunked, gzip',
    'chunked\r\nTransfer-Encoding: gzip',
    'gzip;q=1',
  ]) {
    const bytes = `${ok}Transfer-Encoding: ${value}\r\n\r\n5\r\nhello`
    const [head, ...body] = events({ bytes, finish: true })
    assert.deepEqual({ ...Object(head), headers: [] }, response(200, [], false, false))
    assert.deepEqual(body, [data('5\r\nhello')])
  }
})

test('chunked as the last coding is decoded, however it is spelled', () => {
  const spellings = [
    'CHUNKED',
    'gzip, chunked',
    'gzip\t,\tchunked ',
    'x\r\nTransfer-Encoding: chunked',
    ',chunked',
  ]
  for (const value of spellings) {
    const bytes = `${ok}Transfer-Encoding: ${value}\r\n\r\n2\r\nhi\r\n0\r\n\r\n`
    assert.deepEqual(events({ bytes }).at(-1), data('hi'))
  }
})

test('responses without a body have none whatever their headers say', () => {
  const next = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
  const framings = [
    '',
    'Content-Length: 9\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip\r\n',
  ]
  for (const framing of framings) {
    for (const [method, status] of [
      ['HEAD', 200],
      ['HEAD', 404],
      ['GET', 204],
      ['GET', 304],
      ['CONNECT', 200],
    ] as const) {
      const bytes = `HTTP/1.1 ${status} x\r\n${framing}\r\n${next}`
      const [head, ...more] = events({ requests: [method, 'GET'], bytes })
      assert.deepEqual({ ...Object(head), headers: [] }, response(status, [], true))
      assert.deepEqual(more, [response(200, [['content-length', '2']], false), data('hi')])
    }
  }
})

test('pipelined responses in one chunk answer their requests in order', () => {
  const script = {
    requests: ['HEAD', 'GET', 'HEAD', 'GET', 'GET'],
    bytes:
      `${ok}Content-Length: 5\r\n\r\n` +
      `${ok}Content-Length: 2\r\n\r\nab` +
      chunked +
      `${chunked}1\r\nc\r\n0\r\n\r\n\r\n` +
      'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n',
  }
  assert.deepEqual(events(script), [
    response(200, [['content-length', '5']], true),
    response(200, [['content-length', '2']], false),
    data('ab'),
    response(200, te, true),
    response(200, te, false),
    data('c'),
    response(404, [['content-length', '0']], true),
  ])
})

test('interim responses leave the request waiting', () => {
  const interim =
    'HTTP/1.1 100 Continue\r\n\r\n' +
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\nConnection: close\r\n\r\n' +
    'HTTP/1.1 102 x\r\nTransfer-Encoding: chunked\r\n\r\n'
  const found = events({ bytes: `${interim}${ok}Content-Length: 0\r\n\r\n` })
  assert.deepEqual(
    found.map(event => [Object(event).type, Object(event).status]),
    [
      ['inform', 100],
      ['inform', 103],
      ['inform', 102],
      ['response', 200],
    ],
  )
  assert.deepEqual(found.at(-1), response(200, [['content-length', '0']], true))
  assert.equal(events({ bytes: interim, finish: true }).length, 3)
})

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

test('an expected 101 ends the parsing and hands over the bytes after it', () => {
  const headers = [
    ['connection', 'Upgrade'],
    ['upgrade', 'websocket'],
  ]
  for (const rest of ['', '\x81\x02hi', '\r\n', ok]) {
    const script: Script = { requests: [['GET', true]], bytes: switching + rest }
    assert.deepEqual(events(script), [{ type: 'upgrade', status: 101, headers, rest }])
  }
  const bare: Script = { requests: [['GET', true]], bytes: 'HTTP/1.1 101\r\nContent-Length: 2\r\n\r\nhi' }
  assert.deepEqual(events(bare), [
    { type: 'upgrade', status: 101, headers: [['content-length', '2']], rest: 'hi' },
  ])
})

test('after an upgrade the parser gives nothing more', () => {
  const parser = start({ requests: [['GET', true]], bytes: '' })
  assert.equal(execute(parser, Buffer.from(switching)).events.length, 1)
  assert.deepEqual(execute(parser, Buffer.from(ok)), { events: [], error: undefined })
  assert.deepEqual(end(parser), { events: [], error: undefined })
})

test('a 101 after an interim and pipelined responses is found too', () => {
  const bytes = `HTTP/1.1 204 x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${switching}hi`
  const script: Script = { requests: ['GET', ['GET', true]], bytes }
  assert.deepEqual(
    events(script).map(event => Object(event).type),
    ['response', 'inform', 'upgrade'],
  )
})

test('a 101 that no request asked for is refused', () => {
  refused({ bytes: switching }, /asked for no upgrade/)
  refused({ requests: [['CONNECT', true]], bytes: switching }, /asked for no upgrade/)
  refused({ requests: [], bytes: switching }, /no request asked for/)
})

test('a refused upgrade is an ordinary response and parsing goes on', () => {
  const bytes = `HTTP/1.1 426 x\r\nUpgrade: a\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nno${ok}Content-Length: 0\r\n\r\n`
  const found = events({ requests: [['GET', true], 'GET'], bytes })
  assert.deepEqual(
    found.map(event => Object(event).status),
    [426, undefined, 200],
  )
  assert.deepEqual(found[1], data('no'))
})

test('a 2xx to CONNECT opens the tunnel when it was expected to', () => {
  const bytes = 'HTTP/1.0 200 Connection established\r\nContent-Length: 3\r\n\r\n\x16\x03\x01'
  assert.deepEqual(events({ requests: [['CONNECT', true]], bytes }), [
    { type: 'upgrade', status: 200, headers: [['content-length', '3']], rest: '\x16\x03\x01' },
  ])
  const denied = 'HTTP/1.1 407 x\r\nContent-Length: 2\r\n\r\nno'
  assert.deepEqual(events({ requests: [['CONNECT', true]], bytes: denied }), [
    response(407, [['content-length', '2']], false),
    data('no'),
  ])
})

test('a response that no request asked for is refused', () => {
  refused({ requests: [], bytes: `${ok}\r\n` }, /no request asked for/)
  refused({ requests: [], bytes: 'HTTP/1.1 100 Continue\r\n\r\n' }, /no request asked for/)
  const found = refused(
    { bytes: `${ok}Content-Length: 1\r\n\r\naHTTP/1.1 408 x\r\n\r\n` },
    /no request asked for/,
  )
  assert.deepEqual(found, [response(200, [['content-length', '1']], false), data('a')])
})

test('keepAlive follows the version and the connection options', () => {
  const sized = (version: string, connection: string) =>
    `HTTP/${version} 200 OK\r\n${connection === '' ? '' : `Connection: ${connection}\r\n`}Content-Length: 0\r\n\r\n`
  assert.equal(keepAliveOf(sized('1.1', '')), true)
  assert.equal(keepAliveOf(sized('1.1', 'Keep-Alive')), true)
  assert.equal(keepAliveOf(sized('1.1', 'closed')), true)
  assert.equal(keepAliveOf(sized('1.0', '')), false)
  assert.equal(keepAliveOf(sized('1.0', 'keep-alive')), true)
  assert.equal(keepAliveOf(sized('1.0', 'x, Keep-Alive')), true)
  for (const close of ['close', 'CLOSE', 'x, close', 'close, x', 'x\r\nConnection: close', 'close\t']) {
    assert.equal(keepAliveOf(sized('1.1', close)), false)
    assert.equal(keepAliveOf(sized('1.0', `keep-alive, ${close}`)), false)
  }
  assert.equal(keepAliveOf(`${ok}\r\n`), false)
  assert.equal(keepAliveOf(`${ok}\r\n`, 'HEAD'), true)
  assert.equal(
    keepAliveOf('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n'),
    false,
  )
})

test('bytes after a response that ends the connection are refused', () => {
  const closing = `${ok}Connection: close\r\nContent-Length: 1\r\n\r\na`
  const requests = ['GET', 'GET']
  assert.equal(events({ requests, bytes: closing, finish: true }).length, 2)
  assert.equal(events({ requests, bytes: `${closing}\r\n`, finish: true }).length, 2)
  assert.equal(refused({ requests, bytes: `${closing}${ok}` }, /ended the connection/).length, 2)
  assert.equal(refused({ requests, bytes: `HTTP/1.0 204 x\r\n\r\n${ok}` }, /ended the connection/).length, 1)
})

test('the end of the input within a response is told as closed', () => {
  const truncated = [
    'H',
    ok,
    `${ok}Content-Le`,
    `${ok}Content-Length: 5\r\n\r\n`,
    `${ok}Content-Length: 5\r\n\r\nhell`,
  ]
  const within = [
    chunked,
    `${chunked}5\r\nhel`,
    `${chunked}5\r\nhello\r\n0\r\n`,
    `${chunked}0\r\nX-Sum: 1\r\n`,
  ]
  for (const bytes of [...truncated, ...within]) {
    refused({ bytes, finish: true }, /closed within the (head|body|trailers)/, 'closed')
  }
})

test('the end of the input between responses means nothing', () => {
  assert.deepEqual(events({ requests: [], bytes: '', finish: true }), [])
  assert.deepEqual(events({ bytes: '', finish: true }), [])
  assert.equal(events({ bytes: `${ok}Content-Length: 1\r\n\r\na\r\n`, finish: true }).length, 2)
})

const smuggling: readonly (readonly [why: string, bytes: string, message: RegExp])[] = [
  [
    'content-length with transfer-encoding',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    /present/,
  ],
  [
    'transfer-encoding with content-length',
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n',
    /present/,
  ],
  ['another coding with content-length', 'Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\n', /present/],
  ['differing content-lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\n', /Content-Length/],
  ['equal content-lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\n', /Content-Length/],
  ['a list of content-lengths', 'Content-Length: 5, 5\r\n\r\n', /Content-Length/],
  ['a content-length with a plus', 'Content-Length: +5\r\n\r\n', /Content-Length/],
  ['a negative content-length', 'Content-Length: -5\r\n\r\n', /Content-Length/],
  ['a hexadecimal content-length', 'Content-Length: 0x5\r\n\r\n', /Content-Length/],
  ['a content-length with a gap', 'Content-Length: 5 5\r\n\r\n', /Content-Length/],
  ['an empty content-length', 'Content-Length:\r\n\r\n', /Content-Length/],
  ['a content-length beyond 64 bits', 'Content-Length: 18446744073709551616\r\n\r\n', /overflow/],
  ['a space before the colon', 'Content-Length : 5\r\n\r\n', /header/i],
  ['a space within a name', 'Content Length: 5\r\n\r\n', /header token/],
  ['an empty name', ': 5\r\n\r\n', /header token/],
  ['a line without a colon', 'Content-Length\r\n\r\n', /header token/],
  ['a NUL in a name', 'X\0: a\r\n\r\n', /header token/],
  ['a NUL in a value', 'X: a\0b\r\n\r\n', /header value/],
  ['a vertical tab before chunked', 'Transfer-Encoding: \x0bchunked\r\n\r\n', /ambiguous/],
  ['a folded content-length', 'Content-Length:\r\n 5\r\n\r\n', /whitespace/],
  ['a content-length folded behind its value', 'Content-Length: 5\r\n \r\n\r\n', /whitespace/],
  ['a folded transfer-encoding', 'Transfer-Encoding:\r\n\tchunked\r\n\r\n', /whitespace/],
  ['a transfer-encoding folded behind its value', 'Transfer-Encoding: chunked\r\n\t\r\n\r\n', /whitespace/],
  ['a folded first line with a tab', '\tX: a\r\n\r\n', /space after start line/],
  ['a bare CR in a value', 'X: a\rb\r\n\r\n', /LF/],
  ['a bare LF after a value', 'X: a\nY: b\r\n\r\n', /CR/],
  ['a bare LF after the head', 'X: a\r\n\n', /header/],
  ['a folded first line', ' X: a\r\n\r\n', /space after start line/],
  ['chunked twice', 'Transfer-Encoding: chunked, chunked\r\n\r\n', /ambiguous/],
  ['chunked on two lines', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n', /ambiguous/],
  ['chunked with a parameter', 'Transfer-Encoding: chunked;q=1\r\n\r\n', /ambiguous/],
  ['chunked before an empty element', 'Transfer-Encoding: chunked,\r\n\r\n', /ambiguous/],
  ['chunked after a space', 'Transfer-Encoding: x chunked\r\n\r\n', /ambiguous/],
  // Allowed (RFC 9110 section 5.6.3), but llhttp, and so Node, takes the tab for a part of the name: two readers differ.
  ['chunked before a tab', 'Transfer-Encoding: chunked\t\r\n\r\n', /ambiguous/],
  ['chunked as a parameter', 'Transfer-Encoding: x; chunked\r\n\r\n', /ambiguous/],
  ['chunked as the value of a parameter', 'Transfer-Encoding: x;a= chunked\r\n\r\n', /ambiguous/],
  ['chunked in quotes', 'Transfer-Encoding: "chunked"\r\n\r\n', /ambiguous/],
  ['chunked within a quoted parameter', 'Transfer-Encoding: gzip;a=",chunked"\r\n\r\n', /ambiguous/],
  ['an empty transfer-encoding', 'Transfer-Encoding:\r\n\r\n', /ambiguous/],
  ['a chunk size with a plus', 'Transfer-Encoding: chunked\r\n\r\n+5\r\n', /chunk size/],
  ['a negative chunk size', 'Transfer-Encoding: chunked\r\n\r\n-5\r\n', /chunk size/],
  ['a chunk size with 0x', 'Transfer-Encoding: chunked\r\n\r\n0x5\r\n', /chunk size/],
  ['an empty chunk size', 'Transfer-Encoding: chunked\r\n\r\n\r\n', /chunk size/],
  ['a chunk size beyond 64 bits', 'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n', /overflow/],
  ['a bare LF after the chunk size', 'Transfer-Encoding: chunked\r\n\r\n5\nhello', /CR/],
  ['a bare CR after the chunk size', 'Transfer-Encoding: chunked\r\n\r\n5\rhello', /LF/],
  ['a bare LF in a chunk extension', 'Transfer-Encoding: chunked\r\n\r\n5;a=b\nhello', /CR/],
  ['a NUL in a chunk extension', 'Transfer-Encoding: chunked\r\n\r\n5;a=\0\r\n', /extension/],
  ['a chunk longer than its size', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n', /LF|CR/],
  ['a bare LF after chunk data', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n', /CR/],
  ['a bare LF after a trailer', 'Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\n\r\n', /CR/],
  ['a bare LF after the last chunk', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\n', /header/],
]

for (const [why, bytes, message] of smuggling) {
  test(`${why} is refused`, () => {
    refused({ bytes: ok + bytes }, message)
  })
}

test('a status line that is not of HTTP/1.1 or HTTP/1.0 is refused', () => {
  for (const version of [
    'HTTP/2.0',
    'HTTP/0.9',
    'HTTP/1.2',
    'HTTP/11',
    'http/1.1',
    'RTSP/1.0',
    'ICE/1.0',
    ' HTTP/1.1',
  ]) {
    refused({ bytes: `${version} 200 OK\r\n\r\n` }, /HTTP/)
  }
  for (const rest of [' 200 OK', '20 OK', '2000 OK', '099 OK', '000 OK', '200OK', '200\tOK', '-20 OK']) {
    refused({ bytes: `HTTP/1.1 ${rest}\r\n\r\n` }, /status/)
  }
  refused({ bytes: 'HTTP/1.1 200 O\0K\r\n\r\n' }, /control character/)
  refused({ bytes: 'HTTP/1.1 200 O\rK\r\n\r\n' }, /LF/)
  refused({ bytes: 'HTTP/1.1 200 OK\n\r\n' }, /CR/)
  refused({ bytes: 'HTTP/1.1 200\n\r\n' }, /status/)
})

test('other protocols are refused at once', () => {
  const protocols = [
    '\x15\x03\x01\x00\x02\x02\x46',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64',
    'SSH-2.0-OpenSSH_9.6\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'HELO\r\n',
  ]
  for (const bytes of protocols) assert.deepEqual(refused({ bytes }, /HTTP/), [])
})

test('events before an error stay valid and the error is given again', () => {
  const parser = start({ requests: ['GET', 'GET'], bytes: '' })
  const first = execute(parser, Buffer.from(`${ok}Content-Length: 1\r\n\r\na${ok}X: \0`))
  assert.equal(first.events.length, 2)
  assert(first.error instanceof ResponseParseError)
  assert.deepEqual(execute(parser, Buffer.from(ok)), { events: [], error: first.error })
  assert.deepEqual(end(parser), { events: [], error: first.error })
})

// "HTTP/1.1 200 OK\r\n" has 17 bytes, "aa: bb\r\n" 8, "Content-Length: 0\r\n" 19.
test('a header block may be as long as the limit and no longer', () => {
  const bytes = `${ok}aa: bb\r\nContent-Length: 0\r\n\r\n`
  const limits = { maxHeaderBlockSize: 44, maxTrailerBlockSize: 0 }
  const requests = ['GET', 'GET']
  assert.equal(events({ requests, bytes: bytes + bytes, limits }).length, 2)
  const short = { maxHeaderBlockSize: 43, maxTrailerBlockSize: 0 }
  refused({ bytes, limits: short }, /maxHeaderBlockSize \(43 bytes\)/, 'limit_reached')
  for (const field of ['aaa: bb', 'aa: bbb', 'aa:  bb', 'aa: bb ']) {
    refused({ bytes: bytes.replace('aa: bb', field), limits }, /maxHeaderBlockSize/, 'limit_reached')
  }
})

test('a trailer block may be as long as the limit and no longer', () => {
  const bytes = `${chunked}2\r\nhi\r\n0\r\naa: bb\r\ncc: dd\r\n\r\n`
  const limits = { maxHeaderBlockSize: 1000, maxTrailerBlockSize: 16 }
  assert.equal(events({ bytes, limits }).length, 3)
  const short = { maxHeaderBlockSize: 1000, maxTrailerBlockSize: 15 }
  refused({ bytes, limits: short }, /maxTrailerBlockSize \(15 bytes\)/, 'limit_reached')
  const none = { maxHeaderBlockSize: 1000, maxTrailerBlockSize: 0 }
  assert.equal(events({ bytes: `${chunked}2\r\nhi\r\n0\r\n\r\n`, limits: none }).length, 2)
})

test('a block without an end is stopped while it is incomplete', () => {
  const limits = { maxHeaderBlockSize: 100, maxTrailerBlockSize: 100 }
  const endless = [`HTTP/1.1 200 ${'a'.repeat(200)}`, ok + 'a'.repeat(200), `${ok}a: ${'b'.repeat(200)}`]
  const silent = [`${ok}a:${' '.repeat(200)}`, ok + 'a: b\r\n'.repeat(40)]
  for (const bytes of [...endless, ...silent]) {
    refused({ bytes, limits }, /maxHeaderBlockSize/, 'limit_reached')
    if (!bytes.startsWith(ok)) continue
    const trailing = `${chunked}0\r\n${bytes.slice(ok.length)}`
    refused({ bytes: trailing, limits }, /maxTrailerBlockSize/, 'limit_reached')
  }
})

test('a chunk extension without an end is stopped', () => {
  const parser = start({ bytes: '' })
  execute(parser, Buffer.from(`${chunked}5;a=`))
  for (let i = 0; i < 16; i++) assert.equal(execute(parser, Buffer.alloc(1000, 'b')).error, undefined)
  assert.equal(execute(parser, Buffer.alloc(1000, 'b')).error?.code, 'limit_reached')
})

test('a long body in small chunks is not taken for a long chunk line', () => {
  const parser = start({ bytes: '' })
  execute(parser, Buffer.from(`${chunked}10000\r\n`))
  for (let i = 0; i < 65_536; i += 64) assert.equal(execute(parser, Buffer.alloc(64)).error, undefined)
  assert.equal(execute(parser, Buffer.from('\r\n0\r\n\r\n')).events.length, 1)
})

test('a chunk of many megabytes goes through unchanged', () => {
  const body = Buffer.alloc(5_000_001, 'abcdefg')
  const parser = start({ requests: ['GET', ['GET', true]], bytes: '' })
  const head = Buffer.from(`${ok}Content-Length: ${body.length}\r\n\r\n`)
  const { events, error } = execute(parser, Buffer.concat([head, body, Buffer.from(`${switching}rest`)]))
  assert.equal(error, undefined)
  const chunks = events.flatMap(event => (event.type === 'data' ? [event] : []))
  assert(Buffer.concat(chunks.map(chunk => chunk.data)).equals(body))
  assert.deepEqual(chunks.map(chunk => chunk.isFin).indexOf(true), chunks.length - 1)
  const last = events.at(-1)
  assert(last?.type === 'upgrade')
  assert.equal(last.rest.toString(), 'rest')
})

test('an empty chunk changes nothing', () => {
  const parser = start({ bytes: '' })
  assert.deepEqual(execute(parser, Buffer.alloc(0)), { events: [], error: undefined })
  execute(parser, Buffer.from(`${ok}Content-Le`))
  assert.deepEqual(execute(parser, Buffer.alloc(0)), { events: [], error: undefined })
  assert.equal(execute(parser, Buffer.from('ngth: 0\r\n\r\n')).events.length, 1)
})

test('a thousand parsers at once do not mix up their responses', () => {
  const parsers = Array.from({ length: 1000 }, () => start({ bytes: '' }))
  const bodies = parsers.map((_, i) => `body of ${i}`)
  for (const [i, parser] of parsers.entries()) {
    execute(parser, Buffer.from(`${ok}Content-Length: ${bodies[i]?.length}\r\nx-num`))
  }
  for (const [i, parser] of parsers.entries()) {
    const [head, body] = execute(parser, Buffer.from(`ber: ${i}\r\n\r\n${bodies[i]}`)).events
    assert(head?.type === 'response' && body?.type === 'data')
    assert.deepEqual(head.headers[1], ['x-number', `${i}`])
    assert.equal(body.data.toString(), bodies[i])
    assert.equal(body.isFin, true)
  }
})

function fuzz(bytes: fc.Arbitrary<string>, property: (bytes: string, cut: number) => void): void {
  fc.assert(fc.property(bytes, fc.nat(200), property), runs(2000))
}

function documented(bytes: string, cut: number): void {
  const script: Script = { requests: ['GET', ['GET', true], 'HEAD', 'GET'], bytes, finish: true }
  const input = Buffer.from(bytes, 'latin1')
  const whole = feed(script, [input])
  assert([undefined, 'protocol_error', 'limit_reached', 'closed'].includes(whole.error))
  assert.deepEqual(feed(script, [input.subarray(0, cut), input.subarray(cut)]), whole)
}

test('random bytes never throw and end in a documented error or a wish for more', () => {
  fuzz(
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes).toString('latin1')),
    documented,
  )
})

test('random pieces of responses never throw and do not depend on the split', () => {
  const pieces = fc.constantFrom(
    ...[
      ok,
      chunked,
      switching,
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.0 ',
      '204',
      '\r\n',
      '\r\n\r\n',
      '\n',
      ' ',
      '\0',
    ],
    ...[
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Connection: close\r\n',
      'X: y\r\n',
      ':',
      ',',
    ],
    ...['hello', '5\r\nhello\r\n', '0\r\n\r\n', '0\r\nX: y\r\n\r\n', '\t', 'H', '5;a=b\r\n'],
  )
  fuzz(
    fc.array(pieces, { maxLength: 12 }).map(list => list.join('')),
    documented,
  )
})

test('a response starts with its first byte, an interim one too, and empty lines before it do not count', () => {
  const parser = start({ bytes: '' })
  assert.deepEqual(push(parser, Buffer.from('\r\n')).events, [])
  assert.deepEqual(push(parser, Buffer.from('H')).events, [{ type: 'start' }])
  const types = (chunk: string) => push(parser, Buffer.from(chunk)).events.map(({ type }) => type)
  assert.deepEqual(types('TTP/1.1 103 Early Hints\r\n\r\nHTTP'), ['inform', 'start'])
  assert.deepEqual(types('/1.1 200 OK\r\ncontent-length: 1\r\n\r\na'), ['response', 'data'])
})
