// The functions that are named after a method: what each sends, and whether its body follows.

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import * as gun from '@holster/gun'
import { connect, defer, PATIENCE, receiveError } from '../support/client.ts'
import {
  type Answered,
  collect,
  exchange,
  noContent,
  onEachLine,
  onEachLineAndDelivery,
} from '../support/http-scene.ts'
import { httpOrigin, NOTHING } from '../support/http-server.ts'
import { assertSent } from '../support/sent-requests.ts'

const bodiless = { OPTIONS: gun.options, DELETE: gun.delete } as const
const withBody = { PATCH: gun.patch, POST: gun.post, PUT: gun.put } as const
const methodsOf = <T extends object>(table: T) => Object.entries(table) as [string, T[keyof T]][]

for (const [method, send] of methodsOf(bodiless)) {
  describe(`${method} has no body`, () => {
    onEachLine('and needs nothing but a path', line =>
      assertSent(line, {
        request: [it => send(it, '/a?b'), `${method} /a?b HTTP/1.1\r\nhost: HOST\r\n\r\n`],
      }),
    )
    onEachLine('but may have headers', line =>
      assertSent(line, {
        request: [
          it => send(it, '/', { 'X-A': ['b', 'c'], d: 1 }, {}),
          `${method} / HTTP/1.1\r\nhost: HOST\r\nx-a: b\r\nx-a: c\r\nd: 1\r\n\r\n`,
        ],
      }),
    )
    onEachLine('and may be about the server as a whole', line =>
      assertSent(line, {
        request: [it => send(it, '*', undefined, undefined), `${method} * HTTP/1.1\r\nhost: HOST\r\n\r\n`],
      }),
    )
    onEachLine('so that it takes no data', async line => {
      await using server = await httpOrigin(line, async peer => {
        await peer.serve(NOTHING)
        await peer.nothingMore()
      })
      await using client = await connect(server, line)
      const { connPid } = client
      const streamRef = send(connPid, '/')
      gun.data(connPid, streamRef, 'fin', 'body')
      assert.equal((await receiveError(client, streamRef)).code, 'badstate')
      assert.deepEqual(await collect(client, streamRef), noContent)
      gun.close(connPid)
      await server.finished()
    })
  })
}

for (const [method, send] of methodsOf(withBody)) {
  describe(`${method} with a body`, () => {
    const head = `${method} / HTTP/1.1\r\nhost: HOST\r\n`
    const bodies: Record<string, [body: gun.Bytes, length: number, bytes: string]> = {
      'that is a string': ['aé☃', 6, 'a\xc3\xa9\xe2\x98\x83'],
      'that is bytes': [Uint8Array.of(0, 0xff), 2, '\0\xff'],
      'that is a list': [['é', Buffer.from('b'), '', new Uint8Array()], 3, '\xc3\xa9b'],
      'that is an empty string': ['', 0, ''],
      'that is no byte': [new Uint8Array(), 0, ''],
      'that is an empty list': [[], 0, ''],
    }
    for (const [name, [body, length, bytes]] of Object.entries(bodies)) {
      onEachLine(`${name} is one whole request`, line =>
        assertSent(line, {
          request: [
            it => send(it, '/', { 'X-A': 'b' }, body),
            `${head}x-a: b\r\ncontent-length: ${length}\r\n\r\n${bytes}`,
          ],
        }),
      )
    }
    onEachLine('and no headers is one whole request', line =>
      assertSent(line, {
        request: [it => send(it, '/', undefined, 'a', {}), `${head}content-length: 1\r\n\r\na`],
      }),
    )
    onEachLine('that its headers want in chunks is sent in chunks', line =>
      assertSent(line, {
        request: [
          it => send(it, '/', [['Transfer-Encoding', 'chunked']], 'abc'),
          `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
        ],
      }),
    )
    onEachLine('takes no data', async line => {
      await using server = await httpOrigin(line, async peer => {
        const asked = await peer.request()
        assert.equal((await asked.content()).body, 'body')
        await asked.answer(NOTHING)
        await peer.nothingMore()
      })
      await using client = await connect(server, line)
      const { connPid } = client
      const streamRef = send(connPid, '/', [], 'body')
      gun.data(connPid, streamRef, 'fin', 'more')
      assert.equal((await receiveError(client, streamRef)).code, 'badstate')
      assert.deepEqual(await collect(client, streamRef), noContent)
      gun.close(connPid)
      await server.finished()
    })
  })

  describe(`${method} without a body`, () => {
    const head = `${method} / HTTP/1.1\r\nhost: HOST\r\n`
    const follow = (connPid: gun.ConnPid, streamRef: gun.StreamRef, ...parts: gun.Bytes[]): gun.StreamRef => {
      for (const part of parts) gun.data(connPid, streamRef, 'nofin', part)
      gun.data(connPid, streamRef, 'fin', '')
      return streamRef
    }
    onEachLine('lets it follow in chunks', line =>
      assertSent(line, {
        request: [
          it => follow(it, send(it, '/'), 'é', Buffer.from('b')),
          `${head}transfer-encoding: chunked\r\n\r\n2\r\n\xc3\xa9\r\n1\r\nb\r\n0\r\n\r\n`,
        ],
      }),
    )
    onEachLine('but with headers lets it follow in chunks', line =>
      assertSent(line, {
        request: [
          it => follow(it, send(it, '/', { 'X-A': 'b' }), 'a'),
          `${head}x-a: b\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
        ],
      }),
    )
    onEachLine('that says so lets it follow in chunks', line =>
      assertSent(line, {
        request: [
          it => follow(it, send(it, '/', undefined, undefined, {})),
          `${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
        ],
      }),
    )
    onEachLine('but with its length lets it follow as it is', line =>
      assertSent(line, {
        request: [
          it => follow(it, send(it, '/', { 'content-length': 3 }), 'ab', 'c'),
          `${head}content-length: 3\r\n\r\nabc`,
        ],
      }),
    )
    onEachLine('is sent before any of that is given', async line => {
      const seen = defer<void>()
      await using server = await httpOrigin(line, async peer => {
        const asked = await peer.request()
        assert.equal(asked.method, method)
        seen.resolve()
        assert.equal((await asked.content()).body, 'a')
        await asked.answer(NOTHING)
      })
      await using client = await connect(server, line)
      const { connPid } = client
      const streamRef = send(connPid, '/')
      await seen.promise
      gun.data(connPid, streamRef, 'fin', 'a')
      assert.deepEqual(await collect(client, streamRef), noContent)
      await server.finished()
    })
  })
}

describe('a response', () => {
  const full: Omit<Answered, 'ask'> = {
    answer: { informs: [[103]], status: 200, fields: [['content-length', '5']], body: 'abcde' },
    story: [
      ['inform', 103, []],
      ['response', 200, [['content-length', '5']], 'nofin'],
      ['data', 'abcde', 'fin'],
    ],
  }
  const empty = { answer: NOTHING, story: noContent }
  for (const [method, send] of methodsOf(bodiless)) {
    onEachLineAndDelivery(`to ${method} may have a body`, wire => {
      const ask = (connPid: gun.ConnPid) => send(connPid, '/')
      return exchange(wire, [
        { ask, ...full },
        { ask, ...empty },
      ])
    })
  }
  for (const [method, send] of methodsOf(withBody)) {
    onEachLineAndDelivery(`to ${method} may have a body`, wire => {
      const ask = (connPid: gun.ConnPid) => send(connPid, '/', {}, '')
      return exchange(wire, [
        { ask, ...full },
        { ask, ...empty },
      ])
    })
  }
})

describe('each of them', () => {
  const all = {
    options: (it: gun.ConnPid, path: string, headers?: gun.HeadersInit, reqOpts?: gun.ReqOpts) =>
      gun.options(it, path, headers, reqOpts),
    delete: (it: gun.ConnPid, path: string, headers?: gun.HeadersInit, reqOpts?: gun.ReqOpts) =>
      gun.delete(it, path, headers, reqOpts),
    patch: (it: gun.ConnPid, path: string, headers?: gun.HeadersInit, reqOpts?: gun.ReqOpts) =>
      gun.patch(it, path, headers, 'body', reqOpts),
    post: (it: gun.ConnPid, path: string, headers?: gun.HeadersInit, reqOpts?: gun.ReqOpts) =>
      gun.post(it, path, headers, 'body', reqOpts),
    put: (it: gun.ConnPid, path: string, headers?: gun.HeadersInit, reqOpts?: gun.ReqOpts) =>
      gun.put(it, path, headers, 'body', reqOpts),
    'patch, without a body,': (
      it: gun.ConnPid,
      path: string,
      headers?: gun.HeadersInit,
      reqOpts?: gun.ReqOpts,
    ) => gun.patch(it, path, headers, undefined, reqOpts),
    'post, without a body,': (
      it: gun.ConnPid,
      path: string,
      headers?: gun.HeadersInit,
      reqOpts?: gun.ReqOpts,
    ) => gun.post(it, path, headers, undefined, reqOpts),
    'put, without a body,': (
      it: gun.ConnPid,
      path: string,
      headers?: gun.HeadersInit,
      reqOpts?: gun.ReqOpts,
    ) => gun.put(it, path, headers, undefined, reqOpts),
  }

  for (const [name, send] of Object.entries(all)) {
    onEachLine(`replies to whom its options say: ${name}`, async line => {
      await using server = await httpOrigin(line, async peer => {
        const asked = await peer.request()
        await asked.answer(NOTHING)
      })
      await using client = await connect(server, line)
      const replied = defer<gun.GunMessage>()
      const streamRef = send(client.connPid, '/', [], { replyTo: message => replied.resolve(message) })
      const message = await replied.promise
      assert.ok(message.type === 'gun_response')
      assert.equal(message.streamRef, streamRef)
      assert.equal(client.owner.messageQueueLength, 0)
    })
  }

  onEachLine('refuses what may not be sent, by name, and sends nothing', async line => {
    await using server = await httpOrigin(line, async peer => {
      assert.equal((await peer.serve(NOTHING)).path, '/good')
      await peer.nothingMore()
    })
    await using client = await connect(server, line)
    const { owner, connPid } = client
    const refuse = (message: RegExp, send: () => unknown, what: string): void => {
      assert.throws(send, { name: 'TypeError', message }, what)
    }
    for (const [name, send] of Object.entries(all)) {
      for (const path of ['', '/a b', '/\r\nx: y', '/\0', '/é', undefined as unknown as string]) {
        refuse(/^path must be /, () => send(connPid, path), `${name} ${path}`)
      }
      for (const field of ['x y', 'x:', '', 'x\r\n', ':path']) {
        refuse(/^headers: .* is not a header name/s, () => send(connPid, '/', { [field]: 'a' }), name)
      }
      for (const value of ['a\r\nb: c', 'a\0', 'a\n', '☃']) {
        refuse(/^headers: the value of x has /, () => send(connPid, '/', { x: value }), name)
      }
      refuse(/^connPid must be /, () => send({} as gun.ConnPid, '/'), name)
      assert.throws(() => send(connPid, '/', [], { replyTo: 1 } as unknown as gun.ReqOpts), {
        name: 'GunError',
        code: 'bad_option',
      })
    }
    for (const [, send] of methodsOf(withBody)) {
      for (const body of [null, 1, {}, [1], new ArrayBuffer(1)]) {
        refuse(/^body must be /, () => send(connPid, '/', [], body as string), String(body))
      }
      refuse(
        /^headers: content-length is 4, but /,
        () => send(connPid, '/', { 'content-length': 4 }, 'Hello'),
        'a wrong length',
      )
    }
    const streamRef = gun.get(connPid, '/good')
    const response = await owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    assert.equal(response.status, 204)
    assert.equal(owner.messageQueueLength, 0)
    gun.close(connPid)
    await server.finished()
  })
})
