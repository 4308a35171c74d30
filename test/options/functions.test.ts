// Functions among the options that throw or give garbage: the caller's mistake, told by its name, and nothing else is harmed.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { PeerCertificate, PSKCallbackNegotation } from 'node:tls'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { certificates, type ScriptedServer, type ScriptedServerOptions } from '@holster/testing'
import { NO_CONTENT, PATIENCE } from '../support/client.ts'
import { ends, transports } from '../support/http-ends.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

const boom = new Error('boom')
const fail = (): never => {
  throw boom
}
const unreadable: unknown = new Proxy({}, { get: fail })

/** Takes what the exit hook gets. */
function hooked(): Disposable & { readonly reasons: unknown[] } {
  const reasons: unknown[] = []
  const previous = setExitHook((_, reason) => reasons.push(reason))
  return { reasons, [Symbol.dispose]: () => setExitHook(previous) }
}

/** What a function gives that has to give something else. */
const garbage: readonly (readonly [what: string, call: () => unknown, message: RegExp])[] = [
  ['throws', fail, /threw: boom$/],
  ['throws what cannot be shown', () => assert.fail({ toString: fail } as never), /threw: /],
  ['gives nothing', () => undefined, /not undefined$/],
  ['gives null', () => null, /not null$/],
  ['gives a number', () => 7, /not 7$/],
  ['gives an object', () => ({}), /not another object$/],
  ['gives what cannot be read', () => unreadable, /not another object$/],
  ['gives an empty string', () => '', /not another string$/],
  ['gives CR LF', () => 'a\r\nx: y', /not another string$/],
  ['gives a blank', () => 'a b', /not another string$/],
  ['gives a colon', () => 'a:', /not another string$/],
  ['gives a letter that is no octet', () => 'č', /not another string$/],
  ['is asynchronous', async () => 'x', /not a promise$/],
]

for (const transport of transports) {
  describe(`transformHeaderName over ${transport}`, () => {
    for (const [what, call, message] of garbage) {
      test(`that ${what} fails its request, of which nothing is sent, and the others go on`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const transformHeaderName = (name: string): string => (name === 'x-bad' ? (call() as string) : name)
        await using it = await ends(transport, { httpOpts: { transformHeaderName } })
        const first = gun.get(it.connPid, '/1')
        const bad = gun.request(it.connPid, 'POST', '/bad', { 'x-bad': '1' }, 'body')
        const upgrade = gun.wsUpgrade(it.connPid, '/upgrade', { 'x-bad': '1' })
        const last = gun.get(it.connPid, '/2')
        assert.equal((await it.peer.receiveRequest()).path, '/1')
        await it.peer.send(NO_CONTENT)
        assert.equal((await it.peer.receiveRequest()).path, '/2')
        await it.peer.send(NO_CONTENT)
        for (const streamRef of [bad, upgrade]) {
          const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
          assert.deepEqual([reason.code, reason.kind], ['bad_option', 'stream_error'])
          assert.match(
            reason.message,
            /^httpOpts.transformHeaderName (threw|must give a header name for "x-bad")/,
          )
          assert.match(reason.message, message)
          if (call === fail) assert.equal(reason.cause, boom)
        }
        for (const streamRef of [first, last]) {
          await it.self.receive([{ type: 'gun_response', streamRef, status: 204 }], PATIENCE)
        }
        assert.equal(it.self.messageQueueLength, 0)
      })
    }

    test('that fails for trailers sends none of them, and the body may end without', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const transformHeaderName = (name: string): string => (name === 'x-bad' ? fail() : name)
      await using it = await ends(transport, { httpOpts: { transformHeaderName } })
      const streamRef = gun.headers(it.connPid, 'PUT', '/')
      gun.data(it.connPid, streamRef, 'nofin', 'a')
      gun.trailers(it.connPid, streamRef, { 'x-bad': '1' })
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
      assert.equal(reason.code, 'badstate')
      assert.ok(reason.cause instanceof gun.GunError)
      assert.deepEqual([reason.cause.code, reason.cause.cause], ['bad_option', boom])
      gun.data(it.connPid, streamRef, 'fin', '')
      await it.peer.receiveRequest()
      assert.equal(String(await it.peer.receive('0\r\n\r\n')), '1\r\na\r\n0\r\n\r\n')
      await it.peer.send(NO_CONTENT)
      await it.self.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    })

    test('that gives the body of the request whose head it is asked about has it sent behind the head', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      let second: gun.StreamRef | undefined
      const transformHeaderName = (name: string): string => {
        if (name === 'x-second' && second !== undefined) gun.data(it.connPid, second, 'fin', 'body')
        return name
      }
      await using it = await ends(transport, { httpOpts: { transformHeaderName } })
      const first = gun.headers(it.connPid, 'POST', '/1', { 'content-length': 2 })
      second = gun.headers(it.connPid, 'POST', '/2', { 'content-length': 4, 'x-second': '1' })
      gun.get(it.connPid, '/3')
      gun.data(it.connPid, first, 'fin', 'ok')
      assert.equal((await it.peer.receiveRequest()).path, '/1')
      assert.equal(String(await it.peer.receive(2)), 'ok')
      assert.equal((await it.peer.receiveRequest()).path, '/2')
      assert.equal(String(await it.peer.receive(4)), 'body')
      assert.equal((await it.peer.receiveRequest()).path, '/3')
    })

    test('that ends the body whose trailers it is asked about comes behind them, and is refused', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const transformHeaderName = (name: string): string => {
        if (name === 'x-last') gun.data(it.connPid, streamRef, 'fin', 'b')
        return name
      }
      await using it = await ends(transport, { httpOpts: { transformHeaderName } })
      const streamRef = gun.headers(it.connPid, 'PUT', '/')
      gun.data(it.connPid, streamRef, 'nofin', 'a')
      gun.trailers(it.connPid, streamRef, { 'x-last': '1' })
      gun.get(it.connPid, '/2')
      await it.peer.receiveRequest()
      assert.equal(String(await it.peer.receive('x-last: 1\r\n\r\n')), '1\r\na\r\n0\r\nx-last: 1\r\n\r\n')
      assert.equal((await it.peer.receiveRequest()).path, '/2')
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
      assert.equal(reason.code, 'badstate')
    })

    test('may end the connection as trailers are sent, of which the stream hears once', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const transformHeaderName = (name: string): string => {
        if (name === 'x-last') gun.close(it.connPid)
        return name
      }
      await using it = await ends(transport, { httpOpts: { transformHeaderName } })
      const streamRef = gun.headers(it.connPid, 'PUT', '/')
      gun.trailers(it.connPid, streamRef, { 'x-last': '1' })
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
      assert.equal(reason.code, 'shutdown')
      await turn()
      assert.equal(it.self.flush({ type: 'gun_error', streamRef }), 0)
    })

    test('may end the connection, and nothing more is sent', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const transformHeaderName = (name: string): string => {
        if (name === 'x-end') gun.close(it.connPid)
        return name
      }
      await using it = await ends(transport, { httpOpts: { transformHeaderName } })
      const streamRef = gun.get(it.connPid, '/', { 'x-end': '1' })
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }], PATIENCE)
      assert.equal(reason.code, 'shutdown')
      await assert.rejects(it.peer.receiveRequest(), /after 0 bytes/)
    })
  })
}

/** A connection over TLS that is being made, and the server's side. */
async function dialling(
  tlsOpts: NonNullable<gun.Opts['tlsOpts']>,
  options: ScriptedServerOptions = { transport: 'tls' },
): Promise<
  AsyncDisposable & { server: ScriptedServer; error(): Promise<gun.GunError>; up(): Promise<unknown> }
> {
  const server = await origin(async peer => void (await peer.closed), options)
  const self = createProcess<gun.GunMessage>()
  const opts: gun.Opts = { owner: self, transport: 'tls', retry: 0, tlsOpts }
  const connPid = gun.open('localhost', server.port, opts)
  return {
    server,
    async error() {
      return (await self.receive([{ type: 'gun_error', streamRef: undefined }], PATIENCE)).reason
    },
    up: () => gun.awaitUp(connPid, PATIENCE),
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      self.exit()
      await server.close()
    },
  }
}

type Check = (host: string, certificate: PeerCertificate) => Error | undefined

describe('checkServerIdentity', () => {
  for (const [what, call, message] of [
    ['throws', fail, /threw: boom$/],
    ['is asynchronous', async () => undefined, /not a promise$/],
    ['gives true', () => true, /not true$/],
    ['gives false', () => false, /not false$/],
    ['gives a string', () => 'wrong host', /not another string$/],
    ['gives what cannot be read', () => unreadable, /not another object$/],
  ] as const) {
    test(`that ${what} ends the connection with bad_option, not with an error of TLS`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const checkServerIdentity = call as unknown as Check
      await using it = await dialling({ ca: certificates.ca, checkServerIdentity })
      const error = await it.error()
      assert.deepEqual([error.code, error.kind], ['bad_option', 'options'])
      assert.match(error.message, /^tlsOpts.checkServerIdentity (threw|must give an Error or undefined)/)
      assert.match(error.message, message)
      if (call === fail) assert.equal(error.cause, boom)
    })
  }

  test('that is asynchronous and rejects is reported besides', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    using hook = hooked()
    const checkServerIdentity = (async () => fail()) as unknown as Check
    await using it = await dialling({ ca: certificates.ca, checkServerIdentity })
    assert.equal((await it.error()).code, 'bad_option')
    await turn()
    assert.deepEqual(hook.reasons, [boom])
  })

  test('that is no function is named', () => {
    const tlsOpts = { checkServerIdentity: 5 as unknown as Check }
    assert.throws(() => gun.open('localhost', 443, { tlsOpts }), {
      code: 'bad_option',
      message: 'tlsOpts.checkServerIdentity must be a function',
    })
  })

  test('that gives an error is the reason of a tls_error', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await dialling({ ca: certificates.ca, checkServerIdentity: () => boom })
    const error = await it.error()
    assert.deepEqual([error.code, error.cause], ['tls_error', boom])
  })

  test('is called once with the host and its certificate, and decides', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const asked: unknown[][] = []
    const checkServerIdentity: Check = (host, { subject }) => void asked.push([host, typeof subject])
    await using it = await dialling({ ca: certificates.ca, checkServerIdentity })
    await it.up()
    assert.deepEqual(asked, [['localhost', 'object']])
  })
})

describe('pskCallback', () => {
  const psk = Buffer.from('a secret that both sides know')
  const suite = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
  const server: ScriptedServerOptions = {
    transport: 'tls',
    tls: { ...suite, cert: undefined, key: undefined, pskCallback: () => psk } as never,
  }
  type Psk = (hint: string | null) => PSKCallbackNegotation | null
  const checkServerIdentity = (): undefined => undefined

  test('that gives a key and an identity makes a connection', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    const pskCallback = (): PSKCallbackNegotation => ({ psk, identity: 'me' })
    await using it = await dialling({ ...suite, checkServerIdentity, pskCallback }, server)
    assert.equal(await it.up(), 'http')
  })

  for (const [what, call, message] of [
    ['throws', fail, /threw: boom$/],
    ['is asynchronous', async () => ({ psk, identity: 'me' }), /not a promise$/],
    ['gives the key alone', () => String(psk), /not another string$/],
    ['gives a key that is no bytes', () => ({ psk: 'x', identity: 'me' }), /not another object$/],
    [
      'gives a key that is too long',
      () => ({ psk: Buffer.alloc(257), identity: 'me' }),
      /not another object$/,
    ],
    ['gives an identity that is too long', () => ({ psk, identity: 'm'.repeat(129) }), /not another object$/],
  ] as const) {
    test(`that ${what} ends the connection with bad_option`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const pskCallback = call as unknown as Psk
      await using it = await dialling({ ...suite, checkServerIdentity, pskCallback }, server)
      const error = await it.error()
      assert.deepEqual([error.code, error.kind], ['bad_option', 'options'])
      assert.match(error.message, /^tlsOpts.pskCallback (threw|must give \{ psk, identity \})/)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /secret/)
    })
  }
})
