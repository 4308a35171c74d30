// The addresses of a host: which of them is connected to, and how the attempts at the others end.

import assert from 'node:assert/strict'
import type net from 'node:net'
import { BlockList } from 'node:net'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type ScriptedServer } from '@holster/testing'
import { freePort, PATIENCE } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { lookUp } from '../support/lookup.ts'
import { origin } from '../support/origin.ts'
import { onLinux, unanswering } from '../support/silent-address.ts'

/** What comes of a connection, in words: the address that was connected to, or the error. */
async function reached(host: string, port: number, opts: gun.Opts = {}): Promise<string> {
  await using owner = createProcess<gun.GunMessage>()
  const tlsOpts =
    opts.transport === 'tls' ? { tlsOpts: { ca: certificates.ca, servername: 'localhost' } } : {}
  await using connPid = gun.open(host, port, { owner, retry: 0, ...tlsOpts, ...opts })
  const message = await owner.receive([{ type: 'gun_up' }, { type: 'gun_error' }], PATIENCE)
  if (message.type === 'gun_error') return `${message.reason.code}: ${message.reason.message}`
  const remote = gun.info(connPid).socket?.remoteAddress ?? 'nowhere'
  gun.close(connPid)
  return remote
}

/** The same port at two addresses. */
async function twins(one: string, other: string): Promise<AsyncDisposable & { readonly port: number }> {
  const first = await origin(peer => peer.closed, { host: one })
  const second: ScriptedServer = await origin(peer => peer.closed, { host: other, port: first.port })
  return {
    port: first.port,
    async [Symbol.asyncDispose]() {
      await Promise.all([first.close(), second.close()])
    },
  }
}

for (const transport of ['tcp', 'tls'] as const) {
  describe(`over ${transport}`, () => {
    test('an address that is slow is not given up while another one is tried', onLinux, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using slow = await unanswering()
      await using quick = await origin(peer => peer.closed, { host: '127.0.0.2', port: slow.port, transport })
      lookUp(t, ['127.0.0.1', '127.0.0.2'])
      assert.equal(await reached('both.test', quick.port, { transport }), '127.0.0.2')
    })

    test('a slow address is connected to where no other one answers', onLinux, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using slow = await unanswering()
      lookUp(t, ['127.0.0.1', '127.0.0.2', '127.0.0.3'])
      // The handshake would wait for a server that speaks no TLS.
      const opts = { transport, tlsHandshakeTimeout: 1 }
      const outcome = reached('both.test', slow.port, opts)
      slow.answer()
      assert.match(await outcome, transport === 'tcp' ? /^127\.0\.0\.1$/ : /^tls_handshake_timeout/)
    })

    test('all errors are told when no address can be connected to', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const port = await freePort()
      lookUp(t, ['127.0.0.1', '127.0.0.2', '127.0.0.3'])
      const each = [1, 2, 3].map(n => `connect ECONNREFUSED 127.0.0.${n}:${port}`)
      assert.equal(
        await reached('three.test', port, { transport }),
        `connect_error: no connection to three.test:${port}: ${each.join('; ')}`,
      )
    })

    test('autoSelectFamily: false is the first address alone', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(peer => peer.closed, { transport })
      lookUp(t, ['127.0.0.2', '127.0.0.1'])
      const tcpOpts = { autoSelectFamily: false }
      assert.match(
        await reached('both.test', server.port, { transport, tcpOpts }),
        /ECONNREFUSED 127\.0\.0\.2/,
      )
    })

    test('the connection comes from localAddress, whichever address answers', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(peer => peer.closed, { transport })
      await using owner = createProcess<gun.GunMessage>()
      lookUp(t, ['127.0.0.2', '::1', '127.0.0.1'])
      await using connPid = gun.open('localhost', server.port, {
        owner,
        transport,
        tcpOpts: { localAddress: '127.0.0.9' },
        ...(transport === 'tls' && { tlsOpts: { ca: certificates.ca } }),
      })
      await gun.awaitUp(connPid, PATIENCE)
      const { socket, sockIp } = gun.info(connPid)
      assert.deepEqual([sockIp, socket?.remoteAddress], ['127.0.0.9', '127.0.0.1'])
      gun.close(connPid)
    })

    test('an address on the blockList is never connected to, named or looked up', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(peer => peer.closed, { transport })
      const blockList = new BlockList()
      blockList.addSubnet('127.0.0.0', 30)
      const opts = { transport, tcpOpts: { blockList } }
      const blocked = (address: string) => `${address} is blocked by tcpOpts.blockList`
      assert.equal(
        await reached('127.0.0.1', server.port, opts),
        `connect_error: no connection to 127.0.0.1:${server.port}: ${blocked('127.0.0.1')}`,
      )
      assert.ok((await reached('::ffff:127.0.0.1', server.port, opts)).endsWith(blocked('::ffff:127.0.0.1')))
      lookUp(t, ['127.0.0.2', '127.0.0.1'])
      assert.equal(
        await reached('both.test', server.port, opts),
        `connect_error: no connection to both.test:${server.port}: ${blocked('127.0.0.2')}; ${blocked('127.0.0.1')}`,
      )
      assert.equal(server.connections, 0)
    })
  })
}

describe('the look-up', () => {
  test('is asked for one family alone', async t => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await twins('127.0.0.1', '::1')
    lookUp(t, ['::1', '127.0.0.1'])
    assert.equal(await reached('both.test', server.port), '::1')
    assert.equal(await reached('both.test', server.port, { tcpOpts: { family: 4 } }), '127.0.0.1')
    assert.equal(await reached('both.test', server.port, { tcpOpts: { family: 6 } }), '::1')
    assert.equal(await reached('both.test', server.port, { tcpOpts: { family: 0 } }), '::1')
    assert.equal(
      await reached('both.test', server.port, { tcpOpts: { localAddress: '127.0.0.1' } }),
      '127.0.0.1',
    )
    assert.equal(
      await reached('both.test', server.port, { tcpOpts: { family: 6, localAddress: '127.0.0.1' } }),
      'domain_lookup_error: both.test could not be looked up: tcpOpts.family and tcpOpts.localAddress allow none of ::1, 127.0.0.1',
    )
  })

  /** What a look-up of the caller's does, and what comes of it. */
  const lookups: [what: string, lookup: (...args: never[]) => unknown, outcome: RegExp][] = [
    [
      'that gives all addresses',
      (_host: string, _options: object, done: (error: null, found: object[]) => void) =>
        setImmediate(() => done(null, [{ address: '127.0.0.1', family: 4 }])),
      /^127\.0\.0\.1$/,
    ],
    [
      'that gives one, as for a socket that wants no more, before it returns',
      (_host: string, _options: object, done: (error: null, found: string, family: number) => void) =>
        done(null, '127.0.0.1', 4),
      /^127\.0\.0\.1$/,
    ],
    [
      'that answers twice',
      (_host: string, _options: object, done: (error: Error | null, found?: string) => void) => {
        done(null, '127.0.0.1')
        done(new Error('not again'))
      },
      /^127\.0\.0\.1$/,
    ],
    [
      'that refuses',
      (_host: string, _options: object, done: (error: Error) => void) => done(new Error('not there!')),
      /^domain_lookup_error: a\.test could not be looked up: not there!$/,
    ],
    [
      'that throws',
      () => {
        throw new Error('not there!')
      },
      /^domain_lookup_error: a\.test could not be looked up: not there!$/,
    ],
    [
      'that rejects',
      async () => {
        throw new Error('not there!')
      },
      /^domain_lookup_error: a\.test could not be looked up: not there!$/,
    ],
    [
      'that gives what is no address',
      (_host: string, _options: object, done: (error: null, found: unknown) => void) =>
        done(null, ['localhost']),
      /^domain_lookup_error: .*: the look-up gave 'localhost', which is no address$/,
    ],
    [
      'that gives nothing',
      (_host: string, _options: object, done: (error: null) => void) => done(null),
      /^domain_lookup_error: .*: the look-up gave undefined, which is no address$/,
    ],
    [
      'that finds none',
      (_host: string, _options: object, done: (error: null, found: unknown) => void) => done(null, []),
      /^domain_lookup_error: .*: it has no address$/,
    ],
  ]
  for (const [what, lookup, outcome] of lookups) {
    test(`of the caller's ${what} is what counts`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await origin(peer => peer.closed)
      const asked: unknown[] = []
      const given = (...args: unknown[]) => {
        asked.push(args.slice(0, 2))
        return (lookup as (...args: unknown[]) => unknown)(...args)
      }
      const tcpOpts = { lookup: given as net.LookupFunction, family: 4, hints: 0 } as const
      assert.match(await reached('a.test', server.port, { tcpOpts }), outcome)
      assert.deepEqual(asked, [['a.test', { all: true, family: 4, hints: 0 }]])
    })
  }

  test('of an address is none', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(peer => peer.closed)
    const lookup = () => assert.fail('it was looked up')
    assert.equal(await reached('127.0.0.1', server.port, { tcpOpts: { lookup } }), '127.0.0.1')
  })
})

test('connectTimeout has as its cause what had failed by then', onLinux, async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using slow = await unanswering()
  lookUp(t, ['127.0.0.2', '127.0.0.1'])
  const outcome = await reached('both.test', slow.port, { connectTimeout: 100 })
  assert.equal(
    outcome,
    `connect_timeout: connectTimeout of 100 ms has passed; before that: connect ECONNREFUSED 127.0.0.2:${slow.port}`,
  )
})

describe('options that would be given in vain are refused', () => {
  test('tlsOpts where nobody has said that TLS is spoken', () => {
    const tlsOpts = { ca: certificates.ca }
    const refused = {
      name: 'GunError',
      code: 'bad_option',
      message: /^tlsOpts are given, but .*transport: 'tls'/,
    }
    assert.throws(() => gun.open('localhost', 8443, { tlsOpts }), refused)
    assert.throws(() => gun.openUnix('/nowhere', { tlsOpts }), refused)
    gun.close(gun.open('localhost', 443, { tlsOpts }))
    gun.close(gun.open('localhost', 8443, { tlsOpts, transport: 'tcp' }))
  })

  test('options of tcp for a Unix socket', () => {
    for (const tcpOpts of [
      { family: 4 },
      { lookup: () => {} },
      { noDelay: true },
      { localAddress: '::1' },
    ] as const) {
      const message = `tcpOpts.${Object.keys(tcpOpts)[0]} means nothing for a Unix socket`
      assert.throws(() => gun.openUnix('/nowhere', { tcpOpts }), { code: 'bad_option', message })
    }
    gun.close(gun.openUnix('/nowhere', { tcpOpts: { allowHalfOpen: false, family: undefined as never } }))
  })
})
