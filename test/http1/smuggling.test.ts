// Responses whose end two readers may see in two places: the connection is lost, and nothing after them is believed.

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { NO_CONTENT } from '../support/client.ts'
import { ending, lost, onEachWire, SMUGGLED } from '../support/http-scene.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
describe('by itself', () => {
  onEachWire('the response behind would answer the second request', async wire => {
    const { words } = await ending(wire, { answers: [NO_CONTENT, SMUGGLED], closes: true })
    assert.deepEqual(words, [
      '0: response 204 fin',
      '1: response 200 nofin',
      '1: data fin smuggled',
      ...lost('closed'),
    ])
  })
})

describe('refused is a head with', () => {
  const body = '\r\nhello'
  const chunks = '\r\n5\r\nhello\r\n0\r\n\r\n'
  const heads: Record<string, string> = {
    'a content-length before a transfer-encoding': `${OK}Content-Length: 5\r\n${CHUNKED}${chunks}`,
    'a content-length after a transfer-encoding': `${OK}${CHUNKED}Content-Length: 5\r\n${chunks}`,
    'a content-length of zero and a transfer-encoding': `${OK}Content-Length: 0\r\n${CHUNKED}${chunks}`,
    'a content-length and a transfer-encoding that is not chunked': `${OK}Content-Length: 5\r\nTransfer-Encoding: identity\r\n${body}`,
    'a content-length and a transfer-encoding in HTTP/1.0': `HTTP/1.0 200 OK\r\nContent-Length: 5\r\n${CHUNKED}${chunks}`,
    'two content-lengths that differ': `${OK}Content-Length: 5\r\nContent-Length: 6\r\n${body}`,
    'two content-lengths, the second apart': `${OK}Content-Length: 5\r\nX: y\r\ncontent-length: 0\r\n${body}`,
    'two content-lengths that agree': `${OK}Content-Length: 5\r\nContent-Length: 5\r\n${body}`,
    'a list of lengths': `${OK}Content-Length: 5,5\r\n${body}`,
    'a list of lengths with whitespace': `${OK}Content-Length: 5, 5\r\n${body}`,
    'a length with a plus': `${OK}Content-Length: +5\r\n${body}`,
    'a negative length': `${OK}Content-Length: -1\r\n${body}`,
    'a hexadecimal length': `${OK}Content-Length: 0x5\r\n${body}`,
    'a length with a fraction': `${OK}Content-Length: 5.0\r\n${body}`,
    'a length with an exponent': `${OK}Content-Length: 5e0\r\n${body}`,
    'a length in quotes': `${OK}Content-Length: "5"\r\n${body}`,
    'a length with a parameter': `${OK}Content-Length: 5;a\r\n${body}`,
    'a length with whitespace within': `${OK}Content-Length: 1 0\r\n${body}`,
    'a length with an underscore': `${OK}Content-Length: 1_0\r\n${body}`,
    'a length with letters behind': `${OK}Content-Length: 5g\r\n${body}`,
    'a length of digits beyond ASCII': `${OK}Content-Length: \xb2\r\n${body}`,
    'a length behind a vertical tab': `${OK}Content-Length:\x0b5\r\n${body}`,
    'an empty length': `${OK}Content-Length:\r\n${body}`,
    'a length of whitespace': `${OK}Content-Length: \t\r\n${body}`,
    'a length of 2 to the power of 64': `${OK}Content-Length: 18446744073709551616\r\n${body}`,
    'a length that is 5 modulo 2 to the power of 64': `${OK}Content-Length: 18446744073709551621\r\n${body}`,
    'a length of a hundred digits': `${OK}Content-Length: ${'9'.repeat(100)}\r\n${body}`,

    'chunked twice': `${OK}Transfer-Encoding: chunked, chunked\r\n${chunks}`,
    'chunked twice, on two lines': `${OK}${CHUNKED}X: y\r\n${CHUNKED}${chunks}`,
    'chunked with a parameter': `${OK}Transfer-Encoding: chunked;q=1\r\n${chunks}`,
    'chunked with a parameter after whitespace': `${OK}Transfer-Encoding: chunked ;q=1\r\n${chunks}`,
    'chunked before an empty element': `${OK}Transfer-Encoding: chunked,\r\n${chunks}`,
    'chunked in quotes': `${OK}Transfer-Encoding: "chunked"\r\n${chunks}`,
    'chunked behind a word': `${OK}Transfer-Encoding: x chunked\r\n${chunks}`,
    'chunked within a quoted parameter': `${OK}Transfer-Encoding: gzip;a=",chunked"\r\n${chunks}`,
    // Allowed, but a quoted comma is where parsers of lists part ways.
    'a coding with a quoted parameter before chunked': `${OK}Transfer-Encoding: x;q="1", chunked\r\n${chunks}`,
    'chunked before a vertical tab': `${OK}Transfer-Encoding: chunked\x0b\r\n${chunks}`,
    'chunked behind a vertical tab': `${OK}Transfer-Encoding:\x0bchunked\r\n${chunks}`,
    'chunked before a form feed': `${OK}Transfer-Encoding: chunked\x0c\r\n${chunks}`,
    'chunked behind a NUL': `${OK}Transfer-Encoding: \0chunked\r\n${chunks}`,
    'chunked before a byte that some take for a space': `${OK}Transfer-Encoding: chunked\xa0\r\n${chunks}`,
    'chunked behind a byte that some take for a space': `${OK}Transfer-Encoding: \xa0chunked\r\n${chunks}`,
    'chunked in HTML brackets': `${OK}Transfer-Encoding: <chunked>\r\n${chunks}`,
    'an empty transfer-encoding': `${OK}Transfer-Encoding:\r\n${chunks}`,
    'an empty transfer-encoding before chunked': `${OK}Transfer-Encoding:\r\nTransfer-Encoding: "chunked"\r\n${chunks}`,

    'a bare LF behind the status line': `HTTP/1.1 200 OK\nContent-Length: 5\r\n${body}`,
    'a bare LF behind a status without reason': `HTTP/1.1 200\nContent-Length: 5\r\n${body}`,
    'a bare LF behind a header': `${OK}X: y\nContent-Length: 5\r\n${body}`,
    'a bare LF behind an empty header': `${OK}X:\nContent-Length: 5\r\n${body}`,
    'a bare LF behind a length': `${OK}Content-Length: 5\n${body}`,
    'a bare LF in place of the empty line': `${OK}Content-Length: 5\r\n\nhello`,
    'only bare LFs': 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello',
    'a bare CR behind the status line': `HTTP/1.1 200 OK\rContent-Length: 5\r\n${body}`,
    'a bare CR behind a header': `${OK}X: y\rContent-Length: 5\r\n${body}`,
    'a bare CR behind an empty header': `${OK}X:\rContent-Length: 5\r\n${body}`,
    'a bare CR within a name': `${OK}X\rContent-Length: 5\r\n${body}`,
    'a bare CR in place of the empty line': `${OK}Content-Length: 5\r\n\rhello`,
    'two CRs before a LF': `${OK}Content-Length: 5\r\r\n${body}`,
    'a NUL in a name': `${OK}Content-\0Length: 5\r\n${body}`,
    'a NUL behind a name': `${OK}Content-Length\0: 5\r\n${body}`,
    'a NUL in a value': `${OK}X: a\0b\r\nContent-Length: 5\r\n${body}`,
    'a NUL behind a length': `${OK}Content-Length: 5\0\r\n${body}`,
    'a NUL in the reason': `HTTP/1.1 200 O\0K\r\nContent-Length: 5\r\n${body}`,
    'a control character in the reason': `HTTP/1.1 200 O\x1bK\r\nContent-Length: 5\r\n${body}`,
    'a DEL in the reason': `HTTP/1.1 200 O\x7fK\r\nContent-Length: 5\r\n${body}`,
    'a space before a colon': `${OK}Content-Length : 5\r\n${body}`,
    'a tab before a colon': `${OK}Content-Length\t: 5\r\n${body}`,
    'a space before the colon of a transfer-encoding': `${OK}Transfer-Encoding : chunked\r\n${chunks}`,
    'a space within a name': `${OK}Content Length: 5\r\n${body}`,
    'a space before the first name': `${OK} Content-Length: 5\r\n${body}`,
    'a name beyond ASCII': `${OK}X-\xe9: a\r\nContent-Length: 5\r\n${body}`,
    'a name in brackets': `${OK}(X): a\r\nContent-Length: 5\r\n${body}`,
    'no name': `${OK}: a\r\nContent-Length: 5\r\n${body}`,
    'no colon': `${OK}Content-Length 5\r\n${body}`,
    'no colon, in the only line': `${OK}Content-Length\r\n${body}`,
    'a fold before the first name': `${OK} X: a\r\nContent-Length: 5\r\n${body}`,
    'a folded length': `${OK}Content-Length:\r\n 5\r\n${body}`,
    'a length with a fold behind it': `${OK}Content-Length: 5\r\n \r\n${body}`,
    'a transfer-encoding with a fold behind it': `${OK}${CHUNKED}\t\r\n${chunks}`,
    'a transfer-encoding with a folded second coding': `${OK}Transfer-Encoding: x,\r\n chunked\r\n${chunks}`,
    'a folded transfer-encoding': `${OK}Transfer-Encoding:\r\n chunked\r\n${chunks}`,

    'the version 0.9': `HTTP/0.9 200 OK\r\nContent-Length: 5\r\n${body}`,
    'the version 1.2': `HTTP/1.2 200 OK\r\nContent-Length: 5\r\n${body}`,
    'the version 2.0': `HTTP/2.0 200 OK\r\nContent-Length: 5\r\n${body}`,
    'the version 1.10': `HTTP/1.10 200 OK\r\nContent-Length: 5\r\n${body}`,
    'the version 1': `HTTP/1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'the version 01.1': `HTTP/01.1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'a version with a comma': `HTTP/1,1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'a version in lower case': `http/1.1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'another protocol': `RTSP/1.0 200 OK\r\nContent-Length: 5\r\n${body}`,
    'another protocol that begins alike': `HTTPS/1.1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'no version': `200 OK\r\nContent-Length: 5\r\n${body}`,
    'whitespace before the version': ` HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'a NUL before the version': `\0HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'a byte order mark': `\xef\xbb\xbfHTTP/1.1 200 OK\r\nContent-Length: 5\r\n${body}`,
    'no status': `HTTP/1.1\r\nContent-Length: 5\r\n${body}`,
    'no status, but its space': `HTTP/1.1 \r\nContent-Length: 5\r\n${body}`,
    'a status of two digits': `HTTP/1.1 20 OK\r\nContent-Length: 5\r\n${body}`,
    'a status of four digits': `HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n${body}`,
    'a status with a plus': `HTTP/1.1 +200 OK\r\nContent-Length: 5\r\n${body}`,
    'a negative status': `HTTP/1.1 -200 OK\r\nContent-Length: 5\r\n${body}`,
    'a status with letters': `HTTP/1.1 2xx OK\r\nContent-Length: 5\r\n${body}`,
    'a status below 100': `HTTP/1.1 099 OK\r\nContent-Length: 5\r\n${body}`,
    'a status of zero': `HTTP/1.1 000 OK\r\nContent-Length: 5\r\n${body}`,
    'a reason without a space before it': `HTTP/1.1 200OK\r\nContent-Length: 5\r\n${body}`,
    'a tab before the status': `HTTP/1.1\t200 OK\r\nContent-Length: 5\r\n${body}`,
    'a tab behind the status': `HTTP/1.1 200\tOK\r\nContent-Length: 5\r\n${body}`,
    'two spaces before the status': `HTTP/1.1  200 OK\r\nContent-Length: 5\r\n${body}`,
    'a request line': `GET / HTTP/1.1\r\nContent-Length: 5\r\n${body}`,
    'no head at all': 'hello',
    '101, which nobody asked for':
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  }
  for (const [name, response] of Object.entries(heads)) {
    onEachWire(name, async wire => {
      const { words } = await ending(wire, { answers: [response, SMUGGLED] })
      assert.deepEqual(words, lost('protocol_error', 0, 1))
    })
  }

  for (const [name, response] of [
    ['a header line without end', `${OK}X: ${'y'.repeat(2000)}`],
    ['a name without end', `${OK}${'y'.repeat(2000)}`],
    ['a reason without end', `HTTP/1.1 200 ${'y'.repeat(2000)}`],
    ['whitespace without end before a value', `${OK}X:${' '.repeat(2000)}`],
    ['whitespace without end behind a value', `${OK}X: y${' '.repeat(2000)}`],
    ['headers without end', OK + 'X: y\r\n'.repeat(300)],
  ] as const) {
    onEachWire(name, async wire => {
      const { words, errors } = await ending(wire, {
        answers: [response],
        opts: { httpOpts: { maxHeaderBlockSize: 1000 } },
      })
      assert.deepEqual(words, lost('limit_reached', 0, 1))
      assert.match(errors[0]?.message ?? '', /maxHeaderBlockSize/)
    })
  }
})

describe('only one reading has a head with', () => {
  const heads: Record<string, string> = {
    // RFC 9112 section 5.2: a user agent replaces a fold with blanks before it interprets the value.
    'a folded line': 'X: a\r\n b\r\n',
    'a folded line with a tab': 'X: a\r\n\tb\r\n',
    'a folded line of whitespace': 'X: a\r\n \r\n',
    'a folded header that hides a length': 'X: a\r\n Content-Length: 0\r\n',
    // RFC 9110 section 5.5: a recipient may keep the control characters that do not end a line.
    'a control character in a value': 'X: a\x01\r\n',
    'a DEL in a value': 'X: a\x7f\r\n',
  }
  for (const [name, fields] of Object.entries(heads)) {
    onEachWire(name, async wire => {
      const answers = [`${OK}Content-Length: 5\r\n${fields}\r\nhello`, NO_CONTENT]
      const { words } = await ending(wire, { answers, closes: true })
      assert.deepEqual(words, [
        '0: response 200 nofin',
        '0: data fin hello',
        '1: response 204 fin',
        ...lost('closed'),
      ])
    })
  }
})
