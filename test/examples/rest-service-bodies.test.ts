/** Bodies of any size pass through the REST service, or end with whatever ends them, and never wait in it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { FIELD } from '../../examples/rest-service/deadline.ts'
import { relayUp, SEND_MARK } from '../../examples/rest-service/relay.ts'
import { eventually } from '../support/client.ts'
import { PATIENCE, PATIENT, type Scene, serving, statusOf } from './rest-service-scene.ts'

const PART = Buffer.alloc(64 * 1024, 'a')
/** Far more than all marks, windows and buffers of the kernel together. */
const PARTS = 1024

/** Sends parts, no faster than they are taken, and gives the response. */
async function upload({ connPid }: Scene, parts: number, path = '/files/1'): Promise<gun.FullResponse> {
  const streamRef = gun.put(connPid, path, PATIENT, undefined, { sendHighWaterMark: 1024 * 1024 })
  for (let n = 0; n < parts; n++) {
    if (!gun.data(connPid, streamRef, 'nofin', PART)) await gun.await(connPid, streamRef, PATIENCE)
  }
  gun.data(connPid, streamRef, 'fin', '')
  return gun.awaitResponse(connPid, streamRef, PATIENCE)
}

/** Holds once a count that had begun has not changed in a hundred looks, one a turn. */
function isStill(count: () => number): () => boolean {
  let last = 0
  let turns = 0
  return () => {
    turns = count() === last && last > 0 ? turns + 1 : 0
    last = count()
    return turns >= 100
  }
}

test('an upload that is larger than all marks comes through a slow backend whole', async t => {
  await using it = await serving(t)
  const read = it.backend.stall()
  const response = upload(it, PARTS)
  await eventually(() => it.backend.heard.length === 1, 'the backend has the head')
  read()
  assert.equal(String((await response).body), `{"path":"/files/1","size":${PARTS * PART.length}}`)
})

test('a relay takes no more of a body than its mark and the window of the backend allow', async t => {
  await using it = await serving(t)
  const read = it.backend.stall()
  const streamRef = gun.pool.put('/files/1', { host: `127.0.0.1:${it.backend.port}` }, undefined, {
    sendHighWaterMark: SEND_MARK,
  })
  let taken = 0
  let most = 0
  const body = async function* () {
    for (let n = 0; n < PARTS; n++) {
      most = Math.max(most, taken - it.backend.received)
      taken += PART.length
      yield PART
    }
  }
  const head = relayUp(body(), streamRef, new AbortController().signal)
  await eventually(
    isStill(() => taken),
    'the relay waits for the backend',
  )
  assert.ok(taken > SEND_MARK)
  read()
  assert.equal((await head).status, 201)
  await gun.pool.awaitBody(streamRef)
  assert.equal(it.backend.received, PARTS * PART.length)
  // A part that goes beyond the mark, the window of the stream, and what the stream of node:http2 has read ahead.
  const bound = SEND_MARK + PART.length + 65_535 + 2 * PART.length
  assert.ok(most <= bound, `${most} bytes were on their way`)
})

test('a download waits for a slow client', async t => {
  await using it = await serving(t)
  const size = PARTS * PART.length
  const streamRef = gun.get(it.connPid, `/files/${size}`, PATIENT, { flow: 1 })
  await gun.await(it.connPid, streamRef, PATIENCE)
  await eventually(
    isStill(() => it.backend.sent),
    'the backend is held back',
  )
  const { sent } = it.backend
  // Less than fits into a mailbox that is not emptied: the flow of the stream holds, with what the kernel takes.
  assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes were sent, though nobody reads`)
  let received = 0
  for (;;) {
    const message = await gun.await(it.connPid, streamRef, PATIENCE)
    if (message.type !== 'gun_data') break
    received += message.data.length
    if (message.isFin === 'fin') break
    gun.updateFlow(it.connPid, streamRef, 1)
  }
  assert.equal(received, size)
})

test('a backend that refuses an upload is heard before all of that was sent', async t => {
  await using it = await serving(t)
  it.backend.plan('PUT /files/1', 'too_large')
  const streamRef = gun.put(it.connPid, '/files/1')
  gun.data(it.connPid, streamRef, 'nofin', PART)
  assert.equal(await statusOf(it, streamRef), 413)
})

test('a backend that fails in the middle of an upload is 502, also while its client pauses', async t => {
  await using it = await serving(t)
  it.backend.plan('PUT /files/1', 'reset')
  const streamRef = gun.put(it.connPid, '/files/1')
  gun.data(it.connPid, streamRef, 'nofin', 'a')
  assert.equal(await statusOf(it, streamRef), 502)
})

test('a deadline that passes in the middle of an upload is 504', async t => {
  await using it = await serving(t)
  const streamRef = gun.put(it.connPid, '/files/1', { [FIELD]: '50' })
  gun.data(it.connPid, streamRef, 'nofin', 'a')
  assert.equal(await statusOf(it, streamRef), 504)
  await eventually(() => it.backend.underWay === 0, 'the stream is reset')
})

test('a deadline that passes before the body has come is 504', async t => {
  await using it = await serving(t)
  const streamRef = gun.post(it.connPid, '/orders', { [FIELD]: '50' })
  gun.data(it.connPid, streamRef, 'nofin', 'a')
  assert.equal(await statusOf(it, streamRef), 504)
  assert.equal(it.backend.heard.length, 0)
})

test('half an upload of a client that leaves is never a whole one', async t => {
  await using it = await serving(t)
  const streamRef = gun.put(it.connPid, '/files/1')
  gun.data(it.connPid, streamRef, 'nofin', PART)
  await eventually(() => it.backend.received > 0, 'the backend reads')
  gun.close(it.connPid)
  await eventually(() => it.backend.underWay === 0, 'the stream is reset')
  assert.equal(it.backend.answered, 0)
})
