// Every function of the client works on a connection of another node.

import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { defer, PATIENCE, rejection } from '../support/client.ts'
import { httpServer } from '../support/http-server.ts'
import { h2Server } from '../support/http2-server.ts'
import { nameOf, speaking, type Version, versions } from '../support/line.ts'
import { type Nodes, startNodes } from '../support/nodes.ts'
import { asksForTunnel } from '../support/stream-ends.ts'
import { HELLO, PUSHED, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy } from '../support/tunnel-proxies.ts'
import { websocketServer } from '../support/websocket-server.ts'

let nodes: Nodes
let there: string

before(async () => {
  nodes = await startNodes(1)
  there = 'main.1'
})

after(() => nodes[Symbol.asyncDispose]())

interface Away extends AsyncDisposable {
  readonly connPid: gun.ConnPid
  readonly owner: Process<gun.GunMessage>
}

interface Place {
  readonly host: string
  readonly port: number
}

/** A connection of another node, with an owner of this one. */
async function away({ host, port }: Place, opts: gun.Opts = {}): Promise<Away> {
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(there, host, port, { owner, ...opts })
  assert.match(connPid.id, /@main\.1>$/)
  await gun.awaitUp(connPid, PATIENCE)
  return {
    connPid,
    owner,
    async [Symbol.asyncDispose]() {
      const watcher = createProcess()
      watcher.monitor(connPid)
      gun.close(connPid)
      await watcher.receive([{ type: 'DOWN' }], PATIENCE)
      owner.exit()
    },
  }
}

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

onEachVersion('a WebSocket takes frames and brings them', async version => {
  await using server = version === 'http' ? await websocketServer() : await h2Server()
  await using it = await away(server, speaking(version))
  const { connPid, owner } = it
  const streamRef = gun.wsUpgrade(connPid, '/', { 'x-a': 'b' }, { silencePings: false })
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
  const frame = async () => (await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)).frame
  assert.equal(gun.wsSend(connPid, streamRef, ['text', 'hé']), true)
  assert.deepEqual(await frame(), ['text', 'hé'])
  gun.wsSend(connPid, [
    ['binary', new Uint8Array([1, 2])],
    ['text', 'x'],
    ['ping', Buffer.of(7)],
  ])
  assert.deepEqual(await frame(), ['binary', Buffer.of(1, 2)])
  assert.deepEqual(await frame(), ['text', 'x'])
  assert.deepEqual(await frame(), ['pong', Buffer.of(7)])
  assert.equal((await gun.remoteStreamInfo(connPid, streamRef))?.websocket?.flow, Number.POSITIVE_INFINITY)
  gun.wsSend(connPid, streamRef, ['close', 1000, 'done'])
  assert.deepEqual(await frame(), ['close', 1000, 'done'])
})

test('a WebSocket that is flooded from another node holds up the sender, and takes all', async () => {
  let received = 0
  await using server = await websocketServer({
    onConnection(socket) {
      socket.on('message', (data: Buffer) => {
        received += data.length
        if (data.length === 1) socket.send('all')
      })
    },
  })
  await using it = await away(server)
  const { connPid, owner } = it
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { sendHighWaterMark: 256 * 1024 })
  await gun.await(connPid, streamRef, PATIENCE)
  const payload = Buffer.alloc(32 * 1024)
  let waits = 0
  for (let sent = 0; sent < 1024; sent++) {
    // By turns, since frames that name no stream count together with those that do.
    const isFree =
      sent % 2 === 0
        ? gun.wsSend(connPid, streamRef, ['binary', payload])
        : gun.wsSend(connPid, ['binary', payload])
    if (isFree) continue
    waits++
    await owner.receive([{ type: 'gun_notify', event: 'drain', streamRef }], PATIENCE)
  }
  // Half of the mark was given and a byte more.
  assert.equal(gun.wsSend(connPid, streamRef, ['binary', Buffer.of(1)]), false)
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
  assert.deepEqual(frame, ['text', 'all'])
  assert.equal(received, 1024 * payload.length + 1)
  assert.equal(waits, 204)
  await owner.receive([{ type: 'gun_notify', event: 'drain', streamRef }], PATIENCE)
  assert.equal(owner.flush({ type: 'gun_notify' }), 0)
})

test('frames that were not sent come back in the error', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid, owner } = it
  gun.wsSend(connPid, ['text', 'too early'])
  const { reason } = await owner.receive([{ type: 'gun_error', connPid }], PATIENCE)
  assert.ok(reason instanceof gun.GunError)
  assert.equal(reason.code, 'badstate')
  assert.deepEqual(reason.frames, [['text', 'too early']])
})

test('a ping over HTTP/2 is answered, and one over HTTP/1.1 refused', async () => {
  await using server = await h2Server()
  await using old = await websocketServer()
  await using it = await away(server, speaking('http2'))
  const answer = await gun.await(it.connPid, gun.ping(it.connPid), PATIENCE)
  assert.equal(answer.type === 'gun_notify' && answer.event, 'ping_ack')
  await using other = await away(old)
  const error = await rejection(gun.await(other.connPid, gun.ping(other.connPid), PATIENCE))
  assert.equal(error.code, 'badstate')
})

test('a tunnel through HTTP/1.1 leads on, and awaits find what is in it', async () => {
  await using origin = await tunnelOrigin('h2c')
  await using proxy = await httpProxy()
  await using it = await away(proxy)
  const { connPid } = it
  const end = { host: 'a.test', port: origin.port, protocols: ['http2'] } as const
  const tunnel = asksForTunnel(gun.connect(connPid, end))
  const agreed = await gun.await(connPid, tunnel, PATIENCE)
  assert.equal(agreed.type === 'gun_response' && agreed.status, 200)
  assert.equal((await gun.await(connPid, tunnel, PATIENCE)).type, 'gun_tunnel_up')
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)
  assert.equal(String(body), HELLO)
})

test('tunnels through HTTP/2 stand beside each other, and are cancelled by their streams', async () => {
  await using origin = await tunnelOrigin('http')
  await using other = await tunnelOrigin('raw')
  await using proxy = await http2Proxy()
  await using it = await away(proxy, speaking('http2'))
  const { connPid, owner } = it
  const tunnel = asksForTunnel(gun.connect(connPid, { host: 'a.test', port: origin.port }))
  // A request for a tunnel that is not up yet waits.
  const early = gun.get(connPid, '/', {}, { tunnel })
  assert.equal(String((await gun.awaitResponse(connPid, early, PATIENCE)).body), HELLO)
  const end = { host: 'b.test', port: other.port, protocols: ['raw'] } as const
  const raw = asksForTunnel(gun.connect(connPid, end))
  await gun.await(connPid, raw, PATIENCE)
  await gun.await(connPid, raw, PATIENCE)
  gun.data(connPid, raw, 'nofin', 'bytes')
  const { data } = await owner.receive([{ type: 'gun_data', streamRef: raw }], PATIENCE)
  assert.equal(String(data), 'bytes')
  const ws = gun.wsUpgrade(connPid, '/', {}, { tunnel })
  await gun.await(connPid, tunnel, PATIENCE)
  await gun.await(connPid, tunnel, PATIENCE)
  assert.equal((await gun.await(connPid, ws, PATIENCE)).type, 'gun_upgrade')
  gun.wsSend(connPid, ws, ['text', 'within'])
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef: ws }], PATIENCE)
  assert.deepEqual(frame, ['text', 'within'])
  gun.cancel(connPid, tunnel)
  const { reason } = await owner.receive([{ type: 'gun_error', streamRef: ws }], PATIENCE)
  assert.equal(reason.code, 'cancelled')
})

test('a connection that speaks raw takes data and brings it', async () => {
  await using origin = await tunnelOrigin('raw')
  await using it = await away(origin, { protocols: [['raw', { flow: 1 }]] })
  const { connPid, owner } = it
  assert.equal(gun.data(connPid, undefined, 'nofin', 'one'), true)
  const message = await gun.await(connPid, undefined, PATIENCE)
  assert.equal(message.type === 'gun_data' && String(message.data), 'one')
  gun.data(connPid, undefined, 'nofin', 'two')
  gun.updateFlow(connPid, undefined, 1)
  const { data } = await owner.receive([{ type: 'gun_data', connPid }], PATIENCE)
  assert.equal(String(data), 'two')
})

test('pushed streams arrive with their requests, and are read and cancelled here', async () => {
  await using origin = await tunnelOrigin('h2c')
  await using it = await away(origin, speaking('http2'))
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/pushing')
  const push = await owner.receive([{ type: 'gun_push', streamRef }], PATIENCE)
  assert.match(String(push.newStreamRef), /@main\.1>$/)
  const { body } = await gun.awaitResponse(connPid, push.newStreamRef, PATIENCE)
  assert.equal(String(body), PUSHED)
  await gun.awaitResponse(connPid, streamRef, PATIENCE)
})

test('shutdown ends in order, and an await that waits meanwhile hears of the end', async () => {
  await using server = await websocketServer()
  const { connPid, owner } = await away(server)
  const streamRef = gun.wsUpgrade(connPid, '/')
  await gun.await(connPid, streamRef, PATIENCE)
  const ref = owner.monitor(connPid)
  gun.shutdown(connPid)
  assert.equal((await owner.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'shutdown')
  owner.flush()
  const error = await rejection(gun.await(connPid, streamRef, PATIENCE))
  assert.equal(error.kind, 'down')
})

test('close ends the streams with an error, and what is asked for later as well', async () => {
  const asked = defer<void>()
  await using server = await websocketServer({ onRequest: () => asked.resolve() })
  const { connPid, owner } = await away(server)
  const streamRef = gun.get(connPid, '/')
  await asked.promise
  const ref = owner.monitor(connPid)
  gun.close(connPid)
  const { reason } = await owner.receive([{ type: 'gun_error', streamRef }], PATIENCE)
  assert.equal(reason.code, 'shutdown')
  await owner.receive([{ type: 'DOWN', ref }], PATIENCE)
  const late = gun.get(connPid, '/')
  assert.equal(
    (await owner.receive([{ type: 'gun_error', streamRef: late }], PATIENCE)).reason.code,
    'closed',
  )
})

test('a link ends the connection with its process, and the process with its connection', async () => {
  await using server = await websocketServer()
  const [first, second] = [await away(server), await away(server)]
  const watcher = createProcess()
  const self = createProcess()
  self.link(first.connPid)
  const ref = watcher.monitor(first.connPid)
  self.exit('shutdown')
  assert.equal((await watcher.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'shutdown')
  const trapping = createProcess({ trapExit: true })
  trapping.link(second.connPid)
  gun.close(second.connPid)
  const { from, reason } = await trapping.receive([{ type: 'EXIT' }], PATIENCE)
  assert.equal(from, second.connPid)
  assert.equal(reason, 'shutdown')
  const third = await away(server)
  trapping.link(third.connPid)
  trapping.unlink(third.connPid)
  trapping.monitor(third.connPid)
  trapping.exit(third.connPid, 'kill')
  await trapping.receive([{ type: 'DOWN', pid: third.connPid }], PATIENCE)
  assert.equal(trapping.messageQueueLength, 0)
})

test('await using shuts the connection down and waits for its end', async () => {
  await using server = await websocketServer()
  const owner = createProcess<gun.GunMessage>()
  {
    await using connPid = await gun.openAt(there, server.host, server.port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    owner.monitor(connPid)
  }
  assert.equal((await owner.receive([{ type: 'DOWN' }], 0)).reason, 'shutdown')
})

test('setOwner hands the connection to another process of this node', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const next = createProcess<gun.GunMessage>()
  gun.setOwner(it.connPid, next)
  assert.equal(it.connPid.owner, next)
  const streamRef = gun.get(it.connPid, '/')
  await next.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  it.owner.exit()
  assert.equal(String((await gun.awaitBody(it.connPid, streamRef, PATIENCE)).body), 'Hello over HTTP')
})

test('flush drops the messages of a stream and of a connection', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/')
  const other = gun.get(connPid, '/')
  await owner.receive([{ type: 'gun_data', streamRef: other, isFin: 'fin' }], PATIENCE)
  assert.equal(gun.flush(streamRef), 2)
  assert.equal(gun.flush(connPid), 1)
})

test('an await that gets nothing says where the connection is', async () => {
  await using server = await websocketServer({ onRequest: () => {} })
  await using it = await away(server)
  const error = await rejection(gun.await(it.connPid, gun.get(it.connPid, '/'), 1))
  assert.equal(error.kind, 'timeout')
  assert.match(error.message, /on the node 'main\.1': remoteInfo/)
  assert.match((await rejection(gun.awaitUp(it.connPid, 1))).message, /no gun_up .* on the node 'main\.1'/)
})

test('info and streamInfo name the functions that tell of another node', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid, owner } = it
  const streamRef = gun.get(connPid, '/')
  assert.throws(() => gun.info(connPid), /on another node.*use await remoteInfo\(connPid\)/)
  assert.throws(() => gun.streamInfo(connPid, streamRef), /use await remoteStreamInfo/)
  const info = await gun.remoteInfo(connPid)
  assert.equal(info.node, there)
  assert.equal(info.owner, owner)
  assert.equal(info.originPort, server.port)
  assert.equal(info.stateName, 'connected')
  await gun.awaitResponse(connPid, streamRef)
  assert.equal(await gun.remoteStreamInfo(connPid, streamRef), undefined)
  const ref = owner.monitor(connPid)
  gun.close(connPid)
  await owner.receive([{ type: 'DOWN', ref }], PATIENCE)
  const facts = await gun.remoteInfo(connPid).then(
    ({ stateName }) => stateName,
    (error: gun.GunError) => error.kind,
  )
  assert.match(facts, /terminated|down/)
})

test('remoteInfo tells of a connection of this node as well', async () => {
  await using server = await websocketServer()
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, { owner })
  await gun.awaitUp(connPid)
  assert.equal((await gun.remoteInfo(connPid)).node, 'main')
  const streamRef = gun.get(connPid, '/')
  assert.equal((await gun.remoteStreamInfo(connPid, streamRef))?.replyTo, owner)
  await gun.awaitResponse(connPid, streamRef)
  gun.close(connPid)
})

test('wrong arguments throw at once', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  await using other = await away(server)
  const { connPid } = it
  const streamRef = gun.get(connPid, '/')
  await gun.awaitResponse(connPid, streamRef)
  assert.throws(() => gun.get(connPid, '/\n'), TypeError)
  assert.throws(() => gun.get(connPid, '/', { 'x-a': '\n' }), TypeError)
  assert.throws(() => gun.data(connPid, streamRef, 'nofin', 1 as never), TypeError)
  assert.throws(() => gun.cancel(other.connPid, streamRef), /does not belong/)
  assert.throws(() => gun.updateFlow(connPid, streamRef, 0), RangeError)
  assert.throws(() => gun.wsSend(connPid, ['txt', 'a'] as never), TypeError)
  assert.throws(() => gun.get(connPid, '/', {}, { flo: 1 } as never), /flow/)
  assert.throws(() => gun.setOwner(connPid, {} as never), /newOwner/)
})

test('what cannot cross throws at once, and names the option', async () => {
  await using server = await websocketServer()
  await using it = await away(server)
  const { connPid } = it
  const replyTo = () => {}
  assert.throws(() => gun.get(connPid, '/', {}, { replyTo }), /^TypeError: reqOpts\.replyTo must be/)
  assert.throws(() => gun.ping(connPid, { replyTo }), /^TypeError: reqOpts\.replyTo must be/)
  assert.throws(() => gun.wsUpgrade(connPid, '/', {}, { replyTo }), /^TypeError: wsOpts\.replyTo must be/)
  const handler = { init: () => 0, handle: () => 0 }
  assert.throws(
    () => gun.wsUpgrade(connPid, '/', {}, { protocols: [['chat', handler]] }),
    /^TypeError: wsOpts\.protocols\[0\]\[1\]\.init: a function cannot be sent/,
  )
  assert.throws(
    () =>
      gun.connect(connPid, {
        host: 'a.test',
        port: 1,
        transport: 'tls',
        tlsOpts: { checkServerIdentity: () => undefined },
      }),
    /^TypeError: destination\.tlsOpts\.checkServerIdentity: a function/,
  )
})

test('openAt checks its arguments here, and refuses options that cannot be sent', async () => {
  const refused = (opts: gun.Opts) => () => gun.openAt(there, 'localhost', 80, opts)
  const bad = (text: RegExp) => (error: unknown) =>
    error instanceof gun.GunError && error.code === 'bad_option' && text.test(error.message)
  assert.throws(refused({ retri: 1 } as never), bad(/^retri is not an option/))
  assert.throws(refused({ retryFun: () => ({ retries: 0, timeout: 0 }) }), bad(/^retryFun: a function/))
  assert.throws(
    refused({ transport: 'tls', tlsOpts: { checkServerIdentity: () => undefined } }),
    bad(/^tlsOpts\.checkServerIdentity: /),
  )
  assert.throws(refused({ eventHandler: { init() {} } }), bad(/^eventHandler\.init: /))
  assert.throws(refused({ trace: () => {} }), bad(/^trace: /))
  assert.throws(() => gun.openAt(there, 'localhost', 0), RangeError)
  assert.throws(() => gun.openUnixAt(there, undefined as never), /path/)
  await assert.rejects(gun.openAt('nowhere', 'localhost', 80), { name: 'CallError', reason: 'noconnection' })
})

test('openAt of this node opens here, and without an owner makes one here', async () => {
  await using server = await websocketServer()
  const here = await gun.openAt('main', server.host, server.port)
  assert.equal(await gun.awaitUp(here, PATIENCE), 'http')
  assert.equal(gun.info(here).stateName, 'connected')
  gun.close(here)
  const connPid = await gun.openAt(there, server.host, server.port)
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
  gun.close(connPid)
})

test('openUnixAt reaches a socket by its path', async () => {
  await using server = await websocketServer({ transport: 'unix' })
  const connPid = await gun.openUnixAt(there, String(server.path))
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http')
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
  assert.equal(String(body), 'Hello over HTTP')
  gun.close(connPid)
})
