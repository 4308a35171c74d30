// Scripted servers: the bytes of a script go over the wire as they are, over each transport.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { connect, readAll, transports } from '../../../test/support/bare-socket.ts'
import { defer } from '../../../test/support/client.ts'
import { collectWarnings } from '../../../test/support/leftovers.ts'
import { assertNothingLeft, ClientGone, certificates, startServer } from '../src/index.ts'

describe('a scripted server', () => {
  for (const transport of transports) {
    test(`delivers exactly the bytes of its script over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      await using server = await startServer(
        async peer => {
          await peer.send(bytes)
          peer.end('é')
        },
        { transport },
      )
      const all = await readAll(await connect(server, transport))
      assert.equal(all, bytes.toString('latin1') + Buffer.from('é').toString('latin1'))
      assert.equal(server.connections, 1)
    })

    test(`delivers one byte at a time over ${transport}`, async () => {
      await using server = await startServer(
        async peer => {
          await peer.receive(1)
          await peer.send('HTTP/1.1 200 OK\r\n', 'bytes')
          peer.end()
        },
        { transport },
      )
      const socket = await connect(server, transport)
      const chunks: string[] = []
      socket.on('data', chunk => chunks.push(String(chunk)))
      socket.write('?')
      await once(socket, 'close')
      assert.deepEqual(chunks, [...'HTTP/1.1 200 OK\r\n'])
    })

    test(`reads a request and leaves the bytes beyond it for the next receive over ${transport}`, async () => {
      await using server = await startServer(
        async peer => {
          const request = await peer.receiveRequest()
          assert.equal(request.method, 'POST')
          assert.equal(request.path, '/a?b')
          assert.equal(request.version, 'HTTP/1.1')
          assert.deepEqual(request.headers, [
            ['HoSt', 'x'],
            ['x-a', '1'],
            ['X-A', ''],
          ])
          assert.equal(request.header('host'), 'x')
          assert.equal(String(await peer.receive(4)), 'body')
          assert.equal(String(await peer.receive('\n')), 'line\n')
          assert.equal(String(await peer.receiveAll()), 'the rest')
          peer.end('half-open')
        },
        { transport },
      )
      const socket = await connect(server, transport)
      socket.end('POST /a?b HTTP/1.1\r\nHoSt: x\r\nx-a: 1\r\nX-A:\r\n\r\nbodyline\nthe rest')
      assert.equal(await readAll(socket), 'half-open')
      await server.finished()
    })

    test(`answers the client's end once its script has returned over ${transport}`, async () => {
      await using server = await startServer(() => {}, { transport })
      const socket = await connect(server, transport)
      socket.end()
      assert.equal(await readAll(socket), '')
    })

    test(`resolves closed when the client goes and ends the waiting receive over ${transport}`, async () => {
      const receives: unknown[] = []
      await using server = await startServer(
        async peer => {
          const all = peer.receive(20).catch(error => receives.push(error))
          peer.receiveAll()
          peer.send('!')
          await peer.closed
          await all
        },
        { transport },
      )
      const socket = await connect(server, transport)
      await once(socket, 'data')
      socket.end('only 12 byte')
      await once(socket, 'close')
      await server.finished()
      assert.match(String(receives[0]), /receive of 20 bytes: the client ended .* 12 bytes: "only 12 byte"/)
    })
  }

  for (const transport of ['tcp', 'tls'] as const) {
    test(`resets over ${transport}`, async () => {
      await using server = await startServer(
        async peer => {
          await peer.receive(1)
          peer.reset()
        },
        { transport },
      )
      const socket = await connect(server, transport)
      socket.write('x')
      const [error] = await once(socket, 'error').catch(error => [error])
      assert.equal(error.code, 'ECONNRESET')
    })
  }

  test('pauses when its script does, and a receive goes on', async () => {
    await using server = await startServer(async peer => {
      peer.socket.pause()
      await peer.receive(1_000_000)
      assert.ok(peer.socket.isPaused())
      peer.end('enough')
    })
    const socket = await connect(server, 'tcp')
    socket.end(Buffer.alloc(1_000_000))
    assert.equal(await readAll(socket), 'enough')
    await server.finished()
  })

  test('speaks TLS inside a connection that began without', async () => {
    await using server = await startServer(async peer => {
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\n\r\n')
      const inner = await peer.secure()
      assert.equal(String(await inner.receive(5)), 'hello')
      inner.end('inside')
    })
    const socket = await connect(server, 'tcp')
    socket.write('CONNECT localhost:443 HTTP/1.1\r\n\r\n')
    await once(socket, 'data')
    const inner = tls.connect({ socket, ca: certificates.ca, servername: 'localhost' })
    inner.write('hello')
    assert.equal(await readAll(inner), 'inside')
    await server.finished()
  })

  test('closes while TLS inside a connection waits for the client', async () => {
    await using _left = assertNothingLeft()
    await using server = await startServer(async peer => {
      const inner = await peer.secure()
      inner.send('ready')
      await inner.receiveAll()
    })
    const socket = tls.connect({
      socket: await connect(server, 'tcp'),
      ca: certificates.ca,
      servername: 'localhost',
    })
    socket.on('error', () => {})
    await once(socket, 'data')
  })

  test('hands its socket to a proxy, unread bytes included', async () => {
    await using target = await startServer(async peer => peer.end(await peer.receiveAll()))
    await using proxy = await startServer(async peer => {
      await peer.receiveRequest()
      const upstream = net.connect(target.port, target.host)
      peer.detach().pipe(upstream).pipe(peer.socket)
      await once(upstream, 'close')
    })
    const socket = await connect(proxy, 'tcp')
    socket.end('CONNECT target:80 HTTP/1.1\r\n\r\nthrough')
    assert.equal(await readAll(socket), 'through')
  })

  test('ends the connection when its script fails, and close rejects with the first failure, once', async () => {
    await using server = await startServer(() => {
      throw new Error('the script is wrong')
    })
    const socket = await connect(server, 'tcp')
    assert.equal(await readAll(socket), '')
    await assert.rejects(server.close(), /the script is wrong/)
    await server.close()
  })

  test('names a wrong argument', async () => {
    // @ts-expect-error there must be a script
    await assert.rejects(startServer(), { name: 'TypeError', message: 'script must be a function' })
    const start = (options: object) => startServer(() => {}, options)
    await assert.rejects(start({ transport: 'udp' }), /options.transport must be 'tcp'/)
    await assert.rejects(start({ ports: 1 }), /options.ports is not an option of startServer/)
    await assert.rejects(start({ onError: 1 }), /options.onError must be a function/)
    await assert.rejects(start({ tls: 1 }), /options.tls must be an object/)
  })

  test('names a wrong argument of its peer at once', async () => {
    await using server = await startServer(peer => {
      const wrong = (call: () => unknown, message: RegExp) =>
        assert.throws(call, { name: 'TypeError', message })
      for (const until of ['', -1, 0.5, Number.NaN]) wrong(() => peer.receive(until), /^until must be/)
      // @ts-expect-error a number is no bytes
      wrong(() => peer.send(5), /^bytes must be/)
      // @ts-expect-error there is no such way
      wrong(() => peer.send('', 'byte'), /^how must be 'whole' or 'bytes'/)
      // @ts-expect-error a number is no bytes
      wrong(() => peer.end(5), /^bytes must be/)
      // @ts-expect-error options are an object
      wrong(() => peer.secure(5), /^options must be an object/)
      peer.end()
    })
    await readAll(await connect(server, 'tcp'))
    await server.finished()
  })

  test('has failed where onError throws, and ends the connection', async () => {
    await using _collected = collectWarnings()
    const onError = () => assert.fail('onError is wrong')
    const server = await startServer(() => assert.fail('wrong'), { onError })
    assert.equal(await readAll(await connect(server, 'tcp')), '')
    await assert.rejects(server.finished(), /onError is wrong/)
    await server.close()
  })

  test('rejects a send of which the close of the server leaves a part behind', async () => {
    const begun = defer<void>()
    let reason: unknown
    const server = await startServer(async peer => {
      const sent = peer.send(Buffer.alloc(64 * 1024 * 1024))
      begun.resolve(undefined)
      await sent.catch(error => {
        reason = error
      })
    })
    const client = net.connect(server.port, server.host)
    client.pause()
    await begun.promise
    await server.close()
    await server.finished()
    assert.ok(reason instanceof ClientGone)
    client.destroy()
  })

  test('gives a failure to onError instead', async () => {
    const errors: unknown[] = []
    await using server = await startServer(() => assert.fail('wrong'), {
      onError: error => errors.push(error),
    })
    assert.equal(await readAll(await connect(server, 'tcp')), '')
    assert.equal(errors.length, 1)
  })

  test('neither crashes nor fails when its client or its test has gone first', async () => {
    await using _collected = collectWarnings()
    const server = await startServer(async peer => {
      peer.receiveAll()
      await peer.send('x')
      await peer.receiveRequest()
    })
    const [gone, stays] = [await connect(server, 'tcp'), await connect(server, 'tcp')]
    gone.resetAndDestroy()
    await once(stays, 'data')
    await server.close()
    assert.equal(await readAll(stays), '')
  })
})
