// Server-sent events as an owner gets them, from real servers and from scripts that send them in every way.

import assert from 'node:assert/strict'
import type http from 'node:http'
import { test } from 'node:test'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import { type Client, connect, defer, PATIENCE, receiveError } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { onEachVersion } from '../support/http-scene.ts'
import {
  type Answer,
  answerer,
  type Fields,
  httpOrigin,
  httpServer,
  lineName,
  lines,
} from '../support/http-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

const opts: gun.Opts = { httpOpts: { contentHandlers: [gun.decode(), gun.sse()] } }

const FIELDS: Fields = [['content-type', 'text/event-stream; charset=utf-8']]
const sized = (bytes: string | Uint8Array): Fields => [
  ...FIELDS,
  ['content-length', `${Buffer.byteLength(bytes)}`],
]
const inParts = (...parts: string[]): Answer => ({
  status: 200,
  fields: FIELDS,
  body: parts.map(part => Buffer.from(part)),
})

const event = (data: string, lastEventId = '', eventType = 'message') => ({ lastEventId, eventType, data })

async function receiveEvent({ owner, connPid }: Client, streamRef: gun.StreamRef) {
  const message = await owner.receive([{ type: 'gun_sse', connPid, streamRef }], PATIENCE)
  return message.event
}

/** All that come, up to `'fin'`. */
async function receiveEvents(client: Client, streamRef: gun.StreamRef): Promise<gun.GunSse['event'][]> {
  const events: gun.GunSse['event'][] = []
  while (events.at(-1) !== 'fin') events.push(await receiveEvent(client, streamRef))
  return events
}

/** The connection is as good as before. */
async function assertUsable({ connPid }: Client): Promise<void> {
  const response = await gun.await(connPid, gun.get(connPid, '/next'), PATIENCE)
  assert.deepEqual([response.type, 'status' in response && response.status], ['gun_response', 204])
}

const stream = [
  '\ufeff: welcome\r\n\r\nretry: 250\nid: 1\nevent: greeting\ndata: Grüße \u{1f980}\n\n',
  'data: a\rdata: b\r\r',
  'id: 2\n\ndata\n\ndata: incomplete',
]
const expected = [
  { ...event('Grüße \u{1f980}', '1', 'greeting'), retry: 250 },
  { ...event('a\nb', '1'), retry: 250 },
  { ...event('', '2'), retry: 250 },
  'fin',
]

for (const line of lines) {
  for (const manner of ['whole', 'bytes'] as const) {
    test(`events are messages, over ${lineName(line)}, sent ${manner === 'whole' ? 'at once' : 'byte by byte'}`, async () => {
      await using _left = assertNothingLeft()
      const all = Buffer.from(stream.join(''))
      const answers = [inParts(...stream), { status: 200, fields: sized(all), body: all }]
      await using server = await answerer(line, answers, manner)
      await using client = await connect(server, line, opts)
      for (let i = 0; i < 2; i++) {
        const streamRef = gun.get(client.connPid, '/events')
        const response = await gun.await(client.connPid, streamRef, PATIENCE)
        assert.ok(response.type === 'gun_response')
        assert.deepEqual([response.status, response.isFin], [200, 'nofin'])
        assert.deepEqual(await receiveEvents(client, streamRef), expected)
      }
      await assertUsable(client)
      assert.equal(client.owner.messageQueueLength, 0)
    })
  }
}

onEachVersion('await gives events too', async line => {
  await using server = await answerer(line, [
    { status: 200, fields: sized('data: a\n\n'), body: 'data: a\n\n' },
  ])
  await using client = await connect(server, line, opts)
  const streamRef = gun.get(client.connPid, '/')
  assert.equal((await gun.await(client.connPid, streamRef, PATIENCE)).type, 'gun_response')
  const message = await gun.await(client.connPid, streamRef, PATIENCE)
  assert.deepEqual(message, { type: 'gun_sse', connPid: client.connPid, streamRef, event: event('a') })
})

onEachVersion('no more events come than flow wants', async line => {
  const events = Array.from({ length: 6 }, (_, i) => `id: ${i + 1}\ndata: ${i + 1}\n\n`)
  await using server = await answerer(line, [inParts(...events)])
  await using client = await connect(server, line, opts)
  const { owner, connPid } = client
  const streamRef = gun.get(connPid, '/', {}, { flow: 2 })
  await gun.await(connPid, streamRef, PATIENCE)
  const receive = async (from: number, to: number) => {
    for (let i = from; i <= to; i++) {
      assert.deepEqual(await receiveEvent(client, streamRef), event(`${i}`, `${i}`))
    }
    await settle()
    assert.equal(owner.messageQueueLength, 0)
  }
  await receive(1, 2)
  gun.updateFlow(connPid, streamRef, 1)
  await receive(3, 3)
  gun.updateFlow(connPid, streamRef, 2)
  await receive(4, 5)
  gun.updateFlow(connPid, streamRef, 2)
  assert.deepEqual(await receiveEvents(client, streamRef), [event('6', '6'), 'fin'])
  await assertUsable(client)
})

onEachVersion('events of a server that compresses come as soon as it has flushed them', async line => {
  await using _left = assertNothingLeft()
  const heard = [defer<void>(), defer<void>()]
  const serve = async (response: http.ServerResponse): Promise<void> => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
    const gzip = zlib.createGzip({ flush: zlib.constants.Z_SYNC_FLUSH })
    gzip.pipe(response)
    for (const [i, { promise }] of heard.entries()) {
      gzip.write(`id: ${i}\ndata: ${'x'.repeat(i)}\n\n`)
      await promise
    }
    gzip.end()
  }
  await using server = await httpServer(line, (_, response) => void serve(response))
  await using client = await connect(server, line, opts)
  const streamRef = gun.get(client.connPid, '/', { 'accept-encoding': 'gzip' })
  for (const [i, { resolve }] of heard.entries()) {
    assert.deepEqual(await receiveEvent(client, streamRef), event('x'.repeat(i), `${i}`))
    resolve()
  }
  assert.equal(await receiveEvent(client, streamRef), 'fin')
})

test('a body that ends with the connection ends with fin', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: a\n\n')
    peer.end()
  })
  await using client = await connect(server, 'tcp', { ...opts, retry: 0 })
  assert.deepEqual(await receiveEvents(client, gun.get(client.connPid, '/')), [event('a'), 'fin'])
})

onEachVersion('a stream whose connection is lost ends with an error, without fin', async line => {
  await using server = await httpOrigin(line, async peer => {
    const asked = await peer.request()
    await peer.send(asked.encode({ ...inParts('data: a\n\ndata: b\n'), isCutOff: true }))
    peer.end()
  })
  await using client = await connect(server, line, { ...opts, retry: 0 })
  const streamRef = gun.get(client.connPid, '/')
  assert.deepEqual(await receiveEvent(client, streamRef), event('a'))
  const { kind } = await receiveError(client, streamRef)
  assert.equal(kind, 'connection_error')
  await assert.rejects(client.owner.receive([{ type: 'gun_sse', streamRef }], 0))
})

onEachVersion('other bodies come as gun_data, and a response without a body has no events', async line => {
  const plain: Fields = [
    ['content-type', 'text/plain'],
    ['content-length', '9'],
  ]
  await using server = await answerer(line, [
    { status: 200, fields: sized('data: a\n\n') },
    { status: 200, fields: plain, body: 'data: a\n\n' },
    { status: 404, fields: sized('data: a\n\n'), body: 'data: a\n\n' },
  ])
  await using client = await connect(server, line, opts)
  const { owner, connPid } = client
  const head = await gun.await(connPid, gun.head(connPid, '/'), PATIENCE)
  assert.ok(head.type === 'gun_response' && head.isFin === 'fin')
  const text = gun.get(connPid, '/')
  await gun.await(connPid, text, PATIENCE)
  assert.equal(String((await gun.awaitBody(connPid, text, PATIENCE)).body), 'data: a\n\n')
  // Gun does not look at the status.
  assert.deepEqual(await receiveEvents(client, gun.get(connPid, '/')), [event('a'), 'fin'])
  await assert.rejects(owner.receive([{ type: 'gun_sse' }], 0))
})

onEachVersion('an event that is too large ends its stream only', async line => {
  const parts = ['data: ok\n\n', 'data: 567', '890123456', '789\n\ndata: no\n\n']
  await using server = await answerer(line, [inParts(...parts)])
  await using client = await connect(server, line, {
    httpOpts: { contentHandlers: [gun.sse({ maxEventSize: 20 })] },
  })
  const streamRef = gun.get(client.connPid, '/')
  assert.deepEqual(await receiveEvent(client, streamRef), event('ok'))
  const { code, kind, message } = await receiveError(client, streamRef)
  assert.deepEqual([code, kind], ['limit_reached', 'stream_error'])
  assert.match(message, /sse\.maxEventSize/)
  await assertUsable(client)
  await assert.rejects(client.owner.receive([{ type: 'gun_sse', streamRef }], 0))
})

onEachVersion(
  'events count against the high-water mark of the mailbox in bytes, and then no more are read',
  async on => {
    await using _left = assertNothingLeft()
    const line = `data: ${'x'.repeat(1000)}\n\n`
    const count = 4000
    const all = line.repeat(count)
    await using server = await httpServer(on, (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': all.length })
      response.end(all)
    })
    await using client = await connect(server, on, opts, { highWaterMark: { bytes: 64 * 1024 } })
    const streamRef = gun.get(client.connPid, '/')
    await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    await client.owner.receive([{ type: 'gun_sse', streamRef }], PATIENCE)
    await settle()
    const { socket } = gun.info(client.connPid)
    assert.ok((socket?.bytesRead ?? Number.POSITIVE_INFINITY) < (on.version === 'http' ? 1 : 2) * 1024 * 1024)
    const rest = await receiveEvents(client, streamRef)
    assert.equal(rest.length, count)
  },
)
