// A socket that speaks TLS itself: it connects, is read and ends as one that does not.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { receiveFrame } from '@holster/testing/frames'
import { connect, defer, freePort, heldUp, PATIENCE } from '../support/client.ts'
import { arrived, isPaused, numbers, texts, until } from '../support/flood.ts'
import * as h2 from '../support/http2-frames.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { lookUp } from '../support/lookup.ts'
import { origin } from '../support/origin.ts'
import { ping, text, transports, upgraded } from '../support/websocket-scene.ts'

const trusting = { ca: certificates.ca }

/** All that comes leaves at once, but what is written is held back from the peer's second flight on, until `release`. */
function holding(socket: net.Socket): { carrier: Duplex; release(): void } {
  let flights = 0
  const carrier = new Duplex({
    read() {},
    write(bytes, _encoding, done) {
      socket.write(bytes)
      done()
    },
    final(done) {
      socket.end(done)
    },
  })
  socket.on('data', bytes => {
    if (++flights === 2) socket.cork()
    carrier.push(bytes)
  })
  socket.on('end', () => carrier.push(null))
  socket.on('error', error => carrier.destroy(error))
  return { carrier, release: () => socket.uncork() }
}

describe('over TLS', () => {
  for (const [count, addresses] of [
    ['one address', ['127.0.0.1']],
    ['two addresses', ['127.0.0.2', '127.0.0.1']],
    ['four addresses', ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.1']],
  ] as const) {
    test(`the one that answers is connected to of a name with ${count}`, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(
        async peer => {
          assert.equal((peer.socket as tls.TLSSocket).servername, 'localhost')
          await peer.receiveRequest()
          await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi')
          await peer.closed
        },
        { transport: 'tls', tls: { ALPNProtocols: ['http/1.1'] } },
      )
      lookUp(t, addresses)
      await using it = await connect({ host: 'localhost', port: server.port }, 'tls')
      const streamRef = gun.get(it.connPid, '/')
      await gun.await(it.connPid, streamRef, PATIENCE)
      assert.equal(String((await gun.awaitBody(it.connPid, streamRef, PATIENCE)).body), 'hi')
      assert.equal(gun.info(it.connPid).socket?.remoteAddress, '127.0.0.1')
    })
  }

  test('a Unix socket is connected to, and the peer has to be localhost', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const path = join(tmpdir(), `holster-${randomUUID().slice(0, 13)}.sock`)
    const names: unknown[] = []
    const server = tls.createServer(certificates.server, socket => {
      names.push(socket.servername)
      socket.end().resume()
    })
    server.listen(path)
    await once(server, 'listening')
    await using owner = createProcess<gun.GunMessage>()
    const connPid = gun.openUnix(path, { owner, transport: 'tls', tlsOpts: trusting, retry: 0 })
    await gun.awaitUp(connPid, PATIENCE)
    await owner.receive([{ type: 'gun_down' }], PATIENCE)
    await connPid[Symbol.asyncDispose]()
    server.close()
    await once(server, 'close')
    assert.deepEqual(names, ['localhost'])
  })

  for (const [what, host, tlsOpts, sni] of [
    ['no name that is asked for, but the host', 'localhost', { servername: '' }, false],
    ['the host that TLS is told of', '127.0.0.1', { host: 'localhost' }, false],
    ['the name that is asked for', '127.0.0.1', { servername: 'localhost' }, 'localhost'],
    ['the host that TLS is told of in place of a name', 'localhost', { host: 'LocalHost.' }, false],
    [
      'the host, whose name is not given',
      'localhost',
      { servername: undefined, host: undefined },
      'localhost',
    ],
    ['the address that is asked for as if it were a name', 'localhost', { servername: '127.0.0.1' }, false],
  ] as const) {
    test(`the certificate has to be for ${what}`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      for (const [identity, expected] of [
        [certificates.server, 'gun_up'],
        [certificates.otherHost, 'gun_error'],
      ] as const) {
        const names: unknown[] = []
        await using server = await origin(
          async peer => {
            names.push((peer.socket as tls.TLSSocket).servername)
            await peer.closed
          },
          { transport: 'tls', tls: identity },
        )
        await using owner = createProcess<gun.GunMessage>()
        await using connPid = gun.open(host, server.port, {
          owner,
          transport: 'tls',
          tlsOpts: { ...trusting, ...tlsOpts },
          retry: 0,
        })
        const message = await owner.receive([{ type: 'gun_up' }, { type: 'gun_error' }], PATIENCE)
        assert.equal(message.type, expected)
        // A server may never hear of a client that refuses it.
        if (expected === 'gun_up') await until(() => names.length > 0)
        gun.close(connPid)
        assert.ok(names.every(name => name === sni))
      }
    })
  }

  test('tcpOpts reach the socket', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed, { transport: 'tls' })
    const localPort = await freePort()
    const tcpOpts = { localPort, allowHalfOpen: false }
    await using it = await connect({ host: 'localhost', port: server.port }, 'tls', { tcpOpts })
    const { sockPort, socket } = gun.info(it.connPid)
    assert.equal(sockPort, localPort)
    assert.equal(socket?.allowHalfOpen, false)
  })

  for (const name of ['rejectUnauthorized', 'checkServerIdentity']) {
    test(`${name} that is undefined is one that was not given`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(() => {}, { transport: 'tls', tls: certificates.otherHost })
      await using owner = createProcess<gun.GunMessage>()
      const tlsOpts = { ...trusting, [name]: undefined }
      await using connPid = gun.open('localhost', server.port, { owner, transport: 'tls', tlsOpts, retry: 0 })
      const { reason } = await owner.receive([{ type: 'gun_error', connPid }], PATIENCE)
      assert.match(reason.message, /altname/i)
    })
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`what a server sends in one piece with the end of its handshake is not lost (${maxVersion})`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const answered = defer<string>()
      const server = net.createServer(socket => {
        const { carrier, release } = holding(socket)
        const options = { ...certificates.server, maxVersion, isServer: true, ALPNProtocols: ['h2'] }
        const secure = new tls.TLSSocket(carrier, options)
        const reader = new h2.FrameReader()
        let preface = h2.PREFACE.length
        secure.on('secure', () => {
          secure.write(Buffer.concat([h2.settings(), h2.ping('at once!')]), release)
        })
        secure.on('data', (bytes: Buffer) => {
          const frames = reader.push(bytes.subarray(Math.min(preface, bytes.length)))
          preface -= Math.min(preface, bytes.length)
          for (const { type, flags, payload } of frames) {
            if (type === h2.types.PING && flags === h2.flags.ACK) answered.resolve(String(payload))
          }
        })
        secure.on('error', answered.reject)
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as net.AddressInfo
      await using owner = createProcess<gun.GunMessage>()
      await using connPid = gun.open('localhost', port, { owner, transport: 'tls', tlsOpts: trusting })
      assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http2')
      assert.equal(await answered.promise, 'at once!')
      gun.close(connPid)
      server.close()
      await once(server, 'close')
    })
  }

  test('what comes in one read with what fills a mailbox waits, and comes before the end', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const ownerOptions = { highWaterMark: { messages: 10 } }
    await using it = await upgraded('tls', { opts: { retry: 0 }, ownerOptions })
    // Several records, which reach the client in a few reads.
    const count = 20_000
    it.peer.end(texts(count))
    await until(heldUp(() => isPaused(it)))
    const waiting = it.self.messageQueueLength
    assert.ok(texts(waiting).length <= 16 * 1024, `${waiting} wait, which are more than a record holds`)
    for (const expected of numbers(count)) {
      const { frame } = await it.self.receive([{ type: 'gun_ws' }], PATIENCE)
      assert.deepEqual(frame, expected)
    }
    assert.deepEqual(await it.story(), it.ending('closed'))
  })
})

for (const transport of transports) {
  test(`over ${transport} what was held back when the server ended its side can still be answered`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(transport, { opts: { retry: 0 }, wsOpts: { flow: 1 } })
    it.peer.end(Buffer.concat([text('first'), text('second'), ping('still there?')]))
    await arrived(it, 1)
    gun.updateFlow(it.connPid, it.streamRef, 2)
    assert.equal(String((await receiveFrame(it.peer)).payload), 'still there?')
    await it.story()
  })
}
