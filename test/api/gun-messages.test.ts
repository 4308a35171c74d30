/** Examples of the pages on messages: the regions are shown there, and what is around them shows that they are true. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { connect, freePort } from '../support/client.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** Gives a long body in parts, hints or trailers as the path says; the first request for `/crash` loses its connection. */
async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/crash') return void request.socket.destroy()
  if (request.url === '/hints') {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    response.end('<!doctype html>')
    return
  }
  if (request.url === '/checked') response.writeHead(200, { trailer: 'x-checksum' })
  for (const part of ['one', 'two', 'three']) if (!response.write(part)) await once(response, 'drain')
  if (request.url === '/checked') response.addTrailers({ 'x-checksum': '9f86d0' })
  response.end()
}

const server = await websocketServer({ onRequest })
const { port } = server
test.after(() => server.close())

test('gun_up says which protocol the connection speaks', async () => {
  await using self = createProcess<gun.GunMessage>()
  // #region gun/messages/gun_up
  const connPid = gun.open('localhost', port, { owner: self })
  const answer = await self.receive([
    { type: 'gun_up', connPid },
    { type: 'gun_error', connPid },
  ])
  if (answer.type === 'gun_error') throw answer.reason
  const { protocol } = answer
  // #endregion
  assert.equal(protocol, 'http')
  gun.close(connPid)
})

test('gun_down comes behind the errors of the streams, and gun_up when the connection is there again', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_down
  // The server crashes while it is at work on a request.
  const streamRef = gun.get(connPid, '/crash')
  const { reason } = await self.receive([{ type: 'gun_error', connPid, streamRef }])
  const { killedStreams } = await self.receive([{ type: 'gun_down', connPid }])
  // The connection is made again by itself, the request is not.
  await self.receive([{ type: 'gun_up', connPid }])
  const { status } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  // #endregion
  assert.equal(reason.code, 'closed')
  assert.deepEqual(killedStreams, [streamRef])
  assert.equal(status, 200)
})

test('gun_error comes in place of a response', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_error
  const streamRef = gun.get(connPid, '/crash')
  const answer = await self.receive([
    { type: 'gun_response', connPid, streamRef },
    { type: 'gun_error', connPid, streamRef },
  ])
  const outcome = answer.type === 'gun_error' ? answer.reason.code : answer.status
  // #endregion
  assert.equal(outcome, 'closed')
})

test('gun_error gives back the frames that could not be sent', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_error
  const streamRef = gun.wsUpgrade(connPid, '/chat')
  // The server has not answered yet, so the frame is refused. The upgrade goes on all the same.
  gun.wsSend(connPid, streamRef, ['text', 'too early'])
  const { reason } = await self.receive([{ type: 'gun_error', connPid, streamRef }])
  const unsent = reason.code === 'badstate' ? reason.frames : undefined
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  // #endregion
  assert.deepEqual(unsent, [['text', 'too early']])
})

test('gun_error without a stream is the last word of a connection', async () => {
  const port = await freePort()
  await using self = createProcess<gun.GunMessage>()
  // #region gun/messages/gun_error
  const connPid = gun.open('localhost', port, { owner: self, retry: 1, retryTimeout: 10 })
  const ref = self.monitor(connPid)
  // Once all attempts have failed: first the error, then the end of the connection.
  const { reason: error } = await self.receive([{ type: 'gun_error', connPid, streamRef: undefined }])
  const { reason } = await self.receive([{ type: 'DOWN', ref }])
  // #endregion
  assert.equal(error.code, 'connect_error')
  assert.deepEqual(reason, ['shutdown', error])
})

test('gun_inform comes before the response', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_inform
  const streamRef = gun.get(connPid, '/hints')
  // Early hints: what the page needs can be fetched while the server still makes the page.
  const hints = await self.receive([{ type: 'gun_inform', connPid, streamRef, status: 103 }])
  const links = hints.headers.filter(([name]) => name === 'link').map(([, value]) => value)
  const { status } = await self.receive([{ type: 'gun_response', connPid, streamRef }])
  // #endregion
  assert.deepEqual(links, ['</style.css>; rel=preload'])
  assert.equal(status, 200)
})

test('gun_response comes first, and gun_data for each part of the body', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_response, gun/messages/gun_data
  const streamRef = gun.get(connPid, '/')
  const head = await self.receive([{ type: 'gun_response', connPid, streamRef }])
  let { isFin } = head
  const parts: Buffer[] = []
  while (isFin === 'nofin') {
    const part = await self.receive([{ type: 'gun_data', connPid, streamRef }])
    parts.push(part.data)
    isFin = part.isFin
  }
  // #endregion
  assert.equal(head.status, 200)
  assert.equal(String(Buffer.concat(parts)), 'onetwothree')
})

test('gun_trailers end a response in place of a last part', async () => {
  await using it = await connect(server)
  const { connPid, owner: self } = it
  // #region gun/messages/gun_trailers
  const streamRef = gun.get(connPid, '/checked')
  await self.receive([{ type: 'gun_response', connPid, streamRef, isFin: 'nofin' }])
  const parts: Buffer[] = []
  let trailers: gun.Headers | undefined
  // A body that trailers follow has no 'fin' among its parts.
  for (let isOpen = true; isOpen; ) {
    const message = await self.receive([
      { type: 'gun_data', connPid, streamRef },
      { type: 'gun_trailers', connPid, streamRef },
    ])
    if (message.type === 'gun_data') parts.push(message.data)
    else trailers = message.headers
    isOpen = message.type === 'gun_data' && message.isFin === 'nofin'
  }
  // #endregion
  assert.equal(String(Buffer.concat(parts)), 'onetwothree')
  assert.deepEqual(trailers, [['x-checksum', '9f86d0']])
})

test('a GunError says what happened, on which level, and whether it helps to try again', async () => {
  const port = await freePort()
  await using self = createProcess<gun.GunMessage>()
  // #region gun/errors/GunError
  let advice = ''
  const connPid = gun.open('localhost', port, { owner: self, retry: 0 })
  try {
    await gun.awaitUp(connPid)
  } catch (error) {
    if (!(error instanceof gun.GunError)) throw error
    // Of kind 'down', since the connection has ended. The cause says why.
    const { kind, isPermanent, cause } = error
    const code = cause instanceof gun.GunError ? cause.code : 'unknown'
    advice = `${kind}, ${code}: ${isPermanent ? 'correct the program' : 'try again later'}`
  }
  // #endregion
  assert.equal(advice, 'down, connect_error: try again later')
})
