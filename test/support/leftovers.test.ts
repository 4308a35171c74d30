// Leftovers: a handle, a warning or a crash that a test leaves behind fails that test.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import { assertNothingLeft, collectWarnings, leftovers } from './leftovers.ts'

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
