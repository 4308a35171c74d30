// The messages that the bytes of a response become, over each transport and however the bytes are cut.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { connect, defer, eventually, heldUp, NO_CONTENT, PATIENCE } from '../support/client.ts'
import {
  collect,
  converse,
  deliver,
  type Exchange,
  endedBehind,
  ending,
  lost,
  noContent,
  onEachTransport,
  onEachWire,
  type Short,
} from '../support/http-scene.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`
const chunked: Short = ['response', 200, [['transfer-encoding', 'chunked']], 'nofin']
const chunkedFin: Short = ['response', 200, [['transfer-encoding', 'chunked']], 'fin']
const sized = (length: number | string, isFin: gun.IsFin = 'nofin', status = 200): Short => [
  'response',
  status,
  [['content-length', `${length}`]],
  isFin,
]
const data = (text: string, isFin: gun.IsFin = 'fin'): Short => ['data', text, isFin]
const next: Exchange = { answer: NO_CONTENT, story: noContent }
const head = (connPid: gun.ConnPid) => gun.head(connPid, '/')
const request = (method: string) => (connPid: gun.ConnPid) => gun.request(connPid, method, '/', [], '')

describe('a response', () => {
  const cases: Record<string, Exchange> = {
    'without a body': { answer: NO_CONTENT, story: noContent },
    'not modified': {
      answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      story: [sized(5, 'fin', 304)],
    },
    'not modified, as if in chunks': {
      answer: 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n',
      story: [['response', 304, [['transfer-encoding', 'chunked']], 'fin']],
    },
    'with an empty body': { answer: `${OK}Content-Length: 0\r\n\r\n`, story: [sized(0, 'fin')] },
    'with an empty body in many digits': {
      answer: `${OK}Content-Length: 000\r\n\r\n`,
      story: [sized('000', 'fin')],
    },
    'of a known length': {
      answer: `${OK}Content-Length: 5\r\n\r\nabcde`,
      story: [sized(5), data('abcde')],
    },
    'of a known length with leading zeros and whitespace around it': {
      answer: `${OK}Content-Length: \t 005 \r\n\r\nabcde`,
      story: [sized('005'), data('abcde')],
    },
    'of a known length, whose body looks like a response': {
      answer: `${OK}Content-Length: ${NO_CONTENT.length}\r\n\r\n${NO_CONTENT}`,
      story: [sized(NO_CONTENT.length), data(NO_CONTENT)],
    },
    'whose body has every byte there is': {
      answer: `${OK}Content-Length: 256\r\n\r\n${String.fromCharCode(...Array(256).keys())}`,
      story: [sized(256), data(String.fromCharCode(...Array(256).keys()))],
    },
    'in one chunk': {
      answer: `${CHUNKED}5\r\nabcde\r\n0\r\n\r\n`,
      story: [chunked, data('abcde')],
    },
    'in chunks with sizes of any spelling': {
      answer: `${CHUNKED}0000a\r\n0123456789\r\nB\r\n0123456789a\r\n000\r\n\r\n`,
      story: [chunked, data('01234567890123456789a')],
    },
    'in chunks with extensions': {
      answer: `${CHUNKED}1;a\r\na\r\n1;a=b;c=d\r\nb\r\n1;a="b;c\\"d, \t\xe9"\r\nc\r\n0;last=1\r\n\r\n`,
      story: [chunked, data('abc')],
    },
    'in chunks that look like chunks': {
      answer: `${CHUNKED}5\r\n0\r\n\r\n\r\n7\r\n1\r\na\r\n0\r\n0\r\n\r\n`,
      story: [chunked, data('0\r\n\r\n1\r\na\r\n0')],
    },
    'in no chunk at all': { answer: `${CHUNKED}0\r\n\r\n`, story: [chunked, data('')] },
    'in chunks with trailers': {
      answer: `${CHUNKED}2\r\nab\r\n0\r\nX-Sum: 1\r\nx-sum:\t2 \r\nX-C: \xe9\r\n\r\n`,
      story: [
        chunked,
        data('ab', 'nofin'),
        [
          'trailers',
          [
            ['x-sum', '1'],
            ['x-sum', '2'],
            ['x-c', '\xe9'],
          ],
        ],
      ],
    },
    'in no chunk, with trailers': {
      answer: `${CHUNKED}0\r\nX-Sum: 1\r\n\r\n`,
      story: [chunked, ['trailers', [['x-sum', '1']]]],
    },
    'in chunks with trailers that say connection: close too late': {
      answer: `${CHUNKED}1\r\na\r\n0\r\nConnection: close\r\n\r\n`,
      story: [chunked, data('a', 'nofin'), ['trailers', [['connection', 'close']]]],
    },
    'in chunks, by the last of its codings': {
      answer: `${OK}Transfer-Encoding: x\r\nTransfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      story: [
        [
          'response',
          200,
          [
            ['transfer-encoding', 'x'],
            ['transfer-encoding', 'CHUNKED'],
          ],
          'nofin',
        ],
        data('a'),
      ],
    },
    'with its headers as they came': {
      answer:
        'HTTP/1.1 299 \r\nSet-Cookie: b=2\r\nX-Empty:\r\nx-latin: \xe9\xa0\xff\r\nSET-COOKIE:a = 1 ; "x\ty"\r\nX-Blank: \t \r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n',
      story: [
        [
          'response',
          299,
          [
            ['set-cookie', 'b=2'],
            ['x-empty', ''],
            ['x-latin', '\xe9\xa0\xff'],
            ['set-cookie', 'a = 1 ; "x\ty"'],
            ['x-blank', ''],
            ['set-cookie', 'b=2'],
            ['content-length', '0'],
          ],
          'fin',
        ],
      ],
    },
    'with every character that a name may have': {
      answer: "HTTP/1.1 204 x\r\n!#$%&'*+-.^_`|~09AZaz: a\r\n\r\n",
      story: [['response', 204, [["!#$%&'*+-.^_`|~09azaz", 'a']], 'fin']],
    },
    'without a reason': { answer: 'HTTP/1.1 204\r\n\r\n', story: noContent },
    'with a reason of bytes beyond ASCII': { answer: 'HTTP/1.1 204 \t\xe9\xff \r\n\r\n', story: noContent },
    'with a status that nobody knows': {
      answer: 'HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n',
      story: [sized(0, 'fin', 999)],
    },
    'after one informational response': {
      answer: `HTTP/1.1 100 Continue\r\n\r\n${NO_CONTENT}`,
      story: [['inform', 100, []], ...noContent],
    },
    'after several informational responses': {
      answer:
        'HTTP/1.1 102 Processing\r\n\r\n' +
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n' +
        'HTTP/1.1 103 Early Hints\r\nlink: </c>\r\nConnection: close\r\n\r\n' +
        `HTTP/1.1 199\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      story: [
        ['inform', 102, []],
        [
          'inform',
          103,
          [
            ['link', '</a>'],
            ['link', '</b>'],
          ],
        ],
        [
          'inform',
          103,
          [
            ['link', '</c>'],
            ['connection', 'close'],
          ],
        ],
        ['inform', 199, []],
        sized(1),
        data('a'),
      ],
    },
    'after an informational one that claims a length': {
      answer: `HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\nHTTP/1.1 102 x\r\nTransfer-Encoding: chunked\r\n\r\n${NO_CONTENT}`,
      story: [
        ['inform', 103, [['content-length', '5']]],
        ['inform', 102, [['transfer-encoding', 'chunked']]],
        ...noContent,
      ],
    },
    'to HEAD, of a known length': {
      ask: head,
      answer: `${OK}Content-Length: 5\r\n\r\n`,
      story: [sized(5, 'fin')],
    },
    'to HEAD, in chunks': { ask: head, answer: CHUNKED, story: [chunkedFin] },
    'to HEAD, of no known length': {
      ask: head,
      answer: `${OK}\r\n`,
      story: [['response', 200, [], 'fin']],
    },
    'to HEAD, after an informational one, and not found': {
      ask: head,
      answer: 'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n',
      story: [['inform', 103, []], sized(9, 'fin', 404)],
    },
    'to a method that only looks like HEAD': {
      ask: request('head'),
      answer: `${OK}Content-Length: 1\r\n\r\na`,
      story: [sized(1), data('a')],
    },
    'to OPTIONS, with a body': {
      ask: request('OPTIONS'),
      answer: `${OK}Content-Length: 1\r\n\r\na`,
      story: [sized(1), data('a')],
    },
    'with a content-length to 204': {
      answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
      story: [sized(5, 'fin', 204)],
    },
    'with 205 and its body': {
      answer: 'HTTP/1.1 205 Reset Content\r\nContent-Length: 1\r\n\r\na',
      story: [sized(1, 'nofin', 205), data('a')],
    },
    'after an empty line': { answer: `\r\n\r\n${NO_CONTENT}`, story: noContent },
    'in HTTP/1.0 with keep-alive': {
      answer: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na',
      story: [
        [
          'response',
          200,
          [
            ['connection', 'Keep-Alive'],
            ['content-length', '1'],
          ],
          'nofin',
        ],
        data('a'),
      ],
    },
  }
  for (const [name, exchange] of Object.entries(cases)) {
    onEachWire(name, wire => converse(wire, [exchange, next]))
  }
})

describe('the end of a connection', () => {
  const cases: Record<string, [answer: string, words: string[]]> = {
    'is the end of a body without any framing': [
      `${OK}\r\nuntil the end`,
      endedBehind('closed', '0: response 200 nofin', '0: data fin until the end'),
    ],
    'is the end of a body that has no byte': [
      `${OK}\r\n`,
      endedBehind('closed', '0: response 200 nofin', '0: data fin '),
    ],
    'is the end of a body in a coding that is not chunked': [
      `${OK}Transfer-Encoding: gzip\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      endedBehind('closed', '0: response 200 nofin', '0: data fin 1\r\na\r\n0\r\n\r\n'),
    ],
    'is the end of a body of HTTP/1.0': [
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc',
      endedBehind('closed', '0: response 200 nofin', '0: data fin abc'),
    ],
    'follows a response of HTTP/1.0': [
      'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na',
      endedBehind('closed', '0: response 200 nofin', '0: data fin a'),
    ],
    'follows an empty response of HTTP/1.0': [
      'HTTP/1.0 204 No Content\r\n\r\n',
      endedBehind('closed', '0: response 204 fin'),
    ],
    'follows connection: close and a body of a known length': [
      `${OK}Connection: close\r\nContent-Length: 1\r\n\r\na`,
      endedBehind('refused_stream', '0: response 200 nofin', '0: data fin a'),
    ],
    'follows connection: close and a body in chunks': [
      `${OK}Connection: x, CLOSE\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      endedBehind('refused_stream', '0: response 200 nofin', '0: data fin a'),
    ],
    'follows connection: close and trailers': [
      `${OK}Connection: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n\r\n`,
      endedBehind('refused_stream', '0: response 200 nofin', '0: trailers a=b'),
    ],
    'follows connection: close and no body': [
      'HTTP/1.1 204 No Content\r\nConnection: close\t\r\n\r\n',
      endedBehind('refused_stream', '0: response 204 fin'),
    ],
    'follows connection: close after an informational response': [
      'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 304 x\r\nConnection: keep-alive, close\r\n\r\n',
      endedBehind('refused_stream', '0: inform 103', '0: response 304 fin'),
    ],
    'loses the request that has no answer': [NO_CONTENT, ['0: response 204 fin', ...lost('closed', 1)]],
    'loses all requests when nothing was answered': ['', lost('closed', 0, 1)],
    'in an empty line before a response loses all requests': ['\r\n', lost('closed', 0, 1)],
    'after an informational response loses all requests': [
      'HTTP/1.1 100 Continue\r\n\r\n',
      ['0: inform 100', ...lost('closed', 0, 1)],
    ],
    'within a version is an error': ['HTT', lost('closed', 0, 1)],
    'within a status line is an error': ['HTTP/1.1 200', lost('closed', 0, 1)],
    'within a header is an error': [`${OK}Content-Le`, lost('closed', 0, 1)],
    'within the end of a head is an error': [`${OK}Content-Length: 0\r\n\r`, lost('closed', 0, 1)],
    'within an informational response is an error': ['HTTP/1.1 100 Continue\r\n', lost('closed', 0, 1)],
    'within the head of the second response is an error of that': [
      `${NO_CONTENT}HTTP/1.1 `,
      ['0: response 204 fin', ...lost('closed', 1)],
    ],
    'before a body is an error': [
      `${OK}Content-Length: 5\r\n\r\n`,
      ['0: response 200 nofin', ...lost('closed', 0, 1)],
    ],
    'within a body is an error': [
      `${OK}Content-Length: 5\r\n\r\nabcd`,
      ['0: response 200 nofin', '0: data nofin abcd', ...lost('closed', 0, 1)],
    ],
    'within a body is an error in spite of connection: close': [
      `${OK}Connection: close\r\nContent-Length: 5\r\n\r\nabcd`,
      ['1: error refused_stream', '0: response 200 nofin', '0: data nofin abcd', ...lost('closed', 0)],
    ],
    'before the first chunk is an error': [CHUNKED, ['0: response 200 nofin', ...lost('closed', 0, 1)]],
    'within a chunk size is an error': [`${CHUNKED}5`, ['0: response 200 nofin', ...lost('closed', 0, 1)]],
    'within a chunk is an error': [
      `${CHUNKED}5\r\nabcd`,
      ['0: response 200 nofin', '0: data nofin abcd', ...lost('closed', 0, 1)],
    ],
    'after a chunk is an error': [
      `${CHUNKED}5\r\nabcde\r\n`,
      ['0: response 200 nofin', '0: data nofin abcde', ...lost('closed', 0, 1)],
    ],
    'within the last chunk is an error': [
      `${CHUNKED}1\r\na\r\n0\r\n`,
      ['0: response 200 nofin', '0: data nofin a', ...lost('closed', 0, 1)],
    ],
    'within the last line end is an error': [
      `${CHUNKED}1\r\na\r\n0\r\n\r`,
      ['0: response 200 nofin', '0: data nofin a', ...lost('closed', 0, 1)],
    ],
    'within the trailers is an error': [
      `${CHUNKED}1\r\na\r\n0\r\nX-Sum: 1`,
      ['0: response 200 nofin', '0: data nofin a', ...lost('closed', 0, 1)],
    ],
    'after the trailers, but before the empty line, is an error': [
      `${CHUNKED}0\r\nX-Sum: 1\r\n`,
      ['0: response 200 nofin', ...lost('closed', 0, 1)],
    ],
  }
  for (const [name, [answer, words]] of Object.entries(cases)) {
    onEachWire(name, async wire => {
      const told = await ending(wire, { answers: [answer], closes: true })
      assert.deepEqual(told.words, words)
    })
  }

  const within: [where: string, answer: string][] = [
    ['head', 'HTTP/1.1 200'],
    ['body', `${CHUNKED}5\r\na`],
    ['trailers', `${CHUNKED}0\r\na: b\r\n`],
  ]
  for (const [where, answer] of within) {
    onEachTransport(`says that it came within the ${where}`, async transport => {
      const { errors } = await ending({ transport, delivery: 'whole' }, { answers: [answer], closes: true })
      assert.equal(errors.length, 3)
      for (const { message } of errors) assert.ok(message.includes(`within the ${where} of`), message)
    })
  }

  onEachWire('is followed by a new connection for what is asked next', async wire => {
    const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'
    const answers = [`${OK}X-A: b\r\n\r\nuntil the end`, cut, NO_CONTENT]
    await using server = await origin(
      async (peer, index) => {
        assert.equal((await peer.receiveRequest()).path, `/${index}`)
        await deliver(peer, [answers[index] ?? ''], wire)
        peer.end()
      },
      { transport: wire.transport },
    )
    await using client = await connect(server, wire.transport)
    const { owner, connPid } = client
    const whole = gun.get(connPid, '/0')
    assert.deepEqual(await collect(client, whole), [
      ['response', 200, [['x-a', 'b']], 'nofin'],
      data('until the end'),
    ])
    const inOrder = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.equal(inOrder.reason, 'normal')
    assert.equal(inOrder.protocol, 'http')
    assert.deepEqual(inOrder.killedStreams, [])
    const partial = gun.get(connPid, '/1')
    assert.deepEqual(await collect(client, partial), [sized(5), data('ab', 'nofin'), ['error', 'closed']])
    const early = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.ok(early.reason instanceof gun.GunError)
    assert.equal(early.reason.code, 'closed')
    assert.deepEqual(early.killedStreams, [partial])
    assert.deepEqual(await collect(client, gun.get(connPid, '/2')), noContent)
  })
})

describe('a body', () => {
  const parts: [name: string, first: string, rest: string, ends: boolean][] = [
    ['of a known length', `${OK}Content-Length: 4\r\n\r\nab`, 'cd', false],
    ['in chunks', `${CHUNKED}2\r\nab\r\n`, '2\r\ncd\r\n0\r\n\r\n', false],
    ['in one chunk', `${CHUNKED}4\r\nab`, 'cd\r\n0\r\n\r\n', false],
    ['that ends with the connection', `${OK}\r\nab`, 'cd', true],
  ]
  for (const [name, first, rest, ends] of parts) {
    onEachTransport(`${name} is handed on as it comes, before the rest is sent`, async transport => {
      const seen = defer<void>()
      await using server = await origin(
        async peer => {
          await peer.receiveRequest()
          await peer.send(first)
          await seen.promise
          await peer.send(rest)
          if (ends) peer.end()
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { owner, connPid } = client
      const streamRef = gun.get(connPid, '/')
      const { isFin } = await owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
      assert.equal(isFin, 'nofin')
      const message = await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
      assert.ok(Buffer.isBuffer(message.data))
      assert.deepEqual([String(message.data), message.isFin], ['ab', 'nofin'])
      assert.equal(owner.messageQueueLength, 0)
      seen.resolve()
      assert.deepEqual(await collect(client, streamRef), [data('cd')])
    })
  }

  onEachTransport('is not changed by what comes after it', async transport => {
    const seen = defer<void>()
    await using server = await origin(
      async peer => {
        await peer.receiveRequest()
        await peer.send(`${OK}Content-Length: 2000\r\n\r\n${'a'.repeat(1000)}`)
        await seen.promise
        await peer.send('b'.repeat(1000))
      },
      { transport },
    )
    await using client = await connect(server, transport)
    const streamRef = gun.get(client.connPid, '/')
    const first = await client.owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    seen.resolve()
    await collect(client, streamRef)
    assert.equal(String(first.data), 'a'.repeat(first.data.length))
  })

  onEachTransport('of many megabytes arrives as it was sent', async transport => {
    const body = Buffer.alloc(3_000_001, 'abcdefg')
    await using server = await origin(
      async peer => {
        await peer.receiveRequest()
        await peer.send(`${OK}Content-Length: ${body.length}\r\n\r\n`)
        await peer.send(body)
        await peer.receiveRequest()
        await peer.send(CHUNKED)
        for (let at = 0; at < body.length; at += 100_003) {
          const part = body.subarray(at, at + 100_003)
          await peer.send(`${part.length.toString(16)}\r\n`)
          await peer.send(part)
          await peer.send('\r\n')
        }
        await peer.send('0\r\n\r\n')
      },
      { transport },
    )
    await using client = await connect(server, transport)
    const { connPid } = client
    for (const path of ['/sized', '/chunked']) {
      const streamRef = gun.get(connPid, path)
      assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
      const { body: received } = await gun.awaitBody(connPid, streamRef, PATIENCE)
      assert.ok(received.equals(body), path)
    }
  })

  test('to an owner that does not read holds up the server also when it is the last one', async () => {
    await using _left = assertNothingLeft()
    const body = Buffer.alloc(16 * 1024 * 1024, 'x')
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`)
      await peer.send(body)
      peer.end()
    })
    await using client = await connect(server, 'tcp', {}, { highWaterMark: { messages: 10 } })
    const { owner, connPid } = client
    const streamRef = gun.get(connPid, '/')
    const isPaused = () => gun.info(connPid).socket?.isPaused() === true
    await eventually(heldUp(isPaused), 'the socket was never paused')
    assert.ok(owner.messageQueueLength < body.length / 65_536, 'it was paused before all had arrived')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
    assert.ok((await gun.awaitBody(connPid, streamRef, PATIENCE)).body.equals(body))
    assert.equal((await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)).reason, 'normal')
    await server.finished()
  })
})

describe('the limit of', () => {
  // Line ends count, the empty line at the end does not.
  const filled = (start: string, size: number): string => {
    const field = `${start}x-filler: \r\n`
    return field.replace('x-filler: ', `x-filler: ${'y'.repeat(size - field.length)}`)
  }
  const fillerOf = (block: string): string => block.match(/y+/)?.[0] ?? ''

  for (const [which, size, opts] of [
    ['as an option says', 200, { maxHeaderBlockSize: 200, maxTrailerBlockSize: 200 }],
    ['by default', 100_000, {}],
  ] as const) {
    const httpOpts: gun.HttpOpts = opts
    const inform = filled('HTTP/1.1 103 x\r\n', size)
    const answer = filled('HTTP/1.1 204 x\r\n', size)
    const filler = ['x-filler', fillerOf(answer)]

    onEachWire(`a head ${which} holds for each by itself, and it may be reached`, async wire => {
      const story = [
        ['inform', 103, [filler]],
        ['inform', 103, [filler]],
        ['response', 204, [filler], 'fin'],
      ]
      const exchange = { answer: `${inform}\r\n${inform}\r\n${answer}\r\n`, story }
      await converse(wire, [exchange, { answer: `${answer}\r\n`, story: story.slice(2) }], { httpOpts })
    })

    for (const [what, before, told] of [
      ['a response', '', []],
      ['an informational response', 'HTTP/1.1 100 x\r\n\r\n', ['0: inform 100']],
    ] as const) {
      onEachWire(`a head ${which} is not passed by one byte, in ${what}`, async wire => {
        const status = what === 'a response' ? '204' : '103'
        const over = filled(`HTTP/1.1 ${status} x\r\n`, size + 1)
        const { words, errors } = await ending(wire, {
          answers: [`${before}${over}\r\n`, NO_CONTENT],
          opts: { httpOpts },
        })
        assert.deepEqual(words, [...told, ...lost('limit_reached', 0, 1)])
        assert.equal(errors[0]?.message, `the header block exceeds maxHeaderBlockSize (${size} bytes)`)
      })
    }
  }

  for (const [which, size, opts] of [
    ['as an option says', 100, { maxTrailerBlockSize: 100 }],
    ['by default', 10_000, {}],
  ] as const) {
    const httpOpts: gun.HttpOpts = opts
    const start = `${CHUNKED}1\r\na\r\n0\r\n`

    onEachWire(`trailers ${which} holds for each by itself, and it may be reached`, async wire => {
      const trailers = filled('a: b\r\n', size)
      const exchange = {
        answer: `${start}${trailers}\r\n`,
        story: [
          chunked,
          data('a', 'nofin'),
          [
            'trailers',
            [
              ['a', 'b'],
              ['x-filler', fillerOf(trailers)],
            ],
          ],
        ],
      }
      await converse(wire, [exchange, exchange, next], { httpOpts })
    })

    onEachWire(`trailers ${which} is not passed by one byte`, async wire => {
      const answers = [`${start}${filled('a: b\r\n', size + 1)}\r\n`, NO_CONTENT]
      const { words, errors } = await ending(wire, { answers, opts: { httpOpts } })
      assert.deepEqual(words, ['0: response 200 nofin', '0: data nofin a', ...lost('limit_reached', 0, 1)])
      assert.equal(errors[0]?.message, `the trailer block exceeds maxTrailerBlockSize (${size} bytes)`)
    })
  }
})
