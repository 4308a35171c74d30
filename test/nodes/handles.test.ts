// The handles of connections and streams, and their errors, work on every node.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import * as gun from '@holster/gun'
import { SupervisorError, supervisor } from '@holster/otp'
import { CallError, call, createProcess, ProcessExit, ReceiveTimeout } from '@holster/process'
import { connect, PATIENCE, rejection } from '../support/client.ts'
import { type Nodes, type Remote, startNodes } from '../support/nodes.ts'
import { type WebsocketServer, websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes
let server: WebsocketServer
let one: Remote
let two: Remote

before(async () => {
  ;[nodes, server] = await Promise.all([startNodes(2), websocketServer()])
  ;[one, two] = nodes.remotes as [Remote, Remote]
})

after(async () => {
  await nodes[Symbol.asyncDispose]()
  await server.close()
})

test('the handle of a connection comes home as the same object', async () => {
  await using client = await connect(server)
  assert.equal(await one.run('keep', 'c', client.connPid), client.connPid)
  assert.equal(await one.run('isSame', 'c', client.connPid), true)
  assert.equal(await two.run('keep', 'c', await one.run('kept', 'c')), client.connPid)
})

test('the handle of a stream comes home as the same object', async () => {
  await using client = await connect(server)
  const streamRef = gun.get(client.connPid, '/')
  assert.equal(await one.run('keep', 's', streamRef), streamRef)
  assert.equal(await one.run('isSame', 's', streamRef), true)
  await gun.awaitResponse(client.connPid, streamRef)
})

test('a handle of another node prints with its node, and is one object', async () => {
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(one.name, server.host, server.port, { owner })
  assert.match(String(connPid), /^#Conn<\d+@main\.1>$/)
  assert.equal(connPid.node, 'main.1')
  assert.equal(inspect(connPid), connPid.id)
  assert.equal(JSON.stringify({ connPid }), `{"connPid":"${connPid.id}"}`)
  assert.equal(connPid.owner, owner)
  const up = await owner.receive([{ type: 'gun_up', connPid }], PATIENCE)
  assert.equal(up.connPid, connPid)
  gun.close(connPid)
})

test('a third node uses a connection, and its messages go where they are wanted', async () => {
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(one.name, server.host, server.port, { owner })
  const replyTo = createProcess<gun.GunMessage>()
  await two.run('keep', 'third', connPid)
  const streamRef = (await two.run('call', 'get', connPid, '/', {}, { replyTo })) as gun.StreamRef
  assert.match(String(streamRef), /^#Stream<\d+@main\.2>$/)
  const head = await replyTo.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  assert.equal(head.connPid, connPid)
  assert.equal(String((await gun.awaitBody(connPid, streamRef)).body), 'Hello over HTTP')
  gun.close(connPid)
})

test('without a replyTo the messages of a request go to the owner, whoever has made it owner', async () => {
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(one.name, server.host, server.port, { owner })
  await gun.awaitUp(connPid)
  const next = await two.run('makeProcess', 'next')
  gun.setOwner(connPid, next as never)
  gun.get(connPid, '/')
  const message = (await two.run('receive', 'next', { type: 'gun_response' })) as gun.GunResponse
  assert.equal(message.connPid, connPid)
  assert.equal(connPid.owner, next)
  gun.close(connPid)
})

test('the handle of a connection that has ended comes home, and its end is known', async () => {
  const self = createProcess<gun.GunMessage>()
  {
    const { connPid } = await connect(server)
    await one.run('keep', 'ended', connPid)
    const ref = self.monitor(connPid)
    gun.close(connPid)
    await self.receive([{ type: 'DOWN', ref }], PATIENCE)
  }
  const connPid = (await one.run('kept', 'ended')) as gun.ConnPid
  const ref = self.monitor(connPid)
  assert.equal((await self.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'noproc')
  gun.get(connPid, '/', {}, { replyTo: self })
  const { reason } = await self.receive([{ type: 'gun_error' }], PATIENCE)
  assert.equal(reason.code, 'closed')
})

test('the handle of a connection that nobody here holds any more comes home as one that has ended', async () => {
  const self = createProcess<gun.GunMessage>()
  await (async () => {
    const { connPid } = await connect(server)
    await one.run('keep', 'lost', connPid)
    await one.run('keep', 'lost stream', gun.get(connPid, '/', {}, { replyTo: self }))
    const ref = self.monitor(connPid)
    gun.close(connPid)
    await self.receive([{ type: 'DOWN', ref }], PATIENCE)
    self.flush()
  })()
  const turns = () => new Promise(resolve => setImmediate(resolve))
  for (let turn = 0; turn < 5; turn++) {
    await turns()
    globalThis.gc?.()
  }
  const connPid = (await one.run('kept', 'lost')) as gun.ConnPid
  const ref = self.monitor(connPid)
  assert.equal((await self.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'noproc')
  const streamRef = gun.get(connPid, '/', {}, { replyTo: self })
  assert.equal((await self.receive([{ type: 'gun_error', streamRef }], PATIENCE)).reason.code, 'closed')
  const lost = (await one.run('kept', 'lost stream')) as gun.StreamRef
  gun.cancel(connPid, lost)
  assert.equal((await self.receive([{ type: 'gun_error', streamRef: lost }], PATIENCE)).reason.code, 'closed')
})

test('a request for a connection that was collected on its node is answered with an error', async () => {
  const self = createProcess<gun.GunMessage>()
  const connPid = await (async () => {
    const it = (await one.run('open', server.host, server.port, {})) as gun.ConnPid
    const ref = self.monitor(it)
    await two.run('keep', 'collected', it)
    gun.close(it)
    await self.receive([{ type: 'DOWN', ref }], PATIENCE)
    await one.run('drop', 'connPid')
    return it
  })()
  for (let turn = 0; turn < 5; turn++) await one.run('memory')
  const replyTo = await two.run('makeProcess', 'asker')
  const streamRef = await two.run('call', 'get', connPid, '/', {}, { replyTo })
  const { reason } = (await two.run('receive', 'asker', {
    type: 'gun_error',
    streamRef,
  })) as gun.GunErrorMessage
  assert.equal(reason.code, 'closed')
  assert.equal((await rejection(gun.remoteInfo(connPid))).kind, 'down')
})

test('a stream whose handle nobody holds keeps it while it lasts', async () => {
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(one.name, server.host, server.port, { owner })
  gun.wsUpgrade(connPid, '/')
  const first = await owner.receive([{ type: 'gun_upgrade' }], PATIENCE)
  const id = first.streamRef.id
  const turns = () => new Promise(resolve => setImmediate(resolve))
  for (let turn = 0; turn < 5; turn++) {
    await turns()
    globalThis.gc?.()
  }
  gun.wsSend(connPid, ['text', 'a'])
  const frame = await owner.receive([{ type: 'gun_ws', connPid }], PATIENCE)
  assert.equal(frame.streamRef.id, id)
  gun.wsSend(connPid, frame.streamRef, ['text', 'b'])
  const next = await owner.receive([{ type: 'gun_ws', streamRef: frame.streamRef }], PATIENCE)
  assert.deepEqual(next.frame, ['text', 'b'])
  gun.close(connPid)
})

test('a GunError arrives as one, with its code, its cause and its frames', async () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const frames = [['text', 'a'] as const, ['binary', Buffer.of(1)] as const]
  const error = new gun.GunError('connect_error', 'down', 'no', { cause, frames, isPermanent: true })
  const sent = (await one.run('keep', 'error', error)) as gun.GunError
  assert.ok(sent instanceof gun.GunError && sent !== error)
  assert.deepEqual({ ...sent }, { ...error })
  assert.deepEqual(sent.frames, frames)
  assert.equal(sent.message, 'no')
  assert.equal(sent.stack, error.stack)
  assert.equal((sent.cause as typeof cause).code, 'ECONNREFUSED')
  const bare = (await one.run('keep', 'error', new gun.GunError('badstate', 'badstate', 'x'))) as gun.GunError
  assert.equal('cause' in bare, false)
  assert.equal(bare.frames, undefined)
})

test('errors of processes and of supervisors arrive as such', async () => {
  const self = createProcess()
  const timeout = await self.receive([{ type: 'never' }], 0).catch((error: unknown) => error)
  self.exit('done')
  const exit = await self.receive([{ type: 'never' }]).catch((error: unknown) => error)
  const failed = await call('nobody', { type: 'x' }).catch((error: unknown) => error)
  const pid = await supervisor.start({ children: [] })
  const found = await supervisor.restartChild(pid, 'nothing').catch((error: unknown) => error)
  for (const [error, of] of [
    [timeout, ReceiveTimeout],
    [exit, ProcessExit],
    [failed, CallError],
    [found, SupervisorError],
  ] as const) {
    const sent = (await one.run('keep', 'error', error)) as Error
    assert.ok(sent instanceof of && sent !== error, of.name)
    assert.equal(sent.message, (error as Error).message)
    assert.equal(sent.name, of.name)
    assert.deepEqual((sent as CallError).reason, (error as CallError).reason)
  }
  await supervisor.stop(pid)
})
