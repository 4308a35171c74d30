// The limits of HTTP/2: how many streams the server allows, and how many frames that bring nothing it may send.

import assert from 'node:assert/strict'
import { mock, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { headerOf, ok, type Scene, scene, sentTo } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const NO_CONTENT = [[':status', '204']] as const

/** How many streams have begun. */
async function begun(it: Scene): Promise<number> {
  await it.seen()
  return new Set(it.peer.frames.filter(({ type }) => type === h2.types.HEADERS).map(each => each.streamId))
    .size
}

async function answer(it: Scene, path: string): Promise<void> {
  const { headers, streamId } = await it.peer.request()
  assert.equal(headerOf(headers, ':path'), path)
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
}

onEachTransport(
  'requests beyond SETTINGS_MAX_CONCURRENT_STREAMS begin in order as others end',
  async transport => {
    await using it = await scene({ transport, server: { settings: { MAX_CONCURRENT_STREAMS: 1 } } })
    await it.seen()
    const streamRefs = [0, 1, 2, 3].map(i => gun.get(it.connPid, `/${i}`))
    for (const [i, streamRef] of streamRefs.entries()) {
      assert.equal(await begun(it), i + 1)
      await answer(it, `/${i}`)
      assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    }
  },
)

test('a limit of 0 holds all requests, one that is raised lets them begin, one lowered ends none', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { settings: { MAX_CONCURRENT_STREAMS: 0 } } })
  await it.seen()
  const streamRefs = [0, 1, 2, 3].map(i => gun.get(it.connPid, `/${i}`))
  assert.equal(await begun(it), 0)
  await it.peer.send(h2.settings({ MAX_CONCURRENT_STREAMS: 2 }))
  assert.equal(await begun(it), 2)
  await it.peer.send(h2.settings({ MAX_CONCURRENT_STREAMS: 1 }))
  await answer(it, '/0')
  assert.deepEqual(await it.story(streamRefs[0] as gun.StreamRef), ['response 204 fin'])
  assert.equal(await begun(it), 2)
  await answer(it, '/1')
  assert.equal(await begun(it), 3)
  await it.peer.send(h2.settings({ MAX_CONCURRENT_STREAMS: 100 }))
  await answer(it, '/2')
  await answer(it, '/3')
  for (const streamRef of streamRefs.slice(1))
    assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
})

test('a request that is cancelled while it waits never begins, nor does its body', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { settings: { MAX_CONCURRENT_STREAMS: 1 } } })
  await it.seen()
  const first = gun.get(it.connPid, '/first')
  const cancelled = gun.post(it.connPid, '/cancelled', {})
  gun.data(it.connPid, cancelled, 'nofin', 'a')
  const last = gun.post(it.connPid, '/last', {})
  gun.data(it.connPid, last, 'nofin', 'b')
  gun.data(it.connPid, last, 'fin', 'c')
  gun.cancel(it.connPid, cancelled)
  await answer(it, '/first')
  assert.deepEqual(await it.story(first), ['response 204 fin'])
  const { headers, streamId } = await it.peer.request()
  assert.equal(headerOf(headers, ':path'), '/last')
  assert.equal(String(await it.peer.body(streamId)), 'bc')
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(last), ['response 204 fin'])
  gun.cancel(it.connPid, cancelled)
  assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
  assert.ok(!sentTo(it.peer).some(text => text.startsWith('RST')))
})

onEachTransport('requests that wait when the connection is lost die with it, unsent', async transport => {
  await using it = await scene({
    transport,
    opts: { retry: 0 },
    server: { settings: { MAX_CONCURRENT_STREAMS: 1 } },
  })
  await it.seen()
  const streamRefs = [0, 1, 2].map(i => gun.get(it.connPid, `/${i}`))
  await it.peer.request()
  it.peer.end()
  const codes = ['closed', 'refused_stream', 'refused_stream']
  for (const [i, streamRef] of streamRefs.entries()) {
    assert.deepEqual(await it.story(streamRef), [`stream: connection_error ${codes[i]}`])
  }
  assert.match((await it.heard(1)).join(), /killed 3$/)
})

test('before the server has stated its settings a hundred requests begin, and not one more', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { manual: true } })
  for (let i = 0; i < 150; i++) gun.get(it.connPid, `/${i}`)
  for (let i = 0; i < 100; i++) await it.peer.request()
  await it.peer.send([h2.settings(), h2.settingsAck()])
  const { headers } = await it.peer.request()
  assert.equal(headerOf(headers, ':path'), '/100')
  for (let i = 101; i < 150; i++) await it.peer.request()
  const states = it.peer.frames.findIndex(
    each => each.type === h2.types.SETTINGS && each.flags === h2.flags.ACK,
  )
  const before = it.peer.frames.slice(0, states).filter(({ type }) => type === h2.types.HEADERS).length
  assert.ok(before === 100 || states === -1, `${before} began before`)
})

test('a cancelled stream makes room for another', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { settings: { MAX_CONCURRENT_STREAMS: 1 } } })
  await it.seen()
  const first = gun.get(it.connPid, '/first')
  await it.peer.request()
  const next = gun.get(it.connPid, '/next')
  gun.cancel(it.connPid, first)
  await it.peer.frame(h2.types.RST_STREAM, 1)
  await answer(it, '/next')
  assert.deepEqual(await it.story(next), ['response 204 fin'])
})

const big = Array.from({ length: 25 }, (_, i) => [`x-${i}`, 'v'.repeat(3000)] as const)

onEachTransport(
  'headers or trailers beyond maxHeaderListSize are limit_reached for their stream',
  async transport => {
    await using it = await scene({ transport, http2Opts: { maxHeaderListSize: 50_000 } })
    assert.equal(it.peer.settings.MAX_HEADER_LIST_SIZE, 50_000)
    const parts = (streamId: number, first: readonly (readonly [string, string])[], endStream: boolean) => [
      h2.headers(streamId, first, { endHeaders: false, endStream }),
      ...[0, 5, 10, 15, 20].map(at => h2.continuation(streamId, big.slice(at, at + 5), at === 20)),
    ]
    const headers = gun.get(it.connPid, '/headers')
    const { streamId } = await it.peer.request()
    await it.peer.send(parts(streamId, ok, true))
    assert.deepEqual(await it.story(headers), ['stream: stream_error limit_reached'])
    const trailers = gun.get(it.connPid, '/trailers')
    const { streamId: id } = await it.peer.request()
    await it.peer.send([h2.headers(id, ok), h2.data(id, 'a'), ...parts(id, [['x-a', 'b']], true)])
    assert.deepEqual(await it.story(trailers), [
      'response 200 nofin',
      'data a nofin',
      'stream: stream_error limit_reached',
    ])
    // And once more, when our settings are agreed to for sure.
    await it.seen()
    const later = gun.get(it.connPid, '/later')
    const { streamId: laterId } = await it.peer.request()
    await it.peer.send(parts(laterId, ok, true))
    assert.deepEqual(await it.story(later), ['stream: stream_error limit_reached'])
    const within = gun.get(it.connPid, '/within')
    await answer(it, '/within')
    assert.deepEqual(await it.story(within), ['response 204 fin'])
  },
)

test('headers up to maxHeaderListSize come, many small ones too', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const many = Array.from({ length: 2500 }, (_, i) => [`x${String(i).padStart(4, '0')}`, 'v'] as const)
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  const blocks = Array.from({ length: 5 }, (_, i) => many.slice(i * 500, (i + 1) * 500))
  await it.peer.send([
    h2.headers(streamId, ok, { endHeaders: false, endStream: true }),
    ...blocks.map((block, i) => h2.continuation(streamId, block, i === 4)),
  ])
  const { headers } = await it.self.receive([{ type: 'gun_response', streamRef }])
  assert.equal(headers.length, 2500)
})

// A connection has 1,000 points, earns 16 with each request and 100 a second, and each of these frames costs one. SETTINGS cost
// 1/64 more for each stream that is open. The server's first SETTINGS count too, and so does each PING of `seen`.
const FIRST = 1000
const REQUEST = 16

/** Lets the clock stand still but for what the test adds, so that time earns nothing else. */
function holdClock(t: TestContext): (ms: number) => void {
  let now = performance.now()
  t.mock.method(performance, 'now', () => now)
  return ms => {
    now += ms
  }
}

const cheap: readonly [what: string, frame: (id: number) => Uint8Array, cost?: number][] = [
  ['PING', () => h2.ping()],
  ['acknowledgements of no ping', () => h2.pingAck(Buffer.alloc(8))],
  ['SETTINGS', () => h2.settings(), 1 + 1 / 64],
  ['acknowledgements of SETTINGS', () => h2.settingsAck()],
  ['empty DATA', id => h2.data(id, '')],
  ['DATA that is padding alone', id => h2.data(id, '', { padding: 200 })],
  ['WINDOW_UPDATE of the connection', () => h2.windowUpdate(0, 1)],
  ['WINDOW_UPDATE of a stream', id => h2.windowUpdate(id, 1)],
  ['PRIORITY', id => h2.frame(h2.types.PRIORITY, 0, id, Buffer.alloc(5))],
  ['unknown frames', () => h2.frame(0xfa, 0, 0, 'x')],
  ['interim responses', id => h2.headers(id, [[':status', '103']])],
  ['resets of a stream that is over', () => h2.rstStream(1, 0)],
  ['GOAWAY', () => h2.goaway(2 ** 31 - 1, 0)],
]

for (const [what, frame, cost = 1] of cheap) {
  test(`${what}: as many are taken as the connection has points, and not one more`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    holdClock(t)
    await using it = await scene({ opts: { retry: 0 } })
    const done = gun.get(it.connPid, '/done')
    await answer(it, '/done')
    assert.deepEqual(await it.story(done), ['response 204 fin'])
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    if (what !== 'interim responses') {
      await it.peer.send(h2.headers(streamId, ok))
      assert.deepEqual(await it.heard(1), ['response 200 nofin'])
    }
    const points = FIRST - 1 + 2 * REQUEST - 1
    await it.peer.send(Array.from({ length: Math.floor(points / cost) }, () => frame(streamId)))
    await it.seen()
    assert.match(gun.info(it.connPid).stateName, /connected|closing/)
    await it.peer.send(frame(streamId))
    assert.equal((await it.story(streamRef)).at(-1), 'stream: connection_error limit_reached')
    assert.match((await it.end()).join(), /^down connection_error limit_reached, killed 1/)
    await it.peer.rest()
    assert.equal(it.peer.goaways.at(-1)?.errorCode, 'ENHANCE_YOUR_CALM')
  })
}

/** A connection that has no points left, for a clock that stands still. */
async function spent(t: TestContext): Promise<{ it: Scene; elapse(ms: number): void }> {
  const elapse = holdClock(t)
  const it = await scene({ opts: { retry: 0 } })
  await it.peer.send(Array.from({ length: FIRST - 2 }, () => h2.ping()))
  await it.seen()
  return { it, elapse }
}

async function assertTooMany(it: Scene): Promise<void> {
  assert.equal(gun.info(it.connPid).stateName, 'connected')
  await it.peer.send(h2.ping())
  assert.match((await it.end()).join(), /^down connection_error limit_reached, killed 0/)
}

test('a frame that brings nothing may come each ten milliseconds, and no sooner', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const { it, elapse } = await spent(t)
  await using _it = it
  for (let i = 0; i < 20; i++) {
    elapse(10)
    await it.seen()
  }
  elapse(9)
  await assertTooMany(it)
})

test('however long a server was silent, a thousand may come, and no more', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const { it, elapse } = await spent(t)
  await using _it = it
  elapse(3_600_000)
  await it.peer.send(Array.from({ length: FIRST - 1 }, () => h2.ping()))
  await it.seen()
  await assertTooMany(it)
})

test('each request earns the server sixteen frames that bring nothing', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const { it } = await spent(t)
  await using _it = it
  const streamRef = gun.get(it.connPid, '/')
  await answer(it, '/')
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  await it.peer.send(Array.from({ length: REQUEST - 1 }, () => h2.ping()))
  await it.seen()
  await assertTooMany(it)
})

test('each frame of DATA that is sent earns the server four frames that bring nothing', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const { it } = await spent(t)
  await using _it = it
  const streamRef = gun.post(it.connPid, '/', {}, Buffer.alloc(2 * 16_384))
  const { streamId } = await it.peer.request()
  await it.peer.body(streamId)
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  await it.peer.send(Array.from({ length: REQUEST + 2 * 4 - 1 }, () => h2.ping()))
  await it.seen()
  await assertTooMany(it)
})

for (const what of ['empty CONTINUATION', 'CONTINUATION without an end'] as const) {
  onEachTransport(`a flood of ${what} ends its stream or the connection`, async transport => {
    await using it = await scene({ transport, opts: { retry: 0 } })
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    const part: readonly (readonly [string, string])[] =
      what === 'empty CONTINUATION' ? [] : [['x-a', 'v'.repeat(1000)]]
    await it.peer.send([
      h2.headers(streamId, ok, { endHeaders: false }),
      ...Array.from({ length: 2000 }, () => h2.continuation(streamId, part, false)),
    ])
    assert.match(
      (await it.story(streamRef)).join(),
      /^stream: (stream|connection)_error (limit_reached|protocol_error)$/,
    )
  })
}
