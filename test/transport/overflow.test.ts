// A peer that sends without end while somebody waits for something else: it is paused, or ended, and memory is bounded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Process, type ProcessOptions } from '@holster/process'
import { frame, opcodes, receiveFrame } from '@holster/testing/frames'
import { connect, heldUp } from '../support/client.ts'
import { isPaused, settle, until } from '../support/flood.ts'
import { onEachLine } from '../support/http-scene.ts'
import { type Fields, type HttpPeer, httpOrigin, NOTHING } from '../support/http-server.ts'
import * as h2 from '../support/http2-frames.ts'
import { scene } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { upgraded, wires } from '../support/websocket-scene.ts'

const FIRST = 100
const SECOND = 1000
const MARKS: ProcessOptions = {
  highWaterMark: { messages: FIRST },
  waitingHighWaterMark: { messages: SECOND },
}
/** Less than so many frames that bring nothing end an HTTP/2 connection by themselves. */
const MANY_SETTINGS: ProcessOptions = {
  highWaterMark: { messages: 20 },
  waitingHighWaterMark: { messages: 200 },
}
/** How many messages one read may bring beyond a mark, of one byte at the least. */
const READ = 128 * 1024

/** Sends over and over until the client has gone, or wants no more of the stream. */
async function flood(send: () => Promise<void>, isOver = () => false): Promise<void> {
  try {
    for (; !isOver(); await turn()) await send()
  } catch {
    // The client has gone.
  }
}

const many = (bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: 50 }, () => bytes))

/** What a server may say in a body without end, and what it begins with. */
const floods: readonly (readonly [what: string, part: string, fields: Fields])[] = [
  ['parts of a body', 'x', []],
  ['events', 'data\n\n'.repeat(10), [['content-type', 'text/event-stream']]],
]

function assertBounded({ messageQueueLength }: Process<gun.GunMessage>): void {
  assert.ok(messageQueueLength > SECOND, `only ${messageQueueLength} wait`)
  assert.ok(messageQueueLength <= SECOND + READ, `${messageQueueLength} wait`)
}

for (const [what, part, fields] of floods) {
  onEachLine(
    `${what} without end have their stream ended when the owner waits for its trailers`,
    async line => {
      await using server = await httpOrigin(line, async (peer: HttpPeer) => {
        const asked = await peer.request()
        await asked.head(200, fields)
        let isOver = false
        const flooding = flood(
          async () => void (await Promise.all(Array.from({ length: 50 }, () => asked.data(part)))),
          () => isOver,
        )
        if (line.version === 'http2') {
          const next = await peer.request()
          isOver = true
          await flooding
          await next.answer(NOTHING)
        }
        await flooding
      })
      const opts = { retry: 0, httpOpts: { contentHandlers: [gun.sse()] } }
      await using client = await connect(server, line, opts, MARKS)
      const { owner, connPid } = client
      const streamRef = gun.get(connPid, '/')
      const { reason } = (await owner.receive([
        { type: 'gun_error', connPid, streamRef },
        { type: 'gun_trailers', connPid, streamRef },
      ] as const)) as gun.GunErrorMessage
      assert.equal(reason.code, 'limit_reached')
      assert.match(reason.message, /waitingHighWaterMark/)
      assertBounded(owner)
      if (line.version === 'http') {
        assert.equal(reason.kind, 'connection_error')
        return
      }
      // Another stream does not suffer.
      assert.equal(reason.kind, 'stream_error')
      const next = await gun.await(connPid, gun.get(connPid, '/next'))
      assert.equal(next.type, 'gun_response')
    },
  )
}

test('interim responses without end have the connection ended when the owner waits for the response', async () => {
  await using _left = assertNothingLeft()
  await using server = await httpOrigin({ version: 'http', transport: 'tcp' }, async peer => {
    await peer.request()
    const informs = many(Buffer.from('HTTP/1.1 103 x\r\n\r\n'))
    await flood(() => peer.send(informs))
  })
  await using client = await connect(server, 'tcp', { retry: 0 }, MARKS)
  const { owner, connPid } = client
  const streamRef = gun.get(connPid, '/')
  const answer = await owner.receive([
    { type: 'gun_response', streamRef },
    { type: 'gun_error', streamRef },
  ])
  assert.equal(answer.type === 'gun_error' && answer.reason.code, 'limit_reached')
  assertBounded(owner)
})

test('heads count with what is in their fields', async () => {
  await using _left = assertNothingLeft()
  const mark = 1024 * 1024
  await using server = await httpOrigin({ version: 'http', transport: 'tcp' }, async peer => {
    await peer.request()
    const inform = Buffer.from(`HTTP/1.1 103 x\r\nlink: ${'x'.repeat(32_768)}\r\n\r\n`)
    await flood(() => peer.send(inform))
  })
  await using client = await connect(server, 'tcp', { retry: 0 }, { highWaterMark: { bytes: mark } })
  gun.get(client.connPid, '/')
  await until(heldUp(() => isPaused(client)))
  await settle()
  assert.ok(isPaused(client))
  assert.ok(client.owner.messageQueueLength <= mark / 32_768 + 66)
})

for (const wire of wires) {
  test(`empty messages without end end a WebSocket whose owner waits for another, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, { opts: { retry: 0 }, ownerOptions: MARKS })
    const { self, streamRef } = it
    let isOver = false
    const empty = many(frame({ opcode: opcodes.text, payload: '' }))
    const flooding = flood(
      () => it.peer.send(empty),
      () => isOver,
    )
    const closed = receiveFrame(it.peer)
    const answer = await self.receive([
      { type: 'gun_ws', streamRef, frame: ['text', 'never'] },
      { type: 'gun_error', streamRef },
    ])
    isOver = true
    assert.ok(answer.type === 'gun_error')
    assert.equal(answer.reason.code, 'limit_reached')
    assertBounded(self)
    const { opcode, payload } = await closed
    assert.deepEqual([opcode, payload.readUInt16BE()], [opcodes.close, 1008])
    await flooding
  })

  test(`what comes behind as much as may wait is heard, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, { ownerOptions: MARKS })
    const { self, streamRef } = it
    const text = (payload: string) => frame({ opcode: opcodes.text, payload })
    const sending = it.peer.send(Buffer.concat([...Array(SECOND - 10).fill(text('')), text('last')]))
    const { frame: last } = await self.receive([{ type: 'gun_ws', streamRef, frame: ['text', 'last'] }])
    assert.equal(last[1], 'last')
    await sending
    gun.wsSend(it.connPid, streamRef, ['text', 'still here'])
    assert.equal(String((await receiveFrame(it.peer)).payload), 'still here')
  })

  test(`a flood holds up neither another connection's beginning nor what it brings, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using loud = await upgraded(wire, { ownerOptions: MARKS })
    const { self, streamRef } = loud
    let isOver = false
    const empty = many(frame({ opcode: opcodes.text, payload: '' }))
    const flooding = flood(
      () => loud.peer.send(empty),
      () => isOver,
    )
    // A pattern that pins nothing may be answered by anybody, so that all are read.
    const received = self.receive([{ type: 'gun_up' }])
    await until(() => self.messageQueueLength > SECOND)
    await settle()
    const waiting = self.messageQueueLength
    await settle()
    assert.equal(self.messageQueueLength, waiting)
    await using server = await httpOrigin({ version: 'http', transport: 'tcp' }, peer => peer.serve(NOTHING))
    const other = gun.open(server.host, server.port, { owner: self, protocols: ['http'] })
    assert.equal((await received).connPid, other)
    const asked = gun.get(other, '/')
    assert.equal((await self.receive([{ type: 'gun_response', streamRef: asked }])).status, 204)
    assert.notEqual(gun.streamInfo(loud.connPid, streamRef), undefined)
    assert.equal(self.messageQueueLength, waiting)
    isOver = true
    gun.close(other)
    gun.close(loud.connPid)
    await flooding
  })
}

test('a slow replyTo holds its connection up at its second mark while the owner waits for gun_down', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using replyTo = createProcess<gun.GunMessage>(MARKS)
  await using it = await upgraded('tcp', { wsOpts: { replyTo } })
  const { connPid } = it
  await replyTo.receive([{ type: 'gun_upgrade' }])
  const down = it.self.receive([{ type: 'gun_down', connPid }])
  const count = 10 * SECOND
  const sending = it.peer.send(Buffer.concat(Array(count).fill(frame({ opcode: opcodes.text, payload: '' }))))
  for (let taken = 0; taken < count; taken++) {
    const {
      frame: [name],
    } = await replyTo.receive([{ type: 'gun_ws' }])
    assert.equal(name, 'text')
    assert.ok(replyTo.messageQueueLength <= SECOND + READ)
  }
  await sending
  it.peer.reset()
  await down
})

test('a server that sends frames of an HTTP/2 connection itself without end loses it, since only streams can be held up', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({
    http2Opts: { notifySettingsChanged: true },
    opts: { retry: 0 },
    owner: MANY_SETTINGS,
  })
  await it.seen()
  await it.peer.send(Array.from({ length: 300 }, () => h2.settings({ MAX_CONCURRENT_STREAMS: 7 })))
  await until(() => gun.info(it.connPid).stateName === 'terminated')
  assert.ok(it.self.flush({ type: 'gun_notify', connPid: it.connPid }) > 200)
  const { reason } = await it.self.receive([{ type: 'gun_down', connPid: it.connPid }])
  assert.equal(reason !== 'normal' && reason.code, 'limit_reached')
})
