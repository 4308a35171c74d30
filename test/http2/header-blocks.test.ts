// Header blocks of HTTP/2, however they come: whole, in parts, broken off, interrupted, without end.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { encodeHeaders } from '../support/hpack.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, scene } from '../support/http2-scene.ts'

onEachTransport('a header block comes whole in nine frames, a byte at a time', async transport => {
  await using it = await scene({ transport })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  const fields = [...ok, ...Array.from({ length: 8 }, (_, i) => [`x-${i}`, 'v'.repeat(i)] as const)] as const
  const [first, ...rest] = fields.map(field => encodeHeaders([field]))
  await it.peer.send(
    [
      h2.headers(streamId, first as Uint8Array, { endHeaders: false, endStream: true }),
      ...rest.map((part, i) => h2.continuation(streamId, part, i === rest.length - 1)),
      h2.ping(),
    ],
    'bytes',
  )
  const { headers } = await it.self.receive([{ type: 'gun_response', streamRef, isFin: 'fin' }], 5000)
  assert.deepEqual(headers, fields.slice(1))
})

for (const how of ['end', 'reset'] as const) {
  onEachTransport(
    `a response whose trailers are cut by the ${how} of the connection is not whole`,
    async transport => {
      const block = h2.headers(1, [['x-a', 'value']], { endStream: true })
      for (let at = 0; at < block.length; at++) {
        await using it = await scene({ transport, opts: { retry: 0 } })
        const streamRef = gun.get(it.connPid, '/')
        await it.peer.request()
        await it.peer.send([h2.headers(1, ok), h2.data(1, 'all')])
        await it.seen()
        await it.peer.send(block.subarray(0, at))
        if (how === 'end') it.peer.end()
        else it.peer.reset()
        const [response, data, error] = await it.story(streamRef)
        assert.deepEqual([response, data], ['response 200 nofin', 'data all nofin'])
        assert.match(error ?? '', /^stream: connection_error (closed|socket_error)$/)
      }
    },
  )
}

const interrupting: readonly [what: string, frame: (id: number) => Uint8Array][] = [
  ['a PING', () => h2.ping()],
  ['DATA of the same stream', id => h2.data(id, 'x')],
  ['another block', id => h2.headers(id, ok)],
  ['a CONTINUATION of another stream', id => h2.continuation(id + 2, [['x-a', 'b']])],
  ['a frame of no known type', id => h2.frame(0xfa, 4, id)],
]

for (const [what, frame] of interrupting) {
  onEachTransport(
    `a header block with ${what} in it ends the connection, and what came before is told`,
    async transport => {
      await using it = await scene({ transport, opts: { retry: 0 } })
      const done = gun.get(it.connPid, '/done')
      const broken = gun.get(it.connPid, '/broken')
      const { streamId } = await it.peer.request()
      const { streamId: brokenId } = await it.peer.request()
      await it.peer.send(
        Buffer.concat([
          h2.headers(streamId, ok),
          h2.data(streamId, 'fine', { endStream: true }),
          h2.headers(brokenId, ok, { endHeaders: false }),
          frame(brokenId),
          h2.continuation(brokenId, [['x-a', 'b']]),
        ]),
      )
      assert.deepEqual(await it.story(done), ['response 200 nofin', 'data fine fin'])
      assert.deepEqual(await it.story(broken), ['stream: connection_error protocol_error'])
      assert.match((await it.end()).join(), /^down connection_error protocol_error, killed 1,/)
      const goaway = await it.peer.frame(h2.types.GOAWAY)
      assert.equal(h2.readGoaway(goaway).errorCode, 'PROTOCOL_ERROR')
    },
  )
}

const blockLimits: readonly [what: string, most: number, http2Opts: gun.Http2Opts][] = [
  ['twice the bytes of maxHeaderListSize and 16 KiB', 2000 + 16_384, { maxHeaderListSize: 1000 }],
  ['as many bytes as maxFragmentedHeaderBlockSize', 20_000, { maxFragmentedHeaderBlockSize: 20_000 }],
]

for (const [what, most, http2Opts] of blockLimits) {
  onEachTransport(`a header block in several frames may have ${what}, and not one more`, async transport => {
    for (const over of [0, 1]) {
      await using it = await scene({ transport, opts: { retry: 0 }, http2Opts })
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      const last = encodeHeaders([['x-a', 'v'.repeat(5000)]])
      const rest = most + over - last.length
      const first = encodeHeaders([
        ...ok,
        ['x-b', 'v'.repeat(rest - encodeHeaders([...ok, ['x-b', 'v'.repeat(10_000)]]).length + 10_000)],
      ])
      assert.equal(first.length, rest)
      await it.peer.send([
        h2.headers(streamId, first, { endHeaders: false, endStream: true }),
        h2.continuation(streamId, last),
      ])
      if (over === 0) {
        const isLarge = http2Opts.maxHeaderListSize !== undefined
        const expected = isLarge ? 'stream: stream_error limit_reached' : 'response 200 fin'
        assert.deepEqual(await it.story(streamRef), [expected])
        await it.seen()
      } else {
        assert.deepEqual(await it.story(streamRef), ['stream: connection_error limit_reached'])
        const goaway = await it.peer.frame(h2.types.GOAWAY)
        assert.equal(h2.readGoaway(goaway).errorCode, 'ENHANCE_YOUR_CALM')
      }
    }
  })
}
