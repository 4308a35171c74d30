// Bodies that come compressed, as an owner gets them decoded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import { type Client, connect, NO_CONTENT, PATIENCE, receiveError } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { onEachVersion } from '../support/http-scene.ts'
import { type Answer, answerer, httpServer, lineName, lines, NOTHING } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

const opts: gun.Opts = { httpOpts: { contentHandlers: [gun.decode()] } }
const text = 'Hello over HTTP. '.repeat(100)

const encoders: Readonly<Record<string, (body: string) => Buffer>> = {
  gzip: body => zlib.gzipSync(body),
  deflate: body => zlib.deflateSync(body),
  br: body => zlib.brotliCompressSync(body),
  'gzip, br': body => zlib.brotliCompressSync(zlib.gzipSync(body)),
}

/** The whole response. */
async function fetchBody({ connPid }: Client, path = '/'): Promise<{ head: gun.GunResponse } & gun.Body> {
  const streamRef = gun.get(connPid, path)
  const head = await gun.await(connPid, streamRef, PATIENCE)
  assert.ok(head.type === 'gun_response')
  return { head, ...(await gun.awaitBody(connPid, streamRef, PATIENCE)) }
}

async function assertUsable({ connPid }: Client): Promise<void> {
  const response = await gun.await(connPid, gun.get(connPid, '/next'), PATIENCE)
  assert.ok(response.type === 'gun_response')
  assert.equal(response.status, 204)
}

const whole = (coding: string, body: Buffer): Answer => ({
  status: 200,
  fields: [
    ['content-encoding', coding],
    ['content-length', `${body.length}`],
  ],
  body,
})

onEachVersion('bodies of a real server are decoded, one after the other on one connection', async line => {
  await using _left = assertNothingLeft()
  await using server = await httpServer(line, (request, response) => {
    const coding = decodeURIComponent(request.url?.slice(1) ?? '')
    const body = encoders[coding]?.(text) ?? Buffer.from(text)
    response.writeHead(200, {
      ...(coding && { 'content-encoding': coding }),
      'content-length': body.length,
    })
    response.end(body)
  })
  await using client = await connect(server, line, opts)
  for (const coding of [...Object.keys(encoders), '']) {
    const { head, body } = await fetchBody(client, `/${encodeURIComponent(coding)}`)
    assert.equal(String(body), text)
    assert.equal(new Map(head.headers).get('content-encoding') ?? '', coding)
  }
  assert.equal(client.owner.messageQueueLength, 0)
})

for (const line of lines) {
  test(`bodies that come byte by byte are decoded, over ${lineName(line)}`, async () => {
    const answers = Object.entries(encoders).map(([coding, encode]) => whole(coding, encode(text)))
    await using server = await answerer(line, answers, 'bytes')
    await using client = await connect(server, line, opts)
    for (const _ of answers) assert.equal(String((await fetchBody(client)).body), text)
  })
}

test('responses to requests that were sent together stay in order', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.receiveRequest()
    await peer.receiveRequest()
    const bytes = (coding: string, body: Buffer): Buffer => {
      const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`
      return Buffer.concat([Buffer.from(head), body])
    }
    const first = bytes('gzip', zlib.gzipSync(text))
    const second = bytes('identity', Buffer.from('second'))
    await peer.send(Buffer.concat([first, second, Buffer.from(NO_CONTENT)]))
    await peer.closed
  })
  await using client = await connect(server, 'tcp', opts)
  const { owner, connPid } = client
  const streamRefs: readonly unknown[] = [1, 2, 3].map(() => gun.get(connPid, '/'))
  const seen: number[] = []
  while (seen.length === 0 || seen.at(-1) !== 2) {
    const message = await owner.receive([{ type: 'gun_response' }, { type: 'gun_data' }], PATIENCE)
    seen.push(streamRefs.indexOf(message.streamRef))
  }
  assert.deepEqual(seen, [...seen].sort())
  assert.deepEqual([...new Set(seen)], [0, 1, 2])
})

onEachVersion('trailers follow what was decoded', async line => {
  const answer: Answer = {
    status: 200,
    fields: [['content-encoding', 'gzip']],
    body: zlib.gzipSync(text),
    trailers: [['digest', 'abc']],
  }
  await using server = await answerer(line, [answer])
  await using client = await connect(server, line, opts)
  const { body, trailers } = await fetchBody(client)
  assert.equal(String(body), text)
  assert.deepEqual(trailers, [['digest', 'abc']])
  await assertUsable(client)
  assert.equal(client.owner.messageQueueLength, 0)
})

onEachVersion('a body that is empty stays empty', async line => {
  const empty: Answer = { status: 200, fields: [['content-encoding', 'gzip']], body: '' }
  const ofHead: Answer = {
    status: 200,
    fields: [
      ['content-encoding', 'gzip'],
      ['content-length', '100'],
    ],
  }
  await using server = await answerer(line, [empty, ofHead])
  await using client = await connect(server, line, opts)
  assert.equal((await fetchBody(client)).body.length, 0)
  const head = await gun.await(client.connPid, gun.head(client.connPid, '/'), PATIENCE)
  assert.ok(head.type === 'gun_response' && head.isFin === 'fin')
  await assertUsable(client)
})

onEachVersion('a body that cannot be decoded ends its stream only', async line => {
  await using warnings = collectWarnings()
  const gzip = zlib.gzipSync(text)
  const broken = Buffer.from(gzip)
  broken.fill(0xff, 10, 20)
  const wrong = [
    ['gzip', broken],
    ['gzip', gzip.subarray(0, -1)],
    ['gzip', Buffer.from(text)],
    ['br', gzip],
  ] as const
  const answers = wrong.flatMap(([coding, body]) => [whole(coding, body), NOTHING])
  await using server = await answerer(line, answers)
  await using client = await connect(server, line, opts)
  for (const _ of wrong) {
    const { code, kind } = await receiveError(client, gun.get(client.connPid, '/'))
    assert.deepEqual([code, kind], ['protocol_error', 'stream_error'])
    await assertUsable(client)
  }
  assert.equal(server.connections, 1)
  await warnings.assertNone()
})

onEachVersion('a body that becomes too many times as large ends its stream, and no other', async line => {
  await using _left = assertNothingLeft()
  await using server = await answerer(line, [whole('gzip', zlib.gzipSync(Buffer.alloc(16 * 1024 * 1024)))])
  await using client = await connect(server, line, opts)
  const streamRef = gun.get(client.connPid, '/')
  const { code, kind } = await receiveError(client, streamRef)
  assert.deepEqual([code, kind], ['ratio_exceeded', 'stream_error'])
  await assertUsable(client)
})

onEachVersion('a small body that decodes to a large one comes only as fast as flow wants it', async line => {
  await using _left = assertNothingLeft()
  const size = 100 * 1024 * 1024
  const bomb = zlib.gzipSync(Buffer.alloc(size))
  await using server = await answerer(line, [whole('gzip', bomb)])
  const unlimited = { httpOpts: { contentHandlers: [gun.decode({ maxRatio: Number.POSITIVE_INFINITY })] } }
  await using client = await connect(server, line, unlimited)
  const { owner, connPid } = client
  globalThis.gc?.()
  const before = process.memoryUsage().arrayBuffers
  const streamRef = gun.get(connPid, '/', {}, { flow: 1 })
  await gun.await(connPid, streamRef, PATIENCE)
  let total = 0
  for (let i = 0; i < 3; i++) {
    total += (await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)).data.length
    await settle()
    assert.equal(owner.messageQueueLength, 0)
    assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024)
    gun.updateFlow(connPid, streamRef, 1)
  }
  gun.updateFlow(connPid, streamRef, 1_000_000)
  for (let isFin: gun.IsFin = 'nofin'; isFin === 'nofin'; ) {
    const message = await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    isFin = message.isFin
    total += message.data.length
  }
  assert.equal(total, size)
  await assertUsable(client)
})

onEachVersion('closing the connection while a body is being decoded is quiet', async line => {
  await using warnings = collectWarnings()
  await using _left = assertNothingLeft()
  const bomb = zlib.brotliCompressSync(zlib.gzipSync(Buffer.alloc(1024 * 1024)))
  for (let turns = 0; turns < 10; turns++) {
    await using server = await answerer(line, [whole('gzip, br', bomb)])
    await using client = await connect(server, line, opts)
    const streamRef = gun.get(client.connPid, '/')
    await gun.await(client.connPid, streamRef, PATIENCE)
    for (let i = 0; i < turns; i++) await turn()
    gun.close(client.connPid)
  }
  await warnings.assertNone()
})
