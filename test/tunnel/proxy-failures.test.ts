/** A way through proxies that cannot be made says at which hop, and leaves nothing behind wherever it ends. */

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { type Client, eventually, freePort, PATIENCE } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin as scripted } from '../support/origin.ts'
import {
  failure,
  open,
  originOpts,
  type Proxies,
  type ProxyInit,
  type Scheme,
  startProxies,
} from '../support/proxied.ts'
import { onLinux, unanswering } from '../support/silent-address.ts'
import { type OriginKind, tunnelOrigin } from '../support/tunnel-origins.ts'

const chains: readonly (readonly Scheme[])[] = [
  ['http'],
  ['https'],
  ['socks5h'],
  ['http', 'socks5h'],
  ['socks5h', 'https'],
  ['https', 'http', 'socks5h'],
]

interface Place {
  readonly kinds: readonly Scheme[]
  readonly at: number
  readonly kind: Scheme
}

/** Each proxy of each chain. */
const places: readonly Place[] = chains.flatMap(kinds => kinds.map((kind, at) => ({ kinds, at, kind })))

const named = ({ kinds, at }: Place): string => `${kinds.join(', ')} (${at + 1})`
const isHttp = (kind: Scheme): boolean => kind.startsWith('http')

/** The options of the proxies, of which one has these. */
const only = (at: number, init: ProxyInit): ProxyInit[] =>
  Array.from({ length: at + 1 }, (_, i) => (i === at ? init : {}))

/** The message has the place in front, and names no other proxy. */
function assertNames({ message }: gun.GunError, { names }: Proxies, at: number): void {
  const isOrigin = at === names.length
  const name = names[isOrigin ? at - 1 : at] ?? assert.fail()
  const prefix = isOrigin ? `through ${name}: ` : `${name}: `
  assert.ok(message.startsWith(prefix), message)
  for (const other of names) if (other !== name) assert.ok(!message.includes(other), message)
  assert.equal(message.split('the proxy http').length + message.split('the proxy socks').length, 3, message)
}

/** The error of a way of which one proxy does something else. */
async function astray(
  { kinds, at }: Place,
  init: ProxyInit,
  opts: gun.Opts = {},
  originKind: OriginKind = 'http',
  meanwhile: (proxies: Proxies) => Promise<unknown> = async () => {},
): Promise<{ error: gun.GunError; proxies: Proxies }> {
  await using _left = assertNothingLeft()
  await using calm = collectWarnings()
  await using origin = await tunnelOrigin(originKind)
  await using proxies = await startProxies(kinds, only(at, init))
  const { sockets, eventHandler } = socketsOf()
  const all = { ...originOpts[originKind], proxy: proxies.proxy, eventHandler, ...opts }
  await using client = open(origin, all)
  await meanwhile(proxies)
  const error = await failure(client)
  await assertDestroyed(sockets)
  const { warnings, rejections, exceptions } = await calm.take()
  // Node warns of the clock of the tests.
  const others = warnings.filter(({ name }) => name !== 'ExperimentalWarning')
  assert.deepEqual([others, rejections, exceptions], [[], [], []])
  assert.equal(error.kind, 'connection_error')
  return { error, proxies }
}

type End = (client: Client) => void

const ends: Readonly<Record<string, End>> = {
  close: ({ connPid }) => gun.close(connPid),
  shutdown: ({ connPid }) => gun.shutdown(connPid),
  'the exit of the owner': ({ owner }) => owner.exit(),
}

/** Takes note of the sockets to the first proxy. */
function socketsOf(): { readonly sockets: Socket[]; readonly eventHandler: gun.EventHandler } {
  const sockets: Socket[] = []
  const connectEnd = ({ socket }: gun.ConnectEvent) => {
    if (socket !== undefined) sockets.push(socket)
  }
  return { sockets, eventHandler: { connectEnd } }
}

async function assertDestroyed(sockets: readonly Socket[]): Promise<void> {
  assert.equal(sockets.length, 1)
  await eventually(() => sockets.every(({ destroyed }) => destroyed), 'the socket is open')
}

async function assertEnds(client: Client, end: End): Promise<void> {
  const watcher = createProcess<{ readonly type: 'DOWN' }>()
  watcher.monitor(client.connPid)
  end(client)
  await watcher.receive([{ type: 'DOWN' }], PATIENCE)
  watcher.exit()
}

for (const place of places) {
  const { at, kind, kinds } = place
  describe(named(place), () => {
    test('a reset is told of the proxy', async () => {
      const { error, proxies } = await astray(place, { answer: () => 'reset' as const })
      assert.match(error.code, /^(socket_error|closed)$/)
      assertNames(error, proxies, at)
    })

    test('a proxy that closes without an answer is told', async () => {
      await using _left = assertNothingLeft()
      await using origin = await tunnelOrigin('http')
      await using proxies = await startProxies(kinds, only(at, { answer: () => Buffer.of() }))
      await using client = open(origin, { proxy: proxies.proxy })
      const proxy = proxies.list[at] ?? assert.fail()
      await eventually(() => proxy.openTunnels === 1, 'the proxy was not asked')
      proxy.closeTunnel()
      const error = await failure(client)
      assert.equal(error.code, 'closed')
      assertNames(error, proxies, at)
    })

    test('an answer in another protocol is told', async () => {
      const { error, proxies } = await astray(place, { answer: () => Buffer.from('SSH-2.0-x\r\n\r\n') })
      assert.equal(error.code, 'protocol_error')
      assertNames(error, proxies, at)
    })

    test('a proxy that stalls is limited by connectTimeout', async t => {
      const pass = mockTimeouts(t)
      const meanwhile = async (proxies: Proxies) => {
        await proxies.list[at]?.request()
        await pass(1000)
      }
      const init = { answer: () => 'stall' as const }
      const { error, proxies } = await astray(place, init, { connectTimeout: 1000 }, 'http', meanwhile)
      assert.equal(error.code, 'connect_timeout')
      assertNames(error, proxies, at)
      assert.match(error.message, /: connectTimeout of 1000 ms has passed$/)
    })

    test('a refusal is told with what was asked for', async () => {
      const init: ProxyInit = isHttp(kind)
        ? { answer: () => ({ status: 403, body: 'no' }) }
        : { answer: () => ({ code: 2 }) }
      const { error, proxies } = await astray(place, init)
      assert.equal(error.code, isHttp(kind) ? 'proxy_error' : 'socks_connection_not_allowed_by_ruleset')
      assert.equal(error.isPermanent, false)
      assertNames(error, proxies, at)
      const { port } = proxies.list[at + 1] ?? { port: '\\d+' }
      const told = isHttp(kind)
        ? `it refused a tunnel to localhost:${port} with status 403$`
        : `no tunnel to localhost:${port}: the rules of the SOCKS server do not allow this connection$`
      assert.match(error.message, new RegExp(told))
    })

    test('what listens nowhere behind it is told', async () => {
      const init: ProxyInit = { answer: () => ({ leadsTo: { host: '127.0.0.1', port: 1 } }) }
      const { error, proxies } = await astray(place, init)
      assert.equal(error.code, isHttp(kind) ? 'proxy_error' : 'socks_connection_refused')
      assertNames(error, proxies, at)
    })

    for (const [how, end] of Object.entries(ends)) {
      test(`${how} while it is asked leaves nothing`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using origin = await tunnelOrigin('http')
        await using proxies = await startProxies(kinds, only(at, { isHeld: true }))
        const { sockets, eventHandler } = socketsOf()
        await using client = open(origin, { proxy: proxies.proxy, retry: 5, eventHandler })
        const proxy = proxies.list[at] ?? assert.fail()
        await proxy.request()
        await assertEnds(client, end)
        proxy.release()
        await assertDestroyed(sockets)
        assert.equal(origin.requests.length, 0)
      })
    }
  })
}

// Beyond a proxy that has agreed, TLS is agreed on with the next end.
const secured: readonly {
  readonly kinds: readonly Scheme[]
  readonly at: number
  readonly origin: OriginKind
}[] = [
  { kinds: ['http'], at: 0, origin: 'https' },
  { kinds: ['https'], at: 0, origin: 'h2' },
  { kinds: ['socks5h'], at: 0, origin: 'https' },
  { kinds: ['http', 'https'], at: 0, origin: 'http' },
  { kinds: ['http', 'https'], at: 1, origin: 'https' },
  { kinds: ['socks5h', 'https', 'socks5h'], at: 0, origin: 'http' },
  { kinds: ['socks5h', 'https', 'socks5h'], at: 2, origin: 'h2' },
]
for (const { kinds, at, origin: originKind } of secured) {
  const place = { kinds, at, kind: kinds[at] ?? 'http' }
  describe(`TLS behind ${named(place)} with ${originKind}`, () => {
    const nowhere: ProxyInit = { answer: () => ({ leadsTo: 'nowhere' as const }) }

    test('that stalls is limited by tlsHandshakeTimeout, and not by connectTimeout', async t => {
      const pass = mockTimeouts(t)
      const meanwhile = async ({ list }: Proxies) => {
        await eventually(() => list[at]?.openTunnels === 1, 'the proxy was not asked')
        for (let i = 0; i < 20; i++) await pass(0)
        await pass(2000)
        await pass(2000)
      }
      const limits = { tlsHandshakeTimeout: 4000, connectTimeout: 1000 }
      const { error, proxies } = await astray(place, nowhere, limits, originKind, meanwhile)
      assert.equal(error.code, 'tls_handshake_timeout')
      assertNames(error, proxies, at + 1)
    })

    test('that is answered with HTTP is told', async () => {
      const glued = 'HTTP/1.1 400 Bad Request\r\n\r\n'
      const { error, proxies } = await astray(
        place,
        { answer: () => ({ leadsTo: 'nowhere' as const, glued }) },
        {},
        originKind,
      )
      assert.equal(error.code, 'tls_error')
      assertNames(error, proxies, at + 1)
    })

    test('that is reset is told', async () => {
      await using _left = assertNothingLeft()
      await using origin = await tunnelOrigin(originKind)
      await using proxies = await startProxies(kinds, only(at, nowhere))
      await using client = open(origin, { ...originOpts[originKind], proxy: proxies.proxy })
      const proxy = proxies.list[at] ?? assert.fail()
      await eventually(() => proxy.openTunnels === 1, 'the proxy was not asked')
      proxy.resetTunnel()
      const error = await failure(client)
      assert.equal(error.code, 'tls_error')
      assertNames(error, proxies, at + 1)
    })

    test('with another host is told', async () => {
      // A certificate for another name than the one that is asked for.
      const other = { tls: certificates.otherHost } as ProxyInit
      await using _left = assertNothingLeft()
      await using origin = await tunnelOrigin(
        originKind,
        at + 1 === kinds.length ? { tls: certificates.otherHost } : {},
      )
      await using proxies = await startProxies(kinds, at + 1 === kinds.length ? [] : only(at + 1, other))
      await using client = open(origin, { ...originOpts[originKind], proxy: proxies.proxy })
      const error = await failure(client)
      assert.equal(error.code, 'tls_error')
      assert.match(error.message, /altnames/)
      assertNames(error, proxies, at + 1)
    })

    for (const [how, end] of Object.entries(ends)) {
      test(`${how} meanwhile leaves nothing`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using origin = await tunnelOrigin(originKind)
        await using proxies = await startProxies(kinds, only(at, nowhere))
        const { sockets, eventHandler } = socketsOf()
        const opts = { ...originOpts[originKind], proxy: proxies.proxy, retry: 5, eventHandler }
        await using client = open(origin, opts)
        const proxy = proxies.list[at] ?? assert.fail()
        await eventually(() => proxy.openTunnels === 1, 'the proxy was not asked')
        await assertEnds(client, end)
        await assertDestroyed(sockets)
      })
    }
  })
}

describe('the first proxy', () => {
  const kinds = ['http', 'socks5h'] as const

  test('refuses connections', async () => {
    await using origin = await tunnelOrigin('http')
    await using proxies = await startProxies(kinds)
    const port = await freePort()
    await using client = open(origin, { proxy: [`http://localhost:${port}`, ...proxies.proxy] })
    const { code, message, cause } = await failure(client)
    assert.equal(code, 'connect_error')
    assert.ok(
      message.startsWith(`the proxy http://localhost:${port} (1 of 3): no connection to localhost:${port}: `),
    )
    assert.equal((cause as NodeJS.ErrnoException).code, 'ECONNREFUSED')
  })

  test('does not answer', onLinux, async () => {
    await using silent = await unanswering()
    await using client = open({ port: 80 }, { proxy: `http://127.0.0.1:${silent.port}`, connectTimeout: 100 })
    const { code, message } = await failure(client)
    assert.equal(code, 'connect_timeout')
    assert.equal(message, `the proxy http://127.0.0.1:${silent.port}: connectTimeout of 100 ms has passed`)
  })

  test('has a name that cannot be looked up', async () => {
    const lookup = (_: string, _options: unknown, done: (error: Error) => void) =>
      done(new Error('no such name'))
    const proxy = 'http://proxy.test:3128'
    await using client = open({ port: 80 }, { proxy, tcpOpts: { lookup: lookup as never } })
    const { code, message } = await failure(client)
    assert.equal(code, 'domain_lookup_error')
    assert.equal(message, `the proxy ${proxy}: proxy.test could not be looked up: no such name`)
  })

  test('has another name than its certificate', async () => {
    await using origin = await tunnelOrigin('http')
    await using proxies = await startProxies(['https'], [{ tls: certificates.otherHost } as ProxyInit])
    await using client = open(origin, { proxy: proxies.proxy })
    const error = await failure(client)
    assert.equal(error.code, 'tls_error')
    assertNames(error, proxies, 0)
  })

  test('is not trusted by the options for the origin', async () => {
    await using origin = await tunnelOrigin('https')
    await using proxies = await startProxies(['https'])
    await using client = open(origin, {
      ...originOpts.https,
      proxy: `https://localhost:${proxies.list[0]?.port}`,
    })
    const error = await failure(client)
    assert.equal(error.code, 'tls_error')
    assertNames(error, proxies, 0)
  })

  test('stalls in TLS', async () => {
    await using silent = await scripted(peer => peer.closed)
    const proxy = `https://localhost:${silent.port}`
    await using client = open({ port: 80 }, { proxy, tlsHandshakeTimeout: 100 })
    const { code, message } = await failure(client)
    assert.equal(code, 'tls_handshake_timeout')
    assert.equal(message, `the proxy ${proxy}: tlsHandshakeTimeout of 100 ms has passed`)
  })
})

test('a proxy that points elsewhere is not followed', async () => {
  const answer = () => ({ status: 302, headers: [['location', 'http://elsewhere.test/login']] as const })
  const { error, proxies } = await astray({ kinds: ['http'], at: 0, kind: 'http' }, { answer })
  assert.equal(error.code, 'proxy_error')
  assertNames(error, proxies, 0)
  assert.match(error.message, /with status 302, and points elsewhere, where no tunnel can follow$/)
  assert.ok(!error.message.includes('elsewhere.test'))
})

test('a refusal of 2 GB is not read', async () => {
  const part = Buffer.alloc(1024 * 1024)
  let parts = 0
  const body = {
    *[Symbol.iterator]() {
      for (; parts < 2048; parts++) yield part
    },
  }
  const headers = [['content-length', String(2048 * part.length)]] as const
  const answer = () => ({ status: 503, headers, body })
  const { error } = await astray({ kinds: ['http'], at: 0, kind: 'http' }, { answer })
  assert.equal(error.code, 'proxy_error')
  assert.ok(parts < 100, `${parts} MiB were sent`)
})

test('an attempt that has failed is made again, up to retry times', async () => {
  await using origin = await tunnelOrigin('http')
  let asked = 0
  const answer = () => (++asked < 3 ? { status: 503 } : undefined)
  await using proxies = await startProxies(['http'], [{ answer }])
  await using client = open(origin, { proxy: proxies.proxy, retry: 2, retryTimeout: 10 })
  assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
  assert.equal(asked, 3)
})

// OpenSSL refuses them before anything is sent, and would do so each time.
const impossible = { ciphers: 'no such cipher' } as const
const impossibleAt: Readonly<Record<string, (proxies: Proxies) => readonly [opts: gun.Opts, at: number]>> = {
  'the first proxy': ({ proxy: [first, second] }) => [
    { proxy: [{ ...first, tlsOpts: impossible }, second] as never },
    0,
  ],
  'the second proxy': ({ proxy: [first, second] }) => [
    { proxy: [first, { ...second, tlsOpts: impossible }] as never },
    1,
  ],
  'the origin': ({ proxy }) => [{ proxy, tlsOpts: impossible }, 2],
}
for (const [where, optsOf] of Object.entries(impossibleAt)) {
  test(`options of TLS for ${where} that are impossible end the connection at once`, async () => {
    await using _left = assertNothingLeft()
    await using origin = await tunnelOrigin('https')
    await using proxies = await startProxies(['https', 'https'])
    const [opts, at] = optsOf(proxies)
    await using client = open(origin, { ...originOpts.https, ...opts, retry: 5 })
    const error = await failure(client)
    assert.deepEqual([error.code, error.isPermanent], ['tls_error', true])
    assertNames(error, proxies, at)
    assert.ok((proxies.list[0]?.connections ?? 0) <= 1)
  })
}

test('so do those for the origin of a SOCKS5 server that open leads to', async () => {
  await using origin = await tunnelOrigin('https')
  await using proxies = await startProxies(['socks5h'])
  const end = { host: 'localhost', port: origin.port, transport: 'tls', tlsOpts: impossible } as const
  await using client = open({ port: proxies.list[0]?.port ?? 0 }, { protocols: [['socks', end]], retry: 5 })
  const error = await failure(client)
  assert.deepEqual([error.code, error.isPermanent], ['tls_error', true])
})

test('commands given before fail with the reason, each once', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxies = await startProxies(['http'], [{ answer: () => ({ status: 403 }) }])
  await using client = open(origin, { proxy: proxies.proxy })
  const streamRef = gun.get(client.connPid, '/')
  const { reason } = await client.owner.receive([{ type: 'gun_error', streamRef }], PATIENCE)
  assert.equal(reason.code, 'proxy_error')
  assertNames(reason, proxies, 0)
})

describe('a SOCKS5 server that is asked for an address', () => {
  const failing = (_: string, _options: unknown, done: (error: Error) => void) =>
    done(new Error('no such name'))
  /** The first proxy has an address, so that the names behind it alone are looked up. */
  const first = (port: number | undefined) => `socks5://127.0.0.1:${port}`

  test('tells of an origin whose name cannot be looked up', async () => {
    await using _left = assertNothingLeft()
    await using proxies = await startProxies(['socks5h'])
    const proxy = first(proxies.list[0]?.port)
    await using client = open(
      { name: 'origin.test', port: 80 },
      { proxy, tcpOpts: { lookup: failing as never } },
    )
    const { code, message } = await failure(client)
    assert.equal(code, 'domain_lookup_error')
    assert.equal(message, `through the proxy ${proxy}: origin.test could not be looked up: no such name`)
  })

  test('tells of a proxy whose name cannot be looked up', async () => {
    await using proxies = await startProxies(['socks5h'])
    const proxy = [first(proxies.list[0]?.port), 'http://second.test:3128']
    await using client = open(
      { name: 'origin.test', port: 80 },
      { proxy, tcpOpts: { lookup: failing as never } },
    )
    const { message } = await failure(client)
    assert.equal(
      message,
      'the proxy http://second.test:3128 (2 of 2): second.test could not be looked up: no such name',
    )
  })

  test('is limited by domainLookupTimeout', async t => {
    await using _left = assertNothingLeft()
    await using proxies = await startProxies(['socks5h'])
    const proxy = first(proxies.list[0]?.port)
    const pass = mockTimeouts(t)
    let hasAsked = false
    const lookup = () => {
      hasAsked = true
    }
    const opts = { tcpOpts: { lookup: lookup as never }, domainLookupTimeout: 1000 }
    await using client = open({ name: 'origin.test', port: 80 }, { proxy, ...opts })
    await eventually(() => hasAsked, 'nothing was looked up')
    await pass(1000)
    const { code, message } = await failure(client)
    assert.equal(code, 'domain_lookup_timeout')
    assert.equal(message, `through the proxy ${proxy}: domainLookupTimeout of 1000 ms has passed`)
  })

  for (const how of ['ends', 'is reset'] as const) {
    test(`tells of a connection that ${how} meanwhile`, async () => {
      await using _left = assertNothingLeft()
      let socketOf: (() => void) | undefined
      await using server = await scripted(peer => {
        socketOf = () => (how === 'ends' ? peer.end() : peer.reset())
        return peer.closed
      })
      let answer: (() => void) | undefined
      const lookup = (_: string, _options: unknown, done: (error: null, found: unknown) => void) => {
        answer = () => done(null, [{ address: '127.0.0.1', family: 4 }])
      }
      const proxy = first(server.port)
      const opts = { tcpOpts: { lookup: lookup as never } }
      await using client = open({ name: 'origin.test', port: 80 }, { proxy, ...opts })
      await eventually(() => answer !== undefined && socketOf !== undefined, 'nothing was looked up')
      socketOf?.()
      await eventually(() => server.connections === 1, '')
      for (let i = 0; i < 20; i++) await new Promise(setImmediate)
      answer?.()
      const { code, message } = await failure(client)
      assert.match(code, /^(closed|socket_error)$/)
      assert.ok(message.startsWith(`the proxy ${proxy}: `), message)
    })
  }

  for (const [how, end] of Object.entries(ends)) {
    test(`${how} during a look-up leaves nothing`, async () => {
      await using _left = assertNothingLeft()
      await using proxies = await startProxies(['socks5h'])
      let hasAsked = false
      const lookup = () => {
        hasAsked = true
      }
      const proxy = first(proxies.list[0]?.port)
      const opts = { tcpOpts: { lookup: lookup as never } }
      await using client = open({ name: 'origin.test', port: 80 }, { proxy, ...opts })
      await eventually(() => hasAsked, 'nothing was looked up')
      await assertEnds(client, end)
    })
  }
})

test('an await that gives up names the proxy that the way waits for', async () => {
  await using _left = assertNothingLeft()
  await using origin = await tunnelOrigin('http')
  await using proxies = await startProxies(['http', 'socks5h'], only(1, { answer: () => 'stall' as const }))
  await using client = open(origin, { ...originOpts.http, proxy: proxies.proxy })
  // Until the second proxy was asked, the await may find the way at an earlier end.
  await eventually(() => proxies.list[1]?.requests.length === 1, 'the second proxy was not asked')
  const error = await gun.awaitUp(client.connPid, 0).catch((reason: unknown) => reason)
  assert.ok(error instanceof gun.GunError)
  assert.ok(error.message.includes(`(initial_tunnel, waiting for ${proxies.names[1]})`), error.message)
})
