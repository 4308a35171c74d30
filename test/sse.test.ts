// Server-sent events as an owner gets them, from real servers and from scripts that send them in every way.

import assert from 'node:assert/strict'
import type http from 'node:http'
import { test } from 'node:test'
import zlib from 'node:zlib'
import * as gun from '@holster/gun'
import { type Client, connect, defer, NO_CONTENT, PATIENCE, receiveError } from './support/connect.ts'
import { settle } from './support/flood.ts'
import { assertNothingLeft } from './support/leftovers.ts'
import { origin } from './support/origin.ts'
import { websocketServer } from './support/servers.ts'

const opts: gun.Opts = { httpOpts: { contentHandlers: [gun.decode(), gun.sse()] } }

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n'
const END = '0\r\n\r\n'

const chunk = (bytes: string | Uint8Array): Buffer => {
  const data = Buffer.from(bytes)
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
}

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

for (const transport of ['tcp', 'tls'] as const) {
  for (const manner of ['whole', 'bytes'] as const) {
    test(`events are messages, over ${transport}, sent ${manner === 'whole' ? 'at once' : 'byte by byte'}`, async () => {
      await using _left = assertNothingLeft()
      const all = stream.join('')
      const answers = [
        Buffer.concat([Buffer.from(HEAD + CHUNKED), ...stream.map(chunk), Buffer.from(END)]),
        `${HEAD}Content-Length: ${Buffer.byteLength(all)}\r\n\r\n${all}`,
        NO_CONTENT,
      ]
      await using server = await origin(
        async peer => {
          for (const answer of answers) {
            await peer.receiveRequest()
            await peer.send(answer, manner)
          }
          await peer.closed
        },
        { transport },
      )
      await using client = await connect(server, transport, opts)
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

test('await gives events too', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(`${HEAD}Content-Length: 9\r\n\r\ndata: a\n\n`)
    await peer.closed
  })
  await using client = await connect(server, 'tcp', opts)
  const streamRef = gun.get(client.connPid, '/')
  assert.equal((await gun.await(client.connPid, streamRef, PATIENCE)).type, 'gun_response')
  const message = await gun.await(client.connPid, streamRef, PATIENCE)
  assert.deepEqual(message, { type: 'gun_sse', connPid: client.connPid, streamRef, event: event('a') })
})

test('no more events come than flow wants', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(HEAD + CHUNKED)
    for (let i = 1; i <= 6; i++) await peer.send(chunk(`id: ${i}\ndata: ${i}\n\n`))
    await peer.send(END)
    await peer.receiveRequest()
    await peer.send(NO_CONTENT)
    await peer.closed
  })
  await using client = await connect(server, 'tcp', opts)
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

test('events of a server that compresses come as soon as it has flushed them', async () => {
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
  await using server = await websocketServer({ onRequest: (_, response) => void serve(response) })
  await using client = await connect(server, 'tcp', opts)
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
    await peer.send(`${HEAD}\r\ndata: a\n\n`)
    peer.end()
  })
  await using client = await connect(server, 'tcp', { ...opts, retry: 0 })
  assert.deepEqual(await receiveEvents(client, gun.get(client.connPid, '/')), [event('a'), 'fin'])
})

test('a stream whose connection is lost ends with an error, without fin', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(HEAD + CHUNKED + chunk('data: a\n\ndata: b\n'))
    peer.end()
  })
  await using client = await connect(server, 'tcp', { ...opts, retry: 0 })
  const streamRef = gun.get(client.connPid, '/')
  assert.deepEqual(await receiveEvent(client, streamRef), event('a'))
  const { kind } = await receiveError(client, streamRef)
  assert.equal(kind, 'connection_error')
  await assert.rejects(client.owner.receive([{ type: 'gun_sse', streamRef }], 0))
})

test('other bodies come as gun_data, and a response without a body has no events', async () => {
  await using server = await origin(async peer => {
    const { method } = await peer.receiveRequest()
    assert.equal(method, 'HEAD')
    await peer.send(`${HEAD}Content-Length: 9\r\n\r\n`)
    await peer.receiveRequest()
    await peer.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\ndata: a\n\n')
    await peer.receiveRequest()
    await peer.send(`${HEAD.replace('200 OK', '404 Not Found')}Content-Length: 9\r\n\r\ndata: a\n\n`)
    await peer.closed
  })
  await using client = await connect(server, 'tcp', opts)
  const { owner, connPid } = client
  const head = await gun.await(connPid, gun.head(connPid, '/'), PATIENCE)
  assert.ok(head.type === 'gun_response' && head.isFin === 'fin')
  const plain = gun.get(connPid, '/')
  await gun.await(connPid, plain, PATIENCE)
  assert.equal(String((await gun.awaitBody(connPid, plain, PATIENCE)).body), 'data: a\n\n')
  // Gun does not look at the status.
  assert.deepEqual(await receiveEvents(client, gun.get(connPid, '/')), [event('a'), 'fin'])
  await assert.rejects(owner.receive([{ type: 'gun_sse' }], 0))
})

test('an event that is too large ends its stream only', async () => {
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(HEAD + CHUNKED)
    for (const part of ['data: ok\n\n', 'data: 567', '890123456', '789\n\ndata: no\n\n'])
      await peer.send(chunk(part))
    await peer.send(END)
    await peer.receiveRequest()
    await peer.send(NO_CONTENT)
    await peer.closed
  })
  await using client = await connect(server, 'tcp', {
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

test('events count against the high-water mark of the mailbox in bytes, and then no more are read', async () => {
  await using _left = assertNothingLeft()
  const line = `data: ${'x'.repeat(1000)}\n\n`
  const count = 4000
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(`${HEAD}Content-Length: ${line.length * count}\r\n\r\n${line.repeat(count)}`)
  })
  await using client = await connect(server, 'tcp', opts, { highWaterMark: { bytes: 64 * 1024 } })
  const streamRef = gun.get(client.connPid, '/')
  await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  await client.owner.receive([{ type: 'gun_sse', streamRef }], PATIENCE)
  await settle()
  const { socket } = gun.info(client.connPid)
  assert.ok((socket?.bytesRead ?? Number.POSITIVE_INFINITY) < 1024 * 1024)
  const rest = await receiveEvents(client, streamRef)
  assert.equal(rest.length, count)
})
