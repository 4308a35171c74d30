// A connection that is lost, or could not be made, is made again: how often, when, and what everybody is told.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, mock, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, P, type Process } from '@holster/process'
import { certificates, type Peer, type ScriptedServer } from '@holster/testing'
import { chance } from '../support/chance.ts'
import { NO_CONTENT, PATIENCE } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { onLinux, unanswering } from '../support/silent-address.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly server: ScriptedServer
  /** The server's side of the next connection. */
  peer(): Promise<Peer>
  /** Lets the present attempt come to its end. */
  settle(): Promise<string>
}

async function scene(script: (peer: Peer) => unknown, opts: gun.Opts): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const accept = (peer: Peer) => {
    peers.send({ type: 'peer', peer })
    return script(peer)
  }
  // A server without TLS makes each attempt over TLS fail, and counts it.
  const isHostile = script === hangUp
  const server = await origin(accept, isHostile ? {} : { transport: opts.transport ?? 'tcp' })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    transport: 'tcp',
    tlsOpts: { ca: certificates.ca },
    ...opts,
  })
  self.monitor(connPid)
  return {
    self,
    connPid,
    server,
    async peer() {
      const { peer } = await peers.receive([{ type: 'peer' }], 10_000)
      // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
      await turn()
      return peer
    },
    async settle() {
      for (;;) {
        const { stateName } = gun.info(connPid)
        if (['not_connected', 'connected', 'terminated'].includes(stateName)) return stateName
        await turn()
      }
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server.close()
    },
  }
}

/** When chance, of which a test has none, has a retry come: after half of `retryTimeout`. */
const early = (retryTimeout: number): number => retryTimeout / 2

const nothing = (): void => {}
const hangUp = (peer: Peer): void => peer.end()

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function mockTimers(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return ms => t.mock.timers.tick(ms)
}

describe('the attempts', () => {
  for (const retry of [0, 1, 2, 5]) {
    test(`with retry ${retry} are ${retry + 1}: at once, at once again, then about every retryTimeout`, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimers(t)
      await using it = await scene(hangUp, { transport: 'tls', retry, retryTimeout: 300 })
      for (let attempt = 1; attempt <= retry + 1; attempt++) {
        const isLast = attempt === retry + 1
        assert.equal(await it.settle(), isLast ? 'terminated' : 'not_connected', `attempt ${attempt}`)
        assert.equal(it.server.connections, attempt)
        if (isLast) break
        assert.equal(it.self.messageQueueLength, 0)
        const wait = attempt === 1 ? 0 : early(300)
        if (wait > 0) tick(wait - 1)
        assert.equal(gun.info(it.connPid).stateName, 'not_connected')
        tick(wait > 0 ? 1 : 0)
        assert.equal(gun.info(it.connPid).stateName, 'domain_lookup')
      }
      const error = await it.self.receive([P._], 0)
      assert.ok(error.type === 'gun_error' && error.streamRef === undefined)
      assert.equal(error.reason.code, 'tls_error')
      const down = await it.self.receive([P._], 0)
      assert.ok(down.type === 'DOWN')
      assert.deepEqual(down.reason, ['shutdown', error.reason])
      tick(100_000)
      assert.equal(it.server.connections, retry + 1)
    })
  }

  test('are six, about five seconds apart, unless told otherwise', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tick = mockTimers(t)
    await using it = await scene(hangUp, { transport: 'tls' })
    await it.settle()
    tick(0)
    for (let attempt = 2; attempt < 6; attempt++) {
      assert.equal(await it.settle(), 'not_connected')
      tick(early(5000) - 1)
      assert.equal(gun.info(it.connPid).stateName, 'not_connected')
      tick(1)
      assert.equal(gun.info(it.connPid).stateName, 'domain_lookup')
    }
    assert.equal(await it.settle(), 'terminated')
    assert.equal(it.server.connections, 6)
  })

  test('without end are about retryTimeout apart, too', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tick = mockTimers(t)
    const retry = Number.POSITIVE_INFINITY
    await using it = await scene(hangUp, { transport: 'tls', retry, retryTimeout: 300 })
    for (let attempt = 1; attempt < 10; attempt++) {
      assert.equal(await it.settle(), 'not_connected')
      tick(early(300) - 1)
      assert.equal(gun.info(it.connPid).stateName, 'not_connected')
      tick(1)
      assert.equal(gun.info(it.connPid).stateName, 'domain_lookup')
    }
  })

  test('are made anew from the look-up of the name', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tick = mockTimers(t)
    const self = createProcess<gun.GunMessage>()
    await using connPid = gun.open('does-not-exist.invalid', 80, { owner: self, retry: 1 })
    const ref = self.monitor(connPid)
    while (gun.info(connPid).stateName === 'domain_lookup') await turn()
    tick(0)
    assert.equal(gun.info(connPid).stateName, 'domain_lookup')
    const { reason } = await self.receive([{ type: 'gun_error', streamRef: undefined }])
    assert.equal(reason.code, 'domain_lookup_error')
    await self.receive([{ type: 'DOWN', ref }])
  })

  for (const transport of transports) {
    test(`are counted anew once a connection over ${transport} has brought something`, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const asked: number[] = []
      const retryFun = (retries: number) => {
        asked.push(retries)
        return { retries: retries - 1, timeout: 0 }
      }
      const tick = mockTimers(t)
      await using it = await scene(nothing, { transport, retry: 3, retryFun })
      for (let n = 0; n < 5; n++) {
        await it.self.receive([{ type: 'gun_up' }])
        const streamRef = gun.get(it.connPid, '/')
        const peer = await it.peer()
        await peer.receiveRequest()
        peer.end(NO_CONTENT)
        await it.self.receive([{ type: 'gun_response', streamRef }])
        await it.self.receive([{ type: 'gun_down' }])
        tick(0)
      }
      assert.deepEqual(asked, [3, 3, 3, 3, 3])
      await it.self.receive([{ type: 'gun_up' }])
      assert.equal(it.server.connections, 6)
    })
  }
})

describe('by chance', () => {
  for (const [value, first, later] of [
    [0, 0, 2500],
    [0.5, 500, 5000],
    [0.999, 999, 7495],
  ] as const) {
    test(`a connection that is lost comes back after ${first} ms, or ${later} ms later`, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      chance(value)
      t.after(() => chance(0))
      const tick = mockTimers(t)
      await using it = await scene(nothing, {})
      await it.self.receive([{ type: 'gun_up' }])
      const streamRef = gun.get(it.connPid, '/')
      const peer = await it.peer()
      await peer.receiveRequest()
      peer.end(NO_CONTENT)
      await it.self.receive([{ type: 'gun_response', streamRef }])
      await it.self.receive([{ type: 'gun_down' }])
      await it.server.close()
      for (const wait of [first, later]) {
        if (wait > 0) tick(wait - 1)
        assert.equal(gun.info(it.connPid).stateName, 'not_connected')
        tick(wait > 0 ? 1 : 0)
        assert.equal(gun.info(it.connPid).stateName, 'domain_lookup')
        assert.equal(await it.settle(), 'not_connected')
      }
    })
  }

  test('no first retry is later than retryTimeout, and the times of a retryFun are left as they are', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    chance(0.5)
    t.after(() => chance(0))
    const tick = mockTimers(t)
    for (const [opts, wait] of [
      [{ retryTimeout: 300 }, 150],
      [{ retryFun: () => ({ retries: 1, timeout: 70 }) }, 70],
    ] as const) {
      await using it = await scene(nothing, opts)
      await it.self.receive([{ type: 'gun_up' }])
      ;(await it.peer()).end()
      await it.self.receive([{ type: 'gun_down' }])
      tick(wait - 1)
      assert.equal(gun.info(it.connPid).stateName, 'not_connected')
      tick(1)
      assert.equal(gun.info(it.connPid).stateName, 'domain_lookup')
    }
  })
})

for (const transport of transports) {
  describe(`a server over ${transport} that accepts and hangs up`, () => {
    for (const [what, end] of [
      ['in order', (peer: Peer) => peer.end()],
      ['with a reset', (peer: Peer) => peer.reset()],
      ['in the middle of nothing that is HTTP', (peer: Peer) => peer.end('HELLO\r\n\r\n')],
    ] as const) {
      test(`${what} uses up the retries, and the owner is told`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const asked: number[] = []
        const retryFun = (retries: number) => {
          asked.push(retries)
          return { retries: retries - 1, timeout: 10 }
        }
        const tick = mockTimers(t)
        await using it = await scene(nothing, { transport, retry: 3, retryFun })
        for (let attempt = 1; attempt <= 4; attempt++) {
          await it.self.receive([{ type: 'gun_up' }])
          end(await it.peer())
          await it.self.receive([{ type: 'gun_down' }])
          tick(10)
        }
        assert.deepEqual(asked, [3, 2, 1])
        const error = await it.self.receive([{ type: 'gun_error', streamRef: undefined }], PATIENCE)
        const { reason } = await it.self.receive([{ type: 'DOWN' }], PATIENCE)
        assert.deepEqual(reason, ['shutdown', error.reason])
        assert.equal(it.server.connections, 4)
      })
    }
  })
}

test('a server that hangs up at once is connected to six times with the options as they are', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const tick = mockTimers(t)
  await using it = await scene(peer => peer.end(), { transport: 'tcp' })
  for (let connections = 1; connections < 6; connections++) {
    await it.self.receive([{ type: 'gun_up' }])
    await it.self.receive([{ type: 'gun_down' }])
    assert.equal(it.server.connections, connections)
    tick(connections === 1 ? 0 : early(5000))
  }
  await it.self.receive([{ type: 'DOWN' }])
  assert.equal(it.server.connections, 6)
})

test('a connection that has lasted retryTimeout counts, whatever it has brought', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const asked: number[] = []
  const retryFun = (retries: number) => {
    asked.push(retries)
    return { retries: retries - 1, timeout: 0 }
  }
  const tick = mockTimers(t)
  // A whole number, so that the differences are exact.
  let now = Math.ceil(performance.now())
  t.mock.method(performance, 'now', () => now)
  await using it = await scene(nothing, { transport: 'tcp', retry: 3, retryTimeout: 300, retryFun })
  for (const lasted of [299, 300, 299, 299]) {
    await it.self.receive([{ type: 'gun_up' }])
    now += lasted
    ;(await it.peer()).end()
    await it.self.receive([{ type: 'gun_down' }])
    tick(0)
  }
  assert.deepEqual(asked, [3, 3, 2, 1])
  await it.self.receive([{ type: 'gun_up' }])
})

describe('retryFun', () => {
  test('is given the retries that are left and the options, and decides about both', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const asked: [number, gun.Opts][] = []
    const answers = [
      { retries: 10, timeout: 70 },
      { retries: 1, timeout: 0 },
      { retries: 0, timeout: 30 },
    ]
    const retryFun = (retries: number, opts: gun.Opts) => {
      asked.push([retries, opts])
      return answers[asked.length - 1] ?? { retries: 0, timeout: 0 }
    }
    const tick = mockTimers(t)
    await using it = await scene(hangUp, { transport: 'tls', retry: 2, retryTimeout: 12345, retryFun })
    for (const { timeout } of answers) {
      assert.equal(await it.settle(), 'not_connected')
      if (timeout > 0) tick(timeout - 1)
      assert.equal(gun.info(it.connPid).stateName, 'not_connected')
      tick(timeout > 0 ? 1 : 0)
      assert.equal(gun.info(it.connPid).stateName, 'domain_lookup')
    }
    assert.equal(await it.settle(), 'terminated')
    assert.deepEqual(
      asked.map(([retries]) => retries),
      [2, 10, 1],
    )
    for (const [, opts] of asked) {
      assert.equal(opts.retryTimeout, 12345)
      assert.equal(opts.retryFun, retryFun)
    }
  })

  test('is not asked when there are no retries', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const retryFun = () => assert.fail('asked')
    await using it = await scene(hangUp, { transport: 'tls', retry: 0, retryFun })
    const { reason } = await it.self.receive([{ type: 'gun_error' }], 10_000)
    assert.equal(reason.code, 'tls_error')
  })

  const boom = new Error('boom')
  const wrong: [string, () => unknown, unknown][] = [
    [
      'throws',
      () => {
        throw boom
      },
      boom,
    ],
    ['gives nothing', () => undefined, undefined],
    ['gives no object', () => 5, undefined],
    ['gives an empty object', () => ({}), undefined],
    ['gives negative retries', () => ({ retries: -1, timeout: 0 }), undefined],
    ['gives half a retry', () => ({ retries: 0.5, timeout: 0 }), undefined],
    ['gives no number for a time', () => ({ retries: 1, timeout: Number.NaN }), undefined],
    ['gives a time without end', () => ({ retries: 1, timeout: Number.POSITIVE_INFINITY }), undefined],
    ['gives what is no number', () => ({ retries: '1', timeout: 0 }), undefined],
    ['gives what cannot be read', () => new Proxy({}, { get: () => assert.fail(boom) }), boom],
    [
      'gives what changes as it is read',
      () => {
        const times = [0, -1]
        return Object.defineProperty({ retries: -1 }, 'timeout', { get: () => times.shift() })
      },
      undefined,
    ],
    ['gives a promise', async () => ({ retries: 1, timeout: 0 }), undefined],
  ]
  for (const [what, retryFun, cause] of wrong) {
    test(`that ${what} ends the connection, and the error names it`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(hangUp, { transport: 'tls', retryFun: retryFun as () => gun.Retry })
      const streamRef = gun.get(it.connPid, '/')
      const failed = await it.self.receive([P._], 10_000)
      assert.ok(failed.type === 'gun_error' && failed.streamRef === streamRef)
      assert.equal(failed.reason.kind, 'connection_error')
      const error = await it.self.receive([P._], 10_000)
      assert.ok(error.type === 'gun_error' && error.streamRef === undefined)
      assert.equal(error.reason.code, 'bad_option')
      assert.equal(error.reason.kind, 'options')
      assert.match(error.reason.message, /^retryFun /)
      if (cause !== undefined) assert.equal(error.reason.cause, cause)
      else
        assert.equal(
          error.reason.cause instanceof gun.GunError && error.reason.cause.kind,
          'connection_error',
        )
      const down = await it.self.receive([P._], 10_000)
      assert.ok(down.type === 'DOWN')
      assert.deepEqual(down.reason, ['shutdown', error.reason])
    })
  }
})

for (const transport of transports) {
  describe(`a connection over ${transport} that is lost`, () => {
    test('tells the streams, then gun_down with all of them, then gun_up; requests are not sent again', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(nothing, { transport })
      await gun.awaitUp(it.connPid, 10_000)
      const first = gun.get(it.connPid, '/1')
      const second = gun.request(it.connPid, 'POST', '/2', {}, 'body')
      const peer = await it.peer()
      await peer.receiveRequest()
      await peer.receiveRequest()
      peer.reset()
      const reasons: gun.GunError[] = []
      for (const streamRef of [first, second]) {
        const error = await it.self.receive([P._], 10_000)
        assert.ok(error.type === 'gun_error' && error.streamRef === streamRef)
        // OpenSSL may get to say goodbye before the reset.
        assert.match(error.reason.code, transport === 'tcp' ? /^socket_error$/ : /^(socket_error|closed)$/)
        assert.equal(error.reason.kind, 'connection_error')
        reasons.push(error.reason)
      }
      const down = await it.self.receive([P._], 10_000)
      assert.ok(down.type === 'gun_down')
      assert.deepEqual(new Set(reasons), new Set([down.reason]))
      assert.deepEqual(down.killedStreams, [first, second])
      const up = await it.self.receive([P._], 10_000)
      assert.ok(up.type === 'gun_up')

      const third = gun.get(it.connPid, '/3')
      const next = await it.peer()
      assert.equal((await next.receiveRequest()).path, '/3')
      await next.send('HTTP/1.1 204 No Content\r\n\r\n')
      const response = await gun.await(it.connPid, third, 10_000)
      assert.ok(response.type === 'gun_response' && response.status === 204)
      assert.equal(it.server.connections, 2)
    })

    test('comes back after an orderly end, too', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(nothing, { transport })
      await gun.awaitUp(it.connPid, 10_000)
      gun.get(it.connPid, '/1')
      const peer = await it.peer()
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n')
      await it.self.receive([{ type: 'gun_response' }], 10_000)
      const down = await it.self.receive([P._], 10_000)
      assert.ok(down.type === 'gun_down' && down.reason === 'normal')
      assert.deepEqual(down.killedStreams, [])
      const up = await it.self.receive([P._], 10_000)
      assert.ok(up.type === 'gun_up')
    })

    test('and cannot be made again fails what was asked for in between, then tells the owner, then DOWN', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimers(t)
      await using it = await scene(nothing, { transport, retry: 2 })
      await it.self.receive([{ type: 'gun_up' }])
      const peer = await it.peer()
      peer.reset()
      await it.self.receive([{ type: 'gun_down' }])
      await it.server.close()
      const streams = [
        gun.get(it.connPid, '/1'),
        gun.request(it.connPid, 'POST', '/2', {}, 'body'),
        gun.wsUpgrade(it.connPid, '/3'),
      ]
      tick(0)
      assert.equal(await it.settle(), 'not_connected')
      streams.push(gun.get(it.connPid, '/4'))
      tick(5000)
      assert.equal(await it.settle(), 'terminated')
      const reasons: gun.GunError[] = []
      for (const streamRef of streams) {
        const error = await it.self.receive([P._], 0)
        assert.ok(error.type === 'gun_error' && error.streamRef === streamRef)
        assert.equal(error.reason.code, 'connect_error')
        assert.equal(error.reason.kind, 'connection_error')
        reasons.push(error.reason)
      }
      const error = await it.self.receive([P._], 0)
      assert.ok(error.type === 'gun_error' && error.streamRef === undefined)
      assert.ok(reasons.every(reason => reason === error.reason))
      assert.match(error.reason.message, /ECONNREFUSED/)
      const down = await it.self.receive([P._], 0)
      assert.ok(down.type === 'DOWN')
      assert.deepEqual(down.reason, ['shutdown', error.reason])
      assert.equal(it.self.messageQueueLength, 0)
    })
  })

  describe(`awaitUp over ${transport}`, () => {
    test('times out with the error of the last attempt as the cause', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimers(t)
      const self = createProcess<gun.GunMessage>()
      await using connPid = gun.open('127.0.0.1', await freePort(), { owner: self, transport })
      const waiting = gun.awaitUp(connPid, 1000).catch(error => error)
      while (gun.info(connPid).stateName !== 'not_connected') await turn()
      tick(1000)
      const error = await waiting
      assert.ok(error instanceof gun.GunError)
      assert.equal(error.code, 'timeout')
      assert.ok(error.cause instanceof gun.GunError && error.cause.code === 'connect_error')
    })

    test('times out without a cause while the first attempt is under way', onLinux, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using silent = await unanswering()
      const tick = mockTimers(t)
      const self = createProcess<gun.GunMessage>()
      await using connPid = gun.open('127.0.0.1', silent.port, { owner: self, transport })
      const waiting = gun.awaitUp(connPid, 1000).catch(error => error)
      tick(1000)
      const error = await waiting
      assert.ok(error instanceof gun.GunError && error.code === 'timeout')
      assert.equal(error.cause, undefined)
    })

    test('waits for the next gun_up after a loss', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(nothing, { transport })
      await gun.awaitUp(it.connPid, 10_000)
      const peer = await it.peer()
      peer.end()
      await it.self.receive([{ type: 'gun_down' }], 10_000)
      assert.equal(await gun.awaitUp(it.connPid, 10_000), 'http')
    })
  })

  test(`an await over ${transport} that times out once it is up has nothing to do with how it was lost before`, async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tick = mockTimers(t)
    await using it = await scene(nothing, { transport })
    await it.self.receive([{ type: 'gun_up' }])
    const peer = await it.peer()
    peer.reset()
    await it.self.receive([{ type: 'gun_down' }])
    tick(0)
    await it.self.receive([{ type: 'gun_up' }])
    const waiting = gun.await(it.connPid, gun.get(it.connPid, '/'), 1000).catch(error => error)
    tick(1000)
    const error = await waiting
    assert.ok(error instanceof gun.GunError && error.code === 'timeout')
    assert.equal(error.cause, undefined)
  })
}
