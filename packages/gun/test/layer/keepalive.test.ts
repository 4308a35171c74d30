// Pings go out at intervals, and a peer that leaves too many in a row unanswered is lost, unless its answers could not be read.

import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Keepalive } from '../../src/layer/keepalive.ts'

const PERIOD = 1000

/**
 * Pings of which `tolerance` in a row may go unanswered. `wait` passes so many milliseconds, and then one tick of the timer:
 * with more than the period the program was busy, so that the tick is late.
 */
function scene(t: TestContext, tolerance = 2) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const told: string[] = []
  const line = { isRead: true }
  const keepalive = new Keepalive(PERIOD, tolerance, {
    ping: () => told.push('ping'),
    isRead: () => line.isRead,
    lost: ({ code, message }) => told.push(code, message),
  })
  const wait = async (ms = PERIOD) => {
    now += ms
    t.mock.timers.tick(PERIOD)
    await turn()
  }
  return { keepalive, line, told, wait }
}

describe('keepalive', () => {
  test('pings once each period, and loses a peer that answers none of as many as are tolerated', async t => {
    const { told, wait } = scene(t)
    assert.deepEqual(told, [])
    for (let n = 0; n < 4; n++) await wait()
    assert.deepEqual(told, [
      'ping',
      'ping',
      'keepalive_timeout',
      '2 pings, one each 1000 ms, were not answered',
    ])
  })

  test('tolerates one ping alone where that is the tolerance', async t => {
    const { told, wait } = scene(t, 1)
    await wait()
    assert.deepEqual(told, ['ping'])
    await wait()
    assert.deepEqual(told.slice(0, 2), ['ping', 'keepalive_timeout'])
  })

  test('goes on with a peer that answers each ping, or the last that is tolerated', async t => {
    for (const answered of [1, 2]) {
      const { keepalive, told, wait } = scene(t)
      for (let n = 1; n <= 10; n++) {
        await wait()
        if (n % answered === 0) keepalive.forgive()
      }
      assert.deepEqual(told, Array(10).fill('ping'))
      keepalive.dispose()
      t.mock.reset()
    }
  })

  test('that is disposed of neither pings nor loses the peer', async t => {
    const { keepalive, told, wait } = scene(t)
    await wait()
    await wait()
    keepalive.dispose()
    for (let n = 0; n < 3; n++) await wait()
    assert.deepEqual(told, ['ping', 'ping'])
  })

  test('that is disposed of while the last answer may still be read loses nobody', async t => {
    const { keepalive, told, wait } = scene(t)
    await wait()
    await wait()
    const last = wait(PERIOD + 500)
    keepalive.dispose()
    await last
    for (let n = 0; n < 3; n++) await wait()
    assert.deepEqual(told, ['ping', 'ping'])
  })

  test('counts from zero once a peer is read again', async t => {
    const { keepalive, line, told, wait } = scene(t)
    await wait()
    await wait()
    line.isRead = false
    await wait()
    line.isRead = true
    await wait()
    assert.deepEqual(told, Array(4).fill('ping'))
    await wait()
    assert.equal(told[4], 'keepalive_timeout')
    keepalive.dispose()
  })
})

describe('keepalive in a program that is busy for longer than a period at a time', () => {
  test('loses a peer that answers nothing', async t => {
    const { told, wait } = scene(t)
    for (let n = 0; n < 6; n++) await wait(PERIOD + 200)
    assert.deepEqual(told.slice(0, -1), ['ping', 'ping', 'keepalive_timeout'])
  })

  test('goes on with a peer whose answer is read at last', async t => {
    const { keepalive, told, wait } = scene(t)
    for (let n = 0; n < 3; n++) await wait(PERIOD + 200)
    keepalive.forgive()
    for (let n = 0; n < 3; n++) await wait()
    assert.ok(!told.includes('keepalive_timeout'))
    assert.ok(told.length > 2)
    keepalive.dispose()
  })

  test('goes on with a peer that is not read any more', async t => {
    const { keepalive, line, told, wait } = scene(t)
    for (let n = 0; n < 3; n++) await wait(PERIOD + 200)
    line.isRead = false
    for (let n = 0; n < 6; n++) await wait(PERIOD + 200)
    assert.ok(!told.includes('keepalive_timeout'))
    keepalive.dispose()
  })
})
