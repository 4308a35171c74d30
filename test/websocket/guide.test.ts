// The Websocket chapter of the Gun guide, statement by statement. Where bytes matter the server is a script.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type http from 'node:http'
import { describe, test } from 'node:test'
import type tls from 'node:tls'
import type { Headers } from '@holster/gun'
import * as gun from '@holster/gun'
import { createProcess, type Down, P, ReceiveTimeout, spawn } from '@holster/process'
import { certificates, type Peer, type RequestHead, type Transport } from '@holster/testing'
import {
  accept,
  type ClientFrame,
  closePayload,
  frame,
  opcodes,
  receiveFrame,
  switchingProtocols,
} from '@holster/testing/frames'
import type { WebSocket } from 'ws'
import { type Client, connect, defer, NO_CONTENT, PATIENCE, receiveError } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { type Refusal, websocketServer } from '../support/websocket-server.ts'

const transports: Transport[] = ['tcp', 'tls', 'unix']

/** Asks for an upgrade that must succeed. */
async function upgrade(
  { connPid }: Client,
  headers?: gun.HeadersInit,
  wsOpts?: gun.WsOpts,
): Promise<gun.StreamRef> {
  const streamRef = gun.wsUpgrade(connPid, '/websocket', headers, wsOpts)
  const answer = await gun.await(connPid, streamRef, PATIENCE)
  assert.equal(answer.type, 'gun_upgrade')
  return streamRef
}

async function receiveFrames({ owner, connPid }: Client, count: number): Promise<gun.WsFrameIn[]> {
  const frames: gun.WsFrameIn[] = []
  while (frames.length < count) {
    frames.push((await owner.receive([{ type: 'gun_ws', connPid }], PATIENCE)).frame)
  }
  return frames
}

async function receiveDown({ owner }: Client, ref: Down['ref']): Promise<unknown> {
  return (await owner.receive([{ type: 'DOWN', ref }], PATIENCE)).reason
}

/** Answers an upgrade request as it should be. */
async function acceptUpgrade(
  peer: Peer,
  extra: Headers = [],
  glued: readonly Uint8Array[] = [],
): Promise<RequestHead> {
  const request = await peer.receiveRequest()
  await peer.send(Buffer.concat([Buffer.from(switchingProtocols(request, extra)), ...glued]))
  return request
}

/** Answers a client's close frame, and ends the connection. */
async function finishClosing(peer: Peer): Promise<ClientFrame> {
  const close = await receiveFrame(peer)
  assert.equal(close.opcode, opcodes.close)
  peer.end(frame({ opcode: opcodes.close, payload: close.payload }))
  return close
}

function text(payload: string): Buffer {
  return frame({ opcode: opcodes.text, payload })
}

describe('1. a connection is opened over HTTP/1.1 and may be upgraded at any time after that', () => {
  for (const transport of transports) {
    test(`at once, over ${transport}`, async t => {
      const left = assertNothingLeft()
      t.after(() => left[Symbol.asyncDispose]())
      await using warnings = collectWarnings()
      await using server = await websocketServer({ transport })
      await using client = await connect(server, transport)
      const streamRef = await upgrade(client)
      gun.wsSend(client.connPid, streamRef, ['text', 'Hello!'])
      assert.deepEqual(await receiveFrames(client, 1), [['text', 'Hello!']])
      await warnings.assertNone()
    })

    test(`before it is up, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await websocketServer({ transport })
      await using owner = createProcess<gun.GunMessage>()
      const opts: gun.Opts =
        transport === 'tls' ? { transport, tlsOpts: { ca: certificates.ca }, owner } : { owner }
      await using connPid =
        server.path === undefined ? gun.open(server.host, server.port, opts) : gun.openUnix(server.path, opts)
      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
    })

    test(`after requests whose responses were received, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await websocketServer({ transport })
      await using client = await connect(server, transport)
      const { connPid } = client
      for (const path of ['/', '/again', '/and-again']) {
        const request = gun.get(connPid, path)
        const response = await gun.await(connPid, request, PATIENCE)
        assert.ok(response.type === 'gun_response')
        assert.equal(response.status, 200)
        assert.equal(String((await gun.awaitBody(connPid, request, PATIENCE)).body), 'Hello over HTTP')
      }
      const streamRef = await upgrade(client)
      gun.wsSend(connPid, streamRef, ['text', 'Hello!'])
      assert.deepEqual(await receiveFrames(client, 1), [['text', 'Hello!']])
    })

    test(`behind requests that are still in flight, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const asked = defer<http.ServerResponse>()
      await using server = await websocketServer({
        transport,
        onRequest: (request, response) => {
          if (request.url === '/slow') asked.resolve(response)
          else response.end('fast')
        },
      })
      await using client = await connect(server, transport)
      const { connPid } = client
      const slow = gun.get(connPid, '/slow')
      const fast = gun.get(connPid, '/fast')
      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      ;(await asked.promise).end('slow')
      assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
      for (const [request, body] of [
        [slow, 'slow'],
        [fast, 'fast'],
      ] as const) {
        assert.equal((await gun.await(connPid, request, 0)).type, 'gun_response')
        assert.equal(String((await gun.awaitBody(connPid, request, 0)).body), body)
      }
    })

    test(`and not a byte of it is sent before the response ahead of it was received whole, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(
        async peer => {
          assert.equal((await peer.receiveRequest()).path, '/slow')
          const next = peer.receive(1)
          let early = true
          next.then(() => assert.equal(early, false, 'the upgrade was sent too early'))
          await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHell', 'bytes')
          early = false
          await peer.send('o')
          const rest = await next
          const request = await peer.receiveRequest()
          assert.equal(String(rest) + request.method, 'GET')
          await peer.send(switchingProtocols(request))
          await finishClosing(peer)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { connPid } = client
      const slow = gun.get(connPid, '/slow')
      const streamRef = await upgrade(client)
      assert.equal((await gun.await(connPid, slow, 0)).type, 'gun_response')
      gun.wsSend(connPid, streamRef, 'close')
      await server.finished()
    })
  }

  test('a request after the upgrade and before its answer waits, and is served when the server refuses', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      assert.equal((await peer.receiveRequest()).path, '/websocket')
      const next = peer.receiveRequest()
      let early = true
      next.then(() => assert.equal(early, false, 'the request was sent too early'))
      await peer.send('HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nn', 'bytes')
      early = false
      await peer.send('o')
      assert.equal((await next).path, '/')
      await peer.send(NO_CONTENT)
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    const request = gun.get(connPid, '/')
    const refusal = await gun.await(connPid, streamRef, PATIENCE)
    assert.ok(refusal.type === 'gun_response')
    assert.equal(refusal.status, 404)
    const response = await gun.await(connPid, request, PATIENCE)
    assert.ok(response.type === 'gun_response')
    assert.equal(response.status, 204)
    await server.finished()
  })

  test('a second upgrade waits for the answer to the first, and goes on if that was a refusal', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({
      refuse: ({ url }) => (url === '/1' ? { status: 403, body: 'no' } : undefined),
    })
    await using client = await connect(server)
    const { connPid } = client
    const [first, second, third] = ['/1', '/2', '/3'].map(path => gun.wsUpgrade(connPid, path))
    assert.ok(first && second && third)
    assert.equal((await gun.await(connPid, first, PATIENCE)).type, 'gun_response')
    assert.equal((await gun.await(connPid, second, PATIENCE)).type, 'gun_upgrade')
    assert.equal((await receiveError(client, third)).code, 'badstate')
  })

  test('a request after the upgrade and before its answer gets a gun_error when the server accepts', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    const request = gun.get(connPid, '/')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
    assert.equal((await receiveError(client, request)).code, 'badstate')
    gun.wsSend(connPid, streamRef, ['text', 'still here'])
    assert.deepEqual(await receiveFrames(client, 1), [['text', 'still here']])
  })
})

describe('2. with tls', () => {
  test("ALPN is restricted to HTTP/1.1 by protocols: ['http']", async () => {
    await using _left = assertNothingLeft()
    const chosen: (string | false | null)[] = []
    await using server = await websocketServer({
      transport: 'tls',
      tls: { ALPNProtocols: ['h2', 'http/1.1'] },
      onConnection: (_socket, request) => chosen.push((request.socket as tls.TLSSocket).alpnProtocol),
    })
    await using client = await connect(server, 'tls')
    await upgrade(client)
    assert.deepEqual(chosen, ['http/1.1'])
    assert.equal(gun.info(client.connPid).transport, 'tls')
  })
})

describe('3. the request for an upgrade', () => {
  for (const transport of transports) {
    test(`has every header it needs, each once, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(
        async peer => {
          const request = await acceptUpgrade(peer)
          assert.equal(request.method, 'GET')
          assert.equal(request.path, '/websocket?room=1')
          assert.equal(request.version, 'HTTP/1.1')
          const key = request.header('sec-websocket-key') ?? ''
          const { host, port, path } = server
          assert.deepEqual(request.headers, [
            ['host', path === undefined ? `${host}:${port}` : 'localhost'],
            ['connection', 'upgrade'],
            ['upgrade', 'websocket'],
            ['sec-websocket-version', '13'],
            ['sec-websocket-key', key],
          ])
          assert.equal(Buffer.from(key, 'base64').length, 16)
          await peer.closed
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const streamRef = gun.wsUpgrade(client.connPid, '/websocket?room=1')
      assert.equal((await gun.await(client.connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
      gun.close(client.connPid)
      await server.finished()
    })
  }

  test("carries the caller's headers as given, with names in lower case, in every form they may have", async () => {
    await using _left = assertNothingLeft()
    const forms: gun.HeadersInit[] = [
      [
        ['Authorization', 'Basic bXlsb2dpbjpteXBhc3N3b3Jk'],
        ['X-Twice', 'a'],
        ['x-twice', 'B'],
      ],
      { Authorization: 'Basic bXlsb2dpbjpteXBhc3N3b3Jk', 'X-TWICE': ['a', 'B'] },
      new Map([
        ['AUTHORIZATION', 'Basic bXlsb2dpbjpteXBhc3N3b3Jk'],
        ['X-twice', 'a'],
        ['x-Twice', 'B'],
      ]),
    ]
    for (const headers of forms) {
      await using server = await origin(async peer => {
        const request = await acceptUpgrade(peer)
        assert.deepEqual(request.headers.slice(5), [
          ['authorization', 'Basic bXlsb2dpbjpteXBhc3N3b3Jk'],
          ['x-twice', 'a'],
          ['x-twice', 'B'],
        ])
        await peer.closed
      })
      await using client = await connect(server)
      await upgrade(client, headers)
      gun.close(client.connPid)
      await server.finished()
    }
  })

  test("never has a second copy of a header, whatever the caller's say", async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      const request = await acceptUpgrade(peer)
      const names = request.headers.map(([name]) => name)
      assert.deepEqual(names, [
        'connection',
        'upgrade',
        'sec-websocket-version',
        'sec-websocket-key',
        'host',
        'cookie',
      ])
      assert.equal(request.header('host'), 'example.org')
      assert.notEqual(request.header('sec-websocket-key'), 'mine')
      await peer.closed
    })
    await using client = await connect(server)
    await upgrade(client, {
      Connection: 'close',
      Upgrade: 'h2c',
      'Sec-WebSocket-Key': 'mine',
      'SEC-WEBSOCKET-VERSION': 8,
      'sec-websocket-extensions': 'permessage-deflate',
      'Content-Length': 0,
      Host: 'example.org',
      Cookie: 'a=1',
    })
    gun.close(client.connPid)
    await server.finished()
  })

  test('asks for a subprotocol with a plain header', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ handleProtocols: protocols => [...protocols][1] ?? false })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/websocket', [['Sec-WebSocket-Protocol', 'mqtt, wamp']])
    const answer = await gun.await(connPid, streamRef, PATIENCE)
    assert.ok(answer.type === 'gun_upgrade')
    assert.deepEqual(
      answer.headers.find(([name]) => name === 'sec-websocket-protocol'),
      ['sec-websocket-protocol', 'wamp'],
    )
  })

  test('is refused before anything is sent when it could not be what it says', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      assert.equal((await peer.receiveAll()).length, 0)
    })
    await using client = await connect(server)
    const { connPid } = client
    assert.throws(() => gun.wsUpgrade(connPid, '/a b'), { name: 'TypeError', message: /^path / })
    assert.throws(() => gun.wsUpgrade(connPid, '/\r\nx: y'), { name: 'TypeError', message: /^path / })
    assert.throws(() => gun.wsUpgrade(connPid, '/', { 'x y': '1' }), {
      name: 'TypeError',
      message: /^headers: /,
    })
    assert.throws(() => gun.wsUpgrade(connPid, '/', { x: '1\r\ny: 2' }), {
      name: 'TypeError',
      message: /^headers: /,
    })
    assert.throws(() => gun.wsUpgrade(connPid, '/', [], { keepalive: 0 }), {
      name: 'GunError',
      code: 'bad_option',
      message: /^wsOpts\.keepalive /,
    })
    gun.close(connPid)
    await server.finished()
  })
})

describe('4. options of Websocket', () => {
  const pinging = (socket: WebSocket): void => {
    socket.ping('1')
    socket.send('after the ping')
  }

  test('come from open', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ onConnection: pinging })
    await using client = await connect(server, 'tcp', { wsOpts: { silencePings: false } })
    await upgrade(client)
    assert.deepEqual(await receiveFrames(client, 2), [
      ['ping', Buffer.from('1')],
      ['text', 'after the ping'],
    ])
  })

  test('come from the fourth argument of wsUpgrade, which wins', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ onConnection: pinging })
    await using client = await connect(server, 'tcp', { wsOpts: { silencePings: false } })
    await upgrade(client, [], { silencePings: true })
    assert.deepEqual(await receiveFrames(client, 1), [['text', 'after the ping']])
  })

  test('are merged key by key', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ onConnection: pinging })
    await using client = await connect(server, 'tcp', { wsOpts: { silencePings: false } })
    const got: gun.GunMessage[] = []
    const all = defer<void>()
    const replyTo = (message: gun.GunMessage): void => {
      got.push(message)
      if (got.length === 3) all.resolve()
    }
    gun.wsUpgrade(client.connPid, '/websocket', [], { replyTo })
    await all.promise
    assert.deepEqual(
      got.map(({ type }) => type),
      ['gun_upgrade', 'gun_ws', 'gun_ws'],
    )
  })

  test('say whom the streams reply to, in open for all and in wsUpgrade for one', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ refuse: () => ({ status: 404 }) })
    await using all = createProcess<gun.GunMessage>()
    await using one = createProcess<gun.GunMessage>()
    await using client = await connect(server, 'tcp', { wsOpts: { replyTo: all } })
    const { owner, connPid } = client
    const first = gun.wsUpgrade(connPid, '/1')
    const second = gun.wsUpgrade(connPid, '/2', [], { replyTo: one })
    await all.receive([{ type: 'gun_response', streamRef: first }], PATIENCE)
    await one.receive([{ type: 'gun_response', streamRef: second }], PATIENCE)
    assert.equal(owner.messageQueueLength, 0)
  })

  test('maxPayload is a limit that may be reached and not exceeded', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({
      onConnection: socket => {
        socket.send('12345')
        socket.send('123456')
      },
    })
    await using client = await connect(server, 'tcp', { retry: 0 })
    const { owner, connPid } = client
    const streamRef = await upgrade(client, [], { maxPayload: 5 })
    assert.deepEqual(await receiveFrames(client, 1), [['text', '12345']])
    const error = await receiveError(client, streamRef)
    assert.equal(error.code, 'limit_reached')
    assert.match(error.message, /wsOpts\.maxPayload \(5 bytes\)/)
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.deepEqual(down.killedStreams, [streamRef])
  })

  test('keepalive pings after each period, until the connection closes', async t => {
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      for (let i = 0; i < 3; i++) {
        const ping = await receiveFrame(peer)
        assert.equal(ping.opcode, opcodes.ping)
        assert.equal(ping.masked, true)
        assert.equal(ping.payload.length, 0)
        await peer.send(frame({ opcode: opcodes.pong }))
      }
      await finishClosing(peer)
    })
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using client = await connect(server)
    const streamRef = await upgrade(client, [], { keepalive: 1000, silencePings: false })
    for (let i = 0; i < 3; i++) {
      t.mock.timers.tick(999)
      t.mock.timers.tick(1)
      assert.deepEqual(await receiveFrames(client, 1), ['pong'])
    }
    gun.wsSend(client.connPid, streamRef, 'close')
    t.mock.timers.tick(5000)
    await server.finished()
  })
})

describe('5. success is gun_upgrade, and a lie is a gun_error', () => {
  for (const transport of transports) {
    test(`gun_upgrade names the protocol and has the headers of the response, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(
        async peer => {
          await acceptUpgrade(peer, [
            ['X-Node', 'a'],
            ['x-node', 'B'],
          ])
          await peer.closed
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { owner, connPid } = client
      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      const message = await owner.receive([{ type: 'gun_upgrade' }], PATIENCE)
      assert.equal(message.connPid, connPid)
      assert.equal(message.streamRef, streamRef)
      assert.deepEqual(message.protocols, ['websocket'])
      assert.deepEqual(message.headers.slice(0, 2), [
        ['upgrade', 'websocket'],
        ['connection', 'Upgrade'],
      ])
      assert.deepEqual(message.headers.slice(3), [
        ['x-node', 'a'],
        ['x-node', 'B'],
      ])
      assert.equal(gun.info(connPid).protocol, 'ws')
      assert.equal(gun.info(connPid).stateName, 'connected_ws_only')
    })
  }

  const replaced = (name: string, value?: string) => (head: string) =>
    head.replace(new RegExp(`${name}: .*\r\n`, 'i'), value === undefined ? '' : `${name}: ${value}\r\n`)
  const added = (name: string, value: string) => (head: string) =>
    head.replace(/\r\n$/, `${name}: ${value}\r\n\r\n`)
  const lies: [string, (head: string) => string, RegExp][] = [
    ['a wrong accept key', replaced('sec-websocket-accept', accept('another key')), /sec-websocket-accept/],
    ['no accept key', replaced('sec-websocket-accept'), /sec-websocket-accept is missing/],
    ['another upgrade', replaced('upgrade', 'h2c'), /upgrade is "h2c"/],
    ['no upgrade', replaced('upgrade'), /upgrade is missing/],
    ['another connection', replaced('connection', 'keep-alive'), /connection is "keep-alive"/],
    ['no connection', replaced('connection'), /connection is missing/],
    ['a subprotocol that was not asked for', added('sec-websocket-protocol', 'soap'), /subprotocol "soap"/],
    ['two subprotocols', added('sec-websocket-protocol', 'mqtt, wamp'), /subprotocol "mqtt, wamp"/],
    [
      'an extension that was not offered',
      added('sec-websocket-extensions', 'permessage-deflate'),
      /extension/,
    ],
  ]
  for (const [lie, change, message] of lies) {
    for (const how of ['whole', 'bytes'] as const) {
      test(`${lie} is a gun_error, and the connection is closed (101 sent ${how})`, async () => {
        await using _left = assertNothingLeft()
        await using server = await origin(async peer => {
          const request = await peer.receiveRequest()
          const head = change(switchingProtocols(request))
          // Frames after a lie are not read.
          await peer.send(Buffer.concat([Buffer.from(head), text('nobody reads this')]), how)
          await peer.closed
        })
        await using client = await connect(server, 'tcp', { retry: 0 })
        const { owner, connPid } = client
        const monitorRef = owner.monitor(connPid)
        const streamRef = gun.wsUpgrade(connPid, '/websocket', { 'sec-websocket-protocol': 'mqtt, wamp' })
        const error = await receiveError(client, streamRef)
        assert.equal(error.code, 'bad_upgrade')
        assert.equal(error.kind, 'connection_error')
        assert.match(error.message, message)
        const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
        assert.equal(down.protocol, 'http')
        assert.deepEqual(down.killedStreams, [streamRef])
        assert.deepEqual(await receiveDown(client, monitorRef), ['shutdown', down.reason])
        assert.equal(owner.flush({ type: 'gun_ws' }), 0)
      })
    }
  }

  test('no subprotocol may be chosen although some were asked for', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ handleProtocols: () => false })
    await using client = await connect(server)
    await upgrade(client, { 'sec-websocket-protocol': 'mqtt' })
  })
})

describe('6. a refusal is gun_response, and the connection goes on', () => {
  const refusals: Refusal[] = [
    { status: 404, body: 'there is no such room' },
    { status: 401, headers: { 'www-authenticate': 'Basic' }, body: 'who are you?' },
    { status: 302, headers: { location: '/elsewhere' } },
    { status: 400, body: 'no' },
    { status: 200, body: 'this is no Websocket' },
    { status: 426, body: 'not this one' },
  ]
  for (const transport of transports) {
    for (const refusal of refusals) {
      test(`${refusal.status}, over ${transport}`, async () => {
        await using _left = assertNothingLeft()
        await using server = await websocketServer({
          transport,
          refuse: request => (request.url === '/refused' ? refusal : undefined),
        })
        await using client = await connect(server, transport)
        const { connPid } = client
        const refused = gun.wsUpgrade(connPid, '/refused')
        const response = await gun.await(connPid, refused, PATIENCE)
        assert.ok(response.type === 'gun_response')
        assert.equal(response.status, refusal.status)
        assert.equal(response.isFin, refusal.body === undefined ? 'fin' : 'nofin')
        for (const pair of Object.entries(refusal.headers ?? {})) {
          assert.deepEqual(
            response.headers.find(([name]) => name === pair[0]),
            pair,
          )
        }
        if (refusal.body !== undefined) {
          assert.equal(String((await gun.awaitBody(connPid, refused, PATIENCE)).body), refusal.body)
        }
        const request = gun.get(connPid, '/')
        assert.equal((await gun.await(connPid, request, PATIENCE)).type, 'gun_response')
        assert.equal(String((await gun.awaitBody(connPid, request, PATIENCE)).body), 'Hello over HTTP')
        const streamRef = await upgrade(client)
        gun.wsSend(connPid, streamRef, ['text', 'second try'])
        assert.deepEqual(await receiveFrames(client, 1), [['text', 'second try']])
      })
    }
  }

  test('a refusal that closes the connection is followed by gun_down, and by another connection', async () => {
    await using _left = assertNothingLeft()
    let attempts = 0
    await using server = await websocketServer({ ws: { verifyClient: () => ++attempts > 1 } })
    await using client = await connect(server)
    const { owner, connPid } = client
    const refused = gun.wsUpgrade(connPid, '/websocket')
    const response = await gun.await(connPid, refused, PATIENCE)
    assert.ok(response.type === 'gun_response')
    assert.equal(response.status, 401)
    assert.equal(String((await gun.awaitBody(connPid, refused, PATIENCE)).body), 'Unauthorized')
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.equal(down.reason, 'normal')
    assert.deepEqual(down.killedStreams, [])
    await gun.awaitUp(connPid, PATIENCE)
    await upgrade(client)
  })
})

describe('7. an upgrade that is impossible', () => {
  for (const opts of [
    { httpOpts: { version: 'HTTP/1.0' } },
    { protocols: [['http', { version: 'HTTP/1.0' }]] },
  ] as const satisfies gun.Opts[]) {
    test(`over HTTP/1.0 is a gun_error and nothing is written, with ${Object.keys(opts)}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(async peer => {
        assert.equal((await peer.receiveAll()).length, 0)
      })
      await using client = await connect(server, 'tcp', opts)
      const { connPid } = client
      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      const error = await receiveError(client, streamRef)
      assert.equal(error.code, 'not_supported')
      assert.equal(error.kind, 'stream_error')
      gun.shutdown(connPid)
      await server.finished()
    })
  }
})

describe("8. the chapter's receive … after 1000", () => {
  test('runs as it is written in the design', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    const { port } = server
    let received: gun.WsFrameIn | undefined
    const reason = await spawn<gun.GunMessage>(async self => {
      const connPid = gun.open('localhost', port, { owner: self })
      await gun.awaitUp(connPid)

      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      const answer = await self.receive(
        [
          { type: 'gun_upgrade', connPid, streamRef, protocols: ['websocket'] },
          { type: 'gun_response', connPid, streamRef },
          { type: 'gun_error', connPid, streamRef },
        ],
        1000,
      )
      if (answer.type !== 'gun_upgrade') throw new Error('ws_upgrade_failed', { cause: answer })

      gun.wsSend(connPid, streamRef, ['text', 'Hello!'])
      const { frame } = await self.receive([{ type: 'gun_ws', connPid, streamRef }], 1000)
      received = frame
    }).exited
    assert.equal(reason, 'normal')
    assert.deepEqual(received, ['text', 'Hello!'])
  })

  test('fails where the server refuses', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({ refuse: () => ({ status: 403, body: 'no' }) })
    const { port } = server
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open('localhost', port, { owner })
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    const answer = await owner.receive(
      [
        { type: 'gun_upgrade', connPid, streamRef, protocols: ['websocket'] },
        { type: 'gun_response', connPid, streamRef },
        { type: 'gun_error', connPid, streamRef },
      ],
      PATIENCE,
    )
    assert.ok(answer.type === 'gun_response')
    assert.equal(answer.status, 403)
  })

  test('has an after branch, for a server that does not answer', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.closed
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    const patterns = [
      { type: 'gun_upgrade', connPid, streamRef, protocols: ['websocket'] },
      { type: 'gun_response', connPid, streamRef },
      { type: 'gun_error', connPid, streamRef },
    ] as const
    const answer = owner.receive(patterns, {
      timeout: 10,
      onTimeout: () => {
        throw new Error('timeout')
      },
    })
    await assert.rejects(answer, { message: 'timeout' })
    assert.equal(await owner.receive(patterns, { timeout: 10, onTimeout: () => 'after' }), 'after')
    await assert.rejects(owner.receive(patterns, 10), ReceiveTimeout)
  })
})

describe('9. after the upgrade there are no requests, and before it no frames', () => {
  test('a request, data and another upgrade on a Websocket are gun_error badstate', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = await upgrade(client)
    const requests = [
      gun.get(connPid, '/'),
      gun.head(connPid, '/'),
      gun.request(connPid, 'POST', '/', [], 'body'),
      gun.headers(connPid, 'PUT', '/'),
      gun.wsUpgrade(connPid, '/websocket'),
    ]
    for (const request of requests) {
      const error = await receiveError(client, request)
      assert.equal(error.code, 'badstate')
      assert.equal(error.kind, 'badstate')
      assert.match(error.message, /connected_ws_only/)
    }
    gun.data(connPid, streamRef, 'fin', 'data')
    assert.equal((await receiveError(client, streamRef)).code, 'badstate')
    gun.wsSend(connPid, streamRef, ['text', 'still here'])
    assert.deepEqual(await receiveFrames(client, 1), [['text', 'still here']])
  })

  for (const [when, path] of [
    ['before the upgrade was asked for', undefined],
    ['before the upgrade was answered', '/websocket'],
  ] as const) {
    test(`wsSend ${when} is a gun_error badstate with the frames`, async () => {
      await using _left = assertNothingLeft()
      await using server = await websocketServer()
      await using client = await connect(server)
      const { connPid } = client
      const streamRef = path === undefined ? gun.get(connPid, '/') : gun.wsUpgrade(connPid, path)
      gun.wsSend(connPid, streamRef, ['text', 'too early'])
      const error = await receiveError(client, streamRef)
      assert.equal(error.code, 'badstate')
      assert.deepEqual(error.frames, [['text', 'too early']])
      gun.wsSend(connPid, ['ping', 'close'])
      const ownersError = await receiveError(client, undefined)
      assert.equal(ownersError.code, 'badstate')
      assert.deepEqual(ownersError.frames, ['ping', 'close'])
    })
  }

  test('wsSend with the ref of another stream is a gun_error badstate on that stream', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    const request = gun.get(connPid, '/')
    const streamRef = await upgrade(client)
    gun.flush(request)
    gun.wsSend(connPid, request, ['text', 'to whom?'])
    const error = await receiveError(client, request)
    assert.equal(error.code, 'badstate')
    assert.deepEqual(error.frames, [['text', 'to whom?']])
    gun.wsSend(connPid, streamRef, ['text', 'still here'])
    assert.deepEqual(await receiveFrames(client, 1), [['text', 'still here']])
  })

  test('wsSend after the end is a gun_error badstate on its stream', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { owner, connPid } = client
    const streamRef = await upgrade(client)
    const monitorRef = owner.monitor(connPid)
    gun.wsSend(connPid, streamRef, 'close')
    assert.equal(await receiveDown(client, monitorRef), 'normal')
    gun.wsSend(connPid, streamRef, ['text', 'too late'])
    const error = await receiveError(client, streamRef)
    assert.equal(error.code, 'badstate')
    assert.deepEqual(error.frames, [['text', 'too late']])
    gun.wsSend(connPid, 'ping')
    assert.deepEqual((await receiveError(client, undefined)).frames, ['ping'])
  })

  test('a request after the end is a gun_error closed', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    gun.close(client.connPid)
    const error = await receiveError(client, gun.get(client.connPid, '/'))
    assert.equal(error.code, 'closed')
    assert.equal(error.kind, 'connection_error')
  })
})

describe('10. wsSend takes one frame or a list', () => {
  const bytes = Buffer.from([0, 1, 0xfe, 0xff])
  const kinds: [gun.WsFrame, number, Uint8Array][] = [
    [['text', 'Hëllo ☃'], opcodes.text, Buffer.from('Hëllo ☃')],
    [['text', ''], opcodes.text, Buffer.alloc(0)],
    [['binary', bytes], opcodes.binary, bytes],
    [['binary', new Uint8Array()], opcodes.binary, Buffer.alloc(0)],
    ['ping', opcodes.ping, Buffer.alloc(0)],
    ['pong', opcodes.pong, Buffer.alloc(0)],
    [['ping', bytes], opcodes.ping, bytes],
    [['pong', bytes], opcodes.pong, bytes],
    [['ping', new Uint8Array()], opcodes.ping, Buffer.alloc(0)],
    [['text', 'x'.repeat(70_000)], opcodes.text, Buffer.alloc(70_000, 'x')],
  ]
  const closes: [gun.WsFrame, Uint8Array][] = [
    ['close', Buffer.alloc(0)],
    [['close', 'bye'], closePayload(1000, 'bye')],
    [['close', ''], closePayload(1000)],
    [['close', 4001, 'bÿe'], closePayload(4001, 'bÿe')],
    [['close', 1000, ''], closePayload(1000)],
  ]

  for (const transport of transports) {
    test(`of every kind, each masked and in order, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(
        async peer => {
          await acceptUpgrade(peer)
          for (const round of [1, 2, 3]) {
            for (const [sent, opcode, payload] of kinds) {
              const got = await receiveFrame(peer)
              assert.deepEqual(
                { ...got, payload: got.payload.toString('hex') },
                {
                  opcode,
                  fin: true,
                  rsv1: false,
                  rsv2: false,
                  rsv3: false,
                  masked: true,
                  payload: Buffer.from(payload).toString('hex'),
                },
                `${JSON.stringify(sent).slice(0, 50)} in round ${round}`,
              )
            }
          }
          await finishClosing(peer)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { connPid } = client
      const streamRef = await upgrade(client)
      for (const [sent] of kinds) assert.equal(gun.wsSend(connPid, streamRef, sent), true)
      for (const [sent] of kinds) assert.equal(gun.wsSend(connPid, sent), true)
      gun.wsSend(
        connPid,
        streamRef,
        kinds.map(([sent]) => sent),
      )
      gun.wsSend(connPid, [])
      gun.wsSend(connPid, 'close')
      await server.finished()
      assert.deepEqual(bytes, Buffer.from([0, 1, 0xfe, 0xff]), 'masking must not touch what the caller gave')
    })
  }

  for (const [sent, payload] of closes) {
    test(`a close with what it says: ${JSON.stringify(sent)}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(async peer => {
        await acceptUpgrade(peer)
        assert.deepEqual((await finishClosing(peer)).payload, Buffer.from(payload))
        assert.equal((await peer.receiveAll()).length, 0)
      })
      await using client = await connect(server)
      gun.wsSend(client.connPid, await upgrade(client), sent)
      await server.finished()
    })
  }

  test('all that is sent within one tick leaves in one write', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      const request = await peer.receiveRequest()
      const chunk = once(peer.socket, 'data')
      await peer.send(switchingProtocols(request))
      const [frames] = (await chunk) as [Buffer]
      assert.equal(frames.length, 100 * (2 + 4 + 5))
      peer.end()
    })
    await using client = await connect(server)
    const streamRef = await upgrade(client)
    for (let i = 0; i < 100; i++) gun.wsSend(client.connPid, streamRef, ['text', 'Hello'])
    await server.finished()
  })

  test('a frame that is none throws and names itself; nothing is sent', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      const close = await receiveFrame(peer)
      assert.equal(close.opcode, opcodes.close)
      peer.end(frame({ opcode: opcodes.close }))
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = await upgrade(client)
    const wrong: unknown[] = ['Hello', ['txt', 'a'], ['text', 1], [['text', 'sent?'], 'nothing']]
    for (const frames of wrong) {
      assert.throws(() => gun.wsSend(connPid, streamRef, frames as gun.WsFrame), {
        name: 'TypeError',
        message: /^frames/,
      })
    }
    assert.throws(() => gun.wsSend(connPid, 'ping' as unknown as gun.StreamRef, 'ping'), {
      name: 'TypeError',
      message: /^streamRef /,
    })
    gun.wsSend(connPid, streamRef, 'close')
    await server.finished()
  })

  test('wsSend says false while more than its mark waits to be sent, and drops nothing', async () => {
    await using _left = assertNothingLeft()
    const goOn = defer<void>()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      peer.socket.pause()
      await goOn.promise
      peer.socket.resume()
      let total = 0
      for (let opcode = -1; opcode !== opcodes.close; ) {
        const got = await receiveFrame(peer)
        opcode = got.opcode
        total += got.opcode === opcodes.binary ? got.payload.length : 0
      }
      assert.equal(total, sent * chunk.length)
      peer.end(frame({ opcode: opcodes.close }))
    })
    const chunk = new Uint8Array(256 * 1024)
    let sent = 0
    await using client = await connect(server)
    const streamRef = await upgrade(client)
    do sent++
    while (gun.wsSend(client.connPid, streamRef, ['binary', chunk]))
    assert.equal(sent, 4, 'four times 256 KiB with their heads exceed 1 MiB')
    gun.wsSend(client.connPid, streamRef, 'close')
    goOn.resolve()
    await server.finished()
  })
})

describe('11. sending close closes cleanly and does not reconnect', () => {
  for (const transport of transports) {
    for (const [sent, seen] of [
      ['close', [1005, '']],
      [
        ['close', 'bye'],
        [1000, 'bye'],
      ],
      [
        ['close', 4001, 'bye'],
        [4001, 'bye'],
      ],
    ] as const) {
      test(`${JSON.stringify(sent)} over ${transport}`, async () => {
        await using _left = assertNothingLeft()
        await using warnings = collectWarnings()
        const closed = defer<[number, string]>()
        let connections = 0
        await using server = await websocketServer({
          transport,
          onConnection: socket => {
            connections++
            socket.on('close', (code, reason) => closed.resolve([code, String(reason)]))
          },
        })
        await using client = await connect(server, transport, { retry: 100, retryTimeout: 0 })
        const { owner, connPid } = client
        const monitorRef = owner.monitor(connPid)
        const streamRef = await upgrade(client)
        gun.wsSend(connPid, streamRef, sent)
        assert.equal(gun.info(connPid).stateName, 'closing')
        assert.deepEqual(await closed.promise, seen)
        const [code] = seen
        const [answer] = await receiveFrames(client, 1)
        assert.deepEqual(
          answer,
          code === 1005 ? 'close' : ['close', code, sent[1] === 'bye' ? 'bye' : sent[2]],
        )
        const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
        assert.deepEqual(down, {
          type: 'gun_down',
          connPid,
          protocol: 'ws',
          reason: 'normal',
          killedStreams: [],
        })
        assert.equal(await receiveDown(client, monitorRef), 'normal')
        assert.equal(gun.info(connPid).stateName, 'terminated')
        assert.equal(owner.messageQueueLength, 0)
        assert.equal(connections, 1)
        await warnings.assertNone()
      })
    }
  }

  test('the handshake comes first: the socket stays open until the server has answered and ended it', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      assert.equal((await receiveFrame(peer)).opcode, opcodes.close)
      const end = peer.receiveAll()
      let ended = false
      end.then(() => {
        ended = true
      })
      // What the server had still to say is delivered.
      await peer.send(text('one more thing'), 'bytes')
      await peer.send(frame({ opcode: opcodes.close, payload: closePayload(1000, 'done') }), 'bytes')
      assert.equal(ended, false)
      peer.end()
      assert.equal((await end).length, 0)
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const streamRef = await upgrade(client)
    gun.wsSend(connPid, streamRef, ['close', 1000, 'bye'])
    assert.deepEqual(await receiveFrames(client, 2), [
      ['text', 'one more thing'],
      ['close', 1000, 'done'],
    ])
    assert.equal((await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)).reason, 'normal')
    await server.finished()
  })

  for (const [how, leave] of [
    ['resets the connection', (peer: Peer) => peer.reset()],
    ['ends it in pieces', (peer: Peer) => peer.end()],
  ] as const) {
    test(`a close is clean once both sides have sent a close frame, also when the server ${how}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(async peer => {
        await acceptUpgrade(peer)
        await receiveFrame(peer)
        await peer.send(frame({ opcode: opcodes.close }))
        await seen.promise
        leave(peer)
      })
      const seen = defer<void>()
      await using client = await connect(server)
      const { owner, connPid } = client
      const monitorRef = owner.monitor(connPid)
      gun.wsSend(connPid, await upgrade(client), 'close')
      assert.deepEqual(await receiveFrames(client, 1), ['close'])
      seen.resolve()
      assert.equal(await receiveDown(client, monitorRef), 'normal')
      assert.equal(owner.flush({ type: 'gun_error' }), 0)
    })
  }

  test('a server that says close and never ends the connection is left after closingTimeout', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      await receiveFrame(peer)
      await peer.send(frame({ opcode: opcodes.close }))
      await peer.closed
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const monitorRef = owner.monitor(connPid)
    gun.wsSend(connPid, await upgrade(client, [], { closingTimeout: 50 }), 'close')
    assert.equal(await receiveDown(client, monitorRef), 'normal')
  })

  test('a server that never answers the close is left after closingTimeout, and that is an error', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      await peer.closed
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const monitorRef = owner.monitor(connPid)
    const streamRef = await upgrade(client, [], { closingTimeout: 50 })
    gun.wsSend(connPid, streamRef, 'close')
    assert.equal((await receiveError(client, streamRef)).code, 'closing_timeout')
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.deepEqual(down.killedStreams, [streamRef])
    assert.deepEqual(await receiveDown(client, monitorRef), ['shutdown', down.reason])
    assert.equal(server.connections, 1)
  })

  test('frames behind a close come back in a gun_error, those before it are sent', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      assert.deepEqual(String((await receiveFrame(peer)).payload), 'before')
      await finishClosing(peer)
      assert.equal((await peer.receiveAll()).length, 0)
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = await upgrade(client)
    gun.wsSend(connPid, streamRef, [['text', 'before'], 'close', ['text', 'behind'], 'ping'])
    const error = await receiveError(client, streamRef)
    assert.equal(error.code, 'badstate')
    assert.deepEqual(error.frames, [['text', 'behind'], 'ping'])
    gun.wsSend(connPid, streamRef, ['close', 1000, 'again'])
    assert.deepEqual((await receiveError(client, streamRef)).frames, [['close', 1000, 'again']])
    await server.finished()
  })

  test('commands after a close was sent fail at once', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    gun.wsSend(connPid, await upgrade(client), 'close')
    const error = await receiveError(client, gun.get(connPid, '/'))
    assert.equal(error.code, 'closing')
  })

  for (const transport of transports) {
    test(`a close of the server is delivered and answered, gun_down follows, and it reconnects, over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(
        async (peer, index) => {
          await acceptUpgrade(peer)
          if (index > 0) return peer.closed
          await peer.send(frame({ opcode: opcodes.close, payload: closePayload(4100, 'au revoir') }))
          assert.deepEqual((await receiveFrame(peer)).payload, closePayload(4100))
          peer.end()
          assert.equal((await peer.receiveAll()).length, 0)
        },
        { transport },
      )
      await using client = await connect(server, transport)
      const { owner, connPid } = client
      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      const order: unknown[] = []
      while (order.length < 4) {
        const message = await owner.receive([{ connPid }], PATIENCE)
        order.push(message.type === 'gun_ws' ? message.frame : message.type)
        if (message.type === 'gun_down') {
          assert.equal(message.reason, 'normal')
          assert.deepEqual(message.killedStreams, [])
        }
      }
      assert.deepEqual(order, ['gun_upgrade', ['close', 4100, 'au revoir'], 'gun_down', 'gun_up'])
      gun.wsSend(connPid, streamRef, ['text', 'the old one'])
      assert.equal((await receiveError(client, streamRef)).code, 'badstate')
      await upgrade(client)
      gun.close(connPid)
      await server.finished()
    })
  }

  test('a close of the server without a code is answered without one', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer, [], [frame({ opcode: opcodes.close })])
      assert.equal((await receiveFrame(peer)).payload.length, 0)
      peer.end()
    })
    await using client = await connect(server, 'tcp', { retry: 0 })
    const monitorRef = client.owner.monitor(client.connPid)
    await upgrade(client)
    assert.deepEqual(await receiveFrames(client, 1), ['close'])
    assert.equal(await receiveDown(client, monitorRef), 'normal')
    await server.finished()
  })

  test('both sides may say close at once', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      await sent.promise
      await peer.send(frame({ opcode: opcodes.close, payload: closePayload(1001) }))
      assert.deepEqual((await receiveFrame(peer)).payload, closePayload(1000))
      peer.end()
      assert.equal((await peer.receiveAll()).length, 0)
    })
    const sent = defer<void>()
    await using client = await connect(server)
    const monitorRef = client.owner.monitor(client.connPid)
    gun.wsSend(client.connPid, await upgrade(client), ['close', ''])
    sent.resolve()
    assert.deepEqual(await receiveFrames(client, 1), [['close', 1001, '']])
    assert.equal(await receiveDown(client, monitorRef), 'normal')
    await server.finished()
  })

  test('a shutdown while the upgrade is being answered lets it succeed, and then says 1001', async () => {
    await using _left = assertNothingLeft()
    const asked = defer<void>()
    await using server = await origin(async peer => {
      const request = await peer.receiveRequest()
      await asked.promise
      await peer.send(switchingProtocols(request))
      assert.deepEqual((await finishClosing(peer)).payload, closePayload(1001))
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const monitorRef = owner.monitor(connPid)
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    gun.shutdown(connPid)
    asked.resolve()
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
    assert.equal(await receiveDown(client, monitorRef), 'shutdown')
    await server.finished()
  })

  test('shutdown says 1001 and monitors get DOWN shutdown', async () => {
    await using _left = assertNothingLeft()
    const closed = defer<number>()
    await using server = await websocketServer({
      onConnection: socket => socket.on('close', code => closed.resolve(code)),
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const monitorRef = owner.monitor(connPid)
    await upgrade(client)
    gun.shutdown(connPid)
    assert.equal(await closed.promise, 1001)
    assert.equal(await receiveDown(client, monitorRef), 'shutdown')
    assert.equal(owner.flush({ type: 'gun_down' }), 0)
  })
})

describe('12. each Websocket message is one gun_ws, in order', () => {
  const bytes = Buffer.from([0, 0x80, 0xff])
  const wire: [gun.WsFrameIn, Buffer][] = [
    [['text', 'Hëllo ☃ 🎉'], text('Hëllo ☃ 🎉')],
    [['text', ''], text('')],
    [['binary', bytes], frame({ opcode: opcodes.binary, payload: bytes })],
    [['binary', Buffer.alloc(0)], frame({ opcode: opcodes.binary })],
    ['ping', frame({ opcode: opcodes.ping })],
    [['ping', bytes], frame({ opcode: opcodes.ping, payload: bytes })],
    ['pong', frame({ opcode: opcodes.pong })],
    [['pong', bytes], frame({ opcode: opcodes.pong, payload: bytes })],
    [['text', '\u{feff}BOM'], text('\u{feff}BOM')],
    [['text', 'x'.repeat(300)], text('x'.repeat(300))],
    [
      ['text', 'a fragmented ☃'],
      Buffer.concat([
        frame({ opcode: opcodes.text, fin: false, payload: 'a frag' }),
        frame({ opcode: opcodes.continuation, fin: false, payload: '' }),
        frame({ opcode: opcodes.continuation, fin: false, payload: Buffer.from('mented ☃').subarray(0, 8) }),
        frame({ opcode: opcodes.continuation, payload: Buffer.from('mented ☃').subarray(8) }),
      ]),
    ],
    [['close', 3000, 'gë'], frame({ opcode: opcodes.close, payload: closePayload(3000, 'gë') })],
  ]
  const all = Buffer.concat(wire.map(([, encoded]) => encoded))
  const expected = wire.map(([expectedFrame]) => expectedFrame)

  for (const transport of transports) {
    for (const [how, script] of [
      [
        'after the 101',
        async (peer: Peer) => {
          await acceptUpgrade(peer)
          await peer.send(all)
        },
      ],
      ['glued to the 101', (peer: Peer) => acceptUpgrade(peer, [], [all])],
      [
        'one byte at a time',
        async (peer: Peer) => {
          const request = await peer.receiveRequest()
          await peer.send(Buffer.concat([Buffer.from(switchingProtocols(request)), all]), 'bytes')
        },
      ],
      [
        'glued to the response before',
        async (peer: Peer) => {
          await peer.receiveRequest()
          await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
          const request = await peer.receiveRequest()
          await peer.send(Buffer.concat([Buffer.from(switchingProtocols(request)), all.subarray(0, 3)]))
          await peer.send(all.subarray(3))
        },
      ],
    ] as const) {
      test(`of every kind, ${how}, over ${transport}`, async () => {
        await using _left = assertNothingLeft()
        await using server = await origin(
          async peer => {
            await script(peer)
            for (const payload of ['', bytes]) {
              const pong = await receiveFrame(peer)
              assert.equal(pong.opcode, opcodes.pong)
              assert.deepEqual(pong.payload, Buffer.from(payload))
            }
            assert.deepEqual((await receiveFrame(peer)).payload, closePayload(3000))
          },
          { transport },
        )
        await using client = await connect(server, transport, { retry: 0 })
        const { owner, connPid } = client
        if (how === 'glued to the response before') gun.get(connPid, '/')
        const streamRef = await upgrade(client, [], { silencePings: false })
        const received: gun.WsFrameIn[] = []
        while (received.length < expected.length) {
          const message = await owner.receive([{ type: 'gun_ws' }], PATIENCE)
          assert.equal(message.streamRef, streamRef)
          assert.equal(message.connPid, connPid)
          received.push(message.frame)
        }
        assert.deepEqual(received, expected)
        await server.finished()
      })
    }
  }

  test('gun_upgrade comes before frames that are glued to it', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer, [], [text('1'), text('2')])
      await peer.closed
    })
    await using client = await connect(server)
    const { owner, connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    const types: string[] = []
    while (types.length < 3) types.push((await owner.receive([{ streamRef }], PATIENCE)).type)
    assert.deepEqual(types, ['gun_upgrade', 'gun_ws', 'gun_ws'])
  })

  test('fragments are put together around the pings between them, which are answered in time', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await acceptUpgrade(peer)
      await peer.send(frame({ opcode: opcodes.text, fin: false, payload: 'frag' }))
      await peer.send(frame({ opcode: opcodes.ping, payload: 'between' }))
      assert.equal(String((await receiveFrame(peer)).payload), 'between')
      await peer.send(frame({ opcode: opcodes.continuation, payload: 'ments' }))
      await finishClosing(peer)
    })
    await using client = await connect(server)
    const streamRef = await upgrade(client, [], { silencePings: false })
    assert.deepEqual(await receiveFrames(client, 2), [
      ['ping', Buffer.from('between')],
      ['text', 'fragments'],
    ])
    gun.wsSend(client.connPid, streamRef, 'close')
    await server.finished()
  })

  test('pings and pongs are kept from the mailbox unless silencePings is false, and answered all the same', async () => {
    await using _left = assertNothingLeft()
    const pong = defer<string>()
    await using server = await websocketServer({
      onConnection: socket => {
        socket.on('pong', data => pong.resolve(String(data)))
        socket.ping('silent')
        socket.pong('unasked')
        socket.send('text')
      },
    })
    await using client = await connect(server)
    await upgrade(client)
    assert.deepEqual(await receiveFrames(client, 1), [['text', 'text']])
    assert.equal(await pong.promise, 'silent')
    assert.equal(client.owner.messageQueueLength, 0)
  })

  test('a message of 4 MB in fragments of 64 bytes is one message', async () => {
    await using _left = assertNothingLeft()
    const part = 'x'.repeat(64)
    const count = 65_536
    await using server = await origin(async peer => {
      const first = frame({ opcode: opcodes.text, fin: false, payload: part })
      const middle = frame({ opcode: opcodes.continuation, fin: false, payload: part })
      const last = frame({ opcode: opcodes.continuation, payload: part })
      await acceptUpgrade(peer, [], [first, ...Array.from({ length: count - 2 }, () => middle), last])
      await peer.closed
    })
    await using client = await connect(server)
    await upgrade(client)
    const [message] = await receiveFrames(client, 1)
    assert.ok(message !== undefined && message[0] === 'text')
    assert.equal(message[1], part.repeat(count))
  })

  for (const transport of transports) {
    test(`a thousand echoes come back in order over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await websocketServer({ transport })
      await using client = await connect(server, transport)
      const { connPid } = client
      const streamRef = await upgrade(client)
      const sent: gun.WsFrame[] = Array.from({ length: 1000 }, (_, i) =>
        i % 3 === 0 ? ['binary', Buffer.from(`${i}`)] : ['text', `${i} ${'é'.repeat(i)}`],
      )
      for (const one of sent.slice(0, 500)) gun.wsSend(connPid, streamRef, one)
      gun.wsSend(connPid, streamRef, sent.slice(500))
      assert.deepEqual(await receiveFrames(client, 1000), sent)
    })
  }

  test('a receiver that is a function may send as soon as it hears of the upgrade', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    const echoed = defer<gun.WsFrameIn>()
    const replyTo = (message: gun.GunMessage): void => {
      if (message.type === 'gun_upgrade') gun.wsSend(connPid, message.streamRef, ['text', 'at once'])
      if (message.type === 'gun_ws') echoed.resolve(message.frame)
      if (message.type === 'gun_error') echoed.reject(message.reason)
    }
    gun.wsUpgrade(connPid, '/websocket', [], { replyTo })
    assert.deepEqual(await echoed.promise, ['text', 'at once'])
  })
})

test('a receive can ask for the kind of frame it wants, and leaves the others where they are', async () => {
  await using _left = assertNothingLeft()
  await using server = await websocketServer()
  await using client = await connect(server)
  const { owner, connPid } = client
  const streamRef = await upgrade(client)
  gun.wsSend(connPid, streamRef, [
    ['binary', Buffer.from('1')],
    ['text', '2'],
    ['text', '3'],
  ])
  const third = await owner.receive([{ type: 'gun_ws', streamRef, frame: ['text', '3'] }], PATIENCE)
  assert.equal(third.frame[1], '3')
  const anyText = await owner.receive([{ type: 'gun_ws', streamRef, frame: ['text', P.string] }], PATIENCE)
  assert.equal(anyText.frame[1], '2')
  assert.deepEqual(await receiveFrames(client, 1), [['binary', Buffer.from('1')]])
})
