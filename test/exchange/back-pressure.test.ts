// A body that follows its request: with a mark the caller is told when too much of it waits, and when to go on.

import assert from 'node:assert/strict'
import type http from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Process } from '@holster/process'
import { connect, defer, eventually, PATIENCE } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { type Ends, httpEnds } from '../support/http-ends.ts'
import { onEachLine, onEachVersion } from '../support/http-scene.ts'
import { type Asked, type HttpPeer, httpServer, NOTHING } from '../support/http-server.ts'
import * as h2 from '../support/http2-frames.ts'
import { ok, scene } from '../support/http2-scene.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

const KIB = 1024
const MIB = 1024 * KIB
const CHUNK = Buffer.alloc(64 * KIB, 'x')

interface Stream {
  readonly connPid: gun.ConnPid
  readonly streamRef: gun.StreamRef
}

/** A request whose body follows. */
function post(
  connPid: gun.ConnPid,
  length: number,
  sendHighWaterMark: number | undefined,
  headers: Record<string, string> = {},
): Stream {
  const reqOpts = sendHighWaterMark === undefined ? {} : { sendHighWaterMark }
  const fields = { 'content-length': String(length), ...headers }
  return { connPid, streamRef: gun.headers(connPid, 'POST', '/', fields, reqOpts) }
}

/** The same, as soon as the server has it and nothing of it waits here. */
async function begun(
  it: Pick<Ends<HttpPeer>, 'connPid' | 'peer'>,
  length: number,
  sendHighWaterMark: number | undefined,
): Promise<{ readonly stream: Stream; readonly asked: Asked }> {
  const stream = post(it.connPid, length, sendHighWaterMark)
  const asked = await it.peer.request()
  await settle()
  return { stream, asked }
}

const give = ({ connPid, streamRef }: Stream, chunk: gun.Bytes, isFin: gun.IsFin = 'nofin'): boolean =>
  gun.data(connPid, streamRef, isFin, chunk)

/** Waits for room, and gives how many bytes waited then. */
async function room(self: Process<gun.GunMessage>, { streamRef }: Stream): Promise<number> {
  const message = await self.receive([{ streamRef }], PATIENCE)
  assert.ok(message.type === 'gun_notify' && message.event === 'drain', `${message.type} is no drain`)
  return message.data
}

/** Gives chunks until there is no room, and says how many. */
function fill(stream: Stream): number {
  for (let n = 1; ; n++) {
    assert.ok(n < 10_000, 'there is always room')
    if (!give(stream, CHUNK)) return n
  }
}

onEachLine('up to the mark there is room for more', async line => {
  await using it = await httpEnds(line)
  const { stream, asked } = await begun(it, 11, 10)
  assert.deepEqual([give(stream, '12345'), give(stream, ''), give(stream, '67890')], [true, true, true])
  await settle()
  assert.deepEqual(await it.waiting(), [])
  assert.equal(give(stream, '1', 'fin'), true)
  assert.equal((await asked.content()).body, '12345678901')
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachLine('one byte beyond the mark there is no room until the bytes that wait have left', async line => {
  await using it = await httpEnds(line)
  const { stream, asked } = await begun(it, 14, 10)
  assert.deepEqual([give(stream, '1234567890'), give(stream, '1')], [true, false])
  assert.ok((await room(it.self, stream)) <= 5)
  assert.deepEqual([give(stream, '2'), give(stream, '34', 'fin')], [true, true])
  assert.equal((await asked.content()).body, '12345678901234')
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachLine('a mark of 0 lets one chunk wait', async line => {
  await using it = await httpEnds(line)
  const { stream, asked } = await begun(it, 3, 0)
  for (const chunk of ['1', '2']) {
    assert.equal(give(stream, chunk), false)
    assert.equal(await room(it.self, stream), 0)
  }
  assert.equal(give(stream, '3', 'fin'), true)
  assert.equal((await asked.content()).body, '123')
})

onEachLine('without a mark there is always room, and nothing is told', async line => {
  await using it = await httpEnds(line)
  const { stream, asked } = await begun(it, 2 * MIB, undefined)
  assert.equal(give(stream, Buffer.alloc(2 * MIB - 1)), true)
  await settle()
  assert.equal(give(stream, '1', 'fin'), true)
  assert.equal((await asked.content()).body.length, 2 * MIB)
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachLine('nothing is told once the body is complete', async line => {
  await using it = await httpEnds(line)
  const { stream, asked } = await begun(it, 12, 10)
  assert.deepEqual([give(stream, '12345678901'), give(stream, '2', 'fin')], [false, true])
  assert.equal((await asked.content()).body, '123456789012')
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachLine('nothing is told of a body that ends with trailers', async line => {
  await using it = await httpEnds(line)
  const { connPid } = it
  const streamRef = gun.headers(connPid, 'POST', '/', {}, { sendHighWaterMark: 10 })
  const asked = await it.peer.request()
  assert.equal(give({ connPid, streamRef }, '12345678901'), false)
  gun.trailers(connPid, streamRef, { 'x-sum': '66' })
  assert.deepEqual(await asked.content(), { body: '12345678901', trailers: [['x-sum', '66']] })
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachLine('nothing is told once the request was cancelled', async line => {
  await using it = await httpEnds(line, { retry: 0 })
  const { stream } = await begun(it, 100, 10)
  assert.equal(give(stream, '12345678901'), false)
  gun.cancel(it.connPid, stream.streamRef)
  await settle()
  const told = await it.waiting()
  assert.ok(!told.includes('gun_notify'), String(told))
})

onEachLine(
  'data that is given to a stream that is over is answered with no room, and the reason',
  async line => {
    await using it = await httpEnds(line)
    const stream = post(it.connPid, 1, 10)
    await Promise.all([it.peer.serve(NOTHING), give(stream, '1', 'fin')])
    assert.deepEqual(await it.heard(1), ['response 204 fin'])
    assert.equal(give(stream, '2'), false)
    assert.deepEqual(await it.heard(1), ['error: badstate'])
  },
)

onEachLine('a caller that waits for room is told that the connection was lost instead', async line => {
  await using it = await httpEnds(line, { retry: 0 })
  const stream = post(it.connPid, 12, 10, { expect: '100-continue' })
  await it.peer.request()
  assert.equal(give(stream, '12345678901'), false)
  it.peer.reset()
  const [first] = await it.heard(2)
  assert.match(String(first), /^error: (closed|socket_error)$/)
})

onEachLine('a body that waits for 100 Continue takes room', async line => {
  await using it = await httpEnds(line)
  const stream = post(it.connPid, 12, 10, { expect: '100-continue' })
  const asked = await it.peer.request()
  await settle()
  assert.deepEqual([give(stream, '1234567890'), give(stream, '1')], [true, false])
  await asked.inform(100)
  assert.deepEqual(await it.heard(2), ['inform 100', 'gun_notify'])
  give(stream, '2', 'fin')
  assert.equal((await asked.content()).body, '123456789012')
})

onEachVersion('while the connection is being made there is no room, and then it is told', async line => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds(line, { retryTimeout: 0 })
  const { connPid, self } = it
  it.peer.reset()
  await self.receive([{ type: 'gun_down' }], PATIENCE)
  const [marked, unmarked] = [post(connPid, 5, 10), post(connPid, 5, undefined)]
  assert.deepEqual([give(marked, '1234'), give(unmarked, '1234')], [false, true])
  const peer = await it.next()
  const asked = await peer.request()
  await self.receive([{ type: 'gun_up' }], PATIENCE)
  await room(self, marked)
  give(marked, '5', 'fin')
  give(unmarked, '5', 'fin')
  assert.equal((await asked.content()).body, '12345')
  await asked.answer(NOTHING)
  await peer.serve(NOTHING)
  assert.deepEqual(await it.heard(2), ['response 204 fin', 'response 204 fin'])
})

onEachVersion('nothing is told of what was postponed together with its end', async line => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds(line, { retryTimeout: 0 })
  const { connPid, self } = it
  it.peer.reset()
  await self.receive([{ type: 'gun_down' }], PATIENCE)
  const stream = post(connPid, 3, 1000)
  assert.deepEqual([give(stream, '1'), give(stream, '2'), give(stream, '3', 'fin')], [false, false, false])
  const peer = await it.next()
  await peer.serve(NOTHING)
  await self.receive([{ type: 'gun_up' }], PATIENCE)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
})

onEachVersion('several parts that were postponed are told of once', async line => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds(line, { retryTimeout: 0 })
  const { connPid, self } = it
  it.peer.reset()
  await self.receive([{ type: 'gun_down' }], PATIENCE)
  const stream = post(connPid, 3, 1000)
  assert.deepEqual([give(stream, '1'), give(stream, '2')], [false, false])
  const peer = await it.next()
  const asked = await peer.request()
  await self.receive([{ type: 'gun_up' }], PATIENCE)
  await room(self, stream)
  await settle()
  assert.deepEqual(await it.waiting(), [])
  give(stream, '3', 'fin')
  assert.equal((await asked.content()).body, '123')
})

onEachLine('an empty chunk takes no room', async line => {
  await using it = await httpEnds(line)
  const { stream } = await begun(it, 2, 0)
  assert.deepEqual([give(stream, ''), give(stream, '1'), give(stream, '')], [true, false, false])
  await room(it.self, stream)
  assert.equal(give(stream, ''), true)
})

onEachVersion(
  'who waits for room behind a whole response is told that the connection was lost',
  async line => {
    await using it = await httpEnds(line, { retry: 0 })
    const { connPid, self } = it
    const stream = post(connPid, 200 * MIB, MIB)
    const asked = await it.peer.request()
    await asked.answer(NOTHING)
    assert.deepEqual(await it.heard(1), ['response 204 fin'])
    assert.equal(give(stream, Buffer.alloc(100 * MIB)), false)
    it.peer.reset()
    const { reason } = await self.receive([{ type: 'gun_error', streamRef: stream.streamRef }], PATIENCE)
    assert.equal(reason.code, 'badstate')
    assert.ok(reason.cause instanceof gun.GunError && reason.cause.kind === 'connection_error')
    assert.match((await it.heard(1)).join(), /^down: .*, killed 0$/)
  },
)

test('a response to a body that is not whole tells whoever waits for room', async () => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds({ version: 'http', transport: 'tcp' })
  const stream = post(it.connPid, 12, 10, { expect: '100-continue' })
  const asked = await it.peer.request()
  assert.equal(give(stream, '12345678901'), false)
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(2), ['response 204 fin', 'down: normal, killed 0'])
})

test('a caller that waits for room behind a whole response of HTTP/2 is told that no more is wanted', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene()
  const stream = post(it.connPid, 2 * MIB, 10)
  const { streamId } = await it.peer.request()
  await it.peer.send(h2.headers(streamId, ok, { endStream: true }))
  assert.deepEqual(await it.heard(1), ['response 200 fin'])
  assert.equal(give(stream, Buffer.alloc(MIB)), false)
  await it.peer.send(h2.rstStream(streamId, h2.errorCodes.NO_ERROR))
  assert.deepEqual(await it.heard(1), ['stream: badstate badstate'])
})

test('a body that ends wrongly behind its response says so to its stream', async () => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds({ version: 'http', transport: 'tcp' }, { retry: 0 })
  const { stream, asked } = await begun(it, 5, undefined)
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
  give(stream, 'abc', 'fin')
  const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: stream.streamRef }], PATIENCE)
  assert.deepEqual([reason.code, reason.kind], ['badstate', 'connection_error'])
})

test('a body that ends wrongly says so once where its caller waits for room', async () => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds({ version: 'http', transport: 'tcp' }, { retry: 0 })
  const { stream, asked } = await begun(it, 200 * MIB, MIB)
  await asked.answer(NOTHING)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
  assert.equal(give(stream, Buffer.alloc(100 * MIB)), false)
  give(stream, 'x', 'fin')
  assert.deepEqual(await it.heard(4), [
    'error: badstate',
    'down: badstate, killed 0',
    'error: badstate',
    'DOWN: shutdown',
  ])
})

test('data that waits behind the body of another request of HTTP/1.1 takes room', async () => {
  await using _left = assertNothingLeft()
  await using it = await httpEnds({ version: 'http', transport: 'tcp' })
  const [one, two] = [post(it.connPid, 5, 10), post(it.connPid, 12, 10)]
  const first = await it.peer.request()
  assert.deepEqual([give(one, '1'), give(two, '12345678901')], [true, false])
  await settle()
  assert.deepEqual(await it.waiting(), [])
  give(one, '2345', 'fin')
  await room(it.self, two)
  assert.equal((await first.content()).body, '12345')
  give(two, '2', 'fin')
  assert.equal((await (await it.peer.request()).content()).body, '123456789012')
})

/** A request whose body the server takes as soon as it is asked to. */
async function slowServer(line: Parameters<typeof httpServer>[0]) {
  const asked = defer<http.IncomingMessage>()
  const server = await httpServer(line, async (request, response) => {
    asked.resolve(request)
    request.once('end', () => response.end('done'))
  })
  return { server, asked: asked.promise }
}

onEachVersion('a server that does not read leaves no room until it does', async line => {
  await using _left = assertNothingLeft()
  const { server, asked } = await slowServer(line)
  await using _server = server
  await using it = await connect(server, line)
  const { connPid, owner } = it
  const streamRef = gun.headers(connPid, 'POST', '/', {}, { sendHighWaterMark: MIB })
  const stream: Stream = { connPid, streamRef }
  const request = await asked
  let chunks = 0
  // Kernels take some of it.
  for (let isStuck = false; !isStuck; ) {
    chunks += fill(stream)
    await settle()
    isStuck = owner.messageQueueLength === 0
    if (!isStuck) await room(owner, stream)
  }
  assert.ok(chunks > MIB / CHUNK.length)
  const body = text(request)
  assert.ok((await room(owner, stream)) <= MIB / 2)
  give(stream, 'x', 'fin')
  assert.equal((await body).length, chunks * CHUNK.length + 1)
  assert.equal(String((await gun.awaitBody(connPid, streamRef)).body), 'done')
})

test('what is given behind 256 KiB that the server does not read leaves when it does', async () => {
  await using _left = assertNothingLeft()
  await using it = await scene({ server: { settings: { INITIAL_WINDOW_SIZE: 2 ** 31 - 1 } } })
  const { connPid, peer } = it
  await peer.send(h2.windowUpdate(0, 2 ** 31 - 1 - 65_535))
  await it.seen()
  const stream: Stream = { connPid, streamRef: gun.headers(connPid, 'POST', '/') }
  const { streamId } = await peer.request()
  const { socket } = peer.peer
  socket.pause()
  const part = Buffer.alloc(256 * KIB)
  let bytes = 0
  // More than kernels take, each part as much as may be on its way at once.
  for (; bytes < 32 * MIB; bytes += part.length) {
    give(stream, part)
    await turn()
  }
  socket.resume()
  give(stream, 'x', 'fin')
  assert.equal((await peer.body(streamId)).length, bytes + 1)
  await peer.send(h2.headers(streamId, ok, { endStream: true }))
  assert.deepEqual(await it.story(stream.streamRef), ['response 200 fin'])
})

onEachVersion('an upload that waits for room keeps no more than the mark and a chunk', async line => {
  await using _left = assertNothingLeft()
  await using server = await httpServer(line, async (request, response) => {
    response.end(String((await text(request)).length))
  })
  await using it = await connect(server, line)
  const { connPid, owner } = it
  const streamRef = gun.headers(connPid, 'POST', '/', {}, { sendHighWaterMark: 256 * KIB })
  const stream: Stream = { connPid, streamRef }
  const many = 1024
  let drained = 0
  for (let n = 0; n < many; n++) {
    if (give(stream, CHUNK)) continue
    assert.ok((await room(owner, stream)) <= 128 * KIB)
    drained++
  }
  assert.ok(drained >= (many * CHUNK.length) / (256 * KIB + CHUNK.length) - 1, `only ${drained}`)
  give(stream, '', 'fin')
  const { type } = await owner.receive([{ streamRef }], PATIENCE)
  assert.equal(type, 'gun_response')
  assert.equal(String((await gun.awaitBody(connPid, streamRef)).body), String(many * CHUNK.length))
  await eventually(() => owner.messageQueueLength === 0, 'nothing is left')
})

onEachLine('where nothing is taken it is false, mark or none, and never followed by a drain', async line => {
  await using it = await httpEnds(line)
  const { connPid, self } = it
  const refused = async ({ streamRef }: Stream): Promise<string> => {
    const message = await self.receive([{ streamRef }], PATIENCE)
    assert.ok(message.type === 'gun_error', message.type)
    return message.reason.code
  }
  for (const mark of [undefined, 0]) {
    const stream = post(connPid, 1, mark)
    const asked = await it.peer.request()
    assert.equal(give(stream, 'longer than it says'), false)
    assert.equal(await refused(stream), 'badstate')
    assert.equal(give(stream, '1', 'fin'), true)
    assert.equal(give(stream, '2'), false)
    assert.equal(await refused(stream), 'badstate')
    await asked.content()
    await asked.answer(NOTHING)
    assert.deepEqual(await it.heard(1), ['response 204 fin'])
    assert.equal(give(stream, '3'), false)
    assert.equal(await refused(stream), 'badstate')
  }
  const get = { connPid, streamRef: gun.get(connPid, '/') }
  assert.equal(give(get, '4'), false)
  assert.equal(await refused(get), 'badstate')
  await settle()
  assert.deepEqual(await it.waiting(), [])
  gun.close(connPid)
  assert.equal(give(get, '5'), false)
  assert.deepEqual([await refused(get), await refused(get)], ['shutdown', 'closed'])
})

onEachVersion('data that is postponed is taken: without a mark the answer is true', async line => {
  await using it = await httpEnds(line)
  it.peer.reset()
  assert.match((await it.heard(1)).join(), /^down: /)
  const stream = post(it.connPid, 1, undefined)
  assert.equal(give(stream, '1', 'fin'), true)
  const asked = await (await it.next()).request()
  assert.equal((await asked.content()).body, '1')
})
