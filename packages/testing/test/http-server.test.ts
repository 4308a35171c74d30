// Servers that answer with a function: the request and the response are whole, over each version and transport.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { defer } from '../../../test/support/client.ts'
import {
  assertNothingLeft,
  type HttpServerOptions,
  leftovers,
  startHttpServer,
  type TestServer,
} from '../src/index.ts'

const PATIENCE = 5000

/** Opens a connection to a server, which is closed with its owner. */
function open({ host, port, path, opts }: TestServer) {
  const owner = createProcess<gun.GunMessage>()
  const all = { ...opts, owner, retry: 0 }
  const connPid = path === undefined ? gun.open(host, port, all) : gun.openUnix(path, all)
  return {
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      owner.exit()
    },
  }
}

const cases: [options: HttpServerOptions, version: string][] = [
  [{ transport: 'tcp' }, 'http'],
  [{ transport: 'tcp', protocol: 'http2' }, 'http2'],
  [{ transport: 'unix' }, 'http'],
  [{ transport: 'tls' }, 'http2'],
  [{ transport: 'tls', protocol: 'http' }, 'http'],
  [{ transport: 'tls', protocol: 'http2' }, 'http2'],
]

describe('a server that answers with a function', () => {
  for (const [options, version] of cases) {
    const name = `${version} over ${options.transport}${options.protocol === undefined ? '' : ', as asked for'}`

    test(`has the whole request, and its response arrives: ${name}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await startHttpServer(async request => {
        const { pathname, searchParams } = new URL(request.url)
        const told = [
          request.method,
          pathname,
          searchParams.get('b'),
          await request.text(),
          request.headers.get('x-a'),
        ]
        const headers = new Headers({ 'x-b': '2' })
        headers.append('set-cookie', 'c=1')
        headers.append('set-cookie', 'd=2')
        return Response.json(told, { status: 201, headers })
      }, options)
      await using it = open(server)
      assert.equal(await gun.awaitUp(it.connPid, PATIENCE), version)
      const streamRef = gun.post(it.connPid, '/a?b=c', { 'x-a': '1' }, 'body')
      const { status, headers, body } = await gun.awaitResponse(it.connPid, streamRef)
      assert.equal(status, 201)
      assert.deepEqual(JSON.parse(String(body)), ['POST', '/a', 'c', 'body', '1'])
      const named = (wanted: string) => headers.flatMap(([each, value]) => (each === wanted ? [value] : []))
      assert.deepEqual(named('x-b'), ['2'])
      assert.deepEqual(named('set-cookie'), ['c=1', 'd=2'])
    })

    test(`answers 500 and fails its close where the function throws: ${name}`, async () => {
      const server = await startHttpServer(() => {
        throw new Error('the function is wrong')
      }, options)
      await using it = open(server)
      const { status } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'))
      assert.equal(status, 500)
      await assert.rejects(server.close(), /the function is wrong/)
      await server.close()
    })

    test(`answers 500 without the fields of a response whose body fails at once: ${name}`, async () => {
      const server = await startHttpServer(() => {
        const pull = () => assert.fail('the body is wrong')
        return new Response(new ReadableStream({ pull }), { headers: { 'content-length': '5' } })
      }, options)
      await using it = open(server)
      const { status, body } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'))
      assert.deepEqual([status, body.length], [500, 0])
      await assert.rejects(server.close(), /the body is wrong/)
    })

    test(`stops a body whose client has gone before: ${name}`, async () => {
      const begun = defer<void>()
      const gone = defer<void>()
      const cancelled = defer<void>()
      await using server = await startHttpServer(async () => {
        begun.resolve(undefined)
        await gone.promise
        return new Response(new ReadableStream({ cancel: () => cancelled.resolve(undefined) }))
      }, options)
      const remaining = leftovers({ ignore: /^#Process/ })
      await using it = open(server)
      gun.get(it.connPid, '/')
      await begun.promise
      gun.close(it.connPid)
      assert.deepEqual(await remaining(), [])
      gone.resolve(undefined)
      await cancelled.promise
    })

    test(`breaks off where a body fails, and fails its close: ${name}`, async () => {
      const server = await startHttpServer(() => {
        let isFirst = true
        const pull = (controller: ReadableStreamDefaultController): void => {
          if (!isFirst) throw new Error('the body is wrong')
          isFirst = false
          controller.enqueue(Buffer.from('the beginning'))
        }
        return new Response(new ReadableStream({ pull }))
      }, options)
      await using it = open(server)
      const streamRef = gun.get(it.connPid, '/')
      await assert.rejects(gun.awaitResponse(it.connPid, streamRef), { name: 'GunError' })
      await assert.rejects(server.close(), /the body is wrong/)
    })

    test(`stops a body without end when the client cancels it: ${name}`, async () => {
      await using _left = assertNothingLeft()
      let resolve = (): void => {}
      const cancelled = new Promise<void>(settle => {
        resolve = settle
      })
      await using server = await startHttpServer(
        () =>
          new Response(
            new ReadableStream({
              pull: controller => controller.enqueue(Buffer.alloc(100)),
              cancel: () => resolve(),
            }),
          ),
        options,
      )
      await using it = open(server)
      const streamRef = gun.get(it.connPid, '/')
      await gun.await(it.connPid, streamRef)
      // Over HTTP/2 the cancel ends the stream, over HTTP/1.1 only the end of the connection does.
      gun.cancel(it.connPid, streamRef)
      if (version === 'http') gun.close(it.connPid)
      await cancelled
    })
  }

  test('a wrong argument is named', async () => {
    // @ts-expect-error there must be a function
    await assert.rejects(startHttpServer(), { name: 'TypeError', message: 'respond must be a function' })
    await assert.rejects(
      // @ts-expect-error there is no such version
      startHttpServer(() => new Response(), { protocol: 'http3' }),
      /^TypeError: options.protocol must be 'http' or 'http2', not 'http3'$/,
    )
  })

  test('names an answer that is no response', async () => {
    // @ts-expect-error a response is missing
    const server = await startHttpServer(() => undefined)
    await using it = open(server)
    const { status } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'))
    assert.equal(status, 500)
    await assert.rejects(
      server.close(),
      /^TypeError: the answer of respond must be an object, not undefined$/,
    )
  })

  test('has the path as it was sent, with two slashes too', async () => {
    await using server = await startHttpServer(({ url }) => new Response(url))
    await using it = open(server)
    const streamRef = gun.get(it.connPid, '//a/b', { host: 'here' })
    assert.equal(String((await gun.awaitResponse(it.connPid, streamRef)).body), 'http://here//a/b')
  })

  test('answers without a body where the status has none', async () => {
    await using server = await startHttpServer(() => new Response(null, { status: 204 }))
    await using it = open(server)
    const { status, body } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'))
    assert.deepEqual([status, String(body)], [204, ''])
  })

  test('gives the status of a redirection as it is', async () => {
    await using server = await startHttpServer(() => Response.redirect('http://elsewhere.test/', 302))
    await using it = open(server)
    const { status, headers } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'))
    assert.equal(status, 302)
    assert.ok(headers.some(([name, value]) => name === 'location' && value === 'http://elsewhere.test/'))
  })
})
