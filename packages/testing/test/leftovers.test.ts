// Leftovers: a process, a connection or a handle that a test leaves behind fails that test.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, spawn } from '@holster/process'
import { assertNothingLeft, leftovers, startServer } from '../src/index.ts'

describe('leftovers', () => {
  test('name a handle that stays, and are content once it is closed', async () => {
    const remaining = leftovers()
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    assert.deepEqual(await remaining(), ['TCPServerWrap'])
    server.close()
    assert.deepEqual(await remaining(), [])
  })

  test('name a process that stays with its label, and are content once it has exited', async () => {
    const before = createProcess()
    const remaining = leftovers()
    const process = spawn(self => self.receive([{ type: 'never' }]), { name: 'worker' })
    process.label = 'of the test'
    assert.deepEqual(await remaining(), [`${process} (of the test)`])
    assert.match(String(process), /^#Process<\d+ worker>$/)
    process.exit()
    assert.deepEqual(await remaining(), [])
    before.exit()
  })

  test('name a connection that stays with its origin, and are content once it is closed', async () => {
    await using server = await startServer(() => {})
    await using self = createProcess<gun.GunMessage>()
    const remaining = leftovers()
    const connPid = gun.open(server.host, server.port, { owner: self })
    await gun.awaitUp(connPid)
    const left = await remaining()
    assert.equal(left[0], `${connPid} to 127.0.0.1:${server.port}`)
    gun.close(connPid)
    assert.deepEqual(await remaining(), [])
  })

  test('wait for what is about to end', async () => {
    const remaining = leftovers()
    const process = spawn(self => self.receive([{ type: 'done' }]))
    setImmediate(() => process.send({ type: 'done' }))
    assert.deepEqual(await remaining(), [])
  })

  test('leave out the names that match ignore', async () => {
    const remaining = leftovers({ ignore: /^#Process<\d+ cache>$/ })
    await using _cache = createProcess({ name: 'cache' })
    await using other = createProcess({ name: 'other' })
    assert.deepEqual(await remaining(), [String(other)])
    assert.deepEqual(await leftovers({ ignore: /a/g })(), [])
    // @ts-expect-error ignore is no string
    assert.throws(() => leftovers({ ignore: 'cache' }), {
      name: 'TypeError',
      message: 'ignore must be a RegExp',
    })
    // @ts-expect-error there is no such option
    assert.throws(() => assertNothingLeft({ ignored: /a/ }), /options.ignored is not an option of leftovers/)
  })

  test('fail a test that leaves something', async () => {
    const left = assertNothingLeft()
    const timer = setTimeout(() => {}, 2 ** 30)
    await assert.rejects(async () => left[Symbol.asyncDispose](), /^Error: left behind: Timeout$/)
    clearTimeout(timer)
    await left[Symbol.asyncDispose]()
  })
})
