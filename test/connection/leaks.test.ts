// A closed connection leaves no handle, timer, listener or memory behind, even after a thousand of its kind.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { certificates } from '@holster/testing'
import { assertNothingLeft, collectWarnings, leftovers } from '../support/leftovers.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** As many at a time as a machine with few file descriptors stands. */
const BATCH = 50

function collect(): void {
  assert.ok(globalThis.gc, 'run with --expose-gc')
  globalThis.gc()
}

async function heapUsed(): Promise<number> {
  // What finalisers let go of is collected by the next round.
  for (let i = 0; i < 4; i++) {
    await turn()
    collect()
  }
  return process.memoryUsage().heapUsed
}

/** Runs `once` so many times, and compares the heap before and after; the first fifth warms up. */
async function assertNoGrowth(times: number, once: () => Promise<void>): Promise<void> {
  const remaining = leftovers()
  const run = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += BATCH) await Promise.all(Array.from({ length: BATCH }, once))
    // What was closed here the other side closes a little later.
    assert.deepEqual(await remaining(), [])
  }
  await run(times / 5)
  const before = await heapUsed()
  await run((times * 4) / 5)
  const grown = (await heapUsed()) - before
  // A connection that stays takes more than 6 KB; the engine's own caches come and go.
  const allowed = 256 * 1024 + ((times * 4) / 5) * 2048
  assert.ok(grown < allowed, `the heap has grown by ${grown} bytes in ${(times * 4) / 5} connections`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function get(connPid: gun.ConnPid): Promise<void> {
  const streamRef = gun.get(connPid, '/')
  await gun.await(connPid, streamRef, 20_000)
  const { body } = await gun.awaitBody(connPid, streamRef, 20_000)
  assert.equal(String(body), 'Hello over HTTP')
}

async function echo(connPid: gun.ConnPid, self: Process<gun.GunMessage>): Promise<void> {
  const streamRef = gun.wsUpgrade(connPid, '/')
  const upgrade = await gun.await(connPid, streamRef, 20_000)
  assert.equal(upgrade.type, 'gun_upgrade')
  gun.wsSend(connPid, streamRef, ['text', 'hello'])
  const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], 20_000)
  assert.deepEqual(frame, ['text', 'hello'])
  gun.wsSend(connPid, streamRef, 'close')
  await self.receive([{ type: 'gun_down', connPid }], 20_000)
}

const nowhere = { tlsOpts: { ca: certificates.ca }, retry: 0 }

describe('a thousand connections (a hundred over tls)', () => {
  for (const [transport, times] of [
    ['tcp', 1000],
    ['tls', 100],
  ] as const) {
    test(`that fetch something over ${transport} leave nothing behind`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await websocketServer({ transport })
      await assertNoGrowth(times, async () => {
        await using self = createProcess<gun.GunMessage>()
        await using connPid = gun.open('localhost', server.port, { ...nowhere, transport, owner: self })
        await gun.awaitUp(connPid, 20_000)
        await get(connPid)
      })
    })

    test(`that are WebSockets over ${transport} leave nothing behind`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await websocketServer({ transport })
      await assertNoGrowth(times, async () => {
        await using self = createProcess<gun.GunMessage>()
        await using connPid = gun.open('localhost', server.port, { ...nowhere, transport, owner: self })
        await gun.awaitUp(connPid, 20_000)
        await echo(connPid, self)
      })
    })

    test(`that are closed while they are made over ${transport} leave nothing behind`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await websocketServer({ transport })
      let n = 0
      await assertNoGrowth(times, async () => {
        await using self = createProcess<gun.GunMessage>()
        const connPid = gun.open('localhost', server.port, { ...nowhere, transport, owner: self })
        gun.get(connPid, '/')
        // In all the states that there are on the way.
        for (let steps = n++ % 20; steps > 0; steps--) await turn()
        gun.close(connPid)
      })
    })

    test(`that nobody accepts over ${transport} leave nothing behind`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const port = await freePort()
      await assertNoGrowth(times, async () => {
        await using self = createProcess<gun.GunMessage>()
        const connPid = gun.open('localhost', port, { ...nowhere, transport, owner: self, retry: 1 })
        const ref = self.monitor(connPid)
        gun.get(connPid, '/')
        await self.receive([{ type: 'DOWN', ref }], 20_000)
      })
    })
  }

  test('that do not trust the server leave nothing behind', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await websocketServer({ transport: 'tls' })
    await assertNoGrowth(100, async () => {
      await using self = createProcess<gun.GunMessage>()
      const connPid = gun.open('localhost', server.port, { transport: 'tls', owner: self, retry: 0 })
      const ref = self.monitor(connPid)
      await self.receive([{ type: 'DOWN', ref }], 20_000)
    })
  })

  test('with one owner that lives on leave nothing behind in it', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await websocketServer()
    await using self = createProcess<gun.GunMessage>()
    await assertNoGrowth(500, async () => {
      const connPid = gun.open('localhost', server.port, { retry: 0, owner: self })
      await gun.awaitUp(connPid, 20_000)
      await get(connPid)
      const ref = self.monitor(connPid)
      gun.close(connPid)
      await self.receive([{ type: 'DOWN', ref }], 20_000)
      // A command that comes too late is answered, and ties nothing together anew.
      const late = gun.get(connPid, '/')
      await self.receive([{ type: 'gun_error', streamRef: late }], 20_000)
    })
    assert.equal(self.messageQueueLength, 0)
  })

  test('with an owner each that nobody ends leave nothing behind', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await websocketServer()
    await assertNoGrowth(500, async () => {
      await using connPid = gun.open('localhost', server.port, { retry: 0 })
      await gun.awaitUp(connPid, 20_000)
      await get(connPid)
    })
  })
})

test('a thousand requests on one connection leave nothing behind', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  await using connPid = gun.open('localhost', server.port, { owner: self })
  await gun.awaitUp(connPid, 20_000)
  await assertNoGrowth(1000, () => get(connPid))
})

test('five hundred reconnects of one connection leave nothing behind', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  await using connPid = gun.open('localhost', server.port, {
    owner: self,
    retryFun: () => ({ retries: 5, timeout: 0 }),
  })
  await gun.awaitUp(connPid, 20_000)
  let previous: Promise<void> = Promise.resolve()
  await assertNoGrowth(500, () => {
    previous = previous.then(async () => {
      const streamRef = gun.get(connPid, '/', { connection: 'close' })
      await gun.await(connPid, streamRef, 20_000)
      await gun.awaitBody(connPid, streamRef, 20_000)
      await self.receive([{ type: 'gun_down', connPid }], 20_000)
      await gun.awaitUp(connPid, 20_000)
    })
    return previous
  })
})

test('a connection that has ended and its owner are collected, although the server lives on', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await websocketServer()
  const refs: Record<string, WeakRef<object>> = {}
  await (async () => {
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open('localhost', server.port, { owner: self })
    await gun.awaitUp(connPid, 20_000)
    await get(connPid)
    const streamRef = gun.get(connPid, '/')
    const { socket } = gun.info(connPid)
    assert.ok(socket)
    const ref = self.monitor(connPid)
    gun.close(connPid)
    await self.receive([{ type: 'DOWN', ref }], 20_000)
    const all = { self, connPid, streamRef, socket }
    for (const [name, value] of Object.entries(all)) refs[name] = new WeakRef(value)
  })()
  const alive = (): string[] => Object.keys(refs).filter(name => refs[name]?.deref() !== undefined)
  for (let i = 0; i < 200 && alive().length > 0; i++) await heapUsed()
  assert.deepEqual(alive(), [])
})

test('a listener stays neither on the owner nor on its signal', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  // More than the ten from which on Node warns.
  for (let i = 0; i < 30; i++) {
    await using connPid = gun.open('localhost', server.port, { owner: self })
    await gun.awaitUp(connPid, 20_000)
    await get(connPid)
  }
})
