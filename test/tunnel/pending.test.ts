// A tunnel that is asked for and not up: what waits for it ends before it, once, however it ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { type OriginKind, tunnelOrigin } from '../support/tunnel-origins.ts'
import { type Http2ProxyAnswer, http2Proxy, httpProxy, type TunnelProxy } from '../support/tunnel-proxies.ts'
import { connect, type TunnelScene, through, tunnelScene } from '../support/tunnel-scene.ts'

const versions = ['http', 'http2'] as const
type Version = (typeof versions)[number]

interface Asked extends AsyncDisposable {
  readonly it: TunnelScene
  readonly proxy: TunnelProxy
  readonly tunnel: gun.StreamRef
}

const SHORT = { httpOpts: { closingTimeout: 50, cancelTimeout: 50 }, http2Opts: { closingTimeout: 50 } }

/** All that waits for the tunnel T: a request, a WebSocket, and a tunnel with a request of its own. */
const WAITING = ['R', 'Q', 'U', 'W']

/** Opens a connection to a proxy, and gives it with the end of a tunnel. */
async function proxied(
  version: Version,
  options: { readonly answer?: () => Http2ProxyAnswer; readonly isHeld?: boolean },
  opts: gun.Opts = {},
): Promise<{ it: TunnelScene; proxy: TunnelProxy } & AsyncDisposable> {
  const proxy = await (version === 'http' ? httpProxy(options) : http2Proxy(options))
  const it = tunnelScene(proxy.host, proxy.port, { protocols: [version], ...SHORT, ...opts })
  await it.hears(`up ${version}`)
  return {
    it,
    proxy,
    async [Symbol.asyncDispose]() {
      await it[Symbol.asyncDispose]()
      await proxy.close()
    },
  }
}

/** A tunnel that the proxy was asked for, and that others wait for. */
async function asked(
  version: Version,
  options: { readonly answer?: () => Http2ProxyAnswer; readonly isHeld?: boolean },
  to: gun.ConnectDestination = { host: 'localhost', port: 1 },
  opts: gun.Opts = {},
): Promise<Asked> {
  const scene = await proxied(version, options, opts)
  const { it, proxy } = scene
  const { connPid } = it
  const tunnel = it.name('T', connect(connPid, to))
  await proxy.request()
  it.name('R', gun.get(connPid, '/', [], { tunnel }))
  const nested = it.name('U', connect(connPid, { host: 'localhost', port: 1 }, tunnel))
  it.name('Q', gun.get(connPid, '/', [], { tunnel: nested }))
  it.name('W', gun.wsUpgrade(connPid, '/', [], { tunnel }))
  return { it, proxy, tunnel, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() }
}

const withCode = (names: readonly string[], code: string): string[] =>
  names.map(name => `${name}: error ${code}`)

for (const version of versions) {
  const over = `over ${version}`

  for (const stage of ['the CONNECT', 'TLS within'] as const) {
    const options: Parameters<typeof asked>[1] =
      stage === 'the CONNECT' ? { answer: () => 'stall' } : { answer: () => ({ leadsTo: 'nowhere' }) }
    const to = { host: 'localhost', port: 1, ...(stage === 'TLS within' && { transport: 'tls' as const }) }
    const begin = async (opts?: gun.Opts): Promise<Asked> => {
      const scene = await asked(version, options, to, opts)
      if (stage === 'TLS within') await scene.it.hears('T: response 200 fin')
      return scene
    }
    const isLost = stage === 'TLS within' && version === 'http'

    test(`a tunnel is cancelled during ${stage} ${over}: all that waits is told so, and it can be asked for no more`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using scene = await begin()
      const { it, tunnel } = scene
      const before = it.told.length
      gun.cancel(it.connPid, tunnel)
      await it.hears('W: error cancelled')
      assert.deepEqual(it.told.slice(before, before + 4), withCode(WAITING, 'cancelled'))
      if (isLost) {
        await it.end()
        assert.deepEqual(it.told.slice(before + 4), [
          'down cancelled, killed: ',
          'connection: error cancelled',
          'DOWN shutdown cancelled',
        ])
        return
      }
      it.nameRefused('late', gun.get(it.connPid, '/', [], { tunnel }))
      await it.hears('late: error badstate')
    })

    test(`a tunnel is cancelled twice during ${stage} ${over}: the second time is answered`, async () => {
      await using _left = assertNothingLeft()
      await using scene = await begin({ retry: 1 })
      const { it, tunnel } = scene
      gun.cancel(it.connPid, tunnel)
      gun.cancel(it.connPid, tunnel)
      await it.hears('T: error badstate')
      assert.deepEqual(
        it.of('T').filter(line => line.startsWith('error')),
        ['error badstate'],
      )
    })

    test(`a connection is closed during ${stage} ${over}`, async () => {
      await using _left = assertNothingLeft()
      await using scene = await begin()
      const { it } = scene
      const before = it.told.length
      gun.close(it.connPid)
      await it.end()
      const ends = withCode([...WAITING, 'T'], 'shutdown')
      assert.deepEqual(it.told.slice(before), [...ends, 'DOWN shutdown'])
    })

    test(`a connection is shut down during ${stage} ${over}`, async () => {
      await using _left = assertNothingLeft()
      await using scene = await begin()
      const { it } = scene
      const before = it.told.length
      gun.shutdown(it.connPid)
      await it.end()
      const order = it.told.slice(before).map(line => line.split(':')[0])
      assert.deepEqual(order, [...WAITING, 'T', 'DOWN shutdown'])
    })

    test(`the owner exits during ${stage} ${over}`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using scene = await begin()
      const { it } = scene
      it.owner.exit()
      await it.connPid[Symbol.asyncDispose]()
    })

    test(`the connection is lost during ${stage} ${over}: nothing of it is left on the next`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using scene = await begin({ retry: 1, retryTimeout: 1 })
      const { it, proxy, tunnel } = scene
      const before = it.told.length
      await proxy.close()
      await it.until(() => it.told.some(line => line.startsWith('down')), 'gun_down')
      assert.deepEqual(it.told.slice(before, before + 4), withCode(WAITING, 'refused_stream'))
      assert.match(it.told[before + 4] ?? '', /^T: error /)
      assert.match(it.told[before + 5] ?? '', /^down \S+, killed: T$/)
      it.nameRefused('late', gun.get(it.connPid, '/', [], { tunnel }))
      await it.hears('late: error badstate')
    })
  }

  test(`a proxy agrees to a tunnel that was cancelled ${over}`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using origin = await tunnelOrigin('raw')
    await using scene = await asked(version, { isHeld: true }, { host: 'localhost', port: origin.port })
    const { it, proxy, tunnel } = scene
    gun.cancel(it.connPid, tunnel)
    await it.hears('W: error cancelled')
    proxy.release()
    if (version === 'http') {
      // The connection leads elsewhere from here on, where nobody has anything to say.
      await it.end()
      assert.deepEqual(it.told.slice(-3, -2), ['down cancelled, killed: '])
    } else {
      it.name('P', gun.get(it.connPid, '/'))
      await it.hears('P: data  fin')
    }
    assert.deepEqual(it.of('T'), [])
  })

  test(`a proxy refuses a tunnel that was cancelled ${over}, and the connection goes on`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using scene = await asked(version, { isHeld: true, answer: () => ({ status: 407, body: 'who?' }) })
    const { it, proxy, tunnel } = scene
    gun.cancel(it.connPid, tunnel)
    proxy.release()
    it.name('P', gun.get(it.connPid, '/'))
    await it.hears('P: response 200 nofin')
    await it.until(() => it.of('P').at(-1)?.endsWith('fin') ?? false, 'all of P')
    assert.deepEqual(it.of('T'), [])
  })

  test(`a proxy refuses a tunnel ${over}: all that waits for it is told first`, async () => {
    await using _left = assertNothingLeft()
    await using scene = await asked(version, { isHeld: true, answer: () => ({ status: 403, body: 'no' }) })
    const { it, proxy, tunnel } = scene
    const before = it.told.length
    proxy.release()
    await it.hears('T: data no fin')
    assert.deepEqual(it.told.slice(before), [
      ...withCode(WAITING, 'refused_stream'),
      'T: response 403 nofin',
      'T: data no fin',
    ])
    it.nameRefused('late', gun.get(it.connPid, '/', [], { tunnel }))
    await it.hears('late: error badstate')
    it.name('P', gun.get(it.connPid, '/'))
    await it.hears('P: response 200 nofin')
  })

  for (const kind of ['http', 'h2'] satisfies OriginKind[]) {
    test(`a proxy agrees to a tunnel to ${kind} while the connection shuts down ${over}`, async () => {
      await using _left = assertNothingLeft()
      await using _warnings = collectWarnings()
      await using origin = await tunnelOrigin(kind)
      const transport = kind === 'h2' ? ('tls' as const) : ('tcp' as const)
      const to = { host: 'localhost', port: origin.port, transport }
      await using scene = await asked(version, { isHeld: true }, to, {
        httpOpts: { closingTimeout: 5000 },
        http2Opts: { closingTimeout: 5000 },
      })
      const { it, proxy } = scene
      gun.shutdown(it.connPid)
      proxy.release()
      await it.end()
      const tunnel = it.of('T')
      assert.equal(tunnel[0], 'response 200 fin')
      assert.match(tunnel.at(-1) ?? '', /^error (shutdown|closed|closing)$/)
    })
  }

  test(`a tunnel is cancelled before its connection is up ${over}`, async () => {
    await using _left = assertNothingLeft()
    await using proxy = await (version === 'http' ? httpProxy() : http2Proxy())
    await using it = tunnelScene(proxy.host, proxy.port, { protocols: [version] })
    const tunnel = it.name('T', connect(it.connPid, { host: 'localhost', port: 1 }))
    it.name('R', gun.get(it.connPid, '/', [], { tunnel }))
    gun.cancel(it.connPid, tunnel)
    await it.hears(`up ${version}`)
    assert.deepEqual(it.told, ['R: error cancelled', `up ${version}`])
    assert.equal(proxy.requests.length, 0)
  })
}

test('a CONNECT says connection: close, and the tunnel carries requests all the same', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using origin = await tunnelOrigin('http')
  await using scene = await proxied('http', {})
  const { it } = scene
  const to = { host: 'localhost', port: origin.port }
  const tunnel = it.name('T', gun.connect(it.connPid, to, [['connection', 'close']]))
  it.name('R', gun.get(it.connPid, '/', [], { tunnel }))
  await it.whole('R')
  it.name('S', gun.get(it.connPid, '/', [], { tunnel }))
  await it.whole('S')
})

for (const kinds of [
  ['http', 'http', 'http'],
  ['h2c', 'http', 'http'],
  ['h2c', 'h2c', 'https'],
] as const) {
  test(`a callback cancels each tunnel and the request in them, through ${kinds.join(', ')}: no one hears of any`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    let act = (): void => {}
    await using it = await through(kinds, { eventHandler: { responseStart: () => act() } })
    const { connPid, tunnels } = it
    const request = it.name('R', gun.get(connPid, '/', [], it.through))
    const before = it.told.length
    await new Promise<void>(resolve => {
      act = () => {
        act = () => {}
        for (const streamRef of [...tunnels, request])
          if (streamRef !== undefined) gun.cancel(connPid, streamRef)
        resolve()
      }
    })
    gun.shutdown(connPid)
    await it.end()
    assert.deepEqual(
      it.told.slice(before).filter(line => /^[TR]/.test(line)),
      [],
    )
  })
}

for (const version of versions) {
  test(`a callback cancels a tunnel over ${version} while parts of a body still wait for it: the request ends once`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using origin = await tunnelOrigin('http')
    let act = (_event: gun.RequestEvent): void => {}
    await using scene = await proxied(version, {}, { eventHandler: { requestStart: event => act(event) } })
    const { it } = scene
    const { connPid } = it
    const tunnel = it.name('T', connect(connPid, { host: 'localhost', port: origin.port }))
    const request = it.name('R', gun.headers(connPid, 'POST', '/echo', [], { tunnel }))
    for (const isFin of ['nofin', 'nofin', 'fin'] as const) gun.data(connPid, request, isFin, 'part')
    act = ({ streamRef }) => {
      if (streamRef === request) gun.cancel(connPid, tunnel)
    }
    await it.hears('R: error cancelled')
    gun.close(connPid)
    await it.end()
    assert.deepEqual(it.of('R'), ['error cancelled'])
  })
}
