/** Examples of the pages on the options of connections: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { CookieJar } from 'tough-cookie'
import { websocketServer } from '../support/websocket-server.ts'

test('the options of a connection say how long it tries, and how it comes back', async () => {
  await using server = await websocketServer({
    onRequest(request, response) {
      response.setHeader('set-cookie', 'session=1')
      response.end(request.headers.cookie)
    },
  })
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/ConnectionOpts
  const connPid = gun.open('localhost', port, {
    owner: self,
    connectTimeout: 5000,
    // For ever, with pauses of about 2 seconds.
    retry: Number.POSITIVE_INFINITY,
    retryTimeout: 2000,
    cookieStore: new CookieJar(),
    httpOpts: { keepalive: 30_000 },
    wsOpts: { compress: true },
  })
  await gun.awaitResponse(connPid, gun.get(connPid, '/login'))
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/account'))
  // #endregion
  assert.equal(String(body), 'session=1')
  gun.close(connPid)
})

test('retryFun decides when the next attempt comes', async () => {
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/Retry
  // Twice as long with each retry, up to half a minute.
  const retryFun = (retriesLeft: number): gun.Retry => ({
    retries: retriesLeft - 1,
    timeout: Math.min(500 * 2 ** (10 - retriesLeft), 30_000),
  })
  const connPid = gun.open('localhost', port, { owner: self, retry: 10, retryFun })
  await gun.awaitUp(connPid)
  // #endregion
  assert.deepEqual([retryFun(10).timeout, retryFun(9).timeout, retryFun(1).timeout], [500, 1000, 30_000])
  gun.close(connPid)
})

test('an event handler is called for everything that happens', async () => {
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/Opts, gun/types/EventHandler
  const log: string[] = []
  const eventHandler: gun.EventHandler = {
    connectEnd: ({ error }) => void log.push(error === undefined ? 'connected' : `failed: ${error.code}`),
    requestStart: ({ method, path }) => void log.push(`${method} ${path}`),
    responseHeaders: ({ status }) => void log.push(`status ${status}`),
  }
  const connPid = gun.open('localhost', port, { owner: self, eventHandler })
  await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  // #endregion
  assert.deepEqual(log, ['connected', 'GET /', 'status 200'])
  gun.close(connPid)
})

test('options of HTTP/1.1 limit what is under way, and name headers as an old server wants them', async () => {
  const names: string[] = []
  await using server = await websocketServer({
    onRequest({ rawHeaders }, response) {
      names.push(...rawHeaders.filter((_, at) => at % 2 === 0))
      response.end('Hello')
    },
  })
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/HttpOpts
  const httpOpts = {
    // Each request waits for the response before it.
    pipelining: 1,
    keepalive: 15_000,
    maxHeaderBlockSize: 16 * 1024,
    contentHandlers: [gun.decode(), gun.sse()],
    transformHeaderName: (name: string) => name.replace(/(^|-)[a-z]/g, start => start.toUpperCase()),
  }
  const connPid = gun.open('localhost', port, { owner: self, httpOpts })
  const streamRef = gun.get(connPid, '/', { 'x-request-id': '7' })
  const { status } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.deepEqual(names, ['Host', 'X-Request-Id'])
  gun.close(connPid)
})

test('options of the socket choose the address and keep the connection alive', async () => {
  await using server = await websocketServer()
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  // #region gun/types/TcpOpts
  const lookup: LookupFunction = (hostname, _options, callback) => {
    if (hostname.endsWith('.internal')) callback(null, [{ address: '127.0.0.1', family: 4 }])
    else callback(new Error(`${hostname} is not one of ours`), '')
  }
  const tcpOpts = { lookup, keepAlive: true, keepAliveInitialDelay: 60_000 }
  const connPid = gun.open('api.internal', port, { owner: self, tcpOpts })
  const protocol = await gun.awaitUp(connPid)
  // #endregion
  assert.equal(protocol, 'http')
  gun.close(connPid)
})

test('options of TLS say whom to trust, and by which name', async () => {
  await using server = await websocketServer({ transport: 'tls' })
  await using self = createProcess<gun.GunMessage>()
  const { port } = server
  const { ca } = certificates
  // #region gun/types/TlsOpts
  const tlsOpts: gun.TlsOpts = {
    ca, // the authority, as its file has it
    // The name in the certificate, where that is not the host.
    servername: 'localhost',
    minVersion: 'TLSv1.3',
  }
  const connPid = gun.open('127.0.0.1', port, { owner: self, transport: 'tls', tlsOpts })
  await gun.awaitUp(connPid)
  const { originScheme } = gun.info(connPid)
  // #endregion
  assert.equal(originScheme, 'https')
  gun.close(connPid)
})
