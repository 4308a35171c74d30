// Flow control of HTTP/2: what a receiver does not want holds up its own stream and nothing else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { eventually } from '../support/client.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { type H2Peer, h2Origin } from '../support/http2-origin.ts'
import { headerOf, ok, respond, type Scene, scene, sentTo } from '../support/http2-scene.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

const NO_CONTENT = [[':status', '204']] as const

async function goesOn(it: Scene): Promise<void> {
  const streamRef = gun.get(it.connPid, '/next')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
}

for (const how of ['whole', 'bytes'] as const) {
  onEachTransport(`flow is how many messages of a body come, sent ${how}`, async transport => {
    await using it = await scene({ transport, http2Opts: { flow: 2 } })
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    const frames = ['a', 'b', 'c', 'd', 'e'].map(text => h2.data(streamId, text))
    await it.peer.send([h2.headers(streamId, ok), ...frames, h2.data(streamId, '', { endStream: true })], how)
    await it.seen()
    assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin', 'data b nofin'])
    gun.updateFlow(it.connPid, streamRef, 1)
    assert.deepEqual(await it.heard(1), ['data c nofin'])
    await it.seen()
    assert.deepEqual(await it.waiting(), [])
    await goesOn(it)
    gun.updateFlow(it.connPid, streamRef, 10)
    assert.deepEqual(await it.story(streamRef), ['data de fin'])
  })
}

onEachTransport('a stream that nobody reads fills its window, and the others go on', async transport => {
  await using it = await scene({
    transport,
    http2Opts: { initialStreamWindowSize: 65_535, initialConnectionWindowSize: 1_000_000 },
  })
  const slow = gun.get(it.connPid, '/slow', {}, { flow: 1 })
  const slowId = await respond(it.peer)
  assert.deepEqual(await it.heard(1), ['response 200 nofin'])
  let sent = 0
  const granted = () =>
    it.peer.windowUpdates.reduce(
      (sum, update) => sum + (update.streamId === slowId ? update.increment : 0),
      65_535,
    )
  for (let room = granted(); room > 0; room = granted() - sent) {
    const size = Math.min(16_384, room)
    await it.peer.send(h2.data(slowId, Buffer.alloc(size, 's')))
    sent += size
    await it.seen()
  }
  assert.equal(sent, 65_535)
  const fast = gun.get(it.connPid, '/fast')
  const fastId = await respond(it.peer)
  let left = 65_535
  for (let i = 0; i < 40; i++) {
    while (left < 16_384) left += h2.readWindowUpdate(await it.peer.frame(h2.types.WINDOW_UPDATE, fastId))
    await it.peer.send(h2.data(fastId, Buffer.alloc(16_384, 'f'), { endStream: i === 39 }))
    left -= 16_384
  }
  const [, body] = await it.story(fast)
  assert.equal(body?.length, 'data  fin'.length + 40 * 16_384)
  assert.equal(granted(), sent)
  gun.updateFlow(it.connPid, slow, 1000)
  while (granted() === sent) await it.peer.frame(h2.types.WINDOW_UPDATE, slowId)
  await it.peer.send(h2.data(slowId, 'end', { endStream: true }))
  const [rest] = await it.story(slow)
  assert.equal(rest?.length, 'data  fin'.length + sent + 3)
})

onEachTransport(
  'what a stream held when it was cancelled is given back to the connection',
  async transport => {
    await using it = await scene({
      transport,
      http2Opts: { initialStreamWindowSize: 65_535, initialConnectionWindowSize: 65_535 },
    })
    for (let i = 0; i < 4; i++) {
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      const streamId = await respond(it.peer)
      assert.deepEqual(await it.heard(1), ['response 200 nofin'])
      await it.peer.send([16_384, 16_384, 16_384, 16_383].map(size => h2.data(streamId, Buffer.alloc(size))))
      await it.seen()
      gun.cancel(it.connPid, streamRef)
      await it.seen()
      const given = it.peer.windowUpdates
        .filter(update => update.streamId === 0)
        .reduce((sum, { increment }) => sum + increment, 65_535)
      // The rest is given back with what comes next: a window is opened once it is half empty.
      assert.ok(given - (i + 1) * 65_535 > 32_767, `${given} bytes were allowed`)
      await it.waiting()
    }
    await goesOn(it)
  },
)

onEachTransport(
  'a connection that comes up while its owner is over its mark is read, and so is the next',
  async transport => {
    await using _left = assertNothingLeft()
    const owner = createProcess<gun.GunMessage | { readonly type: 'other' }>({
      highWaterMark: { messages: 2 },
    })
    const script = async (peer: H2Peer, index: number): Promise<void> => {
      const { streamId } = await peer.request()
      if (index === 0) return peer.peer.reset()
      await peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
      await peer.peer.closed
    }
    await using server = await h2Origin(script, { transport })
    for (let n = 0; n < 10; n++) owner.send({ type: 'other' })
    const retryFun = (): gun.Retry => ({ retries: 1, timeout: 0 })
    const opts: gun.Opts = {
      owner,
      transport: transport === 'tls' ? 'tls' : 'tcp',
      tlsOpts: { ca: certificates.ca },
      protocols: ['http2'],
      retryFun,
    }
    const { path, port } = server
    await using connPid = path === undefined ? gun.open('localhost', port, opts) : gun.openUnix(path, opts)
    // A process that waited for its message would have the connection read.
    const told: string[] = []
    const replyTo = ({ type }: gun.GunMessage): void => void told.push(type)
    gun.get(connPid, '/1', {}, { replyTo })
    await eventually(() => told.length === 1, 'the first connection has gone')
    gun.get(connPid, '/2', {}, { replyTo })
    await eventually(() => told.length === 2, 'the second has brought the response')
    assert.deepEqual(told, ['gun_error', 'gun_response'])
    assert.ok(owner.messageQueueLength > 10)
    gun.close(connPid)
  },
)

onEachTransport(
  'a mailbox over its mark holds up the streams that feed it, and no other',
  async transport => {
    await using it = await scene({ transport, http2Opts: { initialStreamWindowSize: 65_535 } })
    const slow = createProcess<gun.GunMessage>({ highWaterMark: { messages: 3, bytes: 1_000_000 } })
    const held = gun.get(it.connPid, '/held', {}, { replyTo: slow })
    const heldId = await respond(it.peer)
    for (let i = 0; i < 20; i++) {
      await it.peer.send(h2.data(heldId, `${i}`.padStart(2, '0')))
      // The mark is looked at once a turn.
      if (i === 5) await it.seen()
    }
    await it.seen()
    assert.ok(slow.messageQueueLength <= 7, `${slow.messageQueueLength} messages wait`)
    await goesOn(it)
    await it.peer.send(h2.data(heldId, 'zz', { endStream: true }))
    let text = ''
    for (;;) {
      const message = await slow.receive([{ streamRef: held }], 5000)
      if (message.type !== 'gun_data') continue
      text += message.data
      if (message.isFin === 'fin') break
    }
    assert.equal(text, `${Array.from({ length: 20 }, (_, i) => `${i}`.padStart(2, '0')).join('')}zz`)
    slow.exit()
  },
)

onEachTransport(
  'as much as the server gives room for goes out at once, and more follows',
  async transport => {
    await using it = await scene({ transport, server: { settings: { INITIAL_WINDOW_SIZE: 1_000_000 } } })
    await it.peer.send(h2.windowUpdate(0, 10_000_000))
    await it.seen()
    const body = Buffer.alloc(100_000, 'x')
    const streamRefs = Array.from({ length: 20 }, (_, i) => gun.post(it.connPid, `/${i}`, {}, body))
    for (const streamRef of streamRefs) {
      const { streamId } = await it.peer.request()
      assert.ok((await it.peer.body(streamId)).equals(body))
      await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
      assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    }
    await goesOn(it)
  },
)

onEachTransport('the settings and windows of http2Opts go over the wire', async transport => {
  await using it = await scene({
    transport,
    http2Opts: {
      enablePush: false,
      enableConnectProtocol: true,
      initialConnectionWindowSize: 3_000_000,
      initialStreamWindowSize: 70_000,
      maxConcurrentStreams: 7,
      maxDecodeTableSize: 8192,
      maxFrameSizeReceived: 20_000,
      maxHeaderListSize: 30_000,
    },
  })
  assert.deepEqual(it.peer.settings, {
    ENABLE_PUSH: 0,
    ENABLE_CONNECT_PROTOCOL: 1,
    INITIAL_WINDOW_SIZE: 70_000,
    MAX_CONCURRENT_STREAMS: 7,
    HEADER_TABLE_SIZE: 8192,
    MAX_FRAME_SIZE: 20_000,
    MAX_HEADER_LIST_SIZE: 30_000,
  })
  assert.equal(h2.readWindowUpdate(await it.peer.frame(h2.types.WINDOW_UPDATE, 0)), 3_000_000 - 65_535)
  const streamRef = gun.get(it.connPid, '/')
  const streamId = await respond(it.peer)
  await it.peer.send(h2.data(streamId, Buffer.alloc(20_000), { endStream: true }))
  assert.equal((await it.story(streamRef))[1]?.length, 'data  fin'.length + 20_000)
})

onEachTransport('a window of 0 for streams is widened by nobody', async transport => {
  await using it = await scene({ transport, http2Opts: { initialStreamWindowSize: 0 } })
  assert.equal(it.peer.settings.INITIAL_WINDOW_SIZE, 0)
  const streamRef = gun.get(it.connPid, '/')
  const streamId = await respond(it.peer)
  await it.peer.send(h2.data(streamId, '', { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data  fin'])
})

for (const [what, maxEncodeTableSize, theirs, least, most] of [
  ['nothing', 0, 4096, 0, 0],
  ['as much as maxEncodeTableSize says', 500, 4096, 400, 500],
  ['as much as HTTP/2 begins with', undefined, 65_536, 4000, 4096],
  ['as much as the server allows', 65_536, 10_000, 9900, 10_000],
] as const) {
  onEachTransport(`of what was sent in headers is remembered ${what}`, async transport => {
    await using it = await scene({
      transport,
      http2Opts: maxEncodeTableSize === undefined ? {} : { maxEncodeTableSize },
      server: { settings: { HEADER_TABLE_SIZE: theirs } },
    })
    await it.seen()
    for (let n = 0; n < 200; n++) {
      const streamRef = gun.get(it.connPid, '/', { 'x-a': `${n}`.padStart(60, 'a') })
      const { headers, streamId } = await it.peer.request()
      assert.equal(headerOf(headers, 'x-a'), `${n}`.padStart(60, 'a'))
      await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
      assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    }
    const { size } = it.peer.hpack
    assert.ok(size >= least && size <= most, `${size} octets`)
  })
}

/** How far the server's windows were opened, in order: `0` is the connection's. */
function updatesOf(it: Scene, streamId: number): number[] {
  return it.peer.windowUpdates.filter(update => update.streamId === streamId).map(update => update.increment)
}

onEachTransport('flow is exact to the message, and the window follows what was posted', async transport => {
  await using it = await scene({
    transport,
    http2Opts: { initialStreamWindowSize: 6000, streamWindowUpdateThreshold: 3000 },
  })
  const streamRef = gun.get(it.connPid, '/', {}, { flow: 2 })
  const streamId = await respond(it.peer)
  const part = Buffer.alloc(1000, 'a')
  await it.peer.send(Array.from({ length: 6 }, () => h2.data(streamId, part)))
  await it.seen()
  assert.deepEqual(await it.heard(1), ['response 200 nofin'])
  assert.deepEqual(
    await it.waiting(),
    [1, 2].map(() => `data ${part} nofin`),
  )
  assert.deepEqual(updatesOf(it, streamId), [])
  gun.updateFlow(it.connPid, streamRef, 1)
  await it.seen()
  assert.deepEqual(await it.waiting(), [`data ${part} nofin`])
  assert.deepEqual(updatesOf(it, streamId), [3000])
  gun.updateFlow(it.connPid, streamRef, 2)
  await it.seen()
  assert.equal((await it.waiting()).length, 2)
  assert.deepEqual(updatesOf(it, streamId), [3000])
  await it.peer.send(Array.from({ length: 3 }, () => h2.data(streamId, part)))
  gun.updateFlow(it.connPid, streamRef, 100)
  await it.seen()
  assert.equal((await it.waiting()).length, 4)
  assert.deepEqual(updatesOf(it, streamId), [3000, 3000, 3000])
  await it.peer.send(h2.data(streamId, '', { endStream: true }))
  assert.deepEqual(await it.heard(1), ['data  fin'])
})

// Of a window of 60,000 bytes, 40,000 come in four frames.
const windowOptions: readonly [what: string, opts: gun.Http2Opts, updates: readonly number[]][] = [
  ['half of it by itself', {}, [30_000]],
  ['the threshold: at the limit', { streamWindowUpdateThreshold: 30_000 }, [30_000]],
  ['the threshold: one byte less', { streamWindowUpdateThreshold: 29_999 }, [40_000]],
  ['a threshold of 0', { streamWindowUpdateThreshold: 0 }, []],
  [
    'a threshold as large as the window',
    { streamWindowUpdateThreshold: 60_000 },
    [10_000, 10_000, 10_000, 10_000],
  ],
  ['the margin', { streamWindowUpdateThreshold: 30_000, streamWindowMarginSize: 500 }, [30_500]],
  [
    'the largest size, which ends the margin',
    { streamWindowUpdateThreshold: 30_000, streamWindowMarginSize: 500, maxStreamWindowSize: 60_200 },
    [30_200],
  ],
]

for (const [what, opts, updates] of windowOptions) {
  onEachTransport(`the window of a stream is opened as its options say: ${what}`, async transport => {
    await using it = await scene({ transport, http2Opts: { initialStreamWindowSize: 60_000, ...opts } })
    gun.get(it.connPid, '/')
    const streamId = await respond(it.peer)
    const part = Buffer.alloc(10_000)
    for (let i = 0; i < 4; i++) await it.peer.send(h2.data(streamId, part))
    await it.seen()
    assert.deepEqual(updatesOf(it, streamId), updates)
  })
}

// The window of the connection is of 100,000 bytes, of which 65,535 are there from the start.
const connectionOptions: readonly [what: string, opts: gun.Http2Opts, updates: readonly number[]][] = [
  ['half of it by itself', {}, [50_000]],
  ['the threshold: at the limit', { connectionWindowUpdateThreshold: 60_000 }, [40_000]],
  ['the threshold: one byte less', { connectionWindowUpdateThreshold: 59_999 }, [50_000]],
  ['the margin', { connectionWindowMarginSize: 700 }, [50_700]],
  [
    'the largest size, which ends the margin',
    { connectionWindowMarginSize: 700, maxConnectionWindowSize: 100_300 },
    [50_300],
  ],
]

for (const [what, opts, updates] of connectionOptions) {
  onEachTransport(`the window of the connection is opened as its options say: ${what}`, async transport => {
    await using it = await scene({ transport, http2Opts: { initialConnectionWindowSize: 100_000, ...opts } })
    // Whether anybody reads the stream does not matter: the window of the stream holds it up.
    gun.get(it.connPid, '/', {}, { flow: 1 })
    const streamId = await respond(it.peer)
    const part = Buffer.alloc(10_000)
    for (let i = 0; i < 5; i++) await it.peer.send(h2.data(streamId, part))
    await it.seen()
    assert.deepEqual(updatesOf(it, 0), [34_465, ...updates])
  })
}

/** The lengths of the frames in which so many bytes of a body have left. */
async function lengthsOf(it: Scene, streamId: number, bytes: number): Promise<number[]> {
  const lengths: number[] = []
  for (let left = bytes; left > 0; ) {
    const { payload } = await it.peer.frame(h2.types.DATA, streamId)
    lengths.push(payload.length)
    left -= payload.length
  }
  return lengths
}

for (const [what, maxFrameSizeSent, theirs, lengths] of [
  ['as much as the server allows', undefined, 20_000, [20_000, 20_000, 5000]],
  ['as much as maxFrameSizeSent', 18_000, 20_000, [18_000, 18_000, 9000]],
  ['as much as the server allows, though maxFrameSizeSent is more', 30_000, 20_000, [20_000, 20_000, 5000]],
  ['as much as every server allows', undefined, undefined, [16_384, 16_384, 12_232]],
] as const) {
  onEachTransport(`a frame of ours holds ${what}`, async transport => {
    await using it = await scene({
      transport,
      http2Opts: maxFrameSizeSent === undefined ? {} : { maxFrameSizeSent },
      server: { settings: theirs === undefined ? {} : { MAX_FRAME_SIZE: theirs } },
    })
    await it.seen()
    gun.post(it.connPid, '/', {}, Buffer.alloc(45_000))
    const { streamId } = await it.peer.request()
    assert.deepEqual(await lengthsOf(it, streamId, 45_000), lengths)
  })
}

onEachTransport(
  'with streamWindowDataThreshold a small window is not used for a part of a body',
  async transport => {
    await using it = await scene({
      transport,
      http2Opts: { streamWindowDataThreshold: 1000 },
      server: { settings: { INITIAL_WINDOW_SIZE: 2000 } },
    })
    await it.seen()
    const streamRef = gun.post(it.connPid, '/', {})
    gun.data(it.connPid, streamRef, 'nofin', Buffer.alloc(1500))
    const { streamId } = await it.peer.request()
    assert.deepEqual(await lengthsOf(it, streamId, 1500), [1500])
    // 500 are left of the window: these do not fit, and wait for a window of 1,000.
    gun.data(it.connPid, streamRef, 'nofin', Buffer.alloc(1800))
    await it.peer.send(h2.windowUpdate(streamId, 499))
    await it.seen()
    const sent = () => it.peer.frames.filter(({ type }) => type === h2.types.DATA).length
    assert.equal(sent(), 1)
    await it.peer.send(h2.windowUpdate(streamId, 1))
    assert.deepEqual(await lengthsOf(it, streamId, 1000), [1000])
    await it.peer.send(h2.windowUpdate(streamId, 800))
    // All that waits fits in.
    assert.deepEqual(await lengthsOf(it, streamId, 800), [800])
  },
)

test('the owner is told of settings where it wants to be', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ http2Opts: { notifySettingsChanged: true } })
  const first = await it.self.receive([{ type: 'gun_notify' }], 5000)
  assert.equal(first.event, 'settings_changed')
  const usual: gun.ServerSettings = {
    headerTableSize: 4096,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowSize: 65_535,
    maxFrameSize: 16_384,
    maxHeaderListSize: Number.POSITIVE_INFINITY,
    enableConnectProtocol: false,
  }
  assert.deepEqual(first.data, usual)
  await it.peer.send(h2.settings({ MAX_CONCURRENT_STREAMS: 5, INITIAL_WINDOW_SIZE: 9 }))
  const second = await it.self.receive([{ type: 'gun_notify' }], 5000)
  assert.ok(second.event === 'settings_changed')
  assert.deepEqual(second.data, { ...usual, maxConcurrentStreams: 5, initialWindowSize: 9 })
  assert.deepEqual(sentTo(it.peer), [])
})
