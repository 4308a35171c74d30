// A caller that finds no connection free waits in a fair queue, and may give up its place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { createActor, setup } from 'xstate'
import { eventually, rejection } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { bodyOf, poolScene } from '../support/pool-scene.ts'

const isCode = (code: gun.GunErrorCode) => (error: unknown) =>
  error instanceof gun.GunError && error.code === code

test('requests and checkouts wait in one queue, first come, first served', async () => {
  await using it = await poolScene({ size: 1 })
  const { headers, pool, server } = it
  const order: string[] = []
  const ask = async (path: string) => {
    const streamRef = gun.pool.get(path, headers)
    await bodyOf(streamRef)
    order.push(path)
  }
  const lend = async (name: string) => {
    const checkout = await gun.pool.checkout(pool)
    order.push(name)
    checkout.giveBack()
  }
  const all = [ask('/1'), ask('/2'), lend('checkout'), ask('/3')]
  assert.equal(it.info().waiting, 3)
  await server.holds(1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  await Promise.all(all)
  assert.deepEqual(order, ['/1', '/2', 'checkout', '/3'])
})

test('nobody overtakes those who wait, however soon a connection is free', async () => {
  await using it = await poolScene({ size: 1 })
  const { headers, server } = it
  const first = gun.pool.get('/1', headers)
  const second = gun.pool.get('/2', headers)
  let third: gun.PoolStreamRef | undefined
  const watcher = gun.pool.awaitResponse(first).then(() => {
    third = gun.pool.get('/3', headers)
  })
  await server.holds(1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  await watcher
  await bodyOf(second)
  assert.ok(third)
  await bodyOf(third)
  assert.deepEqual(server.paths, ['/1', '/2', '/3'])
})

test('a stream that waits too long ends with no_connection_available, once', async t => {
  await using it = await poolScene({ size: 1 })
  const pass = mockTimeouts(t)
  await using self = createProcess<gun.GunMessage>()
  gun.pool.get('/1', it.headers)
  const streamRef = gun.pool.get('/2', it.headers, { replyTo: self })
  await pass(4999)
  assert.equal(self.messageQueueLength, 0)
  await pass(1)
  await pass(0)
  const { reason, connPid } = await self.receive([{ type: 'gun_error', streamRef }], 0)
  assert.equal(reason.code, 'no_connection_available')
  assert.match(reason.message, /no connection of the pool is free within 5000 ms/)
  assert.equal(connPid, streamRef.connPid)
  assert.ok(it.info().conns.has(connPid))
  assert.equal(it.info().waiting, 0)
})

test('awaitResponse gives up the place of a request when its own time is over', async t => {
  await using it = await poolScene({ size: 1 })
  const pass = mockTimeouts(t)
  gun.pool.get('/1', it.headers)
  const late = rejection(gun.pool.awaitResponse(gun.pool.get('/2', it.headers), 100))
  assert.equal(it.info().waiting, 1)
  await pass(100)
  await pass(0)
  const error = await late
  assert.equal(error.code, 'timeout')
  assert.match(error.message, /had no connection within 100 ms/)
  assert.equal(it.info().waiting, 0)
})

test('a caller that exits gives up its places, and its streams are cancelled', async () => {
  await using it = await poolScene({ size: 1 })
  const { headers, server } = it
  const self = createProcess<gun.GunMessage>()
  gun.pool.get('/1', headers, { replyTo: self })
  gun.pool.get('/2', headers, { replyTo: self })
  const other = gun.pool.get('/3', headers)
  const [held] = await server.holds(1)
  assert.equal(it.info().waiting, 2)
  self.exit('shutdown')
  assert.equal(it.info().waiting, 1)
  server.isHolding = false
  held?.answer()
  assert.equal(await bodyOf(other), '/3')
  assert.deepEqual(server.paths, ['/1', '/3'])
})

test('over HTTP/2 the stream of a caller that exits is reset, and its place is free at once', async () => {
  await using it = await poolScene({ size: 1 }, 'http2', 1)
  const { headers, server } = it
  const self = createProcess<gun.GunMessage>()
  gun.pool.get('/1', headers, { replyTo: self })
  const other = gun.pool.get('/2', headers)
  const [held] = await server.holds(1)
  self.exit('shutdown')
  await eventually(() => held?.isGone === true, 'the server knows')
  server.isHolding = false
  for (const each of server.held) each.answer()
  assert.equal(await bodyOf(other), '/2')
})

test('an actor that stops gives up its places, as a process does', async () => {
  await using it = await poolScene({ size: 1 })
  const actor = createActor(setup({}).createMachine({})).start()
  gun.pool.get('/1', it.headers)
  gun.pool.get('/2', it.headers, { replyTo: actor as never })
  assert.equal(it.info().waiting, 1)
  actor.stop()
  assert.equal(it.info().waiting, 0)
})

test('a caller that has exited before gets nothing', async () => {
  await using it = await poolScene({ size: 1 })
  const self = createProcess<gun.GunMessage>()
  self.exit()
  gun.pool.get('/1', it.headers)
  gun.pool.get('/2', it.headers, { replyTo: self })
  await eventually(() => it.info().waiting === 0, 'the place is given up')
})

test('a signal that aborts ends the stream with cancelled, waiting or not', async () => {
  await using it = await poolScene({ size: 1 }, 'http2', 1)
  const { headers, server } = it
  await using self = createProcess<gun.GunMessage>()
  const controller = new AbortController()
  const { signal } = controller
  const streams = ['/1', '/2'].map(path => gun.pool.get(path, headers, { replyTo: self, signal }))
  const [held] = await server.holds(1)
  const why = new Error('nobody wants it')
  controller.abort(why)
  for (const streamRef of streams) {
    const { reason } = await self.receive([{ type: 'gun_error', streamRef }], 0)
    assert.equal(reason.code, 'cancelled')
    assert.equal(reason.cause, why)
  }
  assert.equal(it.info().waiting, 0)
  await eventually(() => held?.isGone === true, 'the server knows')
  assert.throws(() => gun.pool.get('/3', headers, { signal }), why)
})

test('the signal of awaitResponse gives up the place, and rejects with its reason', async () => {
  await using it = await poolScene({ size: 1 })
  gun.pool.get('/1', it.headers)
  const controller = new AbortController()
  const waiting = gun.pool.awaitResponse(gun.pool.get('/2', it.headers), { signal: controller.signal })
  controller.abort('enough')
  assert.equal(await waiting.catch((reason: unknown) => reason), 'enough')
  assert.equal(it.info().waiting, 0)
})

for (const name of ['awaitResponse', 'await', 'awaitBody'] as const) {
  test(`${name} rejects with the reason of a signal that its request has as well`, async () => {
    await using it = await poolScene({ size: 1 })
    const controller = new AbortController()
    const { signal } = controller
    const streamRef = gun.pool.get('/1', it.headers, { signal })
    await it.server.holds(1)
    const waiting = gun.pool[name](streamRef, { signal })
    const why = new Error('enough')
    controller.abort(why)
    assert.equal(await waiting.catch((reason: unknown) => reason), why)
  })
}

test('cancel gives up a place, and nothing is sent', async () => {
  await using it = await poolScene({ size: 1 })
  const { headers, server } = it
  const first = gun.pool.get('/1', headers)
  const second = gun.pool.get('/2', headers)
  const third = gun.pool.get('/3', headers)
  gun.pool.cancel(second)
  assert.throws(() => gun.pool.data(second, 'fin', ''), isCode('badstate'))
  assert.equal((await rejection(gun.pool.await(second))).code, 'badstate')
  await server.holds(1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  assert.equal(await bodyOf(first), '/1')
  assert.equal(await bodyOf(third), '/3')
  assert.deepEqual(server.paths, ['/1', '/3'])
})

test('await waits for a connection and then for a message, within one timeout', async () => {
  await using it = await poolScene({ size: 1 })
  const { headers, server } = it
  const first = gun.pool.get('/1', headers)
  const second = gun.pool.get('/2', headers)
  const message = gun.pool.await(second)
  await server.holds(1)
  server.isHolding = false
  for (const held of server.held) held.answer()
  await bodyOf(first)
  assert.equal((await message).type, 'gun_response')
  assert.equal(String((await gun.pool.awaitBody(second)).body), '/2')
})

test('a checkout counts until its stream ends, whoever begins others', async () => {
  await using it = await poolScene({ size: 1 })
  const { headers, pool, server } = it
  await using self = createProcess<gun.GunMessage>()
  const checkout = await gun.pool.checkout(pool, { caller: self })
  const waiting = gun.pool.get('/pooled', headers)
  assert.equal(waiting.connPid, undefined)
  const streamRef = gun.get(checkout.connPid, '/lent', {}, { replyTo: self })
  const [held] = await server.holds(1)
  assert.equal(it.info().waiting, 1)
  server.isHolding = false
  held?.answer()
  await self.receive([{ type: 'gun_response', streamRef }])
  assert.equal(await bodyOf(waiting), '/pooled')
  checkout.giveBack()
  assert.deepEqual(server.paths, ['/lent', '/pooled'])
})

test('a checkout that is given back, or whose caller exits, makes room', async () => {
  await using it = await poolScene({ size: 1 })
  it.server.isHolding = false
  {
    using _checkout = await gun.pool.checkout(it.pool)
    assert.throws(
      () => gun.pool.get('/', it.headers, { checkoutTimeout: 0 }),
      isCode('no_connection_available'),
    )
  }
  assert.equal(await bodyOf(gun.pool.get('/1', it.headers)), '/1')
  const self = createProcess<gun.GunMessage>()
  await gun.pool.checkout(it.pool, { caller: self })
  const waiting = gun.pool.get('/2', it.headers)
  assert.equal(it.info().waiting, 1)
  self.exit('shutdown')
  assert.equal(await bodyOf(waiting), '/2')
})

test('a checkout that waits is given up with its caller, its signal, or its time', async t => {
  await using it = await poolScene({ size: 1 })
  const pass = mockTimeouts(t)
  using _first = await gun.pool.checkout(it.pool)
  const self = createProcess<gun.GunMessage>()
  const orphan = rejection(gun.pool.checkout(it.pool, { caller: self }))
  const controller = new AbortController()
  const aborted = gun.pool.checkout(it.pool, { signal: controller.signal }).catch((reason: unknown) => reason)
  const late = rejection(gun.pool.checkout(it.pool, { checkoutTimeout: 10 }))
  await pass(0)
  assert.equal(it.info().waiting, 3)
  self.exit('shutdown')
  controller.abort('enough')
  await pass(10)
  await pass(0)
  assert.equal((await orphan).code, 'cancelled')
  assert.equal(await aborted, 'enough')
  assert.equal((await late).code, 'no_connection_available')
})

test('a request that is asked for within a callback of its connection counts at once', async () => {
  await using it = await poolScene({ size: 1 }, 'http2', 2)
  const { headers, server } = it
  server.isHolding = false
  const inner: gun.PoolStreamRef[] = []
  let isFirst = true
  const replyTo = (message: gun.GunMessage) => {
    if (message.type !== 'gun_response' || !isFirst) return
    isFirst = false
    server.isHolding = true
    for (let n = 0; n < 3; n++) inner.push(gun.pool.get(`/inner${n}`, headers))
  }
  gun.pool.get('/outer', headers, { replyTo })
  await eventually(() => inner.length === 3, 'the response has come')
  await server.holds(2)
  server.isHolding = false
  for (const held of server.held) held.answer()
  assert.deepEqual(await Promise.all(inner.map(bodyOf)), ['/inner0', '/inner1', '/inner2'])
  assert.equal(server.most, 2)
})

test('thousands of callers and signals leave nothing behind in a pool', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await poolScene({ size: 2 })
  it.server.isHolding = false
  for (let n = 0; n < 300; n++) {
    await using self = createProcess<gun.GunMessage>()
    const { signal } = new AbortController()
    const streamRef = gun.pool.get('/', it.headers, { replyTo: self, signal })
    await self.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }])
  }
  assert.equal(it.info().waiting, 0)
})
