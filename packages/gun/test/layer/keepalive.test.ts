import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Keepalive } from '../../src/layer/keepalive.ts'

const PERIOD = 1000

/** Pings of which two in a row may go unanswered, in a program that is busy for so long at a time, so that timers are late. */
function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const told: string[] = []
  const line = { isRead: true }
  const keepalive = new Keepalive(PERIOD, 2, {
    ping: () => told.push('ping'),
    isRead: () => line.isRead,
    lost: ({ code }) => told.push(code),
  })
  const block = async (ms: number) => {
    now += ms
    t.mock.timers.tick(PERIOD)
    await turn()
  }
  return { keepalive, line, told, block }
}

describe('keepalive in a program that is busy for longer than a period at a time', () => {
  test('gives up a peer that answers nothing', async t => {
    const { told, block } = scene(t)
    for (let n = 0; n < 6; n++) await block(PERIOD + 200)
    assert.deepEqual(told, ['ping', 'ping', 'keepalive_timeout'])
  })

  test('goes on with a peer whose answer is read at last', async t => {
    const { keepalive, told, block } = scene(t)
    for (let n = 0; n < 3; n++) await block(PERIOD + 200)
    keepalive.forgive()
    for (let n = 0; n < 3; n++) await block(PERIOD)
    assert.ok(!told.includes('keepalive_timeout'))
    assert.ok(told.length > 2)
    keepalive.stop()
  })

  test('goes on with a peer that is not read any more', async t => {
    const { keepalive, line, told, block } = scene(t)
    for (let n = 0; n < 3; n++) await block(PERIOD + 200)
    line.isRead = false
    for (let n = 0; n < 6; n++) await block(PERIOD + 200)
    assert.ok(!told.includes('keepalive_timeout'))
    keepalive.stop()
  })
})
