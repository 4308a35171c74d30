// Responses that a server pushes (RFC 9113 section 8.4).

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import type { Transport } from '@holster/testing'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, type Scene, scene, sentTo } from '../support/http2-scene.ts'

type Field = readonly [name: string, value: string]

interface Promise_ {
  readonly method?: string
  readonly scheme?: string
  readonly authority?: string
  readonly path?: string
}

function promise(
  it: Scene,
  transport: Transport,
  given: Promise_ = {},
  more: readonly Field[] = [],
): Field[] {
  const port = transport === 'unix' ? '' : `:${it.server.port}`
  return [
    [':method', given.method ?? 'GET'],
    [':scheme', given.scheme ?? (transport === 'tls' ? 'https' : 'http')],
    [':authority', given.authority ?? `localhost${port}`],
    [':path', given.path ?? '/pushed'],
    ...more,
  ]
}

async function goesOn(it: Scene): Promise<void> {
  const streamRef = gun.get(it.connPid, '/next')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, [[':status', '204']], { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
}

for (const how of ['whole', 'bytes'] as const) {
  onEachTransport(
    `a push is told before the response, and has one of its own, sent ${how}`,
    async transport => {
      await using it = await scene({ transport })
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      await it.peer.send(
        Buffer.concat([
          h2.pushPromise(streamId, 2, promise(it, transport, {}, [['x-a', 'b']]), { padding: 3 }),
          h2.headers(streamId, ok),
          h2.headers(2, ok),
          h2.data(2, 'pushed'),
          h2.data(streamId, 'asked', { endStream: true }),
          h2.headers(2, [['x-b', 'c']], { endStream: true }),
        ]),
        how,
      )
      const push = await it.self.receive([{ type: 'gun_push' }], 5000)
      assert.equal(push.streamRef, streamRef)
      assert.equal(push.method, 'GET')
      const port = transport === 'unix' ? '' : `:${it.server.port}`
      assert.equal(push.uri, `${transport === 'tls' ? 'https' : 'http'}://localhost${port}/pushed`)
      assert.deepEqual(push.headers, [['x-a', 'b']])
      assert.deepEqual(await it.story(push.newStreamRef), [
        'response 200 nofin',
        'data pushed nofin',
        'trailers x-b=c',
      ])
      assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data asked fin'])
      await goesOn(it)
    },
  )
}

onEachTransport('a push is there before the messages of its parent', async transport => {
  await using it = await scene({ transport })
  gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.pushPromise(streamId, 2, promise(it, transport)),
    h2.headers(streamId, [[':status', '204']], { endStream: true }),
  ])
  assert.deepEqual(await it.heard(2), ['push GET /pushed', 'response 204 fin'])
  await it.peer.send(h2.headers(2, [[':status', '204']], { endStream: true }))
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachTransport('a push that is cancelled is reset, and what comes of it dropped', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.pushPromise(streamId, 2, promise(it, transport)))
  const { newStreamRef } = await it.self.receive([{ type: 'gun_push' }], 5000)
  gun.cancel(it.connPid, newStreamRef)
  assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, 2)), 'CANCEL')
  await it.peer.send([
    h2.headers(2, ok),
    h2.data(2, 'late', { endStream: true }),
    h2.headers(streamId, [[':status', '204']], { endStream: true }),
  ])
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  await goesOn(it)
  assert.deepEqual(await it.waiting(), [])
})

for (const [what, given] of [
  ['for another authority', { authority: 'other.example' }],
  ['for another scheme', { scheme: 'ftp' }],
  ['of a POST', { method: 'POST' }],
] as const) {
  onEachTransport(`a push ${what} is reset with PROTOCOL_ERROR and not told of`, async transport => {
    await using it = await scene({ transport })
    const streamRef = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send(h2.pushPromise(streamId, 2, promise(it, transport, given)))
    assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, 2)), 'PROTOCOL_ERROR')
    await it.peer.send([h2.headers(2, ok), h2.headers(streamId, [[':status', '204']], { endStream: true })])
    assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    await goesOn(it)
    assert.deepEqual(await it.waiting(), [])
  })
}

onEachTransport('a push that belongs to a cancelled stream is reset', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  gun.cancel(it.connPid, streamRef)
  await it.peer.frame(h2.types.RST_STREAM, streamId)
  await it.peer.send(h2.pushPromise(streamId, 2, promise(it, transport)))
  assert.match(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, 2)), /CANCEL|REFUSED_STREAM/)
  await goesOn(it)
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport('a push is reset where an event handler cancels its stream', async transport => {
  const cancelled: gun.StreamRef[] = []
  const pushPromiseEnd = ({ connPid, streamRef }: { connPid: gun.ConnPid; streamRef: gun.StreamRef }) => {
    gun.cancel(connPid, streamRef)
    cancelled.push(streamRef)
  }
  await using it = await scene({ transport, opts: { retry: 0, eventHandler: { pushPromiseEnd } } })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.pushPromise(streamId, 2, promise(it, transport)))
  assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, 2)), 'CANCEL')
  assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, streamId)), 'CANCEL')
  await goesOn(it)
  assert.deepEqual(cancelled, [streamRef])
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport('a push that GOAWAY leaves behind fails as its connection does', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 } })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.pushPromise(streamId, 2, promise(it, transport)),
    h2.headers(streamId, ok, { endStream: true }),
    h2.headers(2, ok),
  ])
  const { newStreamRef } = await it.self.receive([{ type: 'gun_push' }])
  await it.story(streamRef)
  await it.self.receive([{ type: 'gun_response', streamRef: newStreamRef }])
  await it.peer.send(h2.goaway(streamId, h2.errorCodes.INTERNAL_ERROR))
  const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: newStreamRef }])
  assert.equal(reason.code, 'goaway')
})

onEachTransport('a push where none is allowed ends the connection', async transport => {
  await using it = await scene({ transport, http2Opts: { enablePush: false }, opts: { retry: 0 } })
  await it.seen()
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.pushPromise(streamId, 2, promise(it, transport)))
  assert.deepEqual(await it.story(streamRef), ['stream: connection_error protocol_error'])
})

onEachTransport('a push that begins beyond maxConcurrentStreams is refused alone', async transport => {
  await using it = await scene({ transport, http2Opts: { maxConcurrentStreams: 2 } })
  await it.seen()
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  const ids = [2, 4, 6, 8]
  await it.peer.send(ids.map(id => h2.pushPromise(streamId, id, promise(it, transport, { path: `/${id}` }))))
  const pushes = await Promise.all(ids.map(() => it.self.receive([{ type: 'gun_push' }], 5000)))
  const [first, second, refused, last] = pushes.map(push => push.newStreamRef)
  // Neither the requests of ours nor the streams that are announced count (RFC 9113 section 5.1.2).
  await it.peer.send([2, 4, 6].map(id => h2.headers(id, ok)))
  assert.equal(h2.readRstStream(await it.peer.frame(h2.types.RST_STREAM, 6)), 'REFUSED_STREAM')
  assert.deepEqual(await it.story(refused as gun.StreamRef), ['stream: stream_error refused_stream'])
  await it.peer.send([h2.data(2, 'a', { endStream: true }), h2.headers(8, ok)])
  await it.peer.send([4, 8].map(id => h2.data(id, 'b', { endStream: true })))
  assert.deepEqual(await it.story(first as gun.StreamRef), ['response 200 nofin', 'data a fin'])
  assert.deepEqual(await it.story(second as gun.StreamRef), ['response 200 nofin', 'data b fin'])
  assert.deepEqual(await it.story(last as gun.StreamRef), ['response 200 nofin', 'data b fin'])
  await it.peer.send(h2.headers(streamId, [[':status', '204']], { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
  assert.deepEqual(await it.waiting(), [])
})

onEachTransport(
  'pushes that are reset, or cut off with the connection, fail as others do',
  async transport => {
    await using it = await scene({ transport, opts: { retry: 0 } })
    const parent = gun.get(it.connPid, '/')
    const { streamId } = await it.peer.request()
    await it.peer.send([2, 4].map(id => h2.pushPromise(streamId, id, promise(it, transport))))
    const reset = (await it.self.receive([{ type: 'gun_push' }], 5000)).newStreamRef
    const cut = (await it.self.receive([{ type: 'gun_push' }], 5000)).newStreamRef
    await it.peer.send([
      h2.headers(2, ok),
      h2.data(2, 'a'),
      h2.rstStream(2, h2.errorCodes.CANCEL),
      h2.headers(4, ok),
      h2.data(4, 'b'),
    ])
    assert.deepEqual(await it.story(reset), [
      'response 200 nofin',
      'data a nofin',
      'stream: stream_error stream_reset',
    ])
    await it.seen()
    it.peer.end()
    assert.deepEqual(await it.story(cut), [
      'response 200 nofin',
      'data b nofin',
      'stream: connection_error closed',
    ])
    assert.deepEqual(await it.story(parent), ['stream: connection_error closed'])
    assert.match((await it.heard(1)).join(), /killed 2$/)
  },
)

onEachTransport('a push outlives its parent, and keeps a connection that shuts down', async transport => {
  await using it = await scene({ transport })
  const parent = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.pushPromise(streamId, 2, promise(it, transport)),
    h2.headers(streamId, [[':status', '204']], { endStream: true }),
  ])
  const { newStreamRef } = await it.self.receive([{ type: 'gun_push' }], 5000)
  assert.deepEqual(await it.story(parent), ['response 204 fin'])
  gun.shutdown(it.connPid)
  await it.peer.frame(h2.types.GOAWAY)
  await it.peer.send([h2.headers(2, ok), h2.data(2, 'a', { endStream: true })])
  assert.deepEqual(await it.story(newStreamRef), ['response 200 nofin', 'data a fin'])
  assert.deepEqual(await it.end(), ['DOWN shutdown'])
  assert.ok(sentTo(it.peer).includes('GOAWAY NO_ERROR last 2'))
})

for (const how of ['whole', 'apart'] as const) {
  for (const isEmpty of [true, false]) {
    onEachTransport(
      `a pushed response ${isEmpty ? 'without' : 'with'} a body may have interim ones, sent ${how}`,
      async transport => {
        await using it = await scene({ transport })
        const streamRef = gun.get(it.connPid, '/')
        const { streamId } = await it.peer.request()
        const frames = [
          h2.pushPromise(streamId, 2, promise(it, transport)),
          h2.headers(2, [
            [':status', '103'],
            ['x-a', 'b'],
          ]),
          h2.headers(2, [[':status', '103']]),
          h2.headers(2, ok, { endStream: isEmpty }),
          ...(isEmpty ? [] : [h2.data(2, 'pushed', { endStream: true })]),
          h2.headers(streamId, ok, { endStream: true }),
        ]
        for (const frame of how === 'whole' ? [Buffer.concat(frames)] : frames) {
          await it.peer.send(frame)
          if (how === 'apart') await it.seen()
        }
        const { newStreamRef } = await it.self.receive([{ type: 'gun_push', streamRef }])
        assert.deepEqual(await it.story(newStreamRef), [
          'inform 103',
          'inform 103',
          ...(isEmpty ? ['response 200 fin'] : ['response 200 nofin', 'data pushed fin']),
        ])
        assert.deepEqual(await it.story(streamRef), ['response 200 fin'])
        await goesOn(it)
      },
    )
  }
}

for (const padding of [undefined, 0, 7]) {
  onEachTransport(
    `a push may have its whole request behind it, with ${padding ?? 'no'} bytes of padding`,
    async transport => {
      await using it = await scene({ transport })
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      const options = { endHeaders: false, ...(padding === undefined ? {} : { padding }) }
      await it.peer.send(
        Buffer.concat([
          h2.pushPromise(streamId, 2, Buffer.alloc(0), options),
          h2.continuation(streamId, promise(it, transport)),
          h2.headers(2, ok, { endStream: true }),
          h2.headers(streamId, ok, { endStream: true }),
        ]),
      )
      const { newStreamRef } = await it.self.receive([{ type: 'gun_push', streamRef }])
      assert.deepEqual(await it.story(newStreamRef), ['response 200 fin'])
      assert.deepEqual(await it.story(streamRef), ['response 200 fin'])
    },
  )
}

onEachTransport('flush of a stream keeps the push of a stream that goes on', async transport => {
  await using it = await scene({ transport })
  const { connPid, self } = it
  const streamRef = gun.get(connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send([
    h2.pushPromise(streamId, 2, promise(it, transport, { path: '/goes-on' })),
    h2.pushPromise(streamId, 4, promise(it, transport, { path: '/waits' })),
    h2.pushPromise(streamId, 6, promise(it, transport, { path: '/cancelled' })),
    h2.headers(4, [[':status', '204']], { endStream: true }),
    h2.headers(streamId, ok),
    h2.data(streamId, 'body', { endStream: true }),
  ])
  await goesOn(it)
  const pushes = await Promise.all(
    Array.from({ length: 3 }, () => self.receive([{ type: 'gun_push' }], 5000)),
  )
  for (const push of pushes) self.send(push)
  const [going, waits, cancelled] = pushes.map(push => push.newStreamRef) as [
    gun.StreamRef,
    gun.StreamRef,
    gun.StreamRef,
  ]
  gun.cancel(connPid, cancelled)
  // Its response, its body, and the push of what was cancelled.
  assert.equal(gun.flush(streamRef), 3)
  const left = await Promise.all([1, 2].map(() => self.receive([{ type: 'gun_push' }], 0)))
  assert.deepEqual(
    left.map(push => push.newStreamRef),
    [going, waits],
  )
  for (const push of left) self.send(push)
  await self.receive([{ streamRef: waits }], 0)
  assert.equal(gun.flush(streamRef), 1)
  await it.peer.send(h2.headers(2, [[':status', '204']], { endStream: true }))
  assert.deepEqual(await it.story(going), ['response 204 fin'])
  assert.equal((await self.receive([{ type: 'gun_push' }], 0)).newStreamRef, going)
  assert.deepEqual(await it.waiting(), [])
})
