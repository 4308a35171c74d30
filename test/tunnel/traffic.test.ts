// Whatever goes over a connection goes through tunnels as well: bodies both ways, WebSockets, pushes, pings, and streams that are cancelled.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { PATIENCE, receiveError } from '../support/client.ts'
import type { Kinds } from '../support/tunnel-chains.ts'
import { BIG, HELLO, PUSHED } from '../support/tunnel-origins.ts'
import { leadsTo, someWays, type Through, through, wayName } from '../support/tunnel-ways.ts'

const PIECE = 10_000
const toHttp = someWays.filter(kinds => !leadsTo(kinds, 'raw', 'rawtls'))
const toHttp1 = someWays.filter(kinds => leadsTo(kinds, 'http', 'https'))
const toHttp2 = someWays.filter(kinds => leadsTo(kinds, 'h2c', 'h2'))
const toRaw = someWays.filter(kinds => leadsTo(kinds, 'raw', 'rawtls'))

/** A test for each of these ways. */
function onEach(ways: readonly Kinds[], name: string, run: (it: Through) => Promise<void>): void {
  for (const kinds of ways) {
    test(`${name}, through ${wayName(kinds)}`, async () => {
      await using it = await through(kinds)
      await run(it)
      await assertNothingElse(it)
    })
  }
}

/** Nothing else has come, but what follows the end of raw: that of the tunnel around it, or of the connection. */
async function assertNothingElse({ self, next, tunnels }: Through): Promise<void> {
  while (self.messageQueueLength > 0) {
    const message = await next()
    if (message.type === 'gun_down') assert.equal(message.reason, 'normal')
    else if (message.type !== 'gun_error') assert.fail(message.type)
    else assert.deepEqual([message.streamRef, message.reason.code], [tunnels[0], 'closed'])
  }
}

async function greet({ connPid, to }: Through): Promise<void> {
  const { status, body } = await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, to), PATIENCE)
  assert.deepEqual([status, String(body)], [200, HELLO])
}

onEach(toHttp, 'a body of 1 MiB comes whole', async it => {
  const { connPid, to } = it
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/big', {}, to), PATIENCE)
  assert.ok(body.equals(BIG))
  await greet(it)
})

onEach(toHttp, 'a body of 1 MiB is sent at once and comes back', async it => {
  const { connPid, to } = it
  const streamRef = gun.post(connPid, '/echo', {}, BIG, to)
  const { body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.ok(body.equals(BIG))
  await greet(it)
})

onEach(toHttp, 'a body of 1 MiB is sent in pieces and comes back', async it => {
  const { connPid, to } = it
  const streamRef = gun.headers(connPid, 'POST', '/echo', {}, to)
  for (let at = 0; at < BIG.length; at += PIECE) {
    gun.data(connPid, streamRef, at + PIECE < BIG.length ? 'nofin' : 'fin', BIG.subarray(at, at + PIECE))
  }
  const { body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.ok(body.equals(BIG))
  await greet(it)
})

onEach(toRaw, '1 MiB of raw bytes is sent and comes back, up to the end of both sides', async it => {
  const { connPid, self, tunnel } = it
  for (let at = 0; at < BIG.length; at += PIECE) {
    gun.data(connPid, tunnel, at + PIECE < BIG.length ? 'nofin' : 'fin', BIG.subarray(at, at + PIECE))
  }
  const parts: Buffer[] = []
  for (let isFin = 'nofin'; isFin === 'nofin'; ) {
    const part = await self.receive([{ type: 'gun_data', connPid, streamRef: tunnel }], PATIENCE)
    parts.push(part.data)
    isFin = part.isFin
  }
  assert.ok(Buffer.concat(parts).equals(BIG))
  // A connection that has become the tunnel ends with it.
  if (tunnel === undefined) await self.receive([{ type: 'gun_down', connPid, reason: 'normal' }], PATIENCE)
  if (tunnel === undefined) await self.receive([{ type: 'gun_error', connPid }], 0).catch(() => {})
})

onEach(toHttp, 'a WebSocket that compresses echoes', async ({ connPid, self, to }) => {
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { compress: true, ...to })
  const upgrade = await gun.await(connPid, streamRef, PATIENCE)
  assert.ok(upgrade.type === 'gun_upgrade')
  const [, extensions] = upgrade.headers.find(([name]) => name === 'sec-websocket-extensions') ?? []
  assert.match(extensions ?? '', /permessage-deflate/)
  const texts = ['Hello', 'Hello again '.repeat(10_000), '']
  for (const text of texts) gun.wsSend(connPid, streamRef, ['text', text])
  const hasRoom = gun.wsSend(connPid, streamRef, ['binary', BIG])
  assert.equal(hasRoom, false)
  for (const text of texts) {
    const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
    assert.deepEqual(frame, ['text', text])
  }
  const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
  assert.ok(frame[0] === 'binary' && BIG.equals(Buffer.from(frame[1])))
  await self.receive([{ type: 'gun_notify', event: 'drain', streamRef }], 0)
})

onEach(toHttp2, 'a response is pushed', async it => {
  const { chain, connPid, to } = it
  const streamRef = gun.get(connPid, '/pushing', {}, to)
  const push = await gun.await(connPid, streamRef, PATIENCE)
  assert.ok(push.type === 'gun_push')
  const scheme = chain.origin.kind === 'h2' ? 'https' : 'http'
  assert.equal(push.uri, `${scheme}://localhost:${chain.origin.port}/pushed`)
  const [pushed, asked] = await Promise.all([
    gun.awaitResponse(connPid, push.newStreamRef, PATIENCE),
    gun.awaitResponse(connPid, streamRef, PATIENCE),
  ])
  assert.deepEqual([String(pushed.body), String(asked.body)], [PUSHED, HELLO])
})

onEach(toHttp2, 'a ping is answered', async it => {
  const { connPid, to } = it
  const answer = await gun.await(connPid, gun.ping(connPid, to), PATIENCE)
  assert.ok(answer.type === 'gun_notify' && answer.event === 'ping_ack')
  await greet(it)
})

onEach(toHttp1, 'a ping is refused', async it => {
  const { connPid, to } = it
  const { code } = await receiveError({ owner: it.self, connPid }, gun.ping(connPid, to))
  assert.equal(code, 'badstate')
  await greet(it)
})

onEach(toHttp, 'a stream is cancelled before its response, and the tunnel lives on', async it => {
  const { connPid, to } = it
  const streamRef = gun.get(connPid, '/', {}, to)
  gun.cancel(connPid, streamRef)
  assert.equal(gun.streamInfo(connPid, streamRef)?.state ?? 'stopping', 'stopping')
  await greet(it)
})

onEach(toHttp, 'a stream is cancelled within its body, and the tunnel lives on', async it => {
  const { connPid, self, to } = it
  const streamRef = gun.get(connPid, '/big', {}, { flow: 1, ...to })
  await self.receive([{ type: 'gun_data', streamRef }], PATIENCE)
  gun.cancel(connPid, streamRef)
  gun.flush(streamRef)
  await greet(it)
})

onEach(toHttp, 'a body comes as its flow allows', async it => {
  const { connPid, self, to } = it
  const streamRef = gun.get(connPid, '/big', {}, { flow: 1, ...to })
  await self.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  const parts: Buffer[] = []
  for (let isFin = 'nofin'; isFin === 'nofin'; gun.updateFlow(connPid, streamRef, 1)) {
    const part = await self.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    assert.equal(self.messageQueueLength, 0)
    parts.push(part.data)
    isFin = part.isFin
  }
  assert.ok(Buffer.concat(parts).equals(BIG))
  await greet(it)
})
