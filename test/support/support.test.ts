// The test support itself: where it is wrong, every other test is.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import * as gun from '@holster/gun'
import { WebSocket } from 'ws'
import { certificates, type Identity } from './certificates.ts'
import { assertNothingLeft, collectWarnings, leftovers } from './leftovers.ts'
import { type Origin, origin, type Transport } from './origin.ts'
import { StreamEnds } from './stream-ends.ts'
import {
  accept,
  closePayload,
  frame,
  opcodes,
  parseClientFrames,
  receiveFrame,
  switchingProtocols,
} from './websocket-frames.ts'
import { websocketServer } from './websocket-server.ts'

const transports: Transport[] = ['tcp', 'tls', 'unix']

type Address = Pick<Origin, 'host' | 'port' | 'path'>

async function connect({ host, port, path }: Address, transport: Transport): Promise<net.Socket> {
  const secure = transport === 'tls'
  const socket = secure
    ? tls.connect({ host, port, ca: certificates.ca, servername: 'localhost' })
    : net.connect(path === undefined ? { host, port } : { path })
  await once(socket, secure ? 'secureConnect' : 'connect')
  return socket
}

async function readAll(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

function readUntil(socket: net.Socket, end: string, times = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (chunk: Buffer): void => {
      text += chunk
      if (text.split(end).length <= times) return
      socket.off('data', onData).off('close', onClose)
      resolve(text)
    }
    const onClose = (): void => reject(new Error(`closed after ${JSON.stringify(text)}`))
    socket.on('data', onData).on('close', onClose)
  })
}

describe('a scripted origin', () => {
  for (const transport of transports) {
    test(`delivers exactly the bytes of its script over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      await using server = await origin(
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
      await using server = await origin(
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
      await using server = await origin(
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
      await using server = await origin(() => {}, { transport })
      const socket = await connect(server, transport)
      socket.end()
      assert.equal(await readAll(socket), '')
    })

    test(`resolves closed when the client goes and ends the waiting receive over ${transport}`, async () => {
      const receives: unknown[] = []
      await using server = await origin(
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
      await using server = await origin(
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
    await using server = await origin(async peer => {
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
    await using server = await origin(async peer => {
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
    await using server = await origin(async peer => {
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
    await using target = await origin(async peer => peer.end(await peer.receiveAll()))
    await using proxy = await origin(async peer => {
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
    await using server = await origin(() => {
      throw new Error('the script is wrong')
    })
    const socket = await connect(server, 'tcp')
    assert.equal(await readAll(socket), '')
    await assert.rejects(server.close(), /the script is wrong/)
    await server.close()
  })

  test('gives a failure to onError instead', async () => {
    const errors: unknown[] = []
    await using server = await origin(() => assert.fail('wrong'), { onError: error => errors.push(error) })
    assert.equal(await readAll(await connect(server, 'tcp')), '')
    assert.equal(errors.length, 1)
  })

  test('neither crashes nor fails when its client or its test has gone first', async () => {
    await using _collected = collectWarnings()
    const server = await origin(async peer => {
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

describe('the certificates', () => {
  const cases: [name: keyof typeof certificates, identity: Identity, expected: string | undefined][] = [
    ['server', certificates.server, undefined],
    ['expired', certificates.expired, 'CERT_HAS_EXPIRED'],
    ['otherHost', certificates.otherHost, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['selfSigned', certificates.selfSigned, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ]
  for (const [name, identity, expected] of cases) {
    for (const host of ['localhost', '127.0.0.1']) {
      test(`${name} ${expected === undefined ? 'verifies' : `fails with ${expected}`} for ${host}`, async t => {
        // A servername must not be an IP, and connecting to a name would need a resolver.
        const checkServerIdentity = (_: string, cert: tls.PeerCertificate) =>
          tls.checkServerIdentity(host, cert)
        await using server = await origin(() => {}, { transport: 'tls', tls: identity })
        const socket = tls.connect({
          host: server.host,
          port: server.port,
          ca: certificates.ca,
          servername: 'localhost',
          checkServerIdentity,
        })
        t.after(() => socket.destroy())
        const code = await once(socket, 'secureConnect').then(
          () => undefined,
          error => error.code,
        )
        assert.equal(code, expected)
      })
    }
  }

  // tls.checkServerIdentity matches no IPv6 address on several Nodes (nodejs/node#64144, 22.23.3 still).
  test('are for ::1 too, except otherHost', () => {
    const names = (identity: Identity) => new X509Certificate(identity.cert).checkIP('::1')
    assert.deepEqual(
      cases.map(([name, identity]) => [name, names(identity)]),
      [
        ['server', '::1'],
        ['expired', '::1'],
        ['otherHost', undefined],
        ['selfSigned', '::1'],
      ],
    )
  })

  test('verify only with their own CA', async () => {
    await using server = await origin(() => {}, { transport: 'tls' })
    const socket = tls.connect({ host: server.host, port: server.port, servername: 'localhost' })
    await assert.rejects(once(socket, 'secureConnect'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })
})

describe('frames', () => {
  test('have the bytes of RFC 6455', () => {
    assert.equal(accept('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    assert.equal(frame({ opcode: 1, payload: 'Hello' }).toString('hex'), '810548656c6c6f')
    assert.equal(
      frame({ opcode: 1, payload: 'Hello', masked: true }).toString('hex'),
      '818537fa213d7f9f4d5158',
    )
    assert.equal(frame({ opcode: 1, fin: false, rsv1: true, payload: 'a' }).toString('hex'), '410161')
    assert.equal(frame({ opcode: 2, payload: 'a', lengthEncoding: 16 }).toString('hex'), '827e000161')
    assert.equal(
      frame({ opcode: 2, payload: 'a', lengthEncoding: 64 }).toString('hex'),
      '827f000000000000000161',
    )
    assert.equal(frame({ opcode: 2, claims: 2n ** 63n }).toString('hex'), '827f8000000000000000')
    assert.deepEqual(
      [125, 126, 65_535, 65_536].map(length => frame({ opcode: 2, payload: Buffer.alloc(length) }).length),
      [125 + 2, 126 + 4, 65_535 + 4, 65_536 + 10],
    )
    assert.equal(frame({ opcode: 8, payload: closePayload(1000, 'ok') }).toString('hex'), '880403e86f6b')
  })

  test('are parsed from bytes cut anywhere', () => {
    const payloads = ['', 'a', 'b'.repeat(126), 'c'.repeat(65_536)]
    const bytes = Buffer.concat(payloads.map(payload => frame({ opcode: 1, payload, masked: true })))
    for (const cut of [0, 1, 5, 6, 7, 14, 20, 140, 150, 160, 1000, bytes.length]) {
      const first = parseClientFrames(bytes.subarray(0, cut))
      const second = parseClientFrames(Buffer.concat([first.rest, bytes.subarray(cut)]))
      const frames = [...first.frames, ...second.frames]
      assert.deepEqual(
        frames.map(({ payload }) => String(payload)),
        payloads,
      )
      assert.ok(frames.every(({ masked, fin, rsv1 }) => masked && fin && !rsv1))
      assert.equal(second.rest.length, 0)
    }
  })

  for (const how of ['whole', 'bytes'] as const) {
    test(`and the 101 before them round-trip with a client of ws (${how})`, async () => {
      await using server = await origin(async peer => {
        const head = switchingProtocols(await peer.receiveRequest(), [['Sec-WebSocket-Protocol', 'chat']])
        const text = frame({ opcode: opcodes.text, payload: 'Grüße' })
        const start = frame({ opcode: opcodes.binary, payload: 'ab', fin: false })
        const rest = frame({ opcode: opcodes.continuation, payload: 'c'.repeat(200) })
        await peer.send(Buffer.concat([Buffer.from(head), text, start, rest]), how)
        const answer = await receiveFrame(peer)
        assert.equal(answer.opcode, opcodes.text)
        assert.equal(String(answer.payload), 'ä'.repeat(100))
        assert.ok(answer.masked)
        await peer.send(frame({ opcode: opcodes.close, payload: closePayload(4000, 'bye') }), how)
        const close = await receiveFrame(peer)
        assert.equal(close.opcode, opcodes.close)
        assert.deepEqual(close.payload, closePayload(4000, 'bye'))
        peer.end()
      })
      const client = new WebSocket(`ws://${server.host}:${server.port}/`, ['chat'])
      const messages: string[] = []
      client.on('message', data => {
        if (messages.push(String(data)) === 2) client.send('ä'.repeat(100))
      })
      const [code, reason] = await once(client, 'close')
      await server.finished()
      assert.deepEqual(messages, ['Grüße', `ab${'c'.repeat(200)}`])
      assert.equal(client.protocol, 'chat')
      assert.equal(code, 4000)
      assert.equal(String(reason), 'bye')
    })
  }
})

describe('the ws server', () => {
  const upgrade = [
    'GET /ws HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n')
  const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

  for (const transport of transports) {
    test(`echoes over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using server = await websocketServer({ transport, handleProtocols: () => 'second' })
      const client = new WebSocket(server.url, ['first', 'second'], { ca: certificates.ca })
      await once(client, 'open')
      assert.equal(client.protocol, 'second')
      client.send('hello')
      const [data, binary] = await once(client, 'message')
      assert.equal(String(data), 'hello')
      assert.equal(binary, false)
      client.terminate()
    })

    test(`goes on serving a connection whose upgrades it refused over ${transport}`, async () => {
      await using _left = assertNothingLeft()
      await using collected = collectWarnings()
      let upgrades = 0
      await using server = await websocketServer({
        transport,
        refuse: () => {
          upgrades += 1
          return upgrades > 20
            ? undefined
            : { status: 401, headers: { 'x-attempt': `${upgrades}` }, body: 'Not you' }
        },
      })
      const socket = await connect(server, transport)
      for (let attempt = 1; attempt <= 20; attempt++) {
        socket.write(upgrade)
        const refusal = await readUntil(socket, 'Not you')
        assert.match(refusal, /^HTTP\/1.1 401 Unauthorized\r\n/)
        assert.match(refusal, new RegExp(`\r\nx-attempt: ${attempt}\r\n`))
        socket.write(get)
        assert.match(await readUntil(socket, 'Hello over HTTP'), /^HTTP\/1.1 200 OK\r\n/)
      }
      socket.write(upgrade)
      assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1.1 101 Switching Protocols\r\n/)
      socket.destroy()
      await collected.assertNone()
    })

    test(`serves a request glued to the upgrade that it refuses over ${transport}`, async () => {
      await using server = await websocketServer({ transport, refuse: () => ({ status: 403 }) })
      const socket = await connect(server, transport)
      socket.write(upgrade + get + upgrade + get)
      const text = await readUntil(socket, 'Hello over HTTP', 2)
      assert.deepEqual(
        text.match(/HTTP\/1.1 \d+/g),
        [403, 200, 403, 200].map(status => `HTTP/1.1 ${status}`),
      )
      socket.destroy()
    })
  }

  test('closes with clients of every kind still there', async () => {
    await using _left = assertNothingLeft()
    const server = await websocketServer({ transport: 'tls' })
    const sockets = [await connect(server, 'tls'), net.connect(server.port, server.host)]
    const client = new WebSocket(server.url, { ca: certificates.ca })
    for (const socket of sockets) socket.on('error', () => {})
    await once(client, 'open')
    const gone = [client, ...sockets].map(each => once(each, 'close'))
    for (const socket of sockets) socket.resume()
    await server.close()
    await Promise.all(gone)
  })
})

describe('leftovers', () => {
  test('name what is left and are content once it is gone', async () => {
    const remaining = leftovers()
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    assert.deepEqual(await remaining(), ['TCPServerWrap'])
    server.close()
    assert.deepEqual(await remaining(), [])
  })

  test('fail a test that leaves something', async () => {
    const timer = await (async () => {
      const left = assertNothingLeft()
      const timer = setTimeout(() => {}, 2 ** 30)
      await assert.rejects(async () => left[Symbol.asyncDispose](), /left behind: Timeout/)
      return timer
    })()
    clearTimeout(timer)
  })

  test('collect warnings and crashes, and fail a test that does not take them', async () => {
    const listeners = () => process.listenerCount('uncaughtException')
    const before = listeners()
    const collected = collectWarnings()
    process.emitWarning('careful')
    Promise.reject(new Error('nobody looked'))
    setImmediate(() => {
      throw new Error('nobody caught')
    })
    await assert.rejects(collected.assertNone(), /careful.*nobody looked.*nobody caught/)
    const { warnings, rejections, exceptions } = await collected.take()
    assert.deepEqual([...warnings, ...rejections, ...exceptions].map(String), [
      'Warning: careful',
      'Error: nobody looked',
      'Error: nobody caught',
    ])
    process.emitWarning('again')
    await assert.rejects(async () => collected[Symbol.asyncDispose](), /again/)
    assert.equal(listeners(), before)
  })
})

describe('the checker of ends', () => {
  const connPid = gun.open('localhost', 1, { retry: 0 })
  gun.close(connPid)
  const up = { type: 'gun_up', connPid, protocol: 'http' } as const
  const down = { type: 'gun_down', connPid, protocol: 'http', reason: 'normal', killedStreams: [] } as const
  const headers: gun.Headers = []

  /** What a request is told, each by itself. */
  function told(streamRef: gun.StreamRef) {
    const reason = (code: 'closed' | 'badstate', text: string = code) =>
      new gun.GunError(code, 'stream_error', text)
    const stream = { connPid, streamRef }
    return {
      inform: { type: 'gun_inform', ...stream, status: 103, headers },
      head: { type: 'gun_response', ...stream, isFin: 'nofin', status: 200, headers },
      whole: { type: 'gun_response', ...stream, isFin: 'fin', status: 204, headers },
      part: { type: 'gun_data', ...stream, isFin: 'nofin', data: Buffer.from('a') },
      last: { type: 'gun_data', ...stream, isFin: 'fin', data: Buffer.from('a') },
      trailers: { type: 'gun_trailers', ...stream, headers },
      event: { type: 'gun_sse', ...stream, event: { lastEventId: '', eventType: 'message', data: '' } },
      lastEvent: { type: 'gun_sse', ...stream, event: 'fin', lastEventId: '' },
      error: { type: 'gun_error', ...stream, reason: reason('closed') },
      refusal: { type: 'gun_error', ...stream, reason: reason('badstate') },
      lateRefusal: { type: 'gun_error', ...stream, reason: reason('closed', `${connPid} has ended`) },
      drain: { type: 'gun_notify', ...stream, event: 'drain', data: 0 },
      upgrade: { type: 'gun_upgrade', ...stream, protocols: ['websocket'], headers },
      text: { type: 'gun_ws', ...stream, frame: ['text', 'a'] },
      close: { type: 'gun_ws', ...stream, frame: ['close', 1000, ''] },
      up,
      down,
    } as const satisfies Record<string, gun.GunMessage>
  }

  type Step = keyof ReturnType<typeof told> | 'cancel' | 'terminate' | 'responseEnd'

  /** What a checker of its own says of these, up to the end of the connection. */
  function problems(steps: readonly Step[]): readonly string[] {
    const checker = new StreamEnds()
    // Any handle will do: a stream is never asked about itself.
    const streamRef = gun.get(connPid, '/', {}, { replyTo: () => {} })
    const messages = told(streamRef)
    checker.began(connPid, streamRef)
    for (const step of steps) {
      if (step === 'cancel') checker.cancelled(streamRef)
      else if (step === 'responseEnd') checker.finished(streamRef)
      else if (step === 'terminate') checker.terminated(connPid)
      else checker.see(messages[step])
    }
    return checker.problems
  }

  const right: readonly (readonly Step[])[] = [
    ['up', 'inform', 'head', 'part', 'last', 'down', 'terminate'],
    ['up', 'head', 'part', 'trailers', 'down', 'up', 'down', 'terminate'],
    ['up', 'head', 'event', 'lastEvent', 'terminate'],
    ['up', 'whole', 'drain', 'refusal', 'terminate', 'lateRefusal'],
    ['up', 'refusal', 'head', 'error', 'down', 'terminate'],
    ['up', 'head', 'cancel', 'refusal', 'terminate'],
    ['up', 'head', 'responseEnd', 'down', 'terminate'],
    ['up', 'upgrade', 'text', 'close', 'down', 'terminate'],
    ['up', 'upgrade', 'close', 'error', 'down', 'terminate'],
    ['up', 'upgrade', 'down', 'up', 'upgrade', 'error', 'down', 'terminate'],
    ['up', 'down', 'up', 'whole', 'terminate'],
    ['error', 'terminate'],
  ]
  for (const steps of right) {
    test(`has nothing against ${steps.join(', ')}`, () => assert.deepEqual(problems(steps), []))
  }

  const wrong: readonly (readonly [steps: readonly Step[], problem: RegExp])[] = [
    [['up', 'whole', 'error'], /^gun_error .* comes behind gun_response$/],
    [['up', 'head', 'last', 'error'], /^gun_error .* comes behind gun_data$/],
    [['up', 'head', 'trailers', 'error'], /^gun_error .* comes behind gun_trailers$/],
    [['up', 'head', 'lastEvent', 'trailers'], /^gun_trailers .* comes behind gun_sse$/],
    [['up', 'error', 'head'], /^gun_response .* comes behind gun_error$/],
    [['up', 'error', 'error'], /^gun_error .* comes behind gun_error$/],
    [['up', 'error', 'drain'], /^gun_notify .* comes behind gun_error$/],
    [['up', 'part'], /^gun_data .* comes for a stream that is asked$/],
    [['up', 'head', 'head'], /^gun_response .* comes for a stream that is responding$/],
    [['up', 'head', 'inform'], /^gun_inform .* comes for a stream that is responding$/],
    [['up', 'head', 'responseEnd', 'error'], /^gun_error .* comes for a stream that is silent$/],
    [['up', 'head', 'cancel', 'part'], /^gun_data .* comes for a stream that is cancelled$/],
    [['up', 'upgrade', 'close', 'text'], /^gun_ws .* comes for a stream that is closing$/],
    [['up', 'head', 'down'], /^gun_down comes before the end of .*, which is responding$/],
    [['up', 'upgrade', 'down', 'terminate'], /^DOWN comes before the end of .*, which is websocket$/],
    [['up', 'terminate'], /^DOWN comes before the end of .*, which is asked$/],
    [['up', 'error', 'terminate', 'down'], /^gun_down comes behind DOWN$/],
    [['up', 'error', 'terminate', 'terminate'], /^DOWN comes twice$/],
    [['up', 'up'], /^gun_up comes behind another$/],
    [['down'], /^gun_down comes without a gun_up$/],
  ]
  for (const [steps, problem] of wrong) {
    test(`finds what is wrong with ${steps.join(', ')}`, () => {
      const [first = ''] = problems(steps)
      assert.match(first, problem)
    })
  }

  test('sees what goes to a process, and what goes to a function that it watches', () => {
    const checker = new StreamEnds()
    const heard: string[] = []
    const streamRef = gun.get(connPid, '/', {}, { replyTo: () => {} })
    const { whole, error } = told(streamRef)
    const replyTo = checker.watch(({ type }) => heard.push(type))
    for (const message of [whole, error]) replyTo(message)
    assert.deepEqual(heard, ['gun_response', 'gun_error'])
    assert.throws(() => checker.assert(), /gun_error .* comes behind gun_response/)
    checker.assert()
  })
})
