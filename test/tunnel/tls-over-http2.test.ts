// TLS over a stream of HTTP/2: pressure both ways, ends in order, and nothing left when the stream or the connection goes away.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { certificates, type Peer } from '@holster/testing'
import { defer } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { type Http2Proxy, http2Proxy } from '../support/tunnel-proxies.ts'
import { connect, type TunnelScene, tunnelScene } from '../support/tunnel-scene.ts'

const MIB = 2 ** 20

interface Scene extends AsyncDisposable {
  readonly it: TunnelScene
  readonly proxy: Http2Proxy
  readonly tunnel: gun.StreamRef
}

/** A tunnel that speaks raw over TLS with an origin of this script. */
async function tunnelTo(script: (peer: Peer) => unknown, opts: gun.RawOpts = {}): Promise<Scene> {
  const end = await origin(script, { transport: 'tls' })
  const proxy = await http2Proxy()
  const it = tunnelScene(proxy.host, proxy.port, { protocols: ['http2'] })
  const tunnel = it.name(
    'T',
    connect(it.connPid, {
      host: 'localhost',
      port: end.port,
      transport: 'tls',
      tlsOpts: { ca: certificates.ca },
      protocols: [['raw', opts]],
    }),
  )
  await it.hears('T: up raw')
  return {
    it,
    proxy,
    tunnel,
    async [Symbol.asyncDispose]() {
      await it[Symbol.asyncDispose]()
      await proxy.close()
      await end.close()
    },
  }
}

/** Ways to end what a writer waits for, and the last that is heard of the tunnel. */
const ends: Record<string, { run(scene: Scene): unknown; error?: RegExp }> = {
  // Node's HTTP/2 ends the stream in order before it resets it.
  'the proxy resets the stream': { run: ({ proxy }) => proxy.resetTunnel(), error: /^error |^data {2}fin$/ },
  'the proxy dies': { run: ({ proxy }) => proxy.close(), error: /^error / },
  'the tunnel is cancelled': { run: ({ it, tunnel }) => gun.cancel(it.connPid, tunnel) },
  'the connection is closed': { run: ({ it }) => gun.close(it.connPid), error: /^error shutdown$/ },
}

for (const [how, { run, error }] of Object.entries(ends)) {
  test(`${how} while an origin does not read`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    await using scene = await tunnelTo(
      peer => {
        peer.socket.pause()
        return peer.closed
      },
      { sendHighWaterMark: MIB },
    )
    const { it, tunnel } = scene
    let given = 0
    while (gun.data(it.connPid, tunnel, 'nofin', Buffer.alloc(MIB))) {
      given++
      await settle()
      assert.ok(given < 64, 'nothing holds the writer up')
    }
    await run(scene)
    if (error === undefined) {
      it.nameRefused('late', gun.get(it.connPid, '/', [], { tunnel }))
      await it.hears('late: error badstate')
    } else {
      await it.until(() => it.of('T').some(line => error.test(line)), 'the error of T')
    }
  })

  test(`${how} while nobody reads what the origin sends`, async () => {
    await using _left = assertNothingLeft()
    await using _warnings = collectWarnings()
    let sent = 0
    await using scene = await tunnelTo(
      async peer => {
        for (; sent < 256; sent++) await peer.send(Buffer.alloc(MIB))
      },
      { flow: 1 },
    )
    const { it, tunnel } = scene
    for (let before = -1; before < sent; ) {
      before = sent
      await settle()
    }
    assert.ok(sent < 64, `${sent} MiB have left the origin`)
    await run(scene)
    if (error === undefined) {
      it.nameRefused('late', gun.get(it.connPid, '/', [], { tunnel }))
      await it.hears('late: error badstate')
    } else {
      await it.until(() => it.of('T').some(line => error.test(line)), 'the error of T')
    }
  })
}

test('the client ends first, and what the origin still sends is heard before its end', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using scene = await tunnelTo(async peer => {
    const all = await peer.receiveAll()
    await peer.send(`got ${all.length}`)
    peer.end()
  })
  const { it, tunnel } = scene
  gun.data(it.connPid, tunnel, 'nofin', Buffer.alloc(MIB))
  gun.data(it.connPid, tunnel, 'fin', 'x')
  await it.until(
    () => it.of('T').some(line => /^data .*fin$/.test(line) && !line.endsWith('nofin')),
    'the end of T',
  )
  const text = it
    .of('T')
    .filter(line => line.startsWith('data'))
    .map(line => line.split(' ').slice(1, -1).join(' '))
    .join('')
  assert.equal(text, `got ${MIB + 1}`)
  // The connection has nothing left of the stream.
  gun.shutdown(it.connPid)
  await it.end()
  assert.equal(it.told.at(-1), 'DOWN shutdown')
})

test('the origin ends first, and all that it has sent is heard before', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  await using scene = await tunnelTo(async peer => {
    await peer.receive(1)
    await peer.send('a'.repeat(100_000))
    peer.end()
  })
  const { it, tunnel } = scene
  gun.data(it.connPid, tunnel, 'nofin', 'x')
  await it.until(
    () => it.of('T').some(line => /^data .*fin$/.test(line) && !line.endsWith('nofin')),
    'the end of T',
  )
  const length = it
    .of('T')
    .filter(line => line.startsWith('data'))
    .reduce((sum, line) => sum + (line.split(' ')[1]?.length ?? 0), 0)
  assert.equal(length, 100_000)
  gun.shutdown(it.connPid)
  await it.end()
  assert.equal(it.told.at(-1), 'DOWN shutdown')
})

test('the connection is shut down while an origin reads late: all that was given arrives', async () => {
  await using _left = assertNothingLeft()
  await using _warnings = collectWarnings()
  const read = defer<void>()
  const got = defer<number>()
  await using scene = await tunnelTo(
    async peer => {
      peer.socket.pause()
      await read.promise
      got.resolve((await peer.receiveAll()).length)
    },
    { sendHighWaterMark: MIB },
  )
  const { it, tunnel } = scene
  let given = 1
  while (gun.data(it.connPid, tunnel, 'nofin', Buffer.alloc(MIB))) given++
  gun.shutdown(it.connPid)
  read.resolve()
  assert.equal(await got.promise, given * MIB)
  await it.end()
})
