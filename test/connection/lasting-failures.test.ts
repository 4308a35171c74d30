// A failure that trying again cannot cure ends the connection at once; one that nobody would hear of goes to the exit hook.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process, setExitHook } from '@holster/process'
import { defer, freePort, PATIENCE, rejection } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

/** Fails when another attempt is asked for. */
const retryFun = () => assert.fail('it was tried again')

/** A connection that has to end at once, and why it did. */
async function failure(open: (opts: gun.Opts) => gun.ConnPid): Promise<gun.GunError> {
  await using owner = createProcess<gun.GunMessage>()
  const connPid = open({ owner, retry: 5, retryFun })
  const streamRef = gun.get(connPid, '/')
  const down = await rejection(gun.awaitUp(connPid, PATIENCE))
  assert.equal(down.kind, 'down')
  assert.ok(down.cause instanceof gun.GunError)
  // What was asked for fails with it.
  assert.equal((await rejection(gun.await(connPid, streamRef, PATIENCE))).message, down.cause.message)
  return down.cause
}

describe('a failure that trying again cannot cure ends the connection at once:', () => {
  const wrong: Record<string, [gun.Opts, gun.GunErrorCode, RegExp]> = {
    'an option of TLS that Node refuses': [
      { transport: 'tls', tlsOpts: { minVersion: 'TLSv9' as never } },
      'tls_error',
      /failed: .*TLSv9/,
    ],
    'a certificate that is none': [
      { transport: 'tls', tlsOpts: { cert: 'none', key: 'none' } },
      'tls_error',
      /failed: PEM routines: no start line \(ERR_OSSL_PEM_NO_START_LINE\)$/,
    ],
    'ciphers that nobody has': [
      { transport: 'tls', tlsOpts: { ciphers: 'NONE' } },
      'tls_error',
      /failed: no cipher match \(ERR_SSL_NO_CIPHER_MATCH\)$/,
    ],
  }
  for (const [what, [opts, code, text]] of Object.entries(wrong)) {
    test(what, async () => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      await using server = await origin(peer => peer.closed)
      const error = await failure(more => gun.open(server.host, server.port, { ...more, ...opts }))
      assert.deepEqual([error.code, error.isPermanent], [code, true])
      assert.match(error.message, text)
      await warnings.assertNone()
    })
  }

  test('a Unix socket that was never there', async () => {
    await using _left = assertNothingLeft()
    const folder = await mkdtemp(join(tmpdir(), 'holster-'))
    const error = await failure(opts => gun.openUnix(join(folder, 'missing'), opts))
    assert.equal(error.code, 'connect_error')
    assert.match(error.message, /ENOENT/)
    await rm(folder, { recursive: true })
  })
})

test('an await that is told of such a failure is permanent as well', async () => {
  await using _left = assertNothingLeft()
  await using server = await origin(peer => peer.closed)
  await using owner = createProcess<gun.GunMessage>()
  const tlsOpts = { minVersion: 'TLSv9' as never }
  const connPid = gun.open(server.host, server.port, { owner, transport: 'tls', tlsOpts })
  const { kind, isPermanent } = await rejection(gun.awaitUp(connPid, PATIENCE))
  assert.deepEqual([kind, isPermanent], ['down', true])
})

test('a Unix socket that was there is tried again: its server may come back', async () => {
  await using _left = assertNothingLeft()
  await using owner = createProcess<gun.GunMessage>()
  const again = defer<void>()
  let attempts = 0
  const server = await origin(peer => peer.closed, { transport: 'unix' })
  await using connPid = gun.openUnix(server.path as string, {
    owner,
    retryFun: retries => {
      if (++attempts === 3) again.resolve()
      return { retries, timeout: 0 }
    },
  })
  await gun.awaitUp(connPid, PATIENCE)
  await server.close()
  await again.promise
})

test('a server that cannot be reached, and a certificate that is not accepted, are tried again', async () => {
  await using _left = assertNothingLeft()
  await using server = await origin(peer => peer.closed, { transport: 'tls' })
  for (const [port, opts] of [
    [await freePort(), {}],
    [server.port, { transport: 'tls' }],
  ] as const) {
    await using owner = createProcess<gun.GunMessage>()
    let attempts = 0
    const connPid = gun.open('localhost', port, {
      owner,
      ...opts,
      retryFun: () => ({ retries: attempts++ < 2 ? 1 : 0, timeout: 0 }),
    })
    const { cause, isPermanent } = await rejection(gun.awaitUp(connPid, PATIENCE))
    assert.equal(isPermanent, false)
    assert.ok(cause instanceof gun.GunError)
    assert.equal(cause.isPermanent, false)
    assert.equal(attempts, 3)
  }
})

describe("a connection that cannot be made, and has no owner of the caller's,", () => {
  /** What the exit hook gets while `run` runs. */
  async function reported(run: () => Promise<unknown>): Promise<[unknown, unknown][]> {
    const reports: [unknown, unknown][] = []
    const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
    try {
      await run()
    } finally {
      setExitHook(previous)
    }
    return reports
  }

  async function ended(connPid: gun.ConnPid): Promise<void> {
    await connPid[Symbol.asyncDispose]()
  }

  /** Resolves when it has ended, without watching it. */
  async function terminated(open: (opts: gun.Opts) => gun.ConnPid): Promise<gun.ConnPid> {
    const over = defer<void>()
    const connPid = open({ retry: 0, eventHandler: { terminate: () => over.resolve() } })
    await over.promise
    return connPid
  }

  test('is reported through the exit hook, once', async () => {
    await using _left = assertNothingLeft()
    const port = await freePort()
    let connPid: gun.ConnPid | undefined
    const reports = await reported(async () => {
      connPid = await terminated(opts => gun.open('127.0.0.1', port, opts))
    })
    assert.equal(reports.length, 1)
    const [[pid, reason]] = reports as [[unknown, unknown]]
    assert.equal(pid, connPid)
    assert.ok(reason instanceof gun.GunError)
    assert.equal(reason.code, 'connect_error')
  })

  test('is reported when it is lost for good, too', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.reset())
    const reports = await reported(() => terminated(opts => gun.open(server.host, server.port, opts)))
    assert.equal(reports.length, 1)
  })

  test('is not when it ends in order', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send(`HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n`)
      peer.end()
    })
    const reports = await reported(async () => {
      await terminated(opts => {
        const connPid = gun.open(server.host, server.port, opts)
        gun.get(connPid, '/')
        return connPid
      })
      const shut = gun.open('127.0.0.1', await freePort())
      gun.shutdown(shut)
      await ended(shut)
    })
    assert.deepEqual(reports, [])
  })

  test('is not where somebody hears of it: by a monitor, by await, by its mailbox, or as its new owner', async () => {
    await using _left = assertNothingLeft()
    const port = await freePort()
    const open = () => gun.open('127.0.0.1', port, { retry: 0 })
    await using other = createProcess<gun.GunMessage>()
    const reports = await reported(async () => {
      const ref = other.monitor(open())
      await other.receive([{ type: 'DOWN', ref }], PATIENCE)
      await rejection(gun.awaitUp(open(), PATIENCE))
      const connPid = open()
      await (connPid.owner as Process<gun.GunMessage>).receive([{ type: 'gun_error', connPid }], PATIENCE)
      const given = open()
      gun.setOwner(given, other)
      await other.receive([{ type: 'gun_error', connPid: given }], PATIENCE)
    })
    assert.deepEqual(reports, [])
  })
})
