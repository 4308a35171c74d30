// The channel holster:gun:requestCreate: told within the call, of each request, upgrade and tunnel, and with a way to add header fields.

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createServer2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { WebSocketServer } from 'ws'
import { freePort, PATIENCE, rejection } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { poolScene } from '../support/pool-scene.ts'
import { httpProxy } from '../support/tunnel-proxies.ts'

const CHANNEL = 'holster:gun:requestCreate'

/** Listens to the channel until it is disposed of. */
function listening(listener: (event: gun.RequestCreateEvent) => void): Disposable {
  const hear = (event: unknown) => listener(event as gun.RequestCreateEvent)
  subscribe(CHANNEL, hear)
  return { [Symbol.dispose]: () => unsubscribe(CHANNEL, hear) }
}

interface Recorder extends AsyncDisposable {
  readonly connPid: gun.ConnPid
  /** The header fields of the requests that the server has got, by their paths. */
  readonly seen: Map<string, IncomingHttpHeaders>
}

/** A server that records header fields and agrees to WebSockets, with a connection to it. */
async function recording(version: 'http' | 'http2'): Promise<Recorder> {
  const seen = new Map<string, IncomingHttpHeaders>()
  const server =
    version === 'http' ? createServer() : createServer2({ settings: { enableConnectProtocol: true } })
  server.on('request', (request, response) => {
    seen.set(request.url ?? '', request.headers)
    request.resume()
    response.end()
  })
  const websockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    seen.set(request.url ?? '', request.headers)
    websockets.handleUpgrade(request, socket, head, () => {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const self = createProcess<gun.GunMessage>()
  const { port } = server.address() as AddressInfo
  const connPid = gun.open('127.0.0.1', port, { owner: self, protocols: [version], retry: 0 })
  await gun.awaitUp(connPid, PATIENCE)
  return {
    connPid,
    seen,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      for (const client of websockets.clients) client.terminate()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

for (const version of ['http', 'http2'] as const) {
  describe(`requestCreate over ${version}`, () => {
    test('is published within the call, with all that is known, and its fields are sent', async () => {
      await using _left = assertNothingLeft()
      await using it = await recording(version)
      const told: gun.RequestCreateEvent[] = []
      using _heard = listening(event => {
        event.addHeader('TraceParent', '00-1')
        told.push(event)
      })
      const streamRef = gun.get(it.connPid, '/a?b', { 'X-C': 'd' })
      const [event] = told
      assert.equal(told.length, 1)
      const { addHeader, ...fields } = event as gun.RequestCreateEvent
      assert.equal(typeof addHeader, 'function')
      assert.deepEqual(fields, {
        connPid: it.connPid,
        streamRef,
        replyTo: it.connPid.owner,
        tunnel: undefined,
        function: 'request',
        method: 'GET',
        path: '/a?b',
        headers: [
          ['x-c', 'd'],
          ['traceparent', '00-1'],
        ],
      })
      await gun.awaitResponse(it.connPid, streamRef, PATIENCE)
      assert.equal(it.seen.get('/a?b')?.traceparent, '00-1')
      assert.throws(() => addHeader('x', 'y'), { message: /while the event is told/ })
    })

    test('is published of a request whose body follows', async () => {
      await using _left = assertNothingLeft()
      await using it = await recording(version)
      const told: string[] = []
      using _heard = listening(({ function: how, method, path, addHeader }) => {
        told.push(`${how} ${method} ${path}`)
        addHeader('x-added', 'yes')
      })
      const streamRef = gun.post(it.connPid, '/post')
      gun.data(it.connPid, streamRef, 'fin', 'body')
      await gun.awaitResponse(it.connPid, streamRef, PATIENCE)
      assert.deepEqual(told, ['headers POST /post'])
      assert.equal(it.seen.get('/post')?.['x-added'], 'yes')
    })

    for (const [name, value] of [
      ['host', 'elsewhere'],
      ['Content-Length', '3'],
      ['transfer-encoding', 'chunked'],
      ['connection', 'close'],
      ['Sec-WebSocket-Key', 'x'],
      ['not a name', 'x'],
      ['x', 'a\r\nb: c'],
    ] as const) {
      test(`refuses the field ${JSON.stringify(name)} with ${JSON.stringify(value)}, and the request goes out without it`, async () => {
        await using _left = assertNothingLeft()
        await using it = await recording(version)
        const errors: unknown[] = []
        using _heard = listening(({ addHeader }) => {
          try {
            addHeader(name, value)
          } catch (error) {
            errors.push(error)
          }
          addHeader('x-after', 'there')
        })
        const { status } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'), PATIENCE)
        assert.equal(status, 200)
        assert.equal(errors.length, 1)
        assert.ok(errors[0] instanceof TypeError)
        assert.equal(it.seen.get('/')?.['x-after'], 'there')
        assert.equal(it.seen.get('/')?.b, undefined)
      })
    }

    test('harms nothing if a subscriber throws', async () => {
      await using _left = assertNothingLeft()
      await using calm = collectWarnings()
      await using it = await recording(version)
      const boom = new Error('boom')
      {
        using _heard = listening(() => {
          throw boom
        })
        using _other = listening(({ addHeader }) => addHeader('x-other', 'heard'))
        const { status } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'), PATIENCE)
        assert.equal(status, 200)
      }
      assert.equal(it.seen.get('/')?.['x-other'], 'heard')
      assert.deepEqual((await calm.take()).exceptions, [boom])
    })

    test('is not published of a call that throws for its arguments', async () => {
      await using _left = assertNothingLeft()
      await using it = await recording(version)
      let count = 0
      using _heard = listening(() => count++)
      assert.throws(() => gun.get(it.connPid, 'no slash'))
      assert.throws(() => gun.get(it.connPid, '/', { 'a b': 'c' }))
      assert.throws(() => gun.request(it.connPid, 'PUT', '/', { 'content-length': '9' }, 'abc'))
      assert.equal(count, 0)
    })

    test('is published of a request of a pool, whether it waits or not', async () => {
      await using _left = assertNothingLeft()
      await using it = await poolScene({ size: 1, pipelining: 1 }, version, 1)
      const { headers, server } = it
      const told: gun.RequestCreateEvent[] = []
      using _heard = listening(event => {
        event.addHeader('x-added', event.path)
        told.push(event)
      })
      const first = gun.pool.get('/1', headers)
      const second = gun.pool.get('/2', headers)
      assert.deepEqual(
        told.map(({ connPid, streamRef, path, replyTo }) => [
          connPid === undefined,
          streamRef,
          path,
          replyTo === undefined,
        ]),
        [
          [false, first, '/1', false],
          [true, second, '/2', true],
        ],
      )
      const [held] = await server.holds(1)
      server.isHolding = false
      held?.answer()
      await gun.pool.awaitResponse(first)
      await gun.pool.awaitResponse(second)
      assert.deepEqual(server.paths, ['/1', '/2'])
    })

    test('is published of no request that a pool refuses at once', async () => {
      await using _left = assertNothingLeft()
      await using it = await poolScene({ size: 1, pipelining: 1 }, version, 1)
      let count = 0
      using _heard = listening(() => count++)
      gun.pool.get('/1', it.headers)
      const [held] = await it.server.holds(1)
      assert.throws(() => gun.pool.get('/2', it.headers, { checkoutTimeout: 0 }), {
        code: 'no_connection_available',
      })
      assert.equal(count, 1)
      held?.answer()
    })
  })
}

test('is published of an upgrade, whose request has the fields', async () => {
  await using _left = assertNothingLeft()
  await using it = await recording('http')
  const told: string[] = []
  using _heard = listening(({ function: how, method, path, addHeader }) => {
    told.push(`${how} ${method} ${path}`)
    addHeader('traceparent', '00-2')
  })
  const streamRef = gun.wsUpgrade(it.connPid, '/ws')
  const { type } = await gun.await(it.connPid, streamRef, PATIENCE)
  assert.equal(type, 'gun_upgrade')
  assert.deepEqual(told, ['wsUpgrade GET /ws'])
  assert.equal(it.seen.get('/ws')?.traceparent, '00-2')
})

test('is published of a tunnel without its credentials, and of the request within', async () => {
  await using _left = assertNothingLeft()
  await using proxy = await httpProxy()
  await using it = await recording('http')
  const { port } = new URL(`http://${gun.info(it.connPid).originHost}:${gun.info(it.connPid).originPort}`)
  const told: gun.RequestCreateEvent[] = []
  using _heard = listening(event => {
    event.addHeader('x-added', event.function)
    told.push(event)
  })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(proxy.host, proxy.port, { owner: self })
  await gun.awaitUp(connPid, PATIENCE)
  const destination = { host: '127.0.0.1', port: Number(port), username: 'user', password: 'secret' }
  const tunnel = gun.connect(connPid, destination)
  const streamRef = gun.get(connPid, '/within', {}, { tunnel })
  const { status } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.equal(status, 200)
  assert.deepEqual(
    told.map(({ function: how, method, path }) => `${how} ${method} ${path}`),
    [`connect CONNECT 127.0.0.1:${port}`, 'request GET /within'],
  )
  assert.deepEqual(
    told.map(event => event.tunnel),
    [undefined, tunnel],
  )
  assert.doesNotMatch(JSON.stringify(told[0]?.headers), /authorization/)
  assert.equal(it.seen.get('/within')?.['x-added'], 'request')
  gun.close(connPid)
  await connPid[Symbol.asyncDispose]()
  self.exit()
})

describe('streamError', () => {
  test('tells of each error of a stream, whatever brings it', async () => {
    await using _left = assertNothingLeft()
    const self = createProcess<gun.GunMessage>()
    const told: string[] = []
    const eventHandler: gun.EventHandler = {
      streamError: ({ streamRef, reason, replyTo }) => {
        assert.equal(replyTo, self)
        told.push(`${streamRef} ${reason.code}`)
      },
    }
    const opts: gun.Opts = { owner: self, retry: 0, eventHandler }
    const connPid = gun.open('127.0.0.1', await freePort(), opts)
    const waiting = gun.get(connPid, '/')
    const { code } = await rejection(gun.await(connPid, waiting, PATIENCE))
    await connPid[Symbol.asyncDispose]()
    const late = gun.get(connPid, '/late')
    assert.deepEqual(told, [`${waiting} ${code}`, `${late} closed`])
    self.exit()
  })

  test('is told behind close, within a callback too', async () => {
    await using _left = assertNothingLeft()
    await using it = await recording('http')
    const told: string[] = []
    const hear = (event: unknown) => {
      const { streamRef, reason } = event as gun.StreamErrorEvent
      told.push(`${streamRef} ${reason.code}`)
    }
    subscribe('holster:gun:streamError', hear)
    const other = gun.get(it.connPid, '/other', {}, { replyTo: () => {} })
    const replyTo = ({ type }: gun.GunMessage) => {
      if (type !== 'gun_response') return
      gun.close(it.connPid)
      due = gun.get(it.connPid, '/due', {}, { replyTo: () => {} })
    }
    let due: gun.StreamRef | undefined
    gun.get(it.connPid, '/', {}, { replyTo })
    const last = gun.get(it.connPid, '/last', {}, { replyTo: () => {} })
    const monitor = createProcess()
    monitor.monitor(it.connPid)
    await monitor.receive([{ type: 'DOWN' }], PATIENCE)
    unsubscribe('holster:gun:streamError', hear)
    assert.deepEqual(told.sort(), [`${last} shutdown`, `${due} shutdown`].sort())
    assert.ok(!told.some(line => line.startsWith(`${other} `)))
    monitor.exit()
  })

  test('ends a stream of a pool that never gets a connection; cancel tells of one that is given up', async () => {
    await using _left = assertNothingLeft()
    await using it = await poolScene({ size: 1, pipelining: 1 })
    const told: string[] = []
    const hear = (name: string) => (event: unknown) =>
      told.push(`${name} ${(event as gun.StreamEvent).streamRef}`)
    const [error, cancel] = [hear('error'), hear('cancel')]
    subscribe('holster:gun:streamError', error)
    subscribe('holster:gun:cancel', cancel)
    gun.pool.get('/1', it.headers)
    const [held] = await it.server.holds(1)
    const late = gun.pool.get('/2', it.headers, { checkoutTimeout: 1 })
    const givenUp = gun.pool.get('/3', it.headers)
    gun.pool.cancel(givenUp)
    await rejection(gun.pool.awaitResponse(late))
    held?.answer()
    assert.deepEqual(told, [`cancel ${givenUp}`, `error ${late}`])
    unsubscribe('holster:gun:streamError', error)
    unsubscribe('holster:gun:cancel', cancel)
  })
})
