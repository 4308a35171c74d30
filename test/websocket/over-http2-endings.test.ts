// Several WebSockets on one connection of HTTP/2, and the end of each as that connection ends.

import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process, setExitHook } from '@holster/process'
import { closePayload, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { eventually } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { onEachTransport } from '../support/http-scene.ts'
import { type H2Ends, h2Ends, type StreamPeer } from '../support/http2-ends.ts'
import * as h2 from '../support/http2-frames.ts'
import { scene as h2Scene, ok } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { assertNothingSent, close, text } from '../support/websocket-scene.ts'

for (const where of ['responseHeaders', 'protocolChanged', 'init'] as const) {
  onEachTransport(`a WebSocket that ${where} cancels is reset, and says nothing`, async transport => {
    const replies: string[] = []
    const cancel = (): void => gun.cancel(it.connPid, streamRef)
    await using it = await h2Scene({
      transport,
      opts: { retry: 0, eventHandler: where === 'init' ? {} : { [where]: cancel } },
      server: { settings: { ENABLE_CONNECT_PROTOCOL: 1 } },
    })
    const defaultProtocol = { init: () => void (where === 'init' && cancel()), handle: () => 0 }
    const replyTo = ({ type }: gun.GunMessage): void => void replies.push(type)
    const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { defaultProtocol, replyTo })
    const { streamId } = await it.peer.request()
    await it.peer.send([h2.headers(streamId, [[':status', '200']]), h2.data(streamId, text('Hello'))])
    assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, streamId)), 'CANCEL')
    await it.seen()
    assert.deepEqual(replies, [])
    assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
  })
}

onEachTransport('a WebSocket counts as open until its last bytes have left', async transport => {
  await using it = await h2Scene({
    transport,
    opts: { retry: 0 },
    server: {
      settings: { ENABLE_CONNECT_PROTOCOL: 1, INITIAL_WINDOW_SIZE: 20, MAX_CONCURRENT_STREAMS: 1 },
    },
  })
  const streamRef = gun.wsUpgrade(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, [[':status', '200']]))
  await it.self.receive([{ type: 'gun_upgrade', streamRef }])
  gun.wsSend(it.connPid, streamRef, ['text', 'longer than the window is'])
  await it.peer.send(h2.data(streamId, close(1000), { endStream: true }))
  await it.self.receive([{ type: 'gun_ws', streamRef }])
  const next = gun.get(it.connPid, '/next')
  await it.seen()
  assert.equal(gun.streamInfo(it.connPid, streamRef), undefined)
  await it.peer.send(h2.windowUpdate(streamId, 1000))
  const { streamId: nextId } = await it.peer.request()
  const isLast = ({ type, flags }: h2.Frame): boolean =>
    type === h2.types.RST_STREAM || (type === h2.types.DATA && (flags & h2.flags.END_STREAM) !== 0)
  const { frames } = it.peer
  const begun = frames.findIndex(frame => frame.streamId === nextId)
  assert.notEqual(
    frames.slice(0, begun).find(frame => frame.streamId === streamId && isLast(frame)),
    undefined,
  )
  await it.peer.send(h2.headers(nextId, ok, { endStream: true }))
  assert.deepEqual(await it.story(next), ['response 200 fin'])
})

interface Several extends H2Ends {
  /** Whom they reply to. */
  readonly replies: Process<gun.GunMessage>
  readonly refs: readonly gun.StreamRef[]
  /** Their servers' sides. */
  readonly peers: readonly StreamPeer[]
}

/** A test of three WebSockets on one connection, each of which replies to a process that is not the owner. */
function several(
  name: string,
  run: (it: Several) => Promise<void>,
  opts: gun.Opts = { retry: 0 },
  wsOpts: gun.WsOpts = {},
): void {
  for (const transport of ['tcp', 'tls'] as const) {
    test(`${name}, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using replies = createProcess<gun.GunMessage>()
      await using ends = await h2Ends(transport, opts)
      const refs: gun.StreamRef[] = []
      const peers: StreamPeer[] = []
      for (const path of ['/a', '/b', '/c']) {
        refs.push(gun.wsUpgrade(ends.connPid, path, {}, { replyTo: replies, ...wsOpts }))
        peers.push(await accepted(ends))
        await replies.receive([{ type: 'gun_upgrade', streamRef: refs.at(-1) }])
      }
      await run({ ...ends, replies, refs, peers })
    })
  }
}

async function accepted(it: Pick<H2Ends, 'next'>): Promise<StreamPeer> {
  const peer = await it.next()
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  return peer
}

/** The error of each, and that they are told of nothing else. */
async function assertErrors({ replies, refs }: Several, code: string, kind: string): Promise<void> {
  for (const streamRef of refs) {
    const { reason } = await replies.receive([{ type: 'gun_error', streamRef }])
    assert.deepEqual([reason.code, reason.kind], [code, kind])
  }
  assert.equal(replies.messageQueueLength, 0)
}

/** Ends the connection in the server's name, behind what each WebSocket is sent. */
async function sayGoaway({ server, peers }: Several, code: number): Promise<void> {
  for (const [n, peer] of peers.entries()) await peer.send(text(`last ${n}`))
  for (const session of server.sessions) session.goaway(code)
}

several('a GOAWAY with an error ends each of them, behind what had come', async it => {
  await sayGoaway(it, constants.NGHTTP2_INTERNAL_ERROR)
  for (const [n, streamRef] of it.refs.entries()) {
    const { frame } = await it.replies.receive([{ type: 'gun_ws', streamRef }])
    assert.deepEqual(frame, ['text', `last ${n}`])
  }
  await assertErrors(it, 'goaway', 'connection_error')
  const { reason, killedStreams } = await it.self.receive([{ type: 'gun_down' }])
  assert.equal((reason as gun.GunError).code, 'goaway')
  assert.deepEqual(new Set(killedStreams), new Set(it.refs))
  assert.deepEqual(await it.heard(2), ['error: goaway', 'DOWN: shutdown'])
})

several(
  'after a GOAWAY with an error those come back that are to',
  async it => {
    await sayGoaway(it, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    assert.deepEqual(await it.heard(2), ['down: goaway, killed 0', 'up'])
    it.replies.flush({ type: 'gun_ws' })
    for (const [n, path] of ['/a', '/b', '/c'].entries()) {
      const peer = await it.next()
      const request = await peer.receiveRequest()
      assert.equal(request.path, path)
      await peer.send(switchingProtocols(request))
      await it.replies.receive([{ type: 'gun_upgrade', streamRef: it.refs[n] }])
      await peer.send(text('again'))
      await it.replies.receive([{ type: 'gun_ws', streamRef: it.refs[n], frame: ['text', 'again'] }])
    }
    assert.equal(it.replies.messageQueueLength, 0)
    assert.equal(it.server.connections, 2)
  },
  { retry: 1, retryTimeout: 0 },
  { reupgrade: true },
)

const boom = new Error('boom')

for (const [how, reason, told] of [
  ['normally', undefined, 'normal'],
  ['with an error', boom, 'shutdown owner_down boom'],
] as const) {
  several(`an owner that exits ${how} has each of them say 1001 and wait for its answer`, async it => {
    const ref = it.replies.monitor(it.connPid)
    const previous = setExitHook(() => {})
    it.self.exit(reason)
    setExitHook(previous)
    for (const peer of it.peers) assert.deepEqual((await receiveFrame(peer)).payload, closePayload(1001))
    for (const [n, peer] of it.peers.entries()) {
      await peer.send(text(`last ${n}`))
      peer.end(close(1001))
    }
    const down = (await it.replies.receive([{ type: 'DOWN', ref }])).reason
    const words = [down]
      .flat()
      .map(each => (each instanceof gun.GunError ? `${each.code} ${(each.cause as Error).message}` : each))
    assert.equal(words.join(' '), told)
    for (const [n, streamRef] of it.refs.entries()) {
      for (const expected of [
        ['text', `last ${n}`],
        ['close', 1001, ''],
      ]) {
        assert.deepEqual((await it.replies.receive([{ type: 'gun_ws', streamRef }], 0)).frame, expected)
      }
    }
    assert.equal(it.replies.messageQueueLength, 0)
  })
}

several('close ends each of them at once', async it => {
  gun.close(it.connPid)
  await assertErrors(it, 'shutdown', 'connection_error')
  assert.deepEqual(await it.heard(1), ['DOWN: shutdown'])
  assert.deepEqual(await it.waiting(), [])
  for (const peer of it.peers) await peer.closed
})

several('a shutdown that one of them does not answer ends the others in order', async it => {
  gun.shutdown(it.connPid)
  const [first, second, third] = it.peers as [StreamPeer, StreamPeer, StreamPeer]
  for (const peer of it.peers) assert.deepEqual((await receiveFrame(peer)).payload, closePayload(1001))
  first.end(close(1001))
  second.end(close(1001))
  const [a, b, c] = it.refs as [gun.StreamRef, gun.StreamRef, gun.StreamRef]
  for (const streamRef of [a, b]) {
    const { frame } = await it.replies.receive([{ type: 'gun_ws', streamRef }])
    assert.deepEqual(frame, ['close', 1001, ''])
    await eventually(() => gun.streamInfo(it.connPid, streamRef) === undefined, 'it was over')
  }
  assert.equal(gun.streamInfo(it.connPid, c)?.state, 'stopping')
  third.reset()
  const { reason } = await it.replies.receive([{ type: 'gun_error', streamRef: c }])
  assert.deepEqual([reason.code, reason.kind], ['stream_reset', 'stream_error'])
  assert.deepEqual(await it.heard(1), ['DOWN: shutdown'])
  assert.equal(it.replies.messageQueueLength, 0)
})

several(
  'wsSend without a stream is an error of the connection that names the frames, while there are several',
  async it => {
    const frames: gun.WsFrame[] = [['text', 'to whom?'], 'ping']
    const isRefused = async () => {
      gun.wsSend(it.connPid, frames)
      const { reason, streamRef } = await it.self.receive([{ type: 'gun_error' }])
      assert.equal(streamRef, undefined)
      assert.deepEqual([reason.code, reason.kind, reason.frames], ['badstate', 'badstate', frames])
      assert.match(reason.message, /2 frame\(s\) were not sent/)
    }
    await isRefused()
    for (const peer of it.peers) await assertNothingSent(peer)
    const [a, b, c] = it.refs as [gun.StreamRef, gun.StreamRef, gun.StreamRef]
    gun.cancel(it.connPid, a)
    await isRefused()
    gun.cancel(it.connPid, b)
    gun.wsSend(it.connPid, frames)
    assert.equal(String((await receiveFrame(it.peers[2] as StreamPeer)).payload), 'to whom?')
    gun.cancel(it.connPid, c)
    await isRefused()
    assert.equal(it.self.messageQueueLength, 0)
    assert.equal(it.replies.messageQueueLength, 0)
  },
)

const MANY = 40_000

for (const how of ['a reset', 'its end', 'the end of the connection'] as const) {
  for (const flow of [Number.POSITIVE_INFINITY, 1]) {
    if (flow === 1 && how === 'its end') continue
    onEachTransport(
      `what is kept back at ${how} waits for the mailbox, with a flow of ${flow}`,
      async transport => {
        await using it = await h2Scene({
          transport,
          opts: { retry: 0 },
          owner: { highWaterMark: { messages: 100 } },
          server: { settings: { ENABLE_CONNECT_PROTOCOL: 1 } },
        })
        await it.seen()
        const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { flow })
        const { streamId } = await it.peer.request()
        await it.peer.send(h2.headers(streamId, ok))
        await it.self.receive([{ type: 'gun_upgrade', streamRef }], 5000)
        // Texts of no bytes: half as many messages as there are bytes.
        const frames = Buffer.alloc(2 * MANY)
        for (let i = 0; i < frames.length; i += 2) frames[i] = 0x81
        for (let at = 0; at < frames.length; at += 16_000) {
          await it.peer.send(h2.data(streamId, frames.subarray(at, at + 16_000)))
        }
        await it.seen()
        if (how !== 'a reset') await it.peer.send(h2.data(streamId, '', { endStream: true }))
        else await it.peer.send(h2.rstStream(streamId, h2.errorCodes.INTERNAL_ERROR))
        await it.seen()
        if (how === 'the end of the connection') it.peer.end()
        await settle()
        assert.ok(it.self.messageQueueLength <= 100 + 2 * 8192 + 10, String(it.self.messageQueueLength))
        let count = 0
        for (;;) {
          const message = await it.self.receive([{ streamRef }], 5000)
          if (message.type === 'gun_error') break
          assert.equal(message.type, 'gun_ws')
          count++
        }
        assert.equal(count, MANY)
      },
    )
  }
}
