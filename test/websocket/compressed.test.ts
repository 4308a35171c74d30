// Compression with a real server: messages of any size keep their order and their bytes, and what it takes is given back.

import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { mock, type TestContext, test } from 'node:test'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import { frame as frameOf, opcodes, receiveFrame } from '@holster/testing/frames'
import fc from 'fast-check'
import type { PerMessageDeflateOptions } from 'ws'
import { type Client, connect } from '../support/client.ts'
import { Deflate } from '../support/deflate.ts'
import { until } from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { runs } from '../support/runs.ts'
import { tellFrame } from '../support/scripted-websockets.ts'
import { close, type Scene, upgraded, type Wire, wires } from '../support/websocket-scene.ts'
import { type WebsocketServer, websocketServer } from '../support/websocket-server.ts'

const KIB = 1024

interface Compressing extends Client {
  readonly streamRef: gun.StreamRef
}

async function agree(server: WebsocketServer, wsOpts: gun.WsOpts): Promise<Compressing> {
  const client = await connect(server, 'tcp', { retry: 0 })
  const streamRef = gun.wsUpgrade(client.connPid, '/', {}, wsOpts)
  await client.owner.receive([{ type: 'gun_upgrade' }])
  const { extensions = '' } = gun.streamInfo(client.connPid, streamRef)?.websocket ?? {}
  assert.match(extensions, /^permessage-deflate/)
  return { ...client, streamRef }
}

/** Sends all at once, and gives all that comes back. */
async function echoes(
  { owner, connPid, streamRef }: Compressing,
  frames: readonly gun.WsFrame[],
): Promise<string[]> {
  gun.wsSend(connPid, streamRef, frames)
  const got: string[] = []
  while (got.length < frames.length) got.push(tellFrame((await owner.receive([{ type: 'gun_ws' }])).frame))
  return got
}

/** Sizes around the threshold, the sizes of pieces, and beyond what a turn has time for. */
const size = fc.oneof(
  fc.nat(200),
  fc.integer({ min: 1000, max: 1050 }),
  fc.nat(20 * KIB),
  fc.constantFrom(2 * KIB, 64 * KIB, 128 * KIB, 200 * KIB),
)
const frame: fc.Arbitrary<gun.WsFrame> = fc.oneof(
  fc
    .tuple(size, fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }))
    .map(([length, unit]) => ['text', unit.repeat(Math.ceil(length / unit.length))] as const),
  fc.tuple(size, fc.nat(255)).map(([length, byte]) => ['binary', Buffer.alloc(length, byte)] as const),
  fc.uint8Array({ minLength: 500, maxLength: 3000 }).map(bytes => ['binary', Buffer.from(bytes)] as const),
)
const bits = fc.integer({ min: 8, max: 15 })

test('whatever is agreed on with a server of ws, it sends back what it was sent, in order', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  let ms = 0
  let now = performance.now()
  const clock = mock.method(performance, 'now', () => {
    now += ms
    return now
  })
  t.after(() => clock.mock.restore())
  const compress = fc.record(
    {
      serverNoContextTakeover: fc.boolean(),
      clientNoContextTakeover: fc.boolean(),
      serverMaxWindowBits: bits,
      clientMaxWindowBits: bits,
      threshold: fc.constantFrom(0, 1, 1024, 5000),
      level: fc.integer({ min: 0, max: 9 }),
      memLevel: fc.integer({ min: 1, max: 9 }),
    },
    { requiredKeys: [] },
  )
  const server = fc.record(
    {
      serverNoContextTakeover: fc.constant(true),
      clientNoContextTakeover: fc.constant(true),
      threshold: fc.constantFrom(0, 1024),
    },
    { requiredKeys: ['threshold'] },
  )
  const batches = fc.array(fc.array(frame, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      compress,
      server,
      batches,
      fc.constantFrom(0, 0.1, 1),
      async (ours, theirs: PerMessageDeflateOptions, given, step) => {
        await using server = await websocketServer({ ws: { perMessageDeflate: theirs } })
        await using client = await agree(server, { compress: ours })
        ms = step
        try {
          for (const frames of given) assert.deepEqual(await echoes(client, frames), frames.map(tellFrame))
        } finally {
          ms = 0
        }
      },
    ),
    runs(60),
  )
})

/** Counts Node's streams of zlib, made and closed: the client's, since a scripted server has none. */
async function contexts(t: TestContext): Promise<{ made: () => number; closed: () => number }> {
  // The first connection looks whether this version of Node can do it.
  await (await used('tcp'))[Symbol.asyncDispose]()
  let made = 0
  const hook = createHook({
    init(_, type) {
      if (type === 'ZLIB') made++
    },
  }).enable()
  const closes = [zlib.DeflateRaw, zlib.InflateRaw].map(({ prototype }) =>
    t.mock.method(prototype, 'destroy'),
  )
  t.after(() => hook.disable())
  return { made: () => made, closed: () => closes.reduce((sum, { mock }) => sum + mock.callCount(), 0) }
}

const message = 'a message that is compressed'
const payload = new Deflate().deflate(message)
const given = frameOf({ opcode: opcodes.text, rsv1: true, payload })

/** A connection that has sent and received, and so has a context for either. */
async function used(wire: Wire, compress: gun.CompressOpts = {}, params = ''): Promise<Scene> {
  const it = await upgraded(wire, {
    wsOpts: { compress: { threshold: 0, ...compress } },
    answer: [['sec-websocket-extensions', `permessage-deflate${params}`]],
  })
  gun.wsSend(it.connPid, it.streamRef, ['text', message])
  assert.deepEqual((await receiveFrame(it.peer)).payload, payload)
  await it.peer.send(given)
  assert.deepEqual((await it.self.receive([{ type: 'gun_ws' }])).frame, ['text', message])
  return it
}

const endings: [name: string, end: (it: Scene) => unknown][] = [
  ['is closed by the caller', ({ connPid }) => gun.close(connPid)],
  ['is closed by both sides', it => it.peer.send(close(1000)).then(() => it.lose())],
  ['is lost', it => it.lose()],
  [
    'fails over what does not inflate',
    it => it.peer.send(frameOf({ opcode: opcodes.text, rsv1: true, payload: Buffer.of(7) })),
  ],
]

for (const wire of wires) {
  for (const [name, end] of endings) {
    test(`a WebSocket that ${name}, over ${wire}, closes its contexts of zlib`, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { made, closed } = await contexts(t)
      await using it = await used(wire)
      assert.deepEqual([made(), closed()], [2, 0])
      end(it)
      await until(() => closed() >= 2)
      assert.equal(made(), 2)
    })
  }

  test(`WebSockets that compress nothing, over ${wire}, have no context`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const { made } = await contexts(t)
    await using it = await upgraded(wire, {
      wsOpts: { compress: true },
      answer: [['sec-websocket-extensions', 'permessage-deflate']],
    })
    gun.wsSend(it.connPid, it.streamRef, ['text', message])
    await receiveFrame(it.peer)
    await it.peer.send(frameOf({ opcode: opcodes.text, payload: message }))
    await it.self.receive([{ type: 'gun_ws' }])
    assert.equal(made(), 0)
  })

  test(`WebSockets without context takeover, over ${wire}, share a context in each direction`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const { made, closed } = await contexts(t)
    const compress = { clientNoContextTakeover: true, serverNoContextTakeover: true }
    for (let n = 0; n < 5; n++) {
      await using _it = await used(wire, compress, '; server_no_context_takeover')
    }
    // Those of earlier tests are kept as well.
    assert.ok(made() <= 2, `${made()} were made`)
    assert.equal(closed(), 0)
  })
}
