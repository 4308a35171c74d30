/** Examples of the pages on pools: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { type ChildSpec, supervisor } from '@holster/otp'
import { createProcess, spawn } from '@holster/process'
import { eventually } from '../support/client.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { websocketServer } from '../support/websocket-server.ts'

const server = await websocketServer()
const { port } = server
/** The requests that a server has not answered yet: they hang until the test lets them end. */
const held: ServerResponse[] = []
const quiet = await websocketServer({ onRequest: (_, response) => void held.push(response) })
const release = () => {
  for (const response of held.splice(0)) response.end()
}
test.after(() => Promise.all([server.close(), quiet.close()]))

test('startPool starts the connections to a host, and stopPool ends them', async () => {
  // #region gun/pool/startPool, gun/pool/awaitUp, gun/pool/stopPool
  const pool = gun.pool.startPool('localhost', port, { size: 4 })
  await gun.pool.awaitUp(pool)
  // A request finds its pool by its host header.
  const streamRef = gun.pool.get('/', { host: `localhost:${port}` })
  const { status } = await gun.pool.awaitResponse(streamRef)
  await gun.pool.stopPool('localhost', port)
  // #endregion
  assert.equal(status, 200)
  assert.equal(pool.isAlive, false)
})

test('stopPool lets what is under way finish', async () => {
  const pool = gun.pool.startPool('localhost', port)
  await gun.pool.awaitUp(pool)
  // #region gun/pool/stopPool
  const streamRef = gun.pool.get('/', { host: `localhost:${port}` })
  const stopped = gun.pool.stopPool('localhost', port)
  // Streams under way may finish. Whoever still waits for a connection gets the error shutdown.
  const { status } = await gun.pool.awaitResponse(streamRef)
  await stopped
  // #endregion
  assert.equal(status, 200)
  assert.equal(pool.isAlive, false)
})

test('a pool has no more connections than are needed, between two limits', async () => {
  // #region gun/types/PoolOpts, gun/types/PoolConnOpts
  const connOpts: gun.PoolConnOpts = { connectTimeout: 2000, httpOpts: { contentHandlers: [gun.decode()] } }
  const pool = gun.pool.startPool('localhost', port, {
    sizeMin: 1,
    sizeMax: 10,
    idleTimeout: 60_000,
    maxLifetime: 3_600_000,
    backoff: 500,
    connOpts,
  })
  // #endregion
  await gun.pool.awaitUp(pool)
  assert.equal(gun.pool.info(pool)?.size, 1)
  await gun.pool.stopPool('localhost', port)
})

test('pools of one host are told apart by their scope', async () => {
  // #region gun/types/PoolLookupOpts, gun/types/PoolAwaitUpOpts, gun/types/StopPoolOpts
  const scope = 'reports'
  gun.pool.startPool('localhost', port, { size: 2, scope })
  await gun.pool.awaitUp(`localhost:${port}`, { scope, timeout: 2000 })
  // A request names the scope as well.
  const streamRef = gun.pool.get('/', { host: `localhost:${port}` }, { scope })
  const { status } = await gun.pool.awaitResponse(streamRef)
  await gun.pool.stopPool('localhost', port, { scope, transport: 'tcp' })
  // #endregion
  assert.equal(status, 200)
})

test('awaitUp waits until all connections are up, by the name of the pool as well', async () => {
  gun.pool.startPool('localhost', port, { size: 2 })
  // #region gun/pool/awaitUp
  const signal = AbortSignal.timeout(10_000)
  await gun.pool.awaitUp(`localhost:${port}`, { signal })
  // #endregion
  assert.equal(gun.pool.info(`localhost:${port}`)?.state, 'operational')
  await gun.pool.stopPool('localhost', port)
})

test('info tells how busy a pool is', async () => {
  const pool = gun.pool.startPool('localhost', quiet.port, { size: 1 })
  await gun.pool.awaitUp(pool)
  const headers = { host: `localhost:${quiet.port}` }
  const streams = ['/1', '/2', '/3'].map(path => gun.pool.get(path, headers))
  // #region gun/pool/info
  const lines = gun.pool.info().map(({ authority, state, conns, waiting }) => {
    const busy = [...conns.values()].filter(({ streams }) => streams > 0)
    return `${authority} is ${state}: ${busy.length} of ${conns.size} busy, ${waiting} callers wait`
  })
  const lastError = gun.pool.info(pool)?.lastError
  // #endregion
  assert.deepEqual(lines, [`localhost:${quiet.port} is operational: 1 of 1 busy, 2 callers wait`])
  assert.equal(lastError, undefined)
  await eventually(() => held.length === 1, 'the first request has come')
  for (const streamRef of streams) gun.pool.cancel(streamRef)
  release()
  await gun.pool.stopPool('localhost', quiet.port)
})

test('a pool can stand under a supervisor', async () => {
  // #region gun/pool/childSpec, gun/types/PoolChildSpecOpts
  const children: ChildSpec[] = [
    gun.pool.childSpec('localhost', port, { id: 'api', size: 4, shutdown: 10_000 }),
  ]
  const tree = await supervisor.start({ children })
  const streamRef = gun.pool.get('/', { host: `localhost:${port}` })
  const { status } = await gun.pool.awaitResponse(streamRef)
  // Streams may finish for ten seconds.
  await supervisor.stop(tree)
  // #endregion
  assert.equal(status, 200)
  assert.equal(gun.pool.info(`localhost:${port}`), undefined)
})

test('checkout lends a connection for one stream', async () => {
  const pool = gun.pool.startPool('localhost', port, { size: 2 })
  await using self = createProcess<gun.GunMessage>()
  // #region gun/pool/checkout, gun/types/Checkout
  async function statusOf(path: string): Promise<number> {
    // Given back at the end of the block.
    using checkout = await gun.pool.checkout(pool)
    const { connPid } = checkout
    // The owner of the connection is the pool, so the stream has to say whom it replies to.
    const streamRef = gun.get(connPid, path, {}, { replyTo: self })
    const { status } = await gun.awaitResponse(connPid, streamRef)
    return status
  }
  const status = await statusOf('/')
  // #endregion
  assert.equal(status, 200)
  await gun.pool.stopPool('localhost', port)
})

test('a checkout waits no longer than it is told to, and ends with its caller', async () => {
  const pool = gun.pool.startPool('localhost', quiet.port, { size: 1 })
  // #region gun/types/CheckoutOpts, gun/types/CheckoutLimits
  const worker = spawn<gun.GunMessage>(async self => {
    // When the process ends, the connection goes back, and its stream is cancelled.
    const { connPid } = await gun.pool.checkout(pool, { caller: self, checkoutTimeout: 1000 })
    gun.get(connPid, '/slow', {}, { replyTo: self })
    await self.receive([{ type: 'gun_response' }])
  })
  // #endregion
  await eventually(() => held.length === 1, 'the request has come')
  // #region gun/types/CheckoutLimits
  // 0 does not wait at all.
  const outcome = await gun.pool.checkout(pool, { checkoutTimeout: 0 }).catch((error: unknown) => error)
  const isBusy = outcome instanceof gun.GunError && outcome.code === 'no_connection_available'
  // #endregion
  assert.equal(isBusy, true)
  worker.exit('shutdown')
  release()
  await gun.pool.stopPool('localhost', quiet.port)
})

test('wsSend sends on one of the WebSockets of a pool', async () => {
  // #region gun/pool/wsSend, gun/types/PoolWsSendOpts, gun/types/SetupFun, gun/types/WsHandler
  const heard: string[] = []
  const feed: gun.WsHandler = {
    init: () => undefined,
    handle(frame) {
      if (frame[0] === 'text') heard.push(frame[1])
      // How many messages were sent to the stream's replyTo.
      return 0
    },
  }
  const setUp: gun.SetupFun = (connPid, message) => {
    if (message.type === 'gun_up') gun.wsUpgrade(connPid, '/feed', {}, { defaultProtocol: feed })
    return message.type === 'gun_upgrade' ? ['up', 'ws', { ws: message.streamRef }] : ['setup', undefined]
  }
  const pool = gun.pool.startPool('localhost', port, { size: 2, setupFun: [setUp, undefined] })
  await gun.pool.awaitUp(pool)
  // A different WebSocket each time.
  gun.pool.wsSend(['text', 'one'], { authority: `localhost:${port}` })
  gun.pool.wsSend(['text', 'two'], { authority: `localhost:${port}` })
  // #endregion
  await eventually(() => heard.length === 2, 'both echoes have come')
  assert.deepEqual(heard.sort(), ['one', 'two'])
  for (const { meta } of gun.pool.info(pool)?.conns.values() ?? []) {
    if (meta.ws !== undefined) streamEnds.handled(meta.ws)
  }
  await gun.pool.stopPool('localhost', port)
})
