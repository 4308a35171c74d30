/** A LineDuplex is what TLS, or any user of a socket, takes for one: over a socket and over a stream of HTTP/2 alike. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { type Duplex, finished } from 'node:stream'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import { certificates } from '@holster/testing'
import { GunError } from '../../src/errors.ts'
import { Http2Session, type SessionHost } from '../../src/http2/session.ts'
import { StreamLine } from '../../src/http2/stream-line.ts'
import { HTTP2_DEFAULTS } from '../../src/options/http.ts'
import { LineDuplex } from '../../src/transport/duplex.ts'
import { readingShared } from '../../src/transport/reading.ts'
import { SocketLine } from '../../src/transport/socket-line.ts'

/** Both ends of a line: ours as a Duplex, and the peer's as Node has it. */
interface Ends extends AsyncDisposable {
  readonly ours: LineDuplex
  readonly peer: Duplex
  /** Breaks the line at the peer's end, behind all that the peer has sent. */
  breakOff(): void
}

async function overSocket(): Promise<Ends> {
  const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, 'connection')
  const socket = readingShared(onread =>
    net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, ...onread }),
  )
  await once(socket, 'connect')
  const [peer] = (await accepted) as [net.Socket]
  peer.on('error', () => {})
  const ours = new LineDuplex(new SocketLine(socket))
  return {
    ours,
    peer,
    breakOff: () => peer.resetAndDestroy(),
    async [Symbol.asyncDispose]() {
      ours.destroy()
      socket.destroy()
      peer.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function overStream(): Promise<Ends> {
  const server = http2.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = readingShared(onread => net.connect({ port, host: '127.0.0.1', ...onread }))
  await once(socket, 'connect')
  const accepted = once(server, 'stream')
  const connection = new SocketLine(socket)
  let onAnswer = () => {}
  const answered = new Promise<void>(resolve => {
    onAnswer = resolve
  })
  const host: SessionHost = {
    outlet: connection.outlet,
    guard: run => run(),
    settle() {},
    stopReading: () => connection.pause(),
    startReading: () => connection.resume(),
    lost: assert.fail,
  }
  const session = new Http2Session(host, HTTP2_DEFAULTS, {
    onValue(value) {
      if (value.type === 'response') onAnswer()
      if (value.type === 'data') line.receive(value.data)
      if (value.type === 'data' && value.isFin) line.end(undefined)
      if (value.type === 'sent') line.onSent()
      if (value.type === 'reset') line.end(new GunError('closed', 'stream_error', 'the stream broke'))
      if (value.type === 'settings') session.onSettings()
      if (value.type === 'acknowledged') session.onAcknowledged()
    },
  })
  connection.attach({
    handle: bytes => session.receive(bytes),
    beforeReading() {},
    unwritable() {},
    ended() {},
    lift() {},
  })
  const request = {
    method: 'CONNECT',
    scheme: undefined,
    authority: 'origin:443',
    path: undefined,
    protocol: undefined,
    headers: [],
  }
  const stream = session.engine.open(undefined as never, request, false)
  const [peer] = (await accepted) as [http2.ServerHttp2Stream]
  peer.on('error', () => {})
  peer.respond({ ':status': 200 })
  const line = new StreamLine(session, connection.outlet, stream)
  const ours = new LineDuplex(line)
  await answered
  return {
    ours,
    peer,
    breakOff: () => peer.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    async [Symbol.asyncDispose]() {
      ours.destroy()
      session.dispose()
      connection.abort()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Speaks TLS over both ends. */
function encrypted({ ours, peer }: Ends): { client: tls.TLSSocket; server: tls.TLSSocket } {
  const secureContext = tls.createSecureContext(certificates.server)
  const server = new tls.TLSSocket(peer, { isServer: true, secureContext })
  const client = tls.connect({ socket: ours, ca: certificates.ca, servername: 'localhost' })
  server.on('error', () => {})
  return { client, server }
}

/** All that comes until the end of that side; unlike an iterator it leaves the other side be. */
async function collect(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', chunk => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks)
}

function over(stream: Duplex): Promise<Error | null | undefined> {
  return new Promise(resolve => finished(stream, resolve))
}

const LARGE = Buffer.alloc(4 * 1024 * 1024, 'holster ')

for (const [name, connect] of [
  ['a socket', overSocket],
  ['a stream of HTTP/2', overStream],
] as const) {
  describe(`a Duplex over ${name}`, () => {
    test('carries bytes both ways', async () => {
      await using ends = await connect()
      ends.ours.write('ping')
      assert.equal(String((await once(ends.peer, 'data'))[0]), 'ping')
      ends.peer.write('pong')
      assert.equal(String((await once(ends.ours, 'data'))[0]), 'pong')
    })

    test('carries TLS, with bytes both ways and an end of each side', async () => {
      await using ends = await connect()
      const { client, server } = encrypted(ends)
      await once(client, 'secureConnect')
      assert.ok(client.authorized)
      const [atServer, atClient] = [collect(server), collect(client)]
      client.end(LARGE)
      server.end(LARGE)
      assert.ok(LARGE.equals(await atServer))
      assert.ok(LARGE.equals(await atClient))
    })

    test('says to TLS that the handshake has failed', async () => {
      await using ends = await connect()
      const secureContext = tls.createSecureContext(certificates.selfSigned)
      new tls.TLSSocket(ends.peer, { isServer: true, secureContext }).on('error', () => {})
      const client = tls.connect({ socket: ends.ours, ca: certificates.ca, servername: 'localhost' })
      const [error] = await once(client, 'error')
      assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT')
    })

    test('reads on once our side has ended, and ends in order', async () => {
      await using ends = await connect()
      ends.ours.end('request')
      assert.equal(String(await collect(ends.peer)), 'request')
      const response = collect(ends.ours)
      ends.peer.end('response')
      assert.equal(String(await response), 'response')
      assert.equal((await over(ends.ours)) ?? undefined, undefined)
    })

    test('writes on once the peer has ended', async () => {
      await using ends = await connect()
      const request = collect(ends.ours)
      const response = collect(ends.peer)
      ends.peer.end('request')
      assert.equal(String(await request), 'request')
      ends.ours.end(LARGE)
      assert.ok(LARGE.equals(await response))
      assert.equal((await over(ends.ours)) ?? undefined, undefined)
    })

    test('takes no more from a peer than the reader wants', async () => {
      await using ends = await connect()
      let taken = 0
      const write = () =>
        ends.peer.write(LARGE, error => {
          if (error) return
          taken += LARGE.length
          if (taken < 64 * 1024 * 1024) write()
        })
      write()
      let before = -1
      while (before !== taken) {
        before = taken
        for (let i = 0; i < 100; i++) await turn()
      }
      assert.ok(taken < 64 * 1024 * 1024)
      assert.ok(ends.ours.readableLength < 1024 * 1024)
      ends.ours.resume()
      while (taken === before) await turn()
    })

    test('lets the writer wait while the peer takes nothing', async () => {
      await using ends = await connect()
      ends.peer.pause()
      const chunk = Buffer.alloc(64 * 1024)
      let written = 0
      const write = () => {
        ends.ours.write(chunk, error => {
          if (error) return
          written += chunk.length
          if (written < 64 * 1024 * 1024) write()
        })
      }
      write()
      let before = -1
      while (before !== written) {
        before = written
        for (let i = 0; i < 100; i++) await turn()
      }
      assert.ok(written < 64 * 1024 * 1024)
      ends.peer.resume()
      while (written === before) await turn()
    })

    test('aborts the line when it is destroyed', async () => {
      await using ends = await connect()
      const gone = new Promise(resolve => finished(ends.peer, { writable: false }, resolve))
      ends.peer.resume()
      ends.ours.write('half of it')
      ends.ours.destroy()
      await once(ends.ours, 'close')
      await gone
    })

    test('fails behind the last bytes when the line breaks', async () => {
      await using ends = await connect()
      ends.peer.write('last words')
      await once(ends.ours, 'readable')
      ends.breakOff()
      for (let i = 0; i < 20; i++) await turn()
      assert.ok(!ends.ours.destroyed)
      const failed = once(ends.ours, 'error')
      assert.equal(String(ends.ours.read()), 'last words')
      const [error] = await failed
      assert.ok(error instanceof GunError)
    })

    test('fails TLS when the line breaks', async () => {
      await using ends = await connect()
      const { client } = encrypted(ends)
      await once(client, 'secureConnect')
      const ended = over(client)
      client.resume()
      ends.breakOff()
      assert.ok(await ended)
    })
  })
}
