// Options as a caller gives them: what is wrong throws, is named with its path, and opens nothing.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SecureVersion } from 'node:tls'
import { inspect } from 'node:util'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { createActor, setup } from 'xstate'
import { connect, eventually, freePort, NO_CONTENT, PATIENCE, receiveError } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { websocketServer } from '../support/websocket-server.ts'

const LONGEST = 2147483647

const atPath = (path: string, value: unknown): unknown =>
  path.split('.').reduceRight((inner, key) => ({ [key]: inner }), value)

function isBadOption(path: string): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof gun.GunError, String(error))
    assert.equal(error.code, 'bad_option')
    assert.equal(error.kind, 'options')
    assert.equal(error.message.split(' ')[0], path)
    return true
  }
}

const durations = [-1, LONGEST + 1, Number.NaN, '1000', null]
const limits = [0, -1, 1.5, LONGEST + 1, Number.NaN, '1000', null]
const objects = [null, 1, 'text', []]

/** Every option with all that it must not be. */
const wrong: Record<string, readonly unknown[]> = {
  connectTimeout: durations,
  domainLookupTimeout: durations,
  tlsHandshakeTimeout: durations,
  httpOpts: objects,
  'httpOpts.cancelTimeout': durations,
  'httpOpts.closingTimeout': durations,
  'httpOpts.pipelining': [0, -1, 1.5, Number.NaN, '1', null],
  'httpOpts.maxHeaderBlockSize': limits,
  'httpOpts.maxTrailerBlockSize': limits,
  'httpOpts.version': ['HTTP/2', 'http/1.1', 1.1, null],
  owner: [null, {}, () => {}, 'shell', { send() {} }],
  protocols: [null, 'http', [], ['http', 'http']],
  retry: [-1, 1.5, Number.NaN, '5', null],
  retryFun: [null, 5, {}],
  retryTimeout: [...durations, Number.POSITIVE_INFINITY],
  tcpOpts: objects,
  'tcpOpts.allowHalfOpen': [null, 1],
  'tcpOpts.autoSelectFamily': [null, 1],
  'tcpOpts.autoSelectFamilyAttemptTimeout': [0, 9, LONGEST + 1, '250', Number.POSITIVE_INFINITY],
  'tcpOpts.blockList': [null, ['127.0.0.1']],
  'tcpOpts.family': [5, '4', 'IPv4', null],
  'tcpOpts.hints': [-1, '1', null],
  'tcpOpts.keepAlive': [null, 1],
  'tcpOpts.keepAliveInitialDelay': [-1, 1.5, '1'],
  'tcpOpts.localAddress': ['', 'localhost', 1, null],
  'tcpOpts.localPort': [-1, 65536, '80'],
  'tcpOpts.lookup': [null, 'dns'],
  'tcpOpts.noDelay': [null, 1],
  // Of Node's, what open decides, or what nothing would come of.
  'tcpOpts.fd': [1],
  'tcpOpts.host': ['localhost'],
  'tcpOpts.onread': [{}],
  'tcpOpts.path': ['/'],
  'tcpOpts.port': [80],
  'tcpOpts.readable': [true],
  'tcpOpts.signal': [new AbortController().signal],
  'tcpOpts.timeout': [1000],
  'tcpOpts.writable': [true],
  'tcpOpts.nodelay': [true],
  tlsOpts: objects,
  'tlsOpts.checkServerIdentity': [null, true],
  'tlsOpts.enableTrace': [null, 1],
  'tlsOpts.host': [1, 'a b', 'https://localhost', null],
  'tlsOpts.minDHSize': [0, '1024'],
  'tlsOpts.pskCallback': [null, {}],
  'tlsOpts.rejectUnauthorized': [null, 0, 'false'],
  'tlsOpts.servername': [5, 'a b', 'a\r\nb', null],
  'tlsOpts.session': [5, 'text', null],
  'tlsOpts.ALPNCallback': [() => {}],
  'tlsOpts.ALPNProtocols': [['h2']],
  'tlsOpts.SNICallback': [() => {}],
  'tlsOpts.allowHalfOpen': [true],
  'tlsOpts.dhparam': ['auto'],
  'tlsOpts.honorCipherOrder': [true],
  'tlsOpts.lookup': [() => {}],
  'tlsOpts.path': ['/'],
  'tlsOpts.port': [80],
  'tlsOpts.requestCert': [true],
  'tlsOpts.sessionIdContext': ['text'],
  'tlsOpts.sessionTimeout': [1],
  'tlsOpts.socket': [{}],
  'tlsOpts.ticketKeys': [Buffer.alloc(48)],
  'tlsOpts.timeout': [1000],
  'tlsOpts.rejectUnauthorised': [false],
  transport: ['ssl', 'TCP', null, 1],
  wsOpts: objects,
  'wsOpts.closingTimeout': durations,
  'wsOpts.keepalive': [...durations, 0],
  'wsOpts.maxPayload': limits,
  'wsOpts.maxFragments': limits,
  'wsOpts.replyTo': [null, {}, 'shell'],
  'wsOpts.silencePings': [null, 0, 'true'],
  // Known to nobody.
  retries: [5],
  'httpOpts.keepAlive': [1],
  'wsOpts.compres': [true],
}

/** Each option at the limits of what it may be. */
const right: Record<string, readonly unknown[]> = {
  connectTimeout: [0.5, 1, LONGEST, Number.POSITIVE_INFINITY, undefined],
  domainLookupTimeout: [1, LONGEST, Number.POSITIVE_INFINITY],
  tlsHandshakeTimeout: [1, LONGEST, Number.POSITIVE_INFINITY],
  'httpOpts.cancelTimeout': [0, LONGEST, Number.POSITIVE_INFINITY],
  'httpOpts.closingTimeout': [0, LONGEST, Number.POSITIVE_INFINITY],
  'httpOpts.pipelining': [1, 6, Number.POSITIVE_INFINITY],
  'httpOpts.maxHeaderBlockSize': [1, LONGEST, Number.POSITIVE_INFINITY],
  'httpOpts.maxTrailerBlockSize': [1, LONGEST, Number.POSITIVE_INFINITY],
  'httpOpts.version': ['HTTP/1.0', 'HTTP/1.1'],
  protocols: [['http'], [['http', {}]], [['http', { version: 'HTTP/1.0' }]]],
  retry: [0, 1, Number.POSITIVE_INFINITY],
  retryTimeout: [0, LONGEST],
  'tcpOpts.autoSelectFamilyAttemptTimeout': [10, LONGEST, undefined],
  'tcpOpts.family': [0, 4, 6],
  'wsOpts.closingTimeout': [0, LONGEST, Number.POSITIVE_INFINITY],
  'wsOpts.keepalive': [1, LONGEST, Number.POSITIVE_INFINITY],
  'wsOpts.maxPayload': [1, LONGEST, Number.POSITIVE_INFINITY],
  'wsOpts.maxFragments': [1, LONGEST, Number.POSITIVE_INFINITY],
  'wsOpts.silencePings': [true, false],
}

describe('a wrong option throws a GunError that names it', () => {
  for (const [path, values] of Object.entries(wrong)) {
    test(path, async () => {
      await using _left = assertNothingLeft()
      for (const value of values) {
        const opts = atPath(path, value) as gun.Opts
        assert.throws(() => gun.open('localhost', 1, opts), isBadOption(path))
        assert.throws(() => gun.openUnix('/nowhere', opts), isBadOption(path))
        assert.throws(() => {
          const { status, error } = createActor(gun.connectionMachine, {
            input: { host: 'localhost', port: 1, opts },
          }).getSnapshot()
          if (status === 'error') throw error
        }, isBadOption(path))
      }
    })
  }

  test('within protocols, with the whole path', () => {
    const cases: [unknown, string][] = [
      [['http3'], 'protocols.0'],
      [[['http']], 'protocols.0'],
      [[['http', { version: 'HTTP/2' }]], 'protocols.0.1.version'],
      [[['http', { maxHeaderBlockSize: 0 }]], 'protocols.0.1.maxHeaderBlockSize'],
      [[['http', { keepAlive: 1 }]], 'protocols.0.1.keepAlive'],
      [[['http', null]], 'protocols.0.1'],
    ]
    for (const [protocols, path] of cases) {
      const opts = { protocols } as gun.Opts
      assert.throws(() => gun.open('localhost', 1, opts), isBadOption(path))
    }
  })

  test('the options themselves', () => {
    for (const opts of objects) {
      assert.throws(() => gun.open('localhost', 1, opts as gun.Opts), isBadOption('opts'))
    }
  })

  test('before anything is opened', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(() => {})
    const { host, port } = server
    assert.throws(() => gun.open(host, port, { retry: -1 }), isBadOption('retry'))
    // What comes after it is the first to arrive.
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open(host, port, { owner })
    await gun.awaitUp(connPid, PATIENCE)
    assert.equal(server.connections, 1)
  })

  test('for one request or one upgrade, which is not sent', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      assert.equal((await peer.receiveRequest()).path, '/good')
      await peer.send(NO_CONTENT)
    })
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner })
    for (const [path, values] of Object.entries(wrong)) {
      if (!path.startsWith('wsOpts')) continue
      for (const value of values) {
        const { wsOpts } = atPath(path, value) as gun.Opts
        assert.throws(() => gun.wsUpgrade(connPid, '/', [], wsOpts), isBadOption(path))
      }
    }
    const reqOpts: [unknown, string][] = [
      [{ replyTo: 'shell' }, 'reqOpts.replyTo'],
      [{ replyTo: null }, 'reqOpts.replyTo'],
      [{ replyto: owner }, 'reqOpts.replyto'],
      [{ sendHighWaterMark: -1 }, 'reqOpts.sendHighWaterMark'],
      [null, 'reqOpts'],
      [[], 'reqOpts'],
    ]
    for (const [given, path] of reqOpts) {
      const opts = given as gun.ReqOpts
      assert.throws(() => gun.get(connPid, '/', [], opts), isBadOption(path))
      assert.throws(() => gun.head(connPid, '/', [], opts), isBadOption(path))
      assert.throws(() => gun.request(connPid, 'POST', '/', [], '', opts), isBadOption(path))
      assert.throws(() => gun.headers(connPid, 'POST', '/', [], opts), isBadOption(path))
    }
    const response = await gun.await(connPid, gun.get(connPid, '/good'), PATIENCE)
    assert.equal(response.type, 'gun_response')
    assert.equal(owner.messageQueueLength, 1, 'gun_up, and nothing else')
  })
})

describe('a wrong destination throws and names itself, before anything is opened', () => {
  const inputs: [
    what: string,
    wrong: readonly unknown[],
    error: object,
    input: (value: unknown) => unknown,
  ][] = [
    [
      'host',
      [
        ...['', 42, undefined, '[::1]', '[localhost]', 'a b', ' ', 'a\r\nx: y', 'a\n', 'user@host', 'a/b'],
        ...['http://localhost', 'a?b', 'a#b', 'a\\b', 'a\0', 'a\tb'],
      ],
      { name: 'TypeError', message: /^host must be / },
      host => ({ host, port: 80 }),
    ],
    [
      'port',
      [0, -1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '80', undefined],
      { name: 'RangeError', message: /^port must be / },
      port => ({ host: 'localhost', port }),
    ],
    ['path', ['', 42, null], { name: 'TypeError', message: /^path must be / }, path => ({ path })],
  ]
  const openWith = (input: unknown): void => {
    const { host, port, path } = input as { host: string; port: number; path?: string }
    gun.close(path === undefined ? gun.open(host, port) : gun.openUnix(path))
  }

  for (const [what, wrong, error, inputOf] of inputs) {
    test(`${what}, given to open`, async () => {
      await using _left = assertNothingLeft()
      for (const value of wrong) assert.throws(() => openWith(inputOf(value)), error, inspect(value))
    })

    test(`${what}, as input of connectionMachine: the error is its parent’s to handle`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      for (const value of wrong) {
        const errors: unknown[] = []
        const parent = setup({ actors: { connection: gun.connectionMachine } }).createMachine({
          invoke: {
            src: 'connection',
            input: inputOf(value) as gun.ConnectionInput,
            onError: { actions: ({ event }) => errors.push(event.error) },
          },
        })
        const actor = createActor(parent).start()
        const { status } = actor.getSnapshot()
        actor.stop()
        assert.equal(status, 'active')
        assert.equal(errors.length, 1, inspect(value))
        assert.throws(() => {
          throw errors[0]
        }, error)
      }
      await warnings.assertNone()
    })
  }

  test('no input at all', () => {
    for (const input of [undefined, null, 'localhost'] as unknown[] as gun.ConnectionInput[]) {
      const { status, error } = createActor(gun.connectionMachine, { input }).getSnapshot()
      assert.equal(status, 'error')
      assert.match(String(error), /^TypeError: input must be /)
    }
  })

  test('no path at all', () => {
    assert.throws(() => gun.openUnix(undefined as unknown as string), {
      name: 'TypeError',
      message: /^path must be /,
    })
  })
})

test('a stream of another connection throws a TypeError that names it, and harms neither', async () => {
  await using _left = assertNothingLeft()
  await using server = await origin(async peer => {
    await peer.receiveRequest()
    await peer.send(NO_CONTENT)
  })
  await using one = await connect(server)
  await using two = await connect(server)
  const { connPid } = one
  const streamRef = gun.get(two.connPid, '/')
  const misuses = [
    () => gun.data(connPid, streamRef, 'fin', ''),
    () => gun.wsSend(connPid, streamRef, 'ping'),
    () => gun.await(connPid, streamRef),
    () => gun.awaitBody(connPid, streamRef),
  ]
  for (const misuse of misuses) {
    assert.throws(misuse, {
      name: 'TypeError',
      message: `streamRef ${streamRef} does not belong to ${connPid}`,
    })
  }
  assert.equal((await gun.await(two.connPid, streamRef, PATIENCE)).type, 'gun_response')
  assert.equal((await gun.await(connPid, gun.get(connPid, '/'), PATIENCE)).type, 'gun_response')
  assert.deepEqual([one.owner.messageQueueLength, two.owner.messageQueueLength], [0, 0])
})

describe('an option at its limits is taken', () => {
  for (const [path, values] of Object.entries(right)) {
    test(path, async () => {
      await using _left = assertNothingLeft()
      await using owner = createProcess<gun.GunMessage>()
      for (const value of values) {
        const opts = { ...(atPath(path, value) as gun.Opts), owner }
        gun.close(gun.open('localhost', 1, opts))
      }
    })
  }
})

describe('an option that is not given has its default', () => {
  test('the transport is tls for port 443 only', async () => {
    await using _left = assertNothingLeft()
    await using owner = createProcess<gun.GunMessage>()
    const transportOf = (port: number, opts: gun.Opts = {}): string => {
      const connPid = gun.open('localhost', port, { owner, ...opts })
      const { transport, originScheme } = gun.info(connPid)
      gun.close(connPid)
      return `${transport} ${originScheme}`
    }
    assert.equal(transportOf(443), 'tls https')
    assert.equal(transportOf(80), 'tcp http')
    assert.equal(transportOf(8443), 'tcp http')
    assert.equal(transportOf(443, { transport: 'tcp' }), 'tcp http')
    assert.equal(transportOf(80, { transport: 'tls' }), 'tls https')
  })

  test('also what is given as undefined, in every place', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer({
      onConnection: socket => {
        socket.ping()
        socket.send('text')
      },
    })
    await using owner = createProcess<gun.GunMessage>()
    const nothing = { version: undefined, closingTimeout: undefined } as unknown as gun.HttpOpts
    const opts: gun.Opts = {
      owner,
      httpOpts: nothing,
      wsOpts: { silencePings: false },
      protocols: [['http', nothing]],
    }
    await using connPid = gun.open(server.host, server.port, opts)
    const wsOpts = { silencePings: undefined, closingTimeout: undefined } as unknown as gun.WsOpts
    const streamRef = gun.wsUpgrade(connPid, '/', [], wsOpts)
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
    // open's wsOpts hold.
    const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }], PATIENCE)
    assert.equal(frame, 'ping')
  })
})

describe('options do what they say', () => {
  test('tcpOpts reach the socket', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    const localPort = await freePort()
    await using owner = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner, tcpOpts: { localPort } })
    await gun.awaitUp(connPid, PATIENCE)
    assert.equal(gun.info(connPid).sockPort, localPort)
  })

  for (const retry of [0, 1]) {
    test(`tlsOpts that no TLS can be spoken with are a tls_error, not tried again, and leave no socket open (retry ${retry})`, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      let ended = 0
      await using server = await origin(async peer => {
        await peer.closed
        ended++
      })
      await using owner = createProcess<gun.GunMessage>()
      await using connPid = gun.open(server.host, server.port, {
        owner,
        transport: 'tls',
        tlsOpts: { minVersion: 'TLSv9' as SecureVersion },
        retry,
        retryTimeout: 1,
      })
      const ref = owner.monitor(connPid)
      const error = await receiveError({ owner, connPid }, undefined)
      assert.deepEqual([error.kind, error.code], ['connection_error', 'tls_error'])
      assert.ok(error.cause instanceof TypeError)
      assert.match(error.cause.message, /TLSv9/)
      const down = await owner.receive([{ type: 'DOWN', ref }], PATIENCE)
      assert.deepEqual(down.reason, ['shutdown', error])
      assert.equal(owner.messageQueueLength, 0)
      await eventually(() => ended === 1, 'a socket was left open')
      assert.equal(server.connections, 1)
      await warnings.assertNone()
    })
  }

  const statusLine = 'HTTP/1.1 200 OK\r\n'
  const noBody = 'content-length: 0\r\n'
  const fieldOf = (size: number): string => `x: ${'y'.repeat(size - 'x: \r\n'.length)}\r\n`
  const blocks = {
    maxHeaderBlockSize: (size: number) =>
      `${statusLine}${fieldOf(size - statusLine.length - noBody.length)}${noBody}\r\n`,
    maxTrailerBlockSize: (size: number) =>
      `${statusLine}transfer-encoding: chunked\r\n\r\n0\r\n${fieldOf(size)}\r\n`,
  }
  for (const [option, responseOf] of Object.entries(blocks)) {
    test(`${option} may be reached and not exceeded`, async () => {
      await using _left = assertNothingLeft()
      const limit = 100
      await using server = await origin(async peer => {
        for (const size of [limit, limit + 1]) {
          await peer.receiveRequest()
          await peer.send(responseOf(size))
        }
        await peer.closed
      })
      await using owner = createProcess<gun.GunMessage>()
      const httpOpts = { [option]: limit }
      await using connPid = gun.open(server.host, server.port, { owner, retry: 0, httpOpts })
      const next = (streamRef: gun.StreamRef) =>
        owner.receive(
          [
            { type: 'gun_trailers', streamRef },
            { type: 'gun_response', isFin: 'fin', streamRef },
            { type: 'gun_error', streamRef },
          ],
          PATIENCE,
        )
      assert.notEqual((await next(gun.get(connPid, '/'))).type, 'gun_error')
      const error = await next(gun.get(connPid, '/'))
      assert.ok(error.type === 'gun_error')
      assert.equal(error.reason.code, 'limit_reached')
      assert.match(error.reason.message, new RegExp(`${option} \\(${limit} bytes\\)`))
    })
  }
})
