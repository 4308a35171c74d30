/** Examples of the pages on requests: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { connect } from '../support/client.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** Answers with the method, the path and the body that were asked with. */
async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  response.setHeader('allow', 'GET, HEAD, OPTIONS')
  response.setHeader('x-trailers', JSON.stringify(request.trailers))
  response.end(`${request.method} ${request.url} ${body}`.trim())
}

const server = await websocketServer({ onRequest })
test.after(() => server.close())

test('get sends a GET request', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/get
  const streamRef = gun.get(connPid, '/users?page=2', { accept: 'application/json' })
  const { status, body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), 'GET /users?page=2')
})

test('head asks for the head of a response alone', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/head
  const streamRef = gun.head(connPid, '/users')
  const { status, headers, body } = await gun.awaitResponse(connPid, streamRef)
  const length = headers.find(([name]) => name === 'content-length')?.[1]
  // #endregion
  assert.deepEqual([status, length, body.length], [200, undefined, 0])
})

test('options asks what a server allows', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/options
  // '*' is the server as a whole.
  const { headers } = await gun.awaitResponse(connPid, gun.options(connPid, '*'))
  const allowed = headers.find(([name]) => name === 'allow')?.[1]
  // #endregion
  assert.equal(allowed, 'GET, HEAD, OPTIONS')
})

test('delete sends a DELETE request', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/delete
  const streamRef = gun.delete(connPid, '/users/7')
  const { status, body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), 'DELETE /users/7')
})

test('patch sends a PATCH request with its body', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/patch
  const patch = JSON.stringify([{ op: 'replace', path: '/name', value: 'Joe' }])
  const headers = { 'content-type': 'application/json-patch+json' }
  const streamRef = gun.patch(connPid, '/users/7', headers, patch)
  const { status, body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), `PATCH /users/7 ${patch}`)
})

test('post sends a POST request with its body', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/post
  const user = JSON.stringify({ name: 'Joe' })
  const streamRef = gun.post(connPid, '/users', { 'content-type': 'application/json' }, user)
  const { status, body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), `POST /users ${user}`)
})

test('put without a body sends the head, and the body follows', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/put
  // With a body the request is complete.
  const whole = gun.put(connPid, '/notes/1', { 'content-type': 'text/plain' }, 'Buy milk')
  // Without one the body follows.
  const inParts = gun.put(connPid, '/notes/2', { 'content-type': 'text/plain' })
  gun.data(connPid, inParts, 'nofin', 'Buy milk')
  gun.data(connPid, inParts, 'fin', ' and bread')
  const streams = [whole, inParts]
  const answers = await Promise.all(streams.map(streamRef => gun.awaitResponse(connPid, streamRef)))
  // #endregion
  assert.deepEqual(
    answers.map(({ body }) => String(body)),
    ['PUT /notes/1 Buy milk', 'PUT /notes/2 Buy milk and bread'],
  )
})

test('request sends any method', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/request
  const streamRef = gun.request(connPid, 'PROPFIND', '/files', { depth: '1' }, '')
  const { status, body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(String(body), 'PROPFIND /files')
})

test('headers sends the head of a request, whose body follows by data', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/headers
  const streamRef = gun.headers(connPid, 'POST', '/log', { 'content-type': 'text/plain' })
  for (const line of ['started\n', 'ready\n']) gun.data(connPid, streamRef, 'nofin', line)
  // An empty part does not end the body; 'fin' does.
  gun.data(connPid, streamRef, 'fin', '')
  const { body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(String(body), 'POST /log started\nready')
})

test('data says when to pause, and a notification when to go on', async () => {
  await using it = await connect(server)
  const { connPid } = it
  const folder = await mkdtemp(join(tmpdir(), 'upload-'))
  const file = join(folder, 'file')
  await writeFile(file, 'x'.repeat(1024 * 1024))
  // #region gun/data, gun/types/ReqOpts, gun/messages/gun_notify
  const reqOpts = { sendHighWaterMark: 64 * 1024 }
  const streamRef = gun.put(connPid, '/upload', {}, undefined, reqOpts)
  for await (const chunk of createReadStream(file)) {
    if (gun.data(connPid, streamRef, 'nofin', chunk)) continue
    // Too much waits to be sent. The next message is a gun_notify 'drain', or a response that came early.
    const message = await gun.await(connPid, streamRef)
    if (message.type !== 'gun_notify') throw new Error('the server wants no more', { cause: message })
  }
  gun.data(connPid, streamRef, 'fin', '')
  const { status, body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.equal(body.length, 'PUT /upload '.length + 1024 * 1024)
  await rm(folder, { recursive: true })
})

test('trailers end the body of a request', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/trailers
  const streamRef = gun.headers(connPid, 'POST', '/upload', { trailer: 'x-checksum' })
  gun.data(connPid, streamRef, 'nofin', 'all of it')
  gun.trailers(connPid, streamRef, { 'x-checksum': '9f86d0' })
  const { status, headers } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(status, 200)
  assert.deepEqual(
    headers.filter(([name]) => name === 'x-trailers'),
    [['x-trailers', '{"x-checksum":"9f86d0"}']],
  )
})

test('the messages of a stream go to its replyTo', async () => {
  await using it = await connect(server)
  const { connPid } = it
  const folder = await mkdtemp(join(tmpdir(), 'report-'))
  const file = join(folder, 'file')
  // #region gun/types/ReqOpts
  const worker = spawn<gun.GunMessage>(async self => {
    const { connPid, streamRef } = await self.receive([{ type: 'gun_response' }])
    const { body } = await gun.awaitBody(connPid, streamRef)
    await writeFile(file, body)
  })
  // The response goes to the worker, in whose mailbox at most ten parts of the body wait.
  gun.get(connPid, '/report', {}, { replyTo: worker, flow: 10 })
  await worker.exited
  // #endregion
  assert.equal(await readFile(file, 'utf8'), 'GET /report')
  await rm(folder, { recursive: true })
})
