// Floods of frames that bring nothing end the connection, and take little memory until then; honest servers are not taken for one.

import assert from 'node:assert/strict'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import type { Transport } from '@holster/testing'
import { PATIENCE } from '../support/client.ts'
import { encodeHeaders } from '../support/hpack.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, type Scene, scene } from '../support/http2-scene.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

const MIB = 1024 * 1024
/** In bytes. What a flood may take at most, of which a part is the test's own. */
const MOST = 16 * MIB

async function used(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await turn()
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** A promise of a response that may be used, which is the first of its round. */
function promised(round: number, { server }: Scene, transport: Transport): Uint8Array {
  return h2.pushPromise(1, 2 * round + 2, [
    [':method', 'GET'],
    [':scheme', transport === 'tls' ? 'https' : 'http'],
    [':authority', transport === 'unix' ? 'localhost' : `localhost:${server.port}`],
    [':path', '/'],
  ])
}

/** Gives the frames of each round, which is counted from 0. Stream 1 is open, and its head has come unless the flood is of heads. */
type Flood = (round: number, it: Scene, transport: Transport) => readonly Uint8Array[]

const floods: readonly [what: string, frames: Flood][] = [
  ['PING', () => [h2.ping()]],
  ['acknowledgements of PING', () => [h2.pingAck(Buffer.alloc(8))]],
  ['SETTINGS', () => [h2.settings({ INITIAL_WINDOW_SIZE: 65_535 })]],
  ['acknowledgements of SETTINGS', () => [h2.settingsAck()]],
  ['empty DATA', () => [h2.data(1, '')]],
  ['DATA of padding alone', () => [h2.data(1, '', { padding: 255 })]],
  ['WINDOW_UPDATE', () => [h2.windowUpdate(0, 1), h2.windowUpdate(1, 1)]],
  ['PRIORITY', () => [h2.frame(h2.types.PRIORITY, 0, 1, Buffer.alloc(5))]],
  ['frames of no known type', () => [h2.frame(0xfa, 0, 0, Buffer.alloc(100))]],
  ['GOAWAY', () => [h2.goaway(2 ** 31 - 1)]],
  ['interim responses', () => [h2.headers(1, [[':status', '103']])]],
  ['pushes that never begin', (...about) => [promised(...about)]],
  ['pushes that are reset', (round, ...about) => [promised(round, ...about), h2.rstStream(2 * round + 2, 8)]],
  [
    'pushes that we have to reset, as in MadeYouReset',
    (round, ...about) => [promised(round, ...about), h2.headers(2 * round + 2, [['x-a', 'b']])],
  ],
  ['resets of a stream that is over', () => [h2.rstStream(3, 8)]],
  ['DATA of a stream that was reset', () => [h2.data(3, '')]],
  ['HEADERS of a stream that was reset', () => [h2.headers(3, ok)]],
]

for (const [what, frames] of floods) {
  onEachTransport(`a flood of ${what} ends the connection, and takes little memory`, async transport => {
    await using it = await scene({ transport, opts: { retry: 0 } })
    const first = gun.get(it.connPid, '/')
    await it.peer.request()
    const cancelled = gun.get(it.connPid, '/cancelled')
    await it.peer.request()
    gun.cancel(it.connPid, cancelled)
    await it.peer.frame(h2.types.RST_STREAM, 3)
    if (what !== 'interim responses') await it.peer.send(h2.headers(1, ok))
    await it.seen()
    const before = await used()
    const over = it.self.receive([{ type: 'DOWN' }], PATIENCE).then(() => true)
    let round = 0
    // Far more than the points of any connection; whoever takes them all is no client to attack in this way.
    for (let isOver = false; !isOver && round < 200_000; isOver = await Promise.race([over, turn(false)])) {
      const many = Array.from({ length: 500 }, () => frames(round++, it, transport)).flat()
      await it.peer.send(Buffer.concat(many)).catch(() => undefined)
    }
    assert.ok(round < 200_000, 'the connection has taken all of it')
    await over
    const grown = (await used()) - before
    assert.ok(grown < MOST, `${grown} bytes more are in use`)
    assert.equal((await it.story(first)).at(-1), 'stream: connection_error limit_reached')
  })
}

onEachTransport(
  'a head that grows without bounds as it is read takes no memory beyond its limit',
  async transport => {
    await using it = await scene({ transport })
    // RFC 7541: a field of 4,000 bytes enters the table, and each byte behind it asks for it again.
    const bomb = Buffer.concat([
      encodeHeaders(ok),
      Buffer.of(0x40, 1, 0x61, 0x7f, 0xa1, 0x1e),
      Buffer.alloc(4000, 'v'),
      Buffer.alloc(12_000, 0xbe),
    ])
    const before = await used()
    for (let i = 0; i < 20; i++) {
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      await it.peer.send(h2.headers(streamId, bomb, { endStream: true }))
      assert.deepEqual(await it.story(streamRef), ['stream: stream_error limit_reached'])
    }
    const grown = (await used()) - before
    assert.ok(grown < MOST, `${grown} bytes more are in use`)
  },
)

/** A server of Node's, and a connection to it. */
async function connected(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
) {
  const server = http2.createServer()
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', session => void sessions.add(session.on('error', () => {})))
  server.on('stream', (stream, headers) =>
    onStream(
      stream.on('error', () => {}),
      headers,
    ),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const self = createProcess<gun.GunMessage>()
  const { port } = server.address() as AddressInfo
  const connPid = gun.open('127.0.0.1', port, { owner: self, retry: 0, protocols: ['http2'] })
  await gun.awaitUp(connPid)
  return {
    self,
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      for (const session of sessions) session.destroy()
      await new Promise(resolve => server.close(resolve))
      self.exit()
    },
  }
}

const MANY = 1200

async function askMany(connPid: gun.ConnPid, ask: () => gun.StreamRef): Promise<void> {
  for (let i = 0; i < MANY; i += 50) {
    const answers = Array.from({ length: 50 }, () => gun.awaitResponse(connPid, ask(), PATIENCE))
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200)
  }
}

test('a 103 for each of many requests, and a 100 for each of many uploads, are no flood', async () => {
  await using _left = assertNothingLeft()
  await using it = await connected((stream, { expect }) => {
    stream.additionalHeaders({ ':status': expect === undefined ? 103 : 100 })
    stream
      .resume()
      .on('end', () => stream.destroyed || stream.respond({ ':status': 200 }, { endStream: true }))
  })
  await askMany(it.connPid, () => gun.get(it.connPid, '/'))
  await askMany(it.connPid, () => gun.post(it.connPid, '/', { expect: '100-continue' }, 'x'))
})

test('a push with each of many responses is no flood', async () => {
  await using _left = assertNothingLeft()
  await using it = await connected(stream => {
    stream.pushStream({ ':path': '/style' }, (cause, pushed) => {
      if (cause === null) pushed.on('error', () => {}).respond({ ':status': 200 }, { endStream: true })
    })
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  await askMany(it.connPid, () => gun.get(it.connPid, '/', {}))
})

test('a ping of the server for each few frames of an upload is no flood', async () => {
  await using _left = assertNothingLeft()
  let pings = 0
  await using it = await connected(stream => {
    let isPinging = false
    stream.on('data', () => {
      if (isPinging || stream.session === undefined || stream.session.destroyed) return
      isPinging = true
      pings++
      stream.session.ping(() => {
        isPinging = false
      })
    })
    stream.on('end', () => stream.destroyed || stream.respond({ ':status': 200 }, { endStream: true }))
  })
  const streamRef = gun.post(it.connPid, '/', {}, undefined, { sendHighWaterMark: MIB })
  const part = Buffer.alloc(MIB)
  for (let mib = 0; mib < 150 && pings < MANY; mib++) {
    if (gun.data(it.connPid, streamRef, 'nofin', part)) continue
    const { type } = await it.self.receive([{ type: 'gun_notify' }, { type: 'gun_error' }], PATIENCE)
    assert.equal(type, 'gun_notify')
  }
  gun.data(it.connPid, streamRef, 'fin', '')
  assert.equal((await gun.awaitResponse(it.connPid, streamRef, PATIENCE)).status, 200)
})

test('the answers to many pings of the caller are no flood', async () => {
  await using _left = assertNothingLeft()
  await using it = await connected(stream => stream.respond())
  for (let i = 0; i < MANY; i++) {
    const streamRef = gun.ping(it.connPid)
    const { type } = await it.self.receive(
      [{ type: 'gun_notify', streamRef }, { type: 'gun_error' }],
      PATIENCE,
    )
    assert.equal(type, 'gun_notify')
  }
})
