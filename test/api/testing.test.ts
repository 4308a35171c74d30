/** Examples of the pages on @holster/testing: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, spawn } from '@holster/process'
import {
  acceptUpgrade,
  assertNothingLeft,
  ClientGone,
  certificates,
  collectCrashes,
  leftovers,
  startHttpServer,
  startServer,
  turn,
} from '@holster/testing'

const owner = () => createProcess<gun.GunMessage>()

test('a script talks to each connection, byte by byte if it likes', async () => {
  await using self = owner()
  // #region testing/startServer
  await using server = await startServer(async peer => {
    const { path } = await peer.receiveRequest()
    await peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`, 'bytes')
  })
  const connPid = gun.open(server.host, server.port, { ...server.opts, owner: self })
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/hello'))
  await server.finished() // rejects if the script has thrown
  // #endregion
  assert.equal(body.toString(), '/hello')
  gun.close(connPid)
})

test('a server speaks TLS with a certificate that its options know', async () => {
  await using self = owner()
  // #region testing/types/ServerOptions, testing/certificates
  await using server = await startServer(peer => peer.closed, {
    transport: 'tls',
    tls: certificates.otherHost,
  })
  const connPid = gun.open('localhost', server.port, { ...server.opts, owner: self, retry: 0 })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  // #endregion
  assert.equal(reason.code, 'tls_error')
})

test('what a script throws goes to onError, if there is one', async () => {
  await using self = owner()
  // #region testing/types/ScriptedServerOptions
  const failures: unknown[] = []
  await using server = await startServer(
    async peer => {
      const { method } = await peer.receiveRequest()
      if (method !== 'PUT') throw new Error(`a PUT was wanted, and ${method} came`)
    },
    { onError: error => failures.push(error) },
  )
  const connPid = gun.open(server.host, server.port, { owner: self, retry: 0 })
  await self.receive([{ type: 'gun_error', streamRef: gun.get(connPid, '/') }])
  // #endregion
  assert.match(String(failures[0]), /GET came/)
})

test('a script may find that the client has gone', async () => {
  await using self = owner()
  // #region testing/errors/ClientGone
  await using server = await startServer(async peer => {
    try {
      await peer.receiveRequest()
    } catch (error) {
      if (!(error instanceof ClientGone)) throw error
    }
  })
  const connPid = gun.open(server.host, server.port, { owner: self })
  await gun.awaitUp(connPid)
  gun.close(connPid)
  await server.finished()
  // #endregion
  assert.equal(server.connections, 1)
})

test('a scripted WebSocket takes and gives frames as values', async () => {
  await using self = owner()
  // #region testing/acceptUpgrade
  await using server = await startServer(async peer => {
    const socket = await acceptUpgrade(peer)
    for await (const frame of socket) await socket.send(frame)
  })
  const connPid = gun.open(server.host, server.port, { owner: self })
  const streamRef = gun.wsUpgrade(connPid, '/')
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  gun.wsSend(connPid, streamRef, ['text', 'Hello!'])
  const { frame } = await self.receive([{ type: 'gun_ws', streamRef }])
  // #endregion
  assert.deepEqual(frame, ['text', 'Hello!'])
  gun.close(connPid)
})

test('a scripted WebSocket chooses a subprotocol', async () => {
  await using self = owner()
  // #region testing/types/AcceptOptions
  await using server = await startServer(async peer => {
    const socket = await acceptUpgrade(peer, { protocol: 'mqtt', headers: [['x-server', 'a test']] })
    await socket.close(1001, 'going away')
  })
  const connPid = gun.open(server.host, server.port, { owner: self })
  const streamRef = gun.wsUpgrade(connPid, '/', { 'sec-websocket-protocol': 'mqtt' })
  const { headers } = await self.receive([{ type: 'gun_upgrade', streamRef }])
  const chosen = new Map(headers).get('sec-websocket-protocol')
  // #endregion
  assert.equal(chosen, 'mqtt')
  gun.close(connPid)
})

test('a server answers with a function, over HTTP/2 if it shall', async () => {
  await using self = owner()
  // #region testing/startHttpServer, testing/types/HttpServerOptions
  await using server = await startHttpServer(
    async request => Response.json({ method: request.method, body: await request.text() }),
    { protocol: 'http2' },
  )
  const connPid = gun.open(server.host, server.port, { ...server.opts, owner: self })
  const { status, body } = await gun.awaitResponse(connPid, gun.post(connPid, '/', {}, 'Hello'))
  // #endregion
  assert.equal(status, 200)
  assert.deepEqual(JSON.parse(body.toString()), { method: 'POST', body: 'Hello' })
  gun.close(connPid)
})

test('a test fails that leaves a process behind', async () => {
  const left: string[] = []
  // #region testing/leftovers
  const remaining = leftovers()
  const forgotten = spawn(async self => self.receive([{ type: 'never' }]))
  forgotten.label = 'cache'
  left.push(...(await remaining())) // ['#Process<7 cache>']
  // #endregion
  // #region testing/assertNothingLeft, testing/types/LeftoverOptions
  {
    await using _left = assertNothingLeft({ ignore: /cache/ })
    const worker = spawn(async self => self.receive([{ type: 'stop' }]))
    worker.send({ type: 'stop' })
    await worker.exited
  }
  // #endregion
  assert.equal(left.length, 1)
  forgotten.exit()
})

test('crashes are collected, and those that nobody has taken fail the test', async () => {
  // #region testing/collectCrashes
  await using crashes = collectCrashes()
  spawn(async () => {
    throw new Error('it broke')
  })
  const [crash] = await crashes.take()
  // #endregion
  assert.match(String(crash?.reason), /it broke/)
})

test('a turn of the event loop has processes take what was sent', async () => {
  // #region testing/turn
  const taken: number[] = []
  const pid = spawn<number>(async self => {
    for (;;) taken.push(await self.receive([1, 2]))
  })
  pid.send(1)
  pid.send(2)
  await turn()
  // #endregion
  assert.deepEqual(taken, [1, 2])
  pid.exit()
})
