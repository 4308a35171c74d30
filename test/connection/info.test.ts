/** The results of info and streamInfo print shortly, and without the contents of what they refer to. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as gun from '@holster/gun'
import type { Process } from '@holster/process'
import { fromProcess } from '@holster/process/xstate'
import type { Peer } from '@holster/testing'
import { CookieJar } from 'tough-cookie'
import { createActor } from 'xstate'
import { connect } from '../support/client.ts'
import { origin } from '../support/origin.ts'

/** Reads a request and leaves it without an answer. */
const silent = (peer: Peer) => peer.receiveRequest()

for (const transport of ['tcp', 'tls', 'unix'] as const) {
  test(`info prints shortly over ${transport}, in the console and as JSON, and holds all the same`, async () => {
    await using server = await origin(silent, { transport })
    const cookieStore = new CookieJar()
    await cookieStore.setCookie('name=hidden', 'http://localhost/')
    const eventHandler = { init: () => {}, secret: 'hidden' }
    await using client = await connect(server, transport, { cookieStore, eventHandler, retry: 0 })
    const { connPid, owner } = client
    const info = gun.info(connPid)
    const socket = transport === 'tls' ? '<TLSSocket>' : '<Socket>'
    for (const shown of [inspect(info), inspect({ info }, { depth: 10 })]) {
      assert.match(shown, new RegExp(`owner: ${owner},\\s+socket: ${socket},\\s+transport: '(tcp|tls)'`))
      assert.match(shown, /cookieStore: <_?CookieJar>,\s+eventHandler: <Object>/)
      assert.doesNotMatch(shown, /hidden|Buffer/)
      assert.ok(shown.length < 1000, shown)
    }
    const { owner: id, socket: name, stateName, ...others } = JSON.parse(JSON.stringify(info))
    assert.deepEqual([id, name, stateName], [owner.id, socket, 'connected'])
    assert.match(others.cookieStore, /^<_?CookieJar>$/)
    assert.equal(others.eventHandler, '<Object>')
    assert.equal(info.cookieStore, cookieStore)
    assert.equal(info.eventHandler, eventHandler)
    assert.ok(info.socket?.writable)
    assert.deepEqual({ ...info }, { ...gun.info(connPid) })
  })
}

test('an actor or a function that messages go to is only named', async () => {
  await using server = await origin(silent)
  await using client = await connect(server, 'tcp', { retry: 0 })
  const { connPid } = client
  const body = (self: Process<gun.GunMessage>) => self.receive([{ type: 'gun_down' }])
  const actor = createActor(fromProcess(body), { id: 'receiver' }).start()
  const replyTo = (): void => {}
  const streamRef = gun.get(connPid, '/', {}, { replyTo })
  gun.setOwner(connPid, actor)
  assert.match(inspect(gun.info(connPid)), /owner: <Actor receiver>,/)
  const info = gun.streamInfo(connPid, streamRef)
  assert.match(inspect(info), /replyTo: <function>,/)
  assert.equal(info?.replyTo, replyTo)
  assert.equal(gun.streamInfo(connPid, gun.get(connPid, '/'))?.replyTo, actor)
  gun.close(connPid)
  actor.stop()
})

test('an error prints without the frames that were not sent, which are its own', async () => {
  await using server = await origin(silent)
  await using client = await connect(server, 'tcp', { retry: 0 })
  const { connPid, owner } = client
  gun.wsSend(connPid, ['text', 'hidden'])
  const { reason } = await owner.receive([{ type: 'gun_error' }], 5000)
  assert.deepEqual(reason.frames, [['text', 'hidden']])
  assert.doesNotMatch(inspect(reason), /hidden|frames/)
})
