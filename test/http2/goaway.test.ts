// Connections of HTTP/2 that end in order, or with a GOAWAY that says why they do not.

import assert from 'node:assert/strict'
import { mock, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Transport } from '@holster/testing'
import { closePayload, frame, opcodes } from '@holster/testing/frames'
import { PATIENCE } from '../support/client.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import type { H2Peer, H2PeerOptions } from '../support/http2-origin.ts'
import { ok, type Scene, scene, sentTo } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const NO_CONTENT = [[':status', '204']] as const

async function answer(peer: H2Peer): Promise<number> {
  const { streamId } = await peer.request()
  await peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  return streamId
}

function mockTimers(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return ms => t.mock.timers.tick(ms)
}

async function ask(it: Scene, count: number): Promise<gun.StreamRef[]> {
  const streamRefs = Array.from({ length: count }, (_, i) => gun.get(it.connPid, `/${i}`))
  for (const _ of streamRefs) await it.peer.request()
  return streamRefs
}

onEachTransport(
  'GOAWAY with nothing open ends the connection in order, and it is made again',
  async transport => {
    await using it = await scene({ transport })
    await it.peer.send(h2.goaway(0))
    assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
    const streamRef = gun.get(it.connPid, '/')
    await answer(await it.next())
    assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  },
)

onEachTransport('GOAWAY lets the streams finish that it covers, and refuses the others', async transport => {
  await using it = await scene({ transport })
  const [first, second, third] = (await ask(it, 3)) as [gun.StreamRef, gun.StreamRef, gun.StreamRef]
  await it.peer.send([h2.headers(1, ok), h2.data(1, 'a'), h2.goaway(3)])
  assert.deepEqual(await it.story(third), ['stream: stream_error refused_stream'])
  const later = gun.get(it.connPid, '/later')
  await it.peer.send([h2.data(1, 'b', { endStream: true }), h2.headers(3, NO_CONTENT, { endStream: true })])
  assert.deepEqual(await it.story(first), ['response 200 nofin', 'data ab fin'])
  assert.deepEqual(await it.story(second), ['response 204 fin'])
  assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
  await answer(await it.next())
  assert.deepEqual(await it.story(later), ['response 204 fin'])
  assert.ok(!it.peer.frames.some(({ streamId }) => streamId > 5))
})

onEachTransport(
  'GOAWAY that refuses the only stream tells it before the connection is down',
  async transport => {
    await using it = await scene({ transport })
    await ask(it, 1)
    await it.peer.send(h2.goaway(0))
    assert.deepEqual(await it.heard(3), [
      'stream: stream_error refused_stream',
      'down normal, killed 0',
      'up http2',
    ])
  },
)

for (const [how, act] of [
  ['given data', gun.data],
  ['cancelled', gun.cancel],
] as const) {
  onEachTransport(`a stream that is ${how} as it hears that it has failed is over`, async transport => {
    const events: string[] = []
    const eventHandler: gun.EventHandler = { cancel: ({ endpoint }) => events.push(endpoint) }
    await using it = await scene({ transport, opts: { eventHandler } })
    const { connPid, self } = it
    let isFirst = true
    const streamRef: gun.StreamRef = gun.headers(connPid, 'POST', '/', {}, { replyTo })
    function replyTo(message: gun.GunMessage): void {
      self.send(message)
      if (isFirst) act(connPid, streamRef, 'nofin', 'x')
      isFirst = false
    }
    await it.peer.request()
    await it.peer.send(h2.rstStream(1, 2))
    assert.deepEqual(await it.heard(2), ['stream: stream_error stream_reset', 'stream: badstate badstate'])
    assert.deepEqual(events, ['remote'])
  })
}

onEachTransport('DOWN is last where the next stream to begin closes the connection', async transport => {
  let connPid: gun.ConnPid | undefined
  const eventHandler = { requestStart: () => connPid && gun.close(connPid) }
  await using it = await scene({
    transport,
    server: { settings: { MAX_CONCURRENT_STREAMS: 1 } },
    opts: { eventHandler },
  })
  await it.seen()
  gun.get(it.connPid, '/1')
  gun.get(it.connPid, '/2')
  await it.peer.request()
  connPid = it.connPid
  await it.peer.send(h2.rstStream(1, 2))
  assert.deepEqual(await it.end(), [
    'stream: stream_error stream_reset',
    'stream: connection_error shutdown',
    'DOWN shutdown',
  ])
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport('a body that ends wrongly as the connection closes is told before DOWN', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.headers(it.connPid, 'POST', '/', { 'content-length': '5' })
  await it.peer.request()
  gun.shutdown(it.connPid)
  gun.data(it.connPid, streamRef, 'fin', 'abc')
  assert.deepEqual(await it.end(), ['stream: badstate badstate', 'DOWN shutdown'])
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport(
  'DOWN is last where who hears of a refusal by GOAWAY closes the connection',
  async transport => {
    await using it = await scene({ transport, server: { settings: { MAX_CONCURRENT_STREAMS: 0 } } })
    await it.seen()
    gun.get(it.connPid, '/1', {}, { replyTo: () => gun.close(it.connPid) })
    gun.get(it.connPid, '/2')
    await it.peer.send(h2.goaway(0))
    assert.deepEqual(await it.end(), ['stream: stream_error refused_stream', 'DOWN shutdown'])
    assert.deepEqual(await it.waiting(), [])
  },
)

onEachTransport('GOAWAY in two phases refuses no stream before the second', async transport => {
  await using it = await scene({ transport })
  const [first, second] = (await ask(it, 2)) as [gun.StreamRef, gun.StreamRef]
  await it.peer.send(h2.goaway(2 ** 31 - 1))
  await it.seen()
  const later = gun.get(it.connPid, '/later')
  await it.seen()
  assert.deepEqual(await it.waiting(), [])
  await it.peer.send(h2.goaway(1))
  assert.deepEqual(await it.story(second), ['stream: stream_error refused_stream'])
  await it.peer.send(h2.headers(1, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(first), ['response 204 fin'])
  assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
  await answer(await it.next())
  assert.deepEqual(await it.story(later), ['response 204 fin'])
})

onEachTransport('GOAWAY and the end of the connection at once kill what is not complete', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 } })
  const [first, second, third] = (await ask(it, 3)) as [gun.StreamRef, gun.StreamRef, gun.StreamRef]
  await it.peer.send([h2.headers(1, ok), h2.data(1, 'a', { endStream: true }), h2.goaway(3)])
  it.peer.end()
  assert.deepEqual(await it.story(first), ['response 200 nofin', 'data a fin'])
  assert.deepEqual(await it.story(third), ['stream: stream_error refused_stream'])
  assert.deepEqual(await it.story(second), ['stream: connection_error closed'])
})

for (const code of [1, 2, 11, 0x99]) {
  onEachTransport(
    `GOAWAY with the error ${code} ends the connection at once, with what had come told`,
    async transport => {
      await using it = await scene({ transport, opts: { retry: 0 } })
      const [first, second, third] = (await ask(it, 3)) as [gun.StreamRef, gun.StreamRef, gun.StreamRef]
      await it.peer.send([
        h2.headers(1, ok),
        h2.data(1, 'a'),
        h2.headers(3, ok),
        h2.data(3, 'b', { endStream: true }),
        h2.goaway(3, code, 'why'),
      ])
      assert.deepEqual(await it.story(first), [
        'response 200 nofin',
        'data a nofin',
        'stream: connection_error goaway',
      ])
      assert.deepEqual(await it.story(second), ['response 200 nofin', 'data b fin'])
      assert.deepEqual(await it.story(third), ['stream: stream_error refused_stream'])
      assert.deepEqual(await it.end(), [
        'down connection_error goaway, killed 2',
        'connection: connection_error goaway',
        'DOWN shutdown connection_error goaway',
      ])
    },
  )
}

test('streams that are queued are refused by GOAWAY, and cancelling one says that it has ended', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { settings: { MAX_CONCURRENT_STREAMS: 1 } } })
  await it.seen()
  const first = gun.get(it.connPid, '/1')
  const queued = gun.get(it.connPid, '/2')
  await it.peer.request()
  await it.peer.send(h2.goaway(1))
  assert.deepEqual(await it.story(queued), ['stream: stream_error refused_stream'])
  await it.peer.send(h2.headers(1, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(first), ['response 204 fin'])
  assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
})

const GOING_AWAY = frame({ opcode: opcodes.close, payload: closePayload(1001) })

/** Of a frame. */
const HALF = frame({ opcode: opcodes.text, payload: 'half' }).subarray(0, 4)

const connectable = { settings: { ENABLE_CONNECT_PROTOCOL: 1 } }

async function agree(peer: H2Peer): Promise<void> {
  const { streamId } = await peer.request()
  await peer.send(h2.headers(streamId, ok))
}

/** A WebSocket that is lost with its connection, and is asked for again on the next. */
async function comingBack(
  transport: Transport,
  server: H2PeerOptions,
  opts: gun.Opts = {},
): Promise<Scene & { readonly streamRef: gun.StreamRef }> {
  const it = await scene({ transport, opts: { retryTimeout: 0, ...opts }, server })
  if (server.manual) await it.peer.send([h2.settings(connectable.settings), h2.settingsAck()])
  const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { reupgrade: true })
  await agree(it.peer)
  assert.deepEqual(await it.heard(1), ['gun_upgrade'])
  it.peer.end()
  assert.deepEqual(await it.heard(2), ['down connection_error closed, killed 0', 'up http2'])
  return { ...it, streamRef }
}

onEachTransport('an upgrade that comes back and is refused by GOAWAY is asked for again', async transport => {
  await using it = await comingBack(transport, connectable)
  const second = await it.next()
  await second.request()
  await second.send(h2.goaway(0))
  assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
  await agree(await it.next())
  assert.deepEqual(await it.heard(1), ['gun_upgrade'])
})

onEachTransport('an upgrade that comes back and waits is asked for again behind GOAWAY', async transport => {
  await using it = await comingBack(transport, { manual: true })
  const second = await it.next()
  await second.send([h2.settings({ MAX_CONCURRENT_STREAMS: 0, ...connectable.settings }), h2.goaway(0)])
  assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
  const third = await it.next()
  await third.send(h2.settings(connectable.settings))
  await agree(third)
  assert.deepEqual(await it.heard(1), ['gun_upgrade'])
})

onEachTransport(
  'an upgrade that comes back and is refused by GOAWAY says so if nothing follows',
  async transport => {
    await using it = await comingBack(transport, connectable)
    const second = await it.next()
    await second.request()
    gun.shutdown(it.connPid)
    await second.send(h2.goaway(0))
    assert.deepEqual(await it.heard(2), ['stream: stream_error refused_stream', 'DOWN shutdown'])
  },
)

onEachTransport('a WebSocket that ends behind GOAWAY comes back, however it ends', async transport => {
  await using it = await comingBack(transport, connectable)
  let peer = await it.next()
  for (const end of [h2.data(1, GOING_AWAY), h2.data(1, HALF, { endStream: true }), h2.rstStream(1, 8)]) {
    await agree(peer)
    await peer.send(h2.data(1, frame({ opcode: opcodes.text, payload: 'hello' })))
    assert.deepEqual(await it.heard(2), ['gun_upgrade', 'gun_ws'])
    await peer.send([h2.goaway(1), end])
    if (end.includes(GOING_AWAY)) {
      assert.deepEqual(await it.heard(1), ['gun_ws'])
      await peer.send(h2.data(1, '', { endStream: true }))
    }
    assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
    peer = await it.next()
  }
  await agree(peer)
  assert.deepEqual(await it.heard(1), ['gun_upgrade'])
})

for (const [what, end, told] of [
  ['closed in order', [h2.data(1, GOING_AWAY), h2.data(1, '', { endStream: true })], 'gun_ws'],
  ['reset', [h2.rstStream(1, 2)], 'stream: stream_error stream_reset'],
] as const) {
  onEachTransport(
    `a WebSocket that is ${what} behind GOAWAY has ended if nothing follows`,
    async transport => {
      await using it = await scene({ transport, opts: { retry: 0 }, server: connectable })
      gun.wsUpgrade(it.connPid, '/', {}, { reupgrade: true })
      await agree(it.peer)
      gun.get(it.connPid, '/open')
      await it.peer.request()
      await it.peer.send([h2.goaway(3), ...end])
      assert.deepEqual(await it.heard(2), ['gun_upgrade', told])
      await it.seen()
      await it.peer.send(h2.headers(3, NO_CONTENT, { endStream: true }))
      assert.deepEqual(await it.end(), ['response 204 fin', 'down normal, killed 0', 'DOWN normal'])
    },
  )
}

onEachTransport('a WebSocket that breaks its protocol behind GOAWAY is told why', async transport => {
  await using it = await comingBack(transport, connectable)
  const second = await it.next()
  await agree(second)
  const invalid = frame({ opcode: opcodes.text, payload: Buffer.of(0xff) })
  await second.send([h2.goaway(1), h2.data(1, invalid)])
  assert.deepEqual(await it.heard(4), [
    'gun_upgrade',
    'stream: stream_error badencoding',
    'down normal, killed 0',
    'up http2',
  ])
})

onEachTransport('a WebSocket that its owner has closed does not come back', async transport => {
  await using it = await scene({ transport, opts: { retryTimeout: 0 }, server: connectable })
  for (const lose of [
    (peer: H2Peer) => peer.end(),
    (peer: H2Peer) => peer.send([h2.goaway(1), h2.rstStream(1, 8)]),
  ]) {
    const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { reupgrade: true })
    const peer = it.server.connections === 1 ? it.peer : await it.next()
    await agree(peer)
    assert.deepEqual(await it.heard(1), ['gun_upgrade'])
    gun.wsSend(it.connPid, streamRef, 'close')
    await it.seen(peer)
    await lose(peer)
    const told = await it.heard(3)
    assert.match(
      told.join(),
      /^stream: (connection_error closed|stream_error stream_reset),down .*,up http2$/,
    )
  }
  const last = gun.get(it.connPid, '/')
  await answer(await it.next())
  assert.deepEqual(await it.story(last), ['response 204 fin'])
})

/** As `comingBack`, up to where the next connection has refused it and ends with the response to another request. */
async function refusedAgain(transport: Transport, eventHandler: gun.EventHandler = {}) {
  const it = await comingBack(transport, connectable, { eventHandler })
  const second = await it.next()
  await second.request()
  const open = gun.get(it.connPid, '/open')
  await second.request()
  await second.send([h2.goaway(3), h2.rstStream(1, 7)])
  await it.seen(second)
  return { ...it, second, open }
}

for (const [how, end, code] of [
  ['closed', gun.close, 'shutdown'],
  ['shut down', gun.shutdown, 'closing'],
] as const) {
  onEachTransport(
    `a WebSocket that is to come back says so when the connection is ${how}`,
    async transport => {
      await using it = await refusedAgain(transport)
      end(it.connPid)
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }], PATIENCE)
      assert.equal(reason.code, code)
    },
  )
}

onEachTransport('a WebSocket that is to come back is cancelled between connections', async transport => {
  await using it = await scene({ transport, opts: { retryTimeout: 0 }, server: connectable })
  const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { reupgrade: true })
  await agree(it.peer)
  assert.deepEqual(await it.heard(1), ['gun_upgrade'])
  it.peer.end()
  assert.deepEqual(await it.heard(1), ['down connection_error closed, killed 0'])
  gun.cancel(it.connPid, streamRef)
  assert.deepEqual(await it.heard(1), ['up http2'])
  const last = gun.get(it.connPid, '/')
  await answer(await it.next())
  assert.deepEqual(await it.story(last), ['response 204 fin'])
})

onEachTransport('a WebSocket that is to come back is cancelled like any other stream', async transport => {
  const events: [string, gun.StreamRef][] = []
  const eventHandler: gun.EventHandler = {
    cancel: ({ endpoint, streamRef }) => events.push([endpoint, streamRef]),
    requestPostponed: ({ streamRef }) => events.push(['postponed', streamRef]),
  }
  await using it = await refusedAgain(transport, eventHandler)
  const { second, open, streamRef } = it
  const words = () =>
    events.splice(0).map(([what, ref]) => {
      assert.equal(ref, streamRef)
      return what
    })
  assert.deepEqual(words(), ['remote', 'postponed'])
  const { state, isPostponed } = gun.streamInfo(it.connPid, it.streamRef)?.request ?? {}
  assert.deepEqual([state, isPostponed], ['waiting', true])
  gun.cancel(it.connPid, it.streamRef)
  assert.deepEqual(words(), ['local'])
  assert.equal(gun.streamInfo(it.connPid, it.streamRef), undefined)
  await second.send(h2.headers(3, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(open), ['response 204 fin'])
  assert.deepEqual(await it.heard(2), ['down normal, killed 0', 'up http2'])
  const last = gun.get(it.connPid, '/')
  await answer(await it.next())
  assert.deepEqual(await it.story(last), ['response 204 fin'])
})

for (const [what, ms, http2Opts] of [
  ['15 seconds', 15_000, {}],
  ['closingTimeout', 700, { closingTimeout: 700 }],
] as const) {
  test(`a stream that GOAWAY lets finish has ${what} for it`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await scene({ http2Opts, opts: { retry: 0 } })
    const [first] = (await ask(it, 1)) as [gun.StreamRef]
    const tick = mockTimers(t)
    await it.peer.send(h2.goaway(1))
    await it.seen()
    tick(ms - 1)
    assert.equal(gun.info(it.connPid).stateName, 'closing')
    tick(1)
    t.mock.timers.reset()
    assert.deepEqual(await it.story(first), ['stream: connection_error closing_timeout'])
    assert.match((await it.end()).join(), /^down connection_error closing_timeout, killed 1/)
  })

  test(`shutdown gives a stream ${what}`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await scene({ http2Opts })
    const [first] = (await ask(it, 1)) as [gun.StreamRef]
    const tick = mockTimers(t)
    gun.shutdown(it.connPid)
    const goaway = await it.peer.frame(h2.types.GOAWAY)
    assert.equal(h2.readGoaway(goaway).errorCode, 'NO_ERROR')
    tick(ms - 1)
    assert.equal(gun.info(it.connPid).stateName, 'closing')
    tick(1)
    t.mock.timers.reset()
    assert.deepEqual(await it.story(first), ['stream: connection_error closing_timeout'])
    assert.deepEqual(await it.end(), ['DOWN shutdown'])
  })
}

onEachTransport('shutdown lets streams finish, says GOAWAY, and takes no requests', async transport => {
  await using it = await scene({ transport })
  const [first] = (await ask(it, 1)) as [gun.StreamRef]
  gun.shutdown(it.connPid)
  const goaway = await it.peer.frame(h2.types.GOAWAY)
  assert.deepEqual(h2.readGoaway(goaway), { lastStreamId: 0, errorCode: 'NO_ERROR', debugData: '' })
  const late = gun.get(it.connPid, '/late')
  assert.deepEqual(await it.heard(1), ['stream: stream_error closing'])
  assert.equal(gun.streamInfo(it.connPid, late), undefined)
  await it.peer.send([h2.headers(1, ok), h2.data(1, 'a', { endStream: true })])
  assert.deepEqual(await it.story(first), ['response 200 nofin', 'data a fin'])
  assert.deepEqual(await it.end(), ['DOWN shutdown'])
  assert.deepEqual(
    sentTo(it.peer).filter(text => text.startsWith('GOAWAY')),
    ['GOAWAY NO_ERROR last 0'],
  )
})

onEachTransport('shutdown lets a body be sent to its end', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.post(it.connPid, '/', {})
  const { streamId } = await it.peer.request()
  gun.shutdown(it.connPid)
  gun.data(it.connPid, streamRef, 'nofin', 'a')
  gun.data(it.connPid, streamRef, 'fin', 'b')
  assert.equal(String(await it.peer.body(streamId)), 'ab')
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  assert.deepEqual(await it.end(), ['DOWN shutdown'])
})

onEachTransport('shutdown with nothing open, twice, ends at once', async transport => {
  await using it = await scene({ transport })
  gun.shutdown(it.connPid)
  gun.shutdown(it.connPid)
  assert.deepEqual(await it.end(), ['DOWN shutdown'])
  assert.equal((await it.peer.rest()).map(h2.tellFrame).at(-1), 'GOAWAY NO_ERROR last 0')
})

test('GOAWAY with an error, or the end, while we shut down', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  for (const how of ['goaway', 'end', 'graceful'] as const) {
    await using it = await scene()
    const [first] = (await ask(it, 1)) as [gun.StreamRef]
    gun.shutdown(it.connPid)
    await it.seen()
    if (how === 'graceful') {
      await it.peer.send([h2.goaway(1), h2.headers(1, NO_CONTENT, { endStream: true })])
      assert.deepEqual(await it.story(first), ['response 204 fin'])
      assert.deepEqual(await it.end(), ['DOWN shutdown'])
    } else {
      if (how === 'goaway') await it.peer.send(h2.goaway(1, 2))
      else it.peer.end()
      const code = how === 'goaway' ? 'goaway' : 'closed'
      assert.deepEqual(await it.story(first), [`stream: connection_error ${code}`])
      assert.match((await it.end()).join(), /^DOWN shutdown/)
    }
  }
})

test('shutdown while GOAWAY lets streams finish makes no other connection', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const [first] = (await ask(it, 1)) as [gun.StreamRef]
  await it.peer.send(h2.goaway(1))
  await it.seen()
  const postponed = gun.get(it.connPid, '/postponed')
  gun.shutdown(it.connPid)
  await it.peer.send(h2.headers(1, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(first), ['response 204 fin'])
  assert.match((await it.end()).join(), /^stream: \w+ \w+,DOWN shutdown$/)
  assert.ok(postponed)
  assert.equal(it.server.connections, 1)
})

onEachTransport('close ends everything at once', async transport => {
  await using it = await scene({ transport, server: { settings: { MAX_CONCURRENT_STREAMS: 3 } } })
  await it.seen()
  const open = gun.get(it.connPid, '/1')
  const sending = gun.post(it.connPid, '/2', {})
  gun.data(it.connPid, sending, 'nofin', 'a')
  const begun = gun.get(it.connPid, '/3', {}, { flow: 1 })
  const queued = gun.get(it.connPid, '/4')
  for (const _ of [1, 2, 3]) await it.peer.request()
  await it.peer.send([h2.headers(5, ok), h2.data(5, 'a'), h2.data(5, 'b')])
  await it.seen()
  assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin'])
  gun.close(it.connPid)
  for (const streamRef of [open, sending, begun, queued]) {
    assert.deepEqual(await it.story(streamRef), ['stream: connection_error shutdown'])
  }
  assert.deepEqual(await it.end(), ['DOWN shutdown'])
})

onEachTransport('requests that wait behind a GOAWAY say so by event and in streamInfo', async transport => {
  const told: [string, gun.StreamRef][] = []
  const refs: gun.StreamRef[] = []
  const words = () => told.splice(0).map(([what, streamRef]) => `${what} ${refs.indexOf(streamRef)}`)
  const eventHandler: gun.EventHandler = {
    requestPostponed: ({ streamRef, replyTo, connPid }) => {
      assert.deepEqual([connPid, replyTo], [it.connPid, it.self])
      told.push(['postponed', streamRef])
    },
    requestStart: ({ streamRef }) => told.push(['start', streamRef]),
  }
  await using it = await scene({ transport, opts: { eventHandler, retryTimeout: 0 }, http2Opts: { flow: 7 } })
  const { connPid } = it
  refs.push(gun.get(connPid, '/first'))
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.goaway(streamId))
  await it.seen()
  refs.push(gun.get(connPid, '/whole', {}, { flow: 3 }))
  refs.push(gun.post(connPid, '/parts', {}))
  gun.data(connPid, refs[2] as gun.StreamRef, 'nofin', 'abc')
  gun.updateFlow(connPid, refs[2] as gun.StreamRef, 2)
  assert.deepEqual(words(), ['start 0', 'postponed 1', 'postponed 2'])
  const waiting = {
    state: 'waiting',
    isPostponed: true,
    response: 'due',
    isHandled: false,
  }
  const [first, whole, parts] = refs.map(streamRef => gun.streamInfo(connPid, streamRef))
  assert.equal(first?.request?.isPostponed, false)
  const known = { replyTo: it.self, state: 'running', intermediaries: [] }
  assert.deepEqual(whole, {
    ref: refs[1],
    ...known,
    request: { ...waiting, method: 'GET', path: '/whole', givenBytes: 0, isComplete: true, flow: 3 },
  })
  assert.deepEqual(parts, {
    ref: refs[2],
    ...known,
    request: { ...waiting, method: 'POST', path: '/parts', givenBytes: 3, isComplete: false, flow: 9 },
  })
  gun.data(connPid, refs[2] as gun.StreamRef, 'fin', 'de')
  const { givenBytes, isComplete } = gun.streamInfo(connPid, refs[2] as gun.StreamRef)?.request ?? {}
  assert.deepEqual([givenBytes, isComplete], [5, true])
  const ping = gun.ping(connPid)
  assert.equal(gun.streamInfo(connPid, ping), undefined)
  const silent = gun.await(connPid, refs[1] as gun.StreamRef, 0)
  await assert.rejects(silent, /nothing of it was sent, since it waits for the next connection/)
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(refs[0] as gun.StreamRef), ['response 204 fin'])
  const next = await it.next()
  for (let i = 0; i < 2; i++) await answer(next)
  for (const streamRef of refs.slice(1)) assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  assert.deepEqual(words(), ['start 1', 'start 2'])
})

test('a request that waits behind a GOAWAY and is cancelled, or can never be sent, waits no more', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const told: gun.StreamRef[] = []
  const eventHandler: gun.EventHandler = { requestPostponed: ({ streamRef }) => told.push(streamRef) }
  for (const retry of [0, 1]) {
    await using it = await scene({ opts: { eventHandler, retry, retryTimeout: 0 } })
    gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(h2.goaway(streamId))
    await it.seen()
    const streamRef = gun.get(it.connPid, '/never')
    // Without another connection the request is refused, and waits for nothing.
    assert.deepEqual(told.splice(0), retry === 0 ? [] : [streamRef])
    gun.cancel(it.connPid, streamRef)
    assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
  }
})
