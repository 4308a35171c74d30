// A pool grows and shrinks, renews its connections, backs off behind failures, and ends as a process does.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, exit, setExitHook } from '@holster/process'
import { eventually, freePort, rejection } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { bodyOf, poolScene } from '../support/pool-scene.ts'
import { poolServer } from '../support/pool-server.ts'
import { proxied } from '../support/proxied.ts'
import { HELLO } from '../support/tunnel-origins.ts'

const HOST = '127.0.0.1'

test('a pool grows up to sizeMax while callers wait, and shrinks to sizeMin when connections were idle', async t => {
  const pass = mockTimeouts(t)
  await using it = await poolScene({ sizeMin: 1, sizeMax: 3, idleTimeout: 1000 })
  const { headers, server } = it
  assert.equal(it.info().size, 1)
  const streams = [1, 2, 3, 4].map(n => gun.pool.get(`/${n}`, headers))
  await server.holds(3)
  assert.equal(it.info().size, 3)
  assert.equal(it.info().waiting, 1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  await Promise.all(streams.map(bodyOf))
  await eventually(() => it.info().conns.size === 3, 'all live')
  for (let n = 0; n < 10 && it.info().size > 1; n++) await pass(1000)
  assert.equal(it.info().size, 1)
  await eventually(() => server.open === 1, 'two have ended')
  assert.equal(await bodyOf(gun.pool.get('/again', headers)), '/again')
})

test('a pool of sizeMin 0 opens its first connection for its first request', async () => {
  await using server = await poolServer()
  server.isHolding = false
  const pool = gun.pool.startPool(HOST, server.port, { sizeMin: 0, sizeMax: 2, idleTimeout: 60_000 })
  assert.equal(gun.pool.info(pool)?.state, 'operational')
  assert.equal(gun.pool.info(pool)?.conns.size, 0)
  assert.equal(await bodyOf(gun.pool.get('/', { host: server.host })), '/')
  assert.equal(gun.pool.info(pool)?.conns.size, 1)
  await gun.pool.stopPool(HOST, server.port)
})

test('an old connection ends behind its stream, and never in the middle of it', async t => {
  const pass = mockTimeouts(t)
  await using it = await poolScene({ size: 1, maxLifetime: 1000 })
  const { headers, server } = it
  const streamRef = gun.pool.get('/long', headers)
  const [held] = await server.holds(1)
  await pass(1000)
  await pass(0)
  await eventually(() => server.made === 2, 'another has taken its place')
  assert.equal(it.info().conns.get(streamRef.connPid as gun.ConnPid)?.state, 'leaving')
  server.isHolding = false
  assert.equal(await bodyOf(gun.pool.get('/new', headers)), '/new')
  held?.answer()
  assert.equal(await bodyOf(streamRef), '/long')
  await eventually(() => it.info().conns.size === 1, 'the old one has ended')
  assert.equal(it.info().state, 'operational')
})

test('a pool all of whose connections fail tells its waiters why, and works once they can be made', async t => {
  const pass = mockTimeouts(t)
  const port = await freePort()
  const pool = gun.pool.startPool(HOST, port, { size: 2, backoff: 1000 })
  const headers = { host: `${HOST}:${port}` }
  const error = await rejection(gun.pool.awaitResponse(gun.pool.get('/', headers)))
  assert.equal(error.code, 'no_connection_available')
  assert.ok(error.cause instanceof gun.GunError)
  assert.equal(error.cause.code, 'connect_error')
  await using server = await poolServer({ port })
  server.isHolding = false
  const body = bodyOf(gun.pool.get('/up', headers))
  // Half of the pause, as chance has it in tests.
  await pass(500)
  assert.equal(await body, '/up')
  await gun.pool.stopPool(HOST, port)
  assert.ok(!pool.isAlive)
})

test('a request whose connection is lost ends with its error, and the others go on', async () => {
  await using it = await poolScene({ size: 2, backoff: 0 })
  const { headers, server } = it
  const streams = [1, 2].map(n => gun.pool.get(`/${n}`, headers))
  const held = await server.holds(2)
  server.reset(held[0]?.connection)
  const lost = streams[Number(held[0]?.path.slice(1)) - 1] as gun.PoolStreamRef
  const other = streams.find(streamRef => streamRef !== lost) as gun.PoolStreamRef
  assert.equal((await rejection(gun.pool.awaitResponse(lost))).code, 'socket_error')
  held[1]?.answer()
  assert.match(await bodyOf(other), /^\/\d$/)
})

for (const [how, end] of [
  ['stopPool', (_: gun.PoolPid, port: number) => void gun.pool.stopPool(HOST, port)],
  ['an exit signal', (pool: gun.PoolPid) => exit(pool, 'shutdown')],
] as const) {
  test(`${how} ends a pool in order: streams finish, and those who wait are told`, async () => {
    await using server = await poolServer()
    const pool = gun.pool.startPool(HOST, server.port, { size: 1 })
    await gun.pool.awaitUp(pool)
    const headers = { host: server.host }
    const first = gun.pool.awaitResponse(gun.pool.get('/1', headers))
    const second = rejection(gun.pool.awaitResponse(gun.pool.get('/2', headers)))
    const third = rejection(gun.pool.checkout(pool))
    const [held] = await server.holds(1)
    await turn()
    end(pool, server.port)
    assert.equal((await second).code, 'shutdown')
    assert.equal((await third).code, 'shutdown')
    assert.throws(() => gun.pool.get('/3', headers), /no pool was found/)
    assert.equal(pool.isAlive, true)
    held?.answer()
    assert.equal((await first).status, 200)
    assert.equal(await pool.exited, 'shutdown')
    await eventually(() => server.open === 0, 'the connection has ended')
  })
}

test("an exit signal 'kill' ends a pool at once, and every stream once", async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  await using self = createProcess<gun.GunMessage>()
  const pool = gun.pool.startPool(HOST, server.port, { size: 1 })
  await gun.pool.awaitUp(pool)
  self.monitor(pool)
  const streams = [1, 2].map(n => gun.pool.get(`/${n}`, { host: server.host }, { replyTo: self }))
  await server.holds(1)
  const hook = setExitHook(() => {})
  exit(pool, 'kill')
  for (const streamRef of streams) {
    const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
    assert.ok(reason.code === 'shutdown' || reason.code === 'owner_down', reason.code)
  }
  assert.equal((await self.receive([{ type: 'DOWN', pid: pool }])).reason, 'killed')
  assert.equal(self.messageQueueLength, 0)
  setExitHook(hook)
  await eventually(() => server.open === 0, 'the connection has ended')
})

test('a pool is linked to the supervisor of its child spec, and ends with it, whatever the reason', async () => {
  await using server = await poolServer()
  for (const reason of ['normal', 'shutdown'] as const) {
    const parent = createProcess({ trapExit: true })
    const spec = gun.pool.childSpec(HOST, server.port, { size: 1, scope: 'child' })
    assert.deepEqual(
      { ...spec, start: typeof spec.start },
      {
        id: `gun_pool:${server.host} child`,
        start: 'function',
        restart: 'permanent',
        shutdown: 5000,
        type: 'worker',
      },
    )
    const pool = spec.start(parent)
    await gun.pool.awaitUp(pool)
    parent.exit(reason)
    await pool.exited
    await eventually(() => server.open === 0, 'the connection has ended')
    assert.equal(gun.pool.info(server.host, 'child'), undefined)
  }
})

test('connOpts may name proxies', async () => {
  await using it = await proxied(['http'], 'http')
  const { originPort, originHost } = gun.info(it.connPid)
  const connOpts = { proxy: it.proxies.proxy, tcpOpts: { family: 4 } } as const
  await gun.pool.awaitUp(gun.pool.startPool(originHost, originPort, { size: 2, connOpts }))
  const { body } = await gun.pool.awaitResponse(gun.pool.get('/', { host: `${originHost}:${originPort}` }))
  assert.equal(String(body), HELLO)
  assert.equal(it.proxies.list[0]?.requests.length, 3)
  await gun.pool.stopPool(originHost, originPort)
})
