// WebSocket over HTTP/2 (RFC 8441): what there is of it because it is one stream of many.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process, type ProcessOptions } from '@holster/process'
import { certificates, type Transport } from '@holster/testing'
import {
  closePayload,
  opcodes,
  parseClientFrames,
  receiveFrame,
  switchingProtocols,
} from '@holster/testing/frames'
import { settle, until } from '../support/flood.ts'
import { h2Ends } from '../support/http2-ends.ts'
import * as h2 from '../support/http2-frames.ts'
import { type H2OriginOptions, type H2Peer, type H2Script, h2Origin } from '../support/http2-origin.ts'
import { h2Server } from '../support/http2-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { close, text } from '../support/websocket-scene.ts'

const transports: readonly Transport[] = ['tcp', 'tls']

interface Client extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
}

async function connect(
  { host, port }: { host: string; port: number },
  transport: Transport = 'tcp',
  opts: gun.Opts = {},
  ownerOptions: ProcessOptions = {},
): Promise<Client> {
  const self = createProcess<gun.GunMessage>(ownerOptions)
  const connPid = gun.open(host, port, {
    owner: self,
    protocols: ['http2'],
    retry: 0,
    ...(transport === 'tls' && { transport, tlsOpts: { ca: certificates.ca } }),
    ...opts,
  })
  await self.receive([{ type: 'gun_up' }])
  return {
    self,
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
    },
  }
}

/** A test against a script; nothing is left afterwards, and the script has run to its end. */
function scripted(
  name: string,
  script: H2Script,
  run: (client: Client) => Promise<void>,
  options: H2OriginOptions = {},
): void {
  test(name, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const settings = { ENABLE_CONNECT_PROTOCOL: 1, ...options.settings }
    let isPlayed = false
    const play: H2Script = async (peer, index) => {
      await script(peer, index)
      isPlayed = true
    }
    await using server = await h2Origin(play, { ...options, settings })
    await using client = await connect(server)
    await run(client)
    await server.finished()
    // A client that goes too early is no failure of a script.
    assert.ok(isPlayed, 'the script was not played to its end')
  })
}

const ok = (streamId: number): Buffer => h2.headers(streamId, [[':status', '200']])

async function accepted(peer: H2Peer): Promise<number> {
  const { streamId } = await peer.request()
  await peer.send(ok(streamId))
  return streamId
}

async function errorOf({ self }: Client, streamRef: gun.StreamRef | undefined): Promise<string> {
  const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
  return `${reason.code} ${reason.kind}`
}

async function assertAnswers({ self, connPid }: Client): Promise<void> {
  const streamRef = gun.get(connPid, '/after')
  const { status } = await self.receive([{ type: 'gun_response', streamRef }])
  assert.equal(status, 204)
}

async function answer(peer: H2Peer): Promise<void> {
  const { streamId, headers } = await peer.request()
  assert.deepEqual(headers[0], [':method', 'GET'])
  await peer.send(h2.headers(streamId, [[':status', '204']], { endStream: true }))
}

scripted(
  'the request is a CONNECT that names its protocol, and has nothing of an upgrade of HTTP/1.1',
  async peer => {
    const { headers, isFin, streamId } = await peer.request()
    assert.equal(isFin, 'nofin')
    const authority = headers.find(([name]) => name === ':authority')?.[1]
    assert.match(authority ?? '', /^127\.0\.0\.1:\d+$/)
    assert.deepEqual(Object.fromEntries(headers), {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':authority': authority,
      ':path': '/chat?a=b',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'one',
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
      'x-a': 'b',
    })
    await peer.send(ok(streamId))
  },
  async ({ self, connPid }) => {
    const headers = { 'x-a': 'b', 'sec-websocket-protocol': 'one', connection: 'x', upgrade: 'y' }
    const streamRef = gun.wsUpgrade(connPid, '/chat?a=b', headers, { compress: true })
    const { protocols } = await self.receive([{ type: 'gun_upgrade', streamRef }])
    assert.deepEqual(protocols, ['websocket'])
  },
)

scripted(
  'a server that does not know of it is not asked, and requests go on',
  answer,
  async client => {
    const streamRef = gun.wsUpgrade(client.connPid, '/')
    assert.equal(await errorOf(client, streamRef), 'not_supported stream_error')
    await assertAnswers(client)
  },
  { settings: { ENABLE_CONNECT_PROTOCOL: 0 } },
)

scripted(
  'an upgrade waits for the settings of the server, and a request does not',
  async peer => {
    const { streamId, headers } = await peer.request()
    assert.deepEqual(headers[0], [':method', 'GET'])
    await peer.send([
      h2.settings({ ENABLE_CONNECT_PROTOCOL: 1 }),
      h2.settingsAck(),
      h2.headers(streamId, [[':status', '204']], { endStream: true }),
    ])
    await accepted(peer)
  },
  async client => {
    const streamRef = gun.wsUpgrade(client.connPid, '/')
    await assertAnswers(client)
    await client.self.receive([{ type: 'gun_upgrade', streamRef }])
  },
  { manual: true },
)

scripted(
  'a refusal is a response with its body, and gives the stream free',
  async peer => {
    const { streamId } = await peer.request()
    await peer.send([
      h2.headers(streamId, [[':status', '403']]),
      h2.data(streamId, 'no', { endStream: true }),
    ])
    assert.equal((await peer.frame(h2.types.DATA, streamId)).flags, h2.flags.END_STREAM)
    await answer(peer)
  },
  async client => {
    const streamRef = gun.wsUpgrade(client.connPid, '/')
    const { status } = await client.self.receive([{ type: 'gun_response', streamRef }])
    assert.equal(status, 403)
    const { data } = await client.self.receive([{ type: 'gun_data', streamRef }])
    assert.equal(String(data), 'no')
    await until(() => gun.streamInfo(client.connPid, streamRef) === undefined)
    client.self.flush({ type: 'gun_data' })
    await assertAnswers(client)
    assert.equal(client.self.messageQueueLength, 0)
  },
  { settings: { MAX_CONCURRENT_STREAMS: 1 } },
)

for (const [what, before, code] of [
  ['before its answer', () => [], 'stream_reset'],
  ['behind its answer', (id: number) => [ok(id)], 'stream_reset'],
  ['within a frame', (id: number) => [ok(id), h2.data(id, text('hello').subarray(0, 3))], 'stream_reset'],
  ['behind an interim response', (id: number) => [h2.headers(id, [[':status', '103']])], 'stream_reset'],
] as const) {
  scripted(
    `a stream that is reset ${what} is told of as an error of that stream alone`,
    async peer => {
      const { streamId } = await peer.request()
      await peer.send([...before(streamId), h2.rstStream(streamId, h2.errorCodes.INTERNAL_ERROR)])
      await answer(peer)
    },
    async client => {
      const streamRef = gun.wsUpgrade(client.connPid, '/')
      assert.equal(await errorOf(client, streamRef), `${code} stream_error`)
      await assertAnswers(client)
      assert.equal(gun.streamInfo(client.connPid, streamRef), undefined)
    },
  )
}

scripted(
  'a stream that is ended without a close frame is an error of that stream alone',
  async peer => {
    const streamId = await accepted(peer)
    await peer.send(h2.data(streamId, text('last'), { endStream: true }))
    await answer(peer)
  },
  async client => {
    const streamRef = gun.wsUpgrade(client.connPid, '/')
    const { frame } = await client.self.receive([{ type: 'gun_ws', streamRef }])
    assert.deepEqual(frame, ['text', 'last'])
    assert.equal(await errorOf(client, streamRef), 'closed stream_error')
    await assertAnswers(client)
  },
)

scripted(
  'a WebSocket that is cancelled is reset, and says nothing more',
  async peer => {
    const streamId = await accepted(peer)
    assert.equal(h2.readRstStream(await peer.frame(h2.types.RST_STREAM, streamId)), 'CANCEL')
    await answer(peer)
  },
  async client => {
    const streamRef = gun.wsUpgrade(client.connPid, '/')
    await client.self.receive([{ type: 'gun_upgrade', streamRef }])
    gun.cancel(client.connPid, streamRef)
    await assertAnswers(client)
    assert.equal(client.self.messageQueueLength, 0)
  },
)

scripted(
  'frames may be cut into DATA anywhere, with padding and empty DATA between',
  async peer => {
    const streamId = await accepted(peer)
    const bytes = Buffer.concat([text('é€'), text(''), text('x'.repeat(200)), close(1000, 'bye')])
    const frames = [...bytes].flatMap(byte => [
      h2.data(streamId, Buffer.of(byte), { padding: byte % 3 }),
      ...(byte % 16 === 0 ? [h2.data(streamId, '')] : []),
    ])
    await peer.send([...frames, h2.data(streamId, '', { endStream: true })])
    const { frames: left } = parseClientFrames(await peer.body(streamId))
    assert.deepEqual(
      left.map(({ opcode, payload }) => [opcode, payload]),
      [[opcodes.close, closePayload(1000)]],
    )
  },
  async ({ self, connPid }) => {
    const streamRef = gun.wsUpgrade(connPid, '/')
    for (const expected of [
      ['text', 'é€'],
      ['text', ''],
      ['text', 'x'.repeat(200)],
      ['close', 1000, 'bye'],
    ]) {
      assert.deepEqual((await self.receive([{ type: 'gun_ws', streamRef }])).frame, expected)
    }
    await until(() => gun.streamInfo(connPid, streamRef) === undefined)
  },
)

scripted(
  'a GOAWAY lets a WebSocket go on; the connection ends with it, behind the answer to its close frame',
  async peer => {
    const streamId = await accepted(peer)
    await peer.frame(h2.types.DATA, streamId)
    await peer.send([h2.goaway(streamId), h2.data(streamId, text('still here'))])
    const { payload } = await peer.frame(h2.types.DATA, streamId)
    assert.equal(String(parseClientFrames(payload).frames[0]?.payload), 'so am I')
    await peer.send(h2.data(streamId, close(1001), { endStream: true }))
    const last = await peer.frame(h2.types.DATA, streamId)
    const [answered] = parseClientFrames(last.payload).frames
    assert.deepEqual([answered?.opcode, answered?.payload], [opcodes.close, closePayload(1001)])
  },
  async ({ self, connPid }) => {
    const streamRef = gun.wsUpgrade(connPid, '/')
    await self.receive([{ type: 'gun_upgrade', streamRef }])
    gun.wsSend(connPid, streamRef, 'ping')
    await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', 'still here'] }])
    gun.wsSend(connPid, streamRef, ['text', 'so am I'])
    const { frame } = await self.receive([{ type: 'gun_ws', streamRef }])
    assert.deepEqual(frame, ['close', 1001, ''])
    const { reason, killedStreams } = await self.receive([{ type: 'gun_down' }])
    assert.deepEqual([reason, killedStreams], ['normal', []])
  },
)

scripted(
  'what exceeds the window waits, which wsSend and drain tell of',
  async peer => {
    const streamId = await accepted(peer)
    let got = 0
    while (got < 1000) got += (await peer.frame(h2.types.DATA, streamId)).payload.length
    assert.equal(got, 1000)
    await peer.send([h2.windowUpdate(streamId, 200_000), h2.windowUpdate(0, 200_000)])
    while (got < 100_014) got += (await peer.frame(h2.types.DATA, streamId)).payload.length
    assert.equal(got, 100_014)
  },
  async ({ self, connPid }) => {
    const streamRef = gun.wsUpgrade(connPid, '/', {}, { sendHighWaterMark: 50_000 })
    await self.receive([{ type: 'gun_upgrade', streamRef }])
    assert.equal(gun.wsSend(connPid, streamRef, ['binary', Buffer.alloc(100_000)]), false)
    assert.equal(gun.streamInfo(connPid, streamRef)?.websocket?.bufferedBytes, 100_014)
    const { event, data } = await self.receive([{ type: 'gun_notify', streamRef }])
    assert.deepEqual([event, data], ['drain', 0])
  },
  { settings: { INITIAL_WINDOW_SIZE: 1000 } },
)

for (const transport of transports) {
  test(`a hundred WebSockets and as many requests share one connection over ${transport}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await h2Server({ transport })
    await using client = await connect(server, transport)
    const { self, connPid } = client
    const refs = Array.from({ length: 100 }, (_, n) => gun.wsUpgrade(connPid, `/${n}`))
    const gets = refs.map((_, n) => gun.get(connPid, `/${n}`))
    for (const streamRef of refs) await self.receive([{ type: 'gun_upgrade', streamRef }])
    for (const [n, streamRef] of refs.entries()) {
      for (let i = 0; i < 10; i++) gun.wsSend(connPid, streamRef, ['text', `${n} ${i}`])
    }
    for (const [n, streamRef] of refs.entries()) {
      for (let i = 0; i < 10; i++) {
        const { frame } = await self.receive([{ type: 'gun_ws', streamRef }])
        assert.deepEqual(frame, ['text', `${n} ${i}`])
      }
    }
    for (const streamRef of gets) {
      const { status } = await self.receive([{ type: 'gun_response', streamRef }])
      assert.equal(status, 200)
      await self.receive([{ type: 'gun_data', streamRef, isFin: 'fin' }])
    }
    for (const streamRef of refs) gun.wsSend(connPid, streamRef, 'close')
    for (const streamRef of refs) {
      assert.equal((await self.receive([{ type: 'gun_ws', streamRef }])).frame, 'close')
    }
    await until(() => refs.every(streamRef => gun.streamInfo(connPid, streamRef) === undefined))
    // The empty end of a body may be a message of its own.
    self.flush({ type: 'gun_data' })
    assert.equal(self.messageQueueLength, 0)
  })

  test(`a WebSocket that is not read holds up no other over ${transport}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await h2Server({
      transport,
      onConnection: (socket, headers) => {
        if (headers[':path'] === '/echo') socket.on('message', data => socket.send(String(data)))
        else for (let n = 0; n < 2000; n++) socket.send('x'.repeat(1024))
      },
    })
    await using client = await connect(server, transport)
    await using slow = createProcess<gun.GunMessage>({ highWaterMark: { messages: 10 } })
    const { self, connPid } = client
    gun.wsUpgrade(connPid, '/flood', {}, { replyTo: slow })
    const credited = gun.wsUpgrade(connPid, '/flood', {}, { flow: 1 })
    const echo = gun.wsUpgrade(connPid, '/echo')
    await self.receive([{ type: 'gun_ws', streamRef: credited }])
    await until(() => slow.messageQueueLength > 10)
    await self.receive([{ type: 'gun_upgrade', streamRef: echo }])
    for (let n = 0; n < 100; n++) {
      gun.wsSend(connPid, echo, ['text', `${n}`])
      assert.deepEqual((await self.receive([{ type: 'gun_ws', streamRef: echo }])).frame, ['text', `${n}`])
    }
    await settle()
    assert.ok(slow.messageQueueLength < 100, `${slow.messageQueueLength} were posted`)
  })

  test(`several WebSockets come back on the next connection over ${transport}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await h2Ends(transport)
    const { self, connPid, server } = it
    const refs = ['/a', '/b', '/c'].map(path =>
      gun.wsUpgrade(connPid, path, {}, { reupgrade: path !== '/b' }),
    )
    for (let n = 0; n < 3; n++) {
      const peer = await it.next()
      await peer.send(switchingProtocols(await peer.receiveRequest()))
    }
    for (const streamRef of refs) await self.receive([{ type: 'gun_upgrade', streamRef }])
    server.lose()
    const { reason } = await self.receive([{ type: 'gun_error', streamRef: refs[1] }])
    assert.deepEqual([reason.code, reason.kind], ['closed', 'connection_error'])
    assert.deepEqual((await self.receive([{ type: 'gun_down' }])).killedStreams, [refs[1]])
    await self.receive([{ type: 'gun_up' }])
    for (const [path, streamRef] of [
      ['/a', refs[0]],
      ['/c', refs[2]],
    ] as const) {
      const peer = await it.next()
      const request = await peer.receiveRequest()
      assert.equal(request.path, path)
      await peer.send(switchingProtocols(request))
      await self.receive([{ type: 'gun_upgrade', streamRef }])
      await peer.send(text(path))
      assert.deepEqual((await self.receive([{ type: 'gun_ws', streamRef }])).frame, ['text', path])
    }
    assert.equal(self.messageQueueLength, 0)
  })

  test(`a shutdown says 1001 to each WebSocket over ${transport}, and waits for their answers`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await h2Ends(transport)
    const { self, connPid } = it
    const peers = []
    for (const path of ['/a', '/b']) {
      gun.wsUpgrade(connPid, path)
      const peer = await it.next()
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      await self.receive([{ type: 'gun_upgrade' }])
      peers.push(peer)
    }
    gun.shutdown(connPid)
    for (const peer of peers) assert.deepEqual((await receiveFrame(peer)).payload, closePayload(1001))
    for (const peer of peers) peer.end(close(1001))
    assert.equal((await self.receive([{ type: 'DOWN' }])).reason, 'shutdown')
    assert.equal(self.flush({ type: 'gun_ws' }), 2)
    assert.equal(self.messageQueueLength, 0)
  })
}
