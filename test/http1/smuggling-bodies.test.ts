// Bodies whose end two readers may see in two places, and bytes that nobody asked for: what follows is not believed.

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import * as gun from '@holster/gun'
import { connect, defer, NO_CONTENT, PATIENCE } from '../support/client.ts'
import {
  deliver,
  endedBehind,
  ending,
  lost,
  onEachTransport,
  onEachWire,
  type Short,
  SMUGGLED,
  shorten,
} from '../support/http-scene.ts'
import { origin } from '../support/origin.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

const head = (connPid: gun.ConnPid) => gun.head(connPid, '/')
const get = (connPid: gun.ConnPid) => gun.get(connPid, '/')

describe('refused is a body in chunks with', () => {
  const start = `${OK}${CHUNKED}\r\n`
  const bodies: Record<string, [body: string, data?: string]> = {
    'an empty size': ['\r\nhello\r\n0\r\n\r\n'],
    'an empty size before an extension': [';a=b\r\nhello\r\n0\r\n\r\n'],
    'an empty line before its size': ['\r\n5\r\nhello\r\n0\r\n\r\n'],
    'a size with 0x': ['0x5\r\nhello\r\n0\r\n\r\n'],
    'a size with a plus': ['+5\r\nhello\r\n0\r\n\r\n'],
    'a negative size': ['-1\r\nhello\r\n0\r\n\r\n'],
    'a negative zero': ['-0\r\n\r\n'],
    'a space before a size': [' 5\r\nhello\r\n0\r\n\r\n'],
    'a space within a size': ['0 5\r\nhello\r\n0\r\n\r\n'],
    'a space and another size behind a size': ['5 5\r\nhello\r\n0\r\n\r\n'],
    'a space and a vertical tab behind a size': ['5 \x0b\r\nhello\r\n0\r\n\r\n'],
    'a size with another letter': ['5g\r\nhello\r\n0\r\n\r\n'],
    'a size with an underscore': ['1_0\r\nhello\r\n0\r\n\r\n'],
    'a size with a fraction': ['5.0\r\nhello\r\n0\r\n\r\n'],
    'a size in quotes': ['"5"\r\nhello\r\n0\r\n\r\n'],
    'two sizes': ['5,5\r\nhello\r\n0\r\n\r\n'],
    'a size behind a NUL': ['\x005\r\nhello\r\n0\r\n\r\n'],
    'a NUL behind a size': ['5\0\r\nhello\r\n0\r\n\r\n'],
    'a size of 2 to the power of 64': ['10000000000000000\r\nhello\r\n0\r\n\r\n'],
    'a size that is 5 modulo 2 to the power of 64': ['10000000000000005\r\nhello\r\n0\r\n\r\n'],
    'a size that is 5 modulo 2 to the power of 32, and more': [`${'f'.repeat(30)}\r\nhello\r\n0\r\n\r\n`],
    'a bare LF behind a size': ['5\nhello\r\n0\r\n\r\n'],
    'a bare CR behind a size': ['5\rhello\r\n0\r\n\r\n'],
    'two CRs behind a size': ['5\r\r\nhello\r\n0\r\n\r\n'],
    'a bare LF in an extension': ['5;a\nhello\r\n0\r\n\r\n'],
    'a bare LF in the value of an extension': ['5;a=b\nhello\r\n0\r\n\r\n'],
    'a bare LF in a quoted extension': ['5;a="b\n"\r\nhello\r\n0\r\n\r\n'],
    'a line end in a quoted extension': ['5;a="b\r\n"\r\nhello\r\n0\r\n\r\n'],
    'a bare CR in an extension': ['5;a=b\rhello\r\n0\r\n\r\n'],
    'a NUL in an extension': ['5;a=\0\r\nhello\r\n0\r\n\r\n'],
    'no line end behind its data': ['5\r\nhello0\r\n\r\n', 'hello'],
    'more data than its size': ['5\r\nhello!\r\n0\r\n\r\n', 'hello'],
    'a bare LF behind its data': ['5\r\nhello\n0\r\n\r\n', 'hello'],
    'a bare CR behind its data': ['5\r\nhello\r0\r\n\r\n', 'hello'],
    'a LF and a CR behind its data': ['5\r\nhello\n\r0\r\n\r\n', 'hello'],
    'a negative size behind a good one': ['5\r\nhello\r\n-1\r\n\r\n', 'hello'],
    'a bare LF behind the last size': ['5\r\nhello\r\n0\n\r\n', 'hello'],
    'a bare LF in place of the last empty line': ['5\r\nhello\r\n0\r\n\n', 'hello'],
    'a bare CR in place of the last empty line': ['5\r\nhello\r\n0\r\n\rHTTP', 'hello'],
    'data in the last chunk': ['5\r\nhello\r\n0\r\nhello\r\n\r\n', 'hello'],
    'a bare LF behind a trailer': ['5\r\nhello\r\n0\r\nX: y\n\r\n', 'hello'],
    'a space before the colon of a trailer': ['5\r\nhello\r\n0\r\nX : y\r\n\r\n', 'hello'],
    'a fold before the first trailer': ['5\r\nhello\r\n0\r\n X: y\r\n\r\n', 'hello'],
    'a NUL in a trailer': ['5\r\nhello\r\n0\r\nX: \0\r\n\r\n', 'hello'],
    'a trailer without a colon': ['5\r\nhello\r\n0\r\nX\r\n\r\n', 'hello'],
    'a content-length as trailer': ['5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n', 'hello'],
  }
  for (const [name, [body, data]] of Object.entries(bodies)) {
    onEachWire(name, async wire => {
      const { words } = await ending(wire, { answers: [start + body, SMUGGLED] })
      const before = data === undefined ? [] : [`0: data nofin ${data}`]
      assert.deepEqual(words, ['0: response 200 nofin', ...before, ...lost('protocol_error', 0, 1)])
    })
  }

  // Known to nobody but the reader of the size line, which is why it has a limit of its own.
  for (const [name, body] of [
    ['an extension of 20000 bytes', `5;a=${'b'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
    ['20000 extensions', `5${';a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
    ['20000 bytes in a quoted extension', `5;a="${'b'.repeat(20_000)}"\r\nhello\r\n0\r\n\r\n`],
    ['20000 blanks behind a size', `5${' '.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
    ['20000 leading zeros', `${'0'.repeat(20_000)}5\r\nhello\r\n0\r\n\r\n`],
  ] as const) {
    onEachWire(name, async wire => {
      const { words } = await ending(wire, { answers: [start + body, SMUGGLED] })
      assert.deepEqual(words, ['0: response 200 nofin', ...lost('limit_reached', 0, 1)])
    })
  }
})

describe('refused are', () => {
  const cases: Record<string, [response: string, words: string[], ask?: typeof head]> = {
    'the bytes of a body behind the answer to HEAD': [
      `${OK}Content-Length: 5\r\n\r\nhello`,
      ['0: response 200 fin'],
      head,
    ],
    'chunks behind the answer to HEAD': [`${OK}${CHUNKED}\r\n0\r\n\r\n`, ['0: response 200 fin'], head],
    'the bytes of a body behind 204': [
      'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
      ['0: response 204 fin'],
    ],
    'the bytes of a body behind 304': [
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello',
      ['0: response 304 fin'],
    ],
    'chunks behind 304': [
      `HTTP/1.1 304 Not Modified\r\n${CHUNKED}\r\n5\r\nhello\r\n0\r\n\r\n`,
      ['0: response 304 fin'],
    ],
    'bytes beyond the content-length': [
      `${OK}Content-Length: 5\r\n\r\nhello!`,
      ['0: response 200 nofin', '0: data fin hello'],
    ],
    'bytes beyond a content-length of zero': [`${OK}Content-Length: 0\r\n\r\nhello`, ['0: response 200 fin']],
    'bytes behind the last chunk': [
      `${OK}${CHUNKED}\r\n5\r\nhello\r\n0\r\n\r\nhello`,
      ['0: response 200 nofin', '0: data fin hello'],
    ],
    'bytes behind the trailers': [
      `${OK}${CHUNKED}\r\n0\r\nX: y\r\n\r\nhello`,
      ['0: response 200 nofin', '0: trailers x=y'],
    ],
    'whitespace between two responses': [`${NO_CONTENT} `, ['0: response 204 fin']],
    'a NUL between two responses': [`${NO_CONTENT}\0`, ['0: response 204 fin']],
  }
  for (const [name, [response, before, ask]] of Object.entries(cases)) {
    onEachWire(name, async wire => {
      const { words } = await ending(wire, { asks: [ask ?? get, get], answers: [response, SMUGGLED] })
      assert.deepEqual(words, [...before, ...lost('protocol_error', 1)])
    })
  }

  onEachWire('the bytes of a body behind an informational response', async wire => {
    const { words } = await ending(wire, {
      answers: ['HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\nhello', SMUGGLED],
    })
    assert.deepEqual(words, ['0: inform 103', ...lost('protocol_error', 0, 1)])
  })
})

describe('not for the second request are the bytes', () => {
  // Each of these has exactly one meaning in RFC 9112, by which the connection ends with the response.
  const cases: Record<string, [response: string, first: string[], swallows: boolean]> = {
    'behind a response with connection: close': [
      `${OK}Connection: close\r\nContent-Length: 5\r\n\r\nhello`,
      ['0: response 200 nofin', '0: data fin hello'],
      false,
    ],
    'behind an empty response with connection: close': [
      'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
      ['0: response 204 fin'],
      false,
    ],
    'behind a response with connection: close and an empty line': [
      'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n\r\n',
      ['0: response 204 fin'],
      false,
    ],
    'behind a response of HTTP/1.0': [
      'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
      ['0: response 200 nofin', '0: data fin hello'],
      false,
    ],
    'behind a response of HTTP/1.0 in chunks, which keep-alive does not save': [
      `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${CHUNKED}\r\n5\r\nhello\r\n0\r\n\r\n`,
      ['0: response 200 nofin', '0: data fin hello'],
      false,
    ],
    'behind a head without framing': [`${OK}\r\n`, ['0: response 200 nofin'], true],
    'behind a transfer-encoding that only ends like chunked': [
      `${OK}Transfer-Encoding: xchunked\r\n\r\n`,
      ['0: response 200 nofin'],
      true,
    ],
    'behind the transfer-encoding identity': [
      `${OK}Transfer-Encoding: identity\r\n\r\n`,
      ['0: response 200 nofin'],
      true,
    ],
    'behind a transfer-encoding after chunked': [
      `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n`,
      ['0: response 200 nofin'],
      true,
    ],
    'behind a transfer-encoding after chunked, on two lines': [
      `${OK}${CHUNKED}Transfer-Encoding: identity\r\n\r\n`,
      ['0: response 200 nofin'],
      true,
    ],
    'behind a name that only resembles transfer-encoding': [
      `${OK}Transfer_Encoding: chunked\r\nContent_Length: 5\r\n\r\n`,
      ['0: response 200 nofin'],
      true,
    ],
  }
  for (const [name, [response, first, swallows]] of Object.entries(cases)) {
    onEachWire(name, async wire => {
      const { words } = await ending(wire, { answers: [response, SMUGGLED], closes: true })
      const body = swallows ? [`0: data fin ${SMUGGLED}`] : []
      const code = /^connection: .*close/im.test(response) ? 'refused_stream' : 'closed'
      assert.deepEqual(words, endedBehind(code, ...first, ...body))
    })
  }

  // Beyond what a number holds exactly; RFC 9110 section 8.6 wants it read without loss.
  for (const length of ['9007199254740993', '18446744073709551615', `000${2 ** 53}`]) {
    onEachWire(`within the content-length ${length}`, async wire => {
      const { words } = await ending(wire, {
        answers: [`${OK}Content-Length: ${length}\r\n\r\n`, SMUGGLED],
        closes: true,
      })
      assert.deepEqual(words, ['0: response 200 nofin', `0: data nofin ${SMUGGLED}`, ...lost('closed', 0, 1)])
    })
  }

  onEachWire('within a chunk of 2 to the power of 64, less one', async wire => {
    const { words } = await ending(wire, {
      answers: [`${OK}${CHUNKED}\r\nffffffffffffffff\r\n`, SMUGGLED],
      closes: true,
    })
    assert.deepEqual(words, ['0: response 200 nofin', `0: data nofin ${SMUGGLED}`, ...lost('closed', 0, 1)])
  })
})

describe('a coding before chunked', () => {
  for (const codings of ['identity, chunked', 'gzip,chunked', 'x;q=1 , chunked', ',chunked']) {
    onEachWire(`leaves no doubt where the body ends: ${codings}`, async wire => {
      const { words } = await ending(wire, {
        answers: [`${OK}Transfer-Encoding: ${codings}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, NO_CONTENT],
        closes: true,
      })
      assert.deepEqual(words, [
        '0: response 200 nofin',
        '0: data fin hello',
        '1: response 204 fin',
        ...lost('closed'),
      ])
    })
  }
})

describe('only one reading has a body in chunks with', () => {
  const bodies: Record<string, [body: string, end?: string]> = {
    // RFC 9112 section 7.1.1: blanks before an extension do not count, and cowlib skips them behind the size alone.
    'a space behind a size': ['5 \r\nhello\r\n0 \r\n\r\n'],
    'a tab behind a size': ['5\t\r\nhello\r\n0\t\r\n\r\n'],
    'a space before an extension': ['5 ;a=b\r\nhello\r\n0 ;a\r\n\r\n'],
    // RFC 9112 section 5.2.
    'a folded trailer': ['5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n', '0: trailers x=y z'],
  }
  for (const [name, [body, end]] of Object.entries(bodies)) {
    onEachWire(name, async wire => {
      const { words } = await ending(wire, {
        answers: [`${OK}${CHUNKED}\r\n${body}`, NO_CONTENT],
        closes: true,
      })
      const told = end === undefined ? ['0: data fin hello'] : ['0: data nofin hello', end]
      assert.deepEqual(words, ['0: response 200 nofin', ...told, '1: response 204 fin', ...lost('closed')])
    })
  }
})

describe('a response that nobody asked for', () => {
  const unasked: Record<string, string> = {
    'a response': SMUGGLED,
    'an informational response': 'HTTP/1.1 100 Continue\r\n\r\n',
    'a 101': 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'a 408 that closes': 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n',
    'a byte': '\0',
  }
  for (const [name, response] of Object.entries(unasked)) {
    onEachWire(`${name} before any request loses the connection`, async wire => {
      const { words } = await ending(wire, { asks: [], answers: [response, SMUGGLED] })
      assert.deepEqual(words, lost('protocol_error'))
    })

    onEachWire(`${name} behind the last answer loses the connection`, async wire => {
      const { words } = await ending(wire, { asks: [get], answers: [NO_CONTENT, response] })
      assert.deepEqual(words, ['0: response 204 fin', ...lost('protocol_error')])
    })
  }

  onEachTransport('does not answer what is asked as soon as the one before it is heard', async transport => {
    await using server = await origin(
      async (peer, index) => {
        await peer.receiveRequest()
        await deliver(peer, index === 0 ? [NO_CONTENT, SMUGGLED] : [NO_CONTENT], {
          transport,
          delivery: 'glued',
        })
        await peer.closed
      },
      { transport },
    )
    await using client = await connect(server, transport)
    const { owner, connPid } = client
    const heard: Short[] = []
    const done = defer<void>()
    const replyTo = (message: gun.GunMessage): void => {
      heard.push(shorten(message))
      if (message.type === 'gun_error') done.resolve()
      else gun.get(connPid, '/next', [], { replyTo })
    }
    gun.get(connPid, '/', [], { replyTo })
    await done.promise
    assert.deepEqual(heard, [
      ['response', 204, [], 'fin'],
      ['error', 'protocol_error'],
    ])
    const { reason } = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.ok(reason instanceof gun.GunError)
    assert.equal(reason.code, 'protocol_error')
  })
})
