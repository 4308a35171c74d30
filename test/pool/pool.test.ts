// A pool gives each request the connection with least to do, as Gun's pool_SUITE and its manual have it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { eventually, freePort, rejection } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { poolServer } from '../support/pool-server.ts'
import { websocketServer } from '../support/websocket-server.ts'

const HOST = '127.0.0.1'

/** Starts a pool that is up, and that is stopped with its test. */
async function started(
  port: number,
  opts: gun.PoolOpts = {},
): Promise<AsyncDisposable & { pool: gun.PoolPid }> {
  const pool = gun.pool.startPool(HOST, port, opts)
  await gun.pool.awaitUp(pool)
  return { pool, [Symbol.asyncDispose]: () => ended(pool) }
}

async function ended(pool: gun.PoolPid): Promise<void> {
  pool.exit('shutdown')
  await pool.exited
}

const bodyOf = async (streamRef: gun.PoolStreamRef) => String((await gun.pool.awaitResponse(streamRef)).body)

for (const version of ['http', 'http2'] as const) {
  for (const transport of ['tcp', 'tls'] as const) {
    test(`a pool of eight serves eight hundred requests over ${version} on ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await poolServer({ version, transport })
      server.isHolding = false
      const connOpts = { protocols: [version], transport, tlsOpts: { ca: certificates.ca } }
      await using it = await started(server.port, { connOpts })
      assert.equal(gun.pool.info(it.pool)?.conns.size, 8)
      const streams = Array.from({ length: 800 }, (_, n) => gun.pool.get(`/${n}`, { host: server.host }))
      const bodies = await Promise.all(streams.map(bodyOf))
      assert.deepEqual(
        bodies,
        streams.map((_, n) => `/${n}`),
      )
      assert.equal(server.made, 8)
      server.reset()
      await eventually(() => gun.pool.info(it.pool)?.state === 'degraded', 'the losses are known')
      assert.equal(await bodyOf(gun.pool.get('/again', { host: server.host })), '/again')
      await gun.pool.stopPool(HOST, server.port, { transport })
    })
  }

  test(`a connection over ${version} that is ended from outside is made again, and the pool is operational again`, async () => {
    await using server = await poolServer({ version })
    server.isHolding = false
    await using it = await started(server.port, { size: 2, connOpts: { protocols: [version] } })
    assert.equal(await bodyOf(gun.pool.get('/', { host: server.host })), '/')
    const [connPid] = gun.pool.info(it.pool)?.conns.keys() ?? []
    assert.ok(connPid)
    await using self = createProcess()
    const ref = self.monitor(connPid)
    self.exit(connPid, ['shutdown', 'test'])
    await self.receive([{ type: 'DOWN', ref }])
    assert.equal(gun.pool.info(it.pool)?.state, 'degraded')
    await gun.pool.awaitUp(it.pool)
    assert.equal(gun.pool.info(it.pool)?.state, 'operational')
    assert.equal(await bodyOf(gun.pool.get('/again', { host: server.host })), '/again')
    assert.equal(server.made, 3)
  })

  test(`connections over ${version} that the server resets are made again`, async () => {
    await using server = await poolServer({ version })
    server.isHolding = false
    await using it = await started(server.port, { size: 3, backoff: 0, connOpts: { protocols: [version] } })
    const streams = [1, 2, 3].map(n => gun.pool.get(`/${n}`, { host: server.host }))
    assert.deepEqual(await Promise.all(streams.map(bodyOf)), ['/1', '/2', '/3'])
    server.reset()
    await eventually(() => gun.pool.info(it.pool)?.state === 'degraded', 'the losses are known')
    await gun.pool.awaitUp(it.pool)
    assert.equal(await bodyOf(gun.pool.get('/again', { host: server.host })), '/again')
  })
}

test('messages go to the replyTo, and carry the reference that the request has returned', async () => {
  await using server = await poolServer()
  server.isHolding = false
  await using _it = await started(server.port, { size: 1 })
  await using self = createProcess<gun.GunMessage>()
  const streamRef = gun.pool.get('/a', { host: server.host }, { replyTo: self })
  const response = await self.receive([{ type: 'gun_response', streamRef }])
  assert.equal(response.connPid, streamRef.connPid)
  const { data } = await self.receive([{ type: 'gun_data', streamRef }])
  assert.equal(String(data), '/a')
})

test('await and awaitBody take the messages of a request without a replyTo', async () => {
  await using server = await poolServer()
  server.isHolding = false
  await using _it = await started(server.port, { size: 1 })
  const streamRef = gun.pool.get('/a', { host: server.host })
  const response = await gun.pool.await(streamRef)
  assert.equal(response.type, 'gun_response')
  assert.equal(String((await gun.pool.awaitBody(streamRef)).body), '/a')
})

test('awaitResponse behind await says that the head was read', async () => {
  await using server = await poolServer()
  server.isHolding = false
  await using _it = await started(server.port, { size: 1 })
  const streamRef = gun.pool.get('/a', { host: server.host })
  await gun.pool.await(streamRef)
  assert.equal((await rejection(gun.pool.awaitResponse(streamRef))).code, 'badstate')
})

test('a body follows through data, also of a request that waits', async () => {
  await using server = await poolServer()
  server.isHolding = false
  await using _it = await started(server.port, { size: 1 })
  const { host } = server
  const first = gun.pool.post('/1', { host })
  const second = gun.pool.post('/2', { host, 'content-length': 4 }, undefined, { sendHighWaterMark: 100 })
  const third = gun.pool.put('/3', { host }, 'xyz')
  assert.deepEqual([second.connPid, third.connPid], [undefined, undefined])
  assert.equal(gun.pool.data(second, 'nofin', 'ab'), false)
  assert.equal(gun.pool.data(second, 'fin', 'cd'), false)
  gun.pool.data(first, 'nofin', 'x')
  gun.pool.trailers(first, { 'x-sum': '1' })
  assert.deepEqual(await Promise.all([first, second, third].map(bodyOf)), ['/1x', '/2abcd', '/3xyz'])
})

test('a connection over HTTP/1.1 has one request at a time, and with pipelining as many as that says', async () => {
  await using server = await poolServer()
  await using _it = await started(server.port, { size: 2 })
  const streams = [1, 2, 3, 4].map(n => gun.pool.get(`/${n}`, { host: server.host }))
  await server.holds(2)
  assert.deepEqual([...server.paths].sort(), ['/1', '/2'])
  server.isHolding = false
  for (const held of server.held) held.answer()
  assert.deepEqual(await Promise.all(streams.map(bodyOf)), ['/1', '/2', '/3', '/4'])
  assert.equal(server.most, 1)

  await using piped = await started(server.port, { size: 1, pipelining: 2, scope: 'piped' })
  server.isHolding = true
  const more = [1, 2, 3].map(n => gun.pool.get(`/${n}`, { host: server.host }, { scope: 'piped' }))
  assert.equal(gun.pool.info(piped.pool)?.waiting, 1)
  assert.equal([...(gun.pool.info(piped.pool)?.conns.values() ?? [])][0]?.streams, 2)
  await server.holds(1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  assert.deepEqual(await Promise.all(more.map(bodyOf)), ['/1', '/2', '/3'])
})

test('a connection over HTTP/2 has as many streams as the server allows', async () => {
  await using server = await poolServer({ version: 'http2', maxConcurrentStreams: 5 })
  await using it = await started(server.port, { size: 2, connOpts: { protocols: ['http2'] } })
  const streams = Array.from({ length: 12 }, (_, n) => gun.pool.get(`/${n}`, { host: server.host }))
  await server.holds(10)
  assert.equal(gun.pool.info(it.pool)?.waiting, 2)
  assert.deepEqual(
    [...(gun.pool.info(it.pool)?.conns.values() ?? [])].map(({ streams: count }) => count),
    [5, 5],
  )
  server.isHolding = false
  for (const held of server.held) held.answer()
  await Promise.all(streams.map(bodyOf))
  assert.equal(server.most, 5)
})

test('the connection with least to do is taken', async () => {
  await using server = await poolServer({ version: 'http2' })
  await using _it = await started(server.port, { size: 3, connOpts: { protocols: ['http2'] } })
  const streams = Array.from({ length: 6 }, (_, n) => gun.pool.get(`/${n}`, { host: server.host }))
  const counts = new Map<unknown, number>()
  for (const { connPid } of streams) counts.set(connPid, (counts.get(connPid) ?? 0) + 1)
  assert.deepEqual([...counts.values()], [2, 2, 2])
  await server.holds(6)
  server.held.find(({ path }) => path === '/0')?.answer()
  await bodyOf(streams[0] as gun.PoolStreamRef)
  assert.equal(gun.pool.get('/more', { host: server.host }).connPid, streams[0]?.connPid)
})

test('a request that does not want to wait throws, as in Gun', async () => {
  await using server = await poolServer()
  await using _it = await started(server.port, { size: 1 })
  gun.pool.get('/1', { host: server.host })
  assert.throws(
    () => gun.pool.get('/2', { host: server.host }, { checkoutTimeout: 0 }),
    (error: unknown) => error instanceof gun.GunError && error.code === 'no_connection_available',
  )
})

test('checkoutRetry waits as long as all its pauses together, and gets a free connection at once', async () => {
  await using server = await poolServer()
  await using _it = await started(server.port, { size: 1 })
  const first = gun.pool.get('/1', { host: server.host })
  const second = gun.pool.get('/2', { host: server.host }, { checkoutRetry: [100, 5_000, 50_000] })
  await server.holds(1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  assert.equal(await bodyOf(first), '/1')
  assert.equal(await bodyOf(second), '/2')
})

test('a pool is found by scope and authority, and stopped by them', async () => {
  await using server = await poolServer()
  server.isHolding = false
  const pools = ['a', 'b'].map(scope => gun.pool.startPool(HOST, server.port, { scope, size: 1 }))
  assert.deepEqual(
    gun.pool.info().map(({ scope }) => scope),
    ['a', 'b'],
  )
  for (const pool of pools) await gun.pool.awaitUp(pool)
  await gun.pool.awaitUp(server.host, { scope: 'a' })
  const streamRef = gun.pool.get('/', { host: server.host }, { scope: 'b' })
  assert.ok(gun.pool.info(server.host, 'b')?.conns.has(streamRef.connPid as gun.ConnPid))
  assert.equal(await bodyOf(streamRef), '/')
  for (const scope of ['a', 'b']) await gun.pool.stopPool(HOST, server.port, { scope })
  assert.deepEqual(gun.pool.info(), [])
  assert.equal(gun.pool.info(server.host, 'a'), undefined)
  assert.equal(gun.pool.info(pools[0] as gun.PoolPid), undefined)
  assert.throws(
    () => gun.pool.get('/', { host: server.host }, { scope: 'a' }),
    (error: unknown) => error instanceof gun.GunError && error.code === 'pool_not_found',
  )
  assert.equal((await rejection(gun.pool.awaitUp(server.host))).code, 'pool_not_found')
  assert.equal((await rejection(gun.pool.stopPool(HOST, server.port))).code, 'pool_not_found')
})

test('a second pool for the same scope and authority is refused', async () => {
  await using server = await poolServer()
  await using _it = await started(server.port, { size: 1 })
  assert.throws(
    () => gun.pool.startPool(HOST, server.port),
    (error: unknown) => error instanceof gun.GunError && error.code === 'already_started',
  )
})

test('startPoolIfMissing starts the pool that a request misses, with its options', async () => {
  await using server = await poolServer()
  server.isHolding = false
  const opts = { scope: 'missing', startPoolIfMissing: { size: 2 } }
  assert.equal(await bodyOf(gun.pool.get('/1', { host: server.host }, opts)), '/1')
  assert.equal(await bodyOf(gun.pool.get('/2', { host: server.host }, opts)), '/2')
  assert.equal(gun.pool.info().length, 1)
  assert.equal(gun.pool.info(server.host, 'missing')?.size, 2)
  await gun.pool.stopPool(HOST, server.port, { scope: 'missing' })
})

test('a set-up makes WebSockets of the connections, and wsSend uses them in turn', async () => {
  await using server = await websocketServer()
  const frames: gun.WsFrameIn[] = []
  const handler: gun.WsHandler = {
    init: () => undefined,
    handle(frame) {
      frames.push(frame)
      return 0
    },
  }
  const setUp = (connPid: gun.ConnPid, message: gun.SetupMessage, state: number): gun.SetupResult<number> => {
    if (message.type === 'gun_up') gun.wsUpgrade(connPid, '/')
    if (message.type !== 'gun_upgrade') return ['setup', state + 1]
    return ['up', 'ws', { ws: message.streamRef, messages: state + 1 }]
  }
  const opts = { size: 2, setupFun: [setUp, 0] as const, connOpts: { wsOpts: { defaultProtocol: handler } } }
  await using it = await started(server.port, opts)
  const conns = [...(gun.pool.info(it.pool)?.conns.values() ?? [])]
  assert.deepEqual(
    conns.map(({ protocol, meta }) => [protocol, meta.messages]),
    [
      ['ws', 2],
      ['ws', 2],
    ],
  )
  for (let n = 0; n < 8; n++) gun.pool.wsSend(['text', `${n}`], { authority: `${HOST}:${server.port}` })
  await eventually(() => frames.length === 8, 'all echoes have come')
  const checkout = await gun.pool.checkout(it.pool)
  assert.ok(checkout.meta.ws instanceof Object)
})

test('a push of the server neither ends the connection nor counts as a stream', async () => {
  const server = createServer()
  server.on('stream', (stream, headers) => {
    if (headers[':path'] === '/push') {
      stream.pushStream({ ':path': '/pushed' }, (error, pushed) => {
        assert.equal(error, null)
        pushed.respond({ ':status': 200 })
        pushed.end('pushed')
        stream.end('pushing')
      })
    } else stream.end('plain')
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const host = `${HOST}:${port}`
  {
    await using it = await started(port, { size: 1, connOpts: { protocols: ['http2'] } })
    const streamRef = gun.pool.get('/push', { host })
    const push = await gun.pool.await(streamRef)
    assert.equal(push.type, 'gun_push')
    assert.equal((await gun.pool.await(streamRef)).type, 'gun_response')
    assert.equal(String((await gun.pool.awaitBody(streamRef)).body), 'pushing')
    const { connPid } = streamRef
    assert.ok(connPid && push.type === 'gun_push')
    assert.equal(String((await gun.awaitResponse(connPid, push.newStreamRef)).body), 'pushed')
    assert.equal(gun.pool.info(it.pool)?.conns.get(connPid)?.streams, 0)
    assert.equal(await bodyOf(gun.pool.get('/', { host })), 'plain')
  }
  server.close()
})

test('messages that come to the pool and are meant for nobody are reported once', async () => {
  await using collected = collectWarnings()
  await using server = await websocketServer()
  const setUp = (connPid: gun.ConnPid, message: gun.SetupMessage): gun.SetupResult => {
    if (message.type === 'gun_up') gun.wsUpgrade(connPid, '/')
    return message.type === 'gun_upgrade' ? ['up', 'ws', { ws: message.streamRef }] : ['setup', 0]
  }
  await using it = await started(server.port, { size: 1, setupFun: [setUp, 0] })
  const authority = `${HOST}:${server.port}`
  gun.pool.wsSend(
    [
      ['text', 'a'],
      ['text', 'b'],
      ['text', 'c'],
    ],
    { authority },
  )
  await eventually(() => collected.warnings.length > 0, 'it is reported')
  const { warnings } = await collected.take()
  assert.equal(warnings.length, 1)
  assert.match(String(warnings[0]), /gun_ws of #Conn<\d+> has come to the pool/)
  assert.equal(gun.pool.info(it.pool)?.state, 'operational')
})

test('a set-up that throws is reported, and its connection is made again after the pause', async () => {
  await using collected = collectWarnings()
  await using server = await poolServer()
  let calls = 0
  const setUp = (): gun.SetupResult => {
    if (++calls === 1) throw new Error('not today')
    return ['up', 'http', {}]
  }
  await using it = await started(server.port, { size: 1, backoff: 0, setupFun: [setUp, undefined] })
  assert.equal(gun.pool.info(it.pool)?.state, 'operational')
  assert.equal(calls, 2)
  const { warnings } = await collected.take()
  assert.match(String(warnings[0]), /not today/)
})

test('those who wait for a set-up that throws are told what it has thrown', async () => {
  await using collected = collectWarnings()
  await using server = await poolServer()
  const why = new Error('never')
  const setUp = (): gun.SetupResult => {
    throw why
  }
  const pool = gun.pool.startPool(HOST, server.port, { size: 1, setupFun: [setUp, undefined] })
  const error = await rejection(gun.pool.awaitResponse(gun.pool.get('/', { host: server.host })))
  assert.equal(error.code, 'no_connection_available')
  assert.match(error.message, /the set-up of a connection has thrown: never/)
  assert.ok(error.cause instanceof gun.GunError && error.cause.cause === why)
  assert.equal((await collected.take()).warnings.length, 1)
  await gun.pool.stopPool(HOST, server.port)
  assert.equal(pool.isAlive, false)
})

test('a set-up that never ends holds up those who wait until their time is over, and the end of the pool not at all', async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  const setUp = (): gun.SetupResult<undefined> => ['setup', undefined]
  const pool = gun.pool.startPool(HOST, server.port, { size: 1, setupFun: [setUp, undefined] })
  await eventually(
    () => [...(gun.pool.info(pool)?.conns.values() ?? [])][0]?.state === 'setup',
    'it is set up',
  )
  const headers = { host: server.host }
  const late = rejection(gun.pool.awaitResponse(gun.pool.get('/', headers, { checkoutTimeout: 1 })))
  assert.equal((await late).code, 'no_connection_available')
  const waits = rejection(gun.pool.awaitResponse(gun.pool.get('/', headers)))
  const up = rejection(gun.pool.awaitUp(pool))
  await gun.pool.stopPool(HOST, server.port)
  assert.equal((await waits).code, 'shutdown')
  assert.equal((await up).code, 'down')
})

test('a connection that cannot be made because of a wrong option is not tried again, and leaves the pool degraded', async () => {
  await using server = await poolServer()
  const { port } = server
  const pool = gun.pool.startPool(HOST, port, {
    size: 2,
    connOpts: { transport: 'tls', tlsOpts: { ciphers: 'NONE' } },
  })
  const error = await rejection(gun.pool.awaitResponse(gun.pool.get('/', { host: `${HOST}:${port}` })))
  assert.equal(error.code, 'no_connection_available')
  assert.ok(error.cause instanceof gun.GunError)
  assert.equal(error.cause.isPermanent, true)
  assert.equal(gun.pool.info(pool)?.state, 'degraded')
  await eventually(() => gun.pool.info(pool)?.conns.size === 0, 'both have ended')
  assert.throws(() => gun.pool.get('/', { host: `${HOST}:${port}` }), /no connection of the pool can be made/)
  await gun.pool.stopPool(HOST, port, { transport: 'tls' })
})

test('a pool of no connections is never operational', async () => {
  const port = await freePort()
  const pool = gun.pool.startPool(HOST, port, { size: 0 })
  assert.equal(gun.pool.info(pool)?.state, 'degraded')
  assert.throws(() => gun.pool.get('/', { host: `${HOST}:${port}` }), /no connection/)
  assert.equal((await rejection(gun.pool.awaitUp(pool, { timeout: 1 }))).code, 'timeout')
  await gun.pool.stopPool(HOST, port)
})

test('wrong calls name the argument', async () => {
  assert.throws(() => gun.pool.startPool('http://x', 80), /host must be/)
  assert.throws(() => gun.pool.startPool('x', 0), /port must be/)
  const refused = (opts: object, text: RegExp) =>
    assert.throws(
      () => gun.pool.startPool('x', 80, opts),
      (error: unknown) =>
        error instanceof gun.GunError && error.code === 'bad_option' && text.test(error.message),
    )
  refused({ sise: 3 }, /^sise is not an option: did you mean 'size'/)
  refused({ size: -1 }, /^size must be/)
  refused({ size: 1, sizeMin: 1 }, /^size means a fixed size/)
  refused({ sizeMin: 3, sizeMax: 2 }, /^sizeMin must not be more/)
  refused({ size: 1, idleTimeout: 5 }, /^idleTimeout means nothing/)
  refused({ connOpts: { retry: 3 } }, /^connOpts.retry is no option here/)
  refused(
    { connOpts: { connectTimout: 3 } },
    /^connOpts.connectTimout is not an option: did you mean 'connectTimeout'/,
  )
  refused({ connOpts: { protocols: ['http', 'http2'] } }, /protocols must name exactly one/)
  refused({ setupFun: () => {} }, /^setupFun must be a list/)
  refused({ retryTimeout: 3 }, /did you mean 'connOpts.retryTimeout'/)
  assert.throws(() => gun.pool.get('/', {}), /headers must have a host/)
  assert.throws(() => gun.pool.get('nowhere', { host: 'x' }), /path must begin/)
  assert.throws(
    () => gun.pool.get('/', { host: 'x' }, { tunnel: 1 } as never),
    /reqOpts.tunnel is no option of a pooled/,
  )
  assert.throws(
    () => gun.pool.get('/', { host: 'x' }, { checkoutTimeout: 1, checkoutRetry: [1] }),
    /both say how long/,
  )
  assert.throws(() => gun.pool.cancel({} as never), /streamRef must be a handle/)
  assert.throws(() => gun.pool.info(createProcess() as never), /pool must be what startPool gave/)
})
