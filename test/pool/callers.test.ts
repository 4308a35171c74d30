// Callers that exit or abort are heard at every stage, and nobody is given the messages of another stream.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, exit, type Process } from '@holster/process'
import { eventually, freePort, rejection } from '../support/client.ts'
import { bodyOf, poolScene } from '../support/pool-scene.ts'
import { poolServer } from '../support/pool-server.ts'

const HOST = '127.0.0.1'

for (const version of ['http', 'http2'] as const) {
  test(`a caller over ${version} may exit or abort while its pool ends`, async () => {
    await using server = await poolServer({ version })
    // Only the callers end the streams.
    const closingTimeout = Number.POSITIVE_INFINITY
    const connOpts = {
      protocols: [version],
      httpOpts: { cancelTimeout: 0, closingTimeout },
      http2Opts: { closingTimeout },
    }
    const pool = gun.pool.startPool(HOST, server.port, { size: 2, connOpts })
    await gun.pool.awaitUp(pool)
    const headers = { host: server.host }
    await using self = createProcess<gun.GunMessage>()
    const caller = createProcess<gun.GunMessage>()
    const controller = new AbortController()
    const aborted = gun.pool.get('/1', headers, { replyTo: self, signal: controller.signal })
    gun.pool.get('/2', headers, { replyTo: caller })
    await server.holds(2)
    exit(pool, 'shutdown')
    await turn()
    assert.ok(pool.isAlive)
    controller.abort('enough')
    const { reason } = await self.receive([{ type: 'gun_error', streamRef: aborted }], 0)
    assert.equal(reason.code, 'cancelled')
    caller.exit('shutdown')
    assert.equal(await pool.exited, 'shutdown')
    assert.equal(self.messageQueueLength, 0)
  })
}

test('a request that is aborted within the callback in which it was asked for is never sent', async () => {
  await using it = await poolScene({ size: 1 }, 'http2', 5)
  const { headers, server } = it
  server.isHolding = false
  const controller = new AbortController()
  const caller = createProcess<gun.GunMessage>()
  const inner: gun.GunMessage[] = []
  let orphan: gun.PoolStreamRef | undefined
  gun.pool.get('/outer', headers, {
    replyTo: ({ type }) => {
      if (type !== 'gun_response') return
      const { signal } = controller
      gun.pool.get('/aborted', headers, { signal, replyTo: message => inner.push(message) })
      controller.abort('enough')
      orphan = gun.pool.get('/orphan', headers, { replyTo: caller })
      caller.exit('shutdown')
    },
  })
  await eventually(() => orphan !== undefined, 'the response has come')
  assert.equal(await bodyOf(gun.pool.get('/last', headers)), '/last')
  const [end, ...rest] = inner
  assert.ok(end?.type === 'gun_error' && end.reason.code === 'cancelled')
  assert.deepEqual(rest, [])
  assert.deepEqual(server.paths, ['/outer', '/last'])
})

test('awaitResponse gives the response of its own stream, and nobody is sent what the server pushes', async () => {
  const server = createServer()
  const resets: number[] = []
  server.on('stream', stream => {
    stream.pushStream({ ':path': '/pushed' }, (_, pushed) => {
      pushed.on('error', () => {})
      pushed.on('close', () => {
        resets.push(pushed.rstCode)
        stream.end('asked')
      })
      pushed.respond({ ':status': 201 })
      pushed.write('pushed')
    })
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pool = gun.pool.startPool(HOST, port, { size: 1, connOpts: { protocols: ['http2'] } })
  await gun.pool.awaitUp(pool)
  const response = await gun.pool.awaitResponse(gun.pool.get('/', { host: `${HOST}:${port}` }))
  assert.deepEqual([response.status, String(response.body)], [200, 'asked'])
  // CANCEL
  assert.deepEqual(resets, [8])
  await gun.pool.stopPool(HOST, port)
  server.close()
})

test('a pool that a request has started is found by the next, whatever form of the authority they name', async () => {
  const opts = { scope: 'forms', startPoolIfMissing: { sizeMin: 0, sizeMax: 1 } } as const
  const begin = (host: string) => gun.pool.cancel(gun.pool.get('/', { host }, opts))
  for (const host of ['localhost:80', 'LOCALHOST', 'localhost:80', '[0:0::1]:80', '[::1]']) begin(host)
  assert.deepEqual(
    gun.pool.info().map(({ authority }) => authority),
    ['localhost', '[::1]'],
  )
  for (const host of ['localhost', '::1']) await gun.pool.stopPool(host, 80, { scope: 'forms' })
})

test('a connection that cannot be opened for a request leaves no place taken', async () => {
  const headers = { host: 'example.test' }
  const { http_proxy } = process.env
  const opts = { sizeMin: 0, sizeMax: 1, connOpts: { proxy: 'environment' } } as const
  const pool = gun.pool.startPool('example.test', 80, opts)
  try {
    process.env.http_proxy = 'nonsense://'
    for (let n = 0; n < 3; n++)
      assert.throws(() => gun.pool.get('/', headers), /http_proxy in the environment/)
    assert.equal(gun.pool.info(pool)?.size, 0)
    process.env.http_proxy = `http://${HOST}:${await freePort()}`
    const error = await rejection(gun.pool.awaitResponse(gun.pool.get('/', headers)))
    assert.ok(error.cause instanceof gun.GunError && error.cause.code === 'connect_error')
  } finally {
    if (http_proxy === undefined) delete process.env.http_proxy
    else process.env.http_proxy = http_proxy
  }
  await gun.pool.stopPool('example.test', 80)
})

for (const [how, end] of [
  [
    'that its caller leaves by exiting',
    (_: gun.PoolStreamRef, caller: Process<gun.GunMessage>) => caller.exit(),
  ],
  ['that is cancelled', (upload: gun.PoolStreamRef) => gun.pool.cancel(upload)],
  ['that ends too early', (upload: gun.PoolStreamRef) => gun.pool.data(upload, 'fin', 'too short')],
] as const) {
  test(`an upload ${how} ends its connection, and costs nobody else anything`, async () => {
    await using it = await poolScene({ size: 1 })
    const { server } = it
    server.isHolding = false
    const caller = createProcess<gun.GunMessage>()
    const headers = { ...it.headers, 'content-length': 100 }
    const upload = gun.pool.post('/upload', headers, undefined, { replyTo: caller })
    gun.pool.data(upload, 'nofin', 'a part')
    const next = bodyOf(gun.pool.get('/next', it.headers))
    assert.equal(it.info().waiting, 1)
    end(upload, caller)
    assert.equal(await next, '/next')
    assert.deepEqual(server.paths, ['/next'])
  })
}

test('a stalled server holds up its connection until cancelTimeout alone', async () => {
  await using it = await poolScene({ size: 1, backoff: 0, connOpts: { httpOpts: { cancelTimeout: 1 } } })
  const { headers, server } = it
  const stalled = rejection(gun.pool.awaitResponse(gun.pool.get('/stalled', headers), 1))
  assert.equal((await stalled).code, 'timeout')
  server.isHolding = false
  assert.equal(await bodyOf(gun.pool.get('/next', headers)), '/next')
})
