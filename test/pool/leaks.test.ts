// Pools that were stopped, requests that are over, and waiters that gave up leave no handle, timer, listener or memory behind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { freePort, rejection } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { bodyOf, poolScene } from '../support/pool-scene.ts'
import { websocketServer } from '../support/websocket-server.ts'

const HOST = '127.0.0.1'
const BATCH = 50
const FOREVER = Number.POSITIVE_INFINITY

async function heapUsed(): Promise<number> {
  assert.ok(globalThis.gc, 'run with --expose-gc')
  for (let n = 0; n < 4; n++) {
    await turn()
    globalThis.gc()
  }
  return process.memoryUsage().heapUsed
}

/** Runs `once` so many times, and compares the heap before and after; the first fifth warms up. */
async function assertNoGrowth(times: number, bytes: number, once: (n: number) => Promise<unknown>) {
  let done = 0
  const run = async (count: number) => {
    for (const end = done + count; done < end; done += BATCH) {
      await Promise.all(Array.from({ length: BATCH }, (_, n) => once(done + n)))
    }
  }
  await run(times / 5)
  const before = await heapUsed()
  await run((times * 4) / 5)
  const grown = (await heapUsed()) - before
  const allowed = 512 * 1024 + ((times * 4) / 5) * bytes
  assert.ok(grown < allowed, `the heap has grown by ${grown} bytes in ${(times * 4) / 5} rounds`)
}

test('a thousand pools that were started, used and stopped leave nothing behind', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await websocketServer()
  const host = `${HOST}:${server.port}`
  await assertNoGrowth(1000, 1024, async scope => {
    const pool = gun.pool.startPool(HOST, server.port, { size: 1, scope })
    assert.equal(await bodyOf(gun.pool.get('/', { host }, { scope })), 'Hello over HTTP')
    await gun.pool.stopPool(HOST, server.port, { scope })
    assert.equal(pool.isAlive, false)
  })
  assert.deepEqual(gun.pool.info(), [])
})

test('a thousand pools that have no server leave nothing behind', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const port = await freePort()
  const host = `${HOST}:${port}`
  await assertNoGrowth(1000, 1024, async scope => {
    const startPoolIfMissing = { size: 1 }
    const asked = gun.pool.get('/', { host }, { scope, startPoolIfMissing })
    assert.equal((await rejection(gun.pool.awaitResponse(asked))).code, 'no_connection_available')
    await gun.pool.stopPool(HOST, port, { scope })
  })
})

for (const version of ['http', 'http2'] as const) {
  test(`ten thousand requests of one pool over ${version} leave nothing behind`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await poolScene({ size: 2 }, version, 10)
    it.server.isHolding = false
    const { length } = it.server.paths
    const { signal } = new AbortController()
    await assertNoGrowth(10_000, 128, async n => {
      const opts: gun.PoolReqOpts =
        n % 2 === 0 ? { checkoutTimeout: FOREVER } : { checkoutTimeout: FOREVER, signal }
      await bodyOf(gun.pool.get('/', it.headers, opts))
    })
    assert.equal(it.server.paths.length - length, 10_000)
  })
}

test('ten thousand waiters that gave up in all ways leave nothing behind in a pool that stands still', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using it = await poolScene({ size: 1 })
  const { headers, pool, server } = it
  const first = gun.pool.get('/first', headers)
  await server.holds(1)
  const ways = [
    async () => gun.pool.cancel(gun.pool.get('/', headers)),
    async () => {
      const self = createProcess<gun.GunMessage>()
      gun.pool.get('/', headers, { replyTo: self })
      self.exit()
    },
    async () => {
      const controller = new AbortController()
      gun.pool.get('/', headers, { signal: controller.signal, replyTo: () => {} })
      controller.abort()
    },
    async () => {
      const controller = new AbortController()
      const asked = gun.pool.awaitResponse(gun.pool.get('/', headers), { signal: controller.signal })
      controller.abort('enough')
      assert.equal(await asked.catch((reason: unknown) => reason), 'enough')
    },
    async () => {
      const controller = new AbortController()
      const lent = gun.pool.checkout(pool, { signal: controller.signal })
      await turn()
      controller.abort('enough')
      assert.equal(await lent.catch((reason: unknown) => reason), 'enough')
    },
    async () => rejection(gun.pool.awaitResponse(gun.pool.get('/', headers, { checkoutTimeout: 1 }))),
  ]
  await assertNoGrowth(10_000, 64, async n => ways[n % ways.length]?.())
  assert.equal(it.info().waiting, 0)
  server.held[0]?.answer()
  assert.equal(await bodyOf(first), '/first')
  assert.deepEqual(server.paths, ['/first'])
})
