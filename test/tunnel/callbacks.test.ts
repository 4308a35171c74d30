// A callback may cancel, close or ask for more at any point of a tunnel's life, and each stream still ends once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { until } from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { type OriginKind, tunnelOrigin } from '../support/tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy } from '../support/tunnel-proxies.ts'

const versions = ['http', 'http2'] as const

/** Where a callback acts: on a message of the tunnel T or of the request R in it, or on an event. */
const points = [
  'T gun_response',
  'T gun_tunnel_up',
  'R gun_response',
  'R gun_data',
  'requestStart',
  'requestHeaders',
  'requestEnd',
  'responseStart',
  'responseHeaders',
  'responseEnd',
  'originChanged',
  'protocolChanged',
  'tlsHandshakeStart',
  'tlsHandshakeEnd',
  'disconnect',
] as const
type Point = (typeof points)[number]

interface Scene {
  readonly connPid: gun.ConnPid
  readonly tunnel: gun.StreamRef
  request: gun.StreamRef | undefined
  /** Asks for a tunnel to nowhere, or for a page, which must come to an end. */
  ask(what: 'a tunnel' | 'a page', tunnel: gun.StreamRef): gun.StreamRef
}

type Act = (scene: Scene) => void

const acts: Record<string, Act> = {
  'cancels the tunnel': ({ connPid, tunnel }) => gun.cancel(connPid, tunnel),
  'cancels the tunnel and asks for more in it': ({ connPid, tunnel, ask }) => {
    gun.cancel(connPid, tunnel)
    ask('a page', tunnel)
  },
  'cancels the request in the tunnel': ({ connPid, request }) =>
    request === undefined ? undefined : gun.cancel(connPid, request),
  'cancels both': ({ connPid, tunnel, request }) => {
    if (request !== undefined) gun.cancel(connPid, request)
    gun.cancel(connPid, tunnel)
  },
  'cancels the tunnel, and then the request': ({ connPid, tunnel, request }) => {
    gun.cancel(connPid, tunnel)
    if (request !== undefined) gun.cancel(connPid, request)
  },
  'asks for more and cancels the tunnel': ({ connPid, tunnel, ask }) => {
    ask('a page', ask('a tunnel', tunnel))
    ask('a page', tunnel)
    gun.cancel(connPid, tunnel)
  },
  'closes the connection': ({ connPid }) => gun.close(connPid),
  'shuts the connection down': ({ connPid }) => gun.shutdown(connPid),
}

const ends = ['http', 'https', 'h2', 'raw', 'socks5'] as const

async function play(
  version: (typeof versions)[number],
  end: (typeof ends)[number],
  point: Point,
  act: Act,
): Promise<void> {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using origin = await tunnelOrigin(end === 'socks5' ? 'http' : (end satisfies OriginKind))
  await using socks = await socks5Proxy()
  await using proxy = await (version === 'http' ? httpProxy() : http2Proxy())
  const owner = createProcess<gun.GunMessage>()
  let scene: Scene | undefined
  let hasActed = false
  const reach = (what: string): void => {
    if (scene === undefined || hasActed || what !== point) return
    hasActed = true
    act(scene)
  }
  const eventHandler = Object.fromEntries(points.map(name => [name, () => reach(name)])) as gun.EventHandler
  const connPid = gun.open(proxy.host, proxy.port, {
    owner,
    protocols: [version],
    retry: 0,
    eventHandler,
    httpOpts: { closingTimeout: 100, cancelTimeout: 100 },
    http2Opts: { closingTimeout: 100 },
  })
  let isDown = false
  owner.monitor(connPid)
  const watching = (async () => {
    while (!isDown) {
      const message = (await owner.receive([{ type: 'DOWN' }] as never)) as { type: string }
      isDown = message.type === 'DOWN'
    }
  })().catch(() => {})
  await gun.awaitUp(connPid)
  let messages = 0
  const replyTo = (name: string) =>
    streamEnds.watch((message: gun.GunMessage) => {
      messages++
      reach(`${name} ${message.type}`)
    })
  const tls = end === 'https' || end === 'h2'
  const destination = { host: 'localhost', port: origin.port, tlsOpts: { ca: certificates.ca } }
  const to: gun.ConnectDestination =
    end === 'socks5'
      ? {
          host: 'localhost',
          port: socks.port,
          protocols: [['socks', { host: 'localhost', port: origin.port }]],
        }
      : end === 'raw'
        ? { host: 'localhost', port: origin.port, protocols: ['raw'] }
        : { ...destination, transport: tls ? 'tls' : 'tcp' }
  const tunnel = gun.connect(connPid, to, [], { replyTo: replyTo('T') })
  const silent = new Set<gun.StreamRef>()
  const ask: Scene['ask'] = (what, within) => {
    const opts = {
      tunnel: within,
      replyTo: streamEnds.watch((message: gun.GunMessage) => {
        if (message.type === 'gun_error') silent.delete(message.streamRef as gun.StreamRef)
      }),
    }
    const to = { host: 'localhost', port: 1 }
    const ref = what === 'a page' ? gun.get(connPid, '/', [], opts) : gun.connect(connPid, to, [], opts)
    silent.add(ref)
    return ref
  }
  scene = { connPid, tunnel, request: undefined, ask }
  if (end !== 'raw') scene.request = gun.get(connPid, '/', [], { tunnel, replyTo: replyTo('R') })
  // Either the callback has acted, or all is over that it could have acted on.
  const isOver = (): boolean => end === 'raw' || hasActed || isDown || messages >= 4
  await until(() => isOver() && (messages > 0 || hasActed || isDown))
  gun.close(connPid)
  await watching
  assert.equal(silent.size, 0, 'a stream was never told of its end')
  owner.exit()
  streamEnds.assert()
}

for (const version of versions) {
  for (const end of ends) {
    for (const [what, act] of Object.entries(acts)) {
      test(`a callback ${what}, at each point of a tunnel to ${end} over ${version}`, async t => {
        for (const point of points) await t.test(point, () => play(version, end, point, act))
      })
    }
  }
}
