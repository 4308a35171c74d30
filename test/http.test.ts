// HTTP/1.1 as a caller sees it: what a script reads off the wire, and which messages its bytes become.

import assert from 'node:assert/strict'
import type http from 'node:http'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import {
  type Client,
  connect,
  defer,
  eventually,
  NO_CONTENT,
  PATIENCE,
  receiveError,
} from './support/connect.ts'
import { assertNothingLeft, collectWarnings } from './support/leftovers.ts'
import { type Origin, origin, type Transport } from './support/origin.ts'
import { websocketServer } from './support/servers.ts'

const transports: Transport[] = ['tcp', 'tls', 'unix']
const manners = ['whole', 'bytes'] as const

/** A message without the parts that every one has, short enough to compare. */
type Short = readonly unknown[]

function shorten(message: gun.GunMessage): Short {
  switch (message.type) {
    case 'gun_inform':
      return ['inform', message.status, message.headers]
    case 'gun_response':
      return ['response', message.status, message.headers, message.isFin]
    case 'gun_data':
      return ['data', String(message.data), message.isFin]
    case 'gun_trailers':
      return ['trailers', message.headers]
    case 'gun_error':
      return ['error', message.reason.code]
    default:
      return [message.type]
  }
}

function endsStream(message: gun.GunMessage): boolean {
  if (message.type === 'gun_trailers' || message.type === 'gun_error') return true
  return (message.type === 'gun_response' || message.type === 'gun_data') && message.isFin === 'fin'
}

/** All messages of a stream; its data joined, since where chunks are cut is the network's business. */
async function collect({ owner }: Client, streamRef: gun.StreamRef): Promise<Short[]> {
  const collected: Short[] = []
  let body: Buffer | undefined
  for (;;) {
    const message = await owner.receive([{ streamRef }], PATIENCE)
    if (message.type === 'gun_data') {
      body = Buffer.concat([body ?? Buffer.alloc(0), message.data])
      if (message.isFin === 'fin') return [...collected, ['data', String(body), 'fin']]
    } else {
      if (body !== undefined) {
        collected.push(['data', String(body), 'nofin'])
        body = undefined
      }
      collected.push(shorten(message))
      if (endsStream(message)) return collected
    }
  }
}

describe('what is sent', () => {
  const host = ({ path, port, host }: Origin): string =>
    path === undefined ? `${host}:${port}` : 'localhost'

  for (const transport of transports) {
    test(`is exactly the request, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const requests: [(connPid: gun.ConnPid) => unknown, (host: string) => string][] = [
        [connPid => gun.get(connPid, '/a?b=c'), h => `GET /a?b=c HTTP/1.1\r\nhost: ${h}\r\n\r\n`],
        [connPid => gun.head(connPid, '/'), h => `HEAD / HTTP/1.1\r\nhost: ${h}\r\n\r\n`],
        [
          connPid => gun.request(connPid, 'POST', '/', { Accept: '*/*' }, 'bödy'),
          h => `POST / HTTP/1.1\r\nhost: ${h}\r\naccept: */*\r\ncontent-length: 5\r\n\r\nb\xc3\xb6dy`,
        ],
        [
          connPid => gun.request(connPid, 'PUT', '/', undefined, Uint8Array.of(0x61, 0xff)),
          h => `PUT / HTTP/1.1\r\nhost: ${h}\r\ncontent-length: 2\r\n\r\na\xff`,
        ],
        [
          connPid => gun.request(connPid, 'PATCH', '/', [], ['a', Buffer.from('b'), '', 'c']),
          h => `PATCH / HTTP/1.1\r\nhost: ${h}\r\ncontent-length: 3\r\n\r\nabc`,
        ],
        [
          connPid => gun.request(connPid, 'POST', '/', [], ''),
          h => `POST / HTTP/1.1\r\nhost: ${h}\r\ncontent-length: 0\r\n\r\n`,
        ],
        [
          connPid => gun.request(connPid, 'DELETE', '/', [], ''),
          h => `DELETE / HTTP/1.1\r\nhost: ${h}\r\n\r\n`,
        ],
        [
          connPid => gun.request(connPid, 'OPTIONS', '*', [], ''),
          h => `OPTIONS * HTTP/1.1\r\nhost: ${h}\r\n\r\n`,
        ],
        [
          connPid => gun.request(connPid, 'GET', '/', { 'Content-Length': 3 }, 'abc'),
          h => `GET / HTTP/1.1\r\nhost: ${h}\r\ncontent-length: 3\r\n\r\nabc`,
        ],
        [
          connPid => gun.request(connPid, 'POST', '/', { 'transfer-encoding': 'chunked' }, 'abc'),
          h => `POST / HTTP/1.1\r\nhost: ${h}\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
        ],
        [
          connPid => gun.get(connPid, '/', { Host: 'example.org' }),
          () => 'GET / HTTP/1.1\r\nhost: example.org\r\n\r\n',
        ],
      ]
      await using server = await origin(
        async peer => {
          for (const [, expected] of requests) {
            const bytes = expected(host(server))
            assert.equal((await peer.receive(bytes.length)).toString('latin1'), bytes)
            await peer.send(NO_CONTENT)
          }
          assert.equal((await peer.receiveAll()).length, 0)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { owner, connPid } = client
      for (const [send] of requests) send(connPid)
      for (const _ of requests) await owner.receive([{ type: 'gun_response' }], PATIENCE)
      gun.close(connPid)
      await server.finished()
    })
  }

  test('has its headers in lower case and in order, in each form in which they can be given', async () => {
    await using _left = assertNothingLeft()
    const forms: gun.HeadersInit[] = [
      [
        ['X-One', 1],
        ['x-Two', 'b'],
        ['X-TWO', 'c'],
      ],
      { 'X-One': 1, 'X-Two': ['b', 'c'] },
      new Map<string, string | number>([
        ['x-one', 1],
        ['X-Two', 'b'],
        ['x-two', 'c'],
      ]),
    ]
    await using server = await origin(async peer => {
      for (const _ of forms) {
        assert.deepEqual((await peer.receiveRequest()).headers.slice(1), [
          ['x-one', '1'],
          ['x-two', 'b'],
          ['x-two', 'c'],
        ])
        await peer.send(NO_CONTENT)
      }
      assert.equal((await peer.receiveRequest()).header('x-three'), 'd')
      await peer.send(NO_CONTENT)
    })
    await using client = await connect(server)
    for (const headers of forms) await collect(client, gun.get(client.connPid, '/', headers))
    await collect(client, gun.get(client.connPid, '/', new Headers({ 'X-Three': 'd' })))
    await server.finished()
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
    await collect(client, gun.get(client.connPid, '/'))
    assert.equal(await seen.promise, `[::1]:${server.port}`)
  })

  test('HTTP/1.0 is stated, and no request is sent before the response to the one ahead', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      const first = await peer.receiveRequest()
      assert.equal(first.version, 'HTTP/1.0')
      const next = peer.receiveRequest()
      let early = true
      next.then(() => assert.equal(early, false, 'HTTP/1.0 has no pipelining'))
      await peer.send('HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\no', 'bytes')
      early = false
      await peer.send('k')
      await next
      await peer.send('HTTP/1.0 200 OK\r\n\r\nuntil the end')
      peer.end()
    })
    await using client = await connect(server, 'tcp', { httpOpts: { version: 'HTTP/1.0' }, retry: 0 })
    const { connPid } = client
    const [first, second] = [gun.get(connPid, '/1'), gun.get(connPid, '/2')]
    const chunked = gun.headers(connPid, 'POST', '/3')
    assert.equal((await receiveError(client, chunked)).code, 'not_supported')
    assert.deepEqual((await collect(client, first)).at(-1), ['data', 'ok', 'fin'])
    assert.deepEqual((await collect(client, second)).at(-1), ['data', 'until the end', 'fin'])
    await server.finished()
  })
})

describe('a body that follows its headers', () => {
  for (const transport of transports) {
    test(`is sent in chunks, an empty one not at all, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const body = 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
      await using server = await origin(
        async peer => {
          for (let i = 0; i < 2; i++) {
            assert.equal(String(await peer.receive(body)).slice(0, 15), 'POST / HTTP/1.1')
            await peer.send(NO_CONTENT)
          }
          assert.match(String(await peer.receive('0\r\n\r\n')), /\r\n\r\n0\r\n\r\n$/)
          await peer.send(NO_CONTENT)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { connPid } = client
      const ended = gun.headers(connPid, 'POST', '/')
      gun.data(connPid, ended, 'nofin', '')
      gun.data(connPid, ended, 'nofin', 'abc')
      gun.data(connPid, ended, 'nofin', new Uint8Array())
      gun.data(connPid, ended, 'nofin', [])
      gun.data(connPid, ended, 'fin', Buffer.from('de'))
      assert.deepEqual(await collect(client, ended), [['response', 204, [], 'fin']])
      const endedByNothing = gun.headers(connPid, 'POST', '/')
      gun.data(connPid, endedByNothing, 'nofin', ['a', 'bc'])
      gun.data(connPid, endedByNothing, 'nofin', 'de')
      gun.data(connPid, endedByNothing, 'fin', '')
      assert.deepEqual(await collect(client, endedByNothing), [['response', 204, [], 'fin']])
      const empty = gun.headers(connPid, 'POST', '/')
      gun.data(connPid, empty, 'fin', '')
      assert.deepEqual(await collect(client, empty), [['response', 204, [], 'fin']])
      await server.finished()
    })

    test(`is sent as it is when its content-length is given, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(
        async peer => {
          assert.equal((await peer.receiveRequest()).header('transfer-encoding'), undefined)
          assert.equal(String(await peer.receive(5)), 'abcde')
          await peer.send(NO_CONTENT)
          assert.equal((await peer.receiveAll()).length, 0)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { connPid } = client
      const streamRef = gun.headers(connPid, 'PUT', '/', { 'content-length': 5 })
      gun.data(connPid, streamRef, 'nofin', 'abc')
      gun.data(connPid, streamRef, 'nofin', 'de')
      gun.data(connPid, streamRef, 'fin', '')
      assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
      gun.close(connPid)
      await server.finished()
    })
  }

  test('is waited for by the requests behind it', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      assert.equal((await peer.receiveRequest()).path, '/first')
      assert.equal(String(await peer.receive(2)), 'ab')
      assert.equal((await peer.receiveRequest()).path, '/second')
      assert.equal(String(await peer.receive('0\r\n\r\n')), '2\r\ncd\r\n0\r\n\r\n')
      assert.equal((await peer.receiveRequest()).path, '/third')
      await peer.send(NO_CONTENT.repeat(3))
    })
    await using client = await connect(server)
    const { connPid } = client
    const first = gun.headers(connPid, 'PUT', '/first', { 'content-length': 2 })
    const second = gun.headers(connPid, 'PUT', '/second')
    const third = gun.get(connPid, '/third')
    gun.data(connPid, second, 'nofin', 'cd')
    gun.data(connPid, first, 'nofin', 'a')
    gun.data(connPid, second, 'fin', '')
    gun.data(connPid, first, 'fin', 'b')
    for (const streamRef of [first, second, third]) {
      assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    }
    await server.finished()
  })

  test('goes on after an early response', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno')
      assert.equal(String(await peer.receive('0\r\n\r\n')), '4\r\nbody\r\n0\r\n\r\n')
      assert.equal((await peer.receiveRequest()).path, '/next')
      await peer.send(NO_CONTENT)
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.headers(connPid, 'POST', '/')
    const next = gun.get(connPid, '/next')
    assert.deepEqual(await collect(client, streamRef), [
      ['response', 413, [['content-length', '2']], 'nofin'],
      ['data', 'no', 'fin'],
    ])
    gun.data(connPid, streamRef, 'nofin', 'body')
    gun.data(connPid, streamRef, 'fin', '')
    assert.deepEqual(await collect(client, next), [['response', 204, [], 'fin']])
    await server.finished()
  })

  test('goes out at once although a later request waits for the next connection', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async (peer, index) => {
      await peer.receiveRequest()
      if (index > 0) return peer.send(NO_CONTENT)
      await peer.send('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nn')
      assert.equal(String(await peer.receive('0\r\n\r\n')), '4\r\nbody\r\n0\r\n\r\n')
      peer.end('o')
    })
    await using client = await connect(server)
    const { connPid } = client
    const upload = gun.headers(connPid, 'POST', '/')
    assert.equal((await gun.await(connPid, upload, PATIENCE)).type, 'gun_response')
    const next = gun.get(connPid, '/next')
    gun.data(connPid, upload, 'nofin', 'body')
    gun.data(connPid, upload, 'fin', '')
    assert.deepEqual(await collect(client, upload), [['data', 'no', 'fin']])
    assert.deepEqual(await collect(client, next), [['response', 204, [], 'fin']])
    await server.finished()
  })

  test('that exceeds its content-length is a gun_error, and the excess is not sent', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      assert.equal(String(await peer.receive(3)), 'abc')
      await peer.send(NO_CONTENT)
      assert.equal((await peer.receiveAll()).length, 0)
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.headers(connPid, 'PUT', '/', { 'content-length': 3 })
    gun.data(connPid, streamRef, 'nofin', 'ab')
    gun.data(connPid, streamRef, 'nofin', 'cd')
    const error = await receiveError(client, streamRef)
    assert.equal(error.code, 'badstate')
    assert.match(error.message, /4 bytes, not the 3 /)
    gun.data(connPid, streamRef, 'fin', 'c')
    assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    gun.close(connPid)
    await server.finished()
  })

  for (const [what, last, bytes] of [
    ['falls short of', '', 2],
    ['exceeds', 'cd', 4],
  ] as const) {
    test(`that ${what} its content-length in the end ends the connection, since nothing can follow it`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(async (peer, index) => {
        await peer.receiveRequest()
        if (index === 0) assert.equal((await peer.receiveAll()).length, 2)
        else await peer.send(NO_CONTENT)
      })
      await using client = await connect(server)
      const { owner, connPid } = client
      const streamRef = gun.headers(connPid, 'PUT', '/', { 'content-length': 3 })
      const behind = gun.get(connPid, '/behind')
      gun.data(connPid, streamRef, 'nofin', 'ab')
      gun.data(connPid, streamRef, 'fin', last)
      for (const ref of [streamRef, behind]) {
        const error = await receiveError(client, ref)
        assert.equal(error.code, 'badstate')
        assert.equal(error.kind, 'connection_error')
        assert.ok(error.message.includes(`${bytes} bytes, not the 3 `))
      }
      const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
      assert.deepEqual(down.killedStreams, [streamRef, behind])
      assert.deepEqual(await collect(client, gun.get(connPid, '/again')), [['response', 204, [], 'fin']])
    })
  }

  test('that falls short while others are still being sent harms only itself', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      assert.equal((await peer.receiveRequest()).path, '/first')
      assert.equal(String(await peer.receive(5)), '0\r\n\r\n')
      assert.equal((await peer.receiveRequest()).path, '/third')
      await peer.send(NO_CONTENT.repeat(2))
    })
    await using client = await connect(server)
    const { connPid } = client
    const first = gun.headers(connPid, 'PUT', '/first')
    const second = gun.headers(connPid, 'PUT', '/second', { 'content-length': 3 })
    const third = gun.get(connPid, '/third')
    gun.data(connPid, second, 'fin', 'ab')
    assert.equal((await receiveError(client, second)).kind, 'badstate')
    gun.data(connPid, first, 'fin', '')
    for (const streamRef of [first, third]) {
      assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    }
    await server.finished()
  })

  test('that is complete takes no more data', async () => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await origin(async peer => {
      await peer.receive('0\r\n\r\n')
      await answer.promise
      await peer.send(NO_CONTENT)
      await peer.receiveRequest()
      await peer.send(NO_CONTENT)
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.headers(connPid, 'POST', '/')
    gun.data(connPid, streamRef, 'fin', 'a')
    gun.data(connPid, streamRef, 'fin', 'b')
    assert.equal((await receiveError(client, streamRef)).code, 'badstate')
    answer.resolve()
    assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    gun.data(connPid, streamRef, 'nofin', 'c')
    assert.equal((await receiveError(client, streamRef)).code, 'badstate')
    const get = gun.get(connPid, '/')
    gun.data(connPid, get, 'fin', '')
    assert.equal((await receiveError(client, get)).code, 'badstate')
    await collect(client, get)
  })

  test('may be finished while the connection shuts down', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      assert.equal(String(await peer.receive('0\r\n\r\n')), '4\r\nlast\r\n0\r\n\r\n')
      await peer.send(NO_CONTENT)
      assert.equal((await peer.receiveAll()).length, 0)
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const monitorRef = owner.monitor(connPid)
    const streamRef = gun.headers(connPid, 'POST', '/')
    gun.shutdown(connPid)
    gun.data(connPid, streamRef, 'fin', 'last')
    assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    assert.equal((await owner.receive([{ type: 'DOWN', ref: monitorRef }], PATIENCE)).reason, 'shutdown')
    await server.finished()
  })
})

describe('a response', () => {
  const lastHeader = [['x-last', 'é']] as const
  const last = 'X-Last: \xe9\r\n'
  const chunks = '3;ext=1\r\nabc\r\n002\r\nde\r\n'
  const cases: [name: string, bytes: string, expected: Short[], method?: 'HEAD'][] = [
    ['without a body', `HTTP/1.1 204 No Content\r\n${last}\r\n`, [['response', 204, lastHeader, 'fin']]],
    ['not modified', `HTTP/1.1 304 Not Modified\r\n${last}\r\n`, [['response', 304, lastHeader, 'fin']]],
    [
      'with an empty body',
      `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`,
      [['response', 200, [['content-length', '0']], 'fin']],
    ],
    [
      'of a known length',
      `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${last}\r\nabcde`,
      [
        ['response', 200, [['content-length', '5'], ...lastHeader], 'nofin'],
        ['data', 'abcde', 'fin'],
      ],
    ],
    [
      'without a reason phrase, and with duplicates of a header',
      'HTTP/1.1 299 \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n',
      [
        [
          'response',
          299,
          [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
            ['content-length', '0'],
          ],
          'fin',
        ],
      ],
    ],
    [
      'in chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
      [
        ['response', 200, [['transfer-encoding', 'chunked']], 'nofin'],
        ['data', 'abcde', 'fin'],
      ],
    ],
    [
      'in chunks with trailers',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n${last}\r\n`,
      [
        ['response', 200, [['transfer-encoding', 'chunked']], 'nofin'],
        ['data', 'abcde', 'nofin'],
        ['trailers', lastHeader],
      ],
    ],
    [
      'after informational ones',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n${last}\r\n${NO_CONTENT}`,
      [
        ['inform', 100, []],
        ['inform', 103, lastHeader],
        ['response', 204, [], 'fin'],
      ],
    ],
    [
      'to HEAD, which has no body whatever its headers say',
      `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n`,
      [['response', 200, [['content-length', '5']], 'fin']],
      'HEAD',
    ],
  ]

  for (const transport of transports) {
    for (const how of manners) {
      for (const [name, bytes, expected, method = 'GET'] of cases) {
        test(`${name}, sent ${how}, over ${transport}`, async () => {
          await using _left = assertNothingLeft()
          await using server = await origin(
            async peer => {
              assert.equal((await peer.receiveRequest()).method, method)
              await peer.send(Buffer.from(bytes, 'latin1'), how)
              await peer.receiveRequest()
              await peer.send(NO_CONTENT, how)
            },
            { transport },
          )
          await using client = await connect(server, transport)
          const { owner, connPid } = client
          const streamRef = method === 'HEAD' ? gun.head(connPid, '/') : gun.get(connPid, '/')
          assert.deepEqual(await collect(client, streamRef), expected)
          // The connection is as good as before.
          assert.deepEqual(await collect(client, gun.get(connPid, '/')), [['response', 204, [], 'fin']])
          assert.equal(owner.messageQueueLength, 0)
        })
      }

      test(`that ends with the connection, sent ${how}, over ${transport}`, async () => {
        await using _left = assertNothingLeft()
        await using server = await origin(
          async (peer, index) => {
            await peer.receiveRequest()
            if (index > 0) return peer.send(NO_CONTENT)
            await peer.send('HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nuntil the end', how)
            peer.end()
          },
          { transport },
        )
        await using client = await connect(server, transport)
        const { owner, connPid } = client
        const streamRef = gun.get(connPid, '/')
        assert.deepEqual(await collect(client, streamRef), [
          ['response', 200, [['x-a', 'b']], 'nofin'],
          ['data', 'until the end', 'fin'],
        ])
        const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
        assert.equal(down.reason, 'normal')
        assert.equal(down.protocol, 'http')
        assert.deepEqual(down.killedStreams, [])
        assert.deepEqual(await collect(client, gun.get(connPid, '/')), [['response', 204, [], 'fin']])
      })
    }
  }

  test('data arrives as it comes, before the response is complete', async () => {
    await using _left = assertNothingLeft()
    const seen = defer<void>()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab')
      await seen.promise
      await peer.send('cd')
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const streamRef = gun.get(connPid, '/')
    const first = await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    assert.equal(String(first.data), 'ab')
    assert.equal(first.isFin, 'nofin')
    assert.ok(Buffer.isBuffer(first.data))
    seen.resolve()
    const second = await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    assert.deepEqual([String(second.data), second.isFin], ['cd', 'fin'])
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
    await eventually(isPaused, 'the socket was never paused')
    assert.ok(owner.messageQueueLength < body.length / 65_536, 'it was paused before all had arrived')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
    assert.ok((await gun.awaitBody(connPid, streamRef, PATIENCE)).body.equals(body))
    assert.equal((await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)).reason, 'normal')
    await server.finished()
  })

  test('that is cut off is a gun_error, and the next requests are for the next connection', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async (peer, index) => {
      await peer.receiveRequest()
      if (index > 0) return peer.send(NO_CONTENT)
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab')
      peer.end()
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const streamRef = gun.get(connPid, '/')
    assert.deepEqual(await collect(client, streamRef), [
      ['response', 200, [['content-length', '5']], 'nofin'],
      ['data', 'ab', 'nofin'],
      ['error', 'closed'],
    ])
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.deepEqual(down.killedStreams, [streamRef])
    assert.ok(down.reason instanceof gun.GunError)
    assert.deepEqual(await collect(client, gun.get(connPid, '/')), [['response', 204, [], 'fin']])
  })
})

describe('pipelining', () => {
  for (const transport of transports) {
    test(`requests leave at once and responses come in their order, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const count = 50
      await using server = await origin(
        async peer => {
          for (let i = 0; i < count; i++) assert.equal((await peer.receiveRequest()).path, `/${i}`)
          let responses = ''
          for (let i = 0; i < count; i++) {
            const body = `body of ${i}`
            responses += `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`
          }
          await peer.send(responses, 'bytes')
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { owner, connPid } = client
      const streamRefs = Array.from({ length: count }, (_, i) => gun.get(connPid, `/${i}`))
      const order: gun.StreamRef[] = []
      for (let i = 0; i < count; i++) {
        order.push((await owner.receive([{ type: 'gun_response', connPid }], PATIENCE)).streamRef)
      }
      assert.deepEqual(order, streamRefs)
      for (const [i, streamRef] of streamRefs.entries()) {
        assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), `body of ${i}`)
      }
    })

    test(`connection: close kills the requests behind it, and what is asked for afterwards is for the next connection, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const asked = defer<void>()
      await using server = await origin(
        async (peer, index) => {
          if (index > 0) {
            assert.equal((await peer.receiveRequest()).path, '/4')
            assert.equal((await peer.receiveRequest()).path, '/5')
            return peer.send(NO_CONTENT.repeat(2))
          }
          for (let i = 0; i < 4; i++) await peer.receiveRequest()
          await peer.send(NO_CONTENT)
          await peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nla')
          await asked.promise
          await peer.send('st')
          peer.end()
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { owner, connPid } = client
      const streamRefs = [0, 1, 2, 3].map(i => gun.get(connPid, `/${i}`))
      const [first, second, third, fourth] = streamRefs
      const messages: Short[] = []
      const nextMessage = async (): Promise<gun.GunMessage> => {
        const message = await owner.receive([{ connPid }], PATIENCE)
        const which = 'streamRef' in message ? streamRefs.indexOf(message.streamRef as gun.StreamRef) : -1
        messages.push([message.type, which])
        return message as gun.GunMessage
      }
      for (let i = 0; i < 3; i++) await nextMessage()
      assert.equal(gun.info(connPid).stateName, 'connected')
      const postponed = [gun.get(connPid, '/4'), gun.get(connPid, '/5')]
      asked.resolve()
      let down: gun.GunDown | undefined
      while (down === undefined) {
        const message = await nextMessage()
        if (message.type === 'gun_down') down = message
        if (message.type === 'gun_error') {
          assert.equal(message.reason.kind, 'connection_error')
          assert.equal(message.reason.code, 'closed')
        }
      }
      assert.equal(down.reason, 'normal')
      assert.deepEqual(down.killedStreams, [third, fourth])
      assert.ok(first && second)
      assert.deepEqual(messages, [
        ['gun_response', 0],
        ['gun_response', 1],
        ['gun_data', 1],
        ['gun_data', 1],
        ['gun_error', 2],
        ['gun_error', 3],
        ['gun_down', -1],
      ])
      await gun.awaitUp(connPid, PATIENCE)
      for (const streamRef of postponed) {
        assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
      }
      await server.finished()
    })
  }

  test('a receiver that asks again from within the last response is served by the next connection', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async (peer, index) => {
      assert.equal((await peer.receiveRequest()).path, `/${index}`)
      await peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      peer.end()
    })
    await using client = await connect(server)
    const { connPid } = client
    const got: Short[] = []
    const done = defer<void>()
    const replyTo = (message: gun.GunMessage): void => {
      got.push(shorten(message))
      if (got.length === 1) gun.get(connPid, '/1', [], { replyTo })
      else done.resolve()
    }
    gun.get(connPid, '/0', [], { replyTo })
    await done.promise
    assert.deepEqual(
      got.map(([type, status]) => [type, status]),
      [
        ['response', 200],
        ['response', 200],
      ],
    )
    await server.finished()
  })

  test('a graceful shutdown lets all that was sent finish, and refuses the rest', async () => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await origin(async peer => {
      for (let i = 0; i < 3; i++) await peer.receiveRequest()
      await answer.promise
      await peer.send(NO_CONTENT.repeat(3))
      assert.equal((await peer.receiveAll()).length, 0)
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const monitorRef = owner.monitor(connPid)
    const streamRefs = [gun.get(connPid, '/1'), gun.get(connPid, '/2'), gun.get(connPid, '/3')]
    gun.shutdown(connPid)
    const late = gun.get(connPid, '/late')
    assert.equal((await receiveError(client, late)).code, 'closing')
    answer.resolve()
    for (const streamRef of streamRefs) {
      assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    }
    assert.equal((await owner.receive([{ type: 'DOWN', ref: monitorRef }], PATIENCE)).reason, 'shutdown')
    assert.equal(owner.messageQueueLength, 0)
    await server.finished()
  })

  for (const [when, shutFirst] of [
    ['after a graceful shutdown was asked for', true],
    ['before a graceful shutdown is asked for', false],
  ] as const) {
    test(`a response with connection: close that begins ${when} has no longer than closingTimeout`, async t => {
      await using _left = assertNothingLeft()
      const answer = defer<void>()
      await using server = await origin(async peer => {
        await peer.receiveRequest()
        await answer.promise
        await peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nha')
        await peer.closed
      })
      await using client = await connect(server, 'tcp', { httpOpts: { closingTimeout: 1000 } })
      const { owner, connPid } = client
      const ref = owner.monitor(connPid)
      // On the clock that only this test moves.
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const streamRef = gun.get(connPid, '/')
      const begin = async () => {
        answer.resolve()
        await owner.receive([{ type: 'gun_data', streamRef }])
      }
      if (!shutFirst) await begin()
      gun.shutdown(connPid)
      t.mock.timers.tick(900)
      if (shutFirst) await begin()
      t.mock.timers.tick(99)
      assert.equal(gun.info(connPid).stateName, 'closing')
      t.mock.timers.tick(1)
      assert.equal(gun.info(connPid).stateName, 'terminated')
      const { reason } = await owner.receive([{ type: 'gun_error', streamRef }], 0)
      assert.equal(reason.code, 'closing_timeout')
      assert.equal((await owner.receive([{ type: 'DOWN', ref }], 0)).reason, 'shutdown')
    })
  }

  test('commands given before the connection is up are carried out in their order', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      const body = '0\r\n\r\n'
      assert.match(String(await peer.receive(body)), /^PUT \/0 .*\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n$/s)
      for (let i = 1; i < 10; i++) assert.equal((await peer.receiveRequest()).path, `/${i}`)
      await peer.send(NO_CONTENT.repeat(10))
    })
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner })
    const put = gun.headers(connPid, 'PUT', '/0')
    gun.data(connPid, put, 'nofin', 'ab')
    gun.data(connPid, put, 'fin', 'cd')
    const gets = Array.from({ length: 9 }, (_, i) => gun.get(connPid, `/${i + 1}`))
    for (const streamRef of [put, ...gets]) {
      const response = await gun.await(connPid, streamRef, PATIENCE)
      assert.equal(response.type, 'gun_response')
    }
    await server.finished()
  })
})

describe('what may not be sent throws, names its argument, and leaves the connection alone', () => {
  const wrong: [name: string, message: RegExp, send: (connPid: gun.ConnPid) => unknown][] = [
    ['a path with a space', /^path /, connPid => gun.get(connPid, '/a b')],
    ['a path with a line end', /^path /, connPid => gun.get(connPid, '/\r\nx: y')],
    ['an empty path', /^path /, connPid => gun.head(connPid, '')],
    ['a method that is no token', /^method /, connPid => gun.request(connPid, 'GE T', '/', [], '')],
    ['a method with a line end', /^method /, connPid => gun.headers(connPid, 'GET\n', '/')],
    ['a header name that is no token', /^headers: 'x y'/, connPid => gun.get(connPid, '/', { 'x y': '1' })],
    [
      'a header value with a line end',
      /^headers: the value of x /,
      connPid => gun.get(connPid, '/', { x: 'a\nb' }),
    ],
    [
      'a header value beyond latin1',
      /^headers: the value of x /,
      connPid => gun.get(connPid, '/', { x: '☃' }),
    ],
    [
      'a content-length that the body does not have',
      /^headers: content-length is 4/,
      connPid => gun.request(connPid, 'POST', '/', { 'content-length': 4 }, 'Hello'),
    ],
    [
      'a content-length with chunks',
      /^headers: content-length and transfer-encoding/,
      connPid => gun.headers(connPid, 'POST', '/', { 'content-length': 4, 'transfer-encoding': 'chunked' }),
    ],
    [
      'a transfer coding that nobody applies',
      /^headers: transfer-encoding can only be chunked/,
      connPid => gun.headers(connPid, 'POST', '/', { 'transfer-encoding': 'gzip' }),
    ],
    [
      'a body that is no bytes',
      /^body must be /,
      connPid => gun.request(connPid, 'POST', '/', [], 42 as unknown as string),
    ],
  ]

  test('each of them', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      assert.equal((await peer.receiveRequest()).path, '/good')
      await peer.send(NO_CONTENT)
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    for (const [name, message, send] of wrong)
      assert.throws(() => send(connPid), { name: 'TypeError', message }, name)
    const streamRef = gun.get(connPid, '/good')
    assert.throws(() => gun.data(connPid, streamRef, 'fin', 42 as unknown as string), {
      message: /^chunk must be /,
    })
    assert.throws(() => gun.data(connPid, streamRef, 'end' as 'fin', ''), { message: /^isFin must be / })
    assert.throws(() => gun.data(connPid, {} as gun.StreamRef, 'fin', ''), { message: /^streamRef must be / })
    assert.throws(() => gun.get({} as gun.ConnPid, '/'), { message: /^connPid must be / })
    assert.throws(() => gun.get(undefined as unknown as gun.ConnPid, '/'), { message: /^connPid must be / })
    assert.deepEqual(await collect(client, streamRef), [['response', 204, [], 'fin']])
    assert.equal(owner.messageQueueLength, 0)
    await server.finished()
  })
})

describe('with the server of node:http', () => {
  const echo = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    // Not piped: from Node 22 on, an https server loses a pipelined request that back-pressure has paused.
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part))
    request.on('end', () => {
      response.writeHead(200, { 'x-method': request.method })
      response.end(Buffer.concat(parts))
    })
  }
  for (const transport of transports) {
    test(`bodies of every size come back, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      await using server = await websocketServer({ transport, onRequest: echo })
      await using client = await connect(server, transport)
      const { connPid } = client
      const sizes = [0, 1, 100, 65_536, 1_000_000]
      const streams = sizes.map(size => {
        const body = Buffer.alloc(size, 'x')
        const whole = gun.request(connPid, 'POST', '/', [], body)
        const parts = gun.headers(connPid, 'PUT', '/')
        for (let at = 0; at < size; at += 30_000)
          gun.data(connPid, parts, 'nofin', body.subarray(at, at + 30_000))
        gun.data(connPid, parts, 'fin', '')
        return { size, whole, parts }
      })
      for (const { size, whole, parts } of streams) {
        for (const streamRef of [whole, parts]) {
          const response = await gun.await(connPid, streamRef, PATIENCE)
          assert.ok(response.type === 'gun_response' && response.status === 200)
          const { body } = await gun.awaitBody(connPid, streamRef, PATIENCE)
          assert.equal(body.length, size)
        }
      }
      await warnings.assertNone()
    })
  }
})
