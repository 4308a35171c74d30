/** Examples of the pages on requests of pools: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { connect } from '../support/client.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** The requests for `/slow`, which hang until all tests are over. */
const held: ServerResponse[] = []

/** Answers with the method, the path and the body that were asked with. */
async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  if (request.url === '/slow') return void held.push(response)
  if (request.url === '/lines') {
    response.write('line 1\n')
    return void response.end('line 2\n')
  }
  response.setHeader('allow', 'GET, HEAD, OPTIONS')
  response.end(`${request.method} ${request.url} ${body}`.trim())
}

const server = await websocketServer({ onRequest })
const { port } = server
const pool = gun.pool.startPool('localhost', port, { size: 4 })
await gun.pool.awaitUp(pool)
test.after(async () => {
  for (const response of held) response.end()
  await gun.pool.stopPool('localhost', port)
  await server.close()
})

test('get sends a GET request on any connection that is free', async () => {
  // #region gun/pool/get, gun/pool/awaitResponse
  const headers = { host: `localhost:${port}` }
  const paths = ['/users/1', '/users/2', '/users/3', '/users/4', '/users/5']
  // All are asked for at once. Whoever finds no connection free waits for one.
  const streams = paths.map(path => gun.pool.get(path, headers))
  const responses = await Promise.all(streams.map(streamRef => gun.pool.awaitResponse(streamRef)))
  const bodies = responses.map(({ body }) => String(body))
  // #endregion
  assert.deepEqual(
    bodies,
    [1, 2, 3, 4, 5].map(n => `GET /users/${n}`),
  )
})

test('head asks for the head of a response alone', async () => {
  // #region gun/pool/head
  const streamRef = gun.pool.head('/users/1', { host: `localhost:${port}` })
  const { status, headers } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.ok(headers.some(([name]) => name === 'allow'))
})

test('options asks what a resource allows', async () => {
  // #region gun/pool/options
  const streamRef = gun.pool.options('/users', { host: `localhost:${port}` })
  const { headers } = await gun.pool.awaitResponse(streamRef)
  const allowed = headers.find(([name]) => name === 'allow')?.[1]
  // #endregion
  assert.equal(allowed, 'GET, HEAD, OPTIONS')
})

test('delete sends a DELETE request', async () => {
  // #region gun/pool/delete
  const streamRef = gun.pool.delete('/users/7', { host: `localhost:${port}` })
  const { status } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(status, 200)
})

test('patch sends a PATCH request with its body', async () => {
  // #region gun/pool/patch
  const headers = { host: `localhost:${port}`, 'content-type': 'application/merge-patch+json' }
  const streamRef = gun.pool.patch('/users/7', headers, JSON.stringify({ name: 'Joe' }))
  const { status, body } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), 'PATCH /users/7 {"name":"Joe"}')
})

test('post sends a POST request with its body', async () => {
  // #region gun/pool/post
  const headers = { host: `localhost:${port}`, 'content-type': 'application/json' }
  const streamRef = gun.pool.post('/users', headers, JSON.stringify({ name: 'Joe' }))
  const { status, body } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), 'POST /users {"name":"Joe"}')
})

test('put without a body sends the head, and data the body', async () => {
  // #region gun/pool/put, gun/pool/data
  const headers = { host: `localhost:${port}`, 'content-type': 'text/plain' }
  const streamRef = gun.pool.put('/notes/1', headers)
  // The parts are kept while the stream waits for a connection.
  gun.pool.data(streamRef, 'nofin', 'Buy milk')
  gun.pool.data(streamRef, 'fin', ' and bread')
  const { body } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(String(body), 'PUT /notes/1 Buy milk and bread')
})

test('request sends any method', async () => {
  // #region gun/pool/request
  const headers = { host: `localhost:${port}`, depth: '1' }
  const streamRef = gun.pool.request('PROPFIND', '/files', headers, '')
  const { body } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(String(body), 'PROPFIND /files')
})

test('headers sends the head of a request, and trailers end it', async () => {
  // #region gun/pool/headers, gun/pool/trailers
  const fields = { host: `localhost:${port}`, trailer: 'x-checksum' }
  const streamRef = gun.pool.headers('POST', '/upload', fields)
  gun.pool.data(streamRef, 'nofin', 'all of it')
  gun.pool.trailers(streamRef, { 'x-checksum': '9f86d0' })
  const { status } = await gun.pool.awaitResponse(streamRef)
  // #endregion
  assert.equal(status, 200)
})

test('a process gets the messages of a pooled stream as its replyTo', async () => {
  // #region gun/types/PoolReqOpts
  const worker = spawn<gun.GunMessage>(async self => {
    const reqOpts = { replyTo: self, checkoutTimeout: 2000, startPoolIfMissing: { size: 4 } }
    const streamRef = gun.pool.get('/report', { host: `localhost:${port}` }, reqOpts)
    // Waits for a free connection first. If none is free in time, a gun_error comes.
    const answer = await self.receive([
      { type: 'gun_response', streamRef },
      { type: 'gun_error', streamRef },
    ])
    if (answer.type === 'gun_error') throw answer.reason
  })
  // #endregion
  assert.equal(await worker.exited, 'normal')
})

test('await takes one message of a stream, and awaitBody the rest', async () => {
  // #region gun/pool/await, gun/pool/awaitBody
  const streamRef = gun.pool.get('/users/1', { host: `localhost:${port}` })
  const head = await gun.pool.await(streamRef)
  if (head.type !== 'gun_response') throw new Error(`${head.type} in place of a response`)
  const { body } = await gun.pool.awaitBody(streamRef, 2000)
  // #endregion
  assert.equal(head.status, 200)
  assert.equal(String(body), 'GET /users/1')
})

test('an await can be limited in time, and a body in size', async () => {
  // #region gun/types/PoolAwaitOpts
  const streamRef = gun.pool.get('/slow', { host: `localhost:${port}` })
  // The timeout covers the wait for a connection. After any rejection the stream is cancelled.
  const limits = { timeout: 20, maxBodySize: 64 * 1024 }
  const outcome = await gun.pool.awaitResponse(streamRef, limits).catch((error: unknown) => error)
  const isLate = outcome instanceof gun.GunError && outcome.kind === 'timeout'
  // #endregion
  assert.equal(isLate, true)
})

test('flush drops what has come of a stream', async () => {
  await using it = await connect(server)
  const { owner: self } = it
  // #region gun/pool/flush
  const streamRef = gun.pool.get('/users/1', { host: `localhost:${port}` }, { replyTo: self })
  await self.receive([{ type: 'gun_response', streamRef }])
  // The head is enough: nothing more is posted, and what waits is dropped.
  gun.pool.cancel(streamRef)
  gun.pool.flush(streamRef)
  // #endregion
  assert.equal(self.messageQueueLength, 0)
})

test('cancel ends a stream, whether it has a connection or waits for one', async () => {
  // #region gun/pool/cancel
  const streamRef = gun.pool.get('/slow', { host: `localhost:${port}` })
  // A stream that waits for a connection gives up its place; one that is under way is ended.
  gun.pool.cancel(streamRef)
  const isRunning = gun.pool.streamInfo(streamRef)?.state === 'running'
  // #endregion
  assert.equal(isRunning, false)
})

test('updateFlow asks for the next parts of a body', async () => {
  await using it = await connect(server)
  const { owner: self } = it
  // #region gun/pool/updateFlow
  const reqOpts = { replyTo: self, flow: 1 }
  const streamRef = gun.pool.get('/lines', { host: `localhost:${port}` }, reqOpts)
  await self.receive([{ type: 'gun_response', streamRef }])
  let text = ''
  for (;;) {
    const { isFin, data } = await self.receive([{ type: 'gun_data', streamRef }])
    text += data
    if (isFin === 'fin') break
    gun.pool.updateFlow(streamRef, 1)
  }
  // #endregion
  assert.equal(text, 'line 1\nline 2\n')
})

test('streamInfo tells how far a request is, and of which connection', async () => {
  // #region gun/pool/streamInfo
  const streamRef = gun.pool.get('/slow', { host: `localhost:${port}` })
  // Both are undefined while the stream waits for a connection.
  const { connPid } = streamRef
  const progress = gun.pool.streamInfo(streamRef)?.request?.response
  // #endregion
  assert.ok(connPid)
  assert.equal(progress, 'due')
  gun.pool.cancel(streamRef)
})
