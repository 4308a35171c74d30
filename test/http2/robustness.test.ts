// HTTP/2 with servers that send anything, and with owners that go away or close from within what they are told.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, P } from '@holster/process'
import { certificates } from '@holster/testing'
import { eventually } from '../support/client.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, scene, sentTo, tell } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { runs } from '../support/runs.ts'

/** mulberry32: the same numbers in each run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const promised = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'localhost'],
  [':path', '/p'],
] as const

function script(random: (below: number) => number): Buffer {
  const id = () => [1, 3, 5, 0, 2, 7][random(6)] as number
  const makers: readonly (() => Buffer)[] = [
    () => h2.headers(id(), ok, { endStream: random(3) === 0 }),
    () => h2.headers(id(), [[':status', '103']]),
    () => h2.headers(id(), [['x-a', 'b']], { endStream: random(2) === 0, endHeaders: random(4) > 0 }),
    () => h2.data(id(), 'x'.repeat(random(50)), { endStream: random(3) === 0 }),
    () => h2.rstStream(id(), random(15)),
    () => h2.settings({ MAX_CONCURRENT_STREAMS: random(5), INITIAL_WINDOW_SIZE: random(2 ** 31) }),
    () => h2.ping(),
    () => h2.pushPromise(id(), 2 + 2 * random(4), promised),
    () => h2.goaway(random(7), random(3)),
    () => h2.windowUpdate(id(), random(1000)),
    () => h2.continuation(id(), [['x-c', 'd']], random(2) === 0),
    () => h2.frame(random(16), random(256), id(), Buffer.alloc(random(20), random(256))),
  ]
  const frames = Array.from({ length: 1 + random(12) }, () =>
    (makers[random(makers.length)] as () => Buffer)(),
  )
  const bytes = Buffer.concat(frames)
  for (let i = random(3); i > 0; i--) bytes[random(bytes.length)] = random(256)
  return random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes
}

const { numRuns } = runs(40)

for (const transport of ['tcp', 'tls'] as const) {
  for (let part = 0; part < 4; part++) {
    test(`whatever a server sends, each stream ends once and the connection ends, over ${transport}, part ${part}`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      for (let seed = part * numRuns; seed < (part + 1) * numRuns; seed++) {
        const random = randomOf(seed)
        await using server = await origin(
          async peer => {
            await peer.receive(24)
            await peer.send(Buffer.concat([h2.settings(), h2.settingsAck()]))
            for (let i = random(3); i >= 0; i--) await peer.send(script(random))
            if (random(4) === 0) peer.reset()
            else peer.end()
          },
          { transport, onError: () => {}, tls: { ALPNProtocols: ['h2'] } },
        )
        const owner = createProcess<gun.GunMessage>()
        const connPid = gun.open('localhost', server.port, {
          owner,
          retry: 0,
          transport,
          tlsOpts: { ca: certificates.ca },
          protocols: ['http2'],
        })
        owner.monitor(connPid)
        const open = new Set<gun.StreamRef>([
          gun.get(connPid, '/1'),
          gun.post(connPid, '/3', {}, 'x'.repeat(random(100_000))),
          gun.post(connPid, '/5', {}),
        ])
        for (;;) {
          const message = await owner.receive([P._], 10_000)
          if (message.type === 'DOWN') break
          if (message.type === 'gun_push') open.add(message.newStreamRef)
          if (!('streamRef' in message) || message.streamRef === undefined || message.type === 'gun_push')
            continue
          const what = `seed ${seed}: ${tell(message as gun.GunMessage)}`
          assert.ok(open.has(message.streamRef), `${what} of a stream that is over`)
          const isFin = 'isFin' in message && message.isFin === 'fin'
          if (isFin || message.type === 'gun_error' || message.type === 'gun_trailers')
            open.delete(message.streamRef)
          if (message.type === 'gun_error') assert.notEqual(message.reason.code, 'internal_error', what)
        }
        assert.equal(open.size, 0, `seed ${seed}: ${open.size} streams never ended`)
        await connPid[Symbol.asyncDispose]()
        owner.exit()
      }
    })
  }
}

const kinds = ['gun_inform', 'gun_response', 'gun_data', 'gun_trailers', 'gun_push', 'gun_error'] as const

for (const act of ['close', 'shutdown', 'cancel', 'get'] as const) {
  for (const kind of kinds) {
    onEachTransport(`${act} from within what gets ${kind} does no harm`, async transport => {
      await using it = await scene({ transport, opts: { retry: 0 } })
      const heard: string[] = []
      let hasActed = false
      const replyTo = (message: gun.GunMessage) => {
        heard.push(message.type)
        if (message.type !== kind || hasActed) return
        hasActed = true
        if (act === 'cancel') gun.cancel(it.connPid, streamRef)
        else if (act === 'get') gun.get(it.connPid, '/again')
        else if (act === 'close') gun.close(it.connPid)
        else gun.shutdown(it.connPid)
      }
      const streamRef = gun.get(it.connPid, '/', {}, { replyTo })
      const other = gun.get(it.connPid, '/other')
      const { streamId } = await it.peer.request()
      const { streamId: otherId } = await it.peer.request()
      const port = transport === 'unix' ? '' : `:${it.server.port}`
      const pseudo = [
        [':method', 'GET'],
        [':scheme', transport === 'tls' ? 'https' : 'http'],
        [':authority', `localhost${port}`],
        [':path', '/p'],
      ] as const
      await it.peer
        .send([
          h2.headers(streamId, [[':status', '103']]),
          h2.pushPromise(streamId, 2, pseudo),
          h2.headers(streamId, ok),
          h2.data(streamId, 'a'),
          h2.data(streamId, 'b'),
          ...(kind === 'gun_error'
            ? [h2.rstStream(streamId, 2)]
            : [h2.headers(streamId, [['x-a', 'b']], { endStream: true })]),
          h2.headers(2, ok, { endStream: true }),
          h2.headers(otherId, ok, { endStream: true }),
        ])
        .catch(() => {})
      const words = await it.story(other)
      await eventually(() => hasActed, `${kind} came: ${heard}`)
      if (act !== 'close') assert.deepEqual(words, ['response 200 fin'])
      if (act === 'close' || act === 'shutdown') assert.match((await it.end()).join(), /DOWN shutdown$/)
      else await it.seen()
      assert.ok(sentTo(it.peer).length > 0)
    })
  }
}

onEachTransport('an owner that dies takes the connection with it', async transport => {
  await using it = await scene({ transport })
  const watcher = createProcess()
  const ref = watcher.monitor(it.connPid)
  const replies = createProcess<gun.GunMessage>()
  const streamRef = gun.get(it.connPid, '/', {}, { replyTo: replies })
  const { streamId } = await it.peer.request()
  it.self.exit()
  const goaway = await it.peer.frame(h2.types.GOAWAY)
  assert.equal(h2.readGoaway(goaway).errorCode, 'NO_ERROR')
  await it.peer.send(h2.headers(streamId, ok, { endStream: true }))
  assert.equal((await replies.receive([{ type: 'gun_response', streamRef }], 5000)).status, 200)
  await watcher.receive([{ type: 'DOWN', ref }], 5000)
  watcher.exit()
  replies.exit()
})
