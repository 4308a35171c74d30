// Responses of HTTP/1.1 with some of their bytes changed, lost, doubled or moved, as latin1 text.

import fc from 'fast-check'

const OK = 'HTTP/1.1 200 OK\r\n'

const statusLine = fc.oneof(
  { weight: 6, arbitrary: fc.constant(OK) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...['HTTP/1.0 200 OK\r\n', 'HTTP/1.1 204 No Content\r\n', 'HTTP/1.1 304 x\r\n', 'HTTP/1.1 404\r\n'],
      ...['HTTP/1.1 103 Early Hints\r\n', 'HTTP/1.1 100 Continue\r\n', 'HTTP/1.1 999 \xe9\r\n'],
      ...['HTTP/1.1 099 x\r\n', 'HTTP/1.2 200 OK\r\n', 'HTTP/2.0 200 OK\r\n', 'RTSP/1.0 200 OK\r\n'],
      ...['HTTP/1.1 101 Switching Protocols\r\n', 'HTTP/1.1 2000 OK\r\n', 'HTTP/1.1 200\tOK\r\n'],
    ),
  },
)

const usualField = fc.constantFrom(
  ...['X: y\r\n', 'X:\r\n', 'X: \t\r\n', 'x-Long: a b c\r\n', 'Set-Cookie: a=\xe9\r\n', 'Upgrade: x\r\n'],
  ...['Connection: close\r\n', 'Connection: keep-alive\r\n'],
)

const oddField = fc.constantFrom(
  ...[
    'Content-Length: 5\r\n',
    'content-length: 0\r\n',
    'Content-Length:\t5 \t\r\n',
    'Content-Length: 5,5\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'transfer-encoding: gzip\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
  ],
  ...['Transfer-Encoding: chunked\t\r\n', 'Transfer-Encoding: chunked,\r\n', 'Transfer-Encoding: \r\n'],
  ...['Connection: x,\r\n close\r\n', 'X: a\r\n b\r\n', 'X: a\r\n\t\r\n', 'X:\r\n b\r\n', 'X: \x01\x7f\r\n'],
  ...['X : y\r\n', ': y\r\n', 'X\r\n', ' X: y\r\n', 'X: a\0b\r\n'],
)

const field = fc.oneof({ weight: 3, arbitrary: usualField }, { weight: 1, arbitrary: oddField })

const extension = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('', '', ';a', ';a=b', ';a="b;c"') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(' ', '\t', ' ;a', '; a', ';a = b', ';', ';=b', ';a=', ';a="b', ';a;', ';a=b '),
  },
)

const before = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('', '0') },
  { weight: 1, arbitrary: fc.constantFrom('+', ' ') },
)

const chunk = fc
  .tuple(fc.constantFrom('hello', 'a', '0\r\n\r\n', 'x'.repeat(20)), extension, before)
  .map(([data, more, zeros]) => `${zeros}${data.length.toString(16)}${more}\r\n${data}\r\n`)

const trailers = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'X: y\r\n',
      'X: y\r\n z\r\n',
      'Content-Length: 5\r\n',
      'Transfer-Encoding: x\r\n',
      ' X: y\r\n',
    ),
  },
)

const chunked = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), extension, trailers)
  .map(([chunks, more, end]) => `${chunks.join('')}0${more}\r\n${end}\r\n`)

const fields = fc.oneof(
  { weight: 3, arbitrary: fc.constant(['Content-Length: 5\r\n']) },
  { weight: 3, arbitrary: fc.constant(['Transfer-Encoding: chunked\r\n']) },
  { weight: 2, arbitrary: fc.array(field, { maxLength: 3 }) },
)

const response = fc
  .tuple(
    statusLine,
    fc.array(field, { maxLength: 2 }),
    fields,
    fc.oneof(fc.constantFrom('', 'hello'), chunked),
  )
  .map(([line, more, framing, body]) => `${line}${more.join('')}${framing.join('')}\r\n${body}`)

const sized = fc
  .array(fc.constantFrom('X: y\r\n', 'Connection: keep-alive\r\n'), { maxLength: 2 })
  .map(more => `${OK}Content-Length: 5\r\n${more.join('')}\r\nhello`)
const inChunks = chunked.map(body => `${OK}Transfer-Encoding: chunked\r\n\r\n${body}`)

const several = fc
  .tuple(
    fc.array(fc.oneof(sized, inChunks, response), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '\r\n', '\n'),
  )
  .map(([responses, between]) => responses.join(between))

const character = fc.oneof(
  fc.constantFrom(
    ...['\r', '\n', '\r\n', ' ', '\t', '\0', ':', ';', ',', '"', '0', '5', 'a', '\x0b', '\x7f', '\xa0'],
  ),
  fc.nat(255).map(code => String.fromCharCode(code)),
)

interface Mutation {
  readonly kind: 'put' | 'insert' | 'drop' | 'double' | 'move'
  readonly at: number
  readonly to: number
  readonly length: number
  readonly text: string
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('put', 'insert', 'drop', 'double', 'move'),
  at: fc.nat(400),
  to: fc.nat(400),
  length: fc.integer({ min: 1, max: 12 }),
  text: character,
})

function mutate(bytes: string, { kind, at, to, length, text }: Mutation): string {
  const start = at % (bytes.length + 1)
  const slice = bytes.slice(start, start + length)
  switch (kind) {
    case 'put':
      return bytes.slice(0, start) + text + bytes.slice(start + 1)
    case 'insert':
      return bytes.slice(0, start) + text + bytes.slice(start)
    case 'drop':
      return bytes.slice(0, start) + bytes.slice(start + length)
    case 'double':
      return bytes.slice(0, start) + slice + bytes.slice(start)
    case 'move': {
      const rest = bytes.slice(0, start) + bytes.slice(start + length)
      const place = to % (rest.length + 1)
      return rest.slice(0, place) + slice + rest.slice(place)
    }
  }
}

/** The bytes of one to three responses. */
export const mutatedResponses: fc.Arbitrary<string> = fc
  .tuple(several, fc.array(mutation, { maxLength: 2 }))
  .map(([bytes, mutations]) => mutations.reduce(mutate, bytes))
