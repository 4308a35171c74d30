// Many small messages that come at once are handed on in several turns of the event loop, so that other work goes on between.

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import type { Process } from '@holster/process'
import { frame, opcodes, switchingProtocols } from '@holster/testing/frames'
import { connect, PATIENCE } from '../support/client.ts'
import { slowClock } from '../support/clock.ts'
import { numbers, texts } from '../support/flood.ts'
import { onEachVersion } from '../support/http-scene.ts'
import { answerer, type Fields, httpOrigin, NOTHING } from '../support/http-server.ts'
import * as h2 from '../support/http2-frames.ts'
import { respond, scene } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { asking, close, transports, upgraded, wires } from '../support/websocket-scene.ts'

const COUNT = 5000
/** What may be handed on in a turn when each look at the clock finds it a millisecond later. */
const MOST = 600

/** How many messages came in the turn in which most did, until there are so many. */
async function arrival(self: Process<gun.GunMessage>, count: number): Promise<number> {
  let most = 0
  for (let before = self.messageQueueLength; before < count; ) {
    await turn()
    const { messageQueueLength: now } = self
    most = Math.max(most, now - before)
    before = now
  }
  return most
}

function assertInTurns(most: number): void {
  assert.ok(most <= MOST, `${most} of ${COUNT} came in one turn`)
}

for (const wire of wires) {
  test(`frames of a WebSocket, over ${wire}`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, { opts: { retry: 0 } })
    slowClock(t)
    const sending = it.peer.send(Buffer.concat([texts(COUNT), close(1000)]))
    assertInTurns(await arrival(it.self, COUNT))
    await sending
    for (const frame of numbers(COUNT)) {
      assert.deepEqual((await it.self.receive([{ type: 'gun_ws' }], 0)).frame, frame)
    }
    // What comes behind them is in its place.
    assert.deepEqual((await it.self.receive([{ type: 'gun_ws' }])).frame, ['close', 1000, ''])
  })
}

for (const transport of transports) {
  test(`a WebSocket over ${transport} whose upgrade comes behind many interim responses is read`, async t => {
    await using _left = assertNothingLeft()
    await using it = await asking(transport, { opts: { retry: 0 } })
    slowClock(t)
    const informs = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(COUNT)
    await it.peer.send(informs + switchingProtocols(it.request))
    await it.self.receive([{ type: 'gun_upgrade', streamRef: it.streamRef }], PATIENCE)
    await it.peer.send(texts(1))
    assert.deepEqual((await it.self.receive([{ type: 'gun_ws' }], PATIENCE)).frame, ['text', '0'])
  })
}

test('a close in the middle of them has nothing more handed on', async t => {
  await using _left = assertNothingLeft()
  await using it = await upgraded('tcp', { opts: { retry: 0 } })
  slowClock(t)
  const sending = it.peer.send(texts(COUNT)).catch(() => {})
  while (it.self.messageQueueLength === 0) await turn()
  gun.close(it.connPid)
  const { messageQueueLength } = it.self
  assert.ok(messageQueueLength < COUNT)
  for (let n = 0; n < 10; n++) await turn()
  assert.equal(it.self.messageQueueLength, messageQueueLength)
  await sending
})

test('the peer ends in the middle of them, and all that had come is handed on before that is told', async t => {
  await using _left = assertNothingLeft()
  await using it = await upgraded('tcp', { opts: { retry: 0 } })
  slowClock(t)
  await it.peer.send(texts(COUNT))
  while (it.self.messageQueueLength === 0) await turn()
  it.peer.end()
  const told: string[] = []
  for (;;) {
    const message = await it.self.receive([{ type: 'gun_ws' }, { type: 'gun_error' }])
    if (message.type === 'gun_error') break
    told.push(String(message.frame[1]))
  }
  assert.equal(told.length, COUNT)
  assert.ok(told.every((text, n) => text === String(n)))
})

const inChunks = Array.from({ length: COUNT }, (_, n) => String(n))

test('chunks of a body over HTTP/1.1', async t => {
  await using _left = assertNothingLeft()
  await using server = await answerer({ version: 'http', transport: 'tcp' }, [
    { status: 200, body: inChunks },
  ])
  await using client = await connect(server)
  slowClock(t)
  const streamRef = gun.get(client.connPid, '/')
  assertInTurns(await arrival(client.owner, COUNT))
  await gun.await(client.connPid, streamRef, PATIENCE)
  assert.equal(String((await gun.awaitBody(client.connPid, streamRef, PATIENCE)).body), inChunks.join(''))
  const next = gun.get(client.connPid, '/next')
  assert.equal((await gun.await(client.connPid, next, PATIENCE)).type, 'gun_response')
})

test('interim responses over HTTP/1.1', async t => {
  await using _left = assertNothingLeft()
  const informs = Array.from({ length: COUNT }, () => [103] as const)
  await using server = await answerer({ version: 'http', transport: 'tcp' }, [{ ...NOTHING, informs }])
  await using client = await connect(server)
  slowClock(t)
  const streamRef = gun.get(client.connPid, '/')
  assertInTurns(await arrival(client.owner, COUNT + 1))
  assert.equal(client.owner.flush({ type: 'gun_inform', streamRef }), COUNT)
  assert.equal((await client.owner.receive([{ type: 'gun_response', streamRef }], 0)).status, 204)
})

test('frames of HTTP/2', async t => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  slowClock(t)
  const streamRef = gun.get(it.connPid, '/')
  const streamId = await respond(it.peer)
  await gun.await(it.connPid, streamRef, PATIENCE)
  const before = it.self.messageQueueLength
  const frames = inChunks.map((data, n) =>
    h2.data(streamId, Buffer.from(data), { endStream: n === COUNT - 1 }),
  )
  const sending = it.peer.send(Buffer.concat(frames))
  // A look at the clock comes at each 128 of them.
  const most = await arrival(it.self, before + COUNT)
  assert.ok(most <= 8 * 128, `${most} of ${COUNT} came in one turn`)
  assert.equal(String((await gun.awaitBody(it.connPid, streamRef, PATIENCE)).body), inChunks.join(''))
  await sending
})

const EVENTS: Fields = [['content-type', 'text/event-stream']]
const events = Buffer.from(Array.from({ length: COUNT }, (_, n) => `data: ${n}\n\n`).join(''))

for (const [what, bytes, fields] of [
  ['server-sent events', events, EVENTS],
  [
    'server-sent events that come compressed',
    zlib.gzipSync(events),
    [...EVENTS, ['content-encoding', 'gzip']],
  ],
] as const) {
  onEachVersion(what, async line => {
    await using _left = assertNothingLeft()
    const all: Fields = [...fields, ['content-length', String(bytes.length)]]
    await using server = await answerer(line, [{ status: 200, fields: all, body: bytes }])
    const opts = { httpOpts: { contentHandlers: [gun.decode(), gun.sse()] } }
    await using client = await connect(server, line, opts)
    const clock = mock.method(
      performance,
      'now',
      (
        (now: number) => () =>
          ++now
      )(performance.now()),
    )
    try {
      const streamRef = gun.get(client.connPid, '/')
      assertInTurns(await arrival(client.owner, COUNT + 2))
      await gun.await(client.connPid, streamRef, PATIENCE)
      for (let n = 0; n < COUNT; n++) {
        const { event } = await client.owner.receive([{ type: 'gun_sse', streamRef }], 0)
        assert.equal(event !== 'fin' && event.data, String(n))
      }
      assert.equal((await client.owner.receive([{ type: 'gun_sse', streamRef }], 0)).event, 'fin')
    } finally {
      clock.mock.restore()
    }
  })
}

test('reads of one turn: a socket that brings much has others wait no longer than for some of it', async t => {
  await using _left = assertNothingLeft()
  const ready = { version: 'http', transport: 'tcp' } as const
  await using server = await httpOrigin(ready, async peer => {
    const asked = await peer.request()
    // Enough to be read many times in one turn.
    await asked.answer({
      status: 200,
      body: Buffer.alloc(16 * 1024 * 1024),
      fields: [['content-length', String(16 * 1024 * 1024)]],
    })
  })
  await using client = await connect(server)
  slowClock(t)
  const streamRef = gun.get(client.connPid, '/')
  let most = 0
  let before = 0
  for (let isOver = false; !isOver; ) {
    await turn()
    const { messageQueueLength: now } = client.owner
    most = Math.max(most, now - before)
    const data = await client.owner.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }], {
      timeout: 0,
      onTimeout: () => undefined,
    })
    before = client.owner.messageQueueLength
    isOver = data !== undefined
  }
  // One read takes two looks at the clock, and five milliseconds are the limit.
  assert.ok(most <= 8, `${most} reads in one turn`)
})

test('a process that lags behind has its socket read once a turn', async t => {
  await using _left = assertNothingLeft()
  await using it = await upgraded('tcp', { opts: { retry: 0 } })
  // However long a read takes, no time passes.
  const now = performance.now()
  const clock = mock.method(performance, 'now', () => now)
  t.after(() => clock.mock.restore())
  const message = frame({ opcode: opcodes.text, payload: 'x'.repeat(98) })
  const sending = it.peer.send(Buffer.concat(Array.from({ length: 12_000 }, () => message)))
  const most = await arrival(it.self, 12_000)
  const inOneRead = (64 * 1024) / message.length
  assert.ok(most <= 1024 + 2 * inOneRead, `${most} came in one turn`)
  await sending
})
