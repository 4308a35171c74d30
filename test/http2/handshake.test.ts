// How a connection of HTTP/2 begins, and the one GOAWAY with which it ends (RFC 9113 sections 3.4, 5.4.1 and 6.8).

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type Transport } from '@holster/testing'
import { PATIENCE } from '../support/client.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, respond, type Scene, scene, sentTo } from '../support/http2-scene.ts'
import { origin } from '../support/origin.ts'

const NO_CONTENT = [[':status', '204']] as const

/** The bytes of a client that shuts down once it has heard the server's SETTINGS, as they come: before those, and behind. */
async function handshake(transport: Transport): Promise<{ first: Buffer; rest: Buffer }> {
  const chunks: Buffer[] = []
  await using server = await origin(
    async peer => {
      const socket = peer.detach()
      const over = once(socket, 'close')
      socket.on('data', chunk => {
        if (chunks.length === 0) socket.write(h2.settings())
        chunks.push(chunk)
      })
      socket.on('end', () => socket.end()).resume()
      await over
    },
    { transport, tls: { ALPNProtocols: ['h2'] } },
  )
  const self = createProcess<gun.GunMessage>()
  const opts: gun.Opts = {
    owner: self,
    retry: 0,
    protocols: ['http2'],
    transport: transport === 'tls' ? 'tls' : 'tcp',
    tlsOpts: { ca: certificates.ca },
    http2Opts: { notifySettingsChanged: true },
  }
  const { path, port } = server
  const connPid = path === undefined ? gun.open('localhost', port, opts) : gun.openUnix(path, opts)
  await self.receive([{ type: 'gun_notify', event: 'settings_changed' }], PATIENCE)
  self.monitor(connPid)
  gun.shutdown(connPid)
  await self.receive([{ type: 'DOWN' }], PATIENCE)
  await server.finished()
  self.exit()
  return { first: chunks[0] as Buffer, rest: Buffer.concat(chunks.slice(1)) }
}

onEachTransport(
  'the preface, our SETTINGS and the window of the connection leave in one write, before anything of the server',
  async transport => {
    const { first, rest } = await handshake(transport)
    const { length } = h2.PREFACE
    assert.deepEqual(first.subarray(0, length), h2.PREFACE)
    const frames = (bytes: Buffer) => new h2.FrameReader().push(bytes).map(h2.tellFrame)
    assert.match(frames(first.subarray(length)).join(), /^SETTINGS \{.*\},WINDOW_UPDATE 8323073$/)
    assert.deepEqual(frames(rest), ['SETTINGS ACK', 'GOAWAY NO_ERROR last 0'])
  },
)

const late = [
  ['begin with its SETTINGS', [], 'preface_timeout', 'PROTOCOL_ERROR'],
  ['acknowledge our SETTINGS', [h2.settings()], 'settings_timeout', 'SETTINGS_TIMEOUT'],
] as const

for (const [what, frames, error, code] of late) {
  onEachTransport(`a server that does not ${what} in time is told so by one GOAWAY`, async transport => {
    const http2Opts = error === 'preface_timeout' ? { prefaceTimeout: 20 } : { settingsTimeout: 20 }
    await using it = await scene({ transport, http2Opts, opts: { retry: 0 }, server: { manual: true } })
    await it.peer.send(frames)
    assert.equal((await it.end()).at(-1), `DOWN shutdown connection_error ${error}`)
    await it.peer.rest()
    assert.deepEqual(goaways(it), [code])
  })
}

function goaways(it: Scene): string[] {
  return it.peer.goaways.map(({ errorCode }) => errorCode)
}

const ends: readonly [what: string, end: (it: Scene) => unknown, codes: readonly string[]][] = [
  ['the caller shuts down', it => gun.shutdown(it.connPid), ['NO_ERROR']],
  [
    'the caller shuts down, and then closes',
    async it => {
      gun.shutdown(it.connPid)
      await it.peer.frame(h2.types.GOAWAY)
      gun.close(it.connPid)
    },
    ['NO_ERROR'],
  ],
  ['the server ends in order', it => it.peer.send([h2.goaway(1), h2.goaway(1)]), ['NO_ERROR']],
  [
    'the server ends with an error',
    it => it.peer.send(h2.goaway(1, h2.errorCodes.INTERNAL_ERROR)),
    ['NO_ERROR'],
  ],
  ['the server breaks the rules', it => it.peer.send(h2.data(0, 'x')), ['PROTOCOL_ERROR']],
  [
    'the server breaks the rules twice',
    it => it.peer.send([h2.data(0, 'x'), h2.frame(h2.types.DATA, 0, 1, Buffer.alloc(16_385))]),
    ['PROTOCOL_ERROR'],
  ],
  [
    'the server sends a frame that is too large',
    it => it.peer.send(h2.data(1, Buffer.alloc(16_385))),
    ['FRAME_SIZE_ERROR'],
  ],
  ['the server sends more than the window', it => it.peer.send(tooMuch()), ['FLOW_CONTROL_ERROR']],
  ['the server cannot compress', it => it.peer.send(h2.headers(1, Buffer.of(0x80))), ['COMPRESSION_ERROR']],
]

function tooMuch(): Uint8Array[] {
  return [h2.headers(1, ok), ...Array.from({ length: 5 }, () => h2.data(1, Buffer.alloc(16_384)))]
}

for (const [what, end, codes] of ends) {
  onEachTransport(`where ${what}, the server hears ${codes.join(' and ')}, once`, async transport => {
    const http2Opts = { initialConnectionWindowSize: 65_535, connectionWindowUpdateThreshold: 0 }
    await using it = await scene({ transport, http2Opts, opts: { retry: 0 } })
    const streamRef = gun.get(it.connPid, '/')
    await it.peer.request()
    await end(it)
    if (what.includes('in order') || what.endsWith('shuts down')) {
      await it.peer.frame(h2.types.GOAWAY)
      await it.peer.send(h2.headers(1, NO_CONTENT, { endStream: true }))
      assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    }
    await it.end()
    await it.peer.rest()
    assert.deepEqual(goaways(it), codes)
  })
}

onEachTransport(
  'a fault of the server behind our orderly end is told by a second GOAWAY',
  async transport => {
    await using it = await scene({ transport, opts: { retry: 0 } })
    gun.get(it.connPid, '/')
    await it.peer.request()
    gun.shutdown(it.connPid)
    await it.peer.frame(h2.types.GOAWAY)
    await it.peer.send(h2.data(0, 'x'))
    await it.end()
    await it.peer.rest()
    assert.deepEqual(goaways(it), ['NO_ERROR', 'PROTOCOL_ERROR'])
  },
)

onEachTransport(
  'what is asked for before shutdown leaves before GOAWAY, and is answered',
  async transport => {
    await using it = await scene({ transport })
    await it.seen()
    const get = gun.get(it.connPid, '/get')
    const post = gun.post(it.connPid, '/post', {}, 'body')
    const open = gun.post(it.connPid, '/open', {})
    gun.shutdown(it.connPid)
    await it.peer.frame(h2.types.GOAWAY)
    assert.deepEqual(sentTo(it.peer), [
      'HEADERS of 1 END_STREAM',
      'HEADERS of 3',
      'DATA of 3 "body" END_STREAM',
      'HEADERS of 5',
      'GOAWAY NO_ERROR last 0',
    ])
    for (let i = 0; i < 3; i++) await it.peer.request()
    gun.data(it.connPid, open, 'fin', 'late')
    assert.equal(String(await it.peer.body(5)), 'late')
    for (const id of [1, 3, 5]) await it.peer.send(h2.headers(id, NO_CONTENT, { endStream: true }))
    for (const streamRef of [get, post, open])
      assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    assert.deepEqual(await it.end(), ['DOWN shutdown'])
  },
)

onEachTransport(
  'a request before the server has stated its settings survives a shutdown in its tick',
  async transport => {
    await using it = await scene({ transport, server: { manual: true } })
    const streamRef = gun.get(it.connPid, '/')
    gun.shutdown(it.connPid)
    const { streamId } = await it.peer.request()
    await it.peer.send([
      h2.settings(),
      h2.settingsAck(),
      h2.headers(streamId, NO_CONTENT, { endStream: true }),
    ])
    assert.deepEqual(await it.story(streamRef), ['response 204 fin'])
    assert.deepEqual(await it.end(), ['DOWN shutdown'])
  },
)

onEachTransport(
  'the limit of a head holds for the very first stream, before our SETTINGS are acknowledged',
  async transport => {
    for (const over of [0, 1]) {
      await using it = await scene({
        transport,
        http2Opts: { maxHeaderListSize: 1000 },
        server: { manual: true },
      })
      const streamRef = gun.get(it.connPid, '/')
      const { streamId } = await it.peer.request()
      // Each field counts 32 bytes more than its name and its value (RFC 9113 section 6.5.2).
      const value = 'v'.repeat(1000 - (':status204'.length + 32) - ('x-a'.length + 32) + over)
      await it.peer.send([
        h2.settings(),
        h2.headers(streamId, [...NO_CONTENT, ['x-a', value]], { endStream: true }),
      ])
      const expected = over === 0 ? 'response 204 fin' : 'stream: stream_error limit_reached'
      assert.deepEqual(await it.story(streamRef), [expected])
    }
  },
)

onEachTransport('a server that answers before its SETTINGS does not speak HTTP/2', async transport => {
  await using it = await scene({ transport, opts: { retry: 0 }, server: { manual: true } })
  const streamRef = gun.get(it.connPid, '/')
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, NO_CONTENT, { endStream: true }))
  assert.deepEqual(await it.story(streamRef), ['stream: connection_error protocol_error'])
  await it.peer.rest()
  assert.deepEqual(goaways(it), ['PROTOCOL_ERROR'])
})

onEachTransport('a response in front of the acknowledgement of our SETTINGS is taken', async transport => {
  await using it = await scene({ transport, server: { manual: true } })
  await it.peer.send(h2.settings())
  const streamRef = gun.get(it.connPid, '/')
  const streamId = await respond(it.peer)
  await it.peer.send([h2.data(streamId, 'a', { endStream: true }), h2.settingsAck()])
  assert.deepEqual(await it.story(streamRef), ['response 200 nofin', 'data a fin'])
})
