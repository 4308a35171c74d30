// A body that content handlers have not been given yet when its stream or connection breaks goes on waiting for the mailbox.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import { createProcess, type ProcessOptions } from '@holster/process'
import { heldUp } from '../support/client.ts'
import { isPaused, settle, until } from '../support/flood.ts'
import { ends } from '../support/http-ends.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, type Scene, scene } from '../support/http2-scene.ts'

const EVENT = 'data:\n\n'
/** As many events as a frame of 14,000 bytes holds. */
const FRAME = 2000
const FRAMES = 30
const MARK = 3000
/** How many events 16 KiB hold at most. */
const PIECE = Math.ceil((16 * 1024) / EVENT.length)
const SSE = ['content-type', 'text/event-stream'] as const

const sse: gun.Http2Opts = { contentHandlers: [gun.sse()] }
const slow: ProcessOptions = { highWaterMark: { messages: MARK } }

/** A response whose events are kept back: by the mailbox, or, where it is 1, by the flow. */
async function keptBack(it: Scene, flow = Number.POSITIVE_INFINITY) {
  const streamRef = gun.get(it.connPid, '/', {}, { flow })
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, [...ok, SSE]))
  for (let i = 0; i < FRAMES; i++) {
    await it.peer.send(h2.data(streamId, EVENT.repeat(FRAME)))
    if (i >= 3) continue
    // Until the mark has been looked at.
    await it.seen()
    await settle()
  }
  await it.seen()
  return { streamRef, streamId }
}

/** How many events come until the stream ends, and with what it does. */
async function rest({ self }: Pick<Scene, 'self'>, streamRef: gun.StreamRef) {
  for (let count = 0; ; ) {
    const message = await self.receive([{ streamRef }], 5000)
    if (message.type === 'gun_sse' && message.event !== 'fin') count++
    else if (message.type !== 'gun_response') return { count, last: message.type }
  }
}

for (const how of ['a reset', 'its end', 'the end of the connection'] as const) {
  for (const flow of [Number.POSITIVE_INFINITY, 1]) {
    // Only what breaks is not held back by the flow any more.
    if (flow === 1 && how === 'its end') continue
    onEachTransport(
      `events that are kept back at ${how} wait for the mailbox, with a flow of ${flow}`,
      async transport => {
        await using it = await scene({ transport, opts: { retry: 0 }, owner: slow, http2Opts: sse })
        const { streamRef, streamId } = await keptBack(it, flow)
        if (how === 'its end') await it.peer.send(h2.data(streamId, '', { endStream: true }))
        if (how === 'a reset') await it.peer.send(h2.rstStream(streamId, h2.errorCodes.INTERNAL_ERROR))
        if (how === 'the end of the connection') it.peer.end()
        else await it.seen()
        await settle()
        const most = how === 'its end' ? FRAMES * FRAME - 1 : MARK + 2 * PIECE
        assert.ok(it.self.messageQueueLength <= most, String(it.self.messageQueueLength))
        // Takes them as they are, so that no receive that waits lifts the pressure.
        const before = it.self.messageQueueLength
        let taken = 0
        for (; it.self.messageQueueLength > 1000; taken++) await it.self.receive([{ streamRef }], 0)
        await settle()
        assert.ok(taken + it.self.messageQueueLength > before, 'more is handed on as there is room')
        assert.ok(it.self.messageQueueLength <= most, String(it.self.messageQueueLength))
        const { last } = await rest(it, streamRef)
        assert.equal(last, how === 'its end' ? 'gun_sse' : 'gun_error')
        if (how === 'the end of the connection') assert.match((await it.end()).join(), /^down .*,DOWN /)
        assert.equal(it.self.messageQueueLength, 0)
      },
    )
  }
}

onEachTransport('none of the events that were kept back is lost, or comes twice', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 }, owner: slow, http2Opts: sse })
  const { streamRef } = await keptBack(it)
  it.peer.end()
  assert.deepEqual(await rest(it, streamRef), { count: FRAMES * FRAME, last: 'gun_error' })
})

onEachTransport(
  'a WebSocket that ends with the connection does not end it ahead of them',
  async transport => {
    await using it = await scene({
      transport,
      opts: { retry: 0 },
      owner: slow,
      http2Opts: sse,
      server: { settings: { ENABLE_CONNECT_PROTOCOL: 1 } },
    })
    await it.seen()
    const websocket = gun.wsUpgrade(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(h2.headers(streamId, ok))
    await it.self.receive([{ type: 'gun_upgrade', streamRef: websocket }], 5000)
    const { streamRef } = await keptBack(it)
    it.peer.end()
    assert.deepEqual(await rest(it, streamRef), { count: FRAMES * FRAME, last: 'gun_error' })
  },
)

onEachTransport('whoever waits for the error alone gets it, ahead of the events', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 }, owner: slow, http2Opts: sse })
  const { streamRef } = await keptBack(it)
  it.peer.end()
  await settle()
  const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], 5000)
  assert.equal(reason.code, 'closed')
})

for (const [what, how] of [
  ['its stream is cancelled', (it: Scene, streamRef: gun.StreamRef) => gun.cancel(it.connPid, streamRef)],
  ['its owner exits', (it: Scene) => it.self.exit()],
  ['it is shut down', (it: Scene) => gun.shutdown(it.connPid)],
  ['it is closed', (it: Scene) => gun.close(it.connPid)],
] as const) {
  onEachTransport(`a connection that is lost ends when ${what}, though nobody takes the rest`, async on => {
    await using watcher = createProcess()
    await using it = await scene({ transport: on, opts: { retry: 0 }, owner: slow, http2Opts: sse })
    const ref = watcher.monitor(it.connPid)
    const { streamRef } = await keptBack(it)
    it.peer.end()
    await settle()
    assert.equal(watcher.messageQueueLength, 0)
    how(it, streamRef)
    await watcher.receive([{ type: 'DOWN', ref }], 5000)
  })
}

onEachTransport('in closing no mailbox holds up what comes, nor the end behind it', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 }, owner: slow, http2Opts: sse })
  await using watcher = createProcess()
  const ref = watcher.monitor(it.connPid)
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  gun.shutdown(it.connPid)
  await it.peer.send(h2.headers(streamId, [...ok, SSE]))
  for (let i = 0; i < FRAMES; i++) {
    await it.peer.send(h2.data(streamId, EVENT.repeat(FRAME)))
    if (i < 3) await it.seen()
  }
  it.peer.end()
  await watcher.receive([{ type: 'DOWN', ref }], 5000)
  assert.deepEqual(await rest(it, streamRef), { count: FRAMES * FRAME, last: 'gun_error' })
})

for (const how of ['a reset', 'the end of the connection'] as const) {
  onEachTransport(`what a body that was compressed becomes waits for the mailbox at ${how}`, async on => {
    const owner: ProcessOptions = { highWaterMark: { bytes: 1024 * 1024 } }
    const contentHandlers = [gun.decode({ maxRatio: Number.POSITIVE_INFINITY })]
    await using it = await scene({ transport: on, opts: { retry: 0 }, owner, http2Opts: { contentHandlers } })
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(h2.headers(streamId, [...ok, ['content-encoding', 'gzip']]))
    const size = 64 * 1024 * 1024
    const body = zlib.gzipSync(Buffer.alloc(size))
    for (let at = 0; at < body.length; at += 16_000) {
      await it.peer.send(h2.data(streamId, body.subarray(at, at + 16_000)))
    }
    await it.seen()
    if (how === 'a reset') await it.peer.send(h2.rstStream(streamId, h2.errorCodes.INTERNAL_ERROR))
    else it.peer.end()
    // Until nothing has come for a while, which zlib's threads need some of.
    for (let before = -1; before !== it.self.messageQueueLength; ) {
      before = it.self.messageQueueLength
      for (let i = 0; i < 30; i++) await settle()
    }
    // zlib gives 16 KiB at a time.
    assert.ok(it.self.messageQueueLength <= 3 * 64, String(it.self.messageQueueLength))
    let bytes = 0
    for (;;) {
      const message = await it.self.receive([{ streamRef }], 5000)
      if (message.type === 'gun_error') break
      if (message.type === 'gun_data') bytes += message.data.length
    }
    assert.equal(bytes, size)
  })
}

onEachTransport(
  'events that the system holds when a write fails wait for the mailbox, over HTTP/1.1',
  async on => {
    await using it = await ends(on, { retry: 0, httpOpts: { contentHandlers: [gun.sse()] } }, slow)
    const streamRef = gun.post(it.connPid, '/', { 'content-length': 1e9 })
    await it.peer.receiveRequest()
    await it.peer.send(`HTTP/1.1 200 OK\r\n${SSE.join(': ')}\r\n\r\n`)
    for (let i = 0; i < 3; i++) {
      await it.peer.send(EVENT.repeat(FRAME))
      await turn()
    }
    // By the mailbox, and not for a moment by the handler, which on a slow machine is at work for many turns.
    await until(heldUp(() => isPaused(it) && it.self.messageQueueLength > MARK))
    it.peer.socket.setNoDelay(true)
    for (let i = 0; i < 3; i++) await it.peer.send(EVENT.repeat(FRAME))
    await settle()
    const before = it.self.messageQueueLength
    it.peer.reset()
    gun.data(it.connPid, streamRef, 'nofin', Buffer.alloc(100_000))
    await settle()
    assert.ok(it.self.messageQueueLength <= before + 2, `${before}, then ${it.self.messageQueueLength}`)
    const { count, last } = await rest(it, streamRef)
    assert.equal(last, 'gun_error')
    assert.ok(count > before && count <= 6 * FRAME, String(count))
  },
)
