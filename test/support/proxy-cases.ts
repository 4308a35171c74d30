// The cases that hold behind any proxy which speaks HTTP/2 to clients and HTTP/1.1 to a server of node:http and `ws`.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { certificates } from '@holster/testing'
import type { WebSocket } from 'ws'
import {
  type DebianServer,
  haproxy,
  needing,
  nghttpx,
  type ProxyOptions,
  type Transport,
} from './debian-servers.ts'
import { until } from './flood.ts'
import { tell } from './http2-scene.ts'
import { assertNothingLeft, collectWarnings } from './leftovers.ts'
import { type WebsocketServer, websocketServer } from './websocket-server.ts'

/** Proxies are processes of their own on a busy machine; passing tests do not wait for it. */
export const PATIENCE = 20_000

export const transports = ['tcp', 'tls'] as const satisfies readonly Transport[]

const proxies = { haproxy, nghttpx }
export type Proxy = keyof typeof proxies

export const MEGABYTE = Buffer.alloc(1_000_000, 'abcdefghijklmnopqrstuvwxyz0')

// A client and what it is told.

export interface Client extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** What comes of a stream, up to its end. */
  whole(streamRef: gun.StreamRef): Promise<Whole>
  /** The next message of a stream, in words. */
  next(streamRef: gun.StreamRef): Promise<string>
  /** In words, all that the owner is told from now on until DOWN. */
  end(): Promise<string[]>
}

export interface Whole {
  readonly informs: readonly number[]
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly trailers: gun.Headers
}

/** A connection that is up, whose server has stated its settings. */
export async function connect(
  { host, port }: Pick<DebianServer, 'host' | 'port'>,
  transport: Transport,
  http2Opts: gun.Http2Opts = {},
  opts: gun.Opts = {},
): Promise<Client> {
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(host, port, {
    owner: self,
    transport,
    tlsOpts: { ca: certificates.ca },
    protocols: ['http2'],
    retry: 0,
    ...opts,
    http2Opts: { notifySettingsChanged: true, ...http2Opts },
  })
  self.monitor(connPid)
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http2')
  // Until then a hundred streams may begin, of which the server would refuse some.
  await self.receive([{ type: 'gun_notify', event: 'settings_changed' }], PATIENCE)
  return {
    self,
    connPid,
    async whole(streamRef) {
      const informs: number[] = []
      let head = await gun.await(connPid, streamRef, PATIENCE)
      for (; head.type === 'gun_inform'; head = await gun.await(connPid, streamRef, PATIENCE)) {
        informs.push(head.status)
      }
      assert.ok(head.type === 'gun_response', head.type)
      const { status, isFin } = head
      const headers = Object.fromEntries(head.headers)
      if (isFin === 'fin') return { informs, status, headers, body: Buffer.alloc(0), trailers: [] }
      const { body, trailers = [] } = await gun.awaitBody(connPid, streamRef, PATIENCE)
      return { informs, status, headers, body: Buffer.from(body), trailers }
    },
    next: async streamRef => tell(await self.receive([{ streamRef }], PATIENCE)),
    async end() {
      const told: string[] = []
      while (!told.at(-1)?.startsWith('DOWN')) told.push(tell(await self.receive([{}], PATIENCE)))
      return told
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
    },
  }
}

// The server behind the proxy.

interface Backend extends WebsocketServer {
  /** Responses to /held, begun and not ended, in the order of their requests. */
  readonly held: readonly ServerResponse[]
  /** The server's sides of WebSockets, in the same way. */
  readonly sockets: readonly WebSocket[]
  /** The last request of each path. */
  readonly requests: ReadonlyMap<string, IncomingMessage>
}

async function startBackend(): Promise<Backend> {
  const held: ServerResponse[] = []
  const sockets: WebSocket[] = []
  const requests = new Map<string, IncomingMessage>()
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { url = '', method } = request
    requests.set(url, request)
    // A proxy that is killed must not crash the test.
    request.on('error', () => {})
    response.on('error', () => {})
    switch (url) {
      case '/held':
        held.push(response)
        response.write('begun')
        return
      case '/half':
        response.writeHead(200, { 'content-length': 10 })
        return void response.write('begun')
      case '/large':
        return void response.end(method === 'HEAD' ? undefined : MEGABYTE)
      case '/early':
        response.writeEarlyHints({ link: '</style.css>; rel=preload', 'x-a': 'b' })
        return void response.end('late')
      case '/style.css':
        return void response.end('body {}')
      case '/trailers':
        response.writeHead(200, { trailer: 'x-sum' })
        response.write('body')
        response.addTrailers({ 'x-sum': '4' })
        return void response.end()
      case '/nothing':
        return void response.writeHead(204).end()
      case '/cached':
        return void response.writeHead(304, { etag: '"a"' }).end()
      case '/echo':
        response.writeHead(200, { 'x-method': method })
        request.pipe(response)
        return
      default:
        response.writeHead(404, { 'x-a': 'b' })
        request.resume()
        return void response.end(`no ${url} here`)
    }
  }
  const server = await websocketServer({
    onRequest,
    onConnection: (socket, request) => {
      sockets.push(socket)
      requests.set(request.url ?? '', request)
      socket.on('message', (data, binary) => socket.send(data, { binary }))
    },
    refuse: ({ url }) => (url === '/refused' ? { status: 404, body: 'no WebSocket here' } : undefined),
    handleProtocols: protocols => (protocols.has('two') ? 'two' : false),
    ws: { perMessageDeflate: { threshold: 0 } },
  })
  return { ...server, held, sockets, requests }
}

export interface Scene extends Client {
  readonly backend: Backend
  readonly proxy: DebianServer
}

interface CaseOptions {
  readonly proxy?: Pick<ProxyOptions, 'maxConcurrentStreams'>
  readonly http2Opts?: gun.Http2Opts
}

/** A test for each transport, over a connection to a proxy that runs for this test alone. */
export function through(
  name: Proxy,
  what: string,
  run: (it: Scene) => Promise<void>,
  { proxy: proxyOptions, http2Opts }: CaseOptions = {},
): void {
  for (const transport of transports) {
    test(`${what}, through ${name} over ${transport}`, needing(name), async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using backend = await startBackend()
      await using proxy = await proxies[name]({ transport, backendPort: backend.port, ...proxyOptions })
      await using client = await connect(proxy, transport, http2Opts)
      await run({ ...client, backend, proxy })
    })
  }
}

/** The connection is as good as new. */
async function goesOn({ connPid, whole }: Client): Promise<void> {
  const { status, body } = await whole(gun.post(connPid, '/echo', {}, 'still here'))
  assert.deepEqual([status, String(body)], [200, 'still here'])
}

/** A response that has begun and is held: its stream. */
async function hold({ connPid, next }: Client): Promise<gun.StreamRef> {
  const streamRef = gun.get(connPid, '/held')
  assert.equal(await next(streamRef), 'response 200 nofin')
  assert.equal(await next(streamRef), 'data begun nofin')
  return streamRef
}

export interface Manners {
  /** The signal that asks it to finish what it has, and to take nothing more. */
  readonly gracefully: NodeJS.Signals
  /** What it makes of a response that its server has not finished. */
  readonly cutShort: gun.GunErrorCode
  /** Where it can be kept from HTTP/2. */
  readonly old: readonly Transport[]
}

export function requestsThrough(name: Proxy, { gracefully, cutShort, old }: Manners): void {
  through(name, 'requests of every kind are answered, with and without bodies', async it => {
    const { connPid, whole, backend } = it
    const echoed = await whole(gun.post(connPid, '/echo?not=it', {}, 'body'))
    assert.deepEqual([echoed.status, String(echoed.body)], [404, 'no /echo?not=it here'])
    for (const method of ['POST', 'PUT', 'PATCH', 'REPORT']) {
      const { status, headers, body } = await whole(
        gun.request(connPid, method, '/echo', { 'x-a': 'b' }, 'body'),
      )
      assert.deepEqual([status, headers['x-method'], String(body)], [200, method, 'body'])
      const request = backend.requests.get('/echo')
      assert.deepEqual([request?.headers['x-a'], request?.httpVersion], ['b', '1.1'])
    }
    const empty = await whole(gun.get(connPid, '/echo'))
    assert.deepEqual([empty.status, empty.body.length], [200, 0])
    assert.equal((await whole(gun.delete(connPid, '/nothing'))).status, 204)
    const cached = await whole(gun.get(connPid, '/cached', { 'if-none-match': '"a"' }))
    assert.deepEqual([cached.status, cached.headers.etag, cached.body.length], [304, '"a"', 0])
    const missing = await whole(gun.get(connPid, '/missing'))
    assert.deepEqual(
      [missing.status, missing.headers['x-a'], String(missing.body)],
      [404, 'b', 'no /missing here'],
    )
  })

  through(name, 'HEAD gives the headers alone', async it => {
    for (const path of ['/large', '/missing']) {
      const streamRef = gun.head(it.connPid, path)
      assert.match(await it.next(streamRef), /^response (200|404) fin$/)
    }
    await goesOn(it)
  })

  through(name, 'a megabyte goes up whole or in parts, and comes down', async ({ connPid, whole }) => {
    const down = gun.get(connPid, '/large')
    const up = gun.put(connPid, '/echo', {}, MEGABYTE)
    const parts = gun.post(connPid, '/echo', {})
    for (let at = 0; at < MEGABYTE.length; at += 50_000) {
      gun.data(connPid, parts, 'nofin', MEGABYTE.subarray(at, at + 50_000))
    }
    gun.data(connPid, parts, 'fin', '')
    for (const streamRef of [down, up, parts]) {
      const { status, body } = await whole(streamRef)
      assert.ok(status === 200 && body.equals(MEGABYTE))
    }
  })

  through(name, 'trailers come at the end of both', async ({ connPid, whole, backend }) => {
    const { body, trailers } = await whole(gun.get(connPid, '/trailers', { te: 'trailers' }))
    assert.equal(String(body), 'body')
    assert.deepEqual(trailers, [['x-sum', '4']])
    const streamRef = gun.post(connPid, '/echo', { trailer: 'x-sum' })
    gun.data(connPid, streamRef, 'nofin', 'four')
    gun.trailers(connPid, streamRef, { 'x-sum': '4' })
    assert.equal(String((await whole(streamRef)).body), 'four')
    assert.deepEqual(backend.requests.get('/echo')?.trailers, { 'x-sum': '4' })
  })

  through(name, '100 Continue is waited for', async ({ connPid, whole }) => {
    const streamRef = gun.post(connPid, '/echo', { expect: '100-continue' }, 'body')
    const { informs, status, body } = await whole(streamRef)
    assert.deepEqual([informs, status, String(body)], [[100], 200, 'body'])
  })

  through(
    name,
    'early hints come before the response, and nothing is pushed to who does not want it',
    async it => {
      const { informs, status, body } = await it.whole(gun.get(it.connPid, '/early'))
      assert.deepEqual([informs, status, String(body)], [[103], 200, 'late'])
      await goesOn(it)
      assert.equal(it.self.messageQueueLength, 0)
    },
    { http2Opts: { enablePush: false } },
  )

  through(
    name,
    'two hundred requests share a connection that allows for twenty',
    async ({ connPid, whole }) => {
      const bodies = Array.from({ length: 200 }, (_, i) => Buffer.alloc(i * 100, `${i} `))
      const streamRefs = bodies.map(body => gun.post(connPid, '/echo', {}, body))
      for (const [i, streamRef] of streamRefs.entries()) {
        const { status, body } = await whole(streamRef)
        assert.ok(status === 200 && body.equals(bodies[i] as Buffer), `${i}`)
      }
    },
    { proxy: { maxConcurrentStreams: 20 } },
  )

  through(name, 'a response that is cancelled half way ends at the server too', async it => {
    const streamRef = await hold(it)
    const [held] = it.backend.held
    assert.ok(held !== undefined)
    const closed = once(held, 'close')
    gun.cancel(it.connPid, streamRef)
    await closed
    assert.equal(held.writableFinished, false)
    await goesOn(it)
    assert.equal(it.self.messageQueueLength, 0)
  })

  through(name, 'a request that is cancelled half way ends at the server too', async it => {
    const { connPid } = it
    const streamRef = gun.post(connPid, '/echo', {})
    gun.data(connPid, streamRef, 'nofin', 'half')
    assert.equal(await it.next(streamRef), 'response 200 nofin')
    assert.equal(await it.next(streamRef), 'data half nofin')
    const request = it.backend.requests.get('/echo')
    assert.ok(request !== undefined)
    // What a proxy ends it with is an error to node:http or is none.
    const closed = new Promise(resolve => request.socket.once('close', resolve))
    gun.cancel(connPid, streamRef)
    await closed
    assert.equal(request.complete, false)
    await goesOn(it)
    assert.equal(it.self.messageQueueLength, 0)
  })

  through(
    name,
    'a body comes as slowly as it is asked for, and others are not held up',
    async it => {
      const { connPid, self } = it
      const streamRef = gun.get(connPid, '/large', {}, { flow: 2 })
      const parts: Buffer[] = []
      const take = async (): Promise<gun.IsFin> => {
        const { data, isFin } = await self.receive([{ type: 'gun_data', streamRef }], PATIENCE)
        parts.push(data)
        return isFin
      }
      assert.equal(await it.next(streamRef), 'response 200 nofin')
      await take()
      await take()
      await goesOn(it)
      assert.equal(self.messageQueueLength, 0)
      for (let isFin: gun.IsFin = 'nofin'; isFin === 'nofin'; ) {
        gun.updateFlow(connPid, streamRef, 1)
        isFin = await take()
      }
      assert.ok(Buffer.concat(parts).equals(MEGABYTE))
    },
    { http2Opts: { initialStreamWindowSize: 65_535 } },
  )

  through(name, 'pings are answered, with a body half way too', async it => {
    for (const _ of [1, 2]) {
      const streamRef = gun.ping(it.connPid)
      assert.equal(await it.next(streamRef), 'notify ping_ack')
      await hold(it)
    }
  })

  through(name, 'a server that dies half way fails its stream alone', async it => {
    const { connPid } = it
    const other = await hold(it)
    const streamRef = gun.get(connPid, '/half')
    assert.equal(await it.next(streamRef), 'response 200 nofin')
    assert.equal(await it.next(streamRef), 'data begun nofin')
    it.backend.requests.get('/half')?.socket.destroy()
    assert.equal(await it.next(streamRef), `stream: stream_error ${cutShort}`)
    await goesOn(it)
    it.backend.held[0]?.end('done')
    assert.equal(String((await gun.awaitBody(connPid, other, PATIENCE)).body), 'done')
  })

  through(name, 'a proxy that stops gracefully lets what is open finish', async it => {
    const { connPid, proxy, backend } = it
    const streamRefs = [await hold(it), await hold(it)]
    proxy.signal(gracefully)
    await until(() => gun.info(connPid).stateName === 'closing')
    for (const held of backend.held) held.end(' and done')
    for (const streamRef of streamRefs) {
      const { body } = await gun.awaitBody(connPid, streamRef, PATIENCE)
      assert.equal(String(body), ' and done')
    }
    assert.deepEqual(await it.end(), ['down normal, killed 0', 'DOWN normal'])
    await proxy.ended
  })

  through(name, 'a proxy that is killed half way ends all, with what has come told', async it => {
    const streamRefs = [await hold(it), await hold(it)]
    const pushing = gun.post(it.connPid, '/echo', {})
    gun.data(it.connPid, pushing, 'nofin', 'half')
    assert.equal(await it.next(pushing), 'response 200 nofin')
    assert.equal(await it.next(pushing), 'data half nofin')
    it.proxy.signal('SIGKILL')
    const codes: string[] = []
    for (const streamRef of [...streamRefs, pushing]) codes.push(await it.next(streamRef))
    codes.push(...(await it.end()))
    // A peer that had something left to read resets the connection as it dies.
    const [code] = /closed|socket_error/.exec(codes[0] ?? '') ?? []
    assert.deepEqual(codes, [
      ...[1, 2, 3].map(() => `stream: connection_error ${code}`),
      `down connection_error ${code}, killed 3`,
      `connection: connection_error ${code}`,
      `DOWN shutdown connection_error ${code}`,
    ])
  })

  for (const transport of old) {
    const what = `where ${name} speaks HTTP/1.1 alone, HTTP/2 fails and says why, and HTTP/1.1 is spoken, over ${transport}`
    test(what, needing(name), async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using backend = await startBackend()
      await using proxy = await proxies[name]({ transport, backendPort: backend.port, isOld: true })
      await using owner = createProcess<gun.GunMessage>()
      const opts: gun.Opts = { owner, transport, tlsOpts: { ca: certificates.ca }, retry: 0 }
      await using wrong = gun.open(proxy.host, proxy.port, { ...opts, protocols: ['http2'] })
      const { reason } = await owner.receive(
        [{ type: 'gun_error', connPid: wrong, streamRef: undefined }],
        PATIENCE,
      )
      assert.equal(reason.code, 'protocol_error')
      assert.match(reason.message, /it does not speak HTTP\/2 here/)
      await using right = gun.open(proxy.host, proxy.port, opts)
      assert.equal(await gun.awaitUp(right, PATIENCE), 'http')
      const streamRef = gun.get(right, '/large')
      await gun.await(right, streamRef, PATIENCE)
      assert.ok(MEGABYTE.equals((await gun.awaitBody(right, streamRef, PATIENCE)).body))
      gun.close(right)
    })
  }
}

export function webSocketsThrough(name: Proxy, { gracefully }: Pick<Manners, 'gracefully'>): void {
  through(name, 'text, binary, empty and large messages are echoed', async it => {
    const { connPid } = it
    const streamRef = await upgrade(it)
    const large = 'é'.repeat(500_000)
    const frames: gun.WsFrame[] = [
      ['text', 'Hello'],
      ['text', ''],
      ['binary', Buffer.of(0, 255, 128)],
      ['binary', Buffer.alloc(0)],
      ['binary', MEGABYTE],
      ['text', large],
    ]
    gun.wsSend(connPid, streamRef, frames)
    for (const frame of frames) assert.deepEqual(await frameOf(it, streamRef), frame)
    await closes(it, streamRef)
  })

  through(name, 'compressed messages are echoed', async it => {
    const { connPid } = it
    const streamRef = await upgrade(it, '/', { compress: { threshold: 0 } })
    assert.match(gun.streamInfo(connPid, streamRef)?.websocket?.extensions ?? '', /^permessage-deflate/)
    const frames: gun.WsFrame[] = [
      ['text', 'Hello'],
      ['text', 'Hello'],
      ['binary', MEGABYTE],
      ['text', 'é'.repeat(1000)],
    ]
    gun.wsSend(connPid, streamRef, frames)
    for (const frame of frames) assert.deepEqual(await frameOf(it, streamRef), frame)
    await closes(it, streamRef)
  })

  through(name, 'a message in fragments comes as one, with a ping in between', async it => {
    const streamRef = await upgrade(it, '/', { silencePings: false })
    const [socket] = it.backend.sockets
    socket?.send('one, ', { fin: false })
    socket?.ping('between')
    socket?.send('two, ', { fin: false })
    socket?.send(MEGABYTE.toString(), { fin: true })
    assert.deepEqual(await frameOf(it, streamRef), ['ping', Buffer.from('between')])
    assert.deepEqual(await frameOf(it, streamRef), ['text', `one, two, ${MEGABYTE}`])
    await closes(it, streamRef)
  })

  through(name, 'pings are answered both ways', async it => {
    const { connPid } = it
    const streamRef = await upgrade(it, '/', { silencePings: false })
    const [socket] = it.backend.sockets
    assert.ok(socket !== undefined)
    gun.wsSend(connPid, streamRef, ['ping', Buffer.from('there?')])
    assert.deepEqual(await frameOf(it, streamRef), ['pong', Buffer.from('there?')])
    const ponged = once(socket, 'pong')
    socket.ping('here?')
    assert.equal(String((await ponged)[0]), 'here?')
    assert.deepEqual(await frameOf(it, streamRef), ['ping', Buffer.from('here?')])
  })

  through(name, 'each side may close, with a code and why, and the connection goes on', async it => {
    const { connPid } = it
    for (const [given, code, why] of [
      [['close', 4001, 'enough'], 4001, 'enough'],
      ['close', 1005, ''],
    ] as const) {
      const ours = await upgrade(it)
      const socket = it.backend.sockets.at(-1)
      assert.ok(socket !== undefined)
      const closed = once(socket, 'close')
      gun.wsSend(connPid, ours, given)
      const answer = await frameOf(it, ours)
      assert.deepEqual(answer, given)
      const [told, reason] = await closed
      assert.deepEqual([told, String(reason)], [code, why])
      await until(() => gun.streamInfo(connPid, ours) === undefined)
      const theirs = await upgrade(it)
      const other = it.backend.sockets.at(-1)
      assert.ok(other !== undefined)
      const gone = once(other, 'close')
      if (why === '') other.close()
      else other.close(code, why)
      assert.deepEqual(await frameOf(it, theirs), given)
      assert.equal((await gone)[0], code)
      await until(() => gun.streamInfo(connPid, theirs) === undefined)
    }
    await goesOn(it)
    assert.equal(it.self.messageQueueLength, 0)
  })

  through(name, 'many WebSockets and requests share one connection', async it => {
    const { connPid } = it
    const streamRefs = Array.from({ length: 20 }, (_, i) => gun.wsUpgrade(connPid, `/${i}`))
    const requests = streamRefs.map((_, i) => gun.post(connPid, '/echo', {}, `body ${i}`))
    for (const streamRef of streamRefs) await it.self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
    for (const [i, streamRef] of streamRefs.entries()) {
      for (let n = 0; n < 20; n++) gun.wsSend(connPid, streamRef, ['text', `${i} ${n}`])
    }
    for (const [i, streamRef] of streamRefs.entries()) {
      for (let n = 0; n < 20; n++) assert.deepEqual(await frameOf(it, streamRef), ['text', `${i} ${n}`])
      assert.equal(String((await it.whole(requests[i] as gun.StreamRef)).body), `body ${i}`)
    }
    const [first, ...others] = streamRefs as [gun.StreamRef, ...gun.StreamRef[]]
    gun.cancel(connPid, first)
    for (const streamRef of others) await closes(it, streamRef)
    await goesOn(it)
  })

  through(name, 'an upgrade that is refused is a response, and the connection goes on', async it => {
    const { status, body } = await it.whole(gun.wsUpgrade(it.connPid, '/refused'))
    assert.deepEqual([status, String(body)], [404, 'no WebSocket here'])
    await closes(it, await upgrade(it))
    await goesOn(it)
  })

  through(name, 'the server chooses a subprotocol, or none', async it => {
    const { connPid, self, backend } = it
    const streamRef = gun.wsUpgrade(connPid, '/chat?a=b', {
      'sec-websocket-protocol': 'one, two',
      'x-a': 'b',
      origin: 'http://localhost',
    })
    const { headers } = await self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
    assert.equal(Object.fromEntries(headers)['sec-websocket-protocol'], 'two')
    assert.equal(gun.streamInfo(connPid, streamRef)?.websocket?.subprotocol, 'two')
    const request = backend.requests.get('/chat?a=b')?.headers
    assert.deepEqual([request?.['x-a'], request?.origin], ['b', 'http://localhost'])
    const none = gun.wsUpgrade(connPid, '/', { 'sec-websocket-protocol': 'one' })
    await self.receive([{ type: 'gun_upgrade', streamRef: none }], PATIENCE)
    assert.equal(gun.streamInfo(connPid, none)?.websocket?.subprotocol, undefined)
  })

  through(name, 'a WebSocket gives as many messages as are asked for', async it => {
    const { connPid } = it
    const streamRef = await upgrade(it, '/', { flow: 2 })
    const [socket] = it.backend.sockets
    for (let n = 0; n < 200; n++) socket?.send(`${n}`.padStart(1000, '.'))
    for (let n = 0; n < 200; n++) {
      if (n >= 2) {
        if (n % 20 === 0) await goesOn(it)
        assert.equal(it.self.messageQueueLength, 0)
        gun.updateFlow(connPid, streamRef, 1)
      }
      assert.deepEqual(await frameOf(it, streamRef), ['text', `${n}`.padStart(1000, '.')])
    }
    gun.updateFlow(connPid, streamRef, 1)
    await closes(it, streamRef)
  })

  through(name, 'a server that drops a WebSocket fails its stream alone', async it => {
    const streamRef = await upgrade(it)
    const other = await upgrade(it)
    it.backend.sockets[0]?.terminate()
    assert.match(await it.next(streamRef), /^stream: stream_error (closed|stream_reset)$/)
    await closes(it, other)
    await goesOn(it)
  })

  through(name, 'a proxy that stops gracefully leaves WebSockets until they close', async it => {
    const { connPid, proxy } = it
    const streamRef = await upgrade(it)
    proxy.signal(gracefully)
    await until(() => gun.info(connPid).stateName === 'closing')
    gun.wsSend(connPid, streamRef, ['text', 'still here'])
    assert.deepEqual(await frameOf(it, streamRef), ['text', 'still here'])
    gun.wsSend(connPid, streamRef, 'close')
    assert.equal(await frameOf(it, streamRef), 'close')
    assert.deepEqual(await it.end(), ['down normal, killed 0', 'DOWN normal'])
    await proxy.ended
  })

  through(name, 'a proxy that is killed ends its WebSockets', async it => {
    const streamRefs = [await upgrade(it), await upgrade(it)]
    it.proxy.signal('SIGKILL')
    for (const streamRef of streamRefs) {
      assert.match(await it.next(streamRef), /^stream: connection_error (closed|socket_error)$/)
    }
    assert.match((await it.end()).join(), /^down connection_error (closed|socket_error), killed 2,/)
  })
}

/** A WebSocket that the server has agreed to. */
async function upgrade(it: Client, path = '/', wsOpts: gun.WsOpts = {}): Promise<gun.StreamRef> {
  const streamRef = gun.wsUpgrade(it.connPid, path, {}, wsOpts)
  await it.self.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
  return streamRef
}

async function frameOf({ self }: Client, streamRef: gun.StreamRef): Promise<gun.WsFrameIn> {
  return (await self.receive([{ type: 'gun_ws', streamRef }], PATIENCE)).frame
}

/** Both sides close it. */
async function closes(it: Client, streamRef: gun.StreamRef): Promise<void> {
  gun.wsSend(it.connPid, streamRef, ['close', 1000, 'done'])
  assert.deepEqual(await frameOf(it, streamRef), ['close', 1000, 'done'])
  await until(() => gun.streamInfo(it.connPid, streamRef) === undefined)
}
