// Commands that are given while nothing is connected wait their turn, in order; frames never do.

import assert from 'node:assert/strict'
import { text as readText } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, P, type Process } from '@holster/process'
import { certificates, type Peer, type ScriptedServer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { defer } from '../support/client.ts'
import { onEachVersion } from '../support/http-scene.ts'
import { httpServer, type Line, speaking } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

type Transport = 'tcp' | 'tls'
const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly server: ScriptedServer
  /** The server's side of the next connection. */
  peer(): Promise<Peer>
}

async function scene(transport: Transport, opts: gun.Opts = {}, host = 'localhost'): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(host, server.port, {
    owner: self,
    transport,
    tlsOpts: { ca: certificates.ca },
    ...opts,
  })
  self.monitor(connPid)
  return {
    self,
    connPid,
    server,
    async peer() {
      const { peer } = await peers.receive([{ type: 'peer' }], 10_000)
      // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
      await turn()
      return peer
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server.close()
    },
  }
}

async function reach(connPid: gun.ConnPid, stateName: string, step: () => unknown): Promise<void> {
  while (gun.info(connPid).stateName !== stateName) await step()
}

/** What the server reads next: paths, and bodies where there are any. */
async function readAll(peer: Peer, count: number): Promise<string[]> {
  const read: string[] = []
  for (let i = 0; i < count; i++) {
    const request = await peer.receiveRequest()
    const chunked = request.header('transfer-encoding') === 'chunked'
    read.push(`${request.method} ${request.path}${chunked ? ` ${await peer.receive('0\r\n\r\n')}` : ''}`)
  }
  return read
}

/** Asks for all kinds of things, the names of which begin with `mark`. */
function askForAll(connPid: gun.ConnPid, mark: string): void {
  gun.get(connPid, `/${mark}1`)
  gun.request(connPid, 'POST', `/${mark}2`, {}, '')
  const streamRef = gun.headers(connPid, 'PUT', `/${mark}3`)
  gun.data(connPid, streamRef, 'nofin', 'a')
  gun.data(connPid, streamRef, 'fin', 'b')
  gun.head(connPid, `/${mark}4`)
}

function allOf(mark: string): string[] {
  const body = '1\r\na\r\n1\r\nb\r\n0\r\n\r\n'
  return [`GET /${mark}1`, `POST /${mark}2`, `PUT /${mark}3 ${body}`, `HEAD /${mark}4`]
}

async function websocket(it: Scene): Promise<{ streamRef: gun.StreamRef; peer: Peer }> {
  const streamRef = gun.wsUpgrade(it.connPid, '/')
  const peer = await it.peer()
  await peer.send(switchingProtocols(await peer.receiveRequest()))
  await it.self.receive([{ type: 'gun_upgrade' }], 10_000)
  return { streamRef, peer }
}

type State = [stateName: string, transports: readonly Transport[], reach: (it: Scene) => Promise<void>]

/** An address needs no look-up, so that microtasks are enough to get to `connecting`. */
const hostFor = (stateName: string) => (stateName === 'connecting' ? '127.0.0.1' : 'localhost')

const states: State[] = [
  ['domain_lookup', transports, async () => {}],
  ['connecting', transports, ({ connPid }) => reach(connPid, 'connecting', () => null)],
  ['initial_tls_handshake', ['tls'], ({ connPid }) => reach(connPid, 'initial_tls_handshake', turn)],
  [
    'not_connected',
    transports,
    async it => {
      const peer = await it.peer()
      peer.end()
      await it.self.receive([{ type: 'gun_down' }], 10_000)
    },
  ],
  // The server has said that it closes after this response, which is not over.
  [
    'connected',
    transports,
    async it => {
      gun.get(it.connPid, '/last')
      const peer = await it.peer()
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n')
      await it.self.receive([{ type: 'gun_response' }], 10_000)
      // What finishes it comes a little later than what is asked for in this turn.
      setImmediate(() => peer.end('x'))
    },
  ],
  [
    'closing',
    transports,
    async it => {
      const { peer } = await websocket(it)
      await peer.send(frame({ opcode: opcodes.close, payload: closePayload(1000) }))
      await it.self.receive([{ type: 'gun_ws' }], 10_000)
      assert.equal(gun.info(it.connPid).stateName, 'closing')
      setImmediate(() => peer.end())
    },
  ],
]

for (const [stateName, over, arrive] of states) {
  for (const transport of over) {
    test(`a command that is given in ${stateName} over ${transport} is done in order once it is up`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport, {}, hostFor(stateName))
      await arrive(it)
      assert.equal(gun.info(it.connPid).stateName, stateName)
      askForAll(it.connPid, 'a')
      assert.equal(gun.info(it.connPid).stateName, stateName)
      const peer = await it.peer()
      assert.deepEqual(await readAll(peer, 4), allOf('a'))
    })

    test(`a frame sent in ${stateName} over ${transport} comes back in an error that names it`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport, {}, hostFor(stateName))
      await arrive(it)
      it.self.flush()
      const streamRef = gun.wsUpgrade(it.connPid, '/')
      const frames = [['text', 'a'], 'ping'] as const
      gun.wsSend(it.connPid, streamRef, frames)
      const error = await it.self.receive([P._], 0)
      assert.ok(error.type === 'gun_error')
      // A WebSocket that is closing knows its stream, and that it is not this one.
      assert.equal(error.streamRef, streamRef)
      assert.equal(error.reason.code, 'badstate')
      assert.equal(error.reason.kind, 'badstate')
      assert.deepEqual(error.reason.frames, frames)
    })
  }
}

for (const transport of transports) {
  describe(`over ${transport}`, () => {
    test('commands that are given while the queue drains stay in order', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      askForAll(it.connPid, 'a')
      askForAll(it.connPid, 'b')
      // gun_up is there before the queue begins to drain; microtasks then run between its jobs.
      await it.self.receive([{ type: 'gun_up' }], 10_000)
      const expected = [...allOf('a'), ...allOf('b')]
      for (let i = 0; i < 20; i++) {
        gun.get(it.connPid, `/${i}`)
        expected.push(`GET /${i}`)
        await null
      }
      const peer = await it.peer()
      assert.deepEqual(await readAll(peer, expected.length), expected)
    })

    test('commands of a receiver that is handed a message while the queue drains stay in order', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport, { httpOpts: { version: 'HTTP/1.1' } })
      const streamRef = gun.headers(it.connPid, 'PUT', '/1', { 'content-length': 1 }, { replyTo: ask })
      function ask(): void {
        gun.get(it.connPid, '/4')
      }
      gun.data(it.connPid, streamRef, 'fin', 'x')
      // The body is complete, so this is an error, and its receiver asks for more.
      gun.data(it.connPid, streamRef, 'fin', 'y')
      gun.get(it.connPid, '/2')
      gun.get(it.connPid, '/3')
      const peer = await it.peer()
      const paths: string[] = [(await peer.receiveRequest()).path]
      await peer.receive(1)
      for (let i = 0; i < 3; i++) paths.push((await peer.receiveRequest()).path)
      assert.deepEqual(paths, ['/1', '/2', '/3', '/4'])
    })

    test('a connection lost while the queue drains keeps the rest for the next one', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const first = gun.get(it.connPid, '/1')
      // A body that is too short cannot be sent on, and ends the connection.
      const short = gun.headers(it.connPid, 'POST', '/2', { 'content-length': 5 })
      gun.data(it.connPid, short, 'fin', 'x')
      gun.get(it.connPid, '/3')
      gun.get(it.connPid, '/4')
      const seen: string[] = []
      while (seen.length < 5) {
        const message = await it.self.receive([P._], 10_000)
        seen.push(message.type)
        if (message.type === 'gun_error') {
          assert.equal(message.streamRef, seen.length === 2 ? first : short)
          assert.equal(message.reason.code, 'badstate')
        }
      }
      assert.deepEqual(seen, ['gun_up', 'gun_error', 'gun_error', 'gun_down', 'gun_up'])
      await it.peer()
      const peer = await it.peer()
      assert.deepEqual(await readAll(peer, 2), ['GET /3', 'GET /4'])
    })

    for (const [name, end] of [
      ['close', gun.close],
      ['shutdown', gun.shutdown],
    ] as const) {
      test(`${name} while the queue drains fails the rest at once`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const eventHandler: gun.EventHandler = { requestEnd: ({ connPid }) => end(connPid) }
        await using it = await scene(transport, { eventHandler, httpOpts: { closingTimeout: 10_000 } })
        const streamRef = gun.headers(it.connPid, 'PUT', '/1', { 'content-length': 0 })
        gun.data(it.connPid, streamRef, 'fin', '')
        const rest = [gun.get(it.connPid, '/2'), gun.wsUpgrade(it.connPid, '/3')]
        await it.self.receive([{ type: 'gun_up' }], 10_000)
        if (name === 'shutdown') {
          const peer = await it.peer()
          await peer.receiveRequest()
          await peer.send('HTTP/1.1 204 No Content\r\n\r\n')
        }
        // The one that was under way; a shutdown lets it end.
        await it.self.receive([{ streamRef }], 10_000)
        for (const ref of rest) {
          const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: ref }], 10_000)
          assert.equal(reason.code, 'shutdown')
          assert.equal(reason.kind, 'connection_error')
        }
        const down = await it.self.receive([P._], 10_000)
        assert.ok(down.type === 'DOWN' && down.reason === 'shutdown')
      })
    }

    test('nothing waits in closing when there are no retries', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport, { retry: 0 })
      const { peer } = await websocket(it)
      await peer.send(frame({ opcode: opcodes.close }))
      await it.self.receive([{ type: 'gun_ws' }], 10_000)
      assert.equal(gun.info(it.connPid).stateName, 'closing')
      await assertRefused(it)
    })

    test('nothing waits after shutdown', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/')
      const peer = await it.peer()
      await peer.receiveRequest()
      it.self.flush()
      gun.shutdown(it.connPid)
      assert.equal(gun.info(it.connPid).stateName, 'closing')
      await assertRefused(it)
    })

    test('nothing waits after a close frame of ours', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const { streamRef, peer } = await websocket(it)
      it.self.flush()
      gun.wsSend(it.connPid, streamRef, 'close')
      await assertRefused(it)
      await receiveFrame(peer)
      await assertRefused(it)
    })

    test('nothing waits once the connection has ended', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      await gun.awaitUp(it.connPid, 10_000)
      gun.close(it.connPid)
      await it.self.receive([{ type: 'DOWN' }], 10_000)
      const streamRef = gun.get(it.connPid, '/')
      gun.data(it.connPid, streamRef, 'fin', '')
      const upgrade = gun.wsUpgrade(it.connPid, '/')
      gun.wsSend(it.connPid, upgrade, ['text', 'a'])
      gun.wsSend(it.connPid, ['text', 'b'])
      const told: unknown[] = []
      while (it.self.messageQueueLength > 0) {
        const message = await it.self.receive([{ type: 'gun_error' }], 0)
        told.push([message.streamRef, message.reason.code])
        assert.match(message.reason.message, /has ended/)
      }
      assert.deepEqual(told, [
        [streamRef, 'closed'],
        [streamRef, 'closed'],
        [upgrade, 'closed'],
        [upgrade, 'badstate'],
        [undefined, 'badstate'],
      ])
    })

    test('the body of a request that is being sent goes on in closing', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const streamRef = gun.headers(it.connPid, 'PUT', '/1')
      const peer = await it.peer()
      await peer.receiveRequest()
      gun.shutdown(it.connPid)
      gun.data(it.connPid, streamRef, 'nofin', 'a')
      gun.data(it.connPid, streamRef, 'fin', 'b')
      assert.equal(String(await peer.receive('0\r\n\r\n')), '1\r\na\r\n1\r\nb\r\n0\r\n\r\n')
      await peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      const response = await gun.await(it.connPid, streamRef, 10_000)
      assert.ok(response.type === 'gun_response' && response.status === 204)
      const { reason } = await it.self.receive([{ type: 'DOWN' }], 10_000)
      assert.equal(reason, 'shutdown')
    })
  })
}

/** Each command fails before its function returns. */
async function assertRefused(it: Scene): Promise<void> {
  it.self.flush({ type: 'gun_up' })
  assert.equal(it.self.messageQueueLength, 0)
  const streams = [
    gun.get(it.connPid, '/1'),
    gun.headers(it.connPid, 'PUT', '/2'),
    gun.wsUpgrade(it.connPid, '/3'),
  ]
  assert.equal(it.self.messageQueueLength, streams.length)
  for (const streamRef of streams) {
    const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], 0)
    assert.equal(reason.code, 'closing')
    assert.equal(reason.kind, 'stream_error')
    assert.match(reason.message, /closing and will not be made again/)
  }
  assert.equal(it.self.messageQueueLength, 0)
}

for (const transport of transports) {
  describe(`a stream of which several commands wait, over ${transport},`, () => {
    test('gets one gun_error when they never will be done', async () => {
      await using _left = assertNothingLeft()
      await using it = await scene(transport)
      const { self, connPid } = it
      const streamRef = gun.headers(connPid, 'PUT', '/1')
      gun.data(connPid, streamRef, 'nofin', 'a')
      gun.updateFlow(connPid, streamRef, 1)
      gun.data(connPid, streamRef, 'fin', 'b')
      gun.close(connPid)
      const { reason } = await self.receive([{ type: 'gun_error', streamRef }])
      assert.equal(reason.code, 'shutdown')
      assert.equal(gun.flush(streamRef), 0)
    })

    test('gets one gun_error when the connection is lost between them', async () => {
      await using _left = assertNothingLeft()
      const later = defer<void>()
      const eventHandler: gun.EventHandler = {
        requestHeaders: ({ connPid, streamRef }) => {
          // Right behind the head, before the parts of the body, the connection goes.
          if (streamRef === upload) gun.info(connPid).socket?.destroy(new Error('gone'))
          else later.resolve()
        },
      }
      await using it = await scene(transport, { eventHandler })
      const { self, connPid } = it
      const upload = gun.headers(connPid, 'PUT', '/1')
      gun.data(connPid, upload, 'nofin', 'a')
      gun.data(connPid, upload, 'fin', 'b')
      gun.get(connPid, '/2')
      const { killedStreams } = await self.receive([{ type: 'gun_down' }])
      assert.ok(killedStreams.includes(upload))
      gun.get(connPid, '/3')
      await later.promise
      assert.equal(gun.flush(upload), 1)
    })
  })
}

// Postponed commands are carried out one after the other, and one may be the last that the connection takes.

/** Sends back the body of each request. */
const echoServer = (line: Line) =>
  httpServer(line, async (request, response) => {
    response.end(await readText(request))
  })

async function echo(connPid: gun.ConnPid, streamRef: gun.StreamRef): Promise<string> {
  assert.equal((await gun.await(connPid, streamRef)).type, 'gun_response')
  return String((await gun.awaitBody(connPid, streamRef)).body)
}

onEachVersion(
  'the body of a request that says connection: close leaves though it was postponed',
  async line => {
    await using _left = assertNothingLeft()
    await using server = await echoServer(line)
    await using owner = createProcess<gun.GunMessage>()
    const connPid = gun.open(server.host, server.port, { owner, ...speaking(line.version) })
    const streamRef = gun.headers(connPid, 'POST', '/', { connection: 'close' })
    for (const part of ['a', 'b', 'c']) gun.data(connPid, streamRef, 'nofin', part)
    gun.data(connPid, streamRef, 'fin', 'd')
    const later = gun.get(connPid, '/later')
    assert.equal(await echo(connPid, streamRef), 'abcd')
    assert.equal((await gun.await(connPid, later)).type, 'gun_response')
    await connPid[Symbol.asyncDispose]()
  },
)

onEachVersion('a shutdown lets the bodies leave that were postponed with their requests', async line => {
  await using _left = assertNothingLeft()
  await using server = await echoServer(line)
  await using owner = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, { owner, ...speaking(line.version) })
  const streamRef = gun.headers(connPid, 'POST', '/')
  for (const part of ['a', 'b', 'c']) gun.data(connPid, streamRef, 'nofin', part)
  gun.data(connPid, streamRef, 'fin', 'd')
  await gun.awaitUp(connPid)
  gun.shutdown(connPid)
  assert.equal(await echo(connPid, streamRef), 'abcd')
  await connPid[Symbol.asyncDispose]()
})

onEachVersion(
  'what is added to a body while postponed parts of it are sent leaves behind them',
  async line => {
    await using _left = assertNothingLeft()
    await using server = await echoServer(line)
    await using owner = createProcess<gun.GunMessage>()
    const asked: gun.StreamRef[] = []
    let heads = 0
    let ends = 0
    const eventHandler: gun.EventHandler = {
      requestHeaders({ connPid }) {
        if (++heads === 2) gun.shutdown(connPid)
      },
      requestEnd({ connPid }) {
        if (++ends === 1) gun.data(connPid, asked[1] as gun.StreamRef, 'fin', '2')
      },
    }
    const opts = { owner, eventHandler, ...speaking(line.version) }
    const connPid = gun.open(server.host, server.port, opts)
    asked.push(gun.headers(connPid, 'POST', '/a'), gun.headers(connPid, 'POST', '/b'))
    const [a, b] = asked as [gun.StreamRef, gun.StreamRef]
    gun.data(connPid, a, 'fin', 'a')
    gun.data(connPid, b, 'nofin', '1')
    assert.deepEqual([await echo(connPid, a), await echo(connPid, b)], ['a', '12'])
    await connPid[Symbol.asyncDispose]()
  },
)

onEachVersion(
  'a request that is cancelled before the connection is up is an event, and is not sent',
  async line => {
    await using _left = assertNothingLeft()
    await using server = await echoServer(line)
    await using owner = createProcess<gun.GunMessage>()
    const cancelled: gun.CancelEvent[] = []
    const eventHandler: gun.EventHandler = { cancel: event => cancelled.push(event) }
    const connPid = gun.open(server.host, server.port, { owner, eventHandler, ...speaking(line.version) })
    const streamRef = gun.post(connPid, '/', {}, 'never')
    gun.cancel(connPid, streamRef)
    const event = { connPid, streamRef, replyTo: owner, endpoint: 'local', reason: 'cancel' } as const
    assert.deepEqual(cancelled, [event])
    assert.equal(await echo(connPid, gun.post(connPid, '/', {}, 'next')), 'next')
    await connPid[Symbol.asyncDispose]()
  },
)
