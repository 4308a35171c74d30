// A connection on which the server lets nothing more begin is replaced at once, and ends with what is under way on it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { eventually, rejection } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { origin } from '../support/origin.ts'
import { bodyOf } from '../support/pool-scene.ts'

const HOST = '127.0.0.1'

/** Starts a pool that is up, and that is stopped with its test. */
async function started(port: number, opts: gun.PoolOpts) {
  const pool = gun.pool.startPool(HOST, port, opts)
  await gun.pool.awaitUp(pool)
  return {
    pool,
    headers: { host: `${HOST}:${port}` },
    get info() {
      return gun.pool.info(pool) as gun.PoolInfo
    },
    async [Symbol.asyncDispose]() {
      pool.exit('shutdown')
      await pool.exited
    },
  }
}

interface Server2 extends AsyncDisposable {
  readonly port: number
  readonly sessions: readonly ServerHttp2Session[]
  readonly streams: readonly { readonly path: string; readonly stream: ServerHttp2Stream }[]
}

/** Starts a server of HTTP/2 whose streams the test answers. */
async function server2(): Promise<Server2> {
  const server = createServer()
  const sessions: ServerHttp2Session[] = []
  const streams: { path: string; stream: ServerHttp2Stream }[] = []
  server.on('session', session => sessions.push(session))
  server.on('stream', (stream, { ':path': path = '' }) => streams.push({ path, stream }))
  server.listen(0, HOST)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    streams,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

for (const [name, response] of [
  ['HTTP/1.0, whose body ends with the connection', 'HTTP/1.0 200 OK\r\n\r\nhello'],
  ['connection: close', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello'],
] as const) {
  test(`a server that ends the connection behind each response serves all who wait: ${name}`, async () => {
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      peer.end(response)
    })
    await using it = await started(server.port, { size: 2 })
    const bodies = Array.from({ length: 20 }, () => bodyOf(gun.pool.get('/', it.headers)))
    assert.deepEqual(await Promise.all(bodies), Array(20).fill('hello'))
    assert.equal(it.info.lastError, undefined)
  })
}

test('a connection that ends without a whole response is a failure, behind which the pool pauses', async t => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    peer.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell')
  })
  await using it = await started(server.port, { size: 1, backoff: 1000 })
  const pass = mockTimeouts(t)
  const first = rejection(gun.pool.awaitResponse(gun.pool.get('/1', it.headers)))
  const second = rejection(gun.pool.awaitResponse(gun.pool.get('/2', it.headers)))
  await first
  assert.equal((await second).code, 'no_connection_available')
  assert.equal(it.info.conns.size, 0)
  await pass(499)
  assert.equal(it.info.conns.size, 0)
  await pass(1)
  assert.equal(it.info.conns.size, 1)
})

test('a connection whose response says close is replaced while the body still comes', async () => {
  let sendRest: (() => void) | undefined
  await using server = await origin(async (peer, index) => {
    await peer.receiveRequest()
    if (index > 0) return peer.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nnew')
    await peer.send('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nol')
    await new Promise<void>(resolve => {
      sendRest = resolve
    })
    peer.end('d!')
  })
  await using it = await started(server.port, { size: 1 })
  const old = gun.pool.get('/old', it.headers)
  assert.equal((await gun.pool.await(old)).type, 'gun_response')
  assert.equal(await bodyOf(gun.pool.get('/new', it.headers)), 'new')
  assert.equal(it.info.conns.get(old.connPid as gun.ConnPid)?.state, 'leaving')
  await eventually(() => sendRest !== undefined, 'the server waits')
  sendRest?.()
  assert.equal(String((await gun.pool.awaitBody(old)).body), 'old!')
})

test('a connection that the server says GOAWAY on is replaced while its streams go on', async () => {
  await using server = await server2()
  await using it = await started(server.port, { size: 1, connOpts: { protocols: ['http2'] } })
  const long = gun.pool.get('/long', it.headers)
  await eventually(() => server.streams.length === 1, 'the request has come')
  server.sessions[0]?.close()
  await eventually(() => server.sessions.length === 2, 'another connection takes its place')
  await gun.pool.awaitUp(it.pool)
  assert.equal(it.info.conns.size, 2)
  const next = bodyOf(gun.pool.get('/next', it.headers))
  await eventually(() => server.streams.length === 2, 'the next request has come')
  for (const { path, stream } of server.streams) stream.end(path)
  assert.equal(await next, '/next')
  assert.equal(await bodyOf(long), '/long')
  await eventually(() => it.info.conns.size === 1, 'the old connection has ended')
})

test('a server that says GOAWAY to requests which it has not seen is not asked at once again', async t => {
  await using server = await server2()
  await using it = await started(server.port, { size: 1, connOpts: { protocols: ['http2'] } })
  const pass = mockTimeouts(t)
  server.sessions[0]?.goaway(0, 0)
  await eventually(() => it.info.conns.size === 0, 'the connection has ended')
  await pass(499)
  assert.equal(it.info.conns.size, 0)
  await pass(1)
  assert.equal(it.info.conns.size, 1)
})

test('a pool beyond sizeMin does not replace a connection that nobody waits for', async () => {
  await using server = await server2()
  const opts = { sizeMin: 0, sizeMax: 1, connOpts: { protocols: ['http2'] } } as const
  await using it = await started(server.port, opts)
  const long = gun.pool.get('/long', it.headers)
  await eventually(() => server.streams.length === 1, 'the request has come')
  server.sessions[0]?.close()
  await eventually(() => it.info.size === 0, 'the place is given up')
  server.streams[0]?.stream.end('done')
  assert.equal(await bodyOf(long), 'done')
  assert.equal(server.sessions.length, 1)
})

test('an old connection on which only a push goes on ends with the push', async t => {
  const pass = mockTimeouts(t)
  await using server = await server2()
  await using it = await started(server.port, {
    size: 1,
    maxLifetime: 1000,
    connOpts: { protocols: ['http2'] },
  })
  const asked = gun.pool.get('/asked', it.headers)
  await eventually(() => server.streams.length === 1, 'the request has come')
  const stream = server.streams[0]?.stream as ServerHttp2Stream
  let pushed: ServerHttp2Stream | undefined
  stream.pushStream({ ':path': '/pushed' }, (_, each) => {
    pushed = each
    pushed.respond({ ':status': 200 })
    stream.end('asked')
  })
  const push = await gun.pool.await(asked)
  assert.equal(push.type, 'gun_push')
  assert.equal((await gun.pool.await(asked)).type, 'gun_response')
  assert.equal(String((await gun.pool.awaitBody(asked)).body), 'asked')
  await pass(1000)
  await pass(0)
  const { connPid } = asked
  assert.ok(connPid && push.type === 'gun_push')
  await eventually(() => it.info.conns.size === 2, 'another has taken its place')
  assert.equal(it.info.conns.get(connPid)?.state, 'leaving')
  pushed?.end('pushed')
  assert.equal(String((await gun.awaitResponse(connPid, push.newStreamRef)).body), 'pushed')
  await eventually(() => !it.info.conns.has(connPid), 'the old one has ended')
})

test('a server whose limit of streams changes gets as many as it says, and none while that is 0', async () => {
  await using server = await server2()
  await using it = await started(server.port, { size: 1, connOpts: { protocols: ['http2'] } })
  const [session] = server.sessions
  /** Says the limit, and waits until the client has taken note. */
  const allow = (maxConcurrentStreams: number) =>
    new Promise<void>(resolve => session?.settings({ maxConcurrentStreams }, () => resolve()))
  await allow(0)
  assert.equal(it.info.state, 'degraded')
  const bodies = [1, 2, 3, 4].map(n => bodyOf(gun.pool.get(`/${n}`, it.headers)))
  assert.equal(it.info.waiting, 4)
  await allow(1)
  await eventually(() => server.streams.length === 1, 'one has come')
  assert.equal(it.info.waiting, 3)
  await allow(3)
  await eventually(() => server.streams.length === 3, 'three have come')
  assert.equal(it.info.waiting, 1)
  await allow(1)
  const answer = (n: number) => server.streams[n]?.stream.end(`/${n + 1}`)
  answer(0)
  assert.equal(await bodies[0], '/1')
  answer(1)
  assert.equal(await bodies[1], '/2')
  assert.equal(server.streams.length, 3)
  assert.equal(it.info.waiting, 1)
  answer(2)
  await eventually(() => server.streams.length === 4, 'the last has come')
  answer(3)
  assert.deepEqual(await Promise.all(bodies), ['/1', '/2', '/3', '/4'])
})
