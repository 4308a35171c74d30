// A connection is the child of a supervisor, which starts it anew.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { type ChildSpec, supervisor } from '@holster/otp'
import { createProcess, exit, type Process, setExitHook, whereis } from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { createActor, fromTransition } from 'xstate'
import { eventually } from '../support/client.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { poolServer } from '../support/pool-server.ts'

type Message = gun.GunMessage | gun.GunStarted

test('each start opens a connection, links it to the supervisor, and tells the owner first of all', async () => {
  await using server = await poolServer()
  await using owner = createProcess<Message>()
  await using parent = createProcess({ trapExit: true })
  const spec = gun.childSpec('127.0.0.1', server.port, { owner })
  const { id, restart, shutdown, type } = spec
  assert.deepEqual(
    { id, restart, shutdown, type },
    { id: `gun:${server.host}`, restart: 'permanent', shutdown: 5000, type: 'worker' },
  )
  for (let n = 0; n < 2; n++) {
    const connPid = spec.start(parent)
    assert.deepEqual(await owner.receive([{ type: 'gun_started' }, { type: 'gun_up' }]), {
      type: 'gun_started',
      id,
      connPid,
    })
    await owner.receive([{ type: 'gun_up', connPid }])
    server.reset()
    // There is no retry: the supervisor is told, and starts another.
    const { from, reason } = await parent.receive([{ type: 'EXIT' }])
    assert.equal(from, connPid)
    assert.ok(Array.isArray(reason) && reason[1] instanceof gun.GunError)
    await owner.receive([{ type: 'gun_down', connPid }])
    owner.flush()
  }
})

test('an owner that throws at the news harms no start, and what it throws is reported', async t => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  const refusal = new Error('not now')
  const reasons: unknown[] = []
  const previous = setExitHook((_, reason) => {
    reasons.push(reason)
  })
  t.after(() => void setExitHook(previous))
  const actor = createActor(fromTransition(state => state, 0)).start()
  const told: string[] = []
  const owner = Object.create(actor, {
    send: {
      value: ({ type }: Message) => {
        told.push(type)
        if (type === 'gun_started') throw refusal
      },
    },
  })
  await using parent = createProcess({ trapExit: true })
  const connPid = gun.childSpec('127.0.0.1', server.port, { owner }).start(parent)
  await eventually(() => told.includes('gun_up'), 'the connection is up')
  assert.deepEqual(told, ['gun_started', 'gun_up'])
  assert.deepEqual(reasons, [refusal])
  gun.close(connPid)
  await parent.receive([{ type: 'EXIT', from: connPid }])
})

test('the end of the supervisor ends the connection in order', async () => {
  await using server = await poolServer()
  await using owner = createProcess<Message>()
  await using self = createProcess()
  const parent = createProcess()
  const connPid = gun.childSpec('127.0.0.1', server.port, { owner, id: 'my conn' }).start(parent)
  const ref = self.monitor(connPid)
  await owner.receive([{ type: 'gun_up', connPid }])
  parent.exit('shutdown')
  assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'shutdown')
  await eventually(() => server.open === 0, 'the connection has ended')
})

test('under a supervisor a connection is started anew when it is killed, and ends in order with the supervisor', async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  await using owner = createProcess<Message>()
  const sup = await supervisor.start({ children: [gun.childSpec('127.0.0.1', server.port, { owner })] })
  const first = await owner.receive([{ type: 'gun_started' }])
  await owner.receive([{ type: 'gun_up', connPid: first.connPid }])
  exit(first.connPid, 'kill')
  const { connPid } = await owner.receive([{ type: 'gun_started' }])
  assert.notEqual(connPid, first.connPid)
  await owner.receive([{ type: 'gun_up', connPid }])
  const streamRef = gun.get(connPid, '/')
  const [held] = await server.holds(1)
  const stopped = supervisor.stop(sup)
  held?.answer()
  // The stream that was under way finishes.
  await owner.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }])
  await stopped
  await eventually(() => server.open === 0, 'the connection has ended')
  assert.equal(owner.flush({ type: 'gun_started' }), 0)
})

test('under a supervisor with rest_for_one the connection follows an owner that is started anew', async () => {
  await using _left = assertNothingLeft()
  await using server = await poolServer()
  await using self = createProcess<Message>()
  const consumer: ChildSpec = {
    id: 'consumer',
    start: parent =>
      parent.spawnLink<Message>(
        async process => {
          for (;;) self.send(await process.receive([{ type: 'gun_started' }, { type: 'gun_up' }]))
        },
        { name: 'consumer' },
      ),
  }
  const connection = gun.childSpec('127.0.0.1', server.port, { owner: 'consumer' })
  const sup = await supervisor.start({ strategy: 'rest_for_one', children: [consumer, connection] })
  const first = await self.receive([{ type: 'gun_started' }])
  const owner = whereis<Message>('consumer')
  assert.ok(owner !== undefined && owner === first.connPid.owner)
  exit(owner as Process<Message>, 'shutdown')
  const { connPid } = await self.receive([{ type: 'gun_started' }])
  await self.receive([{ type: 'gun_up', connPid }])
  assert.notEqual(connPid.owner, owner)
  await supervisor.stop(sup)
})

test('an owner given by name is looked up at each start', async () => {
  await using server = await poolServer()
  await using parent = createProcess({ trapExit: true })
  const spec = gun.childSpec('127.0.0.1', server.port, { owner: 'consumer', shutdown: 'brutal_kill' })
  const noOwner = (error: unknown) =>
    error instanceof gun.GunError &&
    error.code === 'badstate' &&
    /no process is registered as 'consumer'/.test(error.message)
  assert.throws(() => spec.start(parent), noOwner)
  for (let n = 0; n < 2; n++) {
    await using owner = createProcess<Message>({ name: 'consumer' })
    const connPid = spec.start(parent)
    assert.equal(connPid.owner, owner)
    gun.close(connPid)
  }
  assert.throws(() => spec.start(parent), noOwner)
})

test('wrong options of a child spec are refused before anything starts', () => {
  const refused = (opts: object, text: RegExp) =>
    assert.throws(
      () => gun.childSpec('localhost', 80, opts as never),
      (error: unknown) => {
        assert.ok(error instanceof gun.GunError)
        assert.match(error.message, text)
        return true
      },
    )
  const owner = createProcess<Message>()
  refused({}, /^owner must be given/)
  refused({ owner: '' }, /^owner must be given/)
  refused({ owner, retry: 3 }, /^retry is no option here/)
  refused({ owner, shutdown: -1 }, /^shutdown must be/)
  refused({ owner, id: '' }, /^id must not be empty/)
  refused({ owner, connectTimout: 1 }, /did you mean 'connectTimeout'/)
  assert.throws(() => gun.childSpec('localhost', 0, { owner }), /port must be/)
})

test('a child spec is one of @holster/otp, and GunMessage has no gun_started', () => {
  const owner = createProcess<Message>()
  const spec = gun.childSpec('localhost', 80, { owner })
  expectTypeOf(spec).toExtend<ChildSpec>()
  expectTypeOf(spec.start).returns.toEqualTypeOf<gun.ConnPid>()
  expectTypeOf(gun.pool.childSpec('localhost', 80).start).returns.toEqualTypeOf<gun.PoolPid>()
  expectTypeOf<Extract<gun.GunMessage, { type: 'gun_started' }>>().toEqualTypeOf<never>()
  // @ts-expect-error The owner is required.
  const wrong = () => gun.childSpec('localhost', 80, {})
  assert.equal(typeof wrong, 'function')
})
