// The protocol raw: bytes both ways, over a connection of its own and through SOCKS5.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type Place, type Transport } from '@holster/testing'
import { type Client, connect, defer, eventually, PATIENCE, receiveError } from '../support/client.ts'
import { type Ends, ends } from '../support/http-ends.ts'
import { origin } from '../support/origin.ts'
import { streamEnds } from '../support/stream-ends.ts'
import { tunnelProxy } from '../support/tunnel-chains.ts'
import { BIG, tunnelOrigin } from '../support/tunnel-origins.ts'
import { httpProxy } from '../support/tunnel-proxies.ts'

const transports = ['tcp', 'tls'] as const
const wires: readonly Transport[] = ['tcp', 'tls', 'unix']
const tlsOpts = { ca: certificates.ca }

/** A connection that speaks raw, with the peer's side. */
const rawEnds = (wire: Transport, rawOpts: gun.RawOpts = {}, owner = {}): Promise<Ends> =>
  ends(wire, { protocols: ['raw'], retry: 0, rawOpts }, owner)

/** Connects, speaking raw, to a server that is there already. */
async function connectRaw(server: Place, wire: Transport): Promise<Client> {
  const owner = createProcess<gun.GunMessage>()
  const opts: gun.Opts = { owner, protocols: ['raw'], retry: 0 }
  const tls: gun.Opts = wire === 'tls' ? { transport: 'tls', tlsOpts } : {}
  const { host, port, path } = server
  const all = { ...opts, ...tls }
  const connPid = path === undefined ? gun.open(host, port, all) : gun.openUnix(path, all)
  assert.equal(await gun.awaitUp(connPid, PATIENCE), 'raw')
  return {
    owner,
    connPid,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      owner.exit()
      streamEnds.assert()
    },
  }
}

/** The bytes that come until there are so many, or the peer's end. */
async function receiveBytes(
  { self, connPid }: Pick<Ends, 'self' | 'connPid'>,
  streamRef: gun.StreamRef | undefined,
  count = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let length = 0; length < count; ) {
    const { data, isFin } = await self.receive([{ type: 'gun_data', connPid, streamRef }], PATIENCE)
    parts.push(data)
    length += data.length
    if (isFin === 'fin') break
  }
  return Buffer.concat(parts)
}

for (const wire of wires) {
  test(`bytes go both ways over a connection of its own, over ${wire}`, async () => {
    await using it = await rawEnds(wire)
    const { connPid, peer } = it
    gun.data(connPid, undefined, 'nofin', 'Hello world!')
    assert.equal(String(await peer.receive(12)), 'Hello world!')
    await peer.send('Hello yourself')
    const message = await gun.await(connPid, undefined, PATIENCE)
    assert.deepEqual(message, {
      type: 'gun_data',
      connPid,
      isFin: 'nofin',
      data: Buffer.from('Hello yourself'),
    })
    const { protocol, originScheme, stateName, intermediaries } = gun.info(connPid)
    assert.deepEqual(
      { protocol, originScheme, stateName, intermediaries },
      { protocol: 'raw', originScheme: undefined, stateName: 'connected_data_only', intermediaries: [] },
    )
  })

  test(`a byte at a time is a message at a time, over ${wire}`, async () => {
    await using it = await rawEnds(wire)
    await it.peer.send('Hello', 'bytes')
    assert.equal(String(await receiveBytes(it, undefined, 5)), 'Hello')
  })

  test(`the peer ends first: its last bytes come, ours leave, and the connection ends in order, over ${wire}`, async () => {
    await using it = await rawEnds(wire)
    const { connPid, peer } = it
    gun.data(connPid, undefined, 'nofin', 'ours')
    await peer.receive(4)
    peer.end('theirs')
    const told = await it.heard(3)
    assert.deepEqual(told, ['data theirs nofin', 'data  fin', 'down: normal, killed 0'])
    await peer.closed
  })

  test(`the caller ends first, and still hears the peer, over ${wire}`, async () => {
    await using server = await origin(
      async peer => {
        await peer.send(await peer.receiveAll())
        await peer.send(' and more')
      },
      { transport: wire },
    )
    await using client = await connectRaw(server, wire)
    const { connPid, owner } = client
    gun.data(connPid, undefined, 'fin', 'ours')
    assert.equal(gun.data(connPid, undefined, 'nofin', 'late'), false)
    assert.equal((await receiveError(client, undefined)).code, 'badstate')
    assert.equal(String(await receiveBytes({ self: owner, connPid }, undefined)), 'ours and more')
    await owner.receive([{ type: 'gun_down', connPid, reason: 'normal' }], PATIENCE)
  })

  test(`the peer's reset is the end of the connection, over ${wire}`, async () => {
    await using it = await rawEnds(wire)
    await it.peer.send('some')
    assert.equal(String(await receiveBytes(it, undefined, 4)), 'some')
    it.peer.reset()
    const [down] = await it.heard(1)
    assert.match(
      down ?? '',
      wire === 'unix' ? /^data {2}fin|^down/ : /^down: socket_error, killed 0|^down: closed/,
    )
  })

  test(`a shutdown sends what was given before, over ${wire}`, async () => {
    await using it = await rawEnds(wire)
    gun.data(it.connPid, undefined, 'nofin', BIG)
    gun.shutdown(it.connPid)
    assert.ok((await it.peer.receiveAll()).equals(BIG))
  })

  test(`8 MiB go both ways at once, over ${wire}`, async () => {
    await using it = await rawEnds(wire, { sendHighWaterMark: 64 * 1024 })
    const { connPid, peer, self } = it
    const answer = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) await peer.send(BIG)
    }
    const answered = answer()
    const send = async (): Promise<void> => {
      for (let i = 0; i < 8; i++) {
        if (gun.data(connPid, undefined, 'nofin', BIG)) continue
        await self.receive([{ type: 'gun_notify', event: 'drain', connPid }], PATIENCE)
      }
      // The peer answers this end with its own.
      await answered
      gun.data(connPid, undefined, 'fin', '')
    }
    const [ours, theirs] = await Promise.all([peer.receiveAll(), receiveBytes(it, undefined), send()])
    for (const bytes of [ours, theirs]) {
      assert.equal(bytes.length, 8 * BIG.length)
      for (let i = 0; i < 8; i++) assert.ok(BIG.equals(bytes.subarray(i * BIG.length, (i + 1) * BIG.length)))
    }
  })

  test(`flow says how many messages come, over ${wire}`, async () => {
    await using it = await rawEnds(wire, { flow: 1 })
    const { connPid, peer, self } = it
    await peer.send('one')
    assert.equal(String(await receiveBytes(it, undefined, 3)), 'one')
    await peer.send('two')
    await peer.send('three')
    gun.data(connPid, undefined, 'nofin', 'x')
    await peer.receive(1)
    assert.equal(self.messageQueueLength, 0)
    gun.updateFlow(connPid, undefined, 1)
    const { data } = await self.receive([{ type: 'gun_data', connPid }], PATIENCE)
    assert.match(String(data), /^two/)
    gun.updateFlow(connPid, undefined, 10)
    if (data.length < 8) assert.equal(String(await receiveBytes(it, undefined, 8 - data.length)), 'three')
    peer.end()
    await eventually(() => self.messageQueueLength >= 2, 'no end')
  })
}

// Node's own TLS loses the last record to a peer that has ended its side.
for (const wire of ['tcp', 'unix'] as const) {
  test(`the peer ends first, and all that was given still leaves, over ${wire}`, async () => {
    const given = defer<void>()
    const received = defer<Buffer>()
    await using server = await origin(
      async peer => {
        peer.end()
        await given.promise
        received.resolve(await peer.receiveAll())
      },
      { transport: wire },
    )
    await using client = await connectRaw(server, wire)
    const { connPid, owner } = client
    for (let i = 0; i < 8; i++) gun.data(connPid, undefined, 'nofin', BIG)
    const { isFin } = await owner.receive([{ type: 'gun_data', connPid }], PATIENCE)
    assert.equal(isFin, 'fin')
    given.resolve()
    assert.equal((await received.promise).length, 8 * BIG.length)
    await owner.receive([{ type: 'gun_down', connPid, reason: 'normal' }], PATIENCE)
  })
}

for (const wire of transports) {
  test(`a connection that speaks raw carries nothing else, over ${wire}`, async () => {
    await using it = await rawEnds(wire)
    const { connPid, self } = it
    const owner = { owner: self, connPid }
    const asked = [
      gun.get(connPid, '/'),
      gun.post(connPid, '/', {}, 'body'),
      gun.headers(connPid, 'POST', '/'),
      gun.wsUpgrade(connPid, '/'),
      gun.ping(connPid),
      gun.connect(connPid, { host: 'localhost', port: 1 }),
    ]
    for (const streamRef of asked) assert.equal((await receiveError(owner, streamRef)).code, 'badstate')
    const [first] = asked as [gun.StreamRef]
    gun.data(connPid, first, 'nofin', 'x')
    assert.equal((await receiveError(owner, first)).code, 'badstate')
    gun.trailers(connPid, first, [['a', 'b']])
    assert.equal((await receiveError(owner, first)).code, 'badstate')
    gun.cancel(connPid, first)
    assert.equal((await receiveError(owner, first)).code, 'badstate')
    gun.wsSend(connPid, ['text', 'x'])
    assert.equal((await receiveError(owner, undefined)).code, 'badstate')
    const within = gun.get(connPid, '/', {}, { tunnel: first })
    assert.equal((await receiveError(owner, within)).code, 'badstate')
    gun.updateFlow(connPid, first, 1)
    assert.equal(gun.streamInfo(connPid, first), undefined)
    gun.data(connPid, undefined, 'nofin', 'still here')
    assert.equal(String(await it.peer.receive(10)), 'still here')
    assert.equal(self.messageQueueLength, 0)
  })
}

test('data for a connection that speaks HTTP needs a stream', async () => {
  await using it = await ends('tcp')
  const { connPid } = it
  assert.equal(gun.data(connPid, undefined, 'nofin', 'x'), false)
  assert.equal((await receiveError({ owner: it.self, connPid }, undefined)).code, 'badstate')
  gun.updateFlow(connPid, undefined, 1)
  gun.get(connPid, '/')
  await it.peer.receiveRequest()
})

test('a mailbox over its mark holds up the peer', async () => {
  await using it = await rawEnds('tcp', {}, { highWaterMark: { bytes: 1000 } })
  const { connPid, peer, self } = it
  await peer.send(Buffer.alloc(1500))
  await eventually(() => self.messageQueueLength > 0, 'nothing has come')
  await eventually(() => gun.info(connPid).socket?.isPaused() === true, 'it reads on')
  assert.equal((await receiveBytes(it, undefined, 1500)).length, 1500)
  await peer.send('more')
  assert.equal(String(await receiveBytes(it, undefined, 4)), 'more')
})

// As in Gun's raw_SUITE:

for (const proxyTransport of transports) {
  for (const originTransport of transports) {
    test(`bytes go through SOCKS5 over ${proxyTransport} to ${originTransport}`, async () => {
      await using origin = await tunnelOrigin(originTransport === 'tls' ? 'rawtls' : 'raw')
      await using proxy = await tunnelProxy(proxyTransport === 'tls' ? 'socks5tls' : 'socks5')
      const { port } = origin
      const end = {
        host: 'localhost',
        port,
        transport: originTransport,
        tlsOpts,
        protocols: ['raw'],
      } as const
      await using connPid = gun.open('localhost', proxy.port, {
        transport: proxyTransport,
        tlsOpts,
        protocols: [['socks', end]],
      })
      assert.equal(await gun.awaitUp(connPid, PATIENCE), 'socks')
      const up = await gun.await(connPid, undefined, PATIENCE)
      assert.deepEqual(up, { type: 'gun_tunnel_up', connPid, protocol: 'raw' })
      gun.data(connPid, undefined, 'nofin', 'Hello world!')
      const message = await gun.await(connPid, undefined, PATIENCE)
      assert.ok(message.type === 'gun_data')
      assert.deepEqual([message.isFin, String(message.data)], ['nofin', 'Hello world!'])
      const { protocol, originPort, transport, intermediaries } = gun.info(connPid)
      assert.deepEqual([protocol, originPort, transport], ['raw', port, originTransport])
      assert.deepEqual(intermediaries, [
        { type: 'socks5', host: 'localhost', port: proxy.port, transport: proxyTransport, protocol: 'socks' },
      ])
    })
  }
}

test('bytes of a tunnel go to the replyTo of its connect', async () => {
  await using origin = await tunnelOrigin('raw')
  await using proxy = await httpProxy()
  await using client = await connect(proxy)
  const { connPid, owner } = client
  const other = createProcess<gun.GunMessage>()
  const end = { host: 'localhost', port: origin.port, protocols: ['raw'] } as const
  const streamRef = gun.connect(connPid, end, {}, { replyTo: other })
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_tunnel_up')
  gun.data(connPid, streamRef, 'nofin', 'Hello world!')
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_data')
  assert.equal(owner.messageQueueLength, 0)
  other.exit()
})
