/** The proxies and origins of tunnels, against clients that are bare sockets and node:http2. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import type net from 'node:net'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { certificates } from '@holster/testing'
import { WebSocket } from 'ws'
import { connect, readAll, readUntil } from './bare-socket.ts'
import { freePort } from './client.ts'
import { until } from './flood.ts'
import { assertNothingLeft } from './leftovers.ts'
import { type Destination, proxyKinds, tunnelChain } from './tunnel-chains.ts'
import { BIG, HELLO, originKinds, PUSHED, tunnelOrigin } from './tunnel-origins.ts'
import { http2Proxy, httpProxy, socks5Proxy, socksReply } from './tunnel-proxies.ts'

const transports = ['tcp', 'tls'] as const
const ask = (port: number, host = 'localhost'): string =>
  `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`
const OPEN = 'HTTP/1.1 200 OK\r\n\r\n'

/** Resolves to the bytes that still come of a socket up to its end. */
async function rest(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Sends bytes, and takes as many of the answer. */
async function exchange(socket: net.Socket, bytes: string | Uint8Array, length: number): Promise<Buffer> {
  socket.write(bytes)
  let answer = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    answer = Buffer.concat([answer, chunk])
  }
  socket.on('data', onData).resume()
  await until(() => answer.length >= length || socket.destroyed)
  socket.off('data', onData).pause()
  // An origin of HTTP/2 speaks first.
  if (answer.length > length) socket.unshift(answer.subarray(length))
  return answer.subarray(0, length)
}

for (const transport of transports) {
  describe(`a proxy of HTTP/1.1 over ${transport}`, () => {
    test('leads to where it is asked to, and passes on both ends', async () => {
      await using _left = assertNothingLeft()
      await using origin = await tunnelOrigin('raw')
      await using proxy = await httpProxy({ transport })
      const socket = await connect(proxy, transport)
      assert.equal(String(await exchange(socket, ask(origin.port), OPEN.length)), OPEN)
      assert.equal(proxy.openTunnels, 1)
      socket.write('abc')
      socket.end()
      assert.equal(await readAll(socket), 'abc')
      await until(() => proxy.openTunnels === 0)
      const request = await proxy.request()
      assert.deepEqual([request.host, request.port], ['localhost', origin.port])
      assert.equal(request.header('host'), `localhost:${origin.port}`)
      assert.equal(String(request.bytes), ask(origin.port))
    })

    test('refuses, and serves on', async () => {
      await using origin = await tunnelOrigin('raw')
      await using proxy = await httpProxy({
        transport,
        delivery: 'bytes',
        answer: (_, index) =>
          index > 0 ? undefined : { status: 407, headers: [['proxy-authenticate', 'Basic']], body: 'who?' },
      })
      const socket = await connect(proxy, transport)
      socket.write(ask(origin.port))
      const refusal =
        'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 4\r\n\r\nwho?'
      assert.equal(await readUntil(socket, 'who?'), refusal)
      socket.write('GET / HTTP/1.1\r\n\r\n')
      assert.match(await readUntil(socket, 'Hello over HTTP'), /^HTTP\/1.1 200 OK/)
      assert.equal(String(await exchange(socket, ask(origin.port), OPEN.length)), OPEN)
      socket.destroy()
    })

    test('ends in order behind a refusal that is the last', async () => {
      await using proxy = await httpProxy({ transport, answer: () => ({ status: 403, isLast: true }) })
      const socket = await connect(proxy, transport)
      socket.write(ask(1))
      assert.equal(await readAll(socket), 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    })

    test('says what it is told, with informs before and bytes behind it', async () => {
      await using proxy = await httpProxy({
        transport,
        answer: () => ({
          informs: [[103, [['a', 'b']]]],
          headers: [['content-length', '5']],
          glued: 'glued',
          leadsTo: 'nowhere',
        }),
      })
      const socket = await connect(proxy, transport)
      const expected =
        'HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nglued'
      assert.equal(String(await exchange(socket, ask(1), expected.length)), expected)
      proxy.closeTunnel()
      assert.equal(await readAll(socket), '')
    })

    test('sends exact bytes, resets, and holds a request until it is released', async () => {
      await using proxy = await httpProxy({
        transport,
        isHeld: true,
        answer: (_, index) => (index === 0 ? Buffer.from('?') : 'reset'),
      })
      const first = await connect(proxy, transport)
      first.write(ask(1))
      await proxy.request()
      proxy.release()
      const [bytes] = await once(first, 'data')
      assert.equal(String(bytes), '?')
      proxy.closeTunnel()
      assert.equal(await readAll(first), '')
      const second = await connect(proxy, transport)
      second.write(ask(1))
      proxy.release()
      await assert.rejects(readAll(second), { code: 'ECONNRESET' })
    })

    test('resets both sides, and passes a reset on', async () => {
      await using origin = await tunnelOrigin('raw')
      await using proxy = await httpProxy({ transport })
      const one = await connect(proxy, transport)
      await exchange(one, ask(origin.port), OPEN.length)
      proxy.resetTunnel()
      await assert.rejects(readAll(one), { code: 'ECONNRESET' })
      const two = await connect(proxy, transport)
      await exchange(two, ask(origin.port), OPEN.length)
      two.destroy()
      await until(() => proxy.openTunnels === 0)
    })

    test('answers 502 where nobody listens', async () => {
      await using proxy = await httpProxy({ transport })
      const socket = await connect(proxy, transport)
      socket.write(ask(await freePort()))
      assert.match(await readUntil(socket, 'ECONNREFUSED'), /^HTTP\/1.1 502 /)
      socket.destroy()
    })

    test('sends a body in parts as fast as it is read', async () => {
      const part = Buffer.alloc(1 << 20)
      let made = 0
      function* parts() {
        for (; made < 100; made++) yield part
      }
      await using proxy = await httpProxy({
        transport,
        answer: () => ({
          status: 403,
          headers: [['content-length', String(100 * part.length)]],
          body: parts(),
        }),
      })
      const socket = await connect(proxy, transport)
      socket.write(ask(1))
      await once(socket, 'readable')
      assert.ok(made < 50, `${made} were made at once`)
      socket.destroy()
    })
  })

  describe(`a proxy of HTTP/2 over ${transport}`, () => {
    const session = (port: number): http2.ClientHttp2Session =>
      http2.connect(`${transport === 'tls' ? 'https' : 'http'}://localhost:${port}`, { ca: certificates.ca })
    const tunnel = (client: http2.ClientHttp2Session, port: number): http2.ClientHttp2Stream =>
      client.request({ ':method': 'CONNECT', ':authority': `localhost:${port}`, 'x-a': 'b' })

    test('leads to several places at once, and passes on both ends', async () => {
      await using _left = assertNothingLeft()
      await using origin = await tunnelOrigin('raw')
      await using proxy = await http2Proxy({ transport })
      const client = session(proxy.port)
      const streams = [tunnel(client, origin.port), tunnel(client, origin.port)]
      for (const [i, stream] of streams.entries()) {
        const [headers] = await once(stream, 'response')
        assert.equal(headers[':status'], 200)
        stream.write(`abc${i}`)
      }
      assert.equal(proxy.openTunnels, 2)
      for (const [i, stream] of streams.entries()) {
        stream.end()
        assert.equal(String(await rest(stream as never)), `abc${i}`)
        assert.equal(stream.rstCode, 0)
      }
      await until(() => proxy.openTunnels === 0)
      const { headers, authority } = await proxy.request()
      assert.equal(authority, `localhost:${origin.port}`)
      assert.deepEqual(headers, [
        [':method', 'CONNECT'],
        [':authority', authority],
        ['x-a', 'b'],
      ])
      const get = client.request({ ':path': '/' })
      assert.equal(String(await rest(get as never)), 'Hello over HTTP/2')
      client.close()
    })

    test('says what it is told', async () => {
      await using proxy = await http2Proxy({
        transport,
        answer: (_, index) =>
          index === 0
            ? { status: 407, headers: [['a', 'b']], body: 'who?' }
            : {
                informs: [[103, [['c', 'd']]]],
                headers: [['content-length', '5']],
                glued: 'glued bytes',
                leadsTo: 'nowhere',
              },
      })
      const client = session(proxy.port)
      const refused = tunnel(client, 1)
      const [refusal] = await once(refused, 'response')
      assert.deepEqual([refusal[':status'], refusal.a], [407, 'b'])
      assert.equal(String(await rest(refused as never)), 'who?')
      const stream = tunnel(client, 1)
      stream.on('error', () => {})
      const [inform] = await once(stream, 'headers')
      assert.deepEqual([inform[':status'], inform.c], [103, 'd'])
      // Of the length nghttp2 tells nothing: it has no meaning here.
      await once(stream, 'response')
      proxy.closeTunnel()
      assert.equal(String(await rest(stream as never)), 'glued bytes')
      client.destroy()
    })

    test('closes and resets tunnels, and passes a reset on', async () => {
      await using origin = await tunnelOrigin('raw')
      await using proxy = await http2Proxy({ transport })
      const client = session(proxy.port)
      const streams = [0, 1, 2].map(() => tunnel(client, origin.port))
      const closed = streams.map(stream => {
        stream.on('error', () => {})
        return new Promise(resolve => stream.once('close', resolve))
      })
      await until(() => proxy.openTunnels === 3)
      proxy.closeTunnel()
      assert.equal(String(await rest(streams[0] as never)), '')
      streams[0]?.end()
      proxy.resetTunnel()
      await closed[1]
      assert.equal(streams[1]?.rstCode, http2.constants.NGHTTP2_CONNECT_ERROR)
      streams[2]?.close(http2.constants.NGHTTP2_CANCEL)
      await until(() => proxy.openTunnels === 0)
      client.close()
    })

    test('resets, stalls, and ends the connection', async () => {
      await using proxy = await http2Proxy({
        transport,
        isHeld: true,
        answer: (_, index) => (['reset', 'stall', { status: 403, isLast: true }] as const)[index],
      })
      const client = session(proxy.port)
      const reset = tunnel(client, 1)
      await proxy.request()
      proxy.release()
      await assert.rejects(once(reset, 'close'), { code: 'ERR_HTTP2_STREAM_ERROR' })
      const stalled = tunnel(client, 1)
      stalled.on('error', () => {})
      const last = tunnel(client, 1)
      proxy.release()
      proxy.release()
      const goaway = once(client, 'goaway')
      const [headers] = await once(last, 'response')
      assert.equal(headers[':status'], 403)
      await goaway
      client.destroy()
    })
  })

  describe(`a proxy of SOCKS5 over ${transport}`, () => {
    const place = { name: [3, 9, ...Buffer.from('localhost')], ipv4: [1, 127, 0, 0, 1] } as const
    const request = (port: number, to: readonly number[]): Buffer =>
      Buffer.of(5, 1, 0, ...to, port >> 8, port & 0xff)

    for (const [form, to] of Object.entries(place)) {
      test(`leads to a host that is given as ${form}`, async () => {
        await using _left = assertNothingLeft()
        await using origin = await tunnelOrigin('raw')
        await using proxy = await socks5Proxy({ transport, delivery: 'bytes' })
        const socket = await connect(proxy, transport)
        assert.deepEqual(await exchange(socket, Buffer.of(5, 1, 0), 2), Buffer.of(5, 0))
        assert.deepEqual(await exchange(socket, request(origin.port, to), 10), socksReply())
        socket.end('abc')
        assert.equal(await readAll(socket), 'abc')
        const asked = await proxy.request()
        assert.deepEqual([asked.form, asked.port, asked.methods], [form, origin.port, [0]])
        assert.deepEqual(asked.bytes, Buffer.concat([Buffer.of(5, 1, 0), request(origin.port, to)]))
      })
    }

    test('wants a name and a password', async () => {
      await using proxy = await socks5Proxy({
        transport,
        auth: { username: 'joe', password: 'secret' },
        answer: () => ({ code: 2, host: '2001:db8::1', port: 258 }),
      })
      const refused = await connect(proxy, transport)
      refused.write(Buffer.of(5, 1, 0))
      assert.deepEqual(await rest(refused), Buffer.of(5, 0xff))
      assert.deepEqual(proxy.offers, [[0]])
      for (const [password, code] of [
        ['wrong!', 1],
        ['secret', 0],
      ] as const) {
        const socket = await connect(proxy, transport)
        assert.deepEqual(await exchange(socket, Buffer.of(5, 2, 0, 2), 2), Buffer.of(5, 2))
        const login = Buffer.of(1, 3, ...Buffer.from('joe'), 6, ...Buffer.from(password))
        assert.deepEqual(await exchange(socket, login, 2), Buffer.of(1, code))
        if (code === 0) socket.write(request(80, [4, ...new Array(15).fill(0), 1]))
        const reply = await rest(socket)
        assert.equal(reply.toString('hex'), code === 1 ? '' : `0502000420010db8${'0'.repeat(22)}010102`)
      }
      const asked = await proxy.request()
      assert.deepEqual(
        [asked.host, asked.form, asked.username, asked.password, asked.authority],
        ['::1', 'ipv6', 'joe', 'secret', '[::1]:80'],
      )
    })

    test('fails at each step', async () => {
      await using stalling = await socks5Proxy({ transport, method: Buffer.of(4) })
      const socket = await connect(stalling, transport)
      assert.deepEqual(await exchange(socket, Buffer.of(5, 1, 0), 1), Buffer.of(4))
      stalling.closeTunnel()
      assert.equal(await readAll(socket), '')
      await using resetting = await socks5Proxy({
        transport,
        auth: { username: 'a', password: 'b' },
        login: 'reset',
      })
      const other = await connect(resetting, transport)
      await exchange(other, Buffer.of(5, 1, 2), 2)
      other.write(Buffer.of(1, 1, 97, 1, 98))
      await assert.rejects(readAll(other), { code: 'ECONNRESET' })
    })

    test('refuses where nobody listens', async () => {
      await using proxy = await socks5Proxy({ transport })
      const socket = await connect(proxy, transport)
      await exchange(socket, Buffer.of(5, 1, 0), 2)
      socket.write(request(await freePort(), place.name))
      assert.deepEqual(await rest(socket), socksReply({ code: 5 }))
    })
  })
}

describe('an origin behind a tunnel', () => {
  for (const kind of originKinds) {
    test(`serves ${kind}`, async () => {
      await using _left = assertNothingLeft()
      await using origin = await tunnelOrigin(kind)
      await using proxy = await httpProxy()
      const carrier = await connect(proxy, 'tcp')
      await exchange(carrier, ask(origin.port), OPEN.length)
      const isSecure = ['https', 'h2', 'rawtls'].includes(kind)
      const protocol = { https: 'http/1.1', h2: 'h2' }[kind as string]
      const socket = isSecure
        ? tls.connect({
            socket: carrier,
            ca: certificates.ca,
            servername: 'localhost',
            ...(protocol && { ALPNProtocols: [protocol] }),
          })
        : carrier
      if (isSecure) await once(socket, 'secureConnect')
      if (kind.startsWith('raw')) {
        assert.deepEqual(await exchange(socket, BIG, BIG.length), BIG)
        socket.end()
        assert.equal(await readAll(socket), '')
      } else if (kind.startsWith('h2')) {
        const client = http2.connect('http://localhost', { createConnection: () => socket })
        const pushed = once(client, 'stream')
        const get = client.request({ ':path': '/pushing' })
        assert.equal(String(await rest(get as never)), HELLO)
        const [push] = await pushed
        assert.equal(String(await rest(push as never)), PUSHED)
        const post = client.request({ ':path': '/echo', ':method': 'POST' })
        post.end(BIG)
        assert.deepEqual(await rest(post as never), BIG)
        client.close()
      } else {
        socket.write(
          `POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: ${BIG.length}\r\nconnection: close\r\n\r\n`,
        )
        socket.write(BIG)
        const all = await rest(socket)
        assert.deepEqual(all.subarray(-BIG.length), BIG)
        assert.deepEqual(origin.requests, [{ method: 'POST', path: '/echo', authority: 'a' }])
      }
      assert.deepEqual(
        origin.handshakes,
        isSecure ? [{ servername: 'localhost', alpn: protocol ?? false }] : [],
      )
    })
  }

  test('has a WebSocket that compresses', async () => {
    await using origin = await tunnelOrigin('http')
    const socket = new WebSocket(`ws://127.0.0.1:${origin.port}/ws`)
    await once(socket, 'open')
    assert.equal(socket.extensions, 'permessage-deflate')
    socket.send('Hello')
    const [data] = await once(socket, 'message')
    assert.equal(String(data), 'Hello')
    socket.close()
    await once(socket, 'close')
  })
})

describe('a chain', () => {
  for (const kind of proxyKinds) {
    test(`begins with ${kind}`, async () => {
      await using _left = assertNothingLeft()
      await using chain = await tunnelChain([kind, 'http', 'h2'])
      const [, port, { protocols }] = chain.open
      assert.equal(port, chain.proxies[0]?.port)
      const isSocks = kind.startsWith('socks5')
      const [first, second] = chain.steps
      assert.equal(first?.destination === undefined, isSocks)
      assert.equal(second?.destination?.port, chain.origin.port)
      const [init] = protocols
      const next = isSocks ? (init[1] as Destination) : first?.destination
      assert.deepEqual([next?.port, next?.protocols], [chain.proxies[1]?.port, ['http']])
    })
  }

  test('of SOCKS5 alone is told at once', async () => {
    await using chain = await tunnelChain(['socks5', 'socks5tls', 'rawtls'])
    const [host, port, { protocols, transport }] = chain.open
    const [first, second, third] = chain.hops
    const tlsOpts = { ca: certificates.ca }
    assert.deepEqual([host, port, transport], ['localhost', first?.port, 'tcp'])
    const last = { host, port: third?.port, transport: 'tls', tlsOpts, protocols: ['raw'] }
    const middle = { host, port: second?.port, transport: 'tls', tlsOpts, protocols: [['socks', last]] }
    assert.deepEqual(protocols, [['socks', middle]])
    assert.deepEqual(
      chain.steps.map(({ destination }) => destination),
      [undefined, undefined],
    )
    assert.deepEqual(chain.intermediaries[1], {
      type: 'socks5',
      host,
      port: second?.port,
      transport: 'tls',
      protocol: 'socks',
    })
  })
})
