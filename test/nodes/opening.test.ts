// Opening connections on other nodes, what they tell of themselves, and what cannot cross.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { PATIENCE } from '../support/client.ts'
import { away, type Nodes, startNodes, THERE } from '../support/nodes.ts'
import { websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes

before(async () => {
  nodes = await startNodes(1)
})

after(() => nodes[Symbol.asyncDispose]())

test('info and streamInfo name the functions that tell of another node', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/')
  assert.throws(() => gun.info(connPid), /on another node.*use await remoteInfo\(connPid\)/)
  assert.throws(() => gun.streamInfo(connPid, streamRef), /use await remoteStreamInfo/)
  const info = await gun.remoteInfo(connPid)
  assert.equal(info.node, THERE)
  assert.equal(info.owner, owner)
  assert.equal(info.originPort, server.port)
  assert.equal(info.stateName, 'connected')
  await gun.awaitResponse(connPid, streamRef)
  assert.equal(await gun.remoteStreamInfo(connPid, streamRef), undefined)
  const ref = owner.monitor(connPid)
  gun.close(connPid)
  await owner.receive([{ type: 'DOWN', ref }], PATIENCE)
  const facts = await gun.remoteInfo(connPid).then(
    ({ stateName }) => stateName,
    (error: gun.GunError) => error.kind,
  )
  assert.match(facts, /terminated|down/)
})

test('remoteInfo tells of a connection of this node as well', async () => {
  await using server = await websocketServer()
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, { owner })
  await gun.awaitUp(connPid)
  assert.equal((await gun.remoteInfo(connPid)).node, 'main')
  const streamRef = gun.get(connPid, '/')
  assert.equal((await gun.remoteStreamInfo(connPid, streamRef))?.replyTo, owner)
  await gun.awaitResponse(connPid, streamRef)
  gun.close(connPid)
})

test('wrong arguments throw at once', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  await using other = await away(server)
  const { connPid } = it
  const streamRef = gun.get(connPid, '/')
  await gun.awaitResponse(connPid, streamRef)
  assert.throws(() => gun.get(connPid, '/\n'), TypeError)
  assert.throws(() => gun.get(connPid, '/', { 'x-a': '\n' }), TypeError)
  assert.throws(() => gun.data(connPid, streamRef, 'nofin', 1 as never), TypeError)
  assert.throws(() => gun.cancel(other.connPid, streamRef), /does not belong/)
  assert.throws(() => gun.updateFlow(connPid, streamRef, 0), RangeError)
  assert.throws(() => gun.wsSend(connPid, ['txt', 'a'] as never), TypeError)
  assert.throws(() => gun.get(connPid, '/', {}, { flo: 1 } as never), /flow/)
  assert.throws(() => gun.setOwner(connPid, {} as never), /newOwner/)
})

test('what cannot cross throws at once, and names the option', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid } = it
  const replyTo = () => {}
  assert.throws(() => gun.get(connPid, '/', {}, { replyTo }), /^TypeError: reqOpts\.replyTo must be/)
  assert.throws(() => gun.ping(connPid, { replyTo }), /^TypeError: reqOpts\.replyTo must be/)
  assert.throws(() => gun.wsUpgrade(connPid, '/', {}, { replyTo }), /^TypeError: wsOpts\.replyTo must be/)
  const handler = { init: () => 0, handle: () => 0 }
  assert.throws(
    () => gun.wsUpgrade(connPid, '/', {}, { protocols: [['chat', handler]] }),
    /^TypeError: wsOpts\.protocols\[0\]\[1\]\.init: a function cannot be sent/,
  )
  assert.throws(
    () =>
      gun.connect(connPid, {
        host: 'a.test',
        port: 1,
        transport: 'tls',
        tlsOpts: { checkServerIdentity: () => undefined },
      }),
    /^TypeError: destination\.tlsOpts\.checkServerIdentity: a function/,
  )
})

test('openAt checks its arguments here, and refuses options that cannot be sent', async () => {
  const refused = (opts: gun.Opts) => () => gun.openAt(THERE, 'localhost', 80, opts)
  const bad = (text: RegExp) => (error: unknown) =>
    error instanceof gun.GunError && error.code === 'bad_option' && text.test(error.message)
  assert.throws(refused({ retri: 1 } as never), bad(/^retri is not an option/))
  assert.throws(refused({ retryFun: () => ({ retries: 0, timeout: 0 }) }), bad(/^retryFun: a function/))
  assert.throws(
    refused({ transport: 'tls', tlsOpts: { checkServerIdentity: () => undefined } }),
    bad(/^tlsOpts\.checkServerIdentity: /),
  )
  assert.throws(refused({ eventHandler: { init() {} } }), bad(/^eventHandler\.init: /))
  assert.throws(refused({ trace: () => {} }), bad(/^trace: /))
  assert.throws(() => gun.openAt(THERE, 'localhost', 0), RangeError)
  assert.throws(() => gun.openUnixAt(THERE, undefined as never), /path/)
  await assert.rejects(gun.openAt('nowhere', 'localhost', 80), { name: 'CallError', reason: 'noconnection' })
})

test('openAt of this node opens here, and without an owner makes one here', async () => {
  await using server = await websocketServer()
  const here = await gun.openAt('main', server.host, server.port)
  assert.equal(await gun.awaitUp(here, PATIENCE), 'http')
  assert.equal(gun.info(here).stateName, 'connected')
  gun.close(here)
  const connPid = await gun.openAt(THERE, server.host, server.port)
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
  gun.close(connPid)
})

test('openUnixAt reaches a socket by its path', async () => {
  await using server = await websocketServer({ transport: 'unix' })
  const connPid = await gun.openUnixAt(THERE, String(server.path))
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  assert.equal(String(body), 'Hello over HTTP')
  gun.close(connPid)
})
