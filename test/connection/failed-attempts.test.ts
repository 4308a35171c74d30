// Attempts to connect that fail: the owner is told the reason, and that nothing is connected.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, P, type Process } from '@holster/process'
import { certificates, type Script } from '@holster/testing'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { onLinux, unanswering } from '../support/silent-address.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const transports = ['tcp', 'tls'] as const

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface Attempt extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  /** The owner's messages up to DOWN: one connection-wide error. */
  failure(): Promise<gun.GunError>
}

/** A connection without retries, and its owner. */
function attempt(host: string, port: number, opts: gun.Opts): Attempt {
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(host, port, { retry: 0, owner: self, ...opts })
  const ref = self.monitor(connPid)
  return {
    self,
    connPid,
    async failure() {
      const error = await self.receive([P._], 10_000)
      assert.ok(error.type === 'gun_error' && error.streamRef === undefined, `${error.type} came first`)
      assert.equal(error.reason.kind, 'connection_error')
      const down = await self.receive([P._], 10_000)
      assert.ok(down.type === 'DOWN' && down.ref === ref, `${down.type} came second`)
      assert.deepEqual(down.reason, ['shutdown', error.reason])
      assert.equal(self.messageQueueLength, 0)
      assert.equal(gun.info(connPid).stateName, 'terminated')
      return error.reason
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
    },
  }
}

function causeCode(error: gun.GunError): unknown {
  return error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined
}

/** By microtasks only, so that the network gets no chance to answer. */
async function reach(connPid: gun.ConnPid, stateName: string): Promise<void> {
  for (let i = 0; i < 100 && gun.info(connPid).stateName !== stateName; i++) await null
  assert.equal(gun.info(connPid).stateName, stateName)
}

for (const transport of transports) {
  describe(`before a connection over ${transport} is up`, () => {
    test('nothing listens: the error names the address', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const port = await freePort()
      await using conn = attempt('127.0.0.1', port, { transport })
      const error = await conn.failure()
      assert.equal(error.code, 'connect_error')
      assert.equal(
        error.message,
        `no connection to 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
      )
      assert.equal(causeCode(error), 'ECONNREFUSED')
    })

    test('nothing listens on any address of a name: the error names each', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const port = await freePort()
      await using conn = attempt('localhost', port, { transport })
      const error = await conn.failure()
      assert.equal(error.code, 'connect_error')
      assert.match(
        error.message,
        new RegExp(`^no connection to localhost:${port}: .*127\\.0\\.0\\.1:${port}`),
      )
    })

    test('the name does not resolve: the error names it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using conn = attempt('does-not-exist.invalid', 80, { transport })
      const error = await conn.failure()
      assert.equal(error.code, 'domain_lookup_error')
      assert.match(error.message, /^does-not-exist\.invalid could not be looked up: .*(ENOTFOUND|EAI_AGAIN)/)
      assert.match(String(causeCode(error)), /ENOTFOUND|EAI_AGAIN/)
    })

    test('awaitUp rejects with the end, which has the reason as its cause', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using conn = attempt('127.0.0.1', await freePort(), { transport })
      const error = await gun.awaitUp(conn.connPid).catch(error => error)
      assert.ok(error instanceof gun.GunError)
      assert.equal(error.code, 'down')
      assert.equal(error.kind, 'down')
      assert.ok(error.cause instanceof gun.GunError && error.cause.code === 'connect_error')
      assert.match(error.message, /^#Conn<\d+> has ended: no connection to 127\.0\.0\.1/)
    })

    test('a look-up that takes too long ends at domainLookupTimeout', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      const tcpOpts = { lookup: () => {} }
      await using conn = attempt('silent.test', 80, { transport, tcpOpts, domainLookupTimeout: 1000 })
      assert.equal(gun.info(conn.connPid).stateName, 'domain_lookup')
      await tick(999)
      assert.equal(gun.info(conn.connPid).stateName, 'domain_lookup')
      await tick(1)
      const error = await conn.failure()
      assert.equal(error.code, 'domain_lookup_timeout')
      assert.match(error.message, /domainLookupTimeout of 1000 ms/)
    })

    test('a connection that takes too long ends at connectTimeout', onLinux, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await unanswering()
      const tick = mockTimeouts(t)
      await using conn = attempt('127.0.0.1', server.port, { transport, connectTimeout: 1000 })
      await reach(conn.connPid, 'connecting')
      await tick(999)
      assert.equal(gun.info(conn.connPid).stateName, 'connecting')
      await tick(1)
      const error = await conn.failure()
      assert.equal(error.code, 'connect_timeout')
      assert.match(error.message, /connectTimeout of 1000 ms/)
    })

    test('a time-out of each phase leaves a connection that is up alone', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(() => {}, { transport })
      const tick = mockTimeouts(t)
      await using conn = attempt('localhost', server.port, {
        transport,
        tlsOpts: { ca: certificates.ca },
        domainLookupTimeout: 1000,
        connectTimeout: 1000,
        tlsHandshakeTimeout: 1000,
      })
      await conn.self.receive([{ type: 'gun_up' }])
      await tick(100_000)
      await turn()
      assert.equal(gun.info(conn.connPid).stateName, 'connected')
      assert.equal(conn.self.messageQueueLength, 0)
    })
  })
}

describe('a TLS handshake', () => {
  test('with a server that says nothing ends at tlsHandshakeTimeout', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(() => {})
    const tick = mockTimeouts(t)
    await using conn = attempt('127.0.0.1', server.port, { transport: 'tls', tlsHandshakeTimeout: 1000 })
    while (gun.info(conn.connPid).stateName !== 'initial_tls_handshake') await turn()
    await tick(999)
    assert.equal(gun.info(conn.connPid).stateName, 'initial_tls_handshake')
    await tick(1)
    const error = await conn.failure()
    assert.equal(error.code, 'tls_handshake_timeout')
    assert.match(error.message, /tlsHandshakeTimeout of 1000 ms/)
  })

  const trusting = { ca: certificates.ca }
  const strangers = [
    ['an unknown CA', certificates.server, {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['itself as the CA', certificates.selfSigned, trusting, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['a time that is over', certificates.expired, trusting, 'CERT_HAS_EXPIRED'],
    ['another host', certificates.otherHost, trusting, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ] as const
  for (const [what, identity, tlsOpts, code] of strangers) {
    for (const host of ['localhost', '127.0.0.1']) {
      test(`with a certificate for ${what} fails, and says so, for ${host}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using server = await origin(() => {}, { transport: 'tls', tls: identity })
        await using conn = attempt(host, server.port, { transport: 'tls', tlsOpts })
        const error = await conn.failure()
        assert.equal(error.code, 'tls_error')
        assert.equal(causeCode(error), code)
        assert.ok(error.message.startsWith(`the TLS handshake with ${host} failed: `), error.message)
        assert.ok(error.cause instanceof Error && error.message.endsWith(error.cause.message))
      })
    }
  }

  /** What begins a ServerHello, and then does not go on. */
  const half = Buffer.from('160303007a0200007603', 'hex')
  const rude: [string, Script, RegExp][] = [
    [
      'a server that speaks plain HTTP',
      peer => peer.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /wrong version number \(ERR_SSL_WRONG_VERSION_NUMBER\); the peer does not seem to speak TLS$/,
    ],
    ['a server that sends garbage', peer => peer.end('garbage\n'), /wrong version number|closed/],
    ['a server that closes at once', peer => peer.end(), /closed|disconnected/],
    [
      'a server that closes after reading the hello',
      async peer => {
        await peer.receive(5)
        peer.end()
      },
      /closed|disconnected/,
    ],
    [
      'a server that resets after reading the hello',
      async peer => {
        await peer.receive(5)
        peer.reset()
      },
      /ECONNRESET|closed/,
    ],
    [
      'a server that closes within its hello',
      async peer => {
        await peer.receive(5)
        peer.end(half)
      },
      /closed|disconnected/,
    ],
    [
      'a server that resets within its hello',
      async peer => {
        await peer.receive(5)
        await peer.send(half)
        peer.reset()
      },
      /ECONNRESET|closed|disconnected/,
    ],
  ]
  for (const [what, script, text] of rude) {
    test(`with ${what} fails, and says so`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(script)
      await using conn = attempt('localhost', server.port, { transport: 'tls' })
      const error = await conn.failure()
      assert.equal(error.code, 'tls_error')
      assert.match(error.message, /^the TLS handshake with localhost failed: /)
      assert.match(error.message, text)
      assert.doesNotMatch(error.message, /\n|openssl\/|error:[0-9A-F]/)
    })
  }

  test('with a server that resets at once never begins, or fails', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(peer => peer.reset())
    await using conn = attempt('localhost', server.port, { transport: 'tls' })
    const error = await conn.failure()
    assert.match(error.code, /^(connect_error|tls_error)$/)
    assert.match(error.message, /ECONNRESET|closed|disconnected/)
  })

  test('that the server refuses for want of a client certificate is told', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tls = {
      requestCert: true,
      rejectUnauthorized: true,
      ca: certificates.ca,
      maxVersion: 'TLSv1.2',
    } as const
    await using server = await origin(() => {}, { transport: 'tls', tls })
    await using conn = attempt('localhost', server.port, { transport: 'tls', tlsOpts: trusting })
    const error = await conn.failure()
    assert.equal(error.code, 'tls_error')
    assert.match(error.message, /failed: [a-z0-9/ ]+ \(ERR_SSL_[A-Z0-9_/]+\)$/)
  })

  test('that TLS 1.3 lets the server refuse afterwards ends with gun_down', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const tls = {
      requestCert: true,
      rejectUnauthorized: true,
      ca: certificates.ca,
      minVersion: 'TLSv1.3',
    } as const
    await using server = await origin(() => {}, { transport: 'tls', tls })
    await using conn = attempt('localhost', server.port, { transport: 'tls', tlsOpts: trusting })
    await conn.self.receive([{ type: 'gun_up' }], 10_000)
    const { reason } = await conn.self.receive([{ type: 'gun_down' }], 10_000)
    assert.ok(reason instanceof gun.GunError)
    assert.match(reason.code, /^(socket_error|closed)$/)
    assert.doesNotMatch(reason.message, /\n|openssl\/|error:[0-9A-F]/)
  })
})
