// Commands that are given for a tunnel before it is up wait for it, in order, and fail if it never is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { connect, NO_CONTENT, PATIENCE, receiveError } from '../support/client.ts'
import { ends } from '../support/http-ends.ts'
import { type Line, lineName, speaking } from '../support/line.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { BIG, HELLO, tunnelOrigin } from '../support/tunnel-origins.ts'
import { type ConnectResponse, http2Proxy, httpProxy } from '../support/tunnel-proxies.ts'

const proxyLines: readonly Line[] = [
  { version: 'http', transport: 'tcp' },
  { version: 'http', transport: 'tls' },
  { version: 'http2', transport: 'tcp' },
  { version: 'http2', transport: 'tls' },
]

/** A test for each kind of proxy that CONNECT asks. */
function onEachProxy(name: string, run: (line: Line) => Promise<void>): void {
  for (const line of proxyLines) test(`${name}, over ${lineName(line)}`, () => run(line))
}

interface Answers {
  readonly isHeld?: boolean
  readonly answer?: () => ConnectResponse | undefined
}

/** The proxy of a line. */
function proxyOf({ version, transport }: Line, answers: Answers) {
  const given = { transport: transport === 'tls' ? 'tls' : 'tcp', ...answers } as const
  return version === 'http' ? httpProxy(given) : http2Proxy(given)
}

const FORBIDDEN: ConnectResponse = { status: 403, body: 'no' }
const GREETING = { http: 'Hello over HTTP', http2: 'Hello over HTTP/2' } as const

onEachProxy('a request waits for its tunnel', async line => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await proxyOf(line, { isHeld: true })
  await using client = await connect(proxy, line)
  const { connPid, owner } = client
  const tunnel = gun.connect(connPid, { host: 'localhost', port: origin.port })
  const streamRefs = ['/a', '/b', '/c'].map(path => gun.get(connPid, path, {}, { tunnel }))
  await proxy.request()
  const [first] = streamRefs as [gun.StreamRef]
  assert.equal(gun.streamInfo(connPid, first)?.request?.state ?? 'waiting', 'waiting')
  assert.equal(owner.messageQueueLength, 0)
  proxy.release()
  const answer = await gun.await(connPid, tunnel, PATIENCE)
  assert.equal(answer.type, 'gun_response')
  const up = await gun.await(connPid, tunnel, PATIENCE)
  assert.equal(up.type, 'gun_tunnel_up')
  for (const streamRef of streamRefs) {
    const { body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
    assert.equal(String(body), HELLO)
  }
  assert.deepEqual(
    origin.requests.map(({ path }) => path),
    ['/a', '/b', '/c'],
  )
})

onEachProxy(
  'all that is asked for before the connection is up waits for it, and for the tunnel',
  async line => {
    await using origin = await tunnelOrigin('h2')
    await using proxy = await proxyOf(line, {})
    const owner = createProcess<gun.GunMessage>()
    const tlsOpts = { ca: certificates.ca }
    const transport = line.transport === 'tls' ? 'tls' : 'tcp'
    const opts = { owner, transport, tlsOpts, ...speaking(line.version) } as const
    const connPid = gun.open('localhost', proxy.port, opts)
    const tunnel = gun.connect(connPid, { host: 'localhost', port: origin.port, transport: 'tls', tlsOpts })
    const upload = gun.headers(connPid, 'POST', '/echo', {}, { tunnel })
    gun.data(connPid, upload, 'nofin', BIG.subarray(0, 1000))
    const ws = gun.wsUpgrade(connPid, '/', {}, { tunnel })
    const ping = gun.ping(connPid, { tunnel })
    gun.data(connPid, upload, 'fin', BIG.subarray(1000))
    assert.equal(await gun.awaitUp(connPid, PATIENCE), line.version)
    await owner.receive([{ type: 'gun_tunnel_up', streamRef: tunnel, protocol: 'http2' }], PATIENCE)
    const { body } = await gun.awaitResponse(connPid, upload, PATIENCE)
    assert.ok(body.equals(BIG))
    assert.equal((await gun.await(connPid, ws, PATIENCE)).type, 'gun_upgrade')
    assert.equal((await gun.await(connPid, ping, PATIENCE)).type, 'gun_notify')
    gun.wsSend(connPid, ws, ['text', 'Hello'])
    const { frame } = await owner.receive([{ type: 'gun_ws', streamRef: ws }], PATIENCE)
    assert.deepEqual(frame, ['text', 'Hello'])
    gun.close(connPid)
    streamEnds.assert()
  },
)

onEachProxy('a WebSocket waits for its tunnel', async line => {
  await using origin = await tunnelOrigin('https')
  await using proxy = await proxyOf(line, { isHeld: true })
  await using client = await connect(proxy, line)
  const { connPid, owner } = client
  const tlsOpts = { ca: certificates.ca }
  const end = {
    host: 'localhost',
    port: origin.port,
    transport: 'tls',
    tlsOpts,
    protocols: ['http'],
  } as const
  const tunnel = gun.connect(connPid, end)
  const streamRef = gun.wsUpgrade(connPid, '/', {}, { tunnel })
  proxy.release()
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
  gun.wsSend(connPid, streamRef, ['text', 'Hello'])
  const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
  assert.deepEqual(frame, ['text', 'Hello'])
})

onEachProxy('tunnels within tunnels wait for each other', async line => {
  await using origin = await tunnelOrigin('raw')
  await using proxy = await proxyOf(line, { isHeld: true })
  await using second = await httpProxy({ isHeld: true })
  await using third = await http2Proxy()
  await using client = await connect(proxy, line)
  const { connPid, owner } = client
  const host = 'localhost'
  const toSecond = gun.connect(connPid, { host, port: second.port })
  const toThird = gun.connect(
    connPid,
    { host, port: third.port, protocols: ['http2'] },
    {},
    { tunnel: toSecond },
  )
  const toOrigin = gun.connect(
    connPid,
    { host, port: origin.port, protocols: ['raw'] },
    {},
    { tunnel: toThird },
  )
  second.release()
  proxy.release()
  for (const streamRef of [toSecond, toThird, toOrigin]) {
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_tunnel_up')
  }
  gun.data(connPid, toOrigin, 'fin', 'Hello')
  const { data } = await owner.receive([{ type: 'gun_data', streamRef: toOrigin }], PATIENCE)
  assert.equal(String(data), 'Hello')
})

onEachProxy('what waits for a tunnel that is refused is refused, and safe to ask again', async line => {
  await using proxy = await proxyOf(line, { isHeld: true, answer: () => FORBIDDEN })
  await using client = await connect(proxy, line)
  const { connPid } = client
  const tunnel = gun.connect(connPid, { host: 'localhost', port: 1 })
  const upload = gun.headers(connPid, 'POST', '/', {}, { tunnel })
  gun.data(connPid, upload, 'nofin', 'some')
  const inner = gun.connect(connPid, { host: 'localhost', port: 1 }, {}, { tunnel })
  const waiting = [
    gun.get(connPid, '/', {}, { tunnel }),
    upload,
    gun.wsUpgrade(connPid, '/', {}, { tunnel }),
    gun.ping(connPid, { tunnel }),
    inner,
    gun.get(connPid, '/', {}, { tunnel: inner }),
  ]
  await proxy.request()
  proxy.release()
  for (const streamRef of waiting) {
    const { code, kind } = await receiveError(client, streamRef)
    assert.deepEqual([code, kind], ['refused_stream', 'stream_error'])
  }
  const { status, body } = await gun.awaitResponse(connPid, tunnel, PATIENCE)
  assert.deepEqual([status, String(body)], [403, 'no'])
  const late = gun.get(connPid, '/', {}, { tunnel })
  assert.equal((await receiveError(client, late)).code, 'badstate')
  const greeting = await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)
  assert.equal(String(greeting.body), GREETING[line.version])
})

onEachProxy('a request that waits for a tunnel is taken back', async line => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await proxyOf(line, { isHeld: true })
  await using client = await connect(proxy, line)
  const { connPid, owner } = client
  const tunnel = gun.connect(connPid, { host: 'localhost', port: origin.port })
  const taken = gun.get(connPid, '/taken', {}, { tunnel })
  const kept = gun.get(connPid, '/kept', {}, { tunnel })
  gun.cancel(connPid, taken)
  await proxy.request()
  proxy.release()
  await gun.awaitResponse(connPid, kept, PATIENCE)
  assert.deepEqual(
    origin.requests.map(({ path }) => path),
    ['/kept'],
  )
  assert.equal(gun.streamInfo(connPid, taken), undefined)
  await gun.await(connPid, tunnel, PATIENCE)
  await gun.await(connPid, tunnel, PATIENCE)
  assert.equal(owner.messageQueueLength, 0)
})

test('over HTTP/1.1 a request without a tunnel waits for the tunnel as well', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxy = await httpProxy({ isHeld: true })
  await using client = await connect(proxy)
  const { connPid } = client
  gun.connect(connPid, { host: 'localhost', port: origin.port })
  const streamRef = gun.get(connPid, '/')
  await proxy.request()
  assert.equal(gun.info(connPid).stateName, 'connected_no_input')
  proxy.release()
  const { body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.equal(String(body), HELLO)
  assert.equal(gun.info(connPid).stateName, 'connected')
})

test('over HTTP/1.1 a CONNECT waits behind the requests before it, whose bodies go on', async () => {
  await using it = await ends('tcp', { httpOpts: { pipelining: 10 } })
  const { connPid, peer } = it
  const get = gun.get(connPid, '/first')
  const post = gun.headers(connPid, 'POST', '/second', { 'content-length': '6' })
  gun.data(connPid, post, 'nofin', 'abc')
  const tunnel = gun.connect(connPid, { host: 'a.test', port: 1, protocols: ['raw'] })
  const { method, path, state, behind } = gun.streamInfo(connPid, tunnel)?.request ?? {}
  assert.deepEqual(
    { method, path, state, behind },
    { method: 'CONNECT', path: 'a.test:1', state: 'waiting', behind: post },
  )
  const last = gun.get(connPid, '/third', {}, { tunnel })
  assert.equal(gun.streamInfo(connPid, last)?.request?.isPostponed, true)
  gun.data(connPid, post, 'fin', 'def')
  assert.equal((await peer.receiveRequest()).path, '/first')
  assert.equal((await peer.receiveRequest()).path, '/second')
  assert.equal(String(await peer.receive(6)), 'abcdef')
  await peer.send(NO_CONTENT + NO_CONTENT)
  assert.equal((await peer.receiveRequest()).path, 'a.test:1')
  await peer.send('HTTP/1.1 200 OK\r\n\r\n')
  for (const streamRef of [get, post]) await gun.awaitResponse(connPid, streamRef, PATIENCE)
  assert.equal((await gun.await(connPid, tunnel, PATIENCE)).type, 'gun_response')
  assert.equal((await gun.await(connPid, tunnel, PATIENCE)).type, 'gun_tunnel_up')
  // Raw bytes are all that goes through this tunnel.
  assert.equal((await receiveError({ owner: it.self, connPid }, last)).code, 'badstate')
})

test('over HTTP/1.1 a request without a tunnel goes to the proxy that has refused the tunnel', async () => {
  await using proxy = await httpProxy({ isHeld: true, answer: () => FORBIDDEN })
  await using client = await connect(proxy)
  const { connPid } = client
  const tunnel = gun.connect(connPid, { host: 'localhost', port: 1 })
  const streamRef = gun.get(connPid, '/')
  const another = gun.connect(connPid, { host: 'localhost', port: 2 })
  const last = gun.get(connPid, '/')
  proxy.release()
  proxy.release()
  assert.equal((await gun.awaitResponse(connPid, tunnel, PATIENCE)).status, 403)
  assert.equal((await gun.awaitResponse(connPid, streamRef, PATIENCE)).status, 200)
  assert.equal((await gun.awaitResponse(connPid, another, PATIENCE)).status, 403)
  assert.equal((await gun.awaitResponse(connPid, last, PATIENCE)).status, 200)
})

test('over HTTP/2 many tunnels are open at once, beside requests to the proxy', async () => {
  const kinds = ['http', 'https', 'h2c', 'h2'] as const
  await using proxy = await http2Proxy({ transport: 'tls' })
  await using client = await connect(proxy, { version: 'http2', transport: 'tls' })
  const { connPid } = client
  const tlsOpts = { ca: certificates.ca }
  const origins = await Promise.all(kinds.map(kind => tunnelOrigin(kind)))
  const asked = origins.flatMap(({ kind, port }) =>
    Array.from({ length: 3 }, () => {
      const transport = kind === 'https' || kind === 'h2' ? 'tls' : 'tcp'
      const protocol = kind === 'h2' || kind === 'h2c' ? 'http2' : 'http'
      const end = { host: 'localhost', port, transport, tlsOpts, protocols: [protocol] } as const
      const tunnel = gun.connect(connPid, end)
      return [gun.get(connPid, '/big', {}, { tunnel }), gun.get(connPid, '/', {}), tunnel] as const
    }),
  )
  for (const [toOrigin, toProxy] of asked) {
    const [big, greeting] = await Promise.all([
      gun.awaitResponse(connPid, toOrigin, 4 * PATIENCE),
      gun.awaitResponse(connPid, toProxy, 4 * PATIENCE),
    ])
    assert.ok(big.body.equals(BIG))
    assert.equal(String(greeting.body), GREETING.http2)
  }
  assert.equal(proxy.openTunnels, asked.length)
  assert.equal(proxy.connections, 1)
  const [gone, , tunnel] = asked[0] as (typeof asked)[0]
  const cut = gun.get(connPid, '/big', {}, { tunnel, flow: 1 })
  await gun.await(connPid, cut, PATIENCE)
  gun.cancel(connPid, tunnel)
  assert.equal((await receiveError(client, cut)).code, 'cancelled')
  assert.equal(gun.streamInfo(connPid, gone), undefined)
  const [, , other] = asked[1] as (typeof asked)[1]
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel: other }), PATIENCE)
  assert.equal(String(body), HELLO)
  for (const origin of origins) await origin.close()
})

onEachProxy('a stream that is no tunnel is refused as one', async line => {
  await using proxy = await proxyOf(line, {})
  await using client = await connect(proxy, line)
  await using other = await connect(proxy, line)
  const { connPid } = client
  const streamRef = gun.get(connPid, '/')
  const within = gun.get(connPid, '/', {}, { tunnel: streamRef })
  assert.equal((await receiveError(client, within)).code, 'badstate')
  await gun.awaitResponse(connPid, streamRef, PATIENCE)
  const foreign = gun.get(other.connPid, '/')
  assert.throws(() => gun.get(connPid, '/', {}, { tunnel: foreign }), TypeError)
  await gun.awaitResponse(other.connPid, foreign, PATIENCE)
})
