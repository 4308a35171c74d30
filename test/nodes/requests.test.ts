// Requests on a connection of another node: bodies in both directions, cancelling, flow.

import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { defer, PATIENCE, rejection } from '../support/client.ts'
import { httpServer } from '../support/http-server.ts'
import { nameOf, speaking, type Version, versions } from '../support/line.ts'
import { away, type Nodes, startNodes } from '../support/nodes.ts'

let nodes: Nodes

before(async () => {
  nodes = await startNodes(1)
})

after(() => nodes[Symbol.asyncDispose]())

/** Tells what was asked for. */
function mirror(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { trailers } = request
    const body = JSON.stringify({
      method: request.method,
      url: request.url,
      body: Buffer.concat(chunks).toString(),
      ...('x-end' in trailers && { end: trailers['x-end'] }),
    })
    response.writeHead(200, { 'x-method': String(request.method) })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
}

function onEachVersion(name: string, run: (version: Version) => Promise<void>): void {
  for (const version of versions) test(`${nameOf(version)}: ${name}`, () => run(version))
}

onEachVersion('requests of every method are answered', async version => {
  await using server = await httpServer({ version, transport: 'tcp' }, mirror)
  await using it = await away(server, speaking(version))
  const { connPid } = it
  const told = async (streamRef: gun.StreamRef) => {
    const { status, body, headers } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
    assert.equal(status, 200)
    const method = headers.find(([field]) => field === 'x-method')?.[1]
    return body.length === 0 ? { method } : JSON.parse(body.toString())
  }
  assert.deepEqual(await told(gun.get(connPid, '/a')), { method: 'GET', url: '/a', body: '' })
  assert.deepEqual(await told(gun.head(connPid, '/a')), { method: 'HEAD' })
  assert.equal((await told(gun.options(connPid, '*'))).method, 'OPTIONS')
  assert.equal((await told(gun.delete(connPid, '/a'))).method, 'DELETE')
  for (const [method, send] of Object.entries({ PATCH: gun.patch, POST: gun.post, PUT: gun.put })) {
    const expected = { method, url: '/b', body: 'hé' }
    assert.deepEqual(await told(send(connPid, '/b', { 'x-a': 'b' }, 'hé')), expected)
    const streamRef = send(connPid, '/b', {})
    gun.data(connPid, streamRef, 'nofin', 'h')
    gun.data(connPid, streamRef, 'fin', Buffer.from('é'))
    assert.deepEqual(await told(streamRef), expected)
  }
  const sent = gun.request(connPid, 'REPORT', '/r', { 'x-a': 'b' }, new Uint8Array([104, 105]))
  assert.deepEqual(await told(sent), { method: 'REPORT', url: '/r', body: 'hi' })
  const streamRef = gun.headers(connPid, 'POST', '/t', { trailer: 'x-end' })
  gun.data(connPid, streamRef, 'nofin', 'abc')
  gun.trailers(connPid, streamRef, { 'x-end': 'over' })
  assert.deepEqual(await told(streamRef), { method: 'POST', url: '/t', body: 'abc', end: 'over' })
})

onEachVersion('an upload is held up by its high-water mark', async version => {
  let received = 0
  const isReading = defer<void>()
  await using server = await httpServer({ version, transport: 'tcp' }, (request, response) => {
    void isReading.promise.then(() => {
      request.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      request.on('end', () => response.end('done'))
    })
  })
  await using it = await away(server, speaking(version))
  const { connPid, owner } = it
  const chunk = Buffer.alloc(64 * 1024)
  const streamRef = gun.post(connPid, '/', {}, undefined, { sendHighWaterMark: 4 * chunk.length })
  let sent = 0
  let waits = 0
  const upload = async (): Promise<void> => {
    while (sent < 512 * chunk.length) {
      sent += chunk.length
      if (gun.data(connPid, streamRef, 'nofin', chunk)) continue
      if (waits++ === 0) {
        assert.ok(sent <= 4 * chunk.length)
        isReading.resolve()
      }
      await owner.receive([{ type: 'gun_notify', event: 'drain', streamRef }], PATIENCE)
    }
  }
  // Until the server reads, no more goes out than the mark and what the sockets take.
  await upload()
  gun.data(connPid, streamRef, 'fin', '')
  assert.equal(String((await gun.awaitResponse(connPid, streamRef, PATIENCE)).body), 'done')
  assert.equal(received, sent)
  assert.equal(waits > 100, true)
  assert.equal(owner.flush({ type: 'gun_notify' }), 0)
})

onEachVersion('a stream that is cancelled posts nothing more', async version => {
  const asked = defer<ServerResponse>()
  await using server = await httpServer({ version, transport: 'tcp' }, (request, response) => {
    if (request.url === '/slow') asked.resolve(response)
    else response.end('quick')
  })
  await using it = await away(server, speaking(version))
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/slow')
  const response = await asked.promise
  gun.cancel(connPid, streamRef)
  gun.cancel(connPid, streamRef)
  const { reason } = await owner.receive([{ type: 'gun_error', streamRef }], PATIENCE)
  assert.equal(reason.code, 'badstate')
  response.end('late')
  const quick = gun.get(connPid, '/quick')
  assert.equal(String((await gun.awaitResponse(connPid, quick, PATIENCE)).body), 'quick')
  assert.equal(owner.flush({ streamRef }), 0)
})

onEachVersion('flow holds up a body until updateFlow asks for more', async version => {
  const parts = ['a', 'b', 'c', 'd']
  await using server = await httpServer({ version, transport: 'tcp' }, async (_request, response) => {
    for (const part of parts) await new Promise<void>(sent => response.write(part.repeat(1000), () => sent()))
    response.end()
  })
  await using it = await away(server, speaking(version))
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/', {}, { flow: 1 })
  let body = ''
  await owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  for (;;) {
    const { data, isFin } = await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    body += data.toString()
    if (isFin === 'fin') break
    assert.equal(owner.flush({ type: 'gun_data', streamRef }), 0)
    assert.equal((await gun.remoteStreamInfo(connPid, streamRef))?.request?.flow, 0)
    gun.updateFlow(connPid, streamRef, 1)
  }
  assert.equal(body, parts.map(part => part.repeat(1000)).join(''))
})

onEachVersion('awaitBody and awaitResponse ask for more by themselves', async version => {
  await using server = await httpServer({ version, transport: 'tcp' }, async (_request, response) => {
    for (const part of ['a', 'b', 'c']) await new Promise<void>(sent => response.write(part, () => sent()))
    response.end()
  })
  await using it = await away(server, speaking(version, { httpOpts: { flow: 1 } }))
  const { connPid } = it
  assert.equal(String((await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)).body), 'abc')
  const streamRef = gun.get(connPid, '/', {}, { flow: 1 })
  const head = await gun.await(connPid, streamRef, PATIENCE)
  assert.equal(head.type, 'gun_response')
  assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), 'abc')
})

onEachVersion('a body beyond maxBodySize is cancelled', async version => {
  await using server = await httpServer({ version, transport: 'tcp' }, (request, response) => {
    response.end(request.url === '/big' ? Buffer.alloc(100_000) : 'small')
  })
  await using it = await away(server, speaking(version))
  const { connPid } = it
  const error = await rejection(gun.awaitResponse(connPid, gun.get(connPid, '/big'), { maxBodySize: 10 }))
  assert.equal(error.code, 'limit_reached')
  assert.equal(String((await gun.awaitResponse(connPid, gun.get(connPid, '/'))).body), 'small')
})
