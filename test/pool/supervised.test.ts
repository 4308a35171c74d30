// A pool under a supervisor of @holster/otp is started anew when it is killed, and ends in order with its supervisor.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { type ChildSpec, supervisor } from '@holster/otp'
import { exit, setExitHook } from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { eventually, rejection } from '../support/client.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { bodyOf } from '../support/pool-scene.ts'
import { poolServer } from '../support/pool-server.ts'

const HOST = '127.0.0.1'
const scope = 'supervised'

test('a child spec of a pool is one of @holster/otp', () => {
  expectTypeOf(gun.pool.childSpec(HOST, 80)).toExtend<ChildSpec>()
  assert.doesNotThrow(() => supervisor.checkChildspecs([gun.pool.childSpec(HOST, 80)]))
})

test('a pool that is killed is started anew, and those who asked the old one are told', async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  const hook = setExitHook(() => {})
  const sup = await supervisor.start({
    children: [gun.pool.childSpec(HOST, server.port, { size: 1, scope })],
  })
  await gun.pool.awaitUp(server.host, { scope })
  const headers = { host: server.host }
  const asked = [1, 2].map(n => rejection(gun.pool.awaitResponse(gun.pool.get(`/${n}`, headers, { scope }))))
  await server.holds(1)
  const [child] = await supervisor.whichChildren(sup)
  assert.ok(child?.pid)
  exit(child.pid as gun.PoolPid, 'kill')
  for (const error of await Promise.all(asked)) assert.match(error.code, /^(shutdown|owner_down)$/)
  server.isHolding = false
  await eventually(() => gun.pool.info(server.host, scope) !== undefined, 'there is a pool again')
  assert.equal(await bodyOf(gun.pool.get('/again', headers, { scope })), '/again')
  assert.deepEqual(await supervisor.countChildren(sup), { specs: 1, active: 1, supervisors: 0, workers: 1 })
  await supervisor.stop(sup)
  assert.equal(gun.pool.info(server.host, scope), undefined)
  setExitHook(hook)
})

test('a supervisor that stops lets the streams of its pool finish, and tells those who wait', async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  const sup = await supervisor.start({
    children: [gun.pool.childSpec(HOST, server.port, { size: 1, scope })],
  })
  await gun.pool.awaitUp(server.host, { scope })
  const headers = { host: server.host }
  const under = bodyOf(gun.pool.get('/1', headers, { scope }))
  const waits = rejection(gun.pool.awaitResponse(gun.pool.get('/2', headers, { scope })))
  const [held] = await server.holds(1)
  const stopped = supervisor.stop(sup)
  assert.equal((await waits).code, 'shutdown')
  held?.answer()
  assert.equal(await under, '/1')
  await stopped
  await eventually(() => server.open === 0, 'the connection has ended')
})

test('a supervisor that has waited long enough, or does not wait, kills its pool and all connections', async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  const hook = setExitHook(() => {})
  for (const shutdown of ['brutal_kill', 1] as const) {
    const spec = gun.pool.childSpec(HOST, server.port, { size: 1, scope, shutdown })
    const sup = await supervisor.start({ children: [spec] })
    await gun.pool.awaitUp(server.host, { scope })
    const headers = { host: server.host }
    const under = rejection(gun.pool.awaitResponse(gun.pool.get('/', headers, { scope })))
    await server.holds(1)
    await supervisor.stop(sup)
    assert.match((await under).code, /^(shutdown|owner_down)$/)
    await eventually(() => server.open === 0, 'the connection has ended')
  }
  setExitHook(hook)
})
