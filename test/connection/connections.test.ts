// The connections of a program can be listed, and none is kept alive by that.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { createActor } from 'xstate'
import { eventually } from '../support/client.ts'
import { poolServer } from '../support/pool-server.ts'

test('connections lists those that live, oldest first, with their facts', async () => {
  await using server = await poolServer()
  await using self = createProcess<gun.GunMessage>()
  const [first, second] = [1, 2].map(() => gun.open('127.0.0.1', server.port, { owner: self }))
  assert.ok(first && second)
  assert.deepEqual(
    gun.connections().map(({ connPid, stateName }) => [connPid, stateName]),
    [
      [first, 'domain_lookup'],
      [second, 'domain_lookup'],
    ],
  )
  await gun.awaitUp(first)
  await gun.awaitUp(second)
  const streamRef = gun.get(first, '/')
  await server.holds(1)
  const [info] = gun.connections()
  assert.equal(info?.owner, self)
  assert.deepEqual(
    [info?.protocol, info?.stateName, info?.originHost, info?.originPort, info?.streams],
    ['http', 'connected', '127.0.0.1', server.port, 1],
  )
  gun.cancel(first, streamRef)
  gun.close(first)
  assert.deepEqual(
    gun.connections().map(({ connPid }) => connPid),
    [second],
  )
  gun.close(second)
  assert.deepEqual(gun.connections(), [])
})

test('a handle that nothing else holds is collected once its connection has ended', async () => {
  await using server = await poolServer()
  const handles: WeakRef<gun.ConnPid>[] = []
  const use = async () => {
    await using self = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', server.port, { owner: self, retry: 0 })
    await gun.awaitUp(connPid)
    assert.equal(gun.connections().length, 1)
    gun.close(connPid)
    handles.push(new WeakRef(connPid))
  }
  for (let n = 0; n < 3; n++) await use()
  assert.ok(globalThis.gc, 'run with --expose-gc')
  for (let n = 0; n < 10; n++) {
    await turn()
    globalThis.gc()
  }
  assert.deepEqual(
    handles.map(handle => handle.deref()),
    [undefined, undefined, undefined],
  )
})

test('a connection whose machine was never started is listed until it is collected', async () => {
  const make = () => {
    const input = { host: 'localhost', port: 1, opts: { owner: createProcess<gun.GunMessage>() } }
    createActor(gun.connectionMachine, { input }).getSnapshot()
    assert.equal(gun.connections().length, 1)
  }
  make()
  await eventually(() => {
    globalThis.gc?.()
    return gun.connections().length === 0
  }, 'it is collected')
})
