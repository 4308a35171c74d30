// HTTP as a caller sees it: what a script reads off the wire, and which messages its bytes become.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type http from 'node:http'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { connect, defer, NO_CONTENT, PATIENCE, receiveError } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { httpEnds } from '../support/http-ends.ts'
import { collect, onEachVersion } from '../support/http-scene.ts'
import { httpOrigin, httpServer, lineName, lines, NOTHING } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

describe('what is sent', () => {
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
  onEachVersion('goes on after an early response', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      const asked = await peer.request()
      await asked.answer({ status: 413, fields: [['content-length', '2']], body: 'no' })
      assert.deepEqual(await asked.content(), { body: 'body', trailers: [] })
      assert.equal((await peer.serve(NOTHING)).path, '/next')
    })
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.headers(connPid, 'POST', '/')
    assert.deepEqual(await collect(client, streamRef), [
      ['response', 413, [['content-length', '2']], 'nofin'],
      ['data', 'no', 'fin'],
    ])
    const next = line.version === 'http' ? gun.get(connPid, '/next') : undefined
    gun.data(connPid, streamRef, 'nofin', 'body')
    gun.data(connPid, streamRef, 'fin', '')
    // Over HTTP/2 it would not wait for the end of the body.
    assert.deepEqual(await collect(client, next ?? gun.get(connPid, '/next')), [['response', 204, [], 'fin']])
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

  onEachVersion('that exceeds its content-length is a gun_error, and the excess is not sent', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      const asked = await peer.request()
      assert.equal((await asked.content()).body, 'abc')
      await asked.answer(NOTHING)
      await peer.nothingMore()
    })
    await using client = await connect(server, line)
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
      const error = await receiveError(client, streamRef)
      assert.deepEqual([error.code, error.kind], ['badstate', 'connection_error'])
      assert.ok(error.message.includes(`${bytes} bytes, not the 3 `))
      assert.equal((await receiveError(client, behind)).cause, error)
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

  onEachVersion('that is complete takes no more data', async line => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await httpOrigin(line, async peer => {
      const asked = await peer.request()
      await asked.content()
      await answer.promise
      await asked.answer(NOTHING)
      await peer.serve(NOTHING)
    })
    await using client = await connect(server, line)
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

  onEachVersion('may be finished while the connection shuts down', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      const asked = await peer.request()
      assert.equal((await asked.content()).body, 'last')
      await asked.answer(NOTHING)
      await peer.nothingMore()
    })
    await using client = await connect(server, line)
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

describe('pipelining', () => {
  onEachVersion('a graceful shutdown lets all that was sent finish, and refuses the rest', async line => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await httpOrigin(line, async peer => {
      const asked = [await peer.request(), await peer.request(), await peer.request()]
      await answer.promise
      for (const each of asked) await each.answer(NOTHING)
      await peer.nothingMore()
    })
    await using client = await connect(server, line)
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
      const tick = mockTimeouts(t)
      const streamRef = gun.get(connPid, '/')
      const begin = async () => {
        answer.resolve()
        await owner.receive([{ type: 'gun_data', streamRef }])
      }
      if (!shutFirst) await begin()
      gun.shutdown(connPid)
      await tick(900)
      if (shutFirst) await begin()
      await tick(99)
      assert.equal(gun.info(connPid).stateName, 'closing')
      await tick(1)
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

for (const line of lines) {
  test(`parts of a body stay as they were, whatever is read after them, over ${lineName(line)}`, async () => {
    await using _left = assertNothingLeft()
    const sizes = [10, 50_000, 10, 10, 200_000, 10, 20_000, 10]
    const sent = randomBytes(sizes.reduce((sum, size) => sum + size))
    await using it = await httpEnds(line)
    const streamRef = gun.get(it.connPid, '/')
    const asked = await it.peer.request()
    await asked.head(200, [['content-length', `${sent.length}`]])
    await it.self.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    const parts: Buffer[] = []
    let [from, received] = [0, 0]
    for (const size of sizes) {
      void asked.data(sent.subarray(from, from + size))
      from += size
      // The parts go one after the other, so that each is a read of its own.
      while (received < from) {
        const { data } = await it.self.receive([{ type: 'gun_data', streamRef }], PATIENCE)
        parts.push(data)
        received += data.length
      }
    }
    assert.ok(Buffer.concat(parts).equals(sent))
  })
}

describe('with a real server', () => {
  const echo = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    // Not piped: from Node 22 on, an https server loses a pipelined request that back-pressure has paused.
    const parts: Buffer[] = []
    request.on('data', part => parts.push(part))
    request.on('end', () => {
      response.writeHead(200, { 'x-method': request.method })
      response.end(Buffer.concat(parts))
    })
  }
  for (const line of lines) {
    test(`a body waits for the server to continue, and is refused in time, over ${lineName(line)}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await httpServer(line, echo)
      const expected: (string | undefined)[] = []
      server.server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
        expected.push(request.url)
        if (request.url === '/refused') return response.writeHead(417, { 'content-length': 0 }).end()
        response.writeContinue()
        echo(request, response)
      })
      await using client = await connect(server, line)
      const { connPid, owner } = client
      const headers = { expect: '100-continue' }
      const streamRef = gun.post(connPid, '/taken', headers, 'body')
      const inform = await gun.await(connPid, streamRef, PATIENCE)
      assert.ok(inform.type === 'gun_inform' && inform.status === 100)
      assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
      assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), 'body')
      const refused = await gun.await(connPid, gun.post(connPid, '/refused', headers, 'body'), PATIENCE)
      assert.ok(refused.type === 'gun_response' && refused.status === 417)
      // Over HTTP/1.1 the server cannot know whether a body follows.
      if (line.version === 'http') {
        assert.equal((await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)).reason, 'normal')
      }
      assert.deepEqual(expected, ['/taken', '/refused'])
    })

    test(`a cancelled response is read away, and the next one comes, over ${lineName(line)}`, async () => {
      await using _left = assertNothingLeft()
      const onRequest = (request: http.IncomingMessage, response: http.ServerResponse) => {
        if (request.url === '/short') return response.end('short')
        for (let i = 0; i < 10; i++) response.write(Buffer.alloc(50_000))
        response.end()
      }
      await using server = await httpServer(line, onRequest)
      await using client = await connect(server, line)
      const { connPid } = client
      const long = gun.get(connPid, '/long')
      const short = gun.get(connPid, '/short')
      assert.equal((await gun.await(connPid, long, PATIENCE)).type, 'gun_response')
      gun.cancel(connPid, long)
      gun.flush(long)
      assert.equal((await gun.await(connPid, short, PATIENCE)).type, 'gun_response')
      assert.equal(String((await gun.awaitBody(connPid, short, PATIENCE)).body), 'short')
      assert.equal(gun.flush(long), 0)
    })

    test(`bodies of every size come back, over ${lineName(line)}`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      await using server = await httpServer(line, echo)
      await using client = await connect(server, line)
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
