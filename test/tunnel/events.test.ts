// Tunnels are told of besides messages: by events with the streams that they belong to, by states, and by the transcript; cookies are the origin's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { CookieJar } from 'tough-cookie'
import { PATIENCE } from '../support/client.ts'
import { httpServer } from '../support/http-server.ts'
import { tunnelChain } from '../support/tunnel-chains.ts'
import { tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy } from '../support/tunnel-proxies.ts'

const TOLD = [
  'tlsHandshakeStart',
  'tlsHandshakeEnd',
  'originChanged',
  'protocolChanged',
  'requestStart',
] as const satisfies readonly gun.EventName[]

interface Told {
  readonly name: (typeof TOLD)[number]
  readonly event: Record<string, unknown>
  /** The state of the connection as the event is told. */
  readonly state: string
}

/** Remembers these events. */
function recorder(): { readonly told: Told[]; readonly eventHandler: gun.EventHandler } {
  const told: Told[] = []
  const entries = TOLD.map(name => [
    name,
    (event: gun.ConnectionEvent) => {
      told.push({ name, event: { ...event }, state: gun.info(event.connPid).stateName })
    },
  ])
  return { told, eventHandler: Object.fromEntries(entries) }
}

const tlsOpts = { ca: certificates.ca }

for (const [kind, proxyOf] of [
  ['HTTP/1.1', httpProxy],
  ['HTTP/2', http2Proxy],
] as const) {
  test(`events of a tunnel over ${kind} have its stream, and come in the order in which things happen`, async () => {
    await using proxy = await proxyOf({})
    await using origin = await tunnelOrigin('h2')
    const { told, eventHandler } = recorder()
    const self = createProcess<gun.GunMessage>()
    const protocols = [kind === 'HTTP/2' ? 'http2' : 'http'] as const
    const connPid = gun.open(proxy.host, proxy.port, { owner: self, protocols, eventHandler })
    await gun.awaitUp(connPid, PATIENCE)
    const destination = { host: 'localhost', port: origin.port, transport: 'tls', tlsOpts } as const
    const tunnel = gun.connect(connPid, destination)
    await self.receive([{ type: 'gun_tunnel_up', connPid, streamRef: tunnel }], PATIENCE)
    const streamRef = gun.get(connPid, '/', {}, { tunnel })
    await gun.awaitResponse(connPid, streamRef, PATIENCE)

    assert.deepEqual(
      told.map(({ name, event }) => [name, event.streamRef]),
      [
        ['requestStart', tunnel],
        ['originChanged', tunnel],
        ['tlsHandshakeStart', tunnel],
        ['tlsHandshakeEnd', tunnel],
        ['protocolChanged', tunnel],
        ['requestStart', streamRef],
      ],
    )
    const [, changed, begun, ended, switched, request] = told.map(({ event }) => event)
    assert.deepEqual(
      [changed?.intermediary, changed?.originScheme, changed?.originHost, changed?.originPort],
      ['connect', 'https', 'localhost', origin.port],
    )
    assert.equal(begun?.tlsOpts, tlsOpts)
    assert.equal(begun?.timeout, Number.POSITIVE_INFINITY)
    assert.equal(ended?.protocol, 'http2')
    assert.equal(switched?.protocol, 'http2')
    assert.deepEqual([request?.scheme, request?.authority], ['https', `localhost:${origin.port}`])
    const inTls = told.filter(({ name }) => name.startsWith('tls')).map(({ state }) => state)
    assert.deepEqual(inTls[0], kind === 'HTTP/1.1' ? 'connected_no_input' : 'connected')
    gun.close(connPid)
  })
}

test('states are those of Gun while an HTTP/1.1 connection becomes a tunnel', async () => {
  await using proxy = await httpProxy({ isHeld: true })
  await using origin = await tunnelOrigin('https')
  const self = createProcess<gun.GunMessage>()
  const seen: string[] = []
  const look = () => seen.push(gun.info(connPid).stateName)
  const eventHandler: gun.EventHandler = { tlsHandshakeEnd: look }
  const connPid: gun.ConnPid = gun.open(proxy.host, proxy.port, { owner: self, eventHandler })
  await gun.awaitUp(connPid, PATIENCE)
  const tunnel = gun.connect(connPid, {
    host: 'localhost',
    port: origin.port,
    transport: 'tls',
    protocols: ['http'],
    tlsOpts,
  })
  look()
  proxy.release()
  await self.receive([{ type: 'gun_tunnel_up', connPid, streamRef: tunnel }], PATIENCE)
  look()
  assert.deepEqual(seen, ['connected_no_input', 'tls_handshake', 'connected'])
  gun.close(connPid)
})

test('events behind a SOCKS5 server have no stream, since the whole connection leads through it', async () => {
  await using proxy = await socks5Proxy({})
  await using origin = await tunnelOrigin('http')
  const { told, eventHandler } = recorder()
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(proxy.host, proxy.port, {
    owner: self,
    eventHandler,
    protocols: [['socks', { host: 'localhost', port: origin.port }]],
  })
  await self.receive([{ type: 'gun_tunnel_up', connPid, streamRef: undefined }], PATIENCE)
  assert.deepEqual(
    told.map(({ name, event }) => [name, event.streamRef, event.intermediary ?? event.protocol]),
    [
      ['originChanged', undefined, 'socks5'],
      ['protocolChanged', undefined, 'http'],
    ],
  )
  gun.close(connPid)
})

test('cookies are those of the origin behind the tunnel, and a proxy neither gets nor sets any', async () => {
  await using proxy = await httpProxy({
    answer: (_, index) =>
      index === 0
        ? { status: 403, headers: [['set-cookie', 'proxy=1']], body: 'no' }
        : { headers: [['set-cookie', 'proxy=2']] },
  })
  await using origin = await httpServer({ version: 'http', transport: 'tcp' }, (request, response) => {
    response.writeHead(200, { 'set-cookie': 'origin=1' })
    response.end(request.headers.cookie ?? 'none')
  })
  const cookieStore = new CookieJar()
  cookieStore.setCookieSync('known=1', `http://origin.test:${origin.port}/`)
  cookieStore.setCookieSync('proxy=0', `http://localhost:${proxy.port}/`)
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', proxy.port, { owner: self, cookieStore })
  await gun.awaitUp(connPid, PATIENCE)
  const refused = gun.connect(connPid, { host: 'origin.test', port: origin.port })
  assert.equal((await gun.awaitResponse(connPid, refused, PATIENCE)).status, 403)
  const tunnel = gun.connect(connPid, { host: 'origin.test', port: origin.port })
  const ask = () => gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel }), PATIENCE)
  assert.equal((await ask()).body.toString(), 'known=1')
  assert.equal((await ask()).body.toString(), 'known=1; origin=1')
  for (const request of proxy.requests) assert.equal(request.header('cookie'), undefined)
  gun.close(connPid)
})

test('a transcript names the tunnels that a stream is within', async () => {
  await using chain = await tunnelChain(['h2c', 'http', 'http'])
  const lines: string[] = []
  const self = createProcess<gun.GunMessage>()
  const [host, port, opts] = chain.open
  const connPid = gun.open(host, port, { ...opts, owner: self, trace: line => lines.push(line) })
  await gun.awaitUp(connPid, PATIENCE)
  const [to, on] = chain.steps
  const outer = gun.connect(connPid, { ...to?.destination, host: 'localhost', port: to?.to.port ?? 0 })
  const inner = gun.connect(connPid, { host: 'localhost', port: on?.to.port ?? 0 }, {}, { tunnel: outer })
  await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel: inner }), PATIENCE)
  assert.ok(lines.some(line => line.includes(`message gun_response within ${outer} > ${inner} {`)))
  assert.ok(lines.some(line => line.includes(`message gun_tunnel_up within ${outer} { streamRef: ${inner}`)))
  gun.close(connPid)
})
