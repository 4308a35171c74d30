// PING: those that the caller sends, those that keep a connection alive, and those of the server.

import assert from 'node:assert/strict'
import { mock, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { scene } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'

/** As Promise.withResolvers, which Node 20 does not have. */
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

onEachTransport('each ping that is answered is told of with its ref and its time', async transport => {
  await using it = await scene({ transport })
  const refs = [1, 2, 3].map(() => gun.ping(it.connPid))
  for (const streamRef of refs) {
    const message = await it.self.receive([{ type: 'gun_notify', streamRef }], 5000)
    assert.ok(message.event === 'ping_ack')
    assert.ok(message.data >= 0 && message.data < 5000)
  }
  assert.equal(it.peer.pings.length, 3)
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport('pings without an answer die with the connection', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 }, server: { manual: true } })
  await it.peer.send([h2.settings(), h2.settingsAck()])
  const refs = [gun.ping(it.connPid), gun.ping(it.connPid)]
  for (const _ of refs) await it.peer.frame(h2.types.PING)
  it.peer.end()
  for (const streamRef of refs)
    assert.deepEqual(await it.story(streamRef), ['stream: connection_error closed'])
  assert.deepEqual(await it.end(), [
    'down connection_error closed, killed 0',
    'connection: connection_error closed',
    'DOWN shutdown connection_error closed',
  ])
})

for (const [what, frame, code] of [
  ['a GOAWAY with an error', h2.goaway(0, h2.errorCodes.INTERNAL_ERROR), 'goaway'],
  ['DATA on stream 0', h2.data(0, 'x'), 'protocol_error'],
] as const) {
  onEachTransport(`pings without an answer die with a connection that ${what} ends`, async transport => {
    await using it = await scene({ transport, opts: { retry: 0 }, server: { manual: true } })
    await it.peer.send([h2.settings(), h2.settingsAck()])
    const early = gun.ping(it.connPid)
    await it.peer.frame(h2.types.PING)
    await it.peer.send(frame)
    const late: gun.StreamRef[] = []
    for (; gun.info(it.connPid).stateName === 'connected'; await turn()) late.push(gun.ping(it.connPid))
    for (const streamRef of [early, ...late]) {
      assert.deepEqual(await it.story(streamRef), [`stream: connection_error ${code}`])
    }
    await it.end()
  })
}

onEachTransport(
  'pings while what has come is still being handled die with the connection too',
  async transport => {
    const { promise: atWork, resolve: begun } = withResolvers()
    const { promise: work, resolve: done } = withResolvers()
    const handler: gun.ContentHandler = {
      init: () => ({
        handle: () => {
          begun()
          return work
        },
      }),
    }
    await using it = await scene({
      transport,
      opts: { retry: 0 },
      http2Opts: { contentHandlers: [handler] },
      server: { manual: true },
    })
    await it.peer.send([h2.settings(), h2.settingsAck()])
    const early = gun.ping(it.connPid)
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send([h2.headers(streamId, [[':status', '200']]), h2.data(streamId, 'body')])
    await atWork
    await it.peer.send(h2.goaway(streamId, h2.errorCodes.INTERNAL_ERROR))
    await it.peer.frame(h2.types.GOAWAY)
    const late = gun.ping(it.connPid)
    await turn()
    done()
    for (const ref of [early, late])
      assert.deepEqual(await it.story(ref), ['stream: connection_error goaway'])
    assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'stream: connection_error goaway'])
    await it.end()
  },
)

test('a thousand pings may wait, and one more is told that it was not sent', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await scene({ server: { manual: true } })
  await it.peer.send([h2.settings(), h2.settingsAck()])
  for (let i = 0; i < 1000; i++) gun.ping(it.connPid)
  const extra = gun.ping(it.connPid)
  assert.deepEqual(await it.story(extra), ['stream: badstate badstate'])
  assert.equal(gun.info(it.connPid).stateName, 'connected')
})

test('the server’s pings are acknowledged', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  await it.peer.send(h2.ping('abcdefgh'))
  const { payload, flags } = await it.peer.frame(h2.types.PING)
  assert.deepEqual([String(payload), flags], ['abcdefgh', h2.flags.ACK])
})

for (const tolerance of [1, 3]) {
  test(`a server that leaves ${tolerance} keepalive pings unanswered is gone`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
    await using it = await scene({
      opts: { retry: 0 },
      http2Opts: { keepalive: 1000, keepaliveTolerance: tolerance },
      server: { manual: true },
    })
    await it.peer.send([h2.settings(), h2.settingsAck()])
    const streamRef = gun.get(it.connPid, '/')
    // A ping that is answered does not count.
    t.mock.timers.tick(1000)
    const { payload } = await it.peer.frame(h2.types.PING)
    await it.peer.send(h2.pingAck(payload))
    await it.seen()
    for (let i = 0; i < tolerance; i++) {
      t.mock.timers.tick(1000)
      await it.peer.frame(h2.types.PING)
      assert.equal(gun.info(it.connPid).stateName, 'connected')
    }
    // The next one is due, and then what may have come is looked for.
    t.mock.timers.tick(1001)
    t.mock.timers.reset()
    assert.deepEqual(await it.story(streamRef), ['stream: connection_error keepalive_timeout'])
    assert.match((await it.end()).join(), /^down connection_error keepalive_timeout, killed 1/)
  })
}

onEachTransport(
  'a ping is told of when its own answer comes, whatever else is acknowledged',
  async transport => {
    await using it = await scene({ transport, server: { manual: true } })
    await it.peer.send([h2.settings(), h2.settingsAck()])
    const refs = [0, 1, 2].map(() => gun.ping(it.connPid))
    const opaque = []
    for (const _ of refs) opaque.push((await it.peer.frame(h2.types.PING)).payload)
    const forged = Buffer.from(opaque[0] as Buffer)
    forged[0] = (forged[0] as number) ^ 1
    const beyond = Buffer.from(opaque[2] as Buffer)
    beyond.writeUInt32BE(beyond.readUInt32BE(4) + 1, 4)
    const answers = [forged, beyond, Buffer.alloc(8), opaque[1], opaque[1], opaque[2]] as Buffer[]
    await it.peer.send(answers.map(each => h2.pingAck(each)))
    for (const streamRef of [refs[1], refs[2]] as gun.StreamRef[]) {
      const { event } = await it.self.receive([{ type: 'gun_notify', streamRef }], 5000)
      assert.equal(event, 'ping_ack')
    }
    await it.seen()
    assert.deepEqual(await it.waiting(), [])
    await it.peer.send(h2.pingAck(opaque[0]))
    await it.self.receive([{ type: 'gun_notify', streamRef: refs[0] as gun.StreamRef }], 5000)
    assert.deepEqual(await it.waiting(), [])
  },
)

/** A connection whose keepalive pings are all in the test's hands. */
async function kept(t: TestContext, keepaliveTolerance: number) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const it = await scene({
    opts: { retry: 0 },
    http2Opts: { keepalive: 1000, keepaliveTolerance },
    server: { manual: true },
  })
  await it.peer.send([h2.settings(), h2.settingsAck()])
  await it.seen()
  return it
}

test('a server whose answers lag more and more is gone', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await kept(t, 3)
  const unanswered: Buffer[] = []
  // Every second ping is answered with a ping that is older each time: never are three in a row left unanswered.
  for (let i = 0; i < 5; i++) {
    t.mock.timers.tick(1000)
    unanswered.push((await it.peer.frame(h2.types.PING)).payload)
    assert.equal(gun.info(it.connPid).stateName, 'connected')
    if (i % 2 === 1) await it.peer.send(h2.pingAck(unanswered.shift()))
    await it.seen()
  }
  assert.equal(unanswered.length, 3)
  t.mock.timers.tick(1001)
  t.mock.timers.reset()
  assert.match((await it.end()).join(), /^down connection_error keepalive_timeout, killed 0/)
})

test('a server whose answers are late, but no later than before, stays', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await kept(t, 3)
  const unanswered: Buffer[] = []
  for (let i = 0; i < 20; i++) {
    t.mock.timers.tick(1000)
    unanswered.push((await it.peer.frame(h2.types.PING)).payload)
    if (unanswered.length > 2) await it.peer.send(h2.pingAck(unanswered.shift()))
    await it.seen()
    assert.equal(gun.info(it.connPid).stateName, 'connected')
  }
  t.mock.timers.reset()
})

test('neither the answers to pings of the caller nor forged ones keep a connection alive', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await kept(t, 2)
  for (let i = 0; i < 2; i++) {
    t.mock.timers.tick(1000)
    const keepalive = await it.peer.frame(h2.types.PING)
    const streamRef = gun.ping(it.connPid)
    const { payload } = await it.peer.frame(h2.types.PING)
    assert.notDeepEqual(payload, keepalive.payload)
    await it.peer.send([h2.pingAck(payload), h2.pingAck(Buffer.alloc(8, i))])
    await it.self.receive([{ type: 'gun_notify', streamRef }], 5000)
  }
  t.mock.timers.tick(1001)
  t.mock.timers.reset()
  assert.match((await it.end()).join(), /^down connection_error keepalive_timeout, killed 0/)
})
