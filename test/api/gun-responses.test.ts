/** Examples of the pages on responses: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { connect } from '../support/client.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** The parts of a long body, each sent once the one before it has left. */
async function sendLines(response: ServerResponse): Promise<void> {
  for (const n of [1, 2, 3, 4]) {
    if (!response.write(`line ${n}\n`)) await once(response, 'drain')
  }
  response.end()
}

function sendEvents(response: ServerResponse, from: string | undefined): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let id = Number(from ?? 0) + 1; id <= 3; id++) {
    response.write(`id: ${id}\nevent: price\ndata: ${id * 100}\n\n`)
  }
  response.end()
}

function onRequest(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/slow') return
  if (request.url === '/lines') return void sendLines(response)
  if (request.url === '/events') return sendEvents(response, request.headers['last-event-id']?.toString())
  if (request.headers['accept-encoding'] === 'gzip') {
    response.writeHead(200, { 'content-encoding': 'gzip' })
    response.end(gzipSync('Hello'))
  } else response.end('Hello')
}

const server = await websocketServer({ onRequest })
const { port } = server
test.after(() => server.close())

test('awaitResponse collects the whole response', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/awaitResponse
  const { status, headers, body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  const contentType = headers.find(([name]) => name === 'content-type')?.[1]
  const text = body.toString('utf8')
  // #endregion
  assert.deepEqual([status, contentType, text], [200, undefined, 'Hello'])
})

test('await takes one message, and awaitBody the rest of the response', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/await, gun/awaitBody
  const streamRef = gun.get(connPid, '/lines')
  const head = await gun.await(connPid, streamRef)
  if (head.type !== 'gun_response') throw new Error(`${head.type} in place of a response`)
  // There is a body only if the head says so.
  const body = head.isFin === 'nofin' ? (await gun.awaitBody(connPid, streamRef)).body : Buffer.alloc(0)
  // #endregion
  assert.equal(head.status, 200)
  assert.equal(String(body), 'line 1\nline 2\nline 3\nline 4\n')
})

test('requests are sent at once, and their responses awaited in any order', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/await
  const [first, second] = [gun.get(connPid, '/1'), gun.get(connPid, '/2')]
  // Takes messages of the second stream alone; those of the first wait in the mailbox.
  const secondHead = await gun.await(connPid, second)
  const firstHead = await gun.await(connPid, first)
  // #endregion
  assert.deepEqual([firstHead.type, secondHead.type], ['gun_response', 'gun_response'])
})

test('an await can be limited in time and given up', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/types/AwaitOpts
  const controller = new AbortController()
  const monitorRef = self.monitor(connPid)
  const streamRef = gun.get(connPid, '/slow')
  const answer = gun.await(connPid, streamRef, { timeout: 60_000, signal: controller.signal, monitorRef })
  controller.abort(new Error('the user has left'))
  const outcome = await answer.catch((reason: Error) => reason.message)
  gun.cancel(connPid, streamRef)
  // #endregion
  assert.equal(outcome, 'the user has left')
})

test('a body can be limited in size', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/types/AwaitBodyOpts
  const streamRef = gun.get(connPid, '/lines')
  const limits = { timeout: 10_000, maxBodySize: 10 }
  const outcome = await gun.awaitResponse(connPid, streamRef, limits).catch((error: unknown) => error)
  const isTooLarge = outcome instanceof gun.GunError && outcome.code === 'limit_reached'
  // The stream is cancelled, and the connection goes on.
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), limits)
  // #endregion
  assert.equal(isTooLarge, true)
  assert.equal(status, 200)
})

test('sse makes a message of each event, and the last id continues the stream', async () => {
  await using self = createProcess<gun.GunMessage>()
  // #region gun/sse, gun/messages/gun_sse, gun/types/SseOpts
  const httpOpts = { contentHandlers: [gun.sse({ maxEventSize: 64 * 1024 })] }
  const connPid = gun.open('localhost', port, { owner: self, httpOpts })
  // Goes on behind the event with the id 1.
  const headers = { accept: 'text/event-stream', 'last-event-id': '1' }
  const streamRef = gun.get(connPid, '/events', headers)
  const events: string[] = []
  for (;;) {
    const { event } = await self.receive([{ type: 'gun_sse', connPid, streamRef }])
    if (event === 'fin') break
    const { eventType, lastEventId, data } = event
    events.push(`${eventType} ${lastEventId}: ${data}`)
  }
  // #endregion
  assert.deepEqual(events, ['price 2: 200', 'price 3: 300'])
  gun.close(connPid)
})

test('decode decodes compressed bodies', async () => {
  await using self = createProcess<gun.GunMessage>()
  // #region gun/decode, gun/types/DecodeOpts
  // A small body that decodes to more than 50 times its size may be an attack.
  const httpOpts = { contentHandlers: [gun.decode({ maxRatio: 50 })] }
  const connPid = gun.open('localhost', port, { owner: self, httpOpts })
  const streamRef = gun.get(connPid, '/', { 'accept-encoding': 'gzip' })
  const { body } = await gun.awaitResponse(connPid, streamRef)
  // #endregion
  assert.equal(String(body), 'Hello')
  gun.close(connPid)
})

test('cancel silences a stream', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/cancel
  const streamRef = gun.get(connPid, '/slow')
  gun.cancel(connPid, streamRef)
  // Nothing of the stream is posted any more; what was posted before can be dropped.
  gun.flush(streamRef)
  const answer = await self.receive([{ type: 'gun_response', streamRef }], 0).catch(() => 'none')
  // #endregion
  assert.equal(answer, 'none')
})

test('updateFlow asks for the next parts of a body', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/updateFlow
  const streamRef = gun.get(connPid, '/lines', {}, { flow: 1 })
  await self.receive([{ type: 'gun_response', connPid, streamRef }])
  let text = ''
  for (;;) {
    const { isFin, data } = await self.receive([{ type: 'gun_data', connPid, streamRef }])
    text += data
    if (isFin === 'fin') break
    // Asks for one message more; until then no more is read from the server.
    gun.updateFlow(connPid, streamRef, 1)
  }
  // #endregion
  assert.equal(text, 'line 1\nline 2\nline 3\nline 4\n')
})

test('streamInfo tells how far a request is', async () => {
  await using it = await connect(server)
  const { connPid } = it
  // #region gun/streamInfo
  const first = gun.get(connPid, '/slow')
  const second = gun.get(connPid, '/')
  const { state, request } = gun.streamInfo(connPid, second) ?? {}
  // Over HTTP/1.1 a response waits for those before it.
  const isHeldUp = request?.behind === first
  // #endregion
  assert.deepEqual([state, isHeldUp], ['running', true])
})
