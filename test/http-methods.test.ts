// The functions that are named after a method: what each sends, and whether its body follows.

import assert from 'node:assert/strict'
import { describe } from 'node:test'
import * as gun from '@holster/gun'
import { connect, defer, NO_CONTENT, PATIENCE, receiveError } from './support/connect.ts'
import {
  collect,
  converse,
  noContent,
  onEachTransport,
  onEachWire,
  type Short,
} from './support/http-scene.ts'
import { type Origin, origin, type Transport } from './support/origin.ts'

const bodiless = { OPTIONS: gun.options, DELETE: gun.delete } as const
const withBody = { PATCH: gun.patch, POST: gun.post, PUT: gun.put } as const
const methodsOf = <T extends object>(table: T) => Object.entries(table) as [string, T[keyof T]][]

const hostOf = ({ path, port, host }: Origin): string =>
  path === undefined ? `${host}:${port}` : 'localhost'

/** One request, and all that its server receives until the client closes. */
async function assertSent(
  transport: Transport,
  send: (connPid: gun.ConnPid) => gun.StreamRef,
  template: string,
): Promise<void> {
  await using server = await origin(
    async peer => {
      const bytes = template.replace('HOST', hostOf(server))
      assert.equal((await peer.receive(bytes.length)).toString('latin1'), bytes)
      await peer.send(NO_CONTENT)
      assert.equal((await peer.receiveAll()).length, 0)
    },
    { transport },
  )
  await using client = await connect(server, transport)
  assert.deepEqual(await collect(client, send(client.connPid)), noContent)
  assert.equal(client.owner.messageQueueLength, 0)
  gun.close(client.connPid)
  await server.finished()
}

for (const [method, send] of methodsOf(bodiless)) {
  describe(`${method} has no body`, () => {
    onEachTransport('and needs nothing but a path', transport =>
      assertSent(transport, it => send(it, '/a?b'), `${method} /a?b HTTP/1.1\r\nhost: HOST\r\n\r\n`),
    )
    onEachTransport('but may have headers', transport =>
      assertSent(
        transport,
        it => send(it, '/', { 'X-A': ['b', 'c'], d: 1 }, {}),
        `${method} / HTTP/1.1\r\nhost: HOST\r\nx-a: b\r\nx-a: c\r\nd: 1\r\n\r\n`,
      ),
    )
    onEachTransport('and may be about the server as a whole', transport =>
      assertSent(
        transport,
        it => send(it, '*', undefined, undefined),
        `${method} * HTTP/1.1\r\nhost: HOST\r\n\r\n`,
      ),
    )
    onEachTransport('so that it takes no data', async transport => {
      await using server = await origin(
        async peer => {
          await peer.receiveRequest()
          await peer.send(NO_CONTENT)
          assert.equal((await peer.receiveAll()).length, 0)
        },
        { transport },
      )
      await using client = await connect(server, transport)
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
      onEachTransport(`${name} is one whole request`, transport =>
        assertSent(
          transport,
          it => send(it, '/', { 'X-A': 'b' }, body),
          `${head}x-a: b\r\ncontent-length: ${length}\r\n\r\n${bytes}`,
        ),
      )
    }
    onEachTransport('and no headers is one whole request', transport =>
      assertSent(transport, it => send(it, '/', undefined, 'a', {}), `${head}content-length: 1\r\n\r\na`),
    )
    onEachTransport('that its headers want in chunks is sent in chunks', transport =>
      assertSent(
        transport,
        it => send(it, '/', [['Transfer-Encoding', 'chunked']], 'abc'),
        `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
      ),
    )
    onEachTransport('takes no data', async transport => {
      await using server = await origin(
        async peer => {
          await peer.receiveRequest()
          assert.equal(String(await peer.receive(4)), 'body')
          await peer.send(NO_CONTENT)
          assert.equal((await peer.receiveAll()).length, 0)
        },
        { transport },
      )
      await using client = await connect(server, transport)
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
    onEachTransport('lets it follow in chunks', transport =>
      assertSent(
        transport,
        it => follow(it, send(it, '/'), 'é', Buffer.from('b')),
        `${head}transfer-encoding: chunked\r\n\r\n2\r\n\xc3\xa9\r\n1\r\nb\r\n0\r\n\r\n`,
      ),
    )
    onEachTransport('but with headers lets it follow in chunks', transport =>
      assertSent(
        transport,
        it => follow(it, send(it, '/', { 'X-A': 'b' }), 'a'),
        `${head}x-a: b\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      ),
    )
    onEachTransport('that says so lets it follow in chunks', transport =>
      assertSent(
        transport,
        it => follow(it, send(it, '/', undefined, undefined, {})),
        `${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      ),
    )
    onEachTransport('but with its length lets it follow as it is', transport =>
      assertSent(
        transport,
        it => follow(it, send(it, '/', { 'content-length': 3 }), 'ab', 'c'),
        `${head}content-length: 3\r\n\r\nabc`,
      ),
    )
    onEachTransport('is sent before any of that is given', async transport => {
      const seen = defer<void>()
      await using server = await origin(
        async peer => {
          assert.equal((await peer.receiveRequest()).method, method)
          seen.resolve()
          assert.equal(String(await peer.receive('0\r\n\r\n')), '1\r\na\r\n0\r\n\r\n')
          await peer.send(NO_CONTENT)
        },
        { transport },
      )
      await using client = await connect(server, transport)
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
  const story: Short[] = [
    ['inform', 103, []],
    ['response', 200, [['content-length', '5']], 'nofin'],
    ['data', 'abcde', 'fin'],
  ]
  const answer = 'HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde'
  for (const [method, send] of methodsOf(bodiless)) {
    onEachWire(`to ${method} may have a body`, wire => {
      const ask = (connPid: gun.ConnPid) => send(connPid, '/')
      return converse(wire, [
        { ask, answer, story },
        { ask, answer: NO_CONTENT, story: noContent },
      ])
    })
  }
  for (const [method, send] of methodsOf(withBody)) {
    onEachWire(`to ${method} may have a body`, wire => {
      const ask = (connPid: gun.ConnPid) => send(connPid, '/', {}, '')
      return converse(wire, [
        { ask, answer, story },
        { ask, answer: NO_CONTENT, story: noContent },
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
    onEachTransport(`replies to whom its options say: ${name}`, async transport => {
      await using server = await origin(
        async peer => {
          await peer.receiveRequest()
          await peer.send(NO_CONTENT)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const replied = defer<gun.GunMessage>()
      const streamRef = send(client.connPid, '/', [], { replyTo: message => replied.resolve(message) })
      const message = await replied.promise
      assert.ok(message.type === 'gun_response')
      assert.equal(message.streamRef, streamRef)
      assert.equal(client.owner.messageQueueLength, 0)
    })
  }

  onEachTransport('refuses what may not be sent, by name, and sends nothing', async transport => {
    await using server = await origin(
      async peer => {
        assert.equal((await peer.receiveRequest()).path, '/good')
        await peer.send(NO_CONTENT)
        assert.equal((await peer.receiveAll()).length, 0)
      },
      { transport },
    )
    await using client = await connect(server, transport)
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
